//! The /dev, /proc and /sys that a new root gets by itself.

use crate::husk::Run;
use crate::mount_table::MountTable;
use crate::terminal::{Terminal, script};
use crate::world::{NO_BUSYBOX, everybody, tool};

#[test]
fn dev_has_the_usual_nodes_and_links() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let nodes = ["null", "zero", "full", "random", "urandom", "tty"];
        let links = ["fd", "stdin", "stdout", "stderr", "ptmx"];
        let paths = nodes
            .iter()
            .chain(&links)
            .map(|name| format!("/dev/{name}"));
        let out = Run::root(who, &root)
            .helper(["stat"])
            .words(paths)
            .output()
            .succeeds();
        let expected = [
            "/dev/null char 666 1:3",
            "/dev/zero char 666 1:5",
            "/dev/full char 666 1:7",
            "/dev/random char 666 1:8",
            "/dev/urandom char 666 1:9",
            "/dev/tty char 666 5:0",
            "/dev/fd link -> /proc/self/fd",
            "/dev/stdin link -> /proc/self/fd/0",
            "/dev/stdout link -> /proc/self/fd/1",
            "/dev/stderr link -> /proc/self/fd/2",
            "/dev/ptmx link -> pts/ptmx",
        ];
        assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn dev_works() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let script = "echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 9 /dev/urandom | wc -c \
                      && (echo x >/dev/full) 2>&1 | grep -c 'No space' \
                      && echo x >/dev/shm/x && cat /dev/shm/x && ls /dev/fd/0";
        let outcome = Run::root(who, &root).sh(script).output().ends_with(0);
        assert_eq!(outcome.stdout, "3\n9\n1\nx\n/dev/fd/0\n");
    }
}

#[test]
fn dev_has_pseudoterminals_of_its_own() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root);
        let out = run.sh("echo mountinfo; cat /proc/self/mountinfo; ls /dev/pts; exec 5<>/dev/ptmx && ls /dev/pts");
        let out = out.output().succeeds();
        assert!(out.ends_with("ptmx\n0\nptmx\n"), "{out}");
        let table = MountTable::after_mark(&out);
        assert_eq!(table.on("/dev/pts").kind, "devpts");
        assert!(table.find("/dev/shm").is_none(), "a directory will do");
        let mode = Run::root(who, &root).sh("ls -ld /dev/shm").output();
        assert!(mode.succeeds().starts_with("drwxrwxrwt "));
        assert_eq!(table.on("/dev").kind, "tmpfs");
    }
}

#[test]
fn dev_is_not_the_host_s() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let out = Run::root(who, &root).sh("ls /dev").output().succeeds();
        let allowed = "console core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
        for name in out.lines() {
            assert!(
                allowed.split(' ').any(|known| known == name),
                "{name} in {out}"
            );
        }
    }
}

#[test]
fn on_a_terminal_there_is_a_console() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "no bash(1)");
        let command = script(
            who,
            &root,
            "tty; echo to the console >/dev/console; echo to the tty >/dev/tty",
        );
        terminal.line(&Run::root(who, &root).words(["--", command]).typed());
        terminal.wait_for("/dev/console\r\n");
        terminal.wait_for("to the console\r\n");
        terminal.wait_for("to the tty\r\n");
    }
}

#[test]
fn without_a_terminal_there_is_no_console() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let out = Run::root(who, &root)
            .sh("test -e /dev/console || echo none")
            .output();
        assert_eq!(out.succeeds(), "none\n");
    }
}

#[test]
fn proc_and_sys_are_what_they_are_called() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for flags in [&[][..], &["--unshare-net"]] {
            let run = Run::root(who, &root).words(flags);
            let out = run
                .sh("echo mountinfo; cat /proc/self/mountinfo")
                .output()
                .succeeds();
            let table = MountTable::after_mark(&out);
            assert_eq!(table.on("/proc").kind, "proc");
            table.on("/proc").has_all(&["nosuid", "nodev", "noexec"]);
            assert_eq!(table.on("/sys").kind, "sysfs", "{flags:?}");
            table.on("/sys").has_all(&["ro"]);
        }
    }
}

#[test]
fn no_device_is_ever_made() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let users: &[&str] = match who.is_root() {
            true => &["--share-user", "--unshare-user"],
            false => &["--unshare-user"],
        };
        for user in users {
            let directory = who.dir("log");
            let log = directory.join("log");
            let run = Run::root(who, &root).word(user).words(["--id-map", "root"]);
            let options = ["-f", "-e", "trace=mknod,mknodat,mount"];
            run.sh("exit 0").traced(&log, options).output().succeeds();
            let log = std::fs::read_to_string(&log).unwrap();
            // What is made are files, to bind the host's nodes on.
            let made: Vec<&str> = log.lines().filter(|line| line.contains("mknod")).collect();
            assert!(log.contains("mount(") && made.len() >= 6, "{log}");
            assert!(made.iter().all(|line| line.contains("S_IFREG")), "{log}");
        }
    }
}
