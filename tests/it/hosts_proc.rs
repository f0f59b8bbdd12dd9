//! Hosts whose /proc or /sys is hidden in part or not there, and chroots.

use crate::husk::Run;
use crate::running::Outcome;
use crate::world::{self, Dir, NO_BUSYBOX, NOT_ROOT, everybody};
use std::fs;
use std::process::Command;

/// As container runtimes do it.
const MASKED: &str = "mount -t tmpfs -o ro t /proc/fs\nmount --bind /dev/null /proc/version\n\
                      mount --bind /proc/sys /proc/sys\nmount -o remount,bind,ro /proc/sys";

const MASKED_LINE: &str = "EPERM (operation not permitted): parts of /proc are hidden, so that there \
    is no new one: husk: --mask none; podman: --security-opt unmask=ALL; docker: --security-opt \
    systempaths=unconfined; Kubernetes: procMount: Unmasked (more: husk check)\n";

#[test]
fn a_masked_proc_is_bound_with_one_warning() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for run in [Run::new(who), Run::root(who, &root)] {
            let script = "grep -c . /proc/self/status >/dev/null && touch /proc/sys/x 2>&1; id -u";
            let outcome = run.sh(script).with_mounts(MASKED).output().ends_with(0);
            assert!(outcome.stdout.ends_with("\n0\n"), "{outcome}");
            let line = format!("husk: doing with the outer processes in /proc: {MASKED_LINE}");
            assert_eq!(outcome.stderr, line);
        }
    }
}

#[test]
fn what_hides_parts_of_proc_still_hides_them_in_a_root() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for proc in ["auto", "bind"] {
            let run = Run::root(who, &root).words(["--proc", proc]);
            let script = "cat /proc/version 2>/dev/null | wc -c; umount /proc/version 2>/dev/null || echo kept; \
                          grep -c ' /proc/' /proc/self/mountinfo";
            let outcome = run.sh(script).with_mounts(MASKED).output().ends_with(0);
            let (kept, count) = outcome.stdout.rsplit_once("kept\n").unwrap();
            assert_eq!(kept, "0\n", "{outcome}");
            assert!(count.trim().parse::<u32>().unwrap() >= 3, "{outcome}");
        }
    }
}

#[test]
fn a_new_proc_that_is_asked_for_is_not_replaced() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for run in [Run::new(who), Run::root(who, &root)] {
            let run = run.words(["--proc", "new"]).sh("true");
            let line = run.with_mounts(MASKED).output().refuses(&[]);
            assert_eq!(line, format!("husk: mounting proc on /proc: {MASKED_LINE}"));
        }
    }
}

#[test]
fn the_outer_proc_or_none_can_be_asked_for() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let shows = "readlink /proc/self/root || echo none";
        for (proc, expected) in [("bind", "/\n"), ("none", "none\n")] {
            for mounts in ["", MASKED] {
                let run = Run::root(who, &root).words(["--proc", proc]).sh(shows);
                assert_eq!(run.with_mounts(mounts).output().succeeds(), expected);
            }
        }
        // On the host's tree there is nothing to do for either.
        for proc in ["bind", "none"] {
            let run = Run::new(who).words(["--proc", proc]).sh("echo $$");
            assert_eq!(run.with_mounts(MASKED).output().succeeds(), "2\n");
        }
    }
}

#[test]
fn a_sysfs_that_is_refused_is_the_outer_one_read_only() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mounts = "mount -t tmpfs -o ro t /sys/fs\nmount --bind /sys/block /sys/block";
        let script = "ls /sys/kernel >/dev/null && touch /sys/kernel/x 2>&1; ls /sys/fs";
        let run = Run::root(who, &root).word("--unshare-net").sh(script);
        let out = run.with_mounts(mounts).output().succeeds();
        assert_eq!(out, "touch: /sys/kernel/x: Read-only file system\n");
    }
}

const NO_PROC: &str = "/proc is not mounted: mount -t proc proc /proc (more: husk check)\n";

#[test]
fn a_host_without_proc_is_told_so_in_one_line() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for mounts in ["umount -l /proc", "mount -t tmpfs t /proc"] {
            for run in [Run::new(who), Run::root(who, &root)] {
                let line = run.sh("true").with_mounts(mounts).output().refuses(&[]);
                assert!(line.ends_with(NO_PROC), "{line}");
            }
            let run = Run::new(who).words(["--id-map", "root"]).sh("true");
            let line = run.with_mounts(mounts).output().refuses(&[]);
            let step = "husk: writing uid_map: ENOENT (no such file or directory): ";
            assert_eq!(line, format!("{step}{NO_PROC}"));
        }
        let init = Run::husk(who).words(["init", "--", "/bin/sh", "-c", "exit 6"]);
        let outcome = init.with_mounts("umount -l /proc").output().ends_with(6);
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn root_needs_no_proc_where_it_asks_for_no_ids_and_no_proc() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let run = Run::new(who).words(["--share-user", "--proc", "none"]);
    let run = run.sh("echo $$").with_mounts("umount -l /proc");
    assert_eq!(run.output().succeeds(), "2\n");
    // Its own takes none either.
    let run = Run::new(who).words(["--share-user"]);
    let run = run.sh("cat /proc/1/comm").with_mounts("umount -l /proc");
    assert_eq!(run.output().succeeds(), "husk\n");
}

const CHROOT: &str = "husk runs in a chroot, where the kernel forbids it: run husk outside of it, or \
                      enter the tree with pivot_root (more: husk check)\n";

#[test]
fn a_chroot_is_named_with_proc_and_without() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = scratch(true);
        let inside = |words: &[&str], mounts: &str| {
            let (uid, gid) = (who.uid.to_string(), who.gid.to_string());
            let ids = format!("{uid}:{gid}");
            let top = root.text();
            let script = format!("{mounts}\nexec chroot --userspec={ids} {top} \"$@\"");
            let mut command = Command::new("unshare");
            command.args(["-m", "--propagation", "private", "/bin/sh", "-c", &script]);
            command.args(["sh", "/bin/husk"]).args(words).env_clear();
            outcome(command)
        };
        for mounts in ["", &format!("mount -t proc proc {}/proc", root.text())] {
            let run = ["run", "--", "/bin/helper", "argv", "x"];
            let line = inside(&run, mounts).refuses(&[]);
            let step = "husk: creating namespaces: user mount pid uts ipc cgroup: EPERM (operation \
                        not permitted): ";
            assert_eq!(line, format!("{step}{CHROOT}"));
            let init = ["init", "--", "/bin/helper", "argv", "x"];
            assert_eq!(inside(&init, mounts).succeeds(), "78\n");
        }
        if who.is_root() {
            let run = ["run", "--share-user", "--", "/bin/helper", "argv", "x"];
            let step = "husk: cutting the propagation of mounts to the host /: EINVAL (invalid \
                        argument): ";
            assert_eq!(inside(&run, "").refuses(&[]), format!("{step}{CHROOT}"));
            // Nothing of it needs a mount.
            let run = ["run", "--share-user", "--share-mount", "--share-pid"];
            let run = [&run[..], &["--", "/bin/helper", "argv", "x"]].concat();
            assert_eq!(inside(&run, "").succeeds(), "78\n");
        }
    }
}

/// What a container from scratch has: husk and one static program. With mount points, or not even that.
fn scratch(mount_points: bool) -> Dir {
    let root = world::root().unwrap().dir("scratch");
    let mut directories = vec!["bin"];
    if mount_points {
        directories.push("proc");
    }
    for name in directories {
        world::root().unwrap().mkdir(&root.join(name));
    }
    world::copy_program(world::husk(), &root.join("bin/husk"));
    world::copy_program(world::helper(), &root.join("bin/helper"));
    root
}

fn outcome(command: Command) -> Outcome {
    crate::running::Started::new(command, std::time::Duration::from_secs(30)).finish()
}

/// husk in a root directory that holds nothing else but a static program: neither /proc nor /etc nor
/// /dev.
fn from_scratch(root: &Dir, mounts: &str, words: &[&str]) -> Outcome {
    let top = root.text();
    let script = format!(
        "set -e\nmount --bind {top} {top}; cd {top}; mkdir old; {mounts}\npivot_root . old\n\
         exec /old/bin/busybox sh -c '/old/bin/busybox umount -l /old; exec /bin/husk \"$@\"' sh \"$@\""
    );
    let mut command = Command::new("unshare");
    let private = ["-m", "--propagation", "private", "/bin/busybox", "sh", "-c"];
    command.args(private).args([&script, "sh"]).args(words);
    command.env_clear().env("PATH", world::PATH);
    let outcome = outcome(command);
    drop(fs::remove_dir(root.join("old")));
    outcome
}

#[test]
fn from_scratch_there_is_an_init_and_what_needs_no_proc() {
    or_skip!(world::root(), "{NOT_ROOT}");
    or_skip!(world::tool("busybox"), "{NO_BUSYBOX}");
    let root = scratch(false);
    let stat = ["--", "/bin/helper", "stat", "/etc", "/dev", "/proc"];
    let none = "/etc ENOENT\n/dev ENOENT\n/proc ENOENT\n";
    let init = [&["init"][..], &stat].concat();
    assert_eq!(from_scratch(&root, "", &init).succeeds(), none);
    let run = [&["run"][..], &stat].concat();
    let line = from_scratch(&root, "", &run).refuses(&[]);
    let step = "husk: writing uid_map: ENOENT (no such file or directory): ";
    assert_eq!(line, format!("{step}{NO_PROC}"));
    let run = ["run", "--share-user", "--proc", "none"];
    let run = [&run[..], &stat].concat();
    assert_eq!(from_scratch(&root, "", &run).succeeds(), none);
    let made = fs::read_dir(root.path()).unwrap().count();
    assert_eq!(made, 1, "nothing but bin");
}

#[test]
fn from_scratch_with_a_proc_there_is_a_container() {
    or_skip!(world::root(), "{NOT_ROOT}");
    or_skip!(world::tool("busybox"), "{NO_BUSYBOX}");
    let root = scratch(true);
    let proc = "mount -t proc proc proc";
    let run = [
        "run",
        "--",
        "/bin/helper",
        "stat",
        "/etc",
        "/dev",
        "/proc/1/status",
    ];
    let out = from_scratch(&root, proc, &run).succeeds();
    assert_eq!(out, "/etc ENOENT\n/dev ENOENT\n/proc/1/status file 444\n");
    // Inside of itself.
    let run = [
        "run",
        "--mask",
        "none",
        "--",
        "/bin/husk",
        "run",
        "--",
        "/bin/husk",
        "init",
        "--",
        "/bin/helper",
        "argv",
        "x",
    ];
    assert_eq!(from_scratch(&root, proc, &run).succeeds(), "78\n");
}
