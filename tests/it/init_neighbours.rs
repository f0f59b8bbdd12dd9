//! `husk init` beside others on one terminal: neighbours in a pipeline, itself, and nobody at all.

use crate::init_ways::{
    Bench, NO_PERL, each_comes_once, husk_of, kill, that_lend_it, ways, with_the_terminal,
};
use crate::processes;
use crate::terminal::{NO_BASH, Terminal};
use crate::world::{self, everybody};
use rustix::process::Signal;
use std::fs;
use std::thread;
use std::time::Duration;

/// Says what is typed, until the end of it.
const LISTEN: &str = "echo ready; while read word; do echo \"heard $word\"; done; echo over";

#[test]
fn one_below_another_stops_and_goes_on_with_it() {
    for who in everybody() {
        let bench = Bench::of(who);
        let listen = bench.script(LISTEN);
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let husk = world::husk().to_str().unwrap();
            terminal.line(&bench.typed(way, &[husk, "init", husk, "init", &listen]));
            terminal.wait_for("ready\r\n");
            for word in ["one", "two"] {
                // The first comes while the terminal is being handed down.
                terminal.suspend();
                terminal.wait_for("$ ");
                assert!(terminal.shell_is_in_the_foreground());
                terminal.line("fg");
                terminal.wait_for("script");
                terminal.line(word);
                terminal.wait_for(&format!("heard {word}\r\n"));
            }
            terminal.enter("\x03");
            terminal.wait_for("$ ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 130.\r\n");
        }
    }
}

#[test]
fn one_below_another_gets_keys_sizes_and_signals_once() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let outer = world::husk().to_str().unwrap();
            let inner = bench.typed(way, &[&count, &mark]);
            terminal.line(&format!("'{outer}' init {inner}"));
            terminal.wait_for_all(&["command: ready\r\n", "child: ready\r\n"]);
            each_comes_once(&mut terminal, way, inner_husk(&mark));
            terminal.wait_for("$ ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 3.\r\n");
        }
    }
}

/// The lower of two.
fn inner_husk(mark: &str) -> u32 {
    let outer = husk_of(mark);
    let marked = processes::marked(mark);
    let inner = marked.iter().find(|process| process.parent == outer);
    inner.unwrap().pid
}

#[test]
fn two_in_one_pipeline_are_one_job() {
    for who in everybody() {
        let bench = Bench::of(who);
        let listen = bench.script(LISTEN);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let first = bench.typed(way, &[&listen]);
            let second = bench.typed(way, &["tr", "a-z", "A-Z"]);
            terminal.line(&format!("{first} | {second}"));
            terminal.wait_for("READY\r\n");
            for word in ["one", "two"] {
                terminal.line(word);
                terminal.wait_for(&format!("HEARD {}\r\n", word.to_uppercase()));
                terminal.enter("\x1a");
                terminal.wait_for("Stopped");
                terminal.wait_for("$ ");
                terminal.line("fg");
                terminal.wait_for("A-Z");
            }
            terminal.enter("\x04");
            terminal.wait_for("OVER\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn many_stops_in_a_row_lose_nothing() {
    for who in everybody() {
        let bench = Bench::of(who);
        let listen = bench.script(LISTEN);
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&bench.typed(way, &[&listen]));
            terminal.wait_for("ready\r\n");
            for round in 0..30 {
                terminal.enter("\x1a");
                terminal.wait_for("Stopped");
                terminal.wait_for("$ ");
                terminal.line("fg");
                terminal.wait_for("script");
                // Before it has gone on, a key would be no more than one to a job that is stopped.
                terminal.line(&format!("{round}"));
                terminal.wait_for(&format!("heard {round}\r\n"));
            }
            terminal.enter("\x04");
            terminal.wait_for("over\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn sigtstp_of_a_process_stops_the_command_too_also_when_that_has_the_terminal() {
    for who in everybody() {
        let bench = Bench::of(who);
        let (listen, mark) = (bench.script(LISTEN), world::mark());
        for way in that_lend_it() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&format!("{} | cat", bench.typed(way, &[&listen, &mark])));
            terminal.wait_for("ready\r\n");
            // In a pipeline it is lent the terminal only when it reads.
            terminal.line("one");
            terminal.wait_for("heard one\r\n");
            let husk = husk_of(&mark);
            let command = processes::soon_only_child(husk);
            kill(husk, Signal::TSTP);
            terminal.wait_for("Stopped");
            for pid in [husk, command] {
                processes::wait_for_state(pid, Some('T'));
            }
            terminal.wait_for("$ ");
            assert!(terminal.shell_is_in_the_foreground());
            terminal.line("fg");
            terminal.wait_for("cat");
            terminal.line("two");
            terminal.wait_for("heard two\r\n");
            terminal.enter("\x04");
            terminal.wait_for("over\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn the_modes_of_a_neighbour_in_a_pipeline_are_its_own() {
    for who in everybody() {
        let bench = Bench::of(who);
        let go = bench.fifo("go");
        let command = bench.script(&format!("read word <{go}"));
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let pager = format!(
                "(exec 3<&0 </dev/tty; stty -ixon; echo >{go}; cat <&3; stty -a | grep -o -e '-ixon')"
            );
            terminal.line(&format!("{} | {pager}", bench.typed(way, &[&command])));
            terminal.wait_for("-ixon\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn its_neighbour_has_the_terminal_when_the_command_needs_it_no_more() {
    for who in everybody() {
        let bench = Bench::of(who);
        let command = bench.script("read word </dev/tty; echo \"first $word\"");
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let run = bench.typed(way, &[&command]);
            let pager = "(cat; read word </dev/tty; echo \"then $word\")";
            terminal.line(&format!("{run} </dev/null | {pager}"));
            terminal.wait_for("\r\n");
            terminal.line("one");
            terminal.wait_for("first one\r\n");
            terminal.line("two");
            terminal.wait_for("then two\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn a_neighbour_that_reads_the_terminal_does_not_keep_husk_from_signals() {
    for who in everybody() {
        let bench = Bench::of(who);
        let go = bench.fifo("go");
        let text = format!("read word <{go}; echo asks >/dev/tty; read word </dev/tty");
        let command = bench.script(&text);
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let run = bench.typed(way, &[&command, &mark]);
            let reader = "(read word </dev/tty; echo \"key $word\")";
            terminal.line(&format!("{run} </dev/null | {reader}"));
            terminal.wait_for("\r\n");
            // Whoever reads first keeps other readers waiting, in the kernel.
            terminal.after_a_moment();
            fs::write(&go, "\n").unwrap();
            terminal.wait_for("asks\r\n");
            terminal.after_a_moment();
            kill(husk_of(&mark), Signal::TERM);
            processes::none_left(&mark);
            terminal.line("pressed");
            terminal.wait_for("key pressed\r\n");
        }
    }
}

/// Becomes the program in the background, in a process group that has no parent in the session.
const ORPHAN: &str = r#"
use POSIX qw(setpgid);
my $parent = $$;
if (fork // die) { exit }
setpgid(0, 0) or die;
sleep 0.01 while getppid == $parent;
exec @ARGV;
"#;

#[test]
fn where_nobody_could_continue_it_it_waits_and_does_not_spin() {
    let perl = or_skip!(world::tool("perl"), "{NO_PERL}");
    for who in everybody() {
        let bench = Bench::of(who);
        let text = format!("#!{}\nuse Time::HiRes 'sleep';{ORPHAN}", perl.display());
        let orphan = bench.program("orphan", &text);
        let command = bench.script("read word </dev/tty");
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let run = bench.typed(way, &[&command, &mark]);
            terminal.line(&format!("{orphan} {run}"));
            terminal.wait_for("$ ");
            thread::sleep(Duration::from_secs(1));
            let ticks: u64 = processes::marked(&mark).iter().map(ticks).sum();
            assert!(ticks < 20, "{ticks} of 100 a second");
            assert!(terminal.shell_is_in_the_foreground());
            if !processes::marked(&mark).is_empty() {
                kill(husk_of(&mark), Signal::TERM);
            }
            processes::none_left(&mark);
        }
    }
}

/// CPU time used, in hundredths of a second (proc_pid_stat(5)).
fn ticks(process: &processes::Process) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.pid)).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let times = fields.split_whitespace().skip(11).take(2);
    times.filter_map(|time| time.parse::<u64>().ok()).sum()
}

#[test]
fn a_hang_up_ends_a_stopped_job_too() {
    for who in everybody() {
        let bench = Bench::of(who);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let command = [world::helper().to_str().unwrap(), "hold", &mark];
            terminal.line(&bench.typed(way, &command));
            terminal.wait_for("ready\r\n");
            terminal.enter("\x1a");
            terminal.wait_for("Stopped");
            terminal.hang_up();
            terminal.end();
            processes::none_left(&mark);
        }
    }
}
