//! Signals that become others on their way, and those that wait before they go.

use crate::husk::Run;
use crate::init::{
    CONT, HUP, INT, Init, KILL, MOMENT, Place, QUIT, TERM, TTIN, TTOU, USR1, USR2, at_once,
    defaults, everywhere,
};
use crate::processes;
use crate::world::{Identity, everybody};
use std::thread;
use std::time::{Duration, Instant};

fn with(who: &Identity, options: &[&str]) -> Run {
    Run::init(who).words(options).host_helper(["signals"])
}

/// What the command prints, each waited for, when these are sent one after the other.
fn printed(who: &Identity, place: Place, options: &[&str], sent: &[i32]) -> String {
    let init = Init::ready(with(who, options), place);
    for (done, number) in sent.iter().enumerate() {
        init.send(*number);
        let got = init
            .started
            .wait_until(|got| got.lines().count() > done + 1);
        assert!(got, "{options:?} {number}: {}", init.started.so_far());
    }
    ended(init)
}

/// What the command prints of these, of which some do not arrive.
fn left_of(who: &Identity, place: Place, options: &[&str], sent: &[i32]) -> String {
    let init = Init::ready(with(who, options), place);
    for number in sent {
        init.send(*number);
    }
    ended(init)
}

fn ended(init: Init) -> String {
    thread::sleep(MOMENT);
    let got = init.started.so_far();
    init.kill_command().ends_with(128 + KILL);
    got.strip_prefix("ready\n").unwrap().replace('\n', " ")
}

#[test]
fn a_rewritten_one_arrives_as_the_other_by_number_and_by_name() {
    let cases: [(&[&str], &[i32], &str); 16] = [
        (&["-r", "15:3"], &[TERM, INT], "3 2 "),
        (&["-r15:3"], &[TERM], "3 "),
        (&["--rewrite", "15:3"], &[TERM], "3 "),
        (&["--rewrite=15:3"], &[TERM], "3 "),
        (&["-r", "TERM:QUIT"], &[TERM], "3 "),
        (&["-r", "SIGTERM:SIGUSR2"], &[TERM], "12 "),
        (&["-r", "TERM:10"], &[TERM], "10 "),
        (&["-r", "15:USR1"], &[TERM], "10 "),
        (&["-r", "64:34"], &[64, 63], "34 63 "),
        (&["-r", "15:64"], &[TERM], "64 "),
        // As kill(1) and docker(1) number them.
        (&["-r", "RTMIN:RTMAX"], &[34], "64 "),
        (&["-r", "SIGRTMIN+3:SIGRTMAX-4"], &[37], "60 "),
        (&["-r", "USR1:RTMIN+2"], &[USR1], "36 "),
        // Once, and not what became of it again.
        (&["-r", "15:3", "-r", "3:2"], &[TERM, QUIT], "3 2 "),
        (&["-r", "10:12", "-r", "12:10"], &[USR1, USR2], "12 10 "),
        // The last word is what counts.
        (&["-r", "15:3", "-r", "15:2"], &[TERM], "2 "),
    ];
    at_once(&everywhere(), |(who, place)| {
        for (options, sent, expected) in cases {
            let got = printed(who, *place, options, sent);
            assert_eq!(got, expected, "{options:?}");
        }
    });
}

#[test]
fn one_that_is_rewritten_to_0_does_not_arrive() {
    let cases: [(&[&str], &[i32], &str); 4] = [
        (&["-r", "15:0"], &[TERM, INT], "2 "),
        (&["-r", "TERM:0", "-r", "INT:0"], &[TERM, INT, USR1], "10 "),
        (&["-r", "RTMAX:0"], &[64, 63], "63 "),
        (&["-r", "15:0", "--grace", "1"], &[TERM, TERM, USR1], "10 "),
    ];
    at_once(&everywhere(), |(who, place)| {
        for (options, sent, expected) in cases {
            let got = left_of(who, *place, options, sent);
            assert_eq!(got, expected, "{options:?}");
        }
    });
}

#[test]
fn those_that_husk_keeps_are_passed_on_when_they_are_rewritten() {
    at_once(&everywhere(), |(who, place)| {
        let options = ["-r", "TTIN:USR1", "-r", "22:22"];
        let got = printed(who, *place, &options, &[TTIN, TTOU]);
        assert_eq!(got, "10 22 ");
        let options = ["--session", "-r", "TTIN:USR1", "-r", "TTOU:0"];
        let got = left_of(who, *place, &options, &[TTIN, TTOU]);
        assert_eq!(got, "10 ");
    });
}

#[test]
fn one_that_becomes_kill_or_stop_does_what_they_do() {
    at_once(&everywhere(), |(who, place)| {
        let init = Init::ready(with(who, &["-r", "USR1:STOP", "-r", "TERM:KILL"]), *place);
        let command = init.command();
        init.send(USR1);
        processes::wait_for_state(command, Some('T'));
        init.send(CONT);
        init.prints(&format!("ready\n{CONT}\n"));
        init.send(TERM);
        init.finish().ends_with(128 + KILL);
    });
}

#[test]
fn a_rewriting_that_cannot_be_meant_is_refused() {
    for who in everybody() {
        for bad in [
            "",
            ":",
            "15",
            "15:",
            ":3",
            "15:3x",
            "15:3:2",
            "0:3",
            "65:3",
            "15:65",
            "-1:3",
            "NO:3",
            "TERM:SIGNO",
            "RTMIN+31:3",
            "RTMAX-31:3",
            "15:+3",
            "15: 3",
            "RTMIN-1:3",
            "RTMAX+1:3",
        ] {
            for option in ["-r", "--rewrite"] {
                let run = Run::init(who).words([option, bad]).sh("true");
                run.output().refuses(&[&format!("husk: {option}: ")]);
            }
        }
    }
}

#[test]
fn a_terminating_signal_becomes_the_stop_signal() {
    at_once(&everywhere(), |(who, place)| {
        for word in ["USR1", "SIGUSR1", "10"] {
            let options = ["--stop-signal", word];
            let got = printed(who, *place, &options, &[TERM, INT, USR2, QUIT]);
            assert_eq!(got, "10 10 12 3 ", "{word}");
        }
        let got = printed(who, *place, &["--stop-signal=RTMIN+3"], &[TERM, HUP]);
        assert_eq!(got, "37 1 ");
    });
}

#[test]
fn a_stop_signal_that_is_none_is_refused() {
    for who in everybody() {
        for bad in ["", "0", "65", "NO", "TERM ", "15:3", "RTMIN+31"] {
            let outcome = Run::init(who)
                .words(["--stop-signal", bad])
                .sh("true")
                .output();
            outcome.refuses(&["stop-signal"]);
        }
    }
}

#[test]
fn a_draining_husk_passes_the_first_terminating_signal_on_after_the_time() {
    at_once(&everywhere(), |(who, place)| {
        let init = Init::ready(with(who, &["--drain", "1"]), *place);
        let start = Instant::now();
        init.send(TERM);
        // Others do not wait.
        init.send(USR1);
        init.prints("ready\n10\n");
        assert!(start.elapsed() < Duration::from_millis(800));
        init.prints("ready\n10\n15\n");
        let waited = start.elapsed();
        let right = Duration::from_millis(950)..Duration::from_secs(3);
        assert!(right.contains(&waited), "{waited:?}");
        // The time is over, for all that come.
        let start = Instant::now();
        init.send(INT);
        init.prints("ready\n10\n15\n2\n");
        assert!(start.elapsed() < Duration::from_millis(500));
        init.kill_command().ends_with(128 + KILL);
    });
}

#[test]
fn a_second_terminating_signal_ends_the_draining() {
    at_once(&everywhere(), |(who, place)| {
        for second in [TERM, INT] {
            let init = Init::ready(with(who, &["--drain", "60"]), *place);
            init.send(TERM);
            thread::sleep(MOMENT);
            init.prints("ready\n");
            init.send(second);
            let got = init.started.wait_until(|got| got.len() > "ready\n".len());
            assert!(got, "{}", init.started.so_far());
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn a_command_that_ends_while_husk_drains_ends_it() {
    at_once(&everywhere(), |(who, place)| {
        let run = Run::init(who).words(["--drain", "60"]).listening();
        let run = run.sh("echo ready; read go; exit 4");
        let mut init = Init::ready(defaults(run), *place);
        init.send(TERM);
        thread::sleep(MOMENT);
        init.started.say("go\n");
        init.finish().ends_with(4);
    });
}

#[test]
fn the_grace_begins_when_the_draining_ends() {
    at_once(&everywhere(), |(who, place)| {
        let init = Init::ready(with(who, &["--drain", "1", "--grace", "1"]), *place);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        assert_eq!(outcome.stdout, "ready\n15\n");
        outcome.ends_with(128 + KILL);
        let right = Duration::from_millis(1900)..Duration::from_secs(5);
        assert!(right.contains(&took), "{took:?}");
    });
}
