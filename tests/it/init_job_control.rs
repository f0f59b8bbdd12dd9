//! `husk init` in an interactive shell: its command is a job as it would be without it.

use crate::init_ways::{
    Bench, NO_PERL, Place, husk_of, kill, that_lend_it, ways, with_the_terminal,
};
use crate::processes;
use crate::terminal::{NO_BASH, Terminal};
use crate::world::{self, everybody};
use rustix::process::Signal;

/// Says what is typed, until the end of it.
const LISTEN: &str = "echo ready; while read word; do echo \"heard $word\"; done; echo over";

/// Waits for the shell, which must have the terminal.
fn back_in_the_shell(terminal: &mut Terminal) {
    terminal.wait_for("$ ");
    assert!(terminal.shell_is_in_the_foreground());
    terminal.line("echo still $((40 + 2))");
    terminal.wait_for("still 42\r\n");
    terminal.wait_for("$ ");
}

#[test]
fn ctrl_z_gives_the_shell_its_prompt_and_fg_the_terminal_to_the_command() {
    for who in everybody() {
        let bench = Bench::of(who);
        let listen = bench.script(LISTEN);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&bench.typed(way, &[&listen]));
            terminal.wait_for("ready\r\n");
            for word in ["one", "two"] {
                terminal.enter("\x1a");
                terminal.wait_for("Stopped");
                back_in_the_shell(&mut terminal);
                terminal.line("fg");
                terminal.wait_for("script");
                terminal.line(word);
                terminal.wait_for(&format!("heard {word}\r\n"));
            }
            terminal.enter("\x04");
            terminal.wait_for("over\r\n");
            terminal.wait_for("$ ");
            terminal.line("echo status $?.");
            terminal.wait_for("status 0.\r\n");
        }
    }
}

#[test]
fn ctrl_z_stops_a_whole_pipeline_and_fg_continues_it() {
    for who in everybody() {
        let bench = Bench::of(who);
        let listen = bench.script(LISTEN);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let run = bench.typed(way, &[&listen]);
            terminal.line(&format!("{run} | tr a-z A-Z"));
            terminal.wait_for("READY\r\n");
            for word in ["one", "two"] {
                terminal.line(word);
                terminal.wait_for(&format!("HEARD {}\r\n", word.to_uppercase()));
                terminal.enter("\x1a");
                terminal.wait_for("Stopped");
                back_in_the_shell(&mut terminal);
                terminal.line("fg");
                terminal.wait_for("A-Z");
            }
            terminal.enter("\x04");
            terminal.wait_for("OVER\r\n");
            terminal.wait_for("$ ");
        }
    }
}

/// As an editor does.
const TIDY: &str = r#"
$| = 1;
alarm 60;
$SIG{CONT} = sub { print "continued\n" };
$SIG{TSTP} = sub {
    print "tidied\n";
    kill "STOP", $$;
};
print "ready\n";
# Not a read that waits: perl runs a handler only between two of its own steps.
while (1) {
    vec(my $input = "", 0, 1) = 1;
    next unless select($input, undef, undef, 0.05) > 0;
    <STDIN>;
    exit 4;
}
"#;

#[test]
fn a_command_may_put_things_right_before_ctrl_z_stops_it() {
    let perl = or_skip!(world::tool("perl"), "{NO_PERL}");
    for who in everybody() {
        let bench = Bench::of(who);
        let tidy = bench.program("tidy", &format!("#!{}\n{TIDY}", perl.display()));
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&bench.typed(way, &[&tidy]));
            terminal.wait_for("ready\r\n");
            terminal.enter("\x1a");
            terminal.wait_for("tidied\r\n");
            let between = terminal.wait_for("Stopped");
            assert!(!between.contains("tidied"), "{between}");
            back_in_the_shell(&mut terminal);
            terminal.line("fg");
            terminal.wait_for("continued\r\n");
            terminal.line("end");
            let rest = terminal.wait_for("$ ");
            let again = rest.contains("continued") || rest.contains("tidied");
            assert!(!again, "{rest}");
            terminal.line("echo status $?.");
            terminal.wait_for("status 4.\r\n");
        }
    }
}

#[test]
fn a_command_that_ignores_ctrl_z_goes_on() {
    for who in everybody() {
        let bench = Bench::of(who);
        let deaf = bench.script(&format!("trap '' TSTP; {LISTEN}"));
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&bench.typed(way, &[&deaf]));
            terminal.wait_for("ready\r\n");
            terminal.enter("\x1a");
            assert!(!terminal.after_a_moment().contains("Stopped"));
            terminal.line("word");
            terminal.wait_for("heard word\r\n");
            terminal.enter("\x04");
            terminal.wait_for("over\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn bg_lets_it_run_on_without_the_terminal() {
    for who in everybody() {
        let bench = Bench::of(who);
        // No sleep(1): a shell that waits in vfork(2) cannot be stopped.
        let (go, gone) = (bench.fifo("go"), bench.fifo("gone"));
        let text = format!(
            "echo ready; read word <{go}; echo went on; : >{gone}; read word; echo heard $word"
        );
        let command = bench.script(&text);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&bench.typed(way, &[&command]));
            terminal.wait_for("ready\r\n");
            terminal.enter("\x1a");
            terminal.wait_for("Stopped");
            terminal.wait_for("$ ");
            terminal.line("bg");
            back_in_the_shell(&mut terminal);
            // With the terminal, it now stops as it reads; a session of its own does not.
            let stopped = match way.place {
                Place::OwnSession => "true",
                _ => "jobs | grep Stopped",
            };
            let wait = format!("until {stopped}; do sleep 0.02; done");
            terminal.line(&format!("echo >{go}; read word <{gone}; {wait}; fg"));
            terminal.wait_for("went on\r\n");
            terminal.wait_for("script");
            terminal.line("word");
            terminal.wait_for("heard word\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn in_the_background_it_does_not_take_the_terminal() {
    for who in everybody() {
        let bench = Bench::of(who);
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let mark = world::mark();
            let command = [world::helper().to_str().unwrap(), "hold", &mark];
            terminal.line(&format!("{} &", bench.typed(way, &command)));
            terminal.wait_for("ready\r\n");
            for word in ["one", "two"] {
                terminal.line(&format!("echo {word} $((6 * 7))"));
                terminal.wait_for(&format!("{word} 42\r\n"));
            }
            assert!(terminal.shell_is_in_the_foreground());
            terminal.line("kill %1; wait %1; echo gone $?.");
            terminal.wait_for("gone 143.\r\n");
            processes::none_left(&mark);
        }
    }
}

#[test]
fn in_the_background_it_stops_when_it_reads_and_fg_lets_it() {
    for who in everybody() {
        let bench = Bench::of(who);
        let command = bench.script("read word; echo \"heard $word\"; exit 9");
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&format!("{} &", bench.typed(way, &[&command])));
            terminal.wait_for("$ ");
            terminal.line("until jobs | grep Stopped; do sleep 0.05; done");
            terminal.wait_for("]+  Stopped");
            back_in_the_shell(&mut terminal);
            terminal.line("fg");
            terminal.wait_for("script");
            terminal.line("something");
            terminal.wait_for("heard something\r\n");
            back_in_the_shell(&mut terminal);
        }
    }
}

#[test]
fn in_the_background_tostop_stops_it_when_it_writes_and_fg_lets_it() {
    for who in everybody() {
        let bench = Bench::of(who);
        let command = bench.script("echo written; read word; echo \"heard $word\"");
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line("stty tostop");
            terminal.wait_for("$ ");
            terminal.line(&format!("{} &", bench.typed(way, &[&command])));
            terminal.wait_for("$ ");
            terminal.line("until jobs | grep Stopped; do sleep 0.05; done");
            let before = terminal.wait_for("]+  Stopped");
            assert!(!before.contains("written"), "{before}");
            back_in_the_shell(&mut terminal);
            terminal.line("fg");
            terminal.wait_for("written\r\n");
            terminal.line("something");
            terminal.wait_for("heard something\r\n");
            back_in_the_shell(&mut terminal);
        }
    }
}

#[test]
fn its_neighbour_in_a_pipeline_can_read_the_terminal() {
    for who in everybody() {
        let bench = Bench::of(who);
        let go = bench.fifo("go");
        let command = bench.script(&format!("read word <{go}; echo data"));
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            // As a pager does: data from the pipe, keys from the terminal.
            let pager = format!("(read word </dev/tty; echo \"key $word\"; echo >{go}; cat)");
            terminal.line(&format!("{} | {pager}", bench.typed(way, &[&command])));
            terminal.wait_for("\r\n");
            terminal.line("pressed");
            terminal.wait_for("key pressed\r\n");
            terminal.wait_for("data\r\n");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn a_command_whose_input_is_elsewhere_can_read_the_terminal() {
    for who in everybody() {
        let bench = Bench::of(who);
        let text = "read word </dev/tty; echo \"key $word\"; cat; exit 5";
        let command = bench.script(text);
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let run = bench.typed(way, &[&command]);
            for line in [
                format!("{run} </dev/null"),
                format!("echo data | {run}"),
                format!("{run} </dev/null | cat"),
                format!("{run} </dev/null 2>/dev/null | cat"),
            ] {
                terminal.line(&format!("{line}; echo \"all ${{PIPESTATUS[*]}}.\""));
                terminal.wait_for("\r\n");
                terminal.line("pressed");
                terminal.wait_for("key pressed\r\n");
                terminal.wait_for("all ");
                let all = terminal.wait_for(".\r\n");
                assert!(all.contains('5'), "{line}: {all}");
                back_in_the_shell(&mut terminal);
            }
        }
    }
}

#[test]
fn a_stopped_job_can_be_ended() {
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
            terminal.wait_for("$ ");
            let husk = husk_of(&mark);
            kill(husk, Signal::TERM);
            terminal.line("bg; wait %1; echo gone $?.");
            terminal.wait_for("gone 143.\r\n");
            processes::none_left(&mark);
        }
    }
}

#[test]
fn the_terminal_is_left_as_it_was_found_whatever_the_end_of_the_command() {
    for who in everybody() {
        let bench = Bench::of(who);
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let before = terminal.attributes();
        for end in ["exit 0", "kill -KILL $$", "kill -SEGV $$"] {
            let command = bench.script(&format!("stty raw -echo; echo ready; {end}"));
            for way in that_lend_it() {
                terminal.line(&bench.typed(way, &[&command]));
                terminal.wait_for("ready");
                back_in_the_shell(&mut terminal);
                let after = terminal.attributes();
                assert_eq!(after, before, "after {end}");
            }
        }
    }
}

#[test]
fn the_end_of_a_job_in_the_background_leaves_the_modes_of_others_alone() {
    for who in everybody() {
        let bench = Bench::of(who);
        let command = bench.script("exec sleep 30");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line(&bench.typed(way, &[&command]));
            terminal.wait_for("\r\n");
            terminal.after_a_moment();
            terminal.enter("\x1a");
            terminal.wait_for("Stopped");
            terminal.wait_for("$ ");
            terminal.line("bg");
            terminal.wait_for("$ ");
            terminal.line("stty -ixon; kill %1; wait; stty -a | grep -o -e -ixon && echo kept $?.");
            terminal.wait_for("kept 0.\r\n");
        }
    }
}

#[test]
fn in_a_script_what_comes_after_it_has_the_terminal_again() {
    for who in everybody() {
        let bench = Bench::of(who);
        let ask = "read word; echo \"heard $word\"";
        for end in ["exit 0", "kill -KILL $$"] {
            let first = bench.program("first", &format!("#!/bin/sh\n{ask}; {end}\n"));
            for way in ways() {
                let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
                let run = bench.typed(way, &[&first]);
                terminal.line(&bench.script(&format!("{run}; {ask}")));
                for word in ["one", "two"] {
                    terminal.line(word);
                    terminal.wait_for(&format!("heard {word}\r\n"));
                }
                back_in_the_shell(&mut terminal);
            }
        }
    }
}
