//! A root directory of somebody else's, without mount points: it runs, and nothing in it changes.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, everybody};
use std::fs;

/// Owned by whoever `who` is not, with all its mount points.
fn owned_by_another(who: &Identity) -> Option<Dir> {
    let nobody = Identity {
        name: "nobody".to_owned(),
        uid: 65534,
        gid: 65534,
    };
    let owner = if who.is_root() {
        &nobody
    } else {
        world::root()?
    };
    owner.root_dir()
}

/// The same without /proc, /dev, /sys, /tmp and resolv.conf.
fn foreign(who: &Identity) -> Option<Dir> {
    let root = owned_by_another(who)?;
    for name in ["proc", "dev", "sys", "tmp"] {
        fs::remove_dir(root.join(name)).unwrap();
    }
    fs::remove_file(root.join("etc/resolv.conf")).unwrap();
    Some(root)
}

const NO_ROOT: &str = "only root can make a root directory for somebody else, with static busybox";
const CHECK: &str = "test -d /proc/self && test -c /dev/null && test -d /dev/pts && \
                     test -d /sys/kernel && ls / && cat /etc/passwd";
const PASSWD: &str = "root:x:0:0::/root:/bin/sh\n";

#[test]
fn it_runs_and_is_as_before() {
    for who in everybody() {
        let root = or_skip!(foreign(who), "{NO_ROOT}");
        let before = Before::of(&[root.path()]);
        let mark = world::mark();
        for flags in [
            &[][..],
            &["--read-only"],
            &["--unshare-net"],
            &["--overlay", "tmpfs"],
        ] {
            let run = Run::root(who, &root)
                .words(flags)
                .words(["--setenv", "MARK", &mark]);
            let out = run.sh(CHECK).output().succeeds();
            assert!(
                out.starts_with("bin\ndata\ndev\netc\nproc\nroot\nsys\n"),
                "{out}"
            );
            assert!(out.ends_with(PASSWD), "{out}");
        }
        before.is_as_after(&mark);
    }
}

#[test]
fn missing_mount_points_at_any_depth_are_laid_under() {
    for who in everybody() {
        let root = or_skip!(foreign(who), "{NO_ROOT}");
        let source = who.dir("source");
        who.write(&source.join("file"), "from outside\n", 0o644);
        let before = Before::of(&[root.path(), source.path()]);
        let run = Run::root(who, &root)
            .words(["--tmpfs", "/tmp", "--bind", source.text(), "/data/deep/er"])
            .words([
                "--ro-bind",
                &format!("{}/file", source.text()),
                "/opt/new/file",
            ]);
        let script = "echo x >/tmp/x && cat /data/deep/er/file /opt/new/file && ls /data /etc";
        let out = run.sh(script).output().succeeds();
        assert_eq!(
            out,
            "from outside\nfrom outside\n/data:\ndeep\n\n/etc:\ngroup\npasswd\n"
        );
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn what_was_mounted_before_an_underlay_stays() {
    for who in everybody() {
        let foreign = or_skip!(owned_by_another(who), "{NO_ROOT}");
        let own = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        for (root, flags) in [(&foreign, &[][..]), (&own, &["--read-only"])] {
            // The last mount point is missing in the root itself, after everything else is there.
            let run = Run::root(who, root)
                .words(flags)
                .words(["--tmpfs", "/data", "--tmpfs", "/data/below"])
                .words(["--ro-bind", source.text(), "/late/source"]);
            let kinds = run
                .clone()
                .helper(["stat", "/dev/null", "/dev/tty"])
                .output();
            let expected = "/dev/null char 666 1:3\n/dev/tty char 666 5:0\n";
            assert_eq!(kinds.succeeds(), expected);
            let out = run
                .sh("cut -d' ' -f5 /proc/self/mountinfo")
                .output()
                .succeeds();
            for place in ["/dev/null", "/dev/pts", "/data", "/data/below"] {
                assert!(out.lines().any(|line| line == place), "no {place} in {out}");
            }
        }
    }
}

#[test]
fn a_caller_s_umask_does_not_close_what_is_made() {
    for who in everybody() {
        let root = or_skip!(foreign(who), "{NO_ROOT}");
        let (first, _) = or_skip!(
            if who.is_root() {
                Some((100_000, 1))
            } else {
                who.subordinate_ids()
            },
            "no subordinate ids"
        );
        let mut run = Run::root(who, &root);
        for (flag, own) in [("--uid-map", who.uid), ("--gid-map", who.gid)] {
            run = run.words([flag, "0", &own.to_string(), "1"]);
            run = run.words([flag, "1000", &first.to_string(), "1"]);
        }
        let run = run
            .words(["--uid", "1000", "--gid", "1000", "--tmpfs", "/data"])
            .words(["--ro-bind", "/etc", "/missing/etc", "--dir", "/data/made"])
            .after("umask 077");
        let script = "umask; ls /missing/etc /data/made /dev/pts >/dev/null && echo x >/dev/shm/x \
                      && echo fine";
        assert_eq!(run.sh(script).output().succeeds(), "0077\nfine\n");
    }
}

#[test]
fn in_a_root_of_one_s_own_nothing_but_empty_mount_points_is_made() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for name in ["proc", "dev", "sys", "tmp"] {
            fs::remove_dir(root.join(name)).unwrap();
        }
        Run::root(who, &root)
            .words(["--tmpfs", "/tmp"])
            .sh(CHECK)
            .output()
            .succeeds();
        for name in ["proc", "dev", "sys", "tmp"] {
            if let Ok(mut entries) = fs::read_dir(root.join(name)) {
                assert!(entries.next().is_none(), "{name} is not empty");
            }
        }
        let empty = fs::read_to_string(root.join("etc/resolv.conf")).unwrap();
        assert_eq!(empty, "", "resolv.conf is bound over, not written");
    }
}

#[test]
fn a_root_on_which_nothing_may_be_written_runs() {
    let _root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    for who in everybody() {
        let root = or_skip!(foreign(who), "{NO_ROOT}");
        let read_only = format!(
            "mount --bind {0} {0}; mount -o remount,bind,ro,nosuid,nodev {0}",
            root.text()
        );
        let run = Run::root(who, &root)
            .words(["--tmpfs", "/tmp"])
            .with_mounts(&read_only);
        assert!(run.sh(CHECK).output().succeeds().ends_with(PASSWD));
    }
}

#[test]
fn the_host_s_resolv_conf_is_seen_where_there_is_one() {
    let Ok(expected) = fs::read_to_string("/etc/resolv.conf") else {
        skip!("this host has no /etc/resolv.conf");
    };
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let out = Run::root(who, &root)
            .sh("cat /etc/resolv.conf")
            .output()
            .succeeds();
        assert_eq!(out, expected);
    }
}
