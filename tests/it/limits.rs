//! `[limits]` and `--ulimit`: what the command reads of its limits, and that PID 1 has none of them.

use crate::husk::Run;
use crate::world::{self, NOT_ROOT, everybody};

/// Soft and hard limit by the name in /proc/self/limits, as `text` has them.
fn row(text: &str, name: &str) -> (String, String) {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let mut words = line[name.len()..].split_whitespace();
    let mut next = || words.next().unwrap().to_owned();
    (next(), next())
}

#[track_caller]
fn is(text: &str, name: &str, soft: &str, hard: &str) {
    assert_eq!(
        row(text, name),
        (soft.to_owned(), hard.to_owned()),
        "{name}"
    );
}

fn limits(run: Run) -> String {
    run.words(["--", "/bin/cat", "/proc/self/limits"])
        .output()
        .succeeds()
}

/// Of each limit a value that everybody may set, and its name in /proc.
const ALL: [(&str, &str, &str); 16] = [
    ("cpu", "77", "Max cpu time"),
    ("fsize", "1000000", "Max file size"),
    ("data", "900000000", "Max data size"),
    ("stack", "4000000", "Max stack size"),
    ("core", "0", "Max core file size"),
    ("rss", "800000", "Max resident set"),
    ("nproc", "500", "Max processes"),
    ("nofile", "99", "Max open files"),
    ("memlock", "4096", "Max locked memory"),
    ("as", "700000000", "Max address space"),
    ("locks", "55", "Max file locks"),
    ("sigpending", "66", "Max pending signals"),
    ("msgqueue", "8192", "Max msgqueue size"),
    ("nice", "0", "Max nice priority"),
    ("rtprio", "0", "Max realtime priority"),
    ("rttime", "44", "Max realtime timeout"),
];

#[test]
fn every_limit_of_setrlimit_reaches_the_command() {
    for who in everybody() {
        let flags = ALL
            .iter()
            .flat_map(|(name, value, _)| ["--ulimit".to_owned(), format!("{name}={value}")]);
        let inside = limits(Run::new(who).words(flags));
        for (_, value, title) in ALL {
            is(&inside, title, value, value);
        }
    }
}

#[test]
fn what_is_not_limited_stays_as_the_caller_has_it() {
    for who in everybody() {
        let outside = Run::program(who, "/bin/cat".as_ref()).word("/proc/self/limits");
        let outside = outside.output().succeeds();
        let inside = limits(Run::new(who).words(["--ulimit", "nofile=99"]));
        for (name, _, title) in ALL {
            if name != "nofile" {
                assert_eq!(row(&inside, title), row(&outside, title), "{title}");
            }
        }
    }
}

#[test]
fn pid_1_has_the_caller_s_limits() {
    let who = or_skip!(world::root(), "{NOT_ROOT}: PID 1 cannot be looked into");
    let outside = std::fs::read_to_string("/proc/self/limits").unwrap();
    let flags = [
        "--ulimit",
        "nofile=99",
        "--ulimit",
        "nproc=3",
        "--ulimit",
        "as=90000000",
    ];
    let run = Run::new(who)
        .words(flags)
        .words(["--share-pid", "--share-mount"]);
    let inside = run.sh("cat /proc/$PPID/limits").output().succeeds();
    for title in ["Max open files", "Max processes", "Max address space"] {
        assert_eq!(row(&inside, title), row(&outside, title), "{title}");
    }
}

#[test]
fn a_command_that_is_pid_1_has_them_too() {
    for who in everybody() {
        let run = Run::new(who).words(["--as-pid-1", "--ulimit", "nofile=98"]);
        is(&limits(run), "Max open files", "98", "98");
    }
}

#[test]
fn soft_and_hard_limits_may_differ_and_the_last_word_counts() {
    for who in everybody() {
        let run = Run::new(who).words(["--ulimit", "core=0:unlimited", "--ulimit=nofile=10:20"]);
        let run = run.words(["--ulimit", "nofile=11:21"]);
        let inside = limits(run);
        is(&inside, "Max core file size", "0", "unlimited");
        is(&inside, "Max open files", "11", "21");
        let docker = Run::new(who).words(["--ulimit", "fsize=-1:-1"]);
        is(&limits(docker), "Max file size", "unlimited", "unlimited");
    }
}

#[test]
fn a_limit_is_enforced() {
    for who in everybody() {
        let run = Run::new(who).words(["--ulimit", "cpu=1", "--"]);
        // 128 + SIGKILL: the hard limit.
        let script = "trap '' XCPU; while :; do :; done";
        run.words(["/bin/sh", "-c", script]).output().ends_with(137);
    }
}

/// This process's own hard limit on open files, which everybody here inherits.
fn hard_limit() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    row(&limits, "Max open files").1.parse().unwrap()
}

#[test]
fn a_hard_limit_that_nobody_may_raise_is_named_before_anything_starts() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    let hard = hard_limit();
    let asked = format!("nofile=5:{}", hard + 1);
    let run = Run::new(who).words(["--ulimit", &asked]).sh("echo ran");
    run.output().refuses(&[
        &format!("setting the limit {asked}: the hard limit here is {hard}: EPERM"),
        "CAP_SYS_RESOURCE",
    ]);
    let most = format!("nofile={hard}");
    Run::new(who)
        .words(["--ulimit", &most])
        .sh("true")
        .output()
        .succeeds();
}

#[test]
fn the_host_s_root_may_raise_one_into_a_user_namespace() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let lowered = Run::new(who).after("ulimit -n 64");
    let outcome = lowered
        .words(["--ulimit", "nofile=65"])
        .sh("ulimit -Hn")
        .output();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = crate::processes::field(&status, "CapEff");
    let has_resource = u64::from_str_radix(&effective, 16).unwrap() & (1 << 24) != 0;
    match has_resource {
        true => assert_eq!(outcome.succeeds(), "65\n"),
        false => drop(outcome.refuses(&["nofile=65", "hard limit here is 64", "EPERM"])),
    }
}

#[test]
fn the_plan_shows_them() {
    for who in everybody() {
        let run = Run::new(who).words([
            "--dry-run",
            "--ulimit",
            "nofile=9:10",
            "--ulimit",
            "core=unlimited",
        ]);
        let out = run.output().succeeds();
        for line in ["limit: nofile=9:10", "limit: core=unlimited"] {
            assert!(out.lines().any(|found| found == line), "{out}");
        }
    }
}

#[test]
fn no_limit_costs_no_call() {
    or_skip!(world::tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("calls");
        let log = dir.join("log");
        let run = Run::new(who).words(["--", "/bin/true"]);
        let options = ["-f", "-b", "execve", "-e", "trace=prlimit64"];
        run.traced(&log, options).output().succeeds();
        let log = std::fs::read_to_string(log).unwrap();
        assert!(!log.contains("prlimit64("), "{log}");
    }
}

#[test]
fn a_wrong_limit_is_refused_with_what_is_right() {
    for who in everybody() {
        for (word, fragments) in [
            ("nofile", &["--ulimit", "NAME=SOFT", "\"nofile\""][..]),
            ("nofiel=1", &["\"nofiel\"", "\"nofile\""]),
            ("nofile=", &["SOFT:HARD", "unlimited"]),
            ("nofile=x", &["SOFT:HARD", "\"x\""]),
            ("nofile=2:1", &["soft limit above"]),
            ("nofile=unlimited:1", &["soft limit above"]),
            ("as=18446744073709551616", &["18446744073709551616"]),
        ] {
            Run::new(who)
                .words(["--ulimit", word])
                .sh("echo ran")
                .output()
                .refuses(fragments);
        }
    }
}

#[cfg(feature = "toml")]
#[test]
fn the_file_has_them_and_flags_override_it() {
    for who in everybody() {
        let dir = who.dir("limits");
        let text = "[limits]\nnofile = \"64:128\"\nnproc = 0x100\ncore = \"unlimited\"\nas = 700_000_000\n";
        let inside = limits(Run::config(who, &dir, text).words(["--ulimit", "nproc=200"]));
        is(&inside, "Max open files", "64", "128");
        is(&inside, "Max processes", "200", "200");
        is(&inside, "Max core file size", "unlimited", "unlimited");
        is(&inside, "Max address space", "700000000", "700000000");
    }
}

#[cfg(feature = "toml")]
#[test]
fn what_is_wrong_in_the_file_is_refused_at_its_place() {
    for who in everybody() {
        let dir = who.dir("limits");
        for (text, place, fragments) in [
            ("[limits]\nnofil = 1\n", "2:1", &["nofil", "nofile"][..]),
            ("[limits]\nnofile = -1\n", "2:10", &["limits.nofile", "-1"]),
            (
                "[limits]\nnofile = 1.5\n",
                "2:10",
                &["limits.nofile", "float"],
            ),
            (
                "[limits]\nnofile = true\n",
                "2:10",
                &["a number or a string"],
            ),
            (
                "[limits]\nnofile = \"many\"\n",
                "2:10",
                &["many", "SOFT:HARD"],
            ),
            ("[limits]\nnofile = [1, 2]\n", "2:10", &["array"]),
            ("[limits]\ncpu = 1\ncpu = 2\n", "3:1", &["twice"]),
            (
                "limits = { cpu = \"2:1\" }\n",
                "1:18",
                &["limits.cpu", "above"],
            ),
            ("limits = 7\n", "1:10", &["limits", "a table"]),
            ("[[limits]]\n", "1:3", &["limits", "a table"]),
        ] {
            let line = Run::config(who, &dir, text)
                .sh("echo ran")
                .output()
                .refuses(fragments);
            assert!(
                line.contains(&format!("box.toml:{place}: ")),
                "not at {place}: {line}"
            );
        }
    }
}
