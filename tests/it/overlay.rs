//! One root directory under many containers: `overlay`.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::running::Started;
use crate::world::{self, NO_BUSYBOX, everybody};

const WRITES: &str = "echo $0 >/data/who; echo $0 >/new; rm /etc/group; echo ready; \
                      read go; cat /data/who /new; ls /etc /data";

#[test]
fn two_containers_on_one_root_see_their_own_writes_alone() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let before = Before::of(&[root.path()]);
        let mark = world::mark();
        let start = |name: &str| -> Started {
            let run = Run::root(who, &root).words(["--overlay", "tmpfs", "--setenv", "M", &mark]);
            run.listening()
                .words(["--", "/bin/sh", "-c", WRITES, name])
                .start()
        };
        let mut both = [start("first"), start("second")];
        for started in &both {
            started.wait_for("ready");
        }
        for started in &mut both {
            started.say("go\n");
        }
        for (started, name) in both.into_iter().zip(["first", "second"]) {
            let out = started.finish().succeeds();
            let expected =
                format!("ready\n{name}\n{name}\n/data:\nwho\n\n/etc:\npasswd\nresolv.conf\n");
            assert_eq!(out, expected);
        }
        before.is_as_after(&mark);
    }
}

#[test]
fn a_kernel_without_userxattr_may_let_users_mount_one_all_the_same() {
    or_skip!(world::tool("strace"), "no strace(1): apt install strace");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let dir = who.dir("log");
        let log = dir.join("log");
        let run = |inject: &str| {
            let run = Run::root(who, &root).words(["--id-map", "root", "--overlay", "tmpfs"]);
            let strace = ["-f", "-qq", "-s", "256", "-e", "trace=mount", "-e", inject];
            run.sh("echo new >/new && cat /new")
                .traced(&log, strace)
                .output()
        };
        run("signal=none").ends_with(0);
        let calls = std::fs::read_to_string(&log).unwrap();
        let is_overlay = |line: &&str| line.contains("userxattr");
        let mine = calls
            .lines()
            .find(is_overlay)
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let mut mounts = calls.lines().filter(|line| line.starts_with(mine));
        let number = mounts.position(|line| is_overlay(&line)).unwrap() + 1;
        let out = run(&format!("inject=mount:error=EINVAL:when={number}")).succeeds();
        assert_eq!(out, "new\n");
        let calls = std::fs::read_to_string(&log).unwrap();
        assert_eq!(
            calls.matches("\"overlay\", 0, \"lowerdir=").count(),
            2,
            "{calls}"
        );
        assert!(calls.contains("userxattr\") = -1 EINVAL"), "{calls}");
    }
}

#[test]
fn a_directory_keeps_what_was_written_for_the_next_run() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let upper = who.dir("upper");
        let before = Before::of(&[root.path()]);
        let run = Run::root(who, &root).words(["--overlay", upper.text()]);
        run.clone()
            .sh("echo kept >/data/file; rm -r /root")
            .output()
            .ends_with(0);
        let out = run
            .sh("cat /data/file; test -e /root || echo gone")
            .output()
            .succeeds();
        assert_eq!(out, "kept\ngone\n");
        let text = std::fs::read_to_string(upper.join("upper/data/file")).unwrap();
        assert_eq!(text, "kept\n");
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn a_root_without_mount_points_gets_them_in_the_overlay() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for name in ["proc", "dev", "sys", "tmp"] {
            std::fs::remove_dir(root.join(name)).unwrap();
        }
        let before = Before::of(&[root.path()]);
        let run = Run::root(who, &root).words(["--overlay", "tmpfs", "--tmpfs", "/tmp"]);
        let script = "test -d /proc/self && test -c /dev/null && echo x >/tmp/x && echo fine";
        assert_eq!(run.sh(script).output().succeeds(), "fine\n");
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn one_that_is_no_directory_is_named() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root)
            .words(["--overlay", "/no/such/dir"])
            .sh("true");
        run.output().refuses(&["/no/such/dir", "ENOENT"]);
    }
}

#[test]
fn with_read_only_the_root_takes_no_writes() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let before = Before::of(&[root.path()]);
        let script = "echo x >/data/x; touch /bin/sh; mkdir /new; chmod 700 /etc; echo x >/dev/null && echo x";
        let outcome = Run::root(who, &root)
            .word("--read-only")
            .sh(script)
            .output()
            .ends_with(0);
        assert_eq!(outcome.stdout, "x\n");
        assert_eq!(outcome.stderr.matches("Read-only").count(), 4, "{outcome}");
        before.is_as_after("nobody-has-this-mark");
    }
}
