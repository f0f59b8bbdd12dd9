//! On a terminal a container behaves as any job of an interactive shell does.

use crate::husk::Run;
use crate::processes;
use crate::terminal::{NO_BASH, Terminal, script};
use crate::world::{self, NO_BUSYBOX, everybody};

#[test]
fn ctrl_c_reaches_the_command_exactly_once() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let text = "trap 'echo hit' INT; trap 'echo over; exit 3' QUIT; echo ready; \
                    while :; do sleep 0.1; done";
        let command = script(who, &root, text);
        terminal.line(&Run::root(who, &root).words(["--", command]).typed());
        terminal.wait_for("ready\r\n");
        terminal.enter("\x03");
        terminal.wait_for("hit\r\n");
        let more = terminal.after_a_moment();
        assert!(!more.contains("hit"), "{more}");
        terminal.enter("\x1c");
        terminal.wait_for("over\r\n");
        terminal.wait_for("$ ");
        terminal.line("echo status $?.");
        terminal.wait_for("status 3.\r\n");
    }
}

#[test]
fn ctrl_c_and_a_change_of_size_come_once_in_a_pipeline_too() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let text = "trap 'echo hit' INT; trap 'echo size' WINCH; trap 'exit 3' QUIT; echo ready; \
                    while :; do sleep 0.1; done";
        let command = script(who, &root, text);
        let run = Run::root(who, &root).words(["--", command]).typed();
        // What comes after the pipe must outlive Ctrl-C.
        for line in [run.clone(), format!("{run} | (trap '' INT QUIT; cat)")] {
            terminal.line(&line);
            terminal.wait_for("ready\r\n");
            for (cause, word) in [("\x03", "hit"), ("", "size")] {
                match cause {
                    "" => terminal.resize(),
                    key => terminal.enter(key),
                }
                terminal.wait_for(&format!("{word}\r\n"));
                let more = terminal.after_a_moment();
                assert!(!more.contains(word), "{word} again in {line}: {more}");
            }
            terminal.enter("\x1c");
            terminal.wait_for("$ ");
        }
    }
}

#[test]
fn ctrl_c_ends_a_command_that_does_not_mind_it() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let command = script(who, &root, "echo ready; exec sleep 50");
        terminal.line(&Run::root(who, &root).words(["--", command]).typed());
        terminal.wait_for("ready\r\n");
        terminal.enter("\x03");
        terminal.wait_for("$ ");
        terminal.line("echo status $?.");
        terminal.wait_for("status 130.\r\n");
        assert!(terminal.shell_is_in_the_foreground());
    }
}

#[test]
fn ctrl_z_stops_it_and_fg_resumes_it() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let text = "echo ready; while read word; do echo \"heard $word\"; done; echo over";
        let command = script(who, &root, text);
        terminal.line(&Run::root(who, &root).words(["--", command]).typed());
        terminal.wait_for("ready\r\n");
        for round in ["one", "two"] {
            terminal.enter("\x1a");
            terminal.wait_for("Stopped");
            terminal.wait_for("$ ");
            assert!(terminal.shell_is_in_the_foreground());
            terminal.line("echo still $((40 + 2))");
            terminal.wait_for("still 42\r\n");
            terminal.wait_for("$ ");
            terminal.line("fg");
            terminal.wait_for("script");
            terminal.line(round);
            terminal.wait_for(&format!("heard {round}\r\n"));
        }
        terminal.enter("\x04");
        terminal.wait_for("over\r\n");
        terminal.wait_for("$ ");
    }
}

#[test]
fn a_shell_inside_has_job_control_of_its_own() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let run =
            Run::root(who, &root).words(["--setenv", "PS1", "inside> ", "--", "/bin/sh", "-i"]);
        terminal.line(&run.typed());
        let start = terminal.wait_for("inside> ");
        terminal.wait_for("inside> ");
        let start = format!("{start}{}", terminal.after_a_moment());
        assert!(!start.contains("job control turned off"), "{start}");
        terminal.line("sleep 70");
        assert!(!terminal.after_a_moment().contains("inside>"));
        terminal.enter("\x1a");
        terminal.wait_for("Stopped");
        terminal.wait_for("inside> ");
        terminal.line("fg");
        assert!(!terminal.after_a_moment().contains("inside>"));
        terminal.enter("\x03");
        terminal.wait_for("inside> ");
        terminal.line("tty; exit 8");
        terminal.wait_for("/dev/");
        terminal.wait_for("$ ");
        terminal.line("echo status $?.");
        terminal.wait_for("status 8.\r\n");
        assert!(terminal.shell_is_in_the_foreground());
    }
}

#[test]
fn in_the_background_it_does_not_take_the_terminal() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let mark = world::mark();
        let run = Run::root(who, &root).words(["--", "/bin/helper", "hold", &mark]);
        terminal.line(&format!("{} >/dev/null &", run.typed()));
        terminal.wait_for("$ ");
        processes::some_are_there(&mark);
        for word in ["one", "two", "three"] {
            terminal.line(&format!("echo {word} $((6 * 7))"));
            terminal.wait_for(&format!("{word} 42\r\n"));
        }
        assert!(terminal.shell_is_in_the_foreground());
        terminal.wait_for("$ ");
        terminal.line("kill %1; wait; echo gone $((1 + 1))");
        terminal.wait_for("gone 2\r\n");
        processes::none_left(&mark);
    }
}

#[test]
fn in_the_background_it_stops_when_it_reads_and_fg_lets_it() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        // Not the shell's read: that of busybox polls first, which no background process is stopped for.
        let command = script(who, &root, "echo \"heard $(head -n 1)\"");
        terminal.line(&format!(
            "{} &",
            Run::root(who, &root).words(["--", command]).typed()
        ));
        terminal.wait_for("$ ");
        std::thread::sleep(std::time::Duration::from_millis(300));
        terminal.line("jobs");
        terminal.wait_for("Stopped");
        terminal.wait_for("$ ");
        terminal.line("fg");
        terminal.wait_for("script");
        terminal.line("something");
        terminal.wait_for("heard something\r\n");
        terminal.wait_for("$ ");
        assert!(terminal.shell_is_in_the_foreground());
    }
}

#[test]
fn the_terminal_is_left_as_it_was_found() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let before = terminal.attributes();
        for end in ["exit 0", "kill -KILL $$", "kill -SEGV $$"] {
            let command = script(
                who,
                &root,
                &format!("stty raw -echo; echo ready; sleep 0.1; {end}"),
            );
            terminal.line(&Run::root(who, &root).words(["--", command]).typed());
            terminal.wait_for("ready");
            terminal.wait_for("$ ");
            assert_eq!(terminal.attributes(), before, "after {end}");
            assert!(terminal.shell_is_in_the_foreground(), "after {end}");
        }
    }
}

#[test]
fn it_takes_part_in_pipelines() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let run = |words: &[&str]| Run::root(who, &root).word("--").words(words).typed();
        terminal.line(&format!("{} | cat", run(&["/bin/echo", "from", "inside"])));
        terminal.wait_for("\r\nfrom inside\r\n");
        terminal.wait_for("$ ");
        terminal.line(&format!(
            "echo to inside | {}",
            run(&["/bin/sed", "s/^/had: /"])
        ));
        terminal.wait_for("\r\nhad: to inside\r\n");
    }
}

#[test]
fn its_neighbour_in_a_pipeline_can_read_the_terminal() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let command = script(who, &root, "sleep 0.5; echo data; sleep 0.5");
        let run = Run::root(who, &root).words(["--", command]).typed();
        // As a pager does: data from the pipe, keys from the terminal.
        terminal.line(&format!(
            "{run} | (read word </dev/tty; echo \"key $word\"; cat)"
        ));
        terminal.after_a_moment();
        terminal.line("pressed");
        terminal.wait_for("key pressed\r\n");
        terminal.wait_for("data\r\n");
        terminal.wait_for("$ ");
    }
}

#[test]
fn ctrl_z_stops_the_whole_pipeline_and_fg_continues_it() {
    for who in everybody() {
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let run = Run::new(who).words(["--", "cat"]).typed();
        terminal.line(&format!("{run} | tr a-z A-Z"));
        terminal.after_a_moment();
        terminal.line("one");
        terminal.wait_for("ONE\r\n");
        terminal.enter("\x1a");
        terminal.wait_for("Stopped");
        terminal.wait_for("$ ");
        terminal.line("fg");
        terminal.after_a_moment();
        terminal.line("two");
        terminal.wait_for("TWO\r\n");
        terminal.enter("\x04");
        terminal.wait_for("$ ");
    }
}

#[test]
fn the_modes_of_a_neighbour_in_a_pipeline_are_its_own() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let run = Run::root(who, &root).words(["--", "/bin/true"]).typed();
        let pager = "(stty -echo </dev/tty; sleep 0.5; stty -a </dev/tty | grep -o -e '-echo ')";
        terminal.line(&format!("{run} | {pager}"));
        terminal.wait_for("-echo \r\n");
        terminal.wait_for("$ ");
    }
}

#[test]
fn killing_husk_on_a_terminal_kills_what_is_inside() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        let mark = world::mark();
        let run = Run::root(who, &root).words(["--", "/bin/helper", "hold", &mark]);
        terminal.line(&format!("{} & wait %1; echo killed $?.", run.typed()));
        terminal.wait_for("ready\r\n");
        let all = processes::marked(&mark);
        let supervisor = all.iter().min_by_key(|process| process.pid).unwrap();
        assert!(supervisor.arguments.contains("run"), "{all:#?}");
        let pid = rustix::process::Pid::from_raw(supervisor.pid.try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        terminal.wait_for("killed 137.");
        processes::none_left(&mark);
    }
}
