//! `husk check` on other hosts: simulated ones, and in podman. `husk run` agrees with it there.

use crate::check::{Row, in_the_way, of, row, table};
use crate::podman::{NO_PODMAN, Podman};
use crate::world::{self, NO_BUSYBOX, NOT_ROOT, everybody};
use linux_raw_sys::general as nr;
use std::fs;

/// A host, what is asked for there, and the lines that stand in the way.
type Case = (&'static [&'static str], &'static [&'static str], Lines);
type Lines = &'static [(&'static str, &'static str)];

const PIVOT: [&str; 2] = ["--pivot", "EPERM"];
const SECCOMP: &str = "no   EPERM   a seccomp filter forbids it";

const CASES: &[Case] = &[
    (&["-k", "3.10"], &[], &[]),
    (&["-k", "el7"], &[], &[]),
    (&["-k", "5.4"], &[], &[]),
    (
        &["-k", "3.10"],
        &["--unshare-cgroup"],
        &[(
            "cgroup namespaces",
            "no   EINVAL   this kernel lacks one of them",
        )],
    ),
    (
        &["-k", "3.10"],
        &["--unshare-time"],
        &[
            ("time namespaces", "no   ENOSYS"),
            ("clone3", "no   this kernel is older"),
        ],
    ),
    (&["--clone", "EPERM"], &[], &[("user namespaces", SECCOMP)]),
    (
        &["--clone", "EACCES"],
        &[],
        &[("user namespaces", "no   EACCES   ")],
    ),
    (
        &["--clone", "ENOSPC"],
        &[],
        &[("user namespaces", "no   ENOSPC   a limit on namespaces")],
    ),
    (
        &["--mount", "EACCES"],
        &["--tmpfs", "/tmp", "--proc", "none"],
        &[("mounting tmpfs", "no   EACCES   a seccomp filter")],
    ),
    (
        &["--mount", "EACCES"],
        &["--proc", "new"],
        &[("mounting proc", "no   EACCES   a seccomp filter")],
    ),
    // A /proc of its own is asked for by default, and can be had in another way only where it is masked.
    (
        &["--mount", "EPERM"],
        &["--proc", "new"],
        &[("mounting proc", SECCOMP)],
    ),
    (&PIVOT, &[], &[]),
];

/// Whether a line of the table is in the way whose name begins like this.
fn expected(rows: &[Row], lines: Lines) -> bool {
    lines.iter().all(|(name, found)| {
        let row = row(rows, name);
        row.in_the_way && row.found.starts_with(found)
    })
}

#[test]
fn on_other_hosts_it_agrees_with_husk_run() {
    for who in everybody() {
        for (host, words, lines) in CASES {
            let on = |command| of(command, who, words).on_host(*host);
            let outcome = on("check").output();
            let rows = table(&outcome);
            assert!(expected(&rows, lines), "{host:?} {words:?}: {outcome}");
            let works = outcome.status.code() == Some(0);
            assert_eq!(works, lines.is_empty(), "{host:?} {words:?}: {outcome}");
            let run = on("run").sh("exit 0").output();
            assert_eq!(run.status.success(), works, "{host:?} {words:?}: {run}");
            if !works {
                // The line of husk run, without the hint that leads here.
                let said = run.stderr.replace(" (more: husk check)", "");
                assert_eq!(outcome.stderr, said, "{host:?}");
            }
        }
    }
}

#[test]
fn where_a_mount_point_would_be_made_on_the_host_the_table_alone_tells() {
    for who in everybody() {
        let dir = who.dir("points");
        let place = dir.join("new");
        let words = ["--tmpfs", place.to_str().unwrap(), "--proc", "none"];
        let outcome = of("check", who, &words).output().ends_with(0);
        assert_eq!(in_the_way(&table(&outcome)), Vec::<&str>::new());
        let refused = of("check", who, &words).on_host(["--mount", "EACCES"]);
        let outcome = refused.output().ends_with(1);
        assert_eq!(in_the_way(&table(&outcome)), ["mounting tmpfs"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_not_asked_for_does_not_stand_in_the_way() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let outcome = of("check", who, &[]).on_host(PIVOT).output().ends_with(0);
        let rows = table(&outcome);
        assert!(
            row(&rows, "pivot_root").found.starts_with(SECCOMP),
            "{outcome}"
        );
        assert_eq!(in_the_way(&rows), Vec::<&str>::new());
        let words = ["--root", root.text(), "/bin/sh"];
        let outcome = of("check", who, &words).on_host(PIVOT).output();
        let rows = table(&outcome.ends_with(1));
        assert_eq!(in_the_way(&rows), ["pivot_root"]);
        let outcome = of("check", who, &words).output().ends_with(0);
        assert_eq!(in_the_way(&table(&outcome)), Vec::<&str>::new());
    }
}

#[test]
fn a_probe_that_is_killed_is_a_line_like_others() {
    let pivot_root = nr::__NR_pivot_root.to_string();
    for who in everybody() {
        let run = of("check", who, &[]).on_host(["--kill", &pivot_root]);
        let rows = table(&run.output().ends_with(0));
        let found = &row(&rows, "pivot_root").found;
        assert!(
            found.starts_with("no   a seccomp filter forbids it"),
            "{found}"
        );
        assert_eq!(row(&rows, "mounting tmpfs").found, "yes");
    }
}

#[test]
fn each_thing_that_a_host_may_lack_has_its_line() {
    or_skip!(world::root(), "{NOT_ROOT}");
    let is_there = |name: &str| fs::exists(format!("/usr/bin/{name}")).unwrap();
    let without_tools = match is_there("slirp4netns") || is_there("pasta") {
        true => "yes",
        false => "no   neither slirp4netns nor pasta is",
    };
    let tools = "mount -t tmpfs t /usr/local/bin; mount -t tmpfs t /usr/local/sbin";
    let tun = "mount -t tmpfs t /dev/net 2>/dev/null || mount -t tmpfs t /dev";
    for who in everybody() {
        let dir = who.dir("lacks");
        let file = dir.join("file");
        who.write(&file, "#!/bin/sh\n", 0o755);
        let helper = format!("{tools}; cp {} /usr/local/bin/slirp4netns", file.display());
        let nosuid = format!(
            "mount --bind {0} {0}; mount -o remount,bind,nosuid {0}",
            dir.text()
        );
        let new_privileges = ["--chroot-dir", dir.text(), "--allow-new-privs"];
        let rows: [(&str, &[&str], &str, &str); 6] = [
            (tools, &[], "slirp4netns or pasta", without_tools),
            (&helper, &[], "slirp4netns or pasta", "yes"),
            (
                tun,
                &[],
                "/dev/net/tun",
                "no   ENOENT   /dev/net/tun cannot",
            ),
            (
                "mount -t tmpfs t /sys/fs/cgroup",
                &[],
                "a cgroup of one's own",
                "no   there is no cgroup hierarchy of version 2",
            ),
            (
                &nosuid,
                &new_privileges,
                "the root's file system",
                "no   it is on a nosuid mount",
            ),
            (
                &nosuid,
                &new_privileges[..2],
                "the root's file system",
                "yes",
            ),
        ];
        for (mounts, words, name, found) in rows {
            let rows = table(&of("check", who, words).with_mounts(mounts).output());
            let row = row(&rows, name);
            assert!(row.found.starts_with(found), "{mounts}: {row:?}");
        }
    }
}

#[test]
fn each_call_that_a_kernel_lacks_or_a_filter_refuses_has_its_line() {
    for who in everybody() {
        let on =
            |host: &[&str]| table(&of("check", who, &["--proc", "none"]).on_host(host).output());
        let rows = on(&["-k", "5.4"]);
        let lacks = "no   this kernel is older, or a filter hides it";
        for (name, found) in [
            ("Landlock, ABI", "no   ENOSYS   this kernel has no Landlock"),
            ("mount_setattr", lacks),
            ("close_range", lacks),
            ("openat2", lacks),
        ] {
            assert!(row(&rows, name).found.starts_with(found), "{rows:#?}");
        }
        let rows = on(&["--mount", "EPERM"]);
        for name in ["mounting sysfs", "mounting devpts", "mounting overlays"] {
            assert!(
                row(&rows, name).found.starts_with("no   EPERM   "),
                "{rows:#?}"
            );
        }
    }
}

#[test]
fn a_container_whose_making_is_killed_is_told() {
    let [close_range, openat2] = [nr::__NR_close_range, nr::__NR_openat2].map(|n| n.to_string());
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for (call, who_is_killed) in [
            (&close_range, "trying to make the container: killed by SYS"),
            (&openat2, "the container's PID 1 was killed by SIGSYS"),
        ] {
            let words = ["--id-map", "root", "--root", root.text(), "sh"];
            let run = of("check", who, &words).on_host(["--kill", call]);
            let outcome = run.output().ends_with(1);
            let line = outcome.says(&[who_is_killed, "a seccomp filter forbids it"]);
            assert!(line.starts_with("husk: "), "{line}");
        }
    }
}

#[test]
fn what_cannot_be_written_to_or_bound_does_not_work() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let new = who.dir("points").join("new");
        for words in [
            &["--root", root.text(), "--overlay", "/nosuch", "sh"][..],
            &["--root", root.text(), "--overlay", "/etc/passwd", "sh"],
            &["--root", root.text(), "--bind", "/nosuch", "/b", "sh"],
            &[
                "--tmpfs",
                new.to_str().unwrap(),
                "--bind",
                "/nosuch",
                "/mnt",
            ],
        ] {
            let outcome = of("check", who, words).output().ends_with(1);
            assert!(outcome.stderr.starts_with("husk: "), "{outcome}");
        }
    }
}

#[test]
fn a_user_whose_helpers_have_no_rights_is_told_why() {
    or_skip!(world::root(), "{NOT_ROOT}");
    let who = or_skip!(
        world::user().filter(|who| who.subordinate_ids().is_some()),
        "nobody with ids in /etc/subuid"
    );
    for (words, status) in [(&[][..], 0), (&["--id-map", "auto"], 1)] {
        let outcome = of("check", who, words).on_host(["--no-new-privs"]).output();
        let rows = table(&outcome.ends_with(status));
        let helpers = row(&rows, "newuidmap and newgidmap");
        assert!(helpers.found.contains("no_new_privs is set"), "{helpers:?}");
        assert_eq!(helpers.in_the_way, status == 1);
    }
}

#[test]
fn in_podman_it_says_what_is_hidden_and_what_shows_it() {
    let podman = or_skip!(
        Podman::of(or_skip!(world::root(), "{NOT_ROOT}")),
        "{NO_PODMAN}"
    );
    let hidden = "no   EPERM   parts of /proc are hidden, so that there is no new one: husk: --mask none; podman: \
                  --security-opt unmask=ALL; ";
    for (options, words, status) in [
        (&[][..], &[][..], 0),
        (&[], &["--proc", "new"], 1),
        (&["--security-opt=unmask=ALL"], &["--proc", "new"], 0),
    ] {
        let command = [&["/bin/husk", "check"][..], words].concat();
        let outcome = podman.run(options, &command).ends_with(status);
        let rows = table(&outcome);
        let proc = row(&rows, "mounting proc");
        match options {
            [] => assert!(proc.found.starts_with(hidden), "{outcome}"),
            _ => assert_eq!(proc.found, "yes", "{outcome}"),
        }
        assert_eq!(proc.in_the_way, status == 1);
    }
}
