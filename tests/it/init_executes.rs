//! How an init finds its command, and what is said when it cannot run it.

use crate::husk::Run;
use crate::init::{at_once, everywhere};
use crate::world::{self, Dir, Identity, everybody, tool};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

/// A directory with programs that cannot be run.
fn programs(who: &Identity) -> Dir {
    let dir = who.dir("programs");
    for (name, text, mode) in [
        ("fine", "#!/bin/sh\necho fine \"$@\"\n", 0o755),
        ("denied", "#!/bin/sh\n", 0o644),
        ("orphaned", "#!/no/such/interpreter -x\n", 0o755),
        ("bare", "echo \"$0 $1\"; exit 5\n", 0o755),
        ("empty", "", 0o755),
        ("binary", "\x7fELF\x01\x01\0\0\0", 0o755),
    ] {
        who.write(&dir.join(name), text, mode);
    }
    who.mkdir(&dir.join("dir"));
    symlink("loop", dir.join("loop")).unwrap();
    dir
}

#[test]
fn what_is_not_there_is_127_and_what_cannot_be_run_126() {
    let cases = [
        ("no-such-command", 127, "ENOENT"),
        ("/no/such/command", 127, "ENOENT"),
        ("/etc/passwd/command", 126, "ENOTDIR"),
        ("denied", 126, "EACCES"),
        ("dir", 126, "EACCES"),
        ("orphaned", 127, "/no/such/interpreter"),
        ("loop", 126, "ELOOP"),
        ("binary", 126, "ENOEXEC"),
        ("", 127, ""),
    ];
    at_once(&everywhere(), |(who, place)| {
        let dir = programs(who);
        for (name, status, word) in cases {
            for option in ["", "-g", "--session", "--grace=9"] {
                let path = dir.join(name);
                let path = path.to_str().unwrap();
                let given = match name {
                    "" | "no-such-command" => name,
                    _ if name.starts_with('/') => name,
                    _ => path,
                };
                let run = Run::init(who).words(Some(option).filter(|option| !option.is_empty()));
                let outcome = run.words(["--", given]).in_place(*place).output();
                assert_eq!(outcome.stdout, "", "{outcome}");
                outcome.ends_with(status).says(&[given, word]);
            }
        }
    });
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    at_once(&everywhere(), |(who, place)| {
        let dir = programs(who);
        let bare = dir.join("bare");
        let run = Run::init(who).word("--").word(&bare).word("word");
        let outcome = run.in_place(*place).output().ends_with(5);
        assert_eq!(outcome.stdout, format!("{} word\n", bare.display()));
        let run = Run::init(who).words(["--", "bare", "word"]);
        let path = format!("{}:{}", dir.text(), world::PATH);
        let outcome = run.variable("PATH", path).in_place(*place).output();
        let outcome = outcome.ends_with(5);
        assert_eq!(outcome.stdout, format!("{} word\n", bare.display()));
        let run = Run::init(who).word("--").word(dir.join("empty"));
        run.in_place(*place).output().ends_with(0);
    });
}

#[test]
fn the_search_path_is_searched_in_order_and_past_what_is_denied() {
    for who in everybody() {
        let dir = programs(who);
        let (first, second) = (dir.join("first"), dir.join("second"));
        for (directory, text, mode) in [
            (&first, "#!/bin/sh\necho first\n", 0o755),
            (&second, "#!/bin/sh\necho second\n", 0o755),
        ] {
            who.mkdir(directory);
            who.write(&directory.join("tool"), text, mode);
        }
        let path = format!("/no/such:{}:{}", first.display(), second.display());
        let run = Run::init(who).words(["--", "tool"]).variable("PATH", path);
        assert_eq!(run.output().succeeds(), "first\n");
        // Denied, a directory, missing: the next one is taken.
        fs::set_permissions(first.join("tool"), Permissions::from_mode(0o644)).unwrap();
        assert_eq!(run.output().succeeds(), "second\n");
        fs::remove_file(first.join("tool")).unwrap();
        who.mkdir(&first.join("tool"));
        assert_eq!(run.output().succeeds(), "second\n");
        fs::remove_dir(first.join("tool")).unwrap();
        assert_eq!(run.output().succeeds(), "second\n");
        // Denied everywhere: that is better news than not found.
        fs::set_permissions(second.join("tool"), Permissions::from_mode(0o644)).unwrap();
        run.output().ends_with(126).says(&["tool", "EACCES"]);
        fs::remove_file(second.join("tool")).unwrap();
        run.output().ends_with(127).says(&["tool", "ENOENT"]);
    }
}

#[test]
fn an_empty_element_of_the_search_path_is_the_working_directory() {
    for who in everybody() {
        let dir = programs(who);
        for path in ["", ":", "/no/such:", ":/no/such", "/no::such"] {
            let run = Run::init(who).words(["--", "fine", path]);
            let run = run.variable("PATH", path).within(dir.path());
            assert_eq!(
                run.output().succeeds(),
                format!("fine {path}\n"),
                "{path:?}"
            );
        }
        let run = Run::init(who)
            .words(["--", "fine"])
            .variable("PATH", "/no/such");
        run.within(dir.path()).output().ends_with(127);
    }
}

#[test]
fn without_a_search_path_the_usual_directories_are_searched() {
    at_once(&everywhere(), |(who, place)| {
        let run = Run::init(who).words(["--", "sh", "-c", "echo \"${PATH-none}\""]);
        let run = run.through(["env", "-u", "PATH"]).in_place(*place);
        // The shell sets one for itself.
        assert!(run.output().succeeds().starts_with('/'));
        let run = Run::init(who).words(["--", "no-such-command"]);
        let run = run.through(["env", "-u", "PATH"]).in_place(*place);
        run.output()
            .ends_with(127)
            .says(&["no-such-command", "ENOENT"]);
    });
}

#[test]
fn a_path_that_is_too_long_is_no_crash() {
    for who in everybody() {
        let long = "x".repeat(5000);
        for name in [long.clone(), format!("/{long}"), "d/".repeat(3000)] {
            let outcome = Run::init(who).words(["--", &name]).output();
            let code = outcome.status.code();
            assert!(matches!(code, Some(126 | 127)), "{outcome}");
            assert!(outcome.is_one_line_of_husk(), "{outcome}");
        }
        let run = Run::init(who).words(["--", "true"]);
        let run = run.variable("PATH", format!("/{long}:{}", world::PATH));
        run.output().ends_with(0);
    }
}

#[test]
fn many_and_long_words_arrive() {
    for who in everybody() {
        let words: Vec<String> = (0..3000).map(|number| format!("w{number}")).collect();
        let run = Run::init(who)
            .sh("echo $#; shift 2999; echo $1")
            .words(&words);
        assert_eq!(run.output().succeeds(), "2999\n\n");
        let long = "x".repeat(100_000);
        let run = Run::init(who).sh("echo ${#0}").word(&long);
        assert_eq!(run.output().succeeds(), "100000\n");
        // A script without a first line gets them by way of the shell.
        let dir = programs(who);
        who.write(&dir.join("count"), "echo $#\n", 0o755);
        let run = Run::init(who)
            .word("--")
            .word(dir.join("count"))
            .words(&words);
        assert_eq!(run.output().succeeds(), "3000\n");
    }
}

#[test]
fn a_process_that_cannot_be_had_is_husks_own_failure() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("fork");
        for errno in ["EAGAIN", "ENOMEM", "ENOSYS", "EPERM"] {
            let inject = format!("inject=clone,clone3,vfork,fork:error={errno}");
            let run = Run::init(who).words(["--", "true"]);
            let run = run.traced(&dir.join("log"), ["-qq", "-f", "-e", &inject]);
            run.output().refuses(&[errno]);
        }
    }
}

#[test]
fn a_user_who_may_have_no_more_processes_is_told_so() {
    or_skip!(tool("prlimit"), "no prlimit(1)");
    let who = or_skip!(world::user(), "{}", world::no_user());
    let run = Run::init(who).words(["--", "true"]);
    run.through(["prlimit", "--nproc=1", "--"])
        .output()
        .refuses(&["EAGAIN"]);
}

#[test]
fn a_command_that_could_not_run_leaves_nothing() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("reaped");
        let run = Run::init(who).words(["--", "/no/such/command"]);
        let log = dir.join("log");
        run.traced(&log, ["-qq", "-f"]).output().ends_with(127);
        let log = fs::read_to_string(log).unwrap();
        // What was started for it is waited for.
        assert!(log.contains("wait"), "{log}");
    }
}
