//! PID 1 is husk without exec: nothing of it, and so nothing of the host's, can be had from inside.

use crate::husk::Run;
use crate::world::{self, Identity, NO_BUSYBOX, everybody};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn root_inside_gets_nothing_of_pid_1() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let out = Run::root(who, &root)
            .words(["--unshare-user"])
            .helper(["pid-1"])
            .output()
            .succeeds();
        assert!(out.lines().count() > 10, "{out}");
        assert_eq!(granted(&out, who), Vec::<&str>::new());
    }
}

/// What was not refused. The numbers of PID 1's descriptors are no secret to the host's own root.
fn granted<'a>(out: &'a str, who: &Identity) -> Vec<&'a str> {
    let known = |line: &&str| who.is_root() && *line == "list fd ok";
    out.lines()
        .filter(|line| line.ends_with(" ok") && !known(line))
        .collect()
}

#[test]
fn root_inside_cannot_change_the_program_of_pid_1() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mode = || fs::metadata(world::husk()).unwrap().permissions().mode();
        let before = mode();
        let run = Run::root(who, &root).words(["--unshare-user"]);
        run.sh("chmod 4755 /proc/1/exe 2>/dev/null && echo changed; true")
            .output()
            .succeeds();
        assert_eq!(mode(), before);
    }
}

#[test]
fn neither_does_a_process_that_is_nobody_inside() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--unshare-user", "--id-map", "self"]);
        let out = run.helper(["pid-1"]).output().succeeds();
        assert_eq!(granted(&out, who), Vec::<&str>::new());
    }
}

#[test]
fn the_supervisor_cannot_be_seen_from_inside() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let script = "grep -E '^(PPid|NSpid)' /proc/1/status | tr -s '\\t' ' '";
        let out = Run::root(who, &root).sh(script).output().succeeds();
        assert_eq!(out, "PPid: 0\nNSpid: 1\n");
    }
}
