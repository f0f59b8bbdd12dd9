//! Which namespaces the command is in, by /proc/self/ns.

use crate::husk::Run;
use crate::world::{self, Identity, NO_BUSYBOX, NOT_ROOT, everybody, root};
use std::collections::BTreeSet;
use std::fs;

/// husk's names, and those of /proc/PID/ns.
const KINDS: [(&str, &str); 8] = [
    ("user", "user"),
    ("mount", "mnt"),
    ("pid", "pid"),
    ("uts", "uts"),
    ("ipc", "ipc"),
    ("net", "net"),
    ("cgroup", "cgroup"),
    ("time", "time"),
];

/// The kinds in which the command is elsewhere than the tests.
fn unshared(run: Run) -> BTreeSet<&'static str> {
    let links: Vec<String> = KINDS
        .iter()
        .map(|(_, link)| format!("/proc/self/ns/{link}"))
        .collect();
    let script = format!("for link in {}; do readlink $link; done", links.join(" "));
    let out = run.sh(&script).output().succeeds();
    let inside: Vec<&str> = out.lines().collect();
    assert_eq!(inside.len(), KINDS.len(), "{out}");
    let differs = |index: usize| {
        let outside = fs::read_link(&links[index]).unwrap();
        outside.to_str() != Some(inside[index])
    };
    (0..KINDS.len())
        .filter(|index| differs(*index))
        .map(|index| KINDS[index].0)
        .collect()
}

fn set(names: &[&'static str]) -> BTreeSet<&'static str> {
    names.iter().copied().collect()
}

const DEFAULT: [&str; 6] = ["user", "mount", "pid", "uts", "ipc", "cgroup"];

#[test]
fn by_default_all_but_net_and_time() {
    for who in everybody() {
        assert_eq!(unshared(Run::new(who)), set(&DEFAULT));
    }
}

#[test]
fn each_kind_can_be_added() {
    for who in everybody() {
        for kind in ["net", "time"] {
            let mut expected = set(&DEFAULT);
            expected.insert(kind);
            assert_eq!(
                unshared(Run::new(who).word(format!("--unshare-{kind}"))),
                expected
            );
        }
        let alone = Run::new(who).words(["--namespaces", "user,time,net"]);
        assert_eq!(unshared(alone), set(&["user", "time", "net"]));
    }
}

#[test]
fn each_kind_but_user_can_be_left_out() {
    for who in everybody() {
        for kind in ["mount", "pid", "uts", "ipc", "cgroup"] {
            let mut expected = set(&DEFAULT);
            expected.remove(kind);
            assert_eq!(
                unshared(Run::new(who).word(format!("--share-{kind}"))),
                expected,
                "{kind}"
            );
        }
    }
}

#[test]
fn exactly_those_that_are_listed() {
    for who in everybody() {
        for kind in ["mount", "pid", "uts", "ipc", "net", "cgroup", "time"] {
            let run = Run::new(who).words(["--namespaces", &format!("user,{kind}")]);
            assert_eq!(unshared(run), set(&["user", kind]));
        }
        assert_eq!(
            unshared(Run::new(who).words(["--namespaces", "user"])),
            set(&["user"])
        );
    }
}

#[test]
fn root_can_do_without_a_user_namespace() {
    let who = or_skip!(root(), "{NOT_ROOT}");
    let run = Run::new(who).word("--share-user");
    assert_eq!(unshared(run.clone()), set(&DEFAULT[1..]));
    assert_eq!(
        unshared(Run::new(who).words(["--namespaces", "pid,mount"])),
        set(&["pid", "mount"])
    );
    for kind in ["mount", "pid", "uts", "ipc", "net", "cgroup", "time"] {
        assert_eq!(
            unshared(Run::new(who).words(["--namespaces", kind])),
            set(&[kind])
        );
    }
    let map = run.sh("tr -s ' ' </proc/self/uid_map").output().succeeds();
    assert_eq!(map, " 0 0 4294967295\n");
}

#[test]
fn root_without_a_user_namespace_gets_a_root_directory() {
    let who = or_skip!(root(), "{NOT_ROOT}");
    let dir = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
    let run = Run::root(who, &dir).words(["--share-user", "--hostname", "box"]);
    let out = run
        .sh("hostname; echo /proc/[0-9]*; test -c /dev/null && echo fine")
        .output();
    assert_eq!(out.succeeds(), "box\n/proc/1 /proc/2\nfine\n");
}

#[test]
fn an_ordinary_user_needs_the_user_namespace() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    Run::new(who)
        .word("--share-user")
        .sh("true")
        .output()
        .refuses(&["user"]);
}

#[test]
fn a_new_network_has_a_loopback_that_is_up() {
    for who in everybody() {
        let dir = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for flags in [&["--unshare-net"][..], &["--network", "none"]] {
            let run = Run::root(who, &dir).words(flags);
            assert_eq!(
                run.clone().helper(["loopback"]).output().succeeds(),
                "loopback says hello\n"
            );
            let devices = run
                .sh("tail -n +3 /proc/net/dev 2>/dev/null || cat /proc/net/dev")
                .output();
            let devices = devices.ends_with(0).stdout;
            assert!(
                devices.contains("lo:") && !devices.contains("eth"),
                "{devices}"
            );
        }
    }
}

#[test]
fn names_are_set_inside_and_not_outside() {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for who in everybody() {
        let run = Run::new(who).words(["--hostname", "inner", "--domainname", "example.org"]);
        let out = run
            .sh("cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname")
            .output();
        assert_eq!(out.succeeds(), "inner\nexample.org\n");
        assert_eq!(
            fs::read_to_string("/proc/sys/kernel/hostname").unwrap(),
            name
        );
        let shared = Run::new(who)
            .words(["--share-uts", "--hostname", "inner"])
            .sh("true");
        shared.output().refuses(&["hostname", "uts"]);
    }
}

#[test]
fn without_a_new_root_proc_shows_the_container_alone() {
    for who in everybody() {
        let out = Run::new(who)
            .sh("echo /proc/[0-9]*; grep -c ' /proc ' /proc/self/mountinfo")
            .output();
        assert!(out.ends_with(0).stdout.starts_with("/proc/1 /proc/2\n"));
    }
}

#[test]
fn the_cgroup_of_the_caller_is_the_root_of_the_new_namespace() {
    for who in everybody() {
        let out = Run::new(who)
            .sh("cat /proc/self/cgroup")
            .output()
            .succeeds();
        assert!(out.lines().all(|line| line.ends_with(":/")), "{out}");
    }
}

#[test]
fn containers_nest() {
    for who in everybody() {
        let dir = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        nested(who, &dir);
    }
}

fn nested(who: &Identity, dir: &world::Dir) {
    // A copy: a command that is husk's own file is refused.
    world::copy_program(world::husk(), &dir.join("bin/husk"));
    let inner = [
        "run",
        "--no-config",
        "--id-map",
        "root",
        "--hostname",
        "inner",
    ];
    let run = Run::root(who, dir).words(["--mask", "none", "--", "/bin/husk"]);
    let out = run
        .words(inner)
        .sh("id -u; hostname; echo /proc/[0-9]*")
        .output();
    // Inside, husk is a command like any other.
    assert_eq!(out.succeeds(), "0\ninner\n/proc/1 /proc/2\n");
}
