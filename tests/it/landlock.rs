//! `[landlock]`: what the command can still do with files, and what it sees where the kernel lacks it.

use crate::husk::Run;
use crate::world::{Dir, Identity, NO_BUSYBOX, everybody, tool};
use std::fs;

/// The kernel's version of Landlock, as `husk check` found it.
fn version(who: &Identity) -> Option<u32> {
    let out = Run::husk(who).words(["check", "--json"]).output().stdout;
    let line = out
        .lines()
        .find(|line| line.contains("\"Landlock, ABI\""))?;
    let amount = line.split("\"amount\":").nth(1)?;
    amount.split('}').next()?.parse().ok()
}

const NO_LANDLOCK: &str = "this kernel has no Landlock";

/// A root with files of which each is under another rule.
fn root(who: &Identity) -> Option<Dir> {
    let root = who.root_dir()?;
    for name in ["ro", "rw", "rx", "closed"] {
        who.mkdir(&root.join(name));
        who.write(&root.join(name).join("file"), "text\n", 0o666);
        let script = "#!/bin/sh\necho ran\n";
        who.write(&root.join(name).join("script"), script, 0o777);
    }
    Some(root)
}

const RULES: [&str; 10] = [
    "--landlock-rw",
    "/dev/null",
    "--landlock-rx",
    "/bin",
    "--landlock-ro",
    "/ro",
    "--landlock-rw",
    "/rw",
    "--landlock-rx",
    "/rx",
];

/// Tries all in each directory and prints what worked.
const TRY: &str = "for d in ro rw rx closed; do
    cat /$d/file >/dev/null 2>&1 && echo $d read
    ls /$d >/dev/null 2>&1 && echo $d listed
    (echo new >>/$d/file) 2>/dev/null && echo $d written
    (: >/$d/file) 2>/dev/null && echo $d emptied
    (: >/$d/new) 2>/dev/null && echo $d made
    mkdir /$d/dir 2>/dev/null && echo $d mkdir
    rm /$d/file 2>/dev/null && echo $d removed
    /$d/script 2>/dev/null
    sh /$d/script >/dev/null 2>&1 && echo $d interpreted
done; true";

#[test]
fn what_is_not_listed_is_closed_and_the_rest_is_as_it_says() {
    for who in everybody() {
        or_skip!(
            version(who).filter(|version| *version >= 3),
            "{NO_LANDLOCK}, or an old one"
        );
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let out = Run::root(who, &root)
            .words(RULES)
            .sh(TRY)
            .output()
            .succeeds();
        let lines: Vec<&str> = out.lines().collect();
        let wanted = [
            "ro read",
            "ro listed",
            "ro interpreted",
            "rw read",
            "rw listed",
            "rw written",
            "rw emptied",
            "rw made",
            "rw mkdir",
            "rw removed",
            "rw interpreted",
            "rx read",
            "rx listed",
            "ran",
            "rx interpreted",
        ];
        assert_eq!(lines, wanted);
        assert!(root.join("closed/file").exists());
        assert_eq!(fs::read_to_string(root.join("ro/file")).unwrap(), "text\n");
    }
}

#[test]
fn what_two_rules_allow_is_allowed() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let run = Run::root(who, &root)
            .words(RULES)
            .words(["--landlock-rx", "/rw"]);
        let out = run
            .sh("/rw/script; echo x >>/rw/file && echo written")
            .output()
            .succeeds();
        assert_eq!(out, "ran\nwritten\n");
    }
}

#[test]
fn a_rule_may_be_about_one_file() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let rules = [
            "--landlock-rx",
            "/bin",
            "--landlock-rw",
            "/ro/file",
            "--landlock-rw",
            "/dev/null",
        ];
        let script = "echo x >>/ro/file && echo >/dev/null && cat /ro/script || echo closed";
        let run = Run::root(who, &root).words(rules).sh(script);
        let outcome = run.output().ends_with(0);
        assert_eq!(outcome.stdout, "closed\n");
    }
}

#[test]
fn every_process_of_the_container_but_pid_1_is_in_the_domain() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let script = "(cat /closed/file || sh -c 'cat /closed/file') 2>/dev/null || echo closed";
        let as_child = Run::root(who, &root).words(RULES);
        let as_init = as_child.clone().word("--as-pid-1");
        for run in [as_child, as_init] {
            assert_eq!(run.sh(script).output().succeeds(), "closed\n");
        }
    }
}

#[test]
fn inside_no_mount_can_be_changed() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--landlock-rx", "/"]);
        let script = "mount -t tmpfs tmpfs /tmp 2>&1; umount /dev 2>&1; echo $?";
        let out = run.sh(script).output().succeeds();
        assert!(out.contains("Operation not permitted"), "{out}");
        assert!(out.ends_with("\n1\n"), "{out}");
    }
}

#[test]
fn a_link_of_the_root_cannot_name_a_path_outside() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let outside = who.dir("outside");
        std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
        let run = Run::root(who, &root)
            .words(RULES)
            .words(["--landlock-rw", "/link"]);
        run.sh("true")
            .output()
            .refuses(&["opening for Landlock /link", "ENOENT"]);
    }
}

#[test]
fn a_command_that_may_not_be_executed_is_told_what_to_list() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        for command in ["/closed/script", "/rw/script", "/bin/nosuch"] {
            let run = Run::root(who, &root).words(RULES).words(["--", command]);
            match command {
                "/bin/nosuch" => run.output().ends_with(127).says(&["ENOENT"]),
                _ => run
                    .output()
                    .ends_with(126)
                    .says(&[command, "EACCES", "--landlock-rx"]),
            };
        }
        let run = Run::root(who, &root).words(["--landlock-rx", "/rx", "--", "/rx/script"]);
        run.output()
            .ends_with(126)
            .says(&["/rx/script", "--landlock-rx"]);
        let run = Run::root(who, &root).words(["--landlock-ro", "/bin", "--", "sh"]);
        run.output().ends_with(126).says(&["sh", "--landlock-rx"]);
    }
}

#[test]
fn a_path_that_is_not_there_is_named() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let run = Run::new(who)
            .words(["--landlock-ro", "/no/such/path"])
            .sh("echo ran");
        run.output()
            .refuses(&["opening for Landlock /no/such/path", "ENOENT"]);
        let run = Run::new(who)
            .words(["--landlock-ro", "relative"])
            .sh("echo ran");
        run.output().refuses(&["--landlock-ro", "absolute"]);
        let run = Run::new(who).words(["--landlock-rw", ""]).sh("echo ran");
        run.output().refuses(&["--landlock-rw", "empty"]);
    }
}

#[test]
fn without_no_new_privs_and_rights_it_cannot_be() {
    for who in everybody() {
        or_skip!(version(who), "{NO_LANDLOCK}");
        let run = Run::new(who).words(["--allow-new-privs", "--landlock-rx", "/"]);
        let able = run.clone().words(["--cap-add", "SYS_ADMIN"]);
        able.sh("true").output().succeeds();
        let run = run.sh("echo ran");
        run.output().refuses(&["Landlock", "EPERM", "no_new_privs"]);
    }
}

#[test]
fn a_scope_keeps_signals_and_abstract_sockets_in() {
    for who in everybody() {
        or_skip!(
            version(who).filter(|version| *version >= 6),
            "{NO_LANDLOCK}, or an old one"
        );
        let flags = ["--landlock-scope", "--landlock-required"];
        // PID 1 is outside of the domain.
        let script = "kill -0 1 2>/dev/null || echo refused; kill -0 $$ && echo own; ls / >/dev/null && echo open";
        let out = Run::new(who).words(flags).sh(script).output().succeeds();
        assert_eq!(out, "refused\nown\nopen\n");
        let run = Run::new(who).sh("kill -0 1 && echo reached");
        assert_eq!(run.output().succeeds(), "reached\n");
    }
}

#[test]
fn a_kernel_without_it_is_borne_or_refused() {
    for who in everybody() {
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(RULES).sh("cat /closed/file");
        let outcome = run.clone().on_host(["-k", "5.12"]).output().ends_with(0);
        assert_eq!(outcome.stdout, "text\n");
        outcome.says(&["doing without Landlock: ENOSYS", "5.13"]);
        let required = run.first(["--landlock-required"]);
        let outcome = required.on_host(["-k", "5.12"]).output();
        outcome.refuses(&["Landlock: ENOSYS", "5.13"]);
    }
}

#[test]
fn the_plan_shows_it() {
    for who in everybody() {
        let run = Run::new(who).words(["--dry-run", "--landlock-scope", "--landlock-required"]);
        let out = run.words(RULES).output().succeeds();
        for line in [
            "execute /bin",
            "read_only /ro",
            "read_write /rw",
            "scope",
            "required",
        ] {
            let line = format!("landlock: {line}");
            assert!(out.lines().any(|found| found == line), "no {line}: {out}");
        }
    }
}

#[test]
fn unasked_it_costs_no_call() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("calls");
        let log = dir.join("log");
        let options = ["-f", "-b", "execve", "-e", "trace=/landlock"];
        let run = Run::new(who).words(["--", "/bin/true"]);
        run.traced(&log, options).output().succeeds();
        let log = fs::read_to_string(log).unwrap();
        assert!(!log.contains("landlock_"), "{log}");
    }
}

#[cfg(feature = "toml")]
#[test]
fn the_file_has_it_and_flags_add_to_it() {
    for who in everybody() {
        or_skip!(
            version(who).filter(|version| *version >= 3),
            "{NO_LANDLOCK}, or an old one"
        );
        let root = or_skip!(root(who), "{NO_BUSYBOX}");
        let dir = who.dir("config");
        let text = format!(
            "root = {:?}\n[landlock]\nread_only = [\n  \"/ro\", # one\n]\nread_write = [\"/rw\"]\n\
             execute = [\"/bin\"]\nrequired = false\nscope = false\n",
            root.text()
        );
        let run = Run::config(who, &dir, &text).words(["--landlock-rx", "/rx"]);
        let script = "/rx/script; cat /ro/file; echo x >/rw/file && echo written; cat /closed/file 2>/dev/null || echo closed";
        assert_eq!(
            run.sh(script).output().succeeds(),
            "ran\ntext\nwritten\nclosed\n"
        );
    }
}

#[cfg(feature = "toml")]
#[test]
fn what_is_wrong_in_the_file_is_refused_at_its_place() {
    for who in everybody() {
        let dir = who.dir("config");
        let many = format!("[landlock]\nread_only = [{}]\n", "\"/\", ".repeat(129));
        for (text, place, fragments) in [
            (
                "[landlock]\nreadonly = []\n",
                "2:1",
                &["readonly", "read_only"][..],
            ),
            (
                "[landlock]\nread_only = \"/\"\n",
                "2:13",
                &["landlock.read_only", "array"],
            ),
            (
                "[landlock]\nread_only = [7]\n",
                "2:14",
                &["landlock.read_only", "string"],
            ),
            (
                "[landlock]\nread_only = [\"/\", \"etc\"]\n",
                "2:19",
                &["absolute"],
            ),
            ("[landlock]\nread_only = [\"\"]\n", "2:14", &["empty"]),
            ("[landlock]\nrequired = 1\n", "2:12", &["true or false"]),
            ("landlock.scope = true\n", "1:1", &["landlock"]),
            (&many, "2:", &["128", "paths"]),
        ] {
            let line = Run::config(who, &dir, text)
                .sh("echo ran")
                .output()
                .refuses(fragments);
            assert!(
                line.contains(&format!("box.toml:{place}")),
                "not at {place}: {line}"
            );
        }
    }
}
