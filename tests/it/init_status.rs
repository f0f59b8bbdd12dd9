//! The exit status of an init: the command's, whatever came of it.

use crate::husk::Run;
use crate::init::{
    CONT, Init, KILL, MOMENT, STOP, TERM, USR1, at_once, defaults, everywhere, send,
};
use crate::processes;
use crate::world::{self, everybody};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn an_exit_status_is_told_as_it_is() {
    at_once(&everywhere(), |(who, place)| {
        for status in [0, 1, 2, 7, 125, 126, 127, 128, 143, 254, 255] {
            let run = Run::init(who).sh(&format!("exit {status}"));
            let outcome = run.in_place(*place).output();
            assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
            outcome.ends_with(status);
        }
    });
}

/// Those that a process dies of when it does not care.
fn deadly() -> impl Iterator<Item = i32> {
    // CHLD, URG and WINCH are ignored; CONT, STOP, TSTP, TTIN and TTOU are about stopping; 32 and 33
    // are the C library's, which starts processes with them ignored.
    const OTHERS: [i32; 10] = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33];
    (1..=64).filter(|number| !OTHERS.contains(number))
}

#[test]
fn death_by_a_signal_is_told_as_128_and_its_number() {
    at_once(&everywhere(), |(who, place)| {
        for number in deadly() {
            // No core: it would be written into the directory.
            let run = Run::init(who).sh(&format!("ulimit -c 0; kill -{number} $$; sleep 5"));
            let outcome = defaults(run).in_place(*place).output();
            assert_eq!(outcome.stderr, "", "{outcome}");
            outcome.ends_with(128 + number);
        }
    });
}

#[test]
fn death_with_a_core_is_death_by_its_signal() {
    at_once(&everywhere(), |(who, place)| {
        let dir = who.dir("core");
        for number in [3, 6, 11] {
            let script = format!("ulimit -c unlimited 2>&-; kill -{number} $$; sleep 5");
            let run = defaults(Run::init(who).sh(&script)).within(dir.path());
            run.in_place(*place).output().ends_with(128 + number);
        }
    });
}

#[test]
fn death_by_a_signal_that_husk_passed_on_is_told_alike() {
    at_once(&everywhere(), |(who, place)| {
        for number in [1, 2, 10, 13, 14, 15, 34, 50, 64] {
            let run = Run::init(who).sh("ulimit -c 0; echo ready; exec sleep 20");
            let init = Init::ready(defaults(run), *place);
            init.send(number);
            init.finish().ends_with(128 + number);
        }
    });
}

#[test]
fn a_command_that_is_stopped_and_continued_has_not_ended() {
    at_once(&everywhere(), |(who, place)| {
        for mode in crate::init::MODES {
            let run = Run::init(who).words(mode).listening();
            let run = defaults(run.sh("echo ready; read go; exit 4"));
            let mut init = Init::ready(run, *place);
            let command = init.command();
            for _ in 0..3 {
                send(command, STOP);
                processes::wait_for_state(command, Some('T'));
                thread::sleep(MOMENT / 4);
                processes::wait_for_state(init.pid, Some('S'));
                send(command, CONT);
                processes::wait_for_state(command, Some('S'));
            }
            init.started.say("go\n");
            init.finish().ends_with(4);
        }
    });
}

#[test]
fn a_command_that_is_traced_has_not_ended_when_it_stops_for_its_tracer() {
    let strace = or_skip!(world::tool("strace"), "no strace(1)");
    let root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    at_once(&everywhere(), |(who, place)| {
        let init = Init::ready(Run::init(who).host_helper(["signals"]), *place);
        let command = init.command();
        let tracer = Run::program(root, &strace).words(["-qq", "-o", "/dev/null", "-p"]);
        let tracer = tracer.word(command.to_string()).start();
        let end = Instant::now() + Duration::from_secs(5);
        let traced = || {
            let status = fs::read_to_string(format!("/proc/{command}/status")).unwrap();
            processes::field(&status, "TracerPid") != "0"
        };
        while !traced() {
            assert!(Instant::now() < end, "strace: {}", tracer.complaints());
        }
        for number in [USR1, STOP, CONT] {
            send(command, number);
        }
        init.prints("ready\n10\n18\n");
        drop(tracer);
        processes::wait_for_state(init.pid, Some('S'));
        init.kill_command().ends_with(128 + KILL);
    });
}

#[test]
fn a_remapped_status_is_told_as_the_other() {
    let cases: [(&[&str], &str, i32); 15] = [
        (&["-e", "7"], "exit 7", 0),
        (&["-e7"], "exit 7", 0),
        (&["--remap-exit", "7"], "exit 7", 0),
        (&["--remap-exit=7"], "exit 7", 0),
        (&["-e", "7"], "exit 8", 8),
        (&["-e", "7:3"], "exit 7", 3),
        (&["-e", "7", "-e", "8:9", "-e255:1"], "exit 8", 9),
        (&["-e", "7", "-e", "8:9", "-e255:1"], "exit 255", 1),
        (&["-e", "0:5"], "exit 0", 5),
        // Once, and not what became of it again.
        (&["-e", "7:8", "-e", "8:9"], "exit 7", 8),
        (&["-e", "143"], "kill -TERM $$", 0),
        (&["-e", "143:200"], "exit 143", 200),
        (&["-e", "162"], "kill -34 $$", 0),
        (&["-e", "192:2"], "kill -64 $$", 2),
        (&["-e", "15"], "kill -TERM $$", 143),
    ];
    at_once(&everywhere(), |(who, place)| {
        for (options, script, status) in cases {
            let run = defaults(Run::init(who).words(options).sh(script));
            run.in_place(*place).output().ends_with(status);
        }
    });
}

#[test]
fn a_remapping_holds_for_a_command_that_the_grace_killed() {
    at_once(&everywhere(), |(who, place)| {
        let run = Run::init(who).words(["--grace", "1", "-e", "137:11"]);
        let init = Init::ready(run.host_helper(["signals"]), *place);
        init.send(TERM);
        init.finish().ends_with(11);
    });
}

#[test]
fn a_status_that_is_none_is_refused() {
    for who in everybody() {
        for bad in [
            "", "256", "-1", "x", "7x", "7:", "7:256", "7:x", "7:1:2", ":3", "+7", " 7", "1e2",
        ] {
            for option in ["-e", "--remap-exit"] {
                let outcome = Run::init(who).words([option, bad]).sh("true").output();
                outcome.refuses(&[&format!("husk: {option}: ")]);
            }
        }
    }
}

#[test]
fn an_end_of_the_whole_namespace_by_kill_takes_the_command_along() {
    for who in everybody() {
        let mark = world::mark();
        let run = Run::init(who).host_helper(["spawn", "3", &mark]);
        let init = Init::ready(run, crate::init::Place::Pid1);
        init.send(KILL);
        processes::none_left(&mark);
        drop(init.finish());
    }
}
