//! husk inside podman's default container, whose /proc is masked.

use crate::podman::{NO_PODMAN, Podman};
use crate::world::{NOT_ROOT, root};
use std::fs;

const OUTER_PROC: &str = "husk: doing with the outer processes in /proc: EPERM (operation not \
    permitted): parts of /proc are hidden, so that there is no new one: husk: --mask none; podman: --security-opt \
    unmask=ALL; docker: --security-opt systempaths=unconfined; Kubernetes: procMount: Unmasked (more: husk check)\n";

#[test]
fn a_container_starts_in_podmans_with_one_warning() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let script = "id -u; umount /proc 2>/dev/null || echo kept; \
                  cat /proc/kcore /proc/keys 2>/dev/null | wc -c; \
                  grep -q ' /proc/sys proc ro,' /proc/self/mounts && echo read-only; exit 7";
    let words = ["/bin/husk", "run", "--", "/bin/sh", "-c", script];
    let outcome = podman.run(&[], &words).ends_with(7);
    assert_eq!(outcome.stdout, "0\nkept\n0\nread-only\n", "{outcome}");
    assert_eq!(outcome.stderr, OUTER_PROC);
}

#[test]
fn a_container_starts_in_podmans_as_an_ordinary_user_with_nothing() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let restricted = [
        "--user=5000:5000",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
    ];
    let words = [
        "/bin/husk",
        "run",
        "--",
        "/bin/sh",
        "-c",
        "id -u; tr -s ' ' </proc/self/uid_map",
    ];
    let outcome = podman.run(&restricted, &words).ends_with(0);
    assert_eq!(outcome.stdout, "0\n 0 5000 1\n", "{outcome}");
    assert_eq!(outcome.stderr, OUTER_PROC);
}

#[test]
fn a_root_of_its_own_has_what_podman_lets_be_mounted() {
    let who = or_skip!(root(), "{NOT_ROOT}");
    let podman = or_skip!(Podman::of(who), "{NO_PODMAN}");
    // Where nothing is mounted below there may be an overlay.
    who.mkdir(&podman.root().join("box/bin"));
    for name in ["busybox", "sh", "touch"] {
        let to = podman.root().join("box/bin").join(name);
        fs::hard_link(podman.root().join("bin/busybox"), to).unwrap();
    }
    let roots: [(&str, &[&str]); 3] = [
        ("/", &[]),
        ("/", &["--unshare-net"]),
        ("/box", &["--overlay", "tmpfs"]),
    ];
    for (root, options) in roots {
        let script = "test -c /dev/null && test -d /sys/kernel && touch /sys/kernel/x 2>&1; \
                      touch /tmp/x && echo $((1 + 1))";
        let mut words = vec!["/bin/husk", "run", "--root", root, "--tmpfs", "/tmp"];
        words.extend(options);
        words.extend(["--", "/bin/sh", "-c", script]);
        let outcome = podman.run(&[], &words).ends_with(0);
        let out = "touch: /sys/kernel/x: Read-only file system\n2\n";
        assert_eq!(outcome.stdout, out, "{options:?}: {outcome}");
        assert_eq!(outcome.stderr, OUTER_PROC, "{options:?}");
    }
}

#[test]
fn a_new_proc_in_podman_is_refused_with_what_unmasks_it() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let words = ["/bin/husk", "run", "--proc", "new", "--", "/bin/true"];
    let outcome = podman.run(&[], &words).ends_with(125);
    let line = OUTER_PROC.replace("doing with the outer processes in", "mounting proc on");
    assert_eq!(outcome.stderr, line);
    // And that helps.
    for options in [&[][..], &["--proc", "new"]] {
        let mut words = vec!["/bin/husk", "run"];
        words.extend(options);
        words.extend([
            "--",
            "/bin/sh",
            "-c",
            "cat /proc/self/status | grep -c NSpid; echo $$",
        ]);
        let out = podman
            .run(&["--security-opt=unmask=ALL"], &words)
            .succeeds();
        assert_eq!(out, "1\n2\n");
    }
}

#[test]
fn podmans_profile_is_named_where_it_keeps_the_host_name() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let words = [
        "/bin/husk",
        "run",
        "--proc",
        "none",
        "--hostname",
        "box",
        "/bin/true",
    ];
    let outcome = podman.run(&[], &words).ends_with(125);
    let cause = "EPERM (operation not permitted): a seccomp filter forbids it: ";
    outcome.says(&["setting the host name box: ", cause]);
    let words = [
        "/bin/husk",
        "run",
        "--hostname",
        "box",
        "--",
        "/bin/hostname",
    ];
    let options = [
        "--security-opt=seccomp=unconfined",
        "--security-opt=unmask=ALL",
    ];
    assert_eq!(podman.run(&options, &words).succeeds(), "box\n");
}

#[test]
fn what_else_to_do_with_proc_is_silent_in_podman() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    for proc in ["bind", "none"] {
        for root in [&[][..], &["--root", "/"]] {
            let mut words = vec!["/bin/husk", "run", "--proc", proc];
            words.extend(root);
            words.extend(["--", "/bin/sh", "-c", "echo $$"]);
            assert_eq!(podman.run(&[], &words).succeeds(), "2\n", "{proc} {root:?}");
        }
    }
}

#[test]
fn husk_init_starts_a_container_in_podman() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let words = [
        "/bin/husk",
        "init",
        "--",
        "/bin/husk",
        "run",
        "--",
        "/bin/sh",
        "-c",
        "exit 9",
    ];
    let outcome = podman.run(&[], &words).ends_with(9);
    assert_eq!(outcome.stderr, OUTER_PROC);
}

#[test]
fn an_image_from_scratch_has_an_init_and_containers() {
    let podman = or_skip!(Podman::of(or_skip!(root(), "{NOT_ROOT}")), "{NO_PODMAN}");
    let root = podman.root();
    for name in ["etc", "root", "tmp", "data", "proc", "dev", "sys"] {
        fs::remove_dir_all(root.join(name)).unwrap();
    }
    for entry in fs::read_dir(root.join("bin")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "husk" && entry.file_name() != "helper" {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let stat = ["/bin/helper", "stat", "/bin/sh", "/proc/self/status"];
    let out = "/bin/sh ENOENT\n/proc/self/status file 444\n";
    let init = [&["/bin/husk", "init", "--"][..], &stat].concat();
    assert_eq!(podman.run(&[], &init).succeeds(), out);
    for options in [&[][..], &["--root", "/"]] {
        let run = [&["/bin/husk", "run"][..], options, &["--"], &stat].concat();
        let outcome = podman.run(&[], &run).ends_with(0);
        assert_eq!(
            (outcome.stdout, outcome.stderr),
            (out.to_owned(), OUTER_PROC.to_owned())
        );
    }
}
