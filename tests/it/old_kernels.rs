//! Where newer system calls are missing (ENOSYS) or filtered (EPERM), what they are for still holds.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, everybody, tool};
use std::fs;
use std::os::unix::fs::symlink;

const NO_STRACE: &str = "no strace(1)";

/// What Linux 3.10 has not, and husk would use.
const NEW_CALLS: &str = "openat2,close_range,mount_setattr,open_tree,move_mount,clone3,pidfd_open,\
                         pidfd_send_signal,execveat,statx,faccessat2";

/// The run where every one of the new calls fails, in all of husk's processes.
fn without_new_calls(run: Run, scratch: &Dir, errno: &str) -> Run {
    let inject = format!("inject={NEW_CALLS}:error={errno}");
    // Traced as themselves, set-user-ID helpers would lose their privileges.
    let run = if world::myself().is_root() {
        run
    } else {
        run.first(["--id-map", "root"])
    };
    run.traced(
        &scratch.join("log"),
        ["-qq", "-f", "-b", "execve", "-e", &inject],
    )
}

/// Runs the check for everybody and both errnos.
fn holds(check: impl Fn(&Identity, &Dir, &dyn Fn(Run) -> Run)) {
    for who in everybody() {
        for errno in ["ENOSYS", "EPERM"] {
            let Some(root) = who.root_dir() else {
                return crate::skip::skipped(NO_BUSYBOX);
            };
            let scratch = who.dir("old");
            check(who, &root, &|run| without_new_calls(run, &scratch, errno));
            let log = fs::read_to_string(scratch.join("log")).unwrap();
            assert!(log.contains("(INJECTED)"), "no new call was made: {log}");
        }
    }
}

#[test]
fn descriptors_are_closed_without_close_range() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    holds(|who, root, old| {
        let run = old(Run::root(who, root)).after("exec 9</etc/passwd 7</");
        // The descriptors must come through strace itself.
        let out = run.words(["--", "/bin/helper", "fds"]).output().succeeds();
        assert_eq!(out, "[0, 1, 2]\n");
    });
}

#[test]
fn read_only_and_other_flags_hold_without_the_new_mount_calls() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    holds(|who, root, old| {
        let source = who.dir("source");
        let run = Run::root(who, root).words(["--ro-bind", source.text(), "/data"]);
        let out = old(run.sh("touch /data/x 2>&1; grep ' /data ' /proc/self/mountinfo")).output();
        let out = out.ends_with(0).stdout;
        assert!(
            out.contains("Read-only") && out.contains(" ro,nosuid,nodev"),
            "{out}"
        );
        let read_only = Run::root(who, root).words(["--read-only"]);
        let out = old(read_only.sh("touch /x 2>&1; true")).output().succeeds();
        assert!(out.contains("Read-only"), "{out}");
    });
}

#[test]
fn read_only_binds_are_recursive_without_mount_setattr() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    or_skip!(world::root(), "{}", world::NOT_ROOT);
    holds(|who, root, old| {
        let source = who.dir("source");
        who.mkdir(&source.join("a b"));
        let mounts = format!(
            "mount -t tmpfs -o mode=777,noexec t '{}/a b'",
            source.text()
        );
        let run = Run::root(who, root).words(["--ro-bind", source.text(), "/data"]);
        let script = "touch '/data/a b/x' 2>&1; grep ' /data/a' /proc/self/mountinfo";
        // strace becomes the user by itself, so the mounts are made around it.
        let traced = old(run.sh(script)).with_mounts_as_root(&mounts);
        let out = traced.output().ends_with(0).stdout;
        assert!(
            out.contains("Read-only") && out.contains(" ro,nosuid,nodev,noexec"),
            "{out}"
        );
    });
}

#[test]
fn links_lead_nowhere_without_openat2() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    holds(|who, root, old| {
        let outside = who.dir("outside");
        let name = outside
            .path()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let before = Before::of(&[outside.path()]);
        fs::remove_dir(root.join("data")).unwrap();
        let ways = [
            outside.text().to_owned(),
            format!("../{name}"),
            format!("../../../../../..{}", outside.text()),
            format!("/proc/self/root{}", outside.text()),
            "data".to_owned(),
        ];
        for target in ways {
            symlink(target, root.join("data")).unwrap();
            let write = "echo x >/data/x; true";
            let run = Run::root(who, root).words(["--tmpfs", "/data"]).sh(write);
            let outcome = old(run).output();
            assert!(matches!(outcome.status.code(), Some(0 | 125)), "{outcome}");
            fs::remove_file(root.join("data")).unwrap();
        }
        before.is_as_after("nobody-has-this-mark");
    });
}

#[test]
fn a_link_inside_the_root_is_followed_without_openat2() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    holds(|who, root, old| {
        who.mkdir(&root.join("data/real/below"));
        symlink("../tmp/../data/./real", root.join("data/link")).unwrap();
        symlink("/data/link/", root.join("absolute")).unwrap();
        let run = Run::root(who, root).words(["--tmpfs", "/absolute/below"]);
        let out = old(run.sh("grep -c ' /data/real/below ' /proc/self/mountinfo")).output();
        assert_eq!(out.succeeds(), "1\n");
    });
}

#[test]
fn a_namespace_that_needs_clone3_is_refused_by_name() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    holds(|who, root, old| {
        let run = Run::root(who, root).words(["--unshare-time"]).sh("true");
        let line = old(run).output().refuses(&["namespaces"]);
        assert!(line.contains("time"), "{line}");
    });
}
