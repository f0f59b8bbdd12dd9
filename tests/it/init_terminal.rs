//! What a terminal sends reaches the command of `husk init` once, in every way that it is run.

use crate::init_ways::{Bench, NO_PERL, each_comes_once, husk_of, peers, ways};
use crate::processes;
use crate::terminal::{NO_BASH, Terminal};
use crate::world::{self, everybody};
use std::fs;
use std::thread;
use std::time::Duration;

const READY: [&str; 2] = ["command: ready\r\n", "child: ready\r\n"];

#[test]
fn keys_sizes_and_signals_reach_the_command_exactly_once() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        for way in ways().chain(peers()) {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            terminal.line(&bench.typed(way, &[&count, &mark]));
            terminal.wait_for_all(&READY);
            each_comes_once(&mut terminal, way, husk_of(&mark));
            terminal.wait_for("$ ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 3.\r\n");
        }
    }
}

#[test]
fn they_come_once_in_a_pipeline_too() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let run = bench.typed(way, &[&count, &mark]);
            // What comes after the pipe must outlive the keys.
            terminal.line(&format!("{run} | (trap '' INT QUIT; cat)"));
            terminal.wait_for_all(&READY);
            each_comes_once(&mut terminal, way, husk_of(&mark));
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn they_come_once_in_a_script_too_and_the_script_gets_them_as_well() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let run = bench.typed(way, &[&count, &mark]);
            terminal.line(&bench.script(&format!("trap : INT QUIT; {run}; echo over $?.")));
            terminal.wait_for_all(&READY);
            each_comes_once(&mut terminal, way, husk_of(&mark));
            terminal.wait_for("over 3.\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn ctrl_c_in_its_first_moments_is_not_lost() {
    for who in everybody() {
        let bench = Bench::of(who);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            for step in 0..30 {
                terminal.line(&bench.typed(way, &["sleep", "60"]));
                // From here on the key is husk's.
                while !has_been_executed(&terminal) {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_micros(2) * step * step);
                terminal.enter("\x03");
                terminal.line(&format!("echo step $(({step} + 0))."));
                terminal.wait_for(&format!("step {step}.\r\n"));
                terminal.wait_for("$ ");
            }
        }
    }
}

#[test]
fn ctrl_z_in_its_first_moments_does_not_stop_it_for_good() {
    for who in everybody() {
        let bench = Bench::of(who);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            for step in 0..30 {
                terminal.line(&bench.typed(way, &["sleep", "60"]));
                while !has_been_executed(&terminal) {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_micros(2) * step * step);
                terminal.suspend();
                terminal.wait_for("$ ");
                terminal.line("kill %%; wait");
                terminal.wait_for("$ ");
            }
        }
    }
}

/// Whether the shell's job is more than a copy of the shell.
fn has_been_executed(terminal: &Terminal) -> bool {
    let shell = terminal.leader();
    let job = processes::foreground_of(shell).filter(|job| *job != shell);
    let program = |pid| fs::read_link(format!("/proc/{pid}/exe")).ok();
    job.is_some_and(|job| program(job) != program(shell))
}
