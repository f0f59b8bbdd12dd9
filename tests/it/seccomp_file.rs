//! `seccomp`: programs of the caller's, requests that cannot be, and hosts without filters.

use crate::husk::Run;
use crate::processes::field;
use crate::world::{self, Identity, everybody};
use husk::sys::seccomp::{ALLOW, ERRNO, Instruction as I, KILL};
use std::fs;
use std::path::{Path, PathBuf};

/// The bytes of a file of these instructions.
fn bytes(program: &[I]) -> Vec<u8> {
    let bytes = |i: &I| {
        let mut bytes = i.code.to_ne_bytes().to_vec();
        bytes.extend([i.if_true, i.if_false]);
        bytes.extend(i.value.to_ne_bytes());
        bytes
    };
    program.iter().flat_map(bytes).collect()
}

fn write(path: &Path, bytes: &[u8]) -> PathBuf {
    fs::write(path, bytes).unwrap();
    path.to_owned()
}

/// Says EXDEV to acct(2), and nothing else.
fn no_acct() -> [I; 4] {
    let number = linux_raw_sys::general::__NR_acct;
    [
        I::load_number(),
        I::equal(number, 0, 1),
        I::verdict(ERRNO | 18),
        I::verdict(ALLOW),
    ]
}

fn calls(run: Run, words: &[&str]) -> String {
    let helper = world::helper().to_str().unwrap();
    let run = run.words(["--", helper, "calls"]).words(words);
    run.output().succeeds()
}

#[test]
fn a_program_of_the_caller_s_takes_the_place_of_husk_s() {
    for who in everybody() {
        let dir = who.dir("program");
        let file = write(&dir.join("no-acct.bpf"), &bytes(&no_acct()));
        let expected = "acct errno 18\nkeyctl errno 95\n";
        let run = Run::new(who).word("--seccomp").word(&file);
        assert_eq!(calls(run.clone(), &["acct", "keyctl"]), expected);
        // As bubblewrap has it: a descriptor, of a file or a pipe.
        let name = file.to_str().unwrap();
        for script in [format!("exec 9<{name}"), String::new()] {
            let run = Run::new(who).words(["--seccomp", if script.is_empty() { "0" } else { "9" }]);
            let helper = world::helper().to_str().unwrap();
            let run = run.words(["--", helper, "calls", "acct", "keyctl"]);
            let run = match script.is_empty() {
                true => run.through(["/bin/sh", "-c", &format!("cat {name} | \"$@\""), "sh"]),
                false => run.after(&script),
            };
            assert_eq!(run.output().succeeds(), expected);
        }
        let early = run.words(["--allow-new-privs", "--cap-drop", "ALL"]);
        assert_eq!(calls(early, &["acct"]), "acct errno 18\n");
    }
}

#[test]
fn a_program_need_not_allow_what_husk_does_before_it() {
    for who in everybody() {
        let dir = who.dir("program");
        // prctl(2) and seccomp(2), which the filter of fake_chown needs as well.
        let mut program = vec![I::load_number()];
        for number in [
            linux_raw_sys::general::__NR_prctl,
            linux_raw_sys::general::__NR_seccomp,
            linux_raw_sys::general::__NR_capset,
            linux_raw_sys::general::__NR_setresuid,
        ] {
            program.extend([I::equal(number, 0, 1), I::verdict(ERRNO | 1)]);
        }
        program.push(I::verdict(ALLOW));
        let file = write(&dir.join("strict.bpf"), &bytes(&program));
        let run = Run::new(who)
            .words(["--unshare-user", "--id-map", "root", "--fake-chown"])
            .words(["--cap-drop", "ALL", "--seccomp"])
            .word(file);
        let out = run.words(["--", "/bin/cat", "/proc/self/status"]).output();
        assert_eq!(field(&out.succeeds(), "Seccomp_filters"), "2");
    }
}

#[test]
fn a_program_that_ends_pid_1_is_told_from_the_host_s_filter() {
    for who in everybody() {
        let dir = who.dir("program");
        let number = linux_raw_sys::general::__NR_rt_sigtimedwait;
        let program = [
            I::load_number(),
            I::equal(number, 0, 1),
            I::verdict(KILL),
            I::verdict(ALLOW),
        ];
        let file = write(&dir.join("no-wait.bpf"), &bytes(&program));
        let run = Run::new(who).word("--seccomp").word(file);
        let told = ["PID 1", "SIGSYS", "the seccomp program", "--as-pid-1"];
        run.clone().sh("exec sleep 5").output().refuses(&told);
        run.word("--as-pid-1").sh("echo ran").output().ends_with(0);
    }
}

#[test]
fn a_file_that_is_no_program_is_refused_before_anything_is_started() {
    for who in everybody() {
        let dir = who.dir("program");
        let good = bytes(&no_acct());
        let endless = bytes(&[I::verdict(ALLOW), I::load_number()]);
        let far = bytes(&[I::equal(0, 0, 7), I::verdict(ALLOW)]);
        let empty_cell = bytes(&[I::load(3), I::verdict(ALLOW)]);
        let odd = bytes(&[
            I {
                code: 0x28,
                ..I::load_number()
            },
            I::verdict(ALLOW),
        ]);
        let many = bytes(&[I::verdict(ALLOW); 4097]);
        for (bytes, fragments) in [
            (&[][..], &["8 bytes each"][..]),
            (&good[..31], &["8 bytes each"]),
            (&endless, &["instruction 1 ", "does not return"]),
            (&far, &["instruction 0 ", "past the end"]),
            (&empty_cell, &["instruction 0 ", "cell"]),
            (&odd, &["instruction 0 ", "none of those"]),
            (&many, &["reading the seccomp program", "EFBIG", "4096"]),
        ] {
            let file = write(&dir.join("bad.bpf"), bytes);
            for mode in [&["--dry-run"][..], &[]] {
                let run = Run::new(who).words(mode).word("--seccomp").word(&file);
                let line = run.sh("echo ran").output().refuses(fragments);
                assert!(line.contains("seccomp"), "{line}");
            }
        }
        let missing = dir.join("missing");
        for (name, fragments) in [
            (missing.to_str().unwrap(), ["missing", "ENOENT"]),
            (dir.text(), [dir.text(), "EISDIR"]),
            ("/dev/null", ["/dev/null", "EINVAL"]),
            ("77", ["77", "EBADF"]),
        ] {
            let run = Run::new(who).words(["--seccomp", name]).sh("echo ran");
            run.output().refuses(&fragments);
        }
    }
}

#[test]
fn a_file_is_opened_as_the_caller() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    let root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let dir = root.dir("program");
    world::open_to_all(&dir);
    let file = dir.join("secret.bpf");
    root.write(&file, "12345678", 0o600);
    let run = Run::new(who).word("--seccomp").word(&file).sh("echo ran");
    run.output().refuses(&["secret.bpf", "EACCES"]);
}

#[test]
fn a_name_that_no_call_has_is_refused_with_the_nearest() {
    for who in everybody() {
        let run =
            |flag: &str, name: &str| Run::new(who).words([flag, name]).sh("echo ran").output();
        run("--seccomp-deny", "keyctrl").refuses(&["--seccomp-deny", "\"keyctrl\"", "\"keyctl\""]);
        run("--seccomp-allow", "frobnicate_it").refuses(&["\"frobnicate_it\"", "syscalls(2)"]);
        run("--seccomp-allow", "").refuses(&["system call", "\"\""]);
    }
}

#[test]
fn changes_are_to_husk_s_own_policy() {
    for who in everybody() {
        for other in ["off", "/dev/null"] {
            let run = Run::new(who).words(["--seccomp-deny", "mount", "--seccomp", other]);
            if other == "off" {
                run.sh("echo ran")
                    .output()
                    .refuses(&["--seccomp-deny", "default"]);
            }
        }
    }
}

#[cfg(feature = "toml")]
#[test]
fn the_file_says_the_same_and_flags_have_the_last_word() {
    for who in everybody() {
        let dir = who.dir("config");
        let text = "seccomp_allow = [\"keyctl\"]\nseccomp_deny = [\"mount\", \"statx\"]\n";
        let config = || Run::config(who, &dir, text);
        let words = ["keyctl", "mount", "statx"];
        let changed = "keyctl errno 95\nmount errno 1\nstatx errno 38\n";
        assert_eq!(calls(config(), &words), changed);
        let off = calls(config().words(["--seccomp", "off"]), &["mount", "bpf"]);
        assert_eq!(off, "mount errno 14\nbpf errno 7\n");
        let more = config().words(["--seccomp-allow", "mount"]);
        assert_eq!(calls(more, &["mount"]), "mount errno 14\n");
        let refused = |text: &str, fragments: &[&str]| {
            Run::config(who, &dir, text)
                .sh("echo ran")
                .output()
                .refuses(fragments)
        };
        refused(
            "seccomp_deny = [\"mount\",\n \"keyctrl\"]\n",
            &["box.toml:2:2: seccomp_deny", "\"keyctrl\"", "\"keyctl\""],
        );
        refused("seccomp = false\n", &["box.toml:1:11: seccomp", "a string"]);
        refused("seccomp_allow = \"bpf\"\n", &["seccomp_allow", "array"]);
        refused(
            "seccomp = \"off\"\nseccomp_deny = [\"bpf\"]\n",
            &["box.toml:2:17: seccomp_deny", "default"],
        );
        let file = write(&dir.join("bad.bpf"), &[0; 7]);
        let text = format!("seccomp = \"{}\"\n", file.display());
        refused(&text, &["box.toml:1:11: seccomp", "8 bytes each"]);
    }
}

#[test]
fn the_plan_says_what_is_refused() {
    for who in everybody() {
        let plan = |words: &[&str]| {
            Run::new(who)
                .word("--dry-run")
                .words(words)
                .output()
                .succeeds()
        };
        let out = plan(&["--seccomp-allow", "keyctl", "--seccomp-deny", "mount"]);
        let line = |start: &str| {
            let mut lines = out.lines().filter(|line| line.starts_with(start));
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("no {start} in {out}"));
            line.split(' ').map(str::to_owned).collect::<Vec<_>>()
        };
        let has = |start: &str, name: &str| line(start).iter().any(|word| word == name);
        assert!(has("seccomp EPERM:", "mount") && has("seccomp EPERM:", "bpf"));
        assert!(has("seccomp ENOSYS:", "io_uring_setup") && !has("seccomp ENOSYS:", "keyctl"));
        assert!(has("seccomp EPERM for TIOCSTI", "ioctl"), "{out}");
        assert!(plan(&["--seccomp", "off"]).contains("\nseccomp: off\n"));
        let dir = who.dir("program");
        let file = write(&dir.join("no-acct.bpf"), &bytes(&no_acct()));
        let out = plan(&["--seccomp", file.to_str().unwrap()]);
        assert!(out.contains("no-acct.bpf, instructions: 4\n"), "{out}");
    }
}

fn without_filters(who: &Identity, words: &[&str]) -> Run {
    Run::new(who)
        .words(words)
        .sh("echo ran")
        .on_host(["--no-filters"])
}

#[test]
fn a_kernel_without_filters_is_mentioned_where_nobody_asked_for_one() {
    for who in everybody() {
        let out = without_filters(who, &[]).output();
        assert_eq!(out.stdout, "ran\n", "{out}");
        out.ends_with(0).says(&[
            "doing without a seccomp filter",
            "EINVAL",
            "no seccomp filters",
        ]);
        assert_eq!(
            without_filters(who, &["--seccomp", "off"])
                .output()
                .succeeds(),
            "ran\n"
        );
        let dir = who.dir("program");
        let file = write(&dir.join("no-acct.bpf"), &bytes(&no_acct()));
        for asked in [
            &["--seccomp", "default"][..],
            &["--seccomp-deny", "mount"],
            &["--seccomp", file.to_str().unwrap()],
        ] {
            let run = without_filters(who, asked);
            run.output()
                .refuses(&["installing the seccomp filter", "EINVAL"]);
        }
    }
}

#[test]
fn the_check_knows_who_needs_a_filter() {
    for who in everybody() {
        let check = |words: &[&str], status: i32, mark: &str| {
            let run = Run::husk(who).word("check").words(words);
            let out = run.on_host(["--no-filters"]).output();
            let row = out
                .stdout
                .lines()
                .find(|line| line.contains("seccomp filters"));
            let row = row.unwrap_or_else(|| panic!("{out}"));
            assert!(
                row.starts_with(mark) && row.contains("no   EINVAL"),
                "{row}"
            );
            out.ends_with(status);
        };
        check(&["--id-map", "root"], 0, "  ");
        check(&["--id-map", "root", "--seccomp", "off"], 0, "  ");
        check(&["--id-map", "root", "--seccomp", "default"], 1, "! ");
        check(&["--id-map", "root", "--seccomp-deny", "mount"], 1, "! ");
    }
}

#[test]
fn a_kernel_that_knows_filters_from_prctl_alone_has_them() {
    for who in everybody() {
        let number = linux_raw_sys::general::__NR_seccomp;
        for errno in ["ENOSYS", "EPERM", "EINVAL"] {
            let call = format!("{number}={errno}");
            let run = Run::new(who).words(["--", "/bin/cat", "/proc/self/status"]);
            let out = run.on_host(["--call", &call]).output().succeeds();
            assert_eq!(field(&out, "Seccomp_filters"), "2", "{errno}");
        }
    }
}
