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
