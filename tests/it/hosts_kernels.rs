//! Hosts whose kernel is older, and hosts that forbid namespaces or mounts: `helper host` pretends to
//! be one.

use crate::husk::Run;
use crate::world::{self, Identity, NO_BUSYBOX, NOT_ROOT, everybody};

/// The system calls of these.
const KERNELS: [&str; 7] = ["3.10", "el7", "4.18", "el8", "5.4", "5.10", "5.14"];

/// Whether clone(2) knows cgroup namespaces there (4.6).
fn has_cgroup_namespaces(kernel: &str) -> bool {
    !matches!(kernel, "3.10" | "el7")
}

const LACKS_CGROUP: &str = "husk: doing without a namespace: cgroup: EINVAL (invalid argument): \
                            this kernel does not have it (more: husk check)\n";

#[test]
fn every_kernel_since_3_10_runs_a_container_in_a_root_of_its_own() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let source = who.dir("source");
        for kernel in KERNELS {
            let run = Run::root(who, &root)
                .words(["--ro-bind", source.text(), "/data", "--tmpfs", "/tmp"])
                .words(["--hostname", "box"])
                .on_host(["-k", kernel]);
            let script = "id -u; hostname; touch /data/x 2>&1; touch /tmp/x; test -c /dev/null && \
                          echo $$; test -e /proc/self/status && exit 7";
            let outcome = run.sh(script).output().ends_with(7);
            let expected = "0\nbox\ntouch: /data/x: Read-only file system\n2\n";
            assert_eq!(outcome.stdout, expected, "{outcome}");
            let said = match has_cgroup_namespaces(kernel) {
                true => "",
                false => LACKS_CGROUP,
            };
            assert_eq!(outcome.stderr, said, "{kernel}");
        }
    }
}

#[test]
fn every_kernel_since_3_10_runs_a_container_on_the_hosts_tree() {
    for who in everybody() {
        for kernel in KERNELS {
            let run = Run::new(who).on_host(["-k", kernel]);
            let outcome = run.sh("id -u; tr -s ' ' </proc/self/uid_map").output();
            let outcome = outcome.ends_with(0);
            let own = format!("0\n 0 {} 1\n", who.uid);
            assert!(outcome.stdout.starts_with(&own), "{kernel}: {outcome}");
            if let Some((first, count)) = who.subordinate_ids()
                && world::myself().is_root()
            {
                let ranges = format!("{own} 1 {first} {count}\n");
                assert_eq!(outcome.stdout, ranges, "set-user-ID works: {outcome}");
            }
        }
    }
}

#[test]
fn every_kernel_since_3_10_runs_husk_init() {
    for who in everybody() {
        for kernel in KERNELS {
            let run = Run::husk(who).words(["init", "--"]).on_host(["-k", kernel]);
            let words = ["/bin/sh", "-c", "echo out; kill -9 $$"];
            let outcome = run.words(words).output().ends_with(137);
            assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out\n", ""));
        }
    }
}

#[test]
fn a_namespace_that_is_asked_for_by_name_is_not_left_out() {
    for who in everybody() {
        for kernel in ["3.10", "el7"] {
            let run = Run::new(who).word("--unshare-cgroup");
            let run = run.on_host(["-k", kernel]).sh("true");
            let cause = "EINVAL (invalid argument): this kernel lacks one of them: leave it out";
            run.output().refuses(&["creating namespaces: ", cause]);
        }
        // Without clone3(2) there is no way to ask for one.
        for kernel in ["3.10", "el7", "4.18"] {
            let run = Run::new(who).word("--unshare-time");
            let run = run.on_host(["-k", kernel]).sh("true");
            run.output()
                .refuses(&["creating namespaces: ", "ENOSYS", "clone3(2)"]);
        }
    }
}

/// A run on that host ends with one line, which ends in the cause and the remedy.
fn refused(words: &[&str], step: &str, end: &str) {
    for who in everybody() {
        let run = Run::new(who).on_host(words).sh("true");
        let line = run.output().refuses(&[]);
        let expected = format!("husk: {step}: {end} (more: husk check)\n");
        assert_eq!(line, expected, "{words:?}");
    }
}

const CLONE: &str = "creating namespaces: user mount pid uts ipc cgroup";
const SECCOMP: &str = "a seccomp filter forbids it: docker, podman: --security-opt \
                       seccomp=unconfined (docker also: --security-opt systempaths=unconfined); \
                       Kubernetes: seccompProfile: {type: Unconfined}";

#[test]
fn a_profile_like_dockers_is_named() {
    let end = format!("EPERM (operation not permitted): {SECCOMP}");
    refused(&["--docker"], CLONE, &end);
    refused(&["--docker", "--no-new-privs"], CLONE, &end);
    refused(&["--clone", "EPERM"], CLONE, &end);
}

#[test]
fn a_pod_that_is_restricted_is_told_so_and_has_an_init() {
    let root = or_skip!(world::root(), "{NOT_ROOT}");
    let restricted = |run: Run, who: &Identity| {
        let (uid, gid) = (who.uid.to_string(), who.gid.to_string());
        let host = [world::helper().to_str().unwrap(), "host", "--docker", "--"];
        run.through(host).through([
            "setpriv",
            "--reuid",
            &uid,
            "--regid",
            &gid,
            "--clear-groups",
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--no-new-privs",
        ])
    };
    for who in everybody() {
        let run = restricted(Run::new(root), who).sh("true");
        run.output().refuses(&[CLONE, "EPERM", SECCOMP]);
        let init = restricted(Run::husk(root).words(["init", "--"]), who);
        let outcome = init.words(["/bin/sh", "-c", "echo $PPID >&2; exit 4"]);
        outcome.output().ends_with(4);
    }
}

#[test]
fn a_limit_and_a_missing_kernel_option_are_named() {
    let limit = "a limit on namespaces is reached: sudo sysctl -w user.max_user_namespaces=15000 \
                 (and the other user.max_*_namespaces); 32 levels are the most";
    let full = format!("ENOSPC (no space left on device): {limit}");
    refused(&["--clone", "ENOSPC"], CLONE, &full);
    let users = format!("EUSERS (too many users): {limit}");
    refused(&["--clone", "EUSERS"], CLONE, &users);
    let processes = "EAGAIN (resource temporarily unavailable): the limit on processes is reached: \
                     raise ulimit -u, or the container's pids limit";
    refused(&["--clone", "EAGAIN"], CLONE, processes);
    let lacks = "EINVAL (invalid argument): this kernel lacks one of them: leave it out";
    refused(&["--clone", "EINVAL"], CLONE, lacks);
    let module = match std::fs::exists("/sys/module/apparmor").unwrap() {
        true => "AppArmor forbids it to this program: add the rule userns, to its profile",
        false => {
            "a security module forbids it: sudo dmesg, or the log of the module: it says which"
        }
    };
    let module = format!("EACCES (permission denied): {module}");
    refused(&["--clone", "EACCES"], CLONE, &module);
}

#[test]
fn what_husk_does_without_does_not_hide_what_it_cannot_do() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for (words, status, said) in [
            (&["--", "/nosuch"][..], 127, "husk: running /nosuch: ENOENT"),
            (
                &["--as-pid-1", "/nosuch"],
                127,
                "husk: running /nosuch: ENOENT",
            ),
            (&["--bind", "/nosuch", "/b", "sh"], 125, "/nosuch: ENOENT"),
        ] {
            let run = Run::root(who, &root).words(words);
            let host = ["-k", "3.10", "--no-new-privs"];
            let outcome = run.on_host(host).output().ends_with(status);
            let last = outcome.stderr.lines().last().unwrap();
            assert!(last.contains(said), "{outcome}");
        }
    }
}

/// The same on a host that has this file below /proc/sys or /sys, with this in it.
fn refused_with(file: &str, text: &str, words: &[&str], step: &str, end: &str) {
    or_skip!(world::root(), "{NOT_ROOT}");
    let (directory, top) = match file.split('/').nth(2) {
        Some("fs") => ("/sys/fs/selinux", "/sys/fs"),
        _ => {
            let directory = file.rsplit_once('/').unwrap().0;
            (directory, directory)
        }
    };
    let script = format!(
        "mount -t tmpfs t {top}\nmkdir -p {directory}\necho {text} >{file}\nchmod -R a+rX {top}"
    );
    for who in everybody() {
        for root in [None, who.root_dir()] {
            let run = match &root {
                Some(root) if step == "mount" => Run::root(who, root),
                _ => Run::new(who),
            };
            let run = run.sh("true").on_host(words).with_mounts_as_root(&script);
            let step = match &root {
                Some(root) if step == "mount" => {
                    format!("binding the root directory {}", root.text())
                }
                _ if step == "mount" => "mounting proc on /proc".to_owned(),
                _ => step.to_owned(),
            };
            let line = run.output().refuses(&[]);
            let expected = format!("husk: {step}: {end} (more: husk check)\n");
            assert_eq!(line, expected, "{file} {words:?}");
        }
    }
}

#[test]
fn debians_switch_is_named() {
    let end = "EPERM (operation not permitted): kernel.unprivileged_userns_clone is 0: sudo sysctl \
               -w kernel.unprivileged_userns_clone=1";
    let file = "/proc/sys/kernel/unprivileged_userns_clone";
    refused_with(file, "0", &["--clone", "EPERM"], CLONE, end);
}

#[test]
fn centos_7s_switch_is_named() {
    let end = "EINVAL (invalid argument): user.max_user_namespaces is 0: sudo sysctl -w \
               user.max_user_namespaces=15000";
    let words = ["-k", "el7", "--clone", "EINVAL"];
    let file = "/proc/sys/user/max_user_namespaces";
    refused_with(file, "0", &words, CLONE, end);
}

#[test]
fn selinux_is_named() {
    let end = "EACCES (permission denied): SELinux forbids it to this program: sudo ausearch -m avc \
               -c husk, and allow user_namespace { create }";
    let words = ["--clone", "EACCES"];
    refused_with("/sys/fs/selinux/enforce", "1", &words, CLONE, end);
}

#[test]
fn ubuntus_restriction_is_named_at_the_first_mount() {
    let end = "EACCES (permission denied): AppArmor takes the rights of user namespaces away: sudo \
               sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or a profile for husk with \
               the rule userns,";
    let file = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    refused_with(file, "1", &["--mount", "EACCES"], "mount", end);
}

#[test]
fn a_root_that_cannot_be_pivoted_away_is_left_by_chroot_where_it_is_an_initramfs() {
    or_skip!(world::root(), "{NOT_ROOT}");
    // A tmpfs as root, with everything of the host's in it.
    let place = world::nowhere().to_str().unwrap();
    let script = "mount -t tmpfs t PLACE; cd PLACE; mkdir old
        for dir in bin sbin usr lib lib64 etc proc dev sys var tmp; do
            if [ -h /$dir ]; then cp -a /$dir $dir
            elif [ -d /$dir ]; then mkdir $dir; mount --rbind /$dir $dir; fi
        done
        pivot_root . old; umount -l old; cd /"
        .replace("PLACE", place);
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let run = Run::root(who, &root).sh("id -u; ls /; test -c /dev/null");
        let run = run.on_host(["--pivot", "EINVAL"]);
        let out = run.clone().with_mounts_as_root(&script).output().succeeds();
        assert_eq!(out, "0\nbin\ndata\ndev\netc\nproc\nroot\nsys\ntmp\n");
        let run = run.with_mounts_as_root("true");
        run.output()
            .refuses(&["entering the root directory", "EINVAL"]);
    }
}
