//! `[cgroup]`: where the container is among the cgroups, what is left of it, and what is said where none
//! can be had. Limits themselves: [`crate::cgroup_guest`], on a kernel whose controllers are free.

use crate::husk::Run;
use crate::processes::{self, Container};
use crate::world::{self, Identity, NOT_ROOT, everybody, tool};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

const NO_CGROUP: &str = "no writable cgroup hierarchy of version 2, or not root";

/// Where the hierarchy of version 2 is.
fn top() -> Option<&'static Path> {
    let tops = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    tops.into_iter()
        .find(|top| top.join("cgroup.procs").exists())
}

/// A cgroup that root has given to somebody, and one in it for that one's processes.
struct Delegated {
    path: PathBuf,
}

impl Delegated {
    fn to(who: &Identity) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        world::root()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = top()?.join(format!("husk-tests.{}.{number}", process::id()));
        fs::create_dir(&path).ok()?;
        let own = |path: &Path| {
            for name in ["", "cgroup.procs", "cgroup.subtree_control"] {
                chown(path.join(name), Some(who.uid), Some(who.gid)).unwrap();
            }
        };
        own(&path);
        fs::create_dir(path.join("start")).unwrap();
        own(&path.join("start"));
        Some(Self { path })
    }

    fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The run, started in it, with its cgroup below it.
    fn run(&self, run: Run) -> Run {
        let script = format!("echo $$ >{}/start/cgroup.procs", self.text());
        run.first(["--cgroup-parent", self.text()])
            .with_mounts(&script)
    }

    /// The cgroups of husk's in it.
    fn groups(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.is_dir() && !path.ends_with("start"))
            .collect()
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        for group in self.groups() {
            drop(fs::write(group.join("cgroup.kill"), "1"));
        }
        for _ in 0..100 {
            for path in self.groups().into_iter().chain([self.path.join("start")]) {
                drop(fs::remove_dir(path));
            }
            if fs::remove_dir(&self.path).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn the_container_is_in_a_cgroup_of_its_own_and_sees_nothing_above() {
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let script = "grep ^0: /proc/self/cgroup /proc/1/cgroup; echo ready; exec sleep 20";
        let started = delegated.run(Run::new(who).sh(script)).start();
        started.wait_for("ready");
        assert_eq!(
            started.so_far(),
            "/proc/self/cgroup:0::/\n/proc/1/cgroup:0::/\nready\n"
        );
        let groups = delegated.groups();
        assert_eq!(groups.len(), 1, "{groups:?}");
        let init = Container::of(started.pid()).init;
        let inside = fs::read_to_string(groups[0].join("container/cgroup.procs")).unwrap();
        assert_eq!(inside.lines().next(), Some(&*init.to_string()), "{inside}");
        assert_eq!(inside.lines().count(), 2, "PID 1 and the command: {inside}");
        let outside = fs::read_to_string(delegated.path.join("start/cgroup.procs")).unwrap();
        assert_eq!(outside, format!("{}\n", started.pid()));
        started.signal(Signal::TERM);
        started.finish().ends_with(143);
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn the_cgroup_namespace_can_be_shared() {
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let run = Run::new(who)
            .word("--share-cgroup")
            .sh("grep ^0: /proc/self/cgroup");
        let out = delegated.run(run).output().succeeds();
        let own = delegated.path.strip_prefix(top().unwrap()).unwrap();
        let wanted = format!("/{}/husk-", own.display());
        assert!(
            out.contains(&wanted) && out.ends_with("/container\n"),
            "{out}"
        );
    }
}

#[test]
fn however_it_ends_the_cgroup_is_gone() {
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let run = |words: &[&str]| delegated.run(Run::new(who).words(words)).output();
        run(&["--", "sh", "-c", "exit 7"]).ends_with(7);
        run(&["--", "sh", "-c", "kill -KILL $$"]).ends_with(137);
        run(&["--", "/bin/no-such-program"]).ends_with(127);
        run(&["--as-pid-1", "--", "sh", "-c", "exit 8"]).ends_with(8);
        run(&["--ro-bind", "/no/such", "/mnt", "--", "true"]).ends_with(125);
        run(&["--root", "/no/such", "--", "true"]).ends_with(125);
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn what_a_killed_husk_leaves_is_removed_by_the_next_and_what_lives_stays() {
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let mark = world::mark();
        let hold = |mark: &str| {
            let script = format!("echo ready; exec sleep 30 # {mark}");
            let started = delegated.run(Run::new(who).sh(&script)).start();
            started.wait_for("ready");
            started
        };
        let (killed, living) = (hold(&mark), hold("other"));
        killed.signal(Signal::KILL);
        assert_eq!(killed.finish().status.code(), None);
        processes::none_left(&mark);
        assert_eq!(
            delegated.groups().len(),
            2,
            "it had no time to remove its own"
        );
        let out = delegated.run(Run::new(who).sh("echo next")).output();
        assert_eq!(out.succeeds(), "next\n");
        let groups = delegated.groups();
        assert_eq!(groups.len(), 1, "{groups:?}");
        let inside = fs::read_to_string(groups[0].join("container/cgroup.procs")).unwrap();
        assert_eq!(inside.lines().count(), 2, "{inside}");
        living.signal(Signal::TERM);
        living.finish().ends_with(143);
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn without_a_pid_namespace_what_is_left_ends_with_the_cgroup() {
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let mark = world::mark();
        let script = format!("sh -c 'sleep 30; : {mark}' >/dev/null 2>&1 & exit 3");
        let run = Run::new(who).word("--share-pid").sh(&script);
        delegated.run(run).output().ends_with(3);
        processes::none_left(&mark);
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn what_root_inside_makes_of_its_cgroup_goes_with_it() {
    let script = "mount -t cgroup2 none /tmp && cd /tmp && mkdir -p a/b/c a/d e && echo made
        echo $$ >a/d/cgroup.procs && echo moved; exec sleep 20";
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let root = or_skip!(who.root_dir(), "{}", world::NO_BUSYBOX);
        let run = Run::root(who, &root).words(["--cap-add", "SYS_ADMIN"]);
        let started = delegated.run(run.sh(script)).start();
        started.wait_for("moved");
        assert!(
            started.so_far().starts_with("made\n"),
            "{}",
            started.so_far()
        );
        assert!(delegated.groups()[0].join("container/a/b/c").exists());
        started.signal(Signal::KILL);
        drop(started.finish());
        let end = std::time::Instant::now() + std::time::Duration::from_secs(5);
        // The next one takes away what the killed one has left, once that is empty.
        while !delegated.groups().is_empty() && std::time::Instant::now() < end {
            delegated.run(Run::new(who).sh("true")).output().succeeds();
        }
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
        let ended = script.replace("exec sleep 20", "exit 5");
        delegated
            .run(Run::root(who, &root).sh(&ended))
            .output()
            .ends_with(5);
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn without_capabilities_nothing_inside_changes_the_host_s_cgroups() {
    let script = "cd /sys/fs/cgroup && for file in $(find . -name cgroup.max.depth); do
            (echo 5 >$file) 2>/dev/null && echo changed $file
            (mkdir ${file%/*}/husk-inside) 2>/dev/null && echo made ${file%/*}
        done; find . -path '*/container/cgroup.procs' | wc -l";
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let root = or_skip!(who.root_dir(), "{}", world::NO_BUSYBOX);
        let run = Run::root(who, &root)
            .words(["--cap-drop", "ALL"])
            .sh(script);
        let out = delegated.run(run).output().succeeds();
        assert!(!out.contains("changed") && !out.contains("made"), "{out}");
        let seen: u32 = out.trim().parse().unwrap();
        assert!(seen >= 1, "the host's cgroups are there: {out}");
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn many_at_once_do_not_take_each_other_s() {
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        let run = delegated.run(Run::new(who).sh("echo ran"));
        let all: Vec<_> = (0..12).map(|_| run.start()).collect();
        for started in all {
            assert_eq!(started.finish().succeeds(), "ran\n");
        }
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_place_where_none_can_be_is_named_with_the_reason() {
    for who in everybody() {
        let in_place = |parent: &str| {
            let run = Run::new(who).words(["--cgroup-parent", parent]);
            run.sh("echo ran").output()
        };
        in_place("/tmp").refuses(&["opening the cgroup /tmp", "version 2", "husk check"]);
        in_place("/no/such").refuses(&["opening the cgroup /no/such", "ENOENT"]);
        in_place("relative").refuses(&["--cgroup-parent", "absolute"]);
        let none = Run::new(who).words(["--memory", "64m"]).sh("echo ran");
        let none = none.with_mounts("mount -t tmpfs none /sys/fs/cgroup");
        if world::root().is_some() {
            none.output().refuses(&["finding a cgroup", "version 2"]);
        }
    }
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(world::root(), "{NOT_ROOT}");
    let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
    // Started outside of it, a process cannot be brought in.
    let run = Run::new(who)
        .words(["--cgroup-parent", delegated.text()])
        .sh("echo ran");
    run.output()
        .refuses(&["moving PID 1 to the cgroup husk-", "EACCES", "Delegate=yes"]);
    assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    let top = or_skip!(top(), "{NO_CGROUP}").to_str().unwrap();
    let run = Run::new(who).words(["--cgroup-parent", top]).sh("echo ran");
    run.output()
        .refuses(&["making a cgroup in", top, "EACCES", "Delegate=yes"]);
}

#[test]
fn a_controller_that_is_not_there_is_named() {
    let top = or_skip!(top(), "{NO_CGROUP}");
    let there = fs::read_to_string(top.join("cgroup.controllers")).unwrap();
    // Beside version 1 it is that which has them.
    let (remedy, row_says) = match top == Path::new("/sys/fs/cgroup") {
        true => ("delegate.conf", "does not hand"),
        false => ("unified_cgroup_hierarchy", "no controllers"),
    };
    let flags = [
        ("memory", "--memory", "64m"),
        ("pids", "--pids-limit", "9"),
        ("cpu", "--cpus", "1"),
        ("io", "--io-weight", "50"),
    ];
    for who in everybody() {
        let delegated = or_skip!(Delegated::to(who), "{NO_CGROUP}");
        for (controller, flag, value) in flags {
            if there.split_whitespace().any(|found| found == controller) {
                continue;
            }
            let run = Run::new(who).words([flag, value]).sh("echo ran");
            let step = format!(
                "handing down the controller {controller} in {}",
                delegated.text()
            );
            delegated
                .run(run)
                .output()
                .refuses(&[&step, "ENOENT", remedy]);
            let check = Run::husk(who).words(["check", flag, value]);
            let row = delegated.run(check).output().ends_with(1).stdout;
            let row = row
                .lines()
                .find(|line| line.contains("a cgroup of one's own"));
            assert!(row.unwrap().starts_with("! "), "{row:?}");
            assert!(row.unwrap().contains(row_says), "{row:?}");
        }
        assert_eq!(delegated.groups(), Vec::<PathBuf>::new());
    }
}

#[test]
fn unasked_no_cgroup_is_looked_at() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("calls");
        let log = dir.join("log");
        let run = Run::new(who).words(["--", "/bin/true"]);
        run.traced(&log, ["-f", "-b", "execve", "-s", "200"])
            .output()
            .succeeds();
        let log = fs::read_to_string(log).unwrap();
        for word in ["cgroup\"", "cgroup.", "flock(", "unshare("] {
            assert!(!log.contains(word), "{word}: {log}");
        }
    }
}
