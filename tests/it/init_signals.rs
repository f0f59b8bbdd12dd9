//! Which signals an init passes on, and to whom.

use crate::husk::Run;
use crate::init::{
    CHLD, CONT, HUP, INT, Init, KILL, MODES, MOMENT, Place, STOP, TERM, TSTP, TTIN, TTOU, USR1,
    at_once, defaults, everywhere,
};
use crate::processes;
use crate::world::{self, Identity};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

fn signals_of(who: &Identity, mode: &[&str]) -> Run {
    Run::init(who).words(mode).host_helper(["signals"])
}

/// What the command must get of 1 to 64.
fn forwarded(mode: &[&str]) -> impl Iterator<Item = i32> {
    let stops = mode == ["--session"];
    (1..=64).filter(move |number| match *number {
        KILL | STOP | CHLD | TTIN | TTOU => false,
        // They stop a session, which nobody else could continue.
        TSTP => !stops,
        _ => true,
    })
}

#[test]
fn every_signal_reaches_the_command_once() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            let init = Init::ready(signals_of(who, mode), *place);
            let mut expected = "ready\n".to_owned();
            for number in forwarded(mode) {
                init.send(number);
                expected.push_str(&format!("{number}\n"));
                let got = |got: &str| got.len() >= expected.len();
                if !init.started.wait_until(got) {
                    break;
                }
            }
            thread::sleep(MOMENT);
            let got = init.started.so_far();
            assert_eq!(got, expected, "{} {place:?} {mode:?}", who.name);
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn those_that_are_about_husk_itself_do_not_reach_the_command() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            let session = mode == ["--session"];
            let init = Init::ready(signals_of(who, mode), *place);
            let own: &[i32] = if session {
                &[CHLD]
            } else {
                &[CHLD, TTIN, TTOU]
            };
            for number in own {
                init.send(*number);
            }
            init.send(USR1);
            init.prints("ready\n10\n");
            thread::sleep(MOMENT);
            init.prints("ready\n10\n");
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn the_first_hup_and_the_first_cont_arrive_as_any_other() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            for number in [HUP, CONT] {
                let init = Init::ready(signals_of(who, mode), *place);
                init.send(number);
                init.prints(&format!("ready\n{number}\n"));
                init.kill_command().ends_with(128 + KILL);
            }
        }
    });
}

#[test]
fn a_burst_of_queued_ones_arrives_in_full() {
    at_once(&everywhere(), |(who, place)| {
        let init = Init::ready(signals_of(who, &[]), *place);
        let mut expected = "ready\n".to_owned();
        for _ in 0..300 {
            init.send(40);
            expected.push_str("40\n");
        }
        init.prints(&expected);
        init.kill_command().ends_with(128 + KILL);
    });
}

/// A command with a child of its own group, one that left for its own session, and an orphan that did.
fn family(who: &Identity, mode: &[&str], mark: &str) -> Run {
    let helper = world::helper().display();
    let script = format!(
        "{helper} signals same {mark} & setsid {helper} signals apart {mark} &
         (setsid {helper} signals orphan {mark} &)
         exec {helper} signals child {mark}"
    );
    Run::init(who).words(mode).sh(&script)
}

#[test]
fn each_mode_signals_those_that_it_says_and_nobody_else() {
    const ALL: [&str; 4] = ["child", "same", "apart", "orphan"];
    let group = &ALL[..2];
    let child = &ALL[..1];
    let cases: [(&[&str], &[&str]); 7] = [
        (&[], child),
        (&["-c"], child),
        (&["--single-child"], child),
        (&["--no-tty"], child),
        (&["--group"], group),
        (&["--session"], group),
        (&["--all"], &ALL),
    ];
    at_once(&everywhere(), |(who, place)| {
        let outside = Run::program(who, world::helper())
            .words(["signals"])
            .start();
        outside.wait_for("ready");
        for (mode, reached) in cases {
            let mark = world::mark();
            let init = Init::start(family(who, mode, &mark), *place);
            let mut lines: Vec<String> = ALL.iter().map(|name| format!("{name} ready")).collect();
            let expected = |lines: &[String]| {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                init.prints_in_any_order(&lines);
            };
            expected(&lines);
            init.send(USR1);
            lines.extend(reached.iter().map(|name| format!("{name} {USR1}")));
            expected(&lines);
            processes::kill_marked(&mark);
            drop(init.finish());
        }
        assert_eq!(outside.so_far(), "ready\n");
    });
}

#[test]
fn the_command_has_the_group_and_the_session_of_its_mode() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            let init = Init::ready(signals_of(who, mode), *place);
            let command = init.command();
            let (group, session) = processes::group_and_session_of(command);
            let husk = processes::group_and_session_of(init.pid);
            let expected = match mode {
                ["--session"] => (command, command),
                ["-c" | "--no-tty"] => husk,
                _ => (command, husk.1),
            };
            assert_eq!(
                (group, session),
                expected,
                "{place:?} {mode:?}, husk {husk:?}"
            );
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn a_session_is_stopped_together_with_husk_and_continued_with_it() {
    at_once(&everywhere(), |(who, place)| {
        let init = Init::ready(signals_of(who, &["--session"]), *place);
        let command = init.command();
        let mut expected = "ready\n".to_owned();
        // Often: the kernel takes a SIGCONT away that waits when a signal to stop is sent.
        for number in [TSTP, TTIN, TTOU].repeat(20) {
            init.send(number);
            processes::wait_for_state(command, Some('T'));
            // PID 1 cannot stop itself.
            if *place == Place::Host {
                processes::wait_for_state(init.pid, Some('T'));
            }
            init.send(CONT);
            expected.push_str(&format!("{CONT}\n"));
            init.prints(&expected);
            processes::wait_for_state(command, Some('S'));
        }
        init.kill_command().ends_with(128 + KILL);
    });
}

#[test]
fn a_command_that_tstp_stops_is_continued_by_cont_every_time() {
    at_once(&everywhere(), |(who, place)| {
        // In another mode it may be in an orphaned process group, which this does not stop.
        for mode in [&[][..], &["-g"], &["--all"]] {
            let run = Run::init(who).words(mode).sh("echo ready; exec sleep 20");
            let init = Init::ready(defaults(run), *place);
            let command = init.command();
            let rounds = if *place == Place::Pid1 { 40 } else { 3 };
            for _ in 0..rounds {
                init.send(TSTP);
                processes::wait_for_state(command, Some('T'));
                // PID 1 goes on; others stop as well, where there is somebody to continue them.
                if *place == Place::Host {
                    thread::sleep(MOMENT);
                }
                init.send(CONT);
                processes::wait_for_state(command, Some('S'));
            }
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn a_command_that_leaves_its_group_and_session_is_still_reached() {
    at_once(&everywhere(), |(who, place)| {
        // Who leads a group can have no new session, and so in other modes there is no leaving.
        for mode in ["-c", "--no-tty"] {
            let helper = world::helper().to_str().unwrap();
            let run = Run::init(who).word(mode);
            let run = run.words(["--", "setsid", helper, "signals"]);
            let init = Init::ready(run, *place);
            let command = init.command();
            let left = processes::group_and_session_of(command);
            assert_eq!(left, (command, command));
            init.send(USR1);
            init.prints("ready\n10\n");
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn one_for_which_the_command_has_no_right_is_no_end_of_husk() {
    let root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let user = or_skip!(world::user(), "{}", world::no_user());
    let dir = root.dir("setuid");
    let setpriv = dir.join("setpriv");
    let real = or_skip!(world::tool("setpriv"), "no setpriv(1)");
    world::copy_program(&real, &setpriv);
    fs::set_permissions(&setpriv, Permissions::from_mode(0o4755)).unwrap();
    let options = ["--reuid=0", "--regid=0", "--clear-groups"];
    for mode in MODES {
        let run = Run::init(user).words(mode).word("--").word(&setpriv);
        let script = "id -ru; echo ready; read go; exit 6";
        let run = run.words(options).words(["/bin/sh", "-c", script]);
        let mut init = Init::ready(run.listening(), Place::Host);
        init.prints("0\nready\n");
        for number in [HUP, INT, USR1, TERM] {
            init.send(number);
        }
        thread::sleep(MOMENT);
        init.started.say("go\n");
        init.finish().ends_with(6);
    }
}
