//! husk by the name of tini, dumb-init or catatonit: what those promise is asked of husk by each of
//! their names and, where it is installed, of the program itself. Here are tini and husk's own names.

use crate::husk::Run;
use crate::init::{Init, KILL, MOMENT, Place, USR1, at_once, defaults};
use crate::processes;
use crate::running::Outcome;
use crate::world::{self, Dir, Identity, everybody, tool};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;

const TINI: [&str; 3] = ["tini", "tini-static", "docker-init"];
pub const DUMB_INIT: [&str; 1] = ["dumb-init"];
pub const CATATONIT: [&str; 2] = ["catatonit", "podman-init"];

/// A program that is to keep the promises.
pub struct Stand {
    program: PathBuf,
    /// Holds it.
    _dir: Dir,
}

impl Stand {
    fn linked(who: &Identity, name: &str) -> Self {
        let dir = who.dir("names");
        let program = dir.join(name);
        symlink(world::husk(), &program).unwrap();
        Self { program, _dir: dir }
    }

    fn copied(who: &Identity, name: &str) -> Self {
        let dir = who.dir("names");
        let program = dir.join(name);
        world::copy_program(world::husk(), &program);
        Self { program, _dir: dir }
    }

    pub fn run(&self, who: &Identity, words: &[&str]) -> Run {
        Run::program(who, &self.program).words(words)
    }
}

/// Asks husk by every one of these names, linked and copied.
fn of_husk(names: &[&str], check: impl Fn(&Identity, &Stand) + Sync) {
    at_once(&stands(names), |(who, stand)| check(who, stand));
}

fn stands(names: &[&str]) -> Vec<(&'static Identity, Stand)> {
    let mut all = Vec::new();
    for who in everybody() {
        all.extend(names.iter().map(|name| (who, Stand::linked(who, name))));
        all.push((who, Stand::copied(who, names[0])));
    }
    all
}

/// Asks the program itself as well.
pub fn of_both(names: &[&str], check: impl Fn(&Identity, &Stand) + Sync) {
    let mut all = stands(names);
    for who in everybody() {
        for program in names.iter().filter_map(|name| tool(name)) {
            let dir = who.dir("peer");
            all.push((who, Stand { program, _dir: dir }));
        }
    }
    at_once(&all, |(who, stand)| check(who, stand));
}

pub fn told(outcome: Outcome, status: i32, stderr: &str) {
    assert!(
        outcome.stderr.contains(stderr),
        "no {stderr:?} in {outcome}"
    );
    outcome.ends_with(status);
}

#[test]
fn tini_has_its_statuses() {
    of_both(&TINI, |who, tini| {
        let ends = |words: &[&str], status: i32, stderr: &str| {
            told(defaults(tini.run(who, words)).output(), status, stderr);
        };
        ends(&["-s", "--", "sh", "-c", "exit 7"], 7, "");
        ends(&["-s", "--", "sh", "-c", "kill -TERM $$"], 143, "");
        ends(&["-s", "-e", "7", "--", "sh", "-c", "exit 7"], 0, "");
        ends(
            &["-s", "-e", "7", "-e", "9", "--", "sh", "-c", "exit 9"],
            0,
            "",
        );
        ends(&["-se143", "--", "sh", "-c", "kill -TERM $$"], 0, "");
        ends(&["-s", "--", "no-such-command"], 127, "[FATAL tini (");
        ends(&["-s", "--", "/etc/passwd"], 126, "[FATAL tini (");
        ends(&[], 1, "");
        ends(&["-z", "--", "true"], 1, "");
        ends(&["-e", "256", "--", "true"], 1, "");
        ends(&["-e", "x", "--", "true"], 1, "");
        ends(&["-p", "NO", "--", "true"], 1, "");
        ends(&["-c", "--", "true"], 1, "");
        ends(&["-P"], 1, "");
        ends(&["--grace", "3", "--", "true"], 1, "");
    });
}

#[test]
fn tini_has_its_version_and_help_for_docker_to_read() {
    of_both(&TINI, |who, tini| {
        let version = tini.run(who, &["--version"]).output().ends_with(0);
        assert!(version.stdout.starts_with("tini version "), "{version}");
        for word in ["-h", "-l"] {
            let outcome = tini.run(who, &[word]).output().ends_with(0);
            assert!(!outcome.stdout.is_empty(), "{outcome}");
        }
    });
}

#[test]
fn tini_signals_one_child_or_its_group() {
    of_both(&TINI, |who, tini| {
        let plain = tini.run(who, &["-s", "--"]);
        assert_eq!(reached(plain), "child");
        assert_eq!(reached(tini.run(who, &["-sg", "--"])), "both");
        for value in ["1", "0", ""] {
            let run = tini.run(who, &["-s", "--"]);
            let run = run.variable("TINI_KILL_PROCESS_GROUP", value);
            assert_eq!(reached(run), "both", "{value:?}");
        }
    });
}

/// Who gets a signal: the `child`, or `both` it and one of its process group.
pub fn reached(run: Run) -> &'static str {
    let mark = world::mark();
    let helper = world::helper().display();
    let script = format!("{helper} signals same {mark} & exec {helper} signals child {mark}");
    let init = Init::start(run.words(["/bin/sh", "-c", &script]), Place::Host);
    init.prints_in_any_order(&["child ready", "same ready"]);
    init.send(USR1);
    init.started.wait_for("child 10\n");
    thread::sleep(MOMENT);
    let both = init.started.so_far().contains("same 10\n");
    processes::kill_marked(&mark);
    drop(init.finish());
    if both { "both" } else { "child" }
}

#[test]
fn tini_gives_its_child_a_group_and_leaves_it_the_session() {
    of_both(&TINI, |who, tini| {
        let run = tini.run(who, &["-s", "--"]).word(world::helper());
        let init = Init::ready(run.word("signals"), Place::Host);
        let (group, session) = processes::group_and_session_of(init.command());
        let own = processes::group_and_session_of(init.pid);
        assert_eq!((group, session), (init.command(), own.1));
        init.kill_command().ends_with(128 + KILL);
    });
}

#[test]
fn tini_warns_of_orphans_when_it_is_asked_to() {
    let script = "(sleep 0.05 & echo $!) & wait; sleep 0.2; exit 3";
    of_both(&TINI, |who, tini| {
        let run = tini.run(who, &["-s", "-w", "--", "sh", "-c", script]);
        let outcome = run.output().ends_with(3);
        let orphan = outcome.stdout.trim();
        let mut lines = outcome.stderr.lines();
        let told = |line: &str| line.starts_with("[WARN  tini (") && line.contains(orphan);
        assert!(lines.any(told), "{outcome}");
        let quiet = tini.run(who, &["-s", "--", "sh", "-c", script]);
        assert_eq!(quiet.output().ends_with(3).stderr, "");
    });
}

#[test]
fn tini_by_husk_says_nothing_of_not_being_pid_1_and_nothing_on_standard_output() {
    of_husk(&TINI, |who, tini| {
        let outcome = tini.run(who, &["--", "true"]).output().ends_with(0);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
        let verbose = tini.run(who, &["-vvv", "--", "true"]).output().ends_with(0);
        assert_eq!(verbose.stdout, "");
        assert!(verbose.stderr.contains("[INFO  tini ("), "{verbose}");
        let run = tini.run(who, &["--", "true"]);
        let verbose = run.clone().variable("TINI_VERBOSITY", "3").output();
        assert!(verbose.stderr.contains("[INFO  tini ("), "{verbose}");
        for value in ["0", "1", "", "junk"] {
            let quiet = run.clone().variable("TINI_VERBOSITY", value).output();
            assert_eq!(quiet.stderr, "", "{value}");
        }
        // glibc's getopt(3) would take the option of the command for tini's.
        tini.run(who, &["sh", "-c", "exit 4"]).output().ends_with(4);
    });
}

#[test]
fn the_variable_has_every_option_by_any_name() {
    let names = [TINI[2], DUMB_INIT[0], CATATONIT[1]];
    of_husk(&names, |who, init| {
        let run = init.run(who, &["--", "sh", "-c", "exit 7"]);
        let run = run.variable("HUSK_INIT_OPTIONS", "--grace 1 --remap-exit 7:5");
        run.output().ends_with(5);
    });
}

#[test]
fn init_is_husk_init_without_the_word() {
    of_husk(&["init"], |who, init| {
        init.run(who, &["-g", "sh", "-c", "exit 7"])
            .output()
            .ends_with(7);
        init.run(who, &["--grace=1", "-e7:3", "--", "sh", "-c", "exit 7"])
            .output()
            .ends_with(3);
        init.run(who, &[]).output().refuses(&["command"]);
        init.run(who, &["no-such-command"])
            .output()
            .ends_with(127)
            .says(&["ENOENT"]);
        let version = init.run(who, &["--version"]).output().succeeds();
        assert!(version.starts_with("husk "), "{version}");
    });
}

#[test]
fn other_names_are_husks_own() {
    of_husk(
        &["husk", "tini2", "my-tini", "tini.sh", "Tini", "init.d"],
        |who, husk| {
            let run = husk.run(who, &["init", "--", "sh", "-c", "exit 7"]);
            run.output().ends_with(7);
            husk.run(who, &["-s", "--", "true"]).output().ends_with(125);
        },
    );
    // The name is the last part of what it was called, wherever that is.
    for who in everybody() {
        let stand = Stand::linked(who, "tini");
        let dir = stand.program.parent().unwrap();
        let path = format!("{}:{}", dir.display(), world::PATH);
        let run = Run::program(who, Path::new("/usr/bin/env"));
        let run = run.words(["tini", "--version"]).variable("PATH", path);
        assert!(run.output().succeeds().starts_with("tini version "));
    }
}
