//! The holes of other launchers, tried on husk from inside.
//!
//! What each was, and the test that tries it; those without a module are in this one:
//!
//! | the lesson | tests |
//! | --- | --- |
//! | CVE-2026-87766: mount points made through links | `symlinks`: `a_mount_on_a_link_stays_inside_or_is_refused` |
//! | CVE-2026-41579: /dev by its path | `symlinks`: `husk_s_own_mounts_stay_inside_or_are_refused`; `nodes_of_the_root_are_not_touched` |
//! | CVE-2019-16884, -19921, CVE-2023-27561: a /proc that is none | `symlinks`: the same; `masks`: `a_directory_that_is_only_called_proc_is_left_alone` |
//! | CVE-2021-30465, CVE-2024-45310, CVE-2015-1335: a target that is swapped | `symlinks`: `a_target_that_changes_into_a_link_again_and_again_leads_nowhere` |
//! | CVE-2024-21626, CVE-2016-8649: descriptors and directories of the caller's | `command`: `it_inherits_the_three_standard_descriptors_alone`; `escapes`: `the_working_directory_is_not_a_descriptor_of_the_caller`; `descriptors` |
//! | CVE-2019-5736, CVE-2019-12499: the launcher's own file | `pid1_memory`; `out_of_reach`; `escapes`: `a_script_does_not_run_husk_itself_inside`; `command`: `husk_s_own_program_is_refused_in_a_root` |
//! | CVE-2016-8659, CVE-2026-41163, CVE-2020-5291: set-user-ID | `init_caller`; no file is made outside: `nothing_left`, in every test of `symlinks` |
//! | CVE-2018-7169: groups that are dropped | `dropping_groups_gives_nothing_away` |
//! | CVE-2022-0492, CVE-2023-25809: release_agent | `no_release_agent_can_be_set` |
//! | CVE-2025-31133: /dev/null that is none | `a_null_that_is_none_is_not_bound_and_hides_nothing`; `masks`: `what_is_hidden_is_an_empty_file_or_directory_and_read_only` |
//! | CVE-2025-52565: /dev/console and /dev/pts of the root | `nodes_of_the_root_are_not_touched` |
//! | CVE-2025-52881, CVE-2023-28642: writes to a false /proc | `nothing_is_written_to_a_proc_of_the_root_s` |
//! | CVE-2022-29162: inheritable capabilities | `capabilities_of_the_caller_are_not_inherited`; `confinement` |
//! | CVE-2024-42472: a source that is swapped | `a_source_is_looked_up_once_and_bound_by_its_descriptor` |
//! | CVE-2020-17367: options after the command | `flags`: `options_end_at_the_first_word_that_is_none`; `words_after_the_dashes_are_the_command` |
//! | CVE-2022-31214: joining what an attacker made | husk joins nothing |
//! | a chroot is no jail | `root_with_a_descriptor_of_the_root_does_not_climb_out`; `escapes` |
//! | keys of the caller's | `keyrings` |
//! | root's own container | `masks`; `confinement` |
//! | the kernel behind a user namespace (CVE-2022-0185) | `nesting` |
//! | the environment of helpers (CVE-2025-23266) | `id_helpers`: `they_get_nothing_of_the_environment` |

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::processes::field;
use crate::terminal::{Terminal, script};
use crate::world::{self, NO_BUSYBOX, NOT_ROOT, everybody, tool};
use std::fs;
use std::os::unix::fs::symlink;

const ALL: [&[&str]; 2] = [&[], &["--cap-add", "ALL"]];

#[test]
fn dropping_groups_gives_nothing_away() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(world::root(), "{NOT_ROOT}");
    let dir = who.dir("groups");
    let file = dir.join("file");
    // Everybody may read it but the members of one group, and the caller is one.
    who.write(&file, "secret\n", 0o604);
    std::os::unix::fs::chown(&file, Some(0), Some(4)).unwrap();
    let groups = [
        "setpriv",
        "--reuid",
        &who.uid.to_string(),
        "--regid",
        &who.gid.to_string(),
    ];
    let run = |flags: &[&str]| {
        let text = format!(
            "cat /proc/self/setgroups; cat {} 2>/dev/null; id -G",
            file.display()
        );
        let run = Run::new(who).words(flags).sh(&text);
        run.through(groups.iter().copied().chain(["--groups", "4"]))
            .started_by_root()
            .output()
    };
    for flags in ALL {
        let out = run(&[&["--id-map", "root"], flags].concat())
            .ends_with(0)
            .stdout;
        assert!(
            out.starts_with("deny\n") && !out.contains("secret"),
            "{out}"
        );
    }
}

#[test]
fn no_release_agent_can_be_set() {
    let attack = "mkdir -p /tmp/c; for kind in memory cpu rdma freezer pids name=systemd; do \
          mount -t cgroup -o $kind cgroup /tmp/c 2>/dev/null && break; done; \
        for f in /tmp/c/release_agent /sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent; do \
          [ -e $f ] && (agent=$(cat $f); echo \"$agent\" >$f) 2>/dev/null && echo wrote $f; done; \
        touch /sys/fs/cgroup/x 2>/dev/null && echo wrote to the host; echo done";
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for flags in ALL {
            let run = Run::root(who, &root).word("--unshare-user").words(flags);
            assert_eq!(run.sh(attack).output().succeeds(), "done\n", "{flags:?}");
        }
        if who.is_root() {
            let run = Run::root(who, &root).word("--share-user");
            assert_eq!(run.sh(attack).output().succeeds(), "done\n");
        }
    }
}

#[test]
fn a_null_that_is_none_is_not_bound_and_hides_nothing() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let dir = who.dir("null");
        who.write(&dir.join("false"), "false", 0o666);
        let mounts = format!("mount --bind {}/false /dev/null", dir.text());
        let run = Run::root(who, &root).sh("true").with_mounts(&mounts);
        run.output()
            .refuses(&["making the device /dev/null: ENODEV"]);
        let hidden = Run::new(who).words(["--mask", "oci"]);
        let hidden = hidden.sh("cat /proc/keys");
        assert_eq!(hidden.with_mounts(&mounts).output().succeeds(), "");
        assert_eq!(fs::read_to_string(dir.join("false")).unwrap(), "false");
    }
}

#[test]
fn nodes_of_the_root_are_not_touched() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let outside = who.dir("outside");
        let names = [
            "console", "null", "tty", "ptmx", "pts", "shm", "fd", "stdin",
        ];
        for name in names {
            let target = outside.join(name);
            who.write(&target, "outside", 0o666);
            symlink(&target, root.join("dev").join(name)).unwrap();
        }
        let before = Before::of(&[outside.path(), &root.join("dev")]);
        let run = Run::root(who, &root);
        let out = run
            .clone()
            .sh("echo x >/dev/null; ls -l /dev/null | cut -c1")
            .output();
        assert_eq!(out.succeeds(), "c\n");
        let mut terminal = or_skip!(Terminal::of(who), "no bash(1)");
        let command = script(who, &root, "echo to the console >/dev/console; echo over");
        terminal.line(&run.words(["--", command]).typed());
        terminal.wait_for("to the console\r\n");
        terminal.wait_for("over\r\n");
        fs::remove_file(root.join(command.trim_start_matches('/'))).ok();
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn nothing_is_written_to_a_proc_of_the_root_s() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let files = [
            "self/attr/exec",
            "self/attr/current",
            "self/oom_score_adj",
            "self/uid_map",
        ];
        let files = files
            .iter()
            .chain(&["sys/user/max_user_namespaces", "sys/kernel/hostname"]);
        for file in files {
            let path = root.join("proc").join(file);
            who.mkdir(path.parent().unwrap());
            who.write(&path, "false", 0o666);
        }
        let proc = root.join("proc");
        let before = Before::of(&[&proc]);
        let flags = [
            "--unshare-user",
            "--disable-userns",
            "--hostname",
            "box",
            "--mask",
            "oci",
        ];
        for root_flag in ["--root", "--chroot-dir"] {
            let run = Run::new(who).words([root_flag, root.text()]).words(flags);
            let script = "id -u; hostname; unshare -U true 2>/dev/null && echo nested";
            let out = run.sh(script).output();
            assert_eq!(out.stdout, "0\nbox\n", "{out}");
        }
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn capabilities_of_the_caller_are_not_inherited() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    or_skip!(tool("setpriv"), "no setpriv(1)");
    for namespaces in ["--share-user", "--unshare-user"] {
        for flags in [&[][..], &["--cap-add", "ALL"], &["--allow-new-privs"]] {
            let run = Run::new(who).word(namespaces).words(flags);
            let run = run.words(["--", "/bin/cat", "/proc/self/status"]);
            let more = "+sys_admin,+sys_ptrace,+kill";
            let run = run.through(["setpriv", "--inh-caps", more, "--ambient-caps", more]);
            let status = run.output().succeeds();
            for set in ["CapInh", "CapAmb"] {
                assert_eq!(field(&status, set), "0000000000000000", "{set}: {flags:?}");
            }
            assert_eq!(field(&status, "CapBnd"), field(&status, "CapPrm"));
        }
    }
}

#[test]
fn a_source_is_looked_up_once_and_bound_by_its_descriptor() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let dir = who.dir("sources");
        who.mkdir(&dir.join("source"));
        let source = dir.join("source");
        let source = source.to_str().unwrap();
        let directory = who.dir("log");
        let log = directory.join("log");
        let run = Run::root(who, &root).words(["--ro-bind", source, "/data"]);
        let run = run.words(["--id-map", "root"]).sh("exit 0");
        run.traced(&log, ["-f", "-s", "4096"]).output().succeeds();
        let log = fs::read_to_string(&log).unwrap();
        let quoted = format!("\"{source}\"");
        let calls: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(&quoted) && !line.contains("execve"))
            .collect();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        assert!(
            calls[0].contains("open") && calls[0].contains("O_PATH"),
            "{}",
            calls[0]
        );
    }
}

#[test]
fn words_after_the_dashes_are_the_command() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for name in ["--help", "--config=", "-c"] {
            world::write_program(&root.join("bin").join(name), "#!/bin/sh\necho ran \"$@\"\n");
            fs::set_permissions(
                root.join("bin").join(name),
                std::os::unix::fs::PermissionsExt::from_mode(0o755),
            )
            .unwrap();
            let run = Run::root(who, &root).words(["--", name, "--cap-add", "ALL", "--"]);
            assert_eq!(run.output().succeeds(), "ran --cap-add ALL --\n");
        }
    }
}

#[test]
fn root_with_a_descriptor_of_the_root_does_not_climb_out() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let host = who.dir("host");
        for flags in ALL {
            let run = Run::root(who, &root).words(flags);
            let out = run.helper(["climb", host.text()]).output().succeeds();
            assert_eq!(out, "chroot ok\nnothing\n", "{flags:?}");
        }
    }
}
