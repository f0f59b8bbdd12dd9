//! A root directory of somebody else's, without mount points: it runs, and nothing in it changes.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, everybody};
use std::fs;

/// Owned by whoever `who` is not, without /proc, /dev, /sys, /tmp and resolv.conf.
fn foreign(who: &Identity) -> Option<Dir> {
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
    let root = owner.root_dir()?;
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
