//! `--dry-run`: the plan as it was understood, and nothing else.

use crate::husk::Run;
use crate::world::{NO_BUSYBOX, everybody, tool};
use std::fs;

#[test]
fn it_prints_the_plan_and_starts_nothing() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let log = who.dir("log").join("log");
        let run = Run::root(who, &root)
            .words([
                "--dry-run",
                "--hostname",
                "planned-name",
                "--unshare-net",
                "--tmpfs",
                "/data",
            ])
            .words([
                "--ro-bind",
                "/etc",
                "/mnt/etc",
                "--setenv",
                "PLANNED",
                "1",
                "--chdir",
                "/root",
            ])
            .sh("echo ran");
        let log_dir = who.dir("log");
        let log = log_dir.join(log.file_name().unwrap().to_str().unwrap());
        let traced = run.traced(
            &log,
            [
                "-f",
                "-e",
                "trace=clone,clone3,fork,vfork,mount,unshare,mkdir,mkdirat",
            ],
        );
        let out = traced.output().succeeds();
        for word in [
            root.text(),
            "planned-name",
            "net",
            "/data",
            "/mnt/etc",
            "/root",
            "/bin/sh",
        ] {
            assert!(out.contains(word), "no {word} in {out}");
        }
        assert!(out.lines().all(|line| line != "ran"), "{out}");
        let log = fs::read_to_string(&log).unwrap();
        assert!(!log.contains('('), "{log}");
        assert!(!root.join("mnt").exists());
    }
}

#[test]
fn it_finds_the_same_faults() {
    for who in everybody() {
        let run = Run::new(who).words([
            "--dry-run",
            "--unshare-user",
            "--id-map",
            "root",
            "--uid",
            "7",
        ]);
        run.output().refuses(&["--uid", "7"]);
    }
}

#[cfg(feature = "toml")]
#[test]
fn it_shows_what_the_command_may_not_do_whoever_says_so() {
    for who in everybody() {
        let dir = who.dir("config");
        let file = "id_map = \"root\"\nmask = \"oci\"\nnew_keyring = true\npreserve_fds = 2\n\
                    disable_userns = true\ncap_add = [\"SYS_ADMIN\"]\ncap_drop = [\"chown\"]\n";
        let flags = "--unshare-user --id-map root --mask oci --new-keyring --preserve-fds 2 --disable-userns \
                     --cap-add SYS_ADMIN --cap-drop chown";
        let plan = |run: Run| run.words(["--dry-run"]).sh("true").output().succeeds();
        let of_file = plan(Run::config(who, &dir, file).word("--unshare-user"));
        let of_flags = plan(Run::new(who).words(flags.split_whitespace()));
        assert_eq!(of_file, of_flags);
        let lines = "capabilities: DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE \
                     SYS_CHROOT SYS_ADMIN SETFCAP\nmask: oci\nnew_keyring\npreserve_fds: 2\ndisable_userns\n";
        assert!(of_file.contains(lines), "{of_file}");
        let off = Run::config(who, &dir, "mask = \"none\"\nnew_keyring = false\n");
        let off = plan(off);
        assert!(
            off.contains("new_keyring: false\n") && !off.contains("mask"),
            "{off}"
        );
    }
}
