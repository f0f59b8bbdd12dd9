//! What is well written and cannot be: refused in one line, 125, nothing half-started.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::world::{self, NO_BUSYBOX, everybody, tool};
use std::fs;

/// Words after `husk run`, and what is said of them.
type Case = (&'static [&'static str], &'static [&'static str]);

const FLAGS: &[Case] = &[
    (&["--hostnme", "x"], &["--hostnme", "--hostname"]),
    (&["--root"], &["--root"]),
    (&["--uid", "x"], &["--uid", "x"]),
    (&["--uid", "-1"], &["--uid", "-1"]),
    (&["--uid", "4294967295"], &["--uid", "4294967295"]),
    (&["--uid", ""], &["--uid"]),
    (&["--uid-map", "0", "0"], &["--uid-map"]),
    (&["--uid-map", "0", "0", "0"], &["--uid-map"]),
    (
        &["--uid-map", "0", "0", "10", "--uid-map", "9", "100", "1"],
        &["--uid-map", "another line"],
    ),
    (
        &["--uid-map", "0", "0", "10", "--uid-map", "20", "9", "1"],
        &["--uid-map", "another line"],
    ),
    (&["--namespaces", "user,nett"], &["nett", "net"]),
    (&["--id-map", "all"], &["--id-map", "all", "auto"]),
    (&["--network", "bridge"], &["--network", "bridge", "none"]),
    (&["--mask", "docker"], &["--mask", "docker", "oci"]),
    (&["--preserve-fds", "x"], &["--preserve-fds", "x"]),
    (&["--cap-drop", "CAP_CHWON"], &["--cap-drop", "CAP_CHWON"]),
    (&["--setenv", "A"], &["--setenv"]),
    (&["--setenv", "A=B", "c"], &["--setenv", "="]),
    (&["--hostname", ""], &["--hostname"]),
    (
        &["--root", "/a", "--chroot-dir", "/b"],
        &["--chroot-dir", "together", "root"],
    ),
];

#[test]
fn a_flag_that_cannot_be_is_named_with_what_can() {
    for who in everybody() {
        for (words, fragments) in FLAGS {
            Run::new(who).words(*words).output().refuses(fragments);
        }
        Run::husk(who)
            .words(["rnu"])
            .output()
            .refuses(&["rnu", "run"]);
        Run::husk(who).output().refuses(&["husk"]);
    }
}

#[test]
fn an_id_without_a_mapping_is_refused() {
    for who in everybody() {
        let run = Run::new(who).words(["--unshare-user", "--id-map", "root"]);
        run.clone()
            .words(["--uid", "1000"])
            .sh("true")
            .output()
            .refuses(&["--uid", "1000"]);
        run.words(["--gid", "1000"])
            .sh("true")
            .output()
            .refuses(&["--gid", "1000"]);
    }
}

#[test]
fn a_root_that_is_none_is_named() {
    for who in everybody() {
        let dir = who.dir("not-a-root");
        who.write(&dir.join("file"), "", 0o644);
        let file = dir.join("file").to_str().unwrap().to_owned();
        for flag in ["--root", "--chroot-dir"] {
            let run = Run::new(who).words([flag, "/no/such/root"]).sh("true");
            run.output().refuses(&["/no/such/root", "ENOENT"]);
            Run::new(who)
                .words([flag, &file])
                .sh("true")
                .output()
                .refuses(&[&file, "ENOTDIR"]);
        }
    }
}

#[test]
fn a_root_that_may_not_be_entered_is_named() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    let dir = who.dir("locked");
    who.mkdir(&dir.join("in/root"));
    fs::set_permissions(
        dir.join("in"),
        std::os::unix::fs::PermissionsExt::from_mode(0o000),
    )
    .unwrap();
    let root = dir.join("in/root").to_str().unwrap().to_owned();
    // As the caller, every time: not as the root that the caller becomes once the maps are written.
    for _ in 0..40 {
        let run = Run::new(who).words(["--id-map", "root", "--root", &root]);
        run.sh("true").output().refuses(&[&root, "EACCES"]);
    }
    fs::set_permissions(
        dir.join("in"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
}

#[test]
fn a_relative_working_directory_needs_the_tree_that_it_is_relative_to() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).words(["--chdir", "data"]).sh("pwd");
        run.output().refuses(&["--chdir", "absolute"]);
        let dir = who.dir("tree");
        who.mkdir(&dir.join("data"));
        let kept = Run::new(who)
            .within(dir.path())
            .words(["--chdir", "data"])
            .sh("pwd -P");
        assert_eq!(
            kept.output().succeeds().trim(),
            format!("{}/data", dir.text())
        );
    }
}

#[test]
fn a_bind_of_nothing_is_named_and_a_try_is_not() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root);
        for flag in ["--bind", "--ro-bind", "--dev-bind"] {
            let bind = run
                .clone()
                .words([flag, "/no/such/source", "/data"])
                .sh("true");
            bind.output().refuses(&["/no/such/source", "ENOENT"]);
            let tried = run
                .clone()
                .words([&format!("{flag}-try"), "/no/such/source", "/data"]);
            tried.sh("true").output().succeeds();
        }
    }
}

#[test]
fn a_mount_that_the_kernel_refuses_names_call_object_and_errno() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let before = Before::of(&[root.path()]);
        let mark = world::mark();
        let run = Run::root(who, &root).words(["--setenv", "MARK", &mark]);
        let run = run.words(["--remount-ro", "/data"]).sh("true");
        run.output().refuses(&["/data", "EINVAL"]);
        before.is_as_after(&mark);
    }
}

#[test]
fn a_namespace_that_the_kernel_refuses_is_named_with_the_remedy() {
    let unshare = or_skip!(tool("unshare"), "no unshare(1)");
    for who in everybody() {
        for (kind, flag) in [
            ("user", "--unshare-user"),
            ("net", "--unshare-net"),
            ("uts", "--unshare-uts"),
        ] {
            // The limits of a user namespace are its root's to set (namespaces(7)).
            let script = format!("echo 0 >/proc/sys/user/max_{kind}_namespaces; exec \"$@\"");
            let run = Run::new(who)
                .word(flag)
                .sh("true")
                .limit(std::time::Duration::from_secs(10));
            let run = run.through([
                unshare.to_str().unwrap(),
                "-Ur",
                "/bin/sh",
                "-c",
                &script,
                "sh",
            ]);
            run.output().refuses(&["ENOSPC", "namespaces"]);
        }
    }
}

#[test]
fn a_flag_of_nine_kilobytes_is_an_error_and_one_line() {
    for who in everybody() {
        let long = "x".repeat(9000);
        Run::new(who)
            .words(["--hostname", &long])
            .sh("true")
            .output()
            .refuses(&["--hostname"]);
        Run::new(who)
            .words(["--root", &long])
            .sh("true")
            .output()
            .refuses(&["--root"]);
        Run::new(who)
            .words([&format!("--{long}")])
            .output()
            .refuses(&[]);
    }
}

#[test]
fn control_characters_in_what_is_repeated_do_not_reach_the_terminal() {
    for who in everybody() {
        let run = Run::new(who)
            .words(["--root", "/no\n\u{1b}[31m/root"])
            .sh("true");
        let line = run.output().refuses(&["ENOENT"]);
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}
