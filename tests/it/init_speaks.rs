//! What an init says, which is nothing until it is asked, and never on standard output.

use crate::husk::Run;
use crate::init::{Init, TERM, USR1, at_once, defaults, everywhere};
use crate::world::{everybody, tool};
use std::fs;

#[test]
fn it_says_nothing_of_itself() {
    at_once(&everywhere(), |(who, place)| {
        for option in ["-g", "--session", "--all", "-s", "--wait-all", "--grace=1"] {
            let run = Run::init(who).word(option).sh("(true &); exit 3");
            let outcome = run.in_place(*place).output();
            assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
            outcome.ends_with(3);
        }
    });
}

#[test]
fn once_verbose_it_tells_the_life_of_the_command() {
    at_once(&everywhere(), |(who, place)| {
        for words in [&["-v"][..], &["--verbose"], &[]] {
            let run = Run::init(who).words(words);
            let run = match words {
                [] => run.variable("DUMB_INIT_DEBUG", "0"),
                _ => run,
            };
            let run = run.host_helper(["signals"]);
            let init = Init::ready(run, *place);
            init.send(USR1);
            init.prints("ready\n10\n");
            let outcome = init.kill_command();
            assert_eq!(outcome.stdout, "ready\n10\n");
            let lines: Vec<&str> = outcome.stderr.lines().collect();
            if words.is_empty() {
                assert_eq!(outcome.stderr, "");
                continue;
            }
            assert!(
                lines.iter().all(|line| line.starts_with("husk: ")),
                "{outcome}"
            );
            let [started, sent, ended] = lines[..] else {
                panic!("{outcome}");
            };
            assert!(started.contains("helper"), "{outcome}");
            assert!(sent.contains("SIGUSR1"), "{outcome}");
            assert!(ended.contains("SIGKILL"), "{outcome}");
        }
    });
}

#[test]
fn twice_verbose_it_tells_of_every_orphan_and_why() {
    let script = "(sh -c 'sleep 0.1; exit 5' &); (sh -c 'sleep 0.1; kill -HUP $$' &); \
                  sleep 0.4; exit 3";
    at_once(&everywhere(), |(who, place)| {
        let with = |words: &[&str]| {
            let run = defaults(Run::init(who).words(words).sh(script));
            run.in_place(*place).output().ends_with(3).stderr
        };
        for words in [&["-vv"][..], &["-v", "-v"], &["-w"], &["--warn-reaped"]] {
            let said = with(words);
            let orphans: Vec<&str> = said
                .lines()
                .filter(|line| line.contains("orphan"))
                .collect();
            assert_eq!(orphans.len(), 2, "{said}");
            assert!(
                orphans.iter().any(|line| line.contains("status 5")),
                "{said}"
            );
            assert!(orphans.iter().any(|line| line.contains("SIGHUP")), "{said}");
        }
        assert!(!with(&["-v"]).contains("orphan"));
    });
}

#[test]
fn the_end_of_the_grace_is_told() {
    at_once(&everywhere(), |(who, place)| {
        let run = Run::init(who)
            .words(["-v", "--grace", "1"])
            .host_helper(["signals"]);
        let init = Init::ready(run, *place);
        init.send(TERM);
        let outcome = init.finish().ends_with(137);
        assert!(outcome.stderr.contains("grace"), "{outcome}");
    });
}

#[test]
fn what_the_kernel_refuses_is_one_line_and_no_end() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("refused");
        for errno in ["EPERM", "ENOSYS", "EINVAL"] {
            let log = dir.join("log");
            let inject = format!("inject=prctl:error={errno}:when=1");
            let run = Run::init(who).sh("exit 3");
            let outcome = run
                .traced(&log, ["-qq", "-b", "execve", "-e", &inject])
                .output();
            assert!(fs::read_to_string(&log).unwrap().contains("(INJECTED)"));
            outcome.ends_with(3).says(&["subreaper", errno]);
        }
    }
}

#[test]
fn strange_bytes_of_the_caller_are_no_commands_to_a_terminal() {
    for who in everybody() {
        let words = ["-v", "--", "/no/such\x1b[31m/\n\x07command"];
        let outcome = Run::init(who).words(words).output();
        assert!(outcome.is_one_line_of_husk(), "{outcome}");
        assert!(
            !outcome
                .stderr
                .trim_end()
                .contains(|byte: char| byte.is_control())
        );
        outcome.ends_with(127);
    }
}
