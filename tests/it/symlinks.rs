//! No symbolic link in a root directory leads husk out of it.

use crate::husk::Run;
use crate::nothing_left::{Before, host_mounts};
use crate::running::Outcome;
use crate::world::{Dir, Identity, NO_BUSYBOX, everybody};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The ways out that a root's author may try: `outside` is a directory of the host.
fn ways_out(outside: &Dir) -> Vec<String> {
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    vec![
        outside.text().to_owned(),
        format!("../{name}"),
        format!("../../{name}"),
        format!("../../../../../../../..{}", outside.text()),
        format!("/proc/self/root{}", outside.text()),
        format!("/proc/1/root{}", outside.text()),
        format!("proc/self/cwd/../{name}"),
        "/proc/self/fd/3".to_owned(),
        "tmp".to_owned(),
        "loop".to_owned(),
    ]
}

/// Either it is refused in one line, or it ran.
fn refused_or_inside(outcome: Outcome) {
    match outcome.status.code() {
        Some(125) => drop(outcome.says(&[])),
        _ => drop(outcome.ends_with(0)),
    }
}

fn relinked(root: &Dir, name: &str, target: &str) {
    let path = root.join(name);
    if fs::remove_file(&path).is_err() {
        fs::remove_dir(&path).unwrap();
    }
    symlink(target, path).unwrap();
}

const WRITE: &str = "(echo x >/data/file; echo x >/proc/file; echo x >/dev/file; mkdir /data/dir) \
                     2>/dev/null; exit 0";

#[test]
fn a_mount_on_a_link_stays_inside_or_is_refused() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let outside = who.dir("outside");
        let source = who.dir("source");
        let before = Before::of(&[outside.path()]);
        symlink("loop", root.join("loop")).unwrap();
        for target in ways_out(&outside) {
            relinked(&root, "data", &target);
            for place in ["/data", "/data/below", "/data/far/below"] {
                refused_or_inside(
                    Run::root(who, &root)
                        .words(["--tmpfs", place])
                        .sh(WRITE)
                        .output(),
                );
                let bind = Run::root(who, &root).words(["--bind", source.text(), place]);
                refused_or_inside(bind.sh(WRITE).output());
            }
            refused_or_inside(
                Run::root(who, &root)
                    .words(["--dir", "/data/made"])
                    .sh(WRITE)
                    .output(),
            );
            let link = Run::root(who, &root).words(["--symlink", "x", "/data/made"]);
            refused_or_inside(link.sh(WRITE).output());
        }
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn husk_s_own_mounts_stay_inside_or_are_refused() {
    for who in everybody() {
        let outside = who.dir("outside");
        let before = Before::of(&[outside.path()]);
        for name in ["proc", "dev", "sys", "etc"] {
            let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
            if name == "etc" {
                fs::remove_dir_all(root.join("etc")).unwrap();
                fs::create_dir(root.join("etc")).unwrap();
            }
            symlink("loop", root.join("loop")).unwrap();
            for target in ways_out(&outside) {
                relinked(&root, name, &target);
                refused_or_inside(Run::root(who, &root).sh(WRITE).output());
            }
        }
        before.is_as_after("nobody-has-this-mark");
    }
}

#[test]
fn resolv_conf_is_never_written_through_a_link() {
    for who in everybody() {
        let outside = who.dir("outside");
        fs::write(outside.join("file"), "untouched").unwrap();
        let before = Before::of(&[outside.path()]);
        for target in ways_out(&outside) {
            let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
            symlink("loop", root.join("loop")).unwrap();
            relinked(&root, "etc/resolv.conf", &format!("{target}/file"));
            refused_or_inside(
                Run::root(who, &root)
                    .sh("echo x >>/etc/resolv.conf; true")
                    .output(),
            );
        }
        before.is_as_after("nobody-has-this-mark");
    }
}

#[cfg(feature = "toml")]
#[test]
fn targets_seen_from_outside_stay_inside_as_well() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let outside = who.dir("outside");
        let config = who.dir("config");
        let before = Before::of(&[outside.path()]);
        symlink("loop", root.join("loop")).unwrap();
        for target in ways_out(&outside) {
            relinked(&root, "data", &target);
            let text = format!(
                "chroot_dir = \"{0}\"\n[[mount]]\noption = \"mount\"\nsource = \"t\"\n\
                 target = \"{0}/data\"\nfilesystem_type = \"tmpfs\"\nmake_target = true\n",
                root.text()
            );
            refused_or_inside(Run::config(who, &config, &text).sh(WRITE).output());
        }
        before.is_as_after("nobody-has-this-mark");
    }
}

/// Of each who starts one.
const STARTS: usize = 1000;

#[test]
fn a_target_that_changes_into_a_link_again_and_again_leads_nowhere() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let outside = who.dir("outside");
        let before = Before::of(&[outside.path()]);
        let name = outside.path().file_name().unwrap().to_str().unwrap();
        symlink(format!("../{name}"), root.join("other")).unwrap();
        let swapping = AtomicBool::new(true);
        let refused = thread::scope(|scope| {
            let swapper = scope.spawn(|| swap(&root.join("data"), &root.join("other"), &swapping));
            let refused = start_beside_the_swap(who, &root);
            swapping.store(false, Ordering::Relaxed);
            assert!(swapper.join().unwrap() > 1000, "it was hardly ever swapped");
            refused
        });
        crate::skip::say(&format!(
            "{}: of {STARTS} starts beside a swap {refused} were refused",
            who.name
        ));
        before.is_as_after("nobody-has-this-mark");
    }
}

/// How many were refused, each in one line; one shell starts them all.
fn start_beside_the_swap(who: &Identity, root: &Dir) -> usize {
    let script = "(echo x >/data/file; echo x >/other/file) 2>/dev/null; exit 0";
    let starts = format!(
        "n=0; while [ $n -lt {STARTS} ]; do \"$@\"; s=$?; \
         [ $s = 0 ] || [ $s = 125 ] || exit $s; n=$((n + 1)); done"
    );
    let run = Run::root(who, root).words(["--tmpfs", "/data"]).sh(script);
    let run = run.through(["/bin/sh", "-c", &starts, "sh"]);
    let outcome = run.limit(Duration::from_secs(120)).output().ends_with(0);
    let lines = outcome.stderr.lines();
    assert!(
        lines.clone().all(|line| line.starts_with("husk: ")),
        "{outcome}"
    );
    lines.count()
}

fn swap(first: &Path, second: &Path, go_on: &AtomicBool) -> u32 {
    let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let (first, second) = (path(first), path(second));
    let mut count = 0;
    while go_on.load(Ordering::Relaxed) {
        // EBUSY while something is mounted on it in our own namespace; there nothing is.
        renameat_with(CWD, &*first, CWD, &*second, RenameFlags::EXCHANGE).unwrap();
        count += 1;
    }
    count
}

#[test]
fn a_root_that_is_a_link_itself_is_followed_as_the_caller() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let dir = who.dir("links");
        symlink(root.path(), dir.join("link")).unwrap();
        let before = host_mounts();
        let run = Run::new(who).word("--root").word(dir.join("link"));
        assert_eq!(run.sh("echo fine").output().succeeds(), "fine\n");
        assert_eq!(host_mounts(), before);
    }
}
