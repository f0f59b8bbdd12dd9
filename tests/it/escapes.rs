//! Ways out of a container that a hostile root directory, or a careless caller, could open.

use crate::husk::Run;
use crate::world::{Dir, NO_BUSYBOX, everybody, write_program};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

/// Takes away what is above, and then looks for a directory of the host.
fn uncovers(host: &Dir) -> String {
    let host = host.text();
    format!(
        "for _ in 1 2 3; do umount -l /..; umount -l /../..; done 2>/dev/null; \
         for way in / /.. /../..; do test -e $way{host} && echo way out: $way; done; echo done"
    )
}

fn stays_inside(run: Run, host: &Dir) {
    let out = run.sh(&uncovers(host)).output();
    // A mount point that cannot be is a refusal, and a root with a tmpfs over it has no shell.
    if !matches!(out.status.code(), Some(125 | 127)) {
        assert_eq!(out.succeeds(), "done\n");
    }
}

fn replaced_by_a_link_to_the_root(root: &Dir, name: &str) {
    let path = root.join(name);
    if path.is_dir() {
        fs::remove_dir(&path).unwrap();
    }
    symlink("/", path).unwrap();
}

#[test]
fn the_working_directory_is_not_a_descriptor_of_the_caller() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        symlink("/proc/self/fd/9", root.join("link")).unwrap();
        for directory in ["/link", "/proc/self/fd/9"] {
            let run = Run::root(who, &root)
                .words(["--chdir", directory])
                .sh("pwd");
            let refused = run.after("exec 9</").output();
            refused.refuses(&["changing to the working directory", directory]);
        }
    }
}

#[test]
fn a_script_does_not_run_husk_itself_inside() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let script = |name: &str, interpreter: &str| {
            let path = root.join(name);
            write_program(&path, &format!("#!{interpreter} run\n"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        script("bin/one", "/proc/self/exe");
        script("bin/two", "/bin/one");
        symlink("/proc/self/exe", root.join("bin/link")).unwrap();
        script("bin/three", " /bin/link");
        for name in ["/bin/one", "two", "/bin/three", "/bin/link"] {
            let out = Run::root(who, &root).words(["--", name]).output();
            out.ends_with(126).says(&["running husk's own file", name]);
        }
    }
}

#[test]
fn a_shared_root_leaves_nothing_of_the_old_one() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let host = who.dir("host");
        let config = who.dir("config");
        let text = format!(
            "root = \"{}\"\n[[mount]]\noption = \"shared\"\ntarget = \"/\"\n",
            root.text()
        );
        if cfg!(feature = "toml") {
            stays_inside(Run::config(who, &config, &text), &host);
        }
    }
}

#[test]
fn mounts_that_end_up_on_the_root_itself_leave_nothing_of_the_old_one() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let host = who.dir("host");
        for name in ["a", "b"] {
            replaced_by_a_link_to_the_root(&root, name);
        }
        let dir = root.text();
        let inside = |path: &str| format!("{dir}{path}");
        let new = || Run::root(who, &root);
        stays_inside(new().words(["--tmpfs", "/a", "--bind", dir, "/"]), &host);
        stays_inside(new().words(["--tmpfs", "/a", "--ro-bind", dir, "/"]), &host);
        stays_inside(
            new().words(["--overlay", "tmpfs", "--dir", "/a/x", "--bind", dir, "/"]),
            &host,
        );
        let chroot = || Run::new(who).words(["--chroot-dir", dir]);
        stays_inside(chroot().words(["--bind", "/", "/"]), &host);
        let (a, b) = (inside("/a"), inside("/b"));
        stays_inside(
            chroot().words(["--tmpfs", &a, "--tmpfs", &b, "--bind", dir, dir]),
            &host,
        );
        // /sys is bound without being asked for, and follows the root's links.
        if root.join("sys").exists() {
            replaced_by_a_link_to_the_root(&root, "sys");
        } else {
            symlink("/", root.join("sys")).unwrap();
        }
        stays_inside(new().words(["--tmpfs", "/a", "--bind", dir, "/"]), &host);
    }
}

#[test]
fn the_host_s_root_is_bound_without_the_new_one_on_top() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let host = who.dir("host");
        let run = Run::root(who, &root).words(["--ro-bind", "/", "/data"]);
        let out = run.sh(&format!("test -d /data{} && echo there", host.text()));
        assert_eq!(out.output().succeeds(), "there\n");
    }
}

#[test]
fn a_resolv_conf_that_is_no_file_is_left_alone() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let path = root.join("etc/resolv.conf");
        let _ = fs::remove_file(&path);
        symlink("/dev/null", &path).unwrap();
        let out = Run::root(who, &root)
            .sh("echo x >/dev/null && echo writable")
            .output();
        assert_eq!(out.succeeds(), "writable\n");
    }
}
