//! `husk init` in a PID namespace that somebody else made, in `husk run`, and bare on the host.

use crate::husk::Run;
use crate::processes::{self, Container, ORPHAN};
use crate::terminal::Terminal;
use crate::world::{self, Identity, everybody};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// `unshare -pf --mount-proc husk init WORD…`, with a user namespace where that is needed. A shell
/// cannot trap what was ignored when the tests started.
fn as_pid_1<'a>(who: &Identity, words: impl IntoIterator<Item = &'a str>) -> Run {
    let flags = if who.is_root() { "-pf" } else { "-Urpf" };
    let run = Run::husk(who).word("init").words(words);
    let unshare = ["unshare", "--kill-child", "--mount-proc", flags];
    run.through(unshare).through(["env", "--default-signal"])
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn it_is_pid_1_of_a_namespace() {
    for who in everybody() {
        let script =
            format!("test $PPID = 1 && readlink /proc/1/exe; echo /proc/[0-9]*; {ORPHAN}; exit 7");
        let out = as_pid_1(who, ["--", "/bin/sh", "-c", &script]).output();
        assert_eq!(out.stderr, "", "{out}");
        let husk = world::husk().display();
        let expected = format!("{husk}\n/proc/1 /proc/2\nadopted\nreaped\n");
        assert_eq!(out.ends_with(7).stdout, expected);
    }
}

#[test]
fn its_status_is_the_commands_in_a_namespace() {
    for who in everybody() {
        let commands: [(&[&str], i32); 5] = [
            (&["true"], 0),
            (&["sh", "-c", "exit 200"], 200),
            (&["sh", "-c", "kill -9 $$"], 137),
            (&["/no/such"], 127),
            (&["/etc/passwd"], 126),
        ];
        for (words, status) in commands {
            let outcome = as_pid_1(who, words.iter().copied())
                .output()
                .ends_with(status);
            let expected = usize::from(status == 126 || status == 127);
            assert_eq!(outcome.stderr.lines().count(), expected, "{outcome}");
        }
    }
}

#[test]
fn signals_from_outside_a_namespace_are_passed_on() {
    let script = "trap 'echo got TERM; exit 3' TERM; trap 'echo got HUP' HUP; trap 'echo got USR2' USR2; \
                  echo ready; while :; do sleep 0.05; done";
    for who in everybody() {
        let started = as_pid_1(who, ["--", "/bin/sh", "-c", script]).start();
        started.wait_for("ready");
        let init = Container::of(started.pid()).init;
        for (sent, line) in [(Signal::HUP, "got HUP"), (Signal::USR2, "got USR2")] {
            signal(init, sent);
            started.wait_for(line);
        }
        signal(init, Signal::TERM);
        let out = started.finish().ends_with(3);
        assert_eq!(out.stdout, "ready\ngot HUP\ngot USR2\ngot TERM\n");
    }
}

#[test]
fn a_signal_that_nobody_handles_ends_the_command_and_the_namespace() {
    for who in everybody() {
        let mark = world::mark();
        let helper = world::helper().to_str().unwrap();
        let started = as_pid_1(who, ["--", helper, "spawn", "3", &mark]).start();
        started.wait_for("ready");
        signal(Container::of(started.pid()).init, Signal::TERM);
        started.finish().ends_with(143);
        processes::none_left(&mark);
    }
}

#[test]
fn killing_it_leaves_nothing_in_a_namespace() {
    for who in everybody() {
        let mark = world::mark();
        let helper = world::helper().to_str().unwrap();
        let started = as_pid_1(who, ["--", helper, "spawn", "3", &mark]).start();
        started.wait_for("ready");
        signal(Container::of(started.pid()).init, Signal::KILL);
        drop(started.finish());
        processes::none_left(&mark);
    }
}

#[test]
fn in_a_container_of_husks_own_it_is_one_more_init() {
    for who in everybody() {
        let husk = world::husk().to_str().unwrap();
        // PID 1 is the container's; this init is its child, and adopts what is below it.
        let script = format!("echo $PPID; grep ^PPid /proc/$PPID/status; {ORPHAN}; exit 7");
        let run = Run::new(who).words(["--", husk, "init", "--", "/bin/sh", "-c", &script]);
        let out = run.output();
        assert_eq!(out.stderr, "", "{out}");
        assert_eq!(out.ends_with(7).stdout, "2\nPPid:\t1\nadopted\nreaped\n");
    }
}

#[test]
fn a_signal_passes_through_both_inits() {
    for who in everybody() {
        let husk = world::husk().to_str().unwrap();
        let script = "trap 'echo got TERM; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
        let run = Run::new(who).words(["--", husk, "init", "--", "/bin/sh", "-c", script]);
        let started = run.through(["env", "--default-signal"]).start();
        started.wait_for("ready");
        started.signal(Signal::TERM);
        assert_eq!(started.finish().ends_with(3).stdout, "ready\ngot TERM\n");
    }
}

/// `husk init WORD…` as any program of the host's.
fn bare<'a>(who: &Identity, words: impl IntoIterator<Item = &'a str>) -> Run {
    Run::husk(who).word("init").words(words)
}

#[test]
fn bare_on_the_host_it_adopts_orphans_and_says_nothing() {
    for who in everybody() {
        for words in [&[][..], &["-s"], &["--subreaper"]] {
            let words = words.iter().copied().chain(["--", "/bin/sh", "-c", ORPHAN]);
            let out = bare(who, words).output();
            assert_eq!(out.stderr, "", "{out}");
            assert_eq!(out.succeeds(), "adopted\nreaped\n");
        }
    }
}

#[test]
fn bare_on_the_host_what_outlives_the_command_goes_to_the_next_reaper() {
    for who in everybody() {
        let mark = world::mark();
        let helper = world::helper().to_str().unwrap();
        let script = format!("{helper} hold {mark} >/dev/null 2>&1 & sleep 0.1; exit 5");
        bare(who, ["/bin/sh", "-c", &script]).output().ends_with(5);
        let left = processes::marked(&mark);
        processes::kill_marked(&mark);
        assert_eq!(left.len(), 1, "{left:#?}");
        processes::none_left(&mark);
    }
}

#[test]
fn where_it_may_not_adopt_it_says_so_and_goes_on() {
    for who in everybody() {
        let dir = who.dir("log");
        let options = ["-e", "trace=prctl", "-e", "inject=prctl:error=EPERM"];
        let run = bare(who, ["--", "/bin/sh", "-c", "echo here; exit 4"]);
        let outcome = run.traced(&dir.join("log"), options).output().ends_with(4);
        assert_eq!(outcome.stdout, "here\n");
        outcome.says(&["subreaper", "EPERM"]);
        let log = fs::read_to_string(dir.join("log")).unwrap();
        assert!(log.contains("PR_SET_CHILD_SUBREAPER"), "{log}");
    }
}

#[test]
fn as_pid_1_it_does_not_ask_to_be_a_subreaper() {
    let who = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let dir = who.dir("log");
    let log = dir.join("log");
    let run = as_pid_1(who, ["--", "/bin/true"]);
    let run = run.traced(&log, ["-f", "-e", "trace=prctl"]);
    drop(run.output().ends_with(0));
    let log = fs::read_to_string(&log).unwrap();
    assert!(!log.contains("SUBREAPER"), "{log}");
}

#[test]
fn on_a_terminal_in_a_namespace_keys_reach_the_command_once() {
    for who in everybody() {
        let dir = who.dir("script");
        let script = dir.join("script");
        let text = "#!/bin/sh\ntrap 'n=$((n+1)); echo got INT $n' INT\ntest -t 0 && echo ready\n\
                    while test \"$n\" != 3; do sleep 0.05; done; exit 9\n";
        who.write(&script, text, 0o755);
        for options in [&[][..], &["--session"], &["--single-child"], &["--group"]] {
            let words = options.iter().copied().chain([script.to_str().unwrap()]);
            let mut terminal = or_skip!(Terminal::of(who), "no bash: apt install bash");
            let typed = as_pid_1(who, words).typed();
            terminal.line(&format!("{typed}; echo \"status $?\""));
            terminal.wait_for("ready");
            for number in ["1", "2"] {
                terminal.enter("\x03");
                terminal.wait_for(&format!("got INT {number}"));
                assert!(!terminal.after_a_moment().contains("got"), "{options:?}");
            }
            terminal.enter("\x03");
            terminal.wait_for("status 9");
            terminal.wait_for("$ ");
            assert!(terminal.shell_is_in_the_foreground(), "{options:?}");
        }
    }
}

#[test]
fn only_pid_1_is_the_init_of_a_machine() {
    for who in everybody() {
        for option in ["--on-exit=poweroff", "--boot"] {
            let run = Run::husk(who).words(["init", option, "--", "echo", "ran"]);
            // Whoever runs the tests keeps the machine, even if husk should try.
            let setpriv = [
                "setpriv",
                "--bounding-set=-sys_boot",
                "--inh-caps=-sys_boot",
            ];
            let run = if who.is_root() {
                run.through(setpriv)
            } else {
                run
            };
            run.output().refuses(&["--boot", "--on-exit", "PID 1"]);
        }
    }
}
