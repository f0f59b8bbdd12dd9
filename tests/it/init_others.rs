//! husk by the names of dumb-init and catatonit.

use crate::init::{CONT, INT, Init, KILL, MOMENT, Place, TERM, TSTP, TTIN, TTOU, defaults};
use crate::init_names::{CATATONIT, DUMB_INIT, of_both, reached, told};
use crate::processes;
use crate::world;
use std::thread;

#[test]
fn dumb_init_has_its_statuses() {
    of_both(&DUMB_INIT, |who, dumb| {
        let ends = |words: &[&str], status: i32, stderr: &str| {
            told(defaults(dumb.run(who, words)).output(), status, stderr);
        };
        ends(&["sh", "-c", "exit 7"], 7, "");
        ends(&["--", "sh", "-c", "exit 7"], 7, "");
        ends(&["sh", "-c", "kill -TERM $$"], 143, "");
        ends(&["no-such-command"], 2, "[dumb-init] ");
        ends(&["/etc/passwd"], 2, "[dumb-init] ");
        ends(&[], 1, "");
        ends(&["-z", "true"], 1, "");
        ends(&["-g", "true"], 1, "");
        ends(&["-r", "15", "true"], 1, "");
        ends(&["-r", "x:3", "true"], 1, "");
        ends(&["--grace", "1", "true"], 1, "");
        for words in [["-V"], ["--version"]] {
            let outcome = dumb.run(who, &words).output().ends_with(0);
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(text.starts_with("dumb-init v"), "{text}");
        }
        for words in [["-h"], ["--help"]] {
            let outcome = dumb.run(who, &words).output().ends_with(0);
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(text.contains("dumb-init"), "{text}");
        }
        ends(&["-v", "true"], 0, "[dumb-init] ");
        ends(&["--verbose", "true"], 0, "[dumb-init] ");
        let debug = dumb.run(who, &["true"]).variable("DUMB_INIT_DEBUG", "1");
        told(debug.output(), 0, "[dumb-init] ");
        let quiet = dumb.run(who, &["true"]).variable("DUMB_INIT_DEBUG", "0");
        assert_eq!(quiet.output().ends_with(0).stderr, "");
    });
}

#[test]
fn dumb_init_signals_a_session_or_one_child() {
    of_both(&DUMB_INIT, |who, dumb| {
        assert_eq!(reached(dumb.run(who, &[])), "both");
        assert_eq!(reached(dumb.run(who, &["-c"])), "child");
        assert_eq!(reached(dumb.run(who, &["--single-child"])), "child");
        let with = |value| dumb.run(who, &[]).variable("DUMB_INIT_SETSID", value);
        assert_eq!(reached(with("0")), "child");
        assert_eq!(reached(with("1")), "both");
        for (words, own) in [(&[][..], true), (&["-c"], false)] {
            let run = dumb.run(who, words).word(world::helper());
            let init = Init::ready(run.word("signals"), Place::Host);
            let command = init.command();
            let expected = if own {
                (command, command)
            } else {
                processes::group_and_session_of(init.pid)
            };
            assert_eq!(processes::group_and_session_of(command), expected);
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn dumb_init_rewrites_by_number() {
    of_both(&DUMB_INIT, |who, dumb| {
        for (words, sent, expected) in [
            (&["-r", "15:3"][..], TERM, "3"),
            (&["--rewrite", "15:3"], TERM, "3"),
            (&["--rewrite=15:10", "-r", "2:0"], TERM, "10"),
            (&["-r", "15:3", "-r", "3:10"], TERM, "3"),
        ] {
            let run = dumb.run(who, words).word(world::helper());
            let init = Init::ready(run.word("signals"), Place::Host);
            init.send(sent);
            init.prints(&format!("ready\n{expected}\n"));
            if words.contains(&"2:0") {
                init.send(INT);
                thread::sleep(MOMENT);
                init.prints(&format!("ready\n{expected}\n"));
            }
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn dumb_init_tells_the_group_of_its_child_that_this_has_ended() {
    of_both(&DUMB_INIT, |who, dumb| {
        for (words, signal) in [
            (&[][..], "TERM"),
            (&["-r", "15:10"], "USR1"),
            (&["-r", "15:0"], ""),
        ] {
            let script = "(trap 'echo TERM; exit' TERM; trap 'echo USR1; exit' USR1; echo set; \
                          n=0; while [ $n -lt 50 ]; do sleep 0.02; n=$((n+1)); done) & \
                          read go; exit 3";
            let run = dumb.run(who, words).words(["sh", "-c", script]);
            let mut init = Init::start(defaults(run).listening(), Place::Host);
            init.started.wait_for("set");
            init.started.say("go\n");
            let outcome = init.finish();
            let told = outcome.stdout.strip_prefix("set\n").unwrap().trim();
            assert_eq!(told, signal, "{words:?}");
            outcome.ends_with(3);
        }
    });
}

#[test]
fn dumb_init_stops_with_its_session() {
    of_both(&DUMB_INIT, |who, dumb| {
        for number in [TSTP, TTIN, TTOU] {
            let run = dumb.run(who, &[]).word(world::helper());
            let init = Init::ready(run.word("signals"), Place::Host);
            let command = init.command();
            init.send(number);
            processes::wait_for_state(command, Some('T'));
            processes::wait_for_state(init.pid, Some('T'));
            init.send(CONT);
            init.prints(&format!("ready\n{CONT}\n"));
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn catatonit_has_its_statuses() {
    of_both(&CATATONIT, |who, catatonit| {
        let ends = |words: &[&str], status: i32, stderr: &str| {
            told(defaults(catatonit.run(who, words)).output(), status, stderr);
        };
        ends(&["--", "sh", "-c", "exit 7"], 7, "");
        ends(&["--", "sh", "-c", "kill -TERM $$"], 143, "");
        ends(&["--", "no-such-command"], 1, "ERROR (catatonit:");
        ends(&["--", "/etc/passwd"], 1, "ERROR (catatonit:");
        ends(&[], 1, "ERROR (catatonit:");
        ends(&["-z", "--", "true"], 1, "");
        ends(&["-s", "--", "true"], 1, "");
        ends(&["-e", "7", "--", "true"], 1, "");
        for words in [["-V"], ["--version"]] {
            let version = catatonit.run(who, &words).output().ends_with(0);
            assert!(version.stdout.starts_with("tini version "), "{version}");
        }
        for words in [["-h"], ["-L"]] {
            let outcome = catatonit.run(who, &words).output().ends_with(0);
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(!text.is_empty(), "{outcome}");
        }
        let debug = catatonit.run(who, &["--", "true"]);
        let debug = debug.variable("CATATONIT_DEBUG", "1").output();
        told(debug, 0, "DEBUG (catatonit:");
    });
}

#[test]
fn catatonit_signals_one_child_or_its_group() {
    of_both(&CATATONIT, |who, catatonit| {
        assert_eq!(reached(catatonit.run(who, &["--"])), "child");
        assert_eq!(reached(catatonit.run(who, &["-g", "--"])), "both");
    });
}

#[test]
fn catatonit_pauses_until_term_or_int() {
    of_both(&CATATONIT, |who, catatonit| {
        for last in [TERM, INT] {
            let init = Init::start(catatonit.run(who, &["-P"]), Place::Host);
            // Both block the signals in less.
            thread::sleep(3 * MOMENT);
            for number in [1, 3, 10, 14, 34] {
                init.send(number);
            }
            thread::sleep(MOMENT);
            processes::wait_for_state(init.pid, Some('S'));
            init.send(last);
            init.finish().ends_with(0);
        }
    });
}
