//! `husk init` where something about the terminal is not as it should be: nothing of it is fatal.

use crate::init_ways::{Bench, NO_PERL, Place, husk_of, kill, quoted, ways, with_the_terminal};
use crate::terminal::{NO_BASH, Terminal};
use crate::world::{self, everybody};
use rustix::process::Signal;

const NO_STRACE: &str = "no strace(1): apt install strace";

#[test]
fn closed_streams_do_not_keep_it_from_the_terminal() {
    for who in everybody() {
        let bench = Bench::of(who);
        let text = "read word </dev/tty; echo \"key $word\" >/dev/tty; exit 9";
        let command = bench.script(text);
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"] {
                terminal.line(&format!("{} {closed}", bench.typed(way, &[&command])));
                terminal.wait_for("\r\n");
                terminal.line("pressed");
                terminal.wait_for("key pressed\r\n");
                terminal.wait_for("$ ");
                terminal.line("echo status $?.");
                terminal.wait_for("status 9.\r\n");
                assert!(terminal.shell_is_in_the_foreground(), "{closed}");
            }
        }
    }
}

#[test]
fn closed_streams_change_nothing_in_a_session_either() {
    for who in everybody() {
        let bench = Bench::of(who);
        let command = bench.script("exit 9");
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        for way in ways().filter(|way| way.place == Place::OwnSession) {
            for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
                let run = bench.typed(way, &[&command]);
                terminal.line(&format!("{run} {closed}; echo status $?."));
                terminal.wait_for("status 9.\r\n");
                terminal.wait_for("$ ");
            }
        }
    }
}

#[test]
fn ctrl_z_and_fg_work_with_closed_streams() {
    for who in everybody() {
        let bench = Bench::of(who);
        let text = "exec </dev/tty >/dev/tty; echo ready; \
                    while read word; do echo \"heard $word\"; done";
        let command = bench.script(text);
        for way in with_the_terminal() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let run = bench.typed(way, &[&command]);
            terminal.line(&format!("{run} <&- >&- 2>&-"));
            terminal.wait_for("ready\r\n");
            terminal.line("one");
            terminal.wait_for("heard one\r\n");
            terminal.enter("\x1a");
            terminal.wait_for("Stopped");
            terminal.wait_for("$ ");
            terminal.line("fg");
            terminal.wait_for("2>&-");
            terminal.line("two");
            terminal.wait_for("heard two\r\n");
            terminal.enter("\x04");
            terminal.wait_for("$ ");
        }
    }
}

/// What husk says while it, or the whole job, is in the background of a terminal that minds.
#[test]
fn a_message_of_its_own_does_not_hang_it_with_tostop_set() {
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        // catatonit has no -v.
        for way in ways().filter(|way| way.words != ["catatonit"]) {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            terminal.line("stty tostop");
            terminal.wait_for("$ ");
            let mark = world::mark();
            let run = |command: &[&str]| bench.typed(way, &[&["-v", "--"], command].concat());
            let run = |command: &[&str]| run(command).replacen("'--' ", "", 1);
            terminal.line(&run(&[&count, &mark]));
            terminal.wait_for_all(&["command: ready\r\n", "child: ready\r\n"]);
            kill(husk_of(&mark), Signal::USR1);
            terminal.wait_for("command: USR1 1\r\n");
            kill(husk_of(&mark), Signal::TERM);
            terminal.wait_for("$ ");
            // In the background the command writes nothing, and so nothing stops it.
            terminal.line(&format!("{} & wait; echo over $?.", run(&["true"])));
            terminal.wait_for("over 0.\r\n");
            terminal.wait_for("$ ");
            terminal.line(&format!("{}; echo status $?.", run(&["/nonexistent"])));
            let said = terminal.wait_for("status ");
            assert!(said.contains("nonexistent"), "{said}");
        }
    }
}

#[test]
fn a_terminal_that_fails_is_not_fatal() {
    for who in everybody() {
        let bench = Bench::of(who);
        or_skip!(world::tool("strace"), "{NO_STRACE}");
        let command = bench.script("sleep 0.1; echo \"it runs\"; exit 9");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            for inject in [
                "ioctl:error=EIO",
                "ioctl:error=EPERM",
                "ioctl:error=ENOTTY",
                "ioctl:error=EINVAL",
                "ioctl:error=EIO:when=2+",
                "setpgid:error=EPERM",
            ] {
                let strace = ["strace", "-DDD", "-f", "-o", "/dev/null", "-e"].map(str::to_owned);
                let inject = format!("inject={inject}");
                let words = [&strace[..], &[inject], &bench.words(way, &[&command])].concat();
                terminal.line(&format!("{}; echo status $?.", quoted(&words)));
                let before = terminal.wait_for("it runs\r\n");
                assert!(!before.contains("Stopped"), "{before}");
                terminal.wait_for("status 9.\r\n");
                terminal.wait_for("$ ");
            }
        }
    }
}

#[test]
fn a_terminal_that_cannot_be_opened_is_not_fatal() {
    for who in everybody() {
        let bench = Bench::of(who);
        or_skip!(world::tool("strace"), "{NO_STRACE}");
        let command = bench.script("echo \"it runs\"; exit 9");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            for inject in ["EIO", "EACCES", "ENXIO", "ENOENT", "EMFILE"] {
                let strace = [
                    "strace",
                    "-DDD",
                    "-f",
                    "-o",
                    "/dev/null",
                    "-P",
                    "/dev/tty",
                    "-e",
                ];
                let inject = format!("inject=open,openat:error={inject}");
                let words = [&strace.map(str::to_owned)[..], &[inject]].concat();
                let words = [words, bench.words(way, &[&command])].concat();
                terminal.line(&format!("{}; echo status $?.", quoted(&words)));
                terminal.wait_for("it runs\r\n");
                terminal.wait_for("status 9.\r\n");
                terminal.wait_for("$ ");
            }
        }
    }
}

#[test]
fn a_command_that_changes_its_session_is_waited_for() {
    for who in everybody() {
        let bench = Bench::of(who);
        let script = bench.script("sleep 0.2; echo \"it ends\"; exit 9");
        for way in ways() {
            let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
            let run = bench.typed(way, &["setsid", "-w", &script]);
            terminal.line(&format!("{run}; echo status $?."));
            terminal.wait_for("it ends\r\n");
            terminal.wait_for("status 9.\r\n");
            terminal.wait_for("$ ");
            assert!(terminal.shell_is_in_the_foreground());
        }
    }
}

/// Leaves husk's group, its session or both.
const LEAVE: &str = r#"
use POSIX qw(setsid setpgid);
$ARGV[0] eq "setsid" ? setsid : setpgid(0, 0);
shift;
exec @ARGV;
"#;

#[test]
fn ctrl_c_reaches_a_command_that_has_left_the_group_of_husk() {
    let perl = or_skip!(world::tool("perl"), "{NO_PERL}");
    for who in everybody() {
        let bench = Bench::of(who);
        let count = or_skip!(bench.count(), "{NO_PERL}");
        let leave = bench.program("leave", &format!("#!{}\n{LEAVE}", perl.display()));
        for way in ways().filter(|way| way.place == Place::HusksGroup) {
            for how in ["setsid", "setpgid"] {
                let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
                let mark = world::mark();
                // With a pipe, so that nobody minds that it writes from the background.
                let run = bench.typed(way, &[&leave, how, &count, &mark]);
                terminal.line(&format!("{run} </dev/null | (trap '' INT; cat)"));
                terminal.wait_for("command: ready\r\n");
                terminal.enter("\x03");
                terminal.wait_for("command: INT 1\r\n");
                let more = terminal.after_a_moment();
                assert!(!more.contains("command:"), "{how}: {more}");
                kill(husk_of(&mark), Signal::TERM);
                terminal.wait_for("$ ");
            }
        }
    }
}
