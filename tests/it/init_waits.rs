//! `--wait-all` and `--pause`: an init that stays when its command is gone, or has none.

use crate::husk::Run;
use crate::init::{
    HUP, INT, Init, KILL, MOMENT, Place, QUIT, TERM, USR1, at_once, defaults, everywhere,
    wait_until_it_settles,
};
use crate::processes;
use crate::world::{self, everybody};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn husk_leaves_with_the_last_orphan_and_the_status_of_the_command() {
    at_once(&everywhere(), |(who, place)| {
        let script = "(sleep 0.5; echo one) & (setsid sh -c 'sleep 1; echo two' &) ; exit 7";
        let start = Instant::now();
        let run = Run::init(who).word("--wait-all").sh(script);
        let outcome = run.in_place(*place).output();
        assert_eq!(outcome.stdout, "one\ntwo\n");
        outcome.ends_with(7);
        assert!(start.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn orphans_of_orphans_are_waited_for_too() {
    at_once(&everywhere(), |(who, place)| {
        let script = "(sleep 0.2; (sleep 0.2; (sleep 0.2; echo last) & ) & ) & exit 3";
        let run = Run::init(who).word("--wait-all").sh(script);
        let outcome = run.in_place(*place).output();
        assert_eq!(outcome.stdout, "last\n");
        outcome.ends_with(3);
    });
}

#[test]
fn signals_reach_the_orphans_when_the_command_is_gone() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let helper = world::helper().display();
        let script =
            format!("{helper} signals same {mark} & setsid {helper} signals apart {mark} & exit 4");
        let init = Init::start(Run::init(who).word("--wait-all").sh(&script), *place);
        init.prints_in_any_order(&["apart ready", "same ready"]);
        init.send(TERM);
        let all = ["apart ready", "same ready", "apart 15", "same 15"];
        init.prints_in_any_order(&all);
        for process in processes::marked(&mark) {
            if process.arguments.starts_with(&helper.to_string()) {
                crate::init::send(process.pid, KILL);
            }
        }
        init.finish().ends_with(4);
    });
}

#[test]
fn with_a_grace_orphans_get_no_term_until_somebody_sends_one() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let script = format!(
            "(: {mark}; trap 'echo term' TERM; echo orphan; while :; do sleep 0.02; done) &
             setsid sh -c \": {mark}; trap 'echo term' TERM; echo orphan; while :; do sleep 0.02; done\" &
             exit 4"
        );
        let run = Run::init(who).words(["--wait-all", "--grace", "1"]);
        let init = Init::start(defaults(run.sh(&script)), *place);
        init.prints_in_any_order(&["orphan", "orphan"]);
        thread::sleep(Duration::from_millis(1500));
        init.prints_in_any_order(&["orphan", "orphan"]);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        assert_eq!(outcome.stdout.matches("term\n").count(), 2, "{outcome}");
        outcome.ends_with(4);
        let right = Duration::from_millis(950)..Duration::from_millis(1900);
        assert!(right.contains(&took), "{took:?}");
        processes::none_left(&mark);
    });
}

#[test]
fn a_pausing_husk_ends_with_term_or_int_and_nothing_else() {
    at_once(&everywhere(), |(who, place)| {
        for option in ["-P", "--pause"] {
            for last in [TERM, INT] {
                let init = Init::start(Run::init(who).word(option), *place);
                wait_until_it_settles(init.pid);
                for number in [HUP, QUIT, USR1, 13, 14, 20, 34, 64] {
                    init.send(number);
                }
                thread::sleep(MOMENT);
                processes::wait_for_state(init.pid, Some('S'));
                init.send(last);
                let outcome = init.finish();
                assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
                outcome.ends_with(0);
            }
        }
    });
}

#[test]
fn a_pausing_pid_1_reaps() {
    for who in everybody() {
        let init = Init::start(Run::init(who).word("-P"), Place::Pid1);
        wait_until_it_settles(init.pid);
        let target = init.pid.to_string();
        let nsenter = ["-t", &target, "-U", "-p", "-m", "--preserve-credentials"];
        let script = "for n in 1 2 3; do (sleep 0.1 &); done; sleep 0.3; cat /proc/[0-9]*/stat";
        let enter = Run::program(who, std::path::Path::new("/usr/bin/nsenter"));
        let outcome = enter.words(nsenter).sh(script).output();
        assert!(outcome.stdout.starts_with("1 ("), "{outcome}");
        assert!(!outcome.stdout.contains(" Z 1 "), "{outcome}");
        outcome.ends_with(0);
        init.send(TERM);
        init.finish().ends_with(0);
    }
}

#[test]
fn a_pausing_husk_takes_no_command() {
    for who in everybody() {
        let outcome = Run::init(who).words(["-P", "--", "/bin/true"]).output();
        outcome.refuses(&["pause"]);
    }
}

#[test]
fn the_status_is_the_commands_when_orphans_are_killed_from_outside() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let helper = world::helper().display();
        let script = format!("{helper} hold {mark} & exit 6");
        let init = Init::ready(Run::init(who).word("--wait-all").sh(&script), *place);
        let orphan = init.command();
        crate::init::send(orphan, KILL);
        init.finish().ends_with(6);
    });
}

#[test]
fn orphans_of_a_command_that_was_told_to_end_are_told_as_well() {
    for who in everybody() {
        let orphan = "trap 'echo told; exit' TERM; echo set; while :; do sleep 0.05; done";
        let script = format!("({orphan}) & exec sleep 20");
        let words = ["init", "--wait-all", "--", "/bin/sh", "-c", &script];
        let started = defaults(Run::husk(who).words(words)).start();
        started.wait_for("set");
        started.signal(rustix::process::Signal::TERM);
        let outcome = started.finish().ends_with(143);
        assert_eq!(outcome.stdout, "set\ntold\n");
    }
}

#[test]
fn a_signal_that_is_held_back_and_dropped_is_told_once() {
    for who in everybody() {
        let words = ["init", "-v", "--drain", "1", "-r", "TERM:0", "--"];
        let run = Run::husk(who).words(words);
        let run = run.words(["/bin/sh", "-c", "echo ready; sleep 2; exit 3"]);
        let started = defaults(run).start();
        started.wait_for("ready");
        started.signal(rustix::process::Signal::TERM);
        let outcome = started.finish().ends_with(3);
        assert!(outcome.stderr.lines().count() < 6, "{outcome}");
    }
}
