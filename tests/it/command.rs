//! The command: how it is found, what it is given, and how its end is told.

use crate::husk::Run;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, everybody};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

#[test]
fn its_status_is_husk_s() {
    for who in everybody() {
        Run::new(who).sh("exit 0").output().ends_with(0);
        Run::new(who).sh("exit 7").output().ends_with(7);
        Run::new(who).sh("exit 255").output().ends_with(255);
    }
}

#[test]
fn its_death_by_a_signal_is_128_and_the_number() {
    for who in everybody() {
        for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("HUP", 1)] {
            Run::new(who)
                .sh(&format!("kill -{name} $$"))
                .output()
                .ends_with(128 + number);
        }
    }
}

#[test]
fn one_that_does_not_exist_is_127_and_named() {
    for who in everybody() {
        for name in ["no-such-program", "/no/such/program"] {
            Run::new(who)
                .words(["--", name])
                .output()
                .ends_with(127)
                .says(&[name]);
        }
    }
}

#[test]
fn one_that_cannot_be_executed_is_126_and_named() {
    for who in everybody() {
        let dir = who.dir("programs");
        who.write(&dir.join("plain-file"), "no program", 0o644);
        let file = dir.join("plain-file");
        Run::new(who)
            .word("--")
            .word(&file)
            .output()
            .ends_with(126)
            .says(&["plain-file", "EACCES"]);
        Run::new(who)
            .words(["--", dir.text()])
            .output()
            .ends_with(126)
            .says(&[dir.text()]);
    }
}

#[test]
fn a_script_whose_interpreter_is_missing_names_the_interpreter() {
    for who in everybody() {
        let dir = who.dir("programs");
        who.write(&dir.join("script"), "#!/no/such/perl -w\n", 0o755);
        let outcome = Run::new(who).word("--").word(dir.join("script")).output();
        assert!(
            matches!(outcome.status.code(), Some(126 | 127)),
            "{outcome}"
        );
        outcome.says(&["/no/such/perl"]);
    }
}

#[test]
fn a_program_whose_loader_is_missing_names_the_loader() {
    let dynamic = or_skip!(dynamic_program(), "no dynamically linked /bin/ls");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        world::copy_program(Path::new("/bin/ls"), &root.join("data/program"));
        let outcome = Run::root(who, &root)
            .words(["--", "/data/program"])
            .output();
        assert!(
            matches!(outcome.status.code(), Some(126 | 127)),
            "{outcome}"
        );
        outcome.says(&[&dynamic]);
    }
}

/// The loader that /bin/ls names.
fn dynamic_program() -> Option<String> {
    let bytes = fs::read("/bin/ls").ok()?;
    let start = bytes
        .windows(5)
        .position(|window| window == b"/lib6" || window == b"/lib/")?;
    let end = bytes[start..].iter().position(|byte| *byte == 0)?;
    String::from_utf8(bytes[start..start + end].to_vec())
        .ok()
        .filter(|name| name.contains("ld-"))
}

#[test]
fn it_is_found_in_the_path_of_the_container() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        who.mkdir(&root.join("opt/one"));
        who.mkdir(&root.join("opt/two"));
        who.write(
            &root.join("opt/two/tool"),
            "#!/bin/sh\necho from two\n",
            0o755,
        );
        let run = Run::root(who, &root).words(["--setenv", "PATH", "/opt/one:/opt/two"]);
        let tool = run.words(["--", "tool"]);
        assert_eq!(tool.output().succeeds(), "from two\n");
        // execvp(3): one that may not be executed does not end the search …
        who.write(&root.join("opt/one/tool"), "no", 0o644);
        assert_eq!(tool.output().succeeds(), "from two\n");
        // … and is what is reported when there is no other.
        fs::remove_file(root.join("opt/two/tool")).unwrap();
        tool.output().ends_with(126).says(&["tool"]);
    }
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        who.write(&root.join("bin/script"), "echo \"$0 $1\"\n", 0o755);
        let run = Run::root(who, &root).words(["--", "script", "word"]);
        assert_eq!(run.output().succeeds(), "/bin/script word\n");
    }
}

#[test]
fn without_a_command_there_is_a_shell() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mut shell = Run::root(who, &root).listening().start();
        shell.say("echo shell $((6 * 7))\n");
        shell.close_stdin();
        assert_eq!(shell.finish().succeeds(), "shell 42\n");
    }
}

#[test]
fn its_arguments_arrive_byte_for_byte() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let bytes: [&[u8]; 5] = [b"", b"two words", b"a\nb", b"\xff\xfe", b"--root"];
        let words = bytes.map(OsStr::from_bytes);
        let run = Run::root(who, &root).helper(["argv"]).words(words);
        assert_eq!(
            run.output().succeeds(),
            "\n74 77 6f 20 77 6f 72 64 73\n61 0a 62\nff fe\n2d 2d 72 6f 6f 74\n"
        );
    }
}

#[test]
fn its_environment_is_the_caller_s_with_the_changes_in_order() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root)
            .variable("KEPT", OsStr::from_bytes(b"\xff="))
            .variable("GONE", "yes")
            .variable("CHANGED", "before")
            .words(["--unsetenv", "GONE", "--setenv", "CHANGED", "after"])
            .words([
                "--setenv",
                "EMPTY",
                "",
                "--setenv",
                "LATE",
                "x",
                "--unsetenv",
                "LATE",
            ]);
        let out = run.helper(["environ"]).output().succeeds();
        for line in ["KEPT=hex:ff 3d", "CHANGED=after", "EMPTY="] {
            assert!(out.lines().any(|found| found == line), "no {line} in {out}");
        }
        assert!(!out.contains("GONE") && !out.contains("LATE"), "{out}");
    }
}

#[test]
fn a_cleared_environment_has_nothing_of_the_caller_s() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).variable("SECRET", "yes").words([
            "--clearenv",
            "--setenv",
            "GIVEN",
            "yes",
        ]);
        let out = run.helper(["environ"]).output().succeeds();
        assert!(out.contains("GIVEN=yes\n"), "{out}");
        assert!(
            !out.contains("SECRET") && !out.contains("HOME=/var"),
            "{out}"
        );
    }
}

#[test]
fn it_starts_in_the_directory_that_was_asked_for() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root);
        assert_eq!(
            run.clone()
                .words(["--chdir", "/data"])
                .sh("pwd")
                .output()
                .succeeds(),
            "/data\n"
        );
        let gone = run.clone().words(["--chdir", "/no/such/dir"]).sh("pwd");
        gone.output().refuses(&["/no/such/dir", "ENOENT"]);
        // A link in the root leads to a place in the root.
        symlink("/data", root.join("link")).unwrap();
        let linked = run.words(["--chdir", "/link"]).sh("pwd -P");
        assert_eq!(linked.output().succeeds(), "/data\n");
        // The host's tree kept: where the caller is.
        let here = who.dir("here");
        let pwd = Run::new(who)
            .within(here.path())
            .sh("pwd -P")
            .output()
            .succeeds();
        assert_eq!(pwd.trim(), here.text());
    }
}

#[test]
fn it_inherits_the_three_standard_descriptors_alone() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).after("exec 9</etc/passwd 8</");
        assert_eq!(run.helper(["fds"]).output().succeeds(), "[0, 1, 2]\n");
    }
}

#[test]
fn it_runs_although_the_caller_s_descriptors_are_closed() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root);
        run.clone()
            .after("exec 0<&-")
            .sh("exit 3")
            .output()
            .ends_with(3);
        run.clone()
            .after("exec 1>&-")
            .sh("exit 3")
            .output()
            .ends_with(3);
        run.clone()
            .after("exec 0<&- 1>&- 2>&-")
            .sh("exit 3")
            .output()
            .ends_with(3);
        let text = run.after("exec 0<&- 2>&-").sh("echo text").output();
        assert_eq!(text.ends_with(0).stdout, "text\n");
    }
}

#[test]
fn husk_s_own_program_is_refused_in_a_root() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        fs::hard_link(world::husk(), root.join("bin/husk")).unwrap();
        symlink("husk", root.join("bin/link")).unwrap();
        for program in ["/proc/self/exe", "/bin/husk", "link"] {
            let run = Run::root(who, &root).words(["--", program, "--help"]);
            run.output().ends_with(126).says(&["husk"]);
        }
    }
}

#[test]
fn a_root_with_one_static_program_is_enough() {
    for who in everybody() {
        let root = bare(who);
        let out = Run::root(who, &root)
            .words(["--", "/helper", "argv", "A"])
            .output()
            .succeeds();
        assert_eq!(out, "41\n");
    }
}

fn bare(who: &Identity) -> Dir {
    let root = who.dir("bare");
    fs::hard_link(world::helper(), root.join("helper")).unwrap();
    root
}
