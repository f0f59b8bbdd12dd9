//! The table `[init]` of a file: the options of `husk init`, for it and for `husk run`.

use crate::husk::Run;
use crate::init::{Init, KILL, Place, TERM, USR1, defaults};
use crate::world::{Dir, Identity, everybody};
use std::time::{Duration, Instant};

/// `husk init --config FILE`.
fn init_with(who: &Identity, dir: &Dir, text: &str) -> Run {
    let file = dir.join("box.toml");
    who.write(&file, text, 0o644);
    Run::husk(who).words(["init", "--config"]).word(&file)
}

#[test]
fn every_key_is_an_option_of_husk_init() {
    for who in everybody() {
        let dir = who.dir("table");
        let ends = |text: &str, script: &str, status: i32| {
            let text = format!("[init]\n{text}\n");
            let run = defaults(init_with(who, &dir, &text).sh(script));
            run.output().ends_with(status)
        };
        ends("remap_exit = [\"7\"]", "exit 7", 0);
        ends("remap_exit = [\"7:3\", \"8:4\"]", "exit 8", 4);
        ends("remap_exit = \"7:3\"", "exit 7", 3);
        ends("remap_exit = 7", "exit 7", 0);
        ends("remap_exit = 143", "kill -TERM $$", 0);
        ends("group = true\nall = false", "exit 7", 7);
        ends("session = true", "exit 7", 7);
        ends("no_tty = true\nsubreaper = true", "exit 7", 7);
        ends("single_child = true\nwait_all = true", "exit 7", 7);
        ends("pdeathsig = \"TERM\"\ndrain = 3\ngrace = 5", "exit 7", 7);
        ends(
            "stop_signal = \"RTMIN+3\"\nrewrite = [\"15:3\", \"HUP:0\"]",
            "exit 7",
            7,
        );
        ends("stop_signal = 10\nboot = false", "exit 7", 7);
        let said = ends("verbose = true", "exit 7", 7).stderr;
        assert!(said.lines().count() >= 2, "{said}");
        let said = ends("verbose = 2\nwarn_reaped = true", "(true &); sleep 0.1", 0).stderr;
        assert!(said.contains("orphan"), "{said}");
        assert_eq!(ends("verbose = false", "exit 7", 7).stderr, "");
    }
}

#[test]
fn signals_are_what_the_table_makes_of_them() {
    for who in everybody() {
        let dir = who.dir("table");
        let text = "[init]\nrewrite = [\"USR1:USR2\"]\nstop_signal = \"QUIT\"\ngrace = 1\n";
        let init = Init::ready(
            init_with(who, &dir, text).host_helper(["signals"]),
            Place::Host,
        );
        init.send(USR1);
        let start = Instant::now();
        init.send(TERM);
        let (outcome, took) = init.finish_timed(start);
        assert_eq!(outcome.stdout.matches('\n').count(), 3, "{outcome}");
        assert!(outcome.stdout.contains("12\n") && outcome.stdout.contains("3\n"));
        outcome.ends_with(128 + KILL);
        assert!(took > Duration::from_millis(900), "{took:?}");
    }
}

#[test]
fn options_override_the_table_and_the_rest_of_the_file_is_not_for_husk_init() {
    for who in everybody() {
        let dir = who.dir("table");
        let text = "hostname = \"box\"\ncommand = [\"false\"]\n[init]\nremap_exit = [\"7:3\"]\n";
        let run = init_with(who, &dir, text);
        run.clone().sh("exit 7").output().ends_with(3);
        run.clone()
            .words(["-e", "7:4"])
            .sh("exit 7")
            .output()
            .ends_with(4);
        // In whichever order they are said.
        let file = dir.join("box.toml");
        let run = Run::husk(who).words(["init", "-e", "7:4", "--config"]);
        run.word(&file).sh("exit 7").output().ends_with(4);
        let run = Run::husk(who)
            .words(["init", "--config"])
            .word(&file)
            .sh("exit 7");
        run.clone()
            .variable("HUSK_INIT_OPTIONS", "-e 7:5")
            .output()
            .ends_with(5);
        // Without a word of it no file is read.
        who.write(&dir.join("husk.toml"), text, 0o644);
        let run = Run::husk(who).words(["init"]).within(dir.path());
        run.sh("exit 7").output().ends_with(7);
    }
}

#[test]
fn husk_run_has_the_same_table_for_its_pid_1() {
    for who in everybody() {
        let dir = who.dir("table");
        let run = |text: &str| Run::config(who, &dir, &format!("[init]\n{text}\n"));
        run("remap_exit = [\"7:3\"]")
            .sh("exit 7")
            .output()
            .ends_with(3);
        let deaf = "trap '' TERM; echo ready; while :; do sleep 0.02; done";
        let started = defaults(run("grace = 1").sh(deaf)).start();
        started.wait_for("ready");
        started.signal(rustix::process::Signal::TERM);
        started.finish().ends_with(128 + KILL);
        // What it leaves behind has time to tidy up.
        let script = "setsid sh -c 'trap \"sleep 0.2; echo tidy; exit\" TERM; echo set >&2; \
                      while :; do sleep 0.02; done' & sleep 0.3; exit 5";
        let outcome = defaults(run("grace = 10").sh(script)).output().ends_with(5);
        assert_eq!(outcome.stdout, "tidy\n", "{outcome}");
        let outcome = run("wait_all = true")
            .sh("(sleep 0.3; echo late) & exit 6")
            .output();
        assert_eq!(outcome.ends_with(6).stdout, "late\n");
        // The same as flags.
        let flags = Run::new(who).words(["--grace", "10", "--remap-exit", "7:3"]);
        flags.sh("exit 7").output().ends_with(3);
    }
}

#[test]
fn what_is_about_another_place_is_refused_by_husk_run() {
    for who in everybody() {
        let dir = who.dir("table");
        for line in [
            "session = true",
            "no_tty = true",
            "single_child = true",
            "pdeathsig = \"TERM\"",
            "pause = true",
            "boot = true",
            "on_exit = \"poweroff\"",
        ] {
            let run = Run::config(who, &dir, &format!("[init]\n{line}\n")).sh("true");
            let key = line.split(' ').next().unwrap();
            run.output().refuses(&[key]);
        }
    }
}

#[test]
fn what_cannot_be_meant_is_told_with_its_line_and_column() {
    let cases = [
        ("[init]\ngrace = \"x\"\n", "2:9", "grace"),
        ("[init]\ngrace = true\n", "2:9", "grace"),
        ("[init]\ngrace = -1\n", "2:9", "grace"),
        ("[init]\ngrace = 1.5\n", "2:9", "grace"),
        ("[init]\n\ngrase = 3\n", "3:1", "grace"),
        ("[init]\nwait-all = true\n", "2:1", "wait_all"),
        ("[init]\ngroup = 1\n", "2:9", "group"),
        ("[init]\ngroup = \"true\"\n", "2:9", "group"),
        ("[init]\nstop_signal = \"NO\"\n", "2:15", "NO"),
        ("[init]\nstop_signal = 65\n", "2:15", "64"),
        ("[init]\nstop_signal = 0\n", "2:15", "64"),
        ("[init]\nrewrite = [\"15:3\", \"15\"]\n", "2:20", "\"15\""),
        ("[init]\nrewrite = [\"15:3\", 4]\n", "2:20", "rewrite"),
        ("[init]\nrewrite = 15\n", "2:11", "FROM:TO"),
        ("[init]\nrewrite = [\"NO:3\"]\n", "2:12", "NO"),
        ("[init]\nremap_exit = 256\n", "2:14", "255"),
        ("[init]\nremap_exit = [\"7:256\"]\n", "2:15", "256"),
        ("[init]\non_exit = \"explode\"\n", "2:11", "poweroff"),
        ("[init]\ngrace = 1\ngrace = 2\n", "3:1", "grace"),
        ("[inti]\ngrace = 1\n", "1:2", "init"),
        ("init = 3\n", "1:8", "init"),
        ("[[init]]\ngrace = 1\n", "1:", "init"),
        ("[init.grace]\nx = 1\n", "1:", "init"),
        ("[init]\ngrace = \n", "2:9", ""),
    ];
    for who in everybody() {
        let dir = who.dir("table");
        for (text, position, word) in cases {
            for run in [init_with(who, &dir, text), Run::config(who, &dir, text)] {
                let outcome = run.sh("true").output();
                outcome.refuses(&[&format!("box.toml:{position}"), word]);
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for who in everybody() {
        let dir = who.dir("table");
        let init = |path: &str| Run::husk(who).words(["init", "--config", path, "--", "true"]);
        init("/no/such/file")
            .output()
            .refuses(&["/no/such/file", "ENOENT"]);
        init(dir.text()).output().refuses(&[dir.text()]);
        init("").output().refuses(&[]);
    }
}
