//! The first milliseconds of an init: no signal is lost in them, and the command is started with
//! just the signal mask and the dispositions that the init was.

use crate::husk::Run;
use crate::init::{
    Init, KILL, MODES, Place, TERM, at_once, defaults, everywhere, wait_until_it_blocks,
};
use crate::processes;
use crate::running::Started;
use crate::world::{self, Identity, everybody};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 20;

/// Starts it from a program that has every signal blocked.
fn from_blocked(run: Run, place: Place) -> Started {
    let helper = world::helper().to_str().unwrap();
    let started = run.in_place(place).through([helper, "blocked"]).start();
    started.wait_for("blocked");
    started
}

/// The process that is, or will be, the init.
fn init_of(started: &Started, place: Place) -> u32 {
    match place {
        Place::Host => started.pid(),
        Place::Pid1 => processes::soon_only_child(started.pid()),
    }
}

#[test]
fn nothing_is_lost_that_was_sent_as_soon_as_its_pid_was_known() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            for _ in 0..ROUNDS {
                let run = Run::init(who).words(mode).host_helper(["signals"]);
                let started = from_blocked(run, *place);
                let pid = init_of(&started, *place);
                for number in [TERM, 40, 40, 40] {
                    crate::init::send(pid, number);
                }
                started.wait_for("ready\n15\n40\n40\n40\n");
                let init = Init::of(started, pid);
                init.kill_command().ends_with(128 + KILL);
            }
        }
    });
}

#[test]
fn nothing_is_lost_once_husk_blocks_signals() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            for _ in 0..ROUNDS {
                let run = Run::init(who).words(mode).words(["--", "sleep", "20"]);
                let init = Init::start(defaults(run), *place);
                wait_until_it_blocks(init.pid);
                init.send(TERM);
                init.finish().ends_with(128 + TERM);
            }
        }
    });
}

#[test]
fn one_that_comes_before_that_ends_husk_and_leaves_nothing() {
    at_once(everybody(), |who| {
        let mark = world::mark();
        for mode in MODES {
            for step in 0..40 {
                let run = Run::init(who).words(mode).host_helper(["hold", &mark]);
                let started = defaults(run).start();
                thread::sleep(Duration::from_micros(step * 100));
                crate::init::send(started.pid(), TERM);
                let outcome = started.finish();
                let told = matches!(outcome.status.code(), None | Some(143));
                assert!(told, "after {} µs: {outcome}", step * 100);
            }
        }
        processes::none_left(&mark);
    });
}

/// The lines about signals in /proc/self/status of what is started.
fn signal_lines(run: Run, place: Place) -> String {
    let run = run.in_place(place);
    let out = run.output();
    out.ends_with(0).stdout
}

const GREP: [&str; 3] = ["grep", "^Sig[BIC]", "/proc/self/status"];

#[test]
fn the_command_has_the_callers_mask_and_dispositions() {
    let blocked = "--block-signal=USR2,TERM,CHLD,TSTP,TTOU,RTMIN,RTMAX";
    let ignored = "--ignore-signal=HUP,USR1,QUIT,PIPE,TTIN,RTMIN+1";
    at_once(&everywhere(), |(who, place)| {
        for changed in [&[blocked][..], &[ignored], &[blocked, ignored], &[]] {
            let env = ["env", "--default-signal"];
            let env: Vec<&str> = env.iter().chain(changed).copied().collect();
            let bare = Run::program(who, &world::tool("grep").unwrap()).words(&GREP[1..]);
            let bare = signal_lines(bare.through(&env), *place);
            for mode in MODES {
                let run = Run::init(who).words(mode).word("--").words(GREP);
                let under = signal_lines(run.through(&env), *place);
                assert_eq!(under, bare, "{} {place:?} {mode:?}", who.name);
            }
        }
    });
}

#[test]
fn all_64_stay_blocked_for_the_command_of_a_caller_that_blocks_them() {
    at_once(&everywhere(), |(who, place)| {
        let run = Run::init(who).word("--").words(GREP);
        let outcome = from_blocked(run, *place).finish();
        let blocked = processes::field(&outcome.stdout, "SigBlk");
        // But for SIGKILL and SIGSTOP; unshare(1) unblocks the two that glibc keeps for itself.
        let expected = match place {
            Place::Host => "fffffffffffbfeff",
            Place::Pid1 => "fffffffe7ffbfeff",
        };
        assert_eq!(blocked, expected, "{outcome}");
        outcome.ends_with(0);
    });
}

#[test]
fn an_ignored_or_blocked_child_signal_hides_no_end_and_is_no_legacy() {
    at_once(&everywhere(), |(who, place)| {
        for option in ["--ignore-signal=CHLD", "--block-signal=CHLD"] {
            for mode in MODES {
                let run = Run::init(who).words(mode);
                let start = Instant::now();
                let script = "sleep 0.01; grep SigIgn /proc/self/status; exit 7";
                let outcome = run
                    .sh(script)
                    .through(["env", option])
                    .in_place(*place)
                    .output();
                // SIGCHLD is 17, bit 16.
                let ignored = processes::field(&outcome.stdout, "SigIgn");
                let ignored = u64::from_str_radix(&ignored, 16).unwrap();
                assert_eq!(ignored & 1 << 16, 0, "{outcome}");
                outcome.ends_with(7);
                assert!(start.elapsed() < Duration::from_secs(1));
            }
        }
    });
}

#[test]
fn a_command_that_ends_at_once_has_its_status_told_every_time() {
    at_once(&everywhere(), |(who, place)| {
        for round in 0..50 {
            let status = [0, 1, 127, 255][round % 4];
            let script = format!("exit {status}");
            let run = Run::init(who).words(MODES[round % 6]).sh(&script);
            run.in_place(*place).output().ends_with(status);
        }
    });
}

#[test]
fn the_command_has_the_callers_environment_and_words() {
    fn environment(run: Run, place: Place) -> String {
        let run = run.variable("GIVEN", "a b").variable("EMPTY", "");
        run.in_place(place).output().ends_with(0).stdout
    }
    at_once(&everywhere(), |(who, place): &(&Identity, Place)| {
        let helper = Run::program(who, world::helper());
        let bare = environment(helper.word("environ"), *place);
        let under = environment(Run::init(who).host_helper(["environ"]), *place);
        assert_eq!(under, bare);
        let words = Run::init(who).host_helper(["argv", "", "a b", "--", "-v", "--help"]);
        let out = words.in_place(*place).output().ends_with(0).stdout;
        assert_eq!(out, "\n61 20 62\n2d 2d\n2d 76\n2d 2d 68 65 6c 70\n");
    });
}

/// Ends with 6 where SIGUSR1 alone waits, and with 7 where SIGINT does (ShdPnd, proc_pid_status(5)).
/// With all signals blocked a shell cannot wait for a child, and so there is none.
const WAITING: &str = "while :; do while read name value; do case $name$value in \
                       ShdPnd:*200) exit 6;; ShdPnd:*[0-9a-f]02) exit 7;; \
                       esac; done </proc/$$/status; done";

#[test]
fn what_a_process_sent_before_is_passed_on_by_the_rules_in_husks_own_group_too() {
    let helper = world::helper().to_str().unwrap();
    at_once(&everywhere(), |(who, place)| {
        for (options, status) in [(&["-r", "INT:USR1"][..], 6), (&[], 7)] {
            let run = Run::init(who).word("-c").words(options).sh(WAITING);
            let run = run.after("kill -INT $$").through([helper, "blocked"]);
            run.in_place(*place).output().ends_with(status);
        }
    });
}
