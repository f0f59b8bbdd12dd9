//! `husk init` as the leader of a session on a terminal, as `docker run -t` starts it: PID 1 or not.

use crate::init_ways::{
    Bench, NO_PERL, Way, each_comes_once, husk_of, kill, ways, with_the_terminal,
};
use crate::processes;
use crate::terminal::{NO_BASH, Terminal};
use crate::world::{self, Identity, everybody};
use rustix::process::Signal;
use std::fs;
use std::time::{Duration, Instant};

/// What is to come before it.
const BEFORE: [fn(&Identity) -> &'static [&'static str]; 2] = [|_| &[], in_a_pid_namespace];

fn in_a_pid_namespace(who: &Identity) -> &'static [&'static str] {
    match who.is_root() {
        true => &["unshare", "-pf", "--mount-proc", "--kill-child"],
        false => &["unshare", "-Upf", "--kill-child"],
    }
}

/// Every way, as leader of a session and as PID 1 of a namespace too.
fn led(
    who: &Identity,
    bench: &Bench,
    command: &[&str],
    mut judge: impl FnMut(&mut Terminal, &'static Way),
) {
    for before in BEFORE {
        let before = before(who);
        for way in ways() {
            println!("before it: {before:?}");
            let mut terminal = Terminal::led_through(who, before, &bench.words(way, command));
            judge(&mut terminal, way);
        }
    }
}

#[test]
fn keys_sizes_and_signals_reach_the_command_exactly_once() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        let mark = world::mark();
        led(who, &bench, &[&count, &mark], |terminal, way| {
            terminal.wait_for_all(&["command: ready\r\n", "child: ready\r\n"]);
            each_comes_once(terminal, way, husk_of(&mark));
            assert_eq!(terminal.end().code(), Some(3));
        });
    }
}

#[test]
fn an_interactive_shell_in_it_has_job_control() {
    for who in everybody() {
        let bench = Bench::of(who);
        let bash = or_skip!(world::tool("bash"), "{NO_BASH}");
        let bash = ["env", "PS1=inside> ", bash.to_str().unwrap(), "--norc"];
        let command = [&bash[..], &["--noprofile", "--noediting", "-i"]].concat();
        led(who, &bench, &command, |terminal, _| {
            let start = terminal.wait_for("inside> ");
            assert!(!start.contains("bash:"), "{start}");
            terminal.line("sleep 70");
            terminal.wait_for("\r\n");
            terminal.after_a_moment();
            terminal.enter("\x1a");
            terminal.wait_for("Stopped");
            terminal.wait_for("inside> ");
            terminal.line("fg");
            terminal.wait_for("sleep 70\r\n");
            assert!(!terminal.after_a_moment().contains("inside> "));
            terminal.enter("\x03");
            terminal.wait_for("inside> ");
            terminal.line("exit 8");
            assert_eq!(terminal.end().code(), Some(8));
        });
    }
}

#[test]
fn ctrl_c_leaves_a_shell_in_it_alone_and_ends_what_it_runs() {
    for who in everybody() {
        let bench = Bench::of(who);
        let command = ["env", "PS1=inside> ", "/bin/sh", "-i"];
        led(who, &bench, &command, |terminal, _| {
            let start = terminal.wait_for("inside> ");
            assert!(!start.contains("turned off"), "{start}");
            terminal.line("sleep 70");
            terminal.wait_for("\r\n");
            terminal.after_a_moment();
            terminal.enter("\x03");
            terminal.wait_for("inside> ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 130.\r\n");
            terminal.enter("\x04");
            terminal.end();
        });
    }
}

#[test]
fn ctrl_z_does_not_put_it_out_of_reach() {
    for who in everybody() {
        let bench = Bench::of(who);
        let mark = world::mark();
        let command = [world::helper().to_str().unwrap(), "hold", &mark];
        led(who, &bench, &command, |terminal, _| {
            terminal.wait_for("ready\r\n");
            terminal.enter("\x1a");
            terminal.after_a_moment();
            kill(husk_of(&mark), Signal::TERM);
            assert_eq!(terminal.end().code(), Some(143));
            processes::none_left(&mark);
        });
    }
}

#[test]
fn sigterm_ends_a_stopped_command() {
    for who in everybody() {
        let bench = Bench::of(who);
        let mark = world::mark();
        let command = [world::helper().to_str().unwrap(), "hold", &mark];
        led(who, &bench, &command, |terminal, _| {
            terminal.wait_for("ready\r\n");
            let husk = husk_of(&mark);
            let all = processes::marked(&mark);
            let held = all.iter().find(|process| process.parent == husk).unwrap();
            kill(held.pid, Signal::STOP);
            terminal.after_a_moment();
            kill(husk, Signal::TERM);
            assert_eq!(terminal.end().code(), Some(143));
        });
    }
}

/// Writes down every HUP, and the end.
const RECORD: &str = r#"
alarm 60;
open my $out, ">", $ARGV[0];
$out->autoflush;
$SIG{HUP} = sub { print $out "HUP\n" };
$SIG{TERM} = sub { exit 3 };
print $out "ready\n";
sleep 1 while 1;
"#;

fn recorder(bench: &Bench) -> Option<String> {
    let perl = world::tool("perl")?;
    let text = format!("#!{}\nuse IO::Handle;{RECORD}", perl.display());
    Some(bench.program("record", &text))
}

/// Waits until the file has this many lines; gives it as it is a moment later.
fn record_of(path: &str, lines: usize) -> String {
    let read = || fs::read_to_string(path).unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(10);
    while read().lines().count() < lines && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    read()
}

#[test]
fn a_terminal_that_hangs_up_says_so_to_the_command_once() {
    for who in everybody() {
        let bench = Bench::of(who);
        let record = or_skip!(recorder(&bench), "{NO_PERL}");
        let (mark, path) = (world::mark(), bench.path("signals"));
        led(who, &bench, &[&record, &path, &mark], |terminal, _| {
            record_of(&path, 1);
            let husk = husk_of(&mark);
            terminal.hang_up();
            assert_eq!(record_of(&path, 2), "ready\nHUP\n");
            kill(husk, Signal::TERM);
            assert_eq!(terminal.end().code(), Some(3));
            fs::remove_file(&path).unwrap();
        });
    }
}

#[test]
fn a_terminal_that_hangs_up_ends_a_command_that_does_not_mind_it() {
    for who in everybody() {
        let bench = Bench::of(who);
        let mark = world::mark();
        let command = [world::helper().to_str().unwrap(), "hold", &mark];
        led(who, &bench, &command, |terminal, _| {
            terminal.wait_for("ready\r\n");
            terminal.hang_up();
            assert_eq!(terminal.end().code(), Some(129));
            processes::none_left(&mark);
        });
    }
}

#[test]
fn the_end_of_an_interactive_shell_by_a_hang_up_ends_husk_and_its_command() {
    for who in everybody() {
        let bench = Bench::of(who);
        let mark = world::mark();
        let command = [world::helper().to_str().unwrap(), "hold", &mark];
        for way in ways() {
            for after in ["", " &"] {
                let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
                terminal.line(&format!("{}{after}", bench.typed(way, &command)));
                terminal.wait_for("ready\r\n");
                terminal.hang_up();
                terminal.end();
                processes::none_left(&mark);
            }
        }
    }
}

/// Puts another process group into the foreground before it becomes the program.
const ASIDE: &str = r#"
use POSIX qw(setpgid tcsetpgrp);
my $other = fork // die;
if ($other == 0) { alarm 60; sleep 60; exit }
setpgid($other, $other) or die;
tcsetpgrp(0, $other) or die;
exec @ARGV;
"#;

#[test]
fn the_first_sighup_arrives_also_out_of_the_foreground() {
    let perl = or_skip!(world::tool("perl"), "{NO_PERL}");
    for who in everybody() {
        let bench = Bench::of(who);
        let aside = bench.program("aside", &format!("#!{}\n{ASIDE}", perl.display()));
        let record = or_skip!(recorder(&bench), "{NO_PERL}");
        let (mark, path) = (world::mark(), bench.path("signals"));
        for way in ways() {
            let words = bench.words(way, &[&record, &path, &mark]);
            let words: Vec<String> = [aside.clone()].into_iter().chain(words).collect();
            let mut terminal = Terminal::led_by(who, &words);
            record_of(&path, 1);
            for lines in [2, 3] {
                kill(terminal.leader(), Signal::HUP);
                let record = record_of(&path, lines);
                assert_eq!(record.lines().count(), lines, "{record}");
            }
            kill(terminal.leader(), Signal::TERM);
            assert_eq!(terminal.end().code(), Some(3));
            fs::remove_file(&path).unwrap();
        }
    }
}

/// With --fork unshare(1) would have its own way to stop, and a late SIGCONT for its child.
fn by_a_shell(who: &Identity, run: &str) -> String {
    let options = if who.is_root() { "-p" } else { "-Up" };
    format!("unshare {options} sh -c '\"$@\"; exit $?' sh {run}")
}

#[test]
fn in_a_pid_namespace_without_a_session_of_its_own_it_is_a_job_all_the_same() {
    for who in everybody() {
        let bench = Bench::of(who);
        let text = "echo ready; while read word; do echo \"heard $word\"; done; exit 9";
        let (command, mark) = (bench.script(text), world::mark());
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&by_a_shell(who, &bench.typed(way, &[&command, &mark])));
            terminal.wait_for("ready\r\n");
            let below = processes::marked(&mark);
            let listener = below.iter().max_by_key(|process| process.pid).unwrap().pid;
            for word in ["one", "two"] {
                terminal.enter("\x1a");
                terminal.wait_for("Stopped");
                terminal.wait_for("$ ");
                // The shell waits for its child alone, and husk, as PID 1, is not to be stopped.
                processes::wait_for_state(listener, Some('T'));
                terminal.line("fg");
                terminal.wait_for("script");
                terminal.line(word);
                terminal.wait_for(&format!("heard {word}\r\n"));
            }
            terminal.enter("\x04");
            terminal.wait_for("$ ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 9.\r\n");
        }
    }
}

#[test]
fn in_a_pid_namespace_keys_sizes_and_signals_reach_the_command_once_all_the_same() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        let before = in_a_pid_namespace(who).join(" ");
        // With -g the command shares husk's group, which has no number there, and is reached alone.
        for way in ways().filter(|way| !way.words.contains(&"-g")) {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let run = bench.typed(way, &[&count, &mark]);
            // unshare(1) itself need not outlive the keys.
            terminal.line(&format!("(trap '' INT QUIT HUP; exec {before} {run})"));
            terminal.wait_for_all(&["command: ready\r\n", "child: ready\r\n"]);
            each_comes_once(&mut terminal, way, husk_of(&mark));
            terminal.wait_for("$ ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 3.\r\n");
        }
    }
}
