//! Signals sent to husk, and husk's own death.

use crate::husk::Run;
use crate::processes;
use crate::world::{self, Identity, NO_BUSYBOX, everybody, tool};
use rustix::process::Signal;
use std::thread;
use std::time::{Duration, Instant};

const FORWARDED: [(&str, Signal); 7] = [
    ("TERM", Signal::TERM),
    ("INT", Signal::INT),
    ("HUP", Signal::HUP),
    ("QUIT", Signal::QUIT),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("WINCH", Signal::WINCH),
];

/// A shell cannot trap what was ignored when it started, and the tests may run under nohup(1).
fn with_default_signals(run: Run) -> Option<Run> {
    Some(run.through([tool("env")?.to_str().unwrap(), "--default-signal"]))
}

const NO_ENV: &str = "no env(1) of GNU coreutils";

#[test]
fn each_reaches_the_command_once() {
    for who in everybody() {
        for (name, signal) in FORWARDED {
            let script = format!(
                "trap 'n=$((n+1)); echo got $n' {name}; trap 'exit $n' ALRM; echo ready; \
                 while :; do sleep 0.05; done"
            );
            let run = or_skip!(with_default_signals(Run::new(who).sh(&script)), "{NO_ENV}");
            let started = run.start();
            started.wait_for("ready");
            started.signal(signal);
            started.wait_for("got 1");
            started.signal(signal);
            started.wait_for("got 2");
            thread::sleep(Duration::from_millis(100));
            assert_eq!(
                started.so_far(),
                "ready\ngot 1\ngot 2\n",
                "{name} of {}",
                who.name
            );
        }
    }
}

#[test]
fn a_command_that_dies_of_one_is_told_as_128_and_the_number() {
    for who in everybody() {
        for (signal, number) in [
            (Signal::TERM, 15),
            (Signal::INT, 2),
            (Signal::HUP, 1),
            (Signal::USR1, 10),
        ] {
            let run = Run::new(who).sh("echo ready; exec sleep 20");
            let run = or_skip!(with_default_signals(run), "{NO_ENV}");
            let started = run.start();
            started.wait_for("ready");
            started.signal(signal);
            started.finish().ends_with(128 + number);
        }
    }
}

#[test]
fn one_that_the_command_ignores_does_not_end_husk() {
    for who in everybody() {
        let run = Run::new(who)
            .listening()
            .sh("trap '' TERM HUP INT; echo ready; read go; exit 6");
        let mut started = or_skip!(with_default_signals(run), "{NO_ENV}").start();
        started.wait_for("ready");
        for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
            started.signal(signal);
        }
        thread::sleep(Duration::from_millis(100));
        started.say("go\n");
        started.finish().ends_with(6);
    }
}

#[test]
fn one_that_comes_while_husk_starts_is_not_lost() {
    for who in everybody() {
        for wait in 0..40 {
            let run = Run::new(who).sh("exec sleep 20");
            let started = or_skip!(with_default_signals(run), "{NO_ENV}").start();
            thread::sleep(Duration::from_micros(wait * 250));
            started.signal(Signal::TERM);
            // Before husk has blocked signals it dies as any program does.
            let outcome = started.finish();
            let told = matches!(outcome.status.code(), None | Some(143));
            assert!(told, "after {} µs: {outcome}", wait * 250);
        }
    }
}

#[test]
fn killing_husk_kills_everything_inside() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for flags in [
            &[][..],
            &["--share-pid"],
            &["--as-pid-1"],
            &["--new-session"],
        ] {
            let mark = world::mark();
            let started = Run::root(who, &root)
                .words(flags)
                .helper(["spawn", "5", &mark])
                .start();
            started.wait_for("ready");
            if flags.contains(&"--share-pid") {
                // Without a PID namespace the kernel has no handle on grandchildren.
                started.signal(Signal::KILL);
                drop(started);
                processes::kill_marked(&mark);
                continue;
            }
            assert!(
                processes::marked(&mark).len() >= 7,
                "{:#?}",
                processes::marked(&mark)
            );
            started.signal(Signal::KILL);
            processes::none_left(&mark);
        }
    }
}

#[test]
fn killing_husk_while_it_starts_leaves_nothing() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let before = crate::nothing_left::Before::of(&[root.path()]);
        let mark = world::mark();
        let run = Run::root(who, &root).words(["--unshare-net", "--tmpfs", "/tmp"]);
        let run = run.helper(["hold", &mark]);
        let takes = time_to_ready(&run);
        for step in 0..80 {
            let started = run.start();
            thread::sleep(takes * step / 60);
            started.signal(Signal::KILL);
            drop(started.finish());
        }
        before.is_as_after(&mark);
    }
}

fn time_to_ready(run: &Run) -> Duration {
    let start = Instant::now();
    let started = run.start();
    started.wait_for("ready");
    start.elapsed()
}

#[test]
fn a_child_that_outlives_the_command_does_not_hold_husk() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let script = format!("/bin/helper hold {mark} & exit 5");
        Run::root(who, &root).sh(&script).output().ends_with(5);
        processes::none_left(&mark);
    }
}

#[test]
fn root_inside_cannot_signal_pid_1_away() {
    for who in everybody() {
        let script = "trap '' TERM INT HUP USR1 QUIT; for s in TERM INT HUP KILL STOP USR1 QUIT; do kill -$s 1; done; \
                      sleep 0.1; kill -0 1 && echo there";
        let out = Run::new(who).sh(script).output();
        assert_eq!(out.ends_with(0).stdout, "there\n");
    }
}

#[test]
fn pid_1_killed_from_outside_ends_the_run() {
    let root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let who: &Identity = root;
    let started = Run::new(who).sh("echo ready; exec sleep 20").start();
    started.wait_for("ready");
    let container = processes::Container::of(started.pid());
    let pid = rustix::process::Pid::from_raw(container.init.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    let outcome = started.finish();
    assert_ne!(outcome.status.code(), Some(0), "{outcome}");
}
