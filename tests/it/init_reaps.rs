//! Processes without a parent: an init reaps every kind of them, in any number, and does its other
//! work meanwhile.

use crate::husk::Run;
use crate::init::{CONT, Init, KILL, MOMENT, Place, STOP, TERM, USR1, at_once, everywhere, send};
use crate::processes;
use crate::skip;
use crate::world::{self, everybody, tool};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Waits until the init has no zombie.
#[track_caller]
fn reaped_all(init: &Init) {
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        let zombies = processes::zombies_of(init.pid);
        if zombies.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "not reaped: {zombies:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the command of a script that ends in `read go; exit 3`.
#[track_caller]
fn let_go(mut init: Init) {
    init.started.say("go\n");
    init.finish().ends_with(3);
}

#[test]
fn orphans_are_reaped_while_the_command_runs() {
    let orphans = [
        // Of the command, of its child, in another session, and those that beget others.
        "for n in 1 2 3 4 5 6 7 8; do (sleep 0.05 &); done",
        "(sh -c '(sleep 0.05 & sleep 0.1 &) & (sleep 0.1 &)' &)",
        "(setsid sleep 0.05 &); (setsid sh -c 'sleep 0.05 & setsid sleep 0.1 &' &)",
        // Dead before their parent is, and dead by a signal.
        "sh -c 'true & false & sleep 0.05; exec sleep 0.05' &",
        "(sh -c 'kill -KILL $$' &); (sh -c 'kill -34 $$' &)",
    ];
    at_once(&everywhere(), |(who, place)| {
        for script in orphans {
            let script = format!("{script}\nsleep 0.4; wait; echo ready; read go; exit 3");
            let init = Init::ready(Run::init(who).listening().sh(&script), *place);
            reaped_all(&init);
            let command = init.command();
            assert!(processes::state_of(command).is_some());
            let_go(init);
        }
    });
}

#[test]
fn twenty_thousand_orphans_are_reaped() {
    let script = "i=0; while [ $i -lt 20000 ]; do (: &); i=$((i+1)); done; \
                  echo ready; read go; exit 3";
    let places = [Place::Pid1, Place::Host];
    let all: Vec<_> = everybody().iter().zip(places).collect();
    at_once(&all, |(who, place)| {
        let run = Run::init(who).listening().limit(Duration::from_secs(120));
        let init = Init::ready(run.sh(script), *place);
        reaped_all(&init);
        let_go(init);
    });
}

#[test]
fn a_command_and_an_orphan_that_end_together_are_told_apart_a_thousand_times() {
    // The loop runs the init, and says which runs went wrong.
    let script = "i=0; while [ $i -lt 50 ]; do \
                  for n in 0 1 127 128 255; do \"$@\" $n; \
                  [ $? -eq $n ] || echo $n in round $i; done; i=$((i+1)); done";
    let ends = "sleep 0.01 & sleep 0.01; exit $0";
    at_once(&everywhere(), |(who, place)| {
        let run = Run::init(who).sh(ends).limit(Duration::from_secs(120));
        let run = run.through(["/bin/sh", "-c", script, "sh"]);
        // Another init is PID 1 there: this one is a subreaper.
        assert_eq!(run.in_place(*place).output().succeeds(), "");
    });
}

#[test]
fn a_signal_is_passed_on_in_time_while_orphans_keep_coming() {
    at_once(&everywhere()[..1], |(who, place)| {
        answers_in_a_storm(who, *place)
    });
    if let Some((who, place)) = everywhere().last() {
        answers_in_a_storm(who, *place);
    }
}

fn answers_in_a_storm(who: &world::Identity, place: Place) {
    let mark = world::mark();
    let helper = world::helper().display();
    let storm = format!("(: {mark}; while :; do (: &); done) &");
    let init = Init::ready(
        Run::init(who).sh(&format!("{storm} {storm} exec {helper} signals")),
        place,
    );
    thread::sleep(MOMENT);
    let mut took = Vec::new();
    let mut expected = "ready\n".to_owned();
    for number in [TERM, USR1, 40, 41, 42, 43, 44, 45, 46] {
        let start = Instant::now();
        init.send(number);
        expected.push_str(&format!("{number}\n"));
        init.prints(&expected);
        took.push(start.elapsed());
        thread::sleep(MOMENT / 4);
    }
    took.sort();
    let median = took[took.len() / 2];
    skip::say(&format!(
        "{} {place:?}: in a storm, {median:?} of {took:?}",
        who.name
    ));
    assert!(median < Duration::from_millis(100), "{took:?}");
    // The end of the command is seen in the storm too.
    let start = Instant::now();
    send(one_that_takes_signals(&init), KILL);
    while !matches!(processes::state_of(init.pid), Some('Z') | None) {
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    processes::kill_marked(&mark);
    init.finish().ends_with(128 + KILL);
}

fn one_that_takes_signals(init: &Init) -> u32 {
    let name = format!("{} signals", world::helper().display());
    let all = processes::all().into_iter();
    let mut children = all.filter(|process| process.parent == init.pid);
    let found = children.find(|child| child.arguments.starts_with(&name));
    found.unwrap().pid
}

#[test]
fn stopped_orphans_are_neither_reaped_nor_forgotten() {
    at_once(&everywhere(), |(who, place)| {
        let mark = world::mark();
        let helper = world::helper().display();
        let script = format!("({helper} hold {mark} &); read go; exit 3");
        let init = Init::ready(Run::init(who).listening().sh(&script), *place);
        let all = processes::marked(&mark).into_iter();
        let mut orphans = all.filter(|process| process.arguments.contains(" hold "));
        let orphan = orphans.find(|process| !process.arguments.contains("read go"));
        let orphan = orphan.unwrap().pid;
        send(orphan, STOP);
        processes::wait_for_state(orphan, Some('T'));
        send(orphan, CONT);
        processes::wait_for_state(orphan, Some('S'));
        send(orphan, KILL);
        processes::wait_for_state(orphan, None);
        let_go(init);
    });
}

/// What perl(1) needs to make raw calls, by architecture: clone(2) and exit(2).
const NUMBERS: (u32, u32) = if cfg!(target_arch = "x86_64") {
    (56, 60)
} else {
    (220, 93)
};

const NO_PERL: &str = "no perl(1) with threads";

fn perl() -> bool {
    let run = Run::program(world::myself(), std::path::Path::new("/usr/bin/env"));
    let run = run.words(["perl", "-Mthreads", "-e", "1"]);
    tool("perl").is_some() && run.output().status.success()
}

#[test]
fn an_orphan_that_would_not_say_sigchld_is_reaped() {
    if !perl() {
        skip!("{NO_PERL}");
    }
    at_once(&everywhere(), |(who, place)| {
        for exit_signal in [0, 10] {
            // Dead before it becomes an orphan, and after.
            for (child, parent) in [("0", "0.2"), ("0.2", "0")] {
                let perl = format!(
                    "$p = syscall({}, {exit_signal}, 0, 0, 0, 0); \
                     select undef, undef, undef, $p ? {parent} : {child}; exit 0",
                    NUMBERS.0
                );
                let script = format!(
                    "trap '' USR1; perl -e '{perl}'; sleep 0.4; echo ready; read go; exit 3"
                );
                let init = Init::ready(Run::init(who).listening().sh(&script), *place);
                reaped_all(&init);
                init.command();
                let_go(init);
            }
        }
    });
}

#[test]
fn a_process_whose_first_thread_is_dead_ends_with_its_last() {
    if !perl() {
        skip!("{NO_PERL}");
    }
    at_once(&everywhere(), |(who, place)| {
        let threads = format!(
            "use threads; threads->create(sub {{ select undef, undef, undef, 0.5 }})->detach; \
             syscall({}, 0)",
            NUMBERS.1
        );
        // As the command …
        let start = Instant::now();
        let run = Run::init(who).words(["--", "perl", "-e", &threads]);
        run.in_place(*place).output().ends_with(0);
        assert!(start.elapsed() > Duration::from_millis(450));
        // … and as an orphan.
        let script = format!("(perl -e '{threads}' &); sleep 1; echo ready; read go; exit 3");
        let init = Init::ready(Run::init(who).listening().sh(&script), *place);
        reaped_all(&init);
        init.command();
        let_go(init);
    });
}

#[test]
fn no_signal_goes_to_a_pid_that_was_reaped() {
    or_skip!(tool("strace"), "no strace(1)");
    at_once(everybody(), |who| {
        for mode in crate::init::MODES {
            let dir = who.dir("reaped");
            let log = dir.join("log");
            let held = dir.join("held");
            let script = format!(
                "trap '' TERM USR1; while [ ! -e {0} ]; do sleep 0.02; done & echo $$; exit 3",
                held.display()
            );
            let run = Run::init(who).words(mode).word("--wait-all").sh(&script);
            let calls = "trace=wait4,waitid,kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal";
            let started = run.traced(&log, ["-qq", "-e", calls]).start();
            started.wait_until(|got| got.ends_with('\n'));
            let command = started.so_far().trim().to_owned();
            let husk = processes::soon_only_child(started.pid());
            processes::wait_for_state(command.parse().unwrap(), None);
            for number in [USR1, TERM, TERM] {
                send(husk, number);
            }
            thread::sleep(MOMENT);
            who.write(&held, "", 0o644);
            started.finish().ends_with(3);
            let log = fs::read_to_string(log).unwrap();
            let reaped = format!(" = {command}");
            let mut after = log.lines().skip_while(|line| !line.ends_with(&reaped));
            assert!(
                after.next().is_some_and(|line| line.starts_with("wait")),
                "{log}"
            );
            let named = [format!("({command},"), format!("(-{command},")];
            let late = after.find(|line| named.iter().any(|pid| line.contains(pid)));
            assert_eq!(late, None, "{log}");
        }
    });
}
