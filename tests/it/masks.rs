//! What of /proc and /sys is hidden from a root who is the host's, and from nobody else.

use crate::husk::Run;
use crate::mount_table::MountTable;
use crate::world::{self, Identity, NO_BUSYBOX, NOT_ROOT, everybody, tool};
use std::fs;
use std::os::unix::fs::symlink;

/// Opens for writing what writes to the host, and writes nothing; reads what the host keeps to itself.
const REACHES: &str = "\
    for f in sys/kernel/core_pattern sys/kernel/modprobe sys/vm/drop_caches sysrq-trigger \
        irq/default_smp_affinity bus/pci/00/00.0 fs/nfsd/threads; do \
      [ -e /proc/$f ] && (: >>/proc/$f) 2>/dev/null && echo may write $f; done; \
    for f in kcore keys latency_stats timer_list sched_debug kmsg; do \
      [ \"$(head -c 1 /proc/$f 2>/dev/null | wc -c)\" -gt 0 ] && echo may read $f; done; \
    for d in acpi asound scsi; do [ -n \"$(ls /proc/$d 2>/dev/null)\" ] && echo may list $d; done; \
    [ -n \"$(ls /sys/firmware /sys/devices/virtual/powercap 2>/dev/null | grep -v :)\" ] && echo may list sys; \
    echo done";

/// The containers of root in which the host's root is somebody.
fn of_root(who: &Identity) -> Option<Vec<Run>> {
    let root = Box::leak(Box::new(who.root_dir()?));
    let runs = [Run::new(who), Run::root(who, root)];
    let user = |run: &Run| [run.clone(), run.clone().word("--share-user")];
    Some(runs.iter().flat_map(user).collect())
}

#[test]
fn root_outside_does_not_reach_the_host_through_proc_and_sys() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    for run in or_skip!(of_root(who), "{NO_BUSYBOX}") {
        assert_eq!(run.clone().sh(REACHES).output().succeeds(), "done\n");
        let bare = run
            .words(["--mask", "none"])
            .sh(REACHES)
            .output()
            .succeeds();
        assert!(bare.contains("may write sys/kernel/core_pattern"), "{bare}");
    }
}

#[test]
fn root_outside_makes_no_device_and_does_not_read_the_kernel_s_log() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let host = who.dir("nodes");
    for run in or_skip!(of_root(who), "{NO_BUSYBOX}") {
        let script = format!(
            "for d in {0} /tmp /dev; do [ -d $d ] && mknod $d/husk-disk b 8 0 2>/dev/null && echo made; done; \
             [ -d {0} ] || head -c 1 /dev/kmsg 2>/dev/null; echo done",
            host.text()
        );
        assert_eq!(run.sh(&script).output().succeeds(), "done\n");
    }
    assert_eq!(fs::read_dir(host.path()).unwrap().count(), 0);
}

#[test]
fn masks_stay_where_they_are() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    or_skip!(tool("unshare"), "no unshare(1)");
    for flags in [&[][..], &["--share-user"]] {
        let script = "for d in /proc/sys /proc/keys /proc/acpi; do umount -l $d 2>/dev/null && echo off; \
             mount -o remount,bind,rw $d 2>/dev/null && echo writable; done; \
             unshare -rm sh -c 'umount -l /proc/sys && echo off; mount -o remount,bind,rw /proc/sys && echo writable; \
             mount -t proc proc /mnt && echo new' 2>/dev/null; echo done";
        let out = Run::new(who).words(flags).sh(script).output();
        assert_eq!(out.succeeds(), "done\n", "{flags:?}");
    }
}

/// The mounts on /proc and below it.
fn below_proc(run: Run) -> MountTable {
    let script = "echo mountinfo; grep ' /proc' /proc/self/mountinfo";
    MountTable::after_mark(&run.sh(script).output().succeeds())
}

#[test]
fn what_is_hidden_is_an_empty_file_or_directory_and_read_only() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--mask", "oci"]);
        let table = below_proc(run.clone());
        for place in ["/proc/keys", "/proc/timer_list"] {
            assert_eq!(table.on(place).kind, "tmpfs");
            table
                .on(place)
                .has_all(&["ro", "nosuid", "nodev", "noexec"]);
        }
        assert_eq!(table.on("/proc/sys").kind, "proc");
        table.on("/proc/sys").has_all(&["ro"]);
        let script = "cat /proc/keys; (echo x >>/proc/keys) 2>&1 | grep -c Read-only; ls /..";
        let out = run.sh(script).output().succeeds();
        assert!(out.starts_with("1\nbin\n"), "{out}");
    }
}

#[test]
fn where_nobody_is_root_outside_proc_is_whole_and_can_be_made_again() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    let husk = world::husk().to_str().unwrap();
    let script = "grep -c ' /proc/' /proc/self/mountinfo";
    let whole = Run::new(who).sh(script).output().ends_with(1);
    let inner = Run::new(who).words(["--", husk, "run"]).sh(script);
    let inner = inner.output().ends_with(1);
    assert_eq!((whole.stdout, inner.stdout), ("0\n".into(), "0\n".into()));
    assert_eq!(inner.stderr, "");
    // And the kernel sees to the rest.
    let out = Run::new(who).words(["--cap-add", "ALL"]).sh(REACHES);
    let out = out.output().succeeds();
    assert!(!out.contains("may write"), "{out}");
    // Root of a container within is not the host's, although it is root's there.
    let nested = Run::new(who).words(["--", husk, "run", "--id-map", "root", "--dry-run"]);
    assert!(
        nested
            .output()
            .succeeds()
            .contains("mask: where root is the host's")
    );
}

#[test]
fn a_directory_that_is_only_called_proc_is_left_alone() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let outside = who.dir("outside");
        who.write(&outside.join("keys"), "outside", 0o644);
        who.write(&root.join("proc/keys"), "inside", 0o644);
        let run = Run::new(who).words(["--chroot-dir", root.text(), "--mask", "oci"]);
        let out = run.clone().sh("cat /proc/keys").output();
        assert_eq!(out.succeeds(), "inside");
        fs::remove_file(root.join("proc/keys")).unwrap();
        fs::remove_dir(root.join("proc")).unwrap();
        for way in [outside.text(), "../outside", "sys", "loop"] {
            symlink(way, root.join("proc")).unwrap();
            run.clone().sh("true").output().ends_with(0);
            fs::remove_file(root.join("proc")).unwrap();
        }
        assert_eq!(fs::read_to_string(outside.join("keys")).unwrap(), "outside");
    }
}

#[test]
fn a_second_proc_is_hidden_as_well() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--mask", "oci", "--proc", "/data"]);
        let out = run
            .sh("cat /data/keys | wc -c; (: >/data/sys/kernel/hostname) 2>&1 | grep -c Read-only");
        assert_eq!(out.output().ends_with(0).stdout, "0\n1\n");
    }
}

#[test]
fn masks_need_a_mount_namespace_of_their_own() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let run = Run::new(who).words(["--namespaces", "pid", "--mask", "oci"]);
    run.sh("true")
        .output()
        .refuses(&["--mask", "mount namespace"]);
    let run = Run::new(who).words(["--namespaces", "uts"]);
    run.sh("true").output().ends_with(0);
}
