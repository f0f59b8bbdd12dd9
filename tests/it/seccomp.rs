//! What is there only to administer or to attack the kernel is refused inside, and nothing else.

use crate::husk::Run;
use crate::processes::field;
use crate::skip;
use crate::terminal::{NO_BASH, Terminal};
use crate::world::{self, Identity, NO_BUSYBOX, everybody, tool};
use std::collections::BTreeMap;
use std::fs;

/// Answered with EPERM.
const NOT_PERMITTED: &str = "acct bpf clock_settime delete_module finit_module init_module kexec_file_load \
                             kexec_load open_by_handle_at perf_event_open settimeofday swapoff swapon syslog \
                             userfaultfd";
/// Answered with ENOSYS; the last two are numbers that no call has.
const NO_SUCH_CALL: &str = "add_key io_uring_enter io_uring_register io_uring_setup keyctl lookup_dcookie \
                            request_key 5000 1073741863";
#[cfg(target_arch = "x86_64")]
const NOT_PERMITTED_HERE: &str = "ioperm iopl";
#[cfg(not(target_arch = "x86_64"))]
const NOT_PERMITTED_HERE: &str = "";

/// What they hear who make Debians, nest containers and debug: the kernel's own answer.
const KEPT: &str = "clock_adjtime fanotify_init getppid mknodat mount pivot_root process_vm_readv ptrace \
                    quotactl reboot seccomp setns statx umount2 unshare";

/// What each word of `helper calls` hears inside.
fn heard(run: Run, words: &str) -> BTreeMap<String, String> {
    let helper = world::helper().to_str().unwrap();
    let run = run.words(["--", helper, "calls"]);
    let out = run.words(words.split_whitespace()).output().succeeds();
    let pairs = out.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(word, answer)| (word.to_owned(), answer.to_owned()))
        .collect()
}

fn off(who: &Identity) -> Run {
    Run::new(who).words(["--seccomp", "off"])
}

#[test]
fn what_administers_the_kernel_is_refused() {
    for who in everybody() {
        let mut told = 0;
        for (words, errno) in [
            (NOT_PERMITTED, "errno 1"),
            (NOT_PERMITTED_HERE, "errno 1"),
            (NO_SUCH_CALL, "errno 38"),
        ] {
            let inside = heard(Run::new(who), words);
            assert_eq!(inside.len(), words.split_whitespace().count());
            for (call, answer) in &inside {
                assert_eq!(answer, errno, "{call} of {}", who.name);
            }
            let without = heard(off(who), words);
            told += inside
                .iter()
                .filter(|(call, answer)| without[*call] != **answer)
                .count();
        }
        // The rest is refused by this kernel as well, or is not in it.
        assert!(
            told >= 12,
            "{told} calls of {} hear something else",
            who.name
        );
    }
}

#[test]
fn what_containers_are_made_and_debugged_with_is_the_kernel_s_to_answer() {
    for who in everybody() {
        let inside = heard(Run::new(who), KEPT);
        assert_eq!(inside, heard(off(who), KEPT), "{}", who.name);
        assert_eq!(inside.len(), KEPT.split_whitespace().count());
    }
}

#[test]
fn other_abis_are_closed() {
    if cfg!(not(target_arch = "x86_64")) {
        return skip::declined("two more ABIs are x86_64's");
    }
    for who in everybody() {
        let helper = world::helper().to_str().unwrap();
        let i386 = |run: Run| run.words(["--", helper, "calls", "i386"]).output();
        // SIGSYS.
        i386(Run::new(who)).ends_with(128 + 31);
        let without = i386(off(who));
        if without.status.code() == Some(128 + 11) {
            skip::say("this kernel has no i386");
        } else {
            assert_eq!(without.succeeds(), "i386 ok\n");
        }
        assert_eq!(heard(Run::new(who), "x32")["x32"], "errno 38");
    }
}

#[test]
fn harmless_personalities_can_be_had_and_others_cannot() {
    for who in everybody() {
        let words = "personality=8 personality=131080 personality=262144 personality=4294967295 \
                     personality=4194304 personality=1048576 personality=2 personality=0";
        let inside = heard(Run::new(who), words);
        for (word, answer) in &inside {
            let harmful = ["=4194304", "=1048576", "=2"]
                .iter()
                .any(|end| word.ends_with(end));
            assert_eq!(answer, if harmful { "errno 1" } else { "ok" }, "{word}");
        }
        let without = heard(off(who), words);
        assert!(without.values().all(|answer| answer == "ok"), "{without:?}");
    }
}

#[test]
fn families_of_the_machine_are_missing_and_the_usual_ones_are_there() {
    for who in everybody() {
        let inside = heard(
            Run::new(who),
            "socket=38 socket=40 socket=1 socket=2 socket=10",
        );
        for (word, answer) in &inside {
            let closed = ["socket=38", "socket=40"].contains(&word.as_str());
            assert_eq!(answer == "errno 97", closed, "{word} {answer}");
        }
        let allowed = Run::new(who).words(["--seccomp-allow", "socket"]);
        let words = "socket=38 socket=40";
        assert_eq!(heard(allowed, words), heard(off(who), words));
    }
}

#[test]
fn nothing_is_typed_into_a_terminal_that_is_shared() {
    let legacy = fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").unwrap_or("1\n".to_owned());
    for who in everybody() {
        let helper = world::helper().to_str().unwrap();
        // The kernel looks at the lower half of a request alone (CVE-2019-7303).
        let calls = ["sti=0", "sti=1", "sti=2147483648", "linux=0", "linux=7"];
        let command = ["--", helper, "calls"];
        let mut terminal = or_skip!(Terminal::of(who), "{NO_BASH}");
        terminal.line(&Run::new(who).words(command).words(calls).typed());
        let mut seen = String::new();
        for call in calls {
            seen += &terminal.wait_for(&format!("{call} errno 1\r\n"));
        }
        seen += &terminal.after_a_moment();
        assert!(!seen.contains('Q'), "{seen:?} was typed");
        terminal.line(&off(who).words(command).words(&calls[..2]).typed());
        if legacy == "1\n" {
            let mut seen = terminal.wait_for("sti=1 ok\r\n");
            seen += &terminal.after_a_moment();
            assert!(seen.contains('Q'), "{seen:?}: without a filter it is typed");
        } else {
            terminal.wait_for("sti=1 errno 5\r\n");
        }
    }
}

#[test]
fn calls_are_allowed_and_refused_by_name_and_the_last_word_counts() {
    for who in everybody() {
        let run = Run::new(who).words([
            "--seccomp-allow",
            "keyctl",
            "--seccomp-allow",
            "acct",
            "--seccomp-deny",
            "acct",
            "--seccomp-deny",
            "mount",
            "--seccomp-deny",
            "statx",
            "--seccomp-deny",
            "setns",
            "--seccomp-allow",
            "setns",
        ]);
        let found = heard(run, "keyctl acct mount statx setns add_key");
        let without = heard(off(who), "keyctl setns");
        assert_eq!(found["keyctl"], without["keyctl"]);
        assert_eq!(found["setns"], without["setns"]);
        assert_eq!(found["acct"], "errno 1");
        assert_eq!(found["mount"], "errno 1");
        // It came after 3.10, and whoever calls it looks for ENOSYS.
        assert_eq!(found["statx"], "errno 38");
        assert_eq!(found["add_key"], "errno 38");
    }
}

#[test]
fn every_process_of_the_container_has_the_filter() {
    for who in everybody() {
        let script = "cat /proc/self/status /proc/1/status";
        let filters = |out: &str| {
            let lines = out.lines().filter(|line| line.starts_with("Seccomp"));
            lines.map(|line| line.replace('\t', "")).collect::<Vec<_>>()
        };
        let out = Run::new(who).sh(script).output().succeeds();
        let one = ["Seccomp:2", "Seccomp_filters:1"];
        assert_eq!(filters(&out), [one, one].concat());
        let out = off(who).sh(script).output().succeeds();
        let none = ["Seccomp:0", "Seccomp_filters:0"];
        assert_eq!(filters(&out), [none, none].concat());
        let faked = Run::new(who).words(["--unshare-user", "--id-map", "root", "--fake-chown"]);
        let out = faked.sh("cat /proc/self/status").output().succeeds();
        assert_eq!(field(&out, "Seccomp_filters"), "2");
    }
}

#[test]
fn with_new_privileges_it_is_there_as_well() {
    for who in everybody() {
        let run = Run::new(who).word("--allow-new-privs");
        for flags in [&[][..], &["--cap-drop", "ALL"], &["--id-map", "self"]] {
            let cat = ["--", "/bin/cat", "/proc/self/status"];
            let out = run.clone().words(flags).words(cat).output().succeeds();
            assert_eq!(field(&out, "NoNewPrivs"), "0", "{flags:?}");
            assert_eq!(field(&out, "Seccomp_filters"), "1", "{flags:?}");
        }
    }
    // Without a namespace of its own a user has no right to one.
    if let Some(who) = world::user() {
        let run =
            Run::new(who).words(["--namespaces", "", "--allow-new-privs", "--cap-add", "ALL"]);
        let run = run.words(["--", "/bin/true"]);
        run.output()
            .refuses(&["seccomp", "EACCES", "CAP_SYS_ADMIN", "--seccomp off"]);
    }
}

#[test]
fn containers_are_nested_and_file_systems_mounted_in_them() {
    for who in everybody() {
        let husk = world::husk().to_str().unwrap();
        let inner =
            "grep -c ' /mnt .* tmpfs' /proc/self/mountinfo; grep Seccomp_f /proc/self/status";
        let run = Run::new(who).words([
            "--mask", "none", "--", husk, "run", "--tmpfs", "/mnt", "--", "/bin/sh", "-c",
        ]);
        let out = run.word(inner).output().succeeds();
        assert_eq!(out, "1\nSeccomp_filters:\t2\n");
        if let Some(bwrap) = tool("bwrap") {
            let words = [
                "--ro-bind",
                "/",
                "/",
                "--unshare-all",
                "--dev",
                "/dev",
                "/bin/echo",
                "in",
            ];
            let run = Run::new(who).words(["--id-map", "root", "--"]).word(bwrap);
            assert_eq!(run.words(words).output().succeeds(), "in\n");
        }
    }
}

#[test]
fn runc_makes_containers_without_a_keyring() {
    let runc = or_skip!(tool("runc"), "no runc(8)");
    for who in everybody() {
        let bundle = who.dir("bundle");
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let script = "cd $0 && $1 spec --rootless && sed -i 's/\"terminal\": true/\"terminal\": false/; \
                      s|\"sh\"|\"/bin/echo\", \"in\"|; s|\"rootfs\"|\"'$2'\"|' config.json && \
                      exec $1 --root /run/runc run --no-pivot $3 2>&1";
        let run = Run::new(who).words([
            "--id-map",
            "root",
            "--tmpfs",
            "/run",
            "--cap-add",
            "ALL",
            "--mask",
            "none",
        ]);
        let run = run.words(["--", "/bin/sh", "-c", script, bundle.text()]);
        let run = run.word(&runc).words([root.text(), &world::mark()]);
        assert_eq!(run.output().succeeds(), "in\n");
    }
}

#[test]
fn debuggers_trace_their_children() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let run =
            Run::new(who).sh("strace -o /dev/null -f /bin/echo traced; setarch -R echo fixed");
        let run = run.variable("PATH", world::PATH);
        assert_eq!(run.output().succeeds(), "traced\nfixed\n");
    }
}

#[test]
fn without_a_pid_namespace_the_machine_is_not_ended() {
    for who in everybody() {
        let run = |run: Run| run.words(["--share-pid"]);
        assert_eq!(heard(run(Run::new(who)), "reboot")["reboot"], "errno 1");
        assert_eq!(heard(Run::new(who), "reboot"), heard(off(who), "reboot"));
    }
}
