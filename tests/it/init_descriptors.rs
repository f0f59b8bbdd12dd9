//! Descriptors and the directory: the command has the caller's, the init none that pins anything.

use crate::husk::Run;
use crate::init::{Init, KILL, MODES, at_once, everywhere};
use crate::processes;
use crate::world::{self, Identity, everybody};
use std::fs;
use std::path::PathBuf;

/// The numbers of a process's open descriptors, as the host sees them.
pub fn open_in(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let mut numbers: Vec<u32> = names
        .map(|name| name.to_str().unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

fn directory_of(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/cwd")).unwrap()
}

#[test]
fn the_command_has_the_callers_and_husk_has_three() {
    at_once(&everywhere(), |(who, place)| {
        let opening = "exec 9</etc/passwd 3</ 7>&1";
        let bare = Run::program(who, world::helper())
            .word("hold")
            .after(opening);
        let bare = bare.start();
        bare.wait_for("ready");
        let callers = open_in(bare.pid());
        assert!(callers.starts_with(&[0, 1, 2, 3, 7, 9]), "{callers:?}");
        for mode in MODES {
            let run = Run::init(who).words(mode).host_helper(["hold"]);
            let init = Init::settled(run.after(opening), *place);
            assert_eq!(open_in(init.command()), callers, "{mode:?}");
            assert_eq!(open_in(init.pid), [0, 1, 2], "{mode:?}");
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn a_reader_sees_the_end_when_the_command_closes_a_descriptor() {
    at_once(&everywhere(), |(who, place)| {
        // Only the init could still hold the writing end.
        let held = who.dir("held");
        let inner = format!(
            "exec 7>&-; while [ ! -e {}/end ]; do sleep 0.02; done",
            held.text()
        );
        let script = format!("(exec \"$@\" sh -c '{inner}' 7>&1 1>&2) | (cat; echo end)");
        let run = Run::init(who).word("--");
        let run = run.through(["/bin/sh", "-c", &script, "sh"]);
        let started = run.in_place(*place).start();
        started.wait_for("end");
        who.write(&held.join("end"), "", 0o644);
        started.finish().ends_with(0);
    });
}

#[test]
fn husk_is_in_the_root_directory_and_the_command_where_it_was_started() {
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            let dir = who.dir("cwd");
            let run = Run::init(who).words(mode).host_helper(["hold"]);
            let init = Init::settled(run.within(dir.path()), *place);
            assert_eq!(directory_of(init.command()), dir.path());
            assert_eq!(directory_of(init.pid), PathBuf::from("/"));
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn a_directory_that_the_command_left_can_be_unmounted() {
    for who in everybody() {
        let dir = who.dir("mnt");
        // husk leaves it right after the command was started.
        let script = format!(
            "cd /; n=0; until umount {0} 2>/dev/null; do sleep 0.02; n=$((n+1)); \
             [ $n -lt 200 ] || exec grep {0} /proc/self/mountinfo; done; echo unmounted",
            dir.text()
        );
        let run = Run::init(who).words(["--", "/bin/sh", "-c", &script]);
        let mount = format!("mount -t tmpfs -o mode=777 t {0}; cd {0}", dir.text());
        let out = run.through([
            "unshare",
            "-Urm",
            "sh",
            "-c",
            &format!("{mount}; exec \"$@\""),
            "sh",
        ]);
        assert_eq!(out.output().succeeds(), "unmounted\n");
    }
}

/// Which of the three a process has, by its own shell, without opening any.
const WHICH: &str = "left=; for n in 0 1 2; do [ -e /proc/$$/fd/$n ] && left=\"$left$n \"; done; \
                     echo \"$left\" >&8; exit 3";

#[test]
fn it_runs_although_standard_descriptors_are_closed() {
    let closed = [
        ("0<&-", "1 2 "),
        ("1>&-", "0 2 "),
        ("2>&-", "0 1 "),
        ("0<&- 1>&-", "2 "),
        ("0<&- 2>&-", "1 "),
        ("1>&- 2>&-", "0 "),
        ("0<&- 1>&- 2>&-", ""),
    ];
    at_once(&everywhere(), |(who, place)| {
        for mode in MODES {
            for (closing, left) in closed {
                let dir = who.dir("closed");
                let file = dir.join("file");
                // Descriptor 8 is where the command says what it has.
                let redirected = format!("exec 8>{} {closing}", file.display());
                let run = Run::init(who).words(mode).sh(WHICH).after(&redirected);
                run.in_place(*place).output().ends_with(3);
                let said = fs::read_to_string(&file).unwrap();
                assert_eq!(said.trim_end_matches('\n'), left, "{closing} {mode:?}");
            }
        }
    });
}

#[test]
fn husk_opens_nothing_in_the_place_of_closed_ones() {
    at_once(&everywhere(), |(who, place)| {
        for (closing, left) in [("0<&-", &[1, 2][..]), ("0<&- 2>&-", &[1])] {
            let run = Run::init(who)
                .sh("echo ready; exec sleep 20")
                .after(&format!("exec {closing}"));
            let init = Init::settled(run, *place);
            assert_eq!(open_in(init.pid), left, "{closing}");
            init.kill_command().ends_with(128 + KILL);
        }
    });
}

#[test]
fn messages_that_nobody_can_read_do_no_harm() {
    at_once(&everywhere(), |(who, place)| {
        for (redirection, what) in [
            ("2>&-", "closed"),
            ("2</dev/null", "not for writing"),
            ("2>/dev/full", "full"),
        ] {
            let run = Run::init(who)
                .word("-vv")
                .sh("(true &); echo ready; sleep 0.1; exit 3");
            let outcome = run
                .after(&format!("exec {redirection}"))
                .in_place(*place)
                .output();
            assert_eq!(outcome.stdout, "ready\n", "{what}");
            outcome.ends_with(3);
        }
        // A reader that is gone is a SIGPIPE, which must neither kill husk nor reach the command.
        let helper = world::helper().display();
        let script = format!("{{ sleep 0.2; exec \"$@\" {helper} signals; }} 2>&1 >&7 | true");
        let run = Run::init(who).words(["-vv", "--"]);
        let shell = ["/bin/sh", "-c", &format!("exec 7>&1; {script}"), "sh"];
        let started = run.through(shell).in_place(*place).start();
        started.wait_for("ready");
        std::thread::sleep(crate::init::MOMENT);
        assert_eq!(started.so_far(), "ready\n");
        processes::kill_descendants(started.pid());
        drop(started.finish());
    });
}

#[test]
fn a_user_may_be_without_any_descriptor_left() {
    at_once(everybody(), |who: &Identity| {
        let run = Run::init(who)
            .host_helper(["argv", "A"])
            .after("ulimit -n 3");
        assert_eq!(run.output().succeeds(), "41\n");
    });
}

#[test]
fn without_close_range_it_closes_what_is_open_and_asks_for_nothing_else() {
    or_skip!(world::tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("closes");
        let log = dir.join("log");
        // A container's limit may be a thousand million.
        let run = Run::init(who).sh("exit 3").on_host(["-k", "5.4"]);
        let run = run.after("ulimit -n $(ulimit -Hn); exec 9</dev/null 5</");
        let strace = ["-qq", "-e", "trace=close,close_range"];
        run.traced(&log, strace).output().ends_with(3);
        let log = fs::read_to_string(log).unwrap();
        let (_, after) = log.split_once("close_range(").unwrap();
        let closed: Vec<&str> = after.lines().skip(1).collect();
        assert!(
            closed.contains(&"close(5)                                = 0"),
            "{log}"
        );
        assert!(
            closed.contains(&"close(9)                                = 0"),
            "{log}"
        );
        assert!(closed.len() < 10, "{log}");
    }
}
