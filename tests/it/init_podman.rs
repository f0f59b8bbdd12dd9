//! `husk init` in podman: as its `--init`, and as what a container starts with.

use crate::podman::{NO_PODMAN, Podman};
use crate::processes::ORPHAN;
use crate::running::Outcome;
use crate::terminal::Terminal;
use crate::world::{NOT_ROOT, root};
use std::process::Command;
use std::time::{Duration, Instant};

/// Counts what it is told to, and ends with 3 when told to.
const LISTENS: &str = "trap 'echo got TERM; exit 3' TERM; trap 'echo got USR1' USR1; echo ready; \
                       while :; do sleep 0.05; done";

/// The container starts with podman's `--init`, which is husk.
fn with_init(podman: &Podman, options: &[&str], words: &[&str]) -> Outcome {
    let copy = podman.copy("catatonit");
    let mut all = vec!["--init", "--init-path", copy.to_str().unwrap()];
    all.extend(options);
    podman.run(&all, words)
}

#[test]
fn podmans_own_init_can_be_husk() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let script = "tr '\\0' ' ' </proc/1/cmdline; grep -E '^(Name|PPid)' /proc/1/status; \
                  test $PPID = 1 && test $$ != 1 && echo its child";
    let out = with_init(&podman, &[], &["/bin/sh", "-c", script]).succeeds();
    assert!(out.starts_with("/run/podman-init -- /bin/sh -c "), "{out}");
    assert!(
        out.ends_with("Name:\tpodman-init\nPPid:\t0\nits child\n"),
        "{out}"
    );
}

#[test]
fn podmans_own_init_needs_no_right_at_all() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let restricted = [
        "--user=65534:65534",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--read-only",
    ];
    let out = with_init(
        &podman,
        &restricted,
        &["/bin/sh", "-c", &format!("id -u; {ORPHAN}")],
    );
    assert_eq!(out.succeeds(), "65534\nadopted\nreaped\n");
}

#[test]
fn each_name_has_its_exit_statuses() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let starts: [(&[&str], i32, i32); 4] = [
        (&["/bin/husk", "init", "--"], 127, 126),
        (&["/bin/tini", "--"], 127, 126),
        (&["/bin/dumb-init", "--"], 2, 2),
        (&[], 1, 1),
    ];
    for (start, not_found, not_executable) in starts {
        let commands: [(&[&str], i32); 5] = [
            (&["/bin/sh", "-c", "exit 0"], 0),
            (&["/bin/sh", "-c", "exit 7"], 7),
            (&["/bin/sh", "-c", "kill -9 $$"], 137),
            (&["/bin/nothing"], not_found),
            (&["/etc/passwd"], not_executable),
        ];
        for (command, status) in commands {
            let words: Vec<&str> = start.iter().chain(command).copied().collect();
            let outcome = if start.is_empty() {
                with_init(&podman, &[], &words)
            } else {
                podman.run(&[], &words)
            };
            outcome.ends_with(status);
        }
    }
}

#[test]
fn stopping_a_container_tells_its_command() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let copy = podman.copy("catatonit");
    let init = ["--init", "--init-path", copy.to_str().unwrap()];
    let starts: [(&[&str], &[&str]); 4] = [
        (&init, &[]),
        (&[], &["/bin/husk", "init", "--"]),
        (&[], &["/bin/tini", "--"]),
        (&[], &["/bin/dumb-init", "--"]),
    ];
    for (options, start) in starts {
        let words: Vec<&str> = start
            .iter()
            .chain(&["/bin/sh", "-c", LISTENS])
            .copied()
            .collect();
        let started = podman.start(options, &words);
        started.wait_for("ready");
        podman.tell(&["kill", "--signal=USR1"]).ends_with(0);
        started.wait_for("got USR1");
        let begin = Instant::now();
        podman.tell(&["stop", "--time=20"]).ends_with(0);
        assert!(begin.elapsed() < Duration::from_secs(10), "{start:?}");
        let outcome = started.finish().ends_with(3);
        assert_eq!(outcome.stdout, "ready\ngot USR1\ngot TERM\n", "{start:?}");
    }
}

#[test]
fn a_command_without_a_handler_is_ended_by_stopping() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let words = ["/bin/husk", "init", "/bin/helper", "hold"];
    let started = podman.start(&[], &words);
    started.wait_for("ready");
    podman.tell(&["stop", "--time=20"]).ends_with(0);
    started.finish().ends_with(143);
}

#[test]
fn orphans_are_adopted_and_reaped() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    // Many that end at once, and none of them stays.
    let many = "for n in $(seq 50); do sh -c 'sleep 0.2 &'; done; sleep 0.6; \
                grep -l '^State:.Z' /proc/[0-9]*/status";
    let script = format!("{ORPHAN}; {many}; exit 4");
    let outcome = with_init(&podman, &[], &["/bin/sh", "-c", &script]).ends_with(4);
    assert_eq!(outcome.stdout, "adopted\nreaped\n");
    let words = ["/bin/husk", "init", "/bin/sh", "-c", &script];
    let outcome = podman.run(&[], &words).ends_with(4);
    assert_eq!(outcome.stdout, "adopted\nreaped\n");
}

#[test]
fn an_init_that_is_not_pid_1_adopts_orphans_too() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    // podman has no --init for this.
    let words = ["/bin/husk", "init", "/bin/sh", "-c", ORPHAN];
    let out = podman.run(&["--pid=host"], &words);
    assert_eq!(out.stderr, "", "{out}");
    assert_eq!(out.succeeds(), "adopted\nreaped\n");
}

/// Ends with 5 when told to, and leaves one that does not end, in a session of its own.
const LEAVES: &str = "setsid sh -c 'trap \"echo left got TERM\" TERM; echo left is there; \
                      while :; do sleep 0.05; done' & \
                      trap 'echo got TERM; exit 5' TERM; \
                      while :; do sleep 0.05; done";

#[test]
fn what_is_left_has_the_grace_and_no_more() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let words = [
        "/bin/husk",
        "init",
        "--grace",
        "1",
        "--",
        "/bin/sh",
        "-c",
        LEAVES,
    ];
    let started = podman.start(&[], &words);
    started.wait_for("left is there");
    let begin = Instant::now();
    podman.tell(&["stop", "--time=20"]).ends_with(0);
    let took = begin.elapsed();
    let outcome = started.finish().ends_with(5);
    assert_eq!(outcome.stdout, "left is there\ngot TERM\nleft got TERM\n");
    let expected = Duration::from_millis(900)..Duration::from_secs(5);
    assert!(expected.contains(&took), "{took:?}");
}

#[test]
fn what_is_left_is_not_waited_for_once_it_has_ended() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let script = LEAVES.replace("left got TERM", "left got TERM; exit");
    let words = [
        "/bin/husk",
        "init",
        "--grace",
        "15",
        "--",
        "/bin/sh",
        "-c",
        &script,
    ];
    let started = podman.start(&[], &words);
    started.wait_for("left is there");
    let begin = Instant::now();
    podman.tell(&["stop", "--time=20"]).ends_with(0);
    assert!(
        begin.elapsed() < Duration::from_secs(8),
        "{:?}",
        begin.elapsed()
    );
    let outcome = started.finish().ends_with(5);
    assert_eq!(outcome.stdout, "left is there\ngot TERM\nleft got TERM\n");
}

#[test]
fn podmans_own_init_takes_its_options_from_the_environment() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let copy = podman.copy("catatonit");
    let options = [
        "--env=HUSK_INIT_OPTIONS=--grace 1",
        "--init",
        "--init-path",
        copy.to_str().unwrap(),
    ];
    let started = podman.start(&options, &["/bin/sh", "-c", LEAVES]);
    started.wait_for("left is there");
    podman.tell(&["stop", "--time=20"]).ends_with(0);
    let outcome = started.finish().ends_with(5);
    assert_eq!(outcome.stdout, "left is there\ngot TERM\nleft got TERM\n");
}

#[test]
fn what_podman_puts_in_from_outside_does_not_hold_the_end() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let started = podman.start(&[], &["/bin/husk", "init", "/bin/sh", "-c", LISTENS]);
    started.wait_for("ready");
    let other = podman.exec(&["/bin/helper", "hold"]);
    other.wait_for("ready");
    let begin = Instant::now();
    podman.tell(&["stop", "--time=20"]).ends_with(0);
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    started.finish().ends_with(3);
    // podman does not always come to know its status.
    assert_ne!(other.finish().status.code(), Some(0));
}

#[test]
fn a_pause_container_ends_with_0_when_told_to() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    for words in [
        &["/bin/catatonit", "-P"][..],
        &["/bin/husk", "init", "--pause"],
    ] {
        let started = podman.start(&[], words);
        let script = format!("{}; echo done", ORPHAN.replace("$PPID", "1"));
        let inside = || podman.exec(&["/bin/sh", "-c", &script]);
        // There is no word to wait for: podman says so until it runs.
        let end = Instant::now() + Duration::from_secs(10);
        let mut out = inside().finish();
        while !out.status.success() && Instant::now() < end {
            out = inside().finish();
        }
        assert_eq!(out.succeeds(), "adopted\nreaped\ndone\n");
        podman.tell(&["stop", "--time=20"]).ends_with(0);
        let outcome = started.finish().ends_with(0);
        assert_eq!(
            (outcome.stdout, outcome.stderr),
            (String::new(), String::new())
        );
    }
}

#[test]
fn dumb_init_rewrites_what_podman_sends() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let script = LISTENS.replace("'echo got USR1'", "'echo got USR1; exit 6'");
    let words = [
        "/bin/dumb-init",
        "-r",
        "15:10",
        "--",
        "/bin/sh",
        "-c",
        &script,
    ];
    let started = podman.start(&[], &words);
    started.wait_for("ready");
    podman.tell(&["stop", "--time=20"]).ends_with(0);
    let outcome = started.finish().ends_with(6);
    assert_eq!(outcome.stdout, "ready\ngot USR1\n");
}

#[test]
fn on_a_terminal_keys_reach_the_command_once() {
    let who = or_skip!(root(), "{NOT_ROOT}");
    let podman = or_skip!(Podman::of(who), "{NO_PODMAN}");
    let text = "#!/bin/sh\ntrap 'n=$((n+1)); echo got INT $n' INT\ntrap 'echo got TERM; exit 9' TERM\n\
                test -t 0 && stty size && echo ready\nwhile :; do sleep 0.05; done\n";
    who.write(&podman.root().join("bin/script"), text, 0o755);
    let copy = podman.copy("catatonit");
    let init = ["-it", "--init", "--init-path", copy.to_str().unwrap()];
    let starts: [(&[&str], &[&str]); 7] = [
        (&init, &[]),
        (&["-it"], &["/bin/husk", "init"]),
        (&["-it"], &["/bin/husk", "init", "--session"]),
        (&["-it"], &["/bin/husk", "init", "--single-child"]),
        (&["-it"], &["/bin/tini"]),
        (&["-it"], &["/bin/dumb-init"]),
        (&["-it"], &["/bin/dumb-init", "-c"]),
    ];
    for (options, start) in starts {
        let words: Vec<&str> = start.iter().chain(&["/bin/script"]).copied().collect();
        let mut terminal = or_skip!(Terminal::of(who), "no bash: apt install bash");
        let typed = podman.typed(options, &words);
        terminal.line(&format!("{typed}; echo \"status $?\""));
        terminal.wait_for("ready");
        terminal.enter("\x03");
        terminal.wait_for("got INT 1");
        terminal.enter("\x03");
        terminal.wait_for("got INT 2");
        assert!(!terminal.after_a_moment().contains("got"), "{start:?}");
        podman.tell(&["stop", "--time=20"]).ends_with(0);
        terminal.wait_for("got TERM");
        terminal.wait_for("status 9");
    }
}

#[test]
fn a_command_that_is_stopped_can_be_continued_and_ended() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    // The container's processes that stand still.
    let stopped = |podman: &Podman| {
        let script = "grep -l '^State:.T' /proc/[0-9]*/status | grep -c .";
        let inside = podman.exec(&["/bin/sh", "-c", script]);
        inside.finish().stdout.trim_end() != "0"
    };
    let wait_until = |expected: bool| {
        let end = Instant::now() + Duration::from_secs(10);
        while stopped(&podman) != expected {
            assert!(Instant::now() < end, "stopped: {}", !expected);
        }
    };
    for start in [
        &["/bin/husk", "init"][..],
        &["/bin/tini"],
        &["/bin/catatonit"],
        &["/bin/dumb-init"],
    ] {
        let words: Vec<&str> = start
            .iter()
            .chain(&["/bin/sh", "-c", LISTENS])
            .copied()
            .collect();
        let started = podman.start(&[], &words);
        started.wait_for("ready");
        podman.tell(&["kill", "--signal=TSTP"]).ends_with(0);
        wait_until(true);
        podman.tell(&["kill", "--signal=CONT"]).ends_with(0);
        wait_until(false);
        podman.tell(&["kill", "--signal=TSTP"]).ends_with(0);
        wait_until(true);
        podman.tell(&["stop", "--time=20"]).ends_with(0);
        started.finish().ends_with(3);
    }
}

#[test]
fn sockets_that_podman_hands_over_are_the_commands() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    // podman says who shall have them (sd_listen_fds(3)): PID 1, as it knows of no init.
    let script = "test $LISTEN_PID = $$ && echo mine";
    let out = with_init(&podman, &["--env=LISTEN_PID=1"], &["/bin/sh", "-c", script]);
    assert_eq!(out.succeeds(), "mine\n");
    let script = "test $LISTEN_PID = 77 && echo not mine";
    let out = with_init(
        &podman,
        &["--env=LISTEN_PID=77"],
        &["/bin/sh", "-c", script],
    );
    assert_eq!(out.succeeds(), "not mine\n");
}

#[test]
fn docker_can_read_the_version() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    // What `docker info` calls and how it reads it: `tini version VERSION[ - git.COMMIT]`.
    for (name, word) in [
        ("docker-init", "--version"),
        ("tini", "--version"),
        ("catatonit", "--version"),
    ] {
        let out = Command::new(podman.copy(name)).arg(word).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        let text = String::from_utf8(out.stdout).unwrap();
        let version = text.trim_end().strip_prefix("tini version ").unwrap();
        assert_eq!(version, format!("{}_husk", env!("CARGO_PKG_VERSION")));
    }
}
