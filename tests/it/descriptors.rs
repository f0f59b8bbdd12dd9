//! `preserve_fds`: descriptors that the command gets, and nobody else keeps.

use crate::husk::Run;
use crate::init_descriptors::open_in;
use crate::processes::Container;
use crate::world::{NO_BUSYBOX, NOT_ROOT, everybody, root};

#[test]
fn the_command_gets_those_that_are_asked_for_and_no_other() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for (flags, expected) in [
            (&["--preserve-fds", "2"][..], "[0, 1, 2, 3, 4]\n"),
            (&["--preserve-fds", "0"], "[0, 1, 2]\n"),
            (&["--preserve-fds", "1", "--as-pid-1"], "[0, 1, 2, 3]\n"),
        ] {
            let run = Run::root(who, &root).words(flags);
            let run = run.after("exec 3</dev/null 4</dev/zero 5</ 9</");
            assert_eq!(run.helper(["fds"]).output().succeeds(), expected);
        }
    }
}

#[test]
fn they_are_the_caller_s() {
    for who in everybody() {
        let dir = who.dir("given");
        who.write(&dir.join("file"), "given\n", 0o644);
        let run = Run::new(who).words(["--preserve-fds", "2"]).sh("cat <&4");
        let run = run.after(&format!("exec 3</dev/null 4<{}/file", dir.text()));
        assert_eq!(run.output().succeeds(), "given\n");
    }
}

#[test]
fn one_that_is_not_open_is_named() {
    for who in everybody() {
        let run = Run::new(who).words(["--preserve-fds", "3"]).sh("true");
        let outcome = run.clone().after("exec 3</dev/null 5</dev/null").output();
        outcome.refuses(&["keeping open descriptor 4: EBADF", "--preserve-fds"]);
        let many = Run::new(who).words(["--preserve-fds", "1022"]).sh("true");
        many.output().refuses(&["--preserve-fds", "1022", "1021"]);
    }
}

#[test]
fn husk_keeps_none_of_them() {
    let who = or_skip!(root(), "{NOT_ROOT}: what husk has open cannot be seen");
    let run = Run::new(who).words(["--preserve-fds", "3"]);
    let run = run.sh("echo ready; exec sleep 20");
    let started = run
        .after("exec 3</etc/passwd 4</etc/passwd 5</etc/passwd")
        .start();
    started.wait_for("ready");
    let container = Container::of(started.pid());
    assert_eq!(open_in(container.command), [0, 1, 2, 3, 4, 5]);
    for husk in [container.supervisor, container.init] {
        for number in open_in(husk) {
            let target = std::fs::read_link(format!("/proc/{husk}/fd/{number}")).unwrap();
            assert_ne!(target.to_str(), Some("/etc/passwd"), "{number} of {husk}");
        }
    }
}

#[test]
fn a_reader_sees_the_end_when_the_command_closes_one() {
    for who in everybody() {
        let script = "(exec \"$@\" 3>&1 1>&2) | (cat; echo end)";
        let run = Run::new(who).words(["--preserve-fds", "1"]);
        let run = run.sh("exec 3>&-; echo closed >&2; exec sleep 20");
        let started = run.through(["/bin/sh", "-c", script, "sh"]).start();
        started.wait_for("end");
        crate::processes::kill_descendants(started.pid());
    }
}

#[test]
fn sockets_that_were_handed_to_husk_are_the_command_s() {
    for who in everybody() {
        let handed =
            "exec 3</dev/null 4</dev/null; export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a:b";
        let script =
            "[ $LISTEN_PID = $$ ] && echo mine $LISTEN_FDS $LISTEN_FDNAMES || echo not mine";
        for (flags, expected) in [
            (&["--preserve-fds", "2"][..], "mine 2 a:b\n"),
            (&["--preserve-fds", "2", "--as-pid-1"], "mine 2 a:b\n"),
            (&["--preserve-fds", "1"], "not mine\n"),
            (&[], "not mine\n"),
        ] {
            let run = Run::new(who).words(flags).sh(script).after(handed);
            assert_eq!(run.output().succeeds(), expected, "{flags:?}");
        }
    }
}
