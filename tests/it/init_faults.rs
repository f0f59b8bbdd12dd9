//! An init on a kernel that refuses: calls are missing or filtered altogether, there is no /proc, no right to kill.

use crate::husk::Run;
use crate::init::{Init, KILL, Place, TERM, USR1, at_once, defaults, send};
use crate::processes;
use crate::running::Outcome;
use crate::skip;
use crate::world::{self, Dir, Identity, everybody, tool};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

const NO_STRACE: &str = "no strace(1)";

const OPTIONS: [&[&str]; 3] = [
    &["-g", "--grace", "1"],
    &["--session", "-w", "--wait-all"],
    &["--all", "-p", "TERM"],
];

/// Everybody with each of them.
fn all_options() -> Vec<(&'static Identity, &'static [&'static str])> {
    let all = everybody().iter();
    all.flat_map(|who| OPTIONS.map(|options| (who, options)))
        .collect()
}

/// A start of which strace(1) sees husk's own calls, and changes them as the words say.
fn traced(who: &Identity, options: &[&str], dir: &Dir, changes: &[&str]) -> Outcome {
    let run = Run::init(who).words(options).limit(Duration::from_secs(8));
    let run = run.sh("(sleep 0.05 &); sleep 0.1; echo done; exit 3");
    let strace = ["-qq"].iter().chain(changes);
    few(run.traced(&dir.join("log"), strace)).output()
}

/// With few descriptors to close one by one.
fn few(run: Run) -> Run {
    run.after("ulimit -n 256; exec 9</etc/passwd")
}

/// As if nothing had been, or husk's own failure in one line.
fn is_fine(outcome: &Outcome) -> bool {
    match outcome.status.code() {
        Some(3) => outcome.stdout == "done\n",
        Some(125) => outcome.is_one_line_of_husk(),
        _ => false,
    }
}

#[test]
fn without_newer_calls_it_does_the_same() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    let new =
        "close_range,clone3,pidfd_open,pidfd_send_signal,waitid,openat2,statx,faccessat2,madvise";
    at_once(&all_options(), |(who, options)| {
        for errno in ["ENOSYS", "EPERM"] {
            let dir = who.dir("old");
            let inject = format!("inject={new}:error={errno}");
            traced(who, options, &dir, &["-e", &inject]).ends_with(3);
            // husk gives up the caller's descriptors all the same.
            let run = Run::init(who).words(*options).host_helper(["signals"]);
            let run = run.traced(&dir.join("log"), ["-qq", "-e", &inject]);
            let strace = few(run).start();
            strace.wait_for("ready");
            let husk = processes::soon_only_child(strace.pid());
            crate::init::wait_until_it_settles(husk);
            let open = fs::read_dir(format!("/proc/{husk}/fd")).unwrap().count();
            assert_eq!(open, 3);
            send(husk, USR1);
            strace.wait_for("10\n");
            send(processes::soon_only_child(husk), KILL);
            strace.finish().ends_with(128 + KILL);
        }
    });
}

#[test]
fn without_a_way_to_wait_for_signals_it_waits_for_children() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    at_once(&all_options(), |(who, options)| {
        for errno in ["ENOSYS", "EPERM"] {
            let dir = who.dir("blind");
            let inject = format!("inject=rt_sigtimedwait:error={errno}");
            let outcome = traced(who, options, &dir, &["-e", &inject]);
            assert!(is_fine(&outcome), "{options:?}: {outcome}");
        }
    });
}

/// Where /proc is empty.
fn without_proc(run: Run) -> Run {
    let script = "mount -t tmpfs none /proc; exec \"$@\"";
    run.through(["unshare", "-Urm", "/bin/sh", "-c", script, "sh"])
}

#[test]
fn without_proc_it_does_its_work() {
    at_once(everybody(), |who| {
        for options in OPTIONS {
            let run = Run::init(who)
                .words(options)
                .sh("test ! -e /proc/1; exit 3");
            without_proc(run).output().ends_with(3);
            let run = Run::init(who).words(options).host_helper(["signals"]);
            let init = Init::ready(without_proc(run), Place::Host);
            if options.contains(&"--all") {
                // Nobody but the command is known then, who must not be left out.
                init.send(USR1);
                init.started.wait_for("10\n");
            }
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn a_grace_ends_although_what_is_left_cannot_be_seen() {
    at_once(everybody(), |who| {
        let mark = world::mark();
        let script = format!("(: {mark}; exec sleep 20) >&- 2>&- & echo ready; exit 3");
        let run = Run::init(who).words(["--grace", "1"]).sh(&script);
        let start = Instant::now();
        let outcome = without_proc(run).output();
        skip::say(&format!("without /proc: {:?}", start.elapsed()));
        outcome.ends_with(3);
        processes::kill_marked(&mark);
    });
}

#[test]
fn a_grace_ends_although_what_is_left_may_not_be_killed() {
    let root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let user = or_skip!(world::user(), "{}", world::no_user());
    let dir = root.dir("setuid");
    let setpriv = dir.join("setpriv");
    world::copy_program(&or_skip!(tool("setpriv"), "no setpriv(1)"), &setpriv);
    fs::set_permissions(&setpriv, Permissions::from_mode(0o4755)).unwrap();
    for second in [false, true] {
        let script = format!(
            "{} --reuid=0 --regid=0 --clear-groups sleep 15 >&- 2>&- & \
             trap 'exit 3' TERM; sleep 0.2; echo ready; while :; do sleep 0.02; done",
            setpriv.display()
        );
        let run = Run::init(user).words(["--grace", "1"]).sh(&script);
        let init = Init::ready(defaults(run), Place::Host);
        let start = Instant::now();
        init.send(TERM);
        if second {
            thread::sleep(Duration::from_millis(200));
            init.send(TERM);
        }
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(3);
        assert!(took < Duration::from_secs(8), "{took:?}");
    }
}
