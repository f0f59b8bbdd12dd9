//! `--pdeathsig`: a parent's death is told to an init, and an init's to its command.

use crate::husk::Run;
use crate::init::{Init, KILL, MODES, Place, TERM, at_once, send};
use crate::processes;
use crate::running::Started;
use crate::world::{self, Identity, everybody, tool};
use std::thread;
use std::time::Duration;

/// An init with a parent that the tests can kill, and its parent's parent.
fn below_a_shell(run: Run) -> Started {
    run.through(["/bin/sh", "-c", "\"$@\" & wait", "sh"])
        .start()
}

#[test]
fn the_death_of_the_parent_is_a_signal_for_the_command() {
    at_once(everybody(), |who| {
        for (word, number) in [("USR1", 10), ("SIGTERM", 15), ("10", 10), ("RTMIN+1", 35)] {
            let mark = world::mark();
            let run = Run::init(who).words(["-p", word]);
            let shell = below_a_shell(run.host_helper(["signals", "got", &mark]));
            shell.wait_for("got ready");
            send(shell.pid(), KILL);
            shell.wait_for(&format!("got {number}\n"));
            processes::kill_marked(&mark);
        }
    });
}

#[test]
fn with_a_deadly_one_nothing_outlives_the_parent() {
    at_once(everybody(), |who| {
        for mode in MODES {
            for signal in ["TERM", "KILL", "HUP"] {
                let mark = world::mark();
                let run = Run::init(who).words(mode).words(["--pdeathsig", signal]);
                let shell = below_a_shell(run.host_helper(["hold", &mark]));
                shell.wait_for("ready");
                send(shell.pid(), KILL);
                processes::none_left(&mark);
            }
        }
    });
}

#[test]
fn a_parent_that_dies_while_husk_asks_is_not_missed() {
    or_skip!(tool("strace"), "no strace(1)");
    at_once(everybody(), |who| {
        let mark = world::mark();
        let dir = who.dir("late");
        let run = Run::init(who)
            .words(["-p", "TERM"])
            .host_helper(["hold", &mark]);
        // With -D strace(1) is nobody's parent. The first prctl(2) is about being a subreaper; the
        // second waits before the kernel sees it.
        let log = dir.join("log");
        let delay = "inject=prctl:delay_enter=600000:when=2";
        let strace = [
            "strace",
            "-qq",
            "-D",
            "-e",
            delay,
            "-o",
            log.to_str().unwrap(),
            "--",
        ];
        let shell = below_a_shell(run.through(strace));
        processes::some_are_there(&mark);
        send(shell.pid(), KILL);
        thread::sleep(Duration::from_secs(1));
        processes::none_left(&mark);
    });
}

#[test]
fn the_command_dies_with_husk() {
    let dies = |who: &Identity, place: Place| {
        for mode in MODES {
            let mark = world::mark();
            let run = Run::init(who).words(mode).words(["-p", "TERM"]);
            let init = Init::ready(run.host_helper(["hold", &mark]), place);
            init.send(KILL);
            processes::none_left(&mark);
            drop(init.finish());
        }
    };
    at_once(everybody(), |who| dies(who, Place::Host));
    at_once(everybody(), |who| dies(who, Place::Pid1));
}

#[test]
fn without_it_the_command_is_its_own_and_so_is_husk() {
    at_once(everybody(), |who| {
        let mark = world::mark();
        let shell = below_a_shell(Run::init(who).host_helper(["signals", "got", &mark]));
        shell.wait_for("got ready");
        send(shell.pid(), KILL);
        thread::sleep(Duration::from_millis(200));
        assert_eq!(shell.so_far(), "got ready\n");
        assert_eq!(processes::marked(&mark).len(), 2);
        let husk = processes::marked(&mark).into_iter();
        let husk = husk.map(|process| process.pid).min().unwrap();
        send(husk, TERM);
        shell.wait_for("got 15\n");
        processes::kill_marked(&mark);
    });
}
