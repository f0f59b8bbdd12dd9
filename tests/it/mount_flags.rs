//! Mounts that flags ask for: what they show, and that read-only means it.

use crate::husk::Run;
use crate::mount_table::MountTable;
use crate::nothing_left::{Before, host_mounts};
use crate::world::{self, NO_BUSYBOX, NOT_ROOT, everybody};
use std::fs;

/// The container's mounts.
fn table(run: Run) -> MountTable {
    MountTable::after_mark(
        &run.sh("echo mountinfo; cat /proc/self/mountinfo")
            .output()
            .succeeds(),
    )
}

#[test]
fn binds_show_the_source_and_ro_bind_takes_no_writes() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        who.write(&source.join("file"), "text\n", 0o644);
        let run = Run::root(who, &root);
        let write = "cat /data/file; echo more >>/data/file && echo written";
        let bind = run
            .clone()
            .words(["--bind", source.text(), "/data"])
            .sh(write)
            .output();
        assert_eq!(bind.succeeds(), "text\nwritten\n");
        assert_eq!(
            fs::read_to_string(source.join("file")).unwrap(),
            "text\nmore\n"
        );
        let read_only = run.words(["--ro-bind", source.text(), "/data"]);
        let outcome = read_only.clone().sh(write).output();
        assert_eq!(outcome.stdout, "text\nmore\n");
        assert!(outcome.stderr.contains("Read-only"), "{outcome}");
        table(read_only).on("/data").has_all(&["ro"]);
    }
}

#[test]
fn a_file_is_bound_over_a_file() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        who.write(&source.join("file"), "text\n", 0o644);
        let file = source.join("file").to_str().unwrap().to_owned();
        for place in ["/etc/passwd", "/etc/new", "/data/deep/new"] {
            let run = Run::root(who, &root).words(["--ro-bind", &file, place]);
            let script = format!("cat {place}; echo x >>{place} || echo no");
            assert_eq!(
                run.sh(&script).output().ends_with(0).stdout,
                "text\nno\n",
                "{place}"
            );
        }
    }
}

#[test]
fn binds_are_recursive_and_so_is_read_only() {
    let _root = or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        who.mkdir(&source.join("below/deeper"));
        let mounts = format!(
            "mount -t tmpfs -o mode=777,nosuid t {0}/below; mkdir {0}/below/deeper\n\
             mount -t tmpfs -o mode=777 t {0}/below/deeper; echo under >{0}/below/file",
            source.text()
        );
        let script = "cat /data/below/file; for place in /data /data/below /data/below/deeper; do \
                      touch $place/x 2>/dev/null && echo wrote $place; done; true";
        let run = Run::root(who, &root).with_mounts(&mounts);
        let bind = run
            .clone()
            .words(["--bind", source.text(), "/data"])
            .sh(script);
        let all = "under\nwrote /data\nwrote /data/below\nwrote /data/below/deeper\n";
        assert_eq!(bind.output().succeeds(), all);
        let read_only = run.words(["--ro-bind", source.text(), "/data"]);
        assert_eq!(read_only.clone().sh(script).output().succeeds(), "under\n");
        let table = table(read_only);
        for place in ["/data", "/data/below", "/data/below/deeper"] {
            table.on(place).has_all(&["ro"]);
        }
        table.on("/data/below").has_all(&["nosuid"]);
    }
}

#[test]
fn flags_that_the_host_locked_are_kept() {
    let _root = or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        let options = "nosuid,nodev,noexec,noatime";
        let mounts = format!("mount -t tmpfs -o mode=777,{options} t {}", source.text());
        for flag in ["--bind", "--ro-bind"] {
            let run = Run::root(who, &root).with_mounts(&mounts);
            let table = table(run.words([flag, source.text(), "/data"]));
            let kept = ["nosuid", "nodev", "noexec", "noatime"];
            table.on("/data").has_all(&kept);
            assert_eq!(table.on("/data").has("ro"), flag == "--ro-bind");
        }
    }
}

#[test]
fn an_order_of_mounts_is_kept() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        who.write(&source.join("file"), "text\n", 0o644);
        // A tmpfs hides what was there; what is bound below it afterwards is seen.
        let words = [
            "--tmpfs",
            "/data",
            "--bind",
            source.text(),
            "/data/source",
            "--dir",
            "/data/made/dir",
        ];
        let words = words.into_iter().chain([
            "--symlink",
            "made/dir",
            "/data/link",
            "--remount-ro",
            "/data",
        ]);
        let run = Run::root(who, &root).words(words);
        let script = "ls /data; cat /data/source/file; readlink /data/link; touch /data/link/x || \
                      echo read-only; touch /data/source/new && echo written";
        let out = run.sh(script).output().ends_with(0).stdout;
        assert_eq!(
            out,
            "link\nmade\nsource\ntext\nmade/dir\nread-only\nwritten\n"
        );
        // The other way round the tmpfs covers the bind.
        let covered =
            Run::root(who, &root).words(["--bind", source.text(), "/data", "--tmpfs", "/data"]);
        assert_eq!(covered.sh("ls /data").output().succeeds(), "");
    }
}

#[test]
fn a_tmpfs_is_writable_and_gone_afterwards() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--tmpfs", "/data"]);
        let out = run
            .clone()
            .sh("echo x >/data/x && ls /data")
            .output()
            .succeeds();
        assert_eq!(out, "x\n");
        let table = table(run);
        assert_eq!(table.on("/data").kind, "tmpfs");
        assert_eq!(table.on("/data").source, "tmpfs");
        assert!(
            table
                .on("/data")
                .options
                .iter()
                .any(|option| option.starts_with("mode="))
        );
        table.on("/data").has_all(&["nosuid", "nodev"]);
        assert!(fs::read_dir(root.join("data")).unwrap().next().is_none());
    }
}

#[test]
fn proc_and_dev_can_be_put_elsewhere_too() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--proc", "/data", "--dev", "/tmp"]);
        let script = "echo /data/[0-9]*; test -c /tmp/null && echo x >/tmp/null && echo fine";
        assert_eq!(
            run.sh(script).output().succeeds(),
            "/data/1 /data/2\nfine\n"
        );
    }
}

#[test]
fn dev_bind_leaves_devices_usable() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let device = Run::root(who, &root).words(["--dev-bind", "/dev/zero", "/dev/other"]);
        let out = device
            .sh("dd if=/dev/other bs=1 count=3 2>/dev/null | od -An -tx1")
            .output();
        assert_eq!(out.succeeds().trim(), "00 00 00");
    }
}

#[test]
fn what_the_container_mounts_never_reaches_the_host() {
    let _root = or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("shared");
        for flags in [&[][..], &["--share-user"], &["--namespaces", "mount"]] {
            if !flags.is_empty() && !who.is_root() {
                continue;
            }
            let log = who.dir("log");
            let (before, after) = (log.join("before"), log.join("after"));
            // A host whose mounts are all shared, as systemd makes them.
            let mounts = format!(
                "mount --make-rshared /; mount -t tmpfs t {0}; mount --make-shared {0}\n\
                 cat /proc/self/mountinfo >{1}\n\"$@\"; code=$?\n\
                 cat /proc/self/mountinfo >{2}; exit $code",
                source.text(),
                before.display(),
                after.display()
            );
            let run = Run::root(who, &root).words(flags).with_mounts(&mounts);
            let run = run.words(["--bind", source.text(), "/data", "--tmpfs", "/tmp"]);
            run.sh("mount -t tmpfs t /data; mount -t tmpfs t /tmp; true")
                .output()
                .ends_with(0);
            let read = |path| fs::read_to_string(path).unwrap();
            assert_eq!(read(before), read(after), "{flags:?} of {}", who.name);
        }
    }
}

#[test]
fn without_a_new_root_mounts_go_over_the_host_s_tree_and_stay_inside() {
    for who in everybody() {
        let place = who.dir("place");
        let before = Before::of(&[place.path()]);
        let run = Run::new(who).words(["--tmpfs", place.text()]);
        let script = format!("echo x >{0}/x && cat {0}/x", place.text());
        assert_eq!(run.sh(&script).output().succeeds(), "x\n");
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn the_old_root_is_gone() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let table = table(Run::root(who, &root));
        let known = ["/", "/proc", "/dev", "/sys", "/etc/resolv.conf"];
        let strange = table
            .places()
            .into_iter()
            .map(str::to_owned)
            .filter(|place| {
                !known.iter().any(|known| {
                    place == known || (*known != "/" && place.starts_with(&format!("{known}/")))
                })
            });
        for mount in &table.0 {
            let peers = mount
                .propagation
                .iter()
                .filter(|word| word.starts_with("shared:"));
            assert_eq!(peers.count(), 0, "{mount:?}");
        }
        assert_eq!(strange.collect::<Vec<_>>(), Vec::<String>::new());
        assert!(!host_mounts().contains(root.text()));
    }
}
