//! `--grace`: the end that every process gets the time for, and that comes all the same.

use crate::husk::Run;
use crate::init::{
    HUP, INT, Init, KILL, MOMENT, Place, QUIT, STOP, TERM, at_once, defaults, everywhere,
};
use crate::processes;
use crate::world::{self, Identity};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

/// Waits for SIGTERM, tidies up for a moment, and says so.
const TIDY: &str = "trap 'sleep 0.3; echo tidy; exit' TERM; echo set; while :; do sleep 0.02; done";
/// Does not care.
const DEAF: &str = "trap '' TERM INT; echo set; while :; do sleep 0.02; done";
/// Ends by itself when it is told to.
const LISTENS: &str = "echo set; read go; exit 5";

fn grace(who: &Identity, seconds: &str, script: &str) -> Run {
    let run = Run::init(who).words(["--grace", seconds]).listening();
    defaults(run.sh(script))
}

/// The script beside two more processes that do `leftover`: of its own session, and of another.
/// Started, all three have said that they are set.
fn among(
    leftover: &str,
    mark: &str,
    script: &str,
    seconds: &str,
) -> impl Fn(&Identity, Place) -> Init {
    let script =
        format!("(: {mark}; {leftover}) & setsid sh -c \": {mark}; {leftover}\" & {script}");
    let seconds = seconds.to_owned();
    move |who, place| {
        let init = Init::start(grace(who, &seconds, &script), place);
        let set = |got: &str| got.matches("set\n").count() == 3;
        assert!(init.started.wait_until(set), "{}", init.started.so_far());
        init
    }
}

const fn about(milliseconds: u64) -> Range<Duration> {
    Duration::from_millis(milliseconds - 10)..Duration::from_millis(milliseconds + 950)
}

const AT_ONCE: Range<Duration> = Duration::ZERO..Duration::from_secs(3);

#[track_caller]
fn within(took: Duration, right: &Range<Duration>) {
    assert!(right.contains(&took), "{took:?} is not in {right:?}");
}

#[test]
fn a_command_that_does_not_care_is_killed_after_it() {
    at_once(&everywhere(), |(who, place)| {
        for number in [TERM, INT] {
            let init = Init::start(grace(who, "1", DEAF), *place);
            init.started.wait_for("set");
            let start = Instant::now();
            init.send(number);
            let (outcome, took) = init.finish_timed(start);
            outcome.ends_with(128 + KILL);
            within(took, &about(1000));
        }
    });
}

#[test]
fn a_rewritten_terminating_signal_begins_it_as_well() {
    at_once(&everywhere(), |(who, place)| {
        for options in [["-r", "TERM:QUIT"], ["--stop-signal", "QUIT"]] {
            let deaf = "trap 'echo quit' QUIT; echo set; while :; do sleep 0.02; done";
            let run = Run::init(who)
                .words(options)
                .words(["--grace", "1"])
                .sh(deaf);
            let init = Init::start(defaults(run), *place);
            init.started.wait_for("set");
            let start = Instant::now();
            init.send(TERM);
            let (outcome, took) = init.finish_timed(start);
            assert_eq!(outcome.stdout, "set\nquit\n");
            outcome.ends_with(128 + KILL);
            within(took, &about(1000));
        }
    });
}

#[test]
fn a_command_that_ends_in_time_has_its_own_status() {
    at_once(&everywhere(), |(who, place)| {
        let script = "trap 'sleep 0.2; exit 9' TERM; echo ready; while :; do sleep 0.02; done";
        let init = Init::ready(grace(who, "20", script), *place);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(9);
        within(took, &AT_ONCE);
    });
}

#[test]
fn other_signals_do_not_begin_it() {
    at_once(&everywhere(), |(who, place)| {
        let script =
            "trap 'echo quit' QUIT; trap 'echo hup' HUP; echo ready; while :; do sleep 0.02; done";
        let init = Init::ready(grace(who, "1", script), *place);
        init.send(QUIT);
        init.started.wait_for("quit");
        init.send(HUP);
        init.started.wait_for("hup");
        thread::sleep(Duration::from_millis(1500));
        processes::wait_for_state(init.pid, Some('S'));
        init.kill_command().ends_with(128 + KILL);
    });
}

#[test]
fn those_that_the_command_leaves_get_term_and_finish() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        // Ended by itself, and by the signal that begins the grace.
        let mut init = among(TIDY, &mark, LISTENS, "20")(who, *place);
        let start = Instant::now();
        init.started.say("go\n");
        let (outcome, took) = init.finish_timed(start);
        assert_eq!(outcome.stdout, "set\nset\nset\ntidy\ntidy\n");
        outcome.ends_with(5);
        within(took, &AT_ONCE);
        let script = "trap 'exit 6' TERM; echo set; while :; do sleep 0.02; done";
        let init = among(TIDY, &mark, script, "20")(who, *place);
        init.send(TERM);
        let outcome = init.finish();
        assert_eq!(outcome.stdout, "set\nset\nset\ntidy\ntidy\n");
        outcome.ends_with(6);
        processes::none_left(&mark);
    });
}

#[test]
fn what_they_start_to_tidy_up_with_is_left_to_them() {
    at_once(&everywhere(), |(who, place)| {
        // The many make it take a while to tell them all.
        let tidy = "trap 'sleep 0.3 && echo tidy; exit' TERM; echo set; \
                    while :; do sleep 0.02; done";
        let script = format!(
            "({tidy}) & n=0; while [ $n -lt 100 ]; do sleep 20 & n=$((n+1)); done; {LISTENS}"
        );
        let mut init = Init::start(grace(who, "20", &script), *place);
        let set = |got: &str| got.matches("set\n").count() == 2;
        assert!(init.started.wait_until(set), "{}", init.started.so_far());
        init.started.say("go\n");
        let outcome = init.finish();
        assert_eq!(outcome.stdout, "set\nset\ntidy\n");
        outcome.ends_with(5);
    });
}

#[test]
fn those_that_do_not_care_either_are_killed_after_it() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let mut init = among(DEAF, &mark, LISTENS, "1")(who, *place);
        let start = Instant::now();
        init.started.say("go\n");
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(5);
        within(took, &about(1000));
        processes::none_left(&mark);
    });
}

#[test]
fn a_dead_command_leaves_the_others_what_is_left_of_it() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let script = "trap 'sleep 1; exit 7' TERM; echo set; while :; do sleep 0.02; done";
        let init = among(DEAF, &mark, script, "2")(who, *place);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(7);
        within(took, &about(2000));
        processes::none_left(&mark);
    });
}

#[test]
fn those_that_outlive_a_killed_command_are_killed_right_after_it() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let init = among(DEAF, &mark, DEAF, "1")(who, *place);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(128 + KILL);
        within(took, &about(1000));
        processes::none_left(&mark);
    });
}

#[test]
fn a_second_terminating_signal_ends_it_at_once() {
    at_once(&everywhere(), |(who, place)| {
        for second in [TERM, INT] {
            let mark = world::mark();
            let init = among(DEAF, &mark, DEAF, "60")(who, *place);
            init.send(TERM);
            thread::sleep(MOMENT);
            let start = Instant::now();
            init.send(second);
            let (outcome, took) = init.finish_timed(start);
            outcome.ends_with(128 + KILL);
            within(took, &AT_ONCE);
            processes::none_left(&mark);
        }
    });
}

#[test]
fn when_the_command_is_gone_a_second_terminating_signal_ends_it_at_once_too() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let script = "trap 'exit 8' TERM; echo set; while :; do sleep 0.02; done";
        let init = among(DEAF, &mark, script, "60")(who, *place);
        let command = one_that_runs(&init, script);
        init.send(TERM);
        processes::wait_for_state(command, None);
        thread::sleep(MOMENT);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(8);
        within(took, &AT_ONCE);
        processes::none_left(&mark);
    });
}

/// The child of an init that has this script as its last word.
fn one_that_runs(init: &Init, script: &str) -> u32 {
    let all = processes::all().into_iter();
    let mut children = all.filter(|process| process.parent == init.pid);
    let command = children.find(|child| child.arguments.contains(script));
    command.unwrap().pid
}

#[test]
fn without_it_husk_leaves_with_the_command() {
    at_once(&everywhere(), |(who, place)| {
        for options in [&[][..], &["--grace", "0"]] {
            let mark = world::mark();
            let idle = "while :; do sleep 0.02; done";
            let script = format!("(: {mark}; {idle}) >&- 2>&- & echo ready; read go; exit 5");
            let run = Run::init(who).words(options).listening().sh(&script);
            let mut init = Init::ready(run, *place);
            let start = Instant::now();
            init.started.say("go\n");
            let (outcome, took) = init.finish_timed(start);
            outcome.ends_with(5);
            within(took, &AT_ONCE);
            match place {
                // They go on; nothing of theirs is husk's business.
                Place::Host => assert!(!processes::marked(&mark).is_empty()),
                Place::Pid1 => processes::none_left(&mark),
            }
            processes::kill_marked(&mark);
        }
    });
}

#[test]
fn a_storm_of_orphans_does_not_put_the_end_off() {
    // Where orphans that outlive husk are nobody else's to reap.
    let all = everywhere();
    let alone = all.into_iter().filter(|(_, place)| *place == Place::Pid1);
    at_once(&alone.collect::<Vec<_>>(), |(who, place)| {
        let mark = world::mark();
        let storm = format!("(: {mark}; trap '' TERM; while :; do (: &); done) &");
        let script = format!("trap '' TERM; {storm} {storm} {storm} {DEAF}");
        let init = Init::ready(grace(who, "1", &script.replace("set;", "ready;")), *place);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        outcome.ends_with(128 + KILL);
        within(took, &(Duration::from_millis(990)..Duration::from_secs(5)));
        processes::none_left(&mark);
    });
}

#[test]
fn one_that_begets_others_all_the_time_does_not_escape() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        // Each of them has one child that goes on, in a session of its own, and ends.
        let dir = who.dir("begets");
        let file = dir.join("file");
        let text = "trap '' TERM; n=$(($1 + 1)); [ $n -gt 3000 ] || setsid \"$0\" $n \"$2\" &";
        who.write(&file, &format!("#!/bin/sh\n{text}\n"), 0o755);
        let script = format!(
            "{} 0 {mark} & sleep 0.1; echo ready; exit 3",
            file.display()
        );
        let init = Init::ready(grace(who, "1", &script), *place);
        init.finish().ends_with(3);
        processes::none_left(&mark);
    });
}

#[test]
fn a_stopped_command_is_continued_after_a_terminating_signal() {
    at_once(&everywhere(), |(who, place)| {
        for options in [
            &[][..],
            &["-g"],
            &["-c"],
            &["--session"],
            &["--grace", "20"],
        ] {
            let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done";
            let init = Init::ready(defaults(Run::init(who).words(options).sh(script)), *place);
            let command = init.command();
            crate::init::send(command, STOP);
            processes::wait_for_state(command, Some('T'));
            thread::sleep(MOMENT);
            init.send(TERM);
            init.finish().ends_with(9);
        }
    });
}
