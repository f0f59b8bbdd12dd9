//! What `[cgroup]` and its flags may say: amounts as docker and the kernel spell them, and what is wrong
//! with others.

use crate::husk::Run;
use crate::world::everybody;

#[test]
fn the_plan_shows_it() {
    for who in everybody() {
        let run = Run::new(who).words(["--dry-run", "--memory", "64m", "--memory-swap=96m"]);
        let run = run.words(["--cpus", "1.5", "--pids-limit", "-1", "--io-weight", "7"]);
        let out = run.clone().output().succeeds();
        for line in [
            "below husk's own",
            "memory.max=67108864",
            "memory.swap.max=33554432",
            "cpu.max=150000 100000",
            "pids.max=max",
            "io.weight=7",
        ] {
            let line = format!("cgroup: {line}");
            assert!(out.lines().any(|found| found == line), "no {line}: {out}");
        }
        let below = run
            .words(["--cgroup-parent", "/sys/fs/cgroup/x"])
            .output()
            .succeeds();
        assert!(
            below.contains("cgroup: below /sys/fs/cgroup/x\n"),
            "{below}"
        );
    }
}

#[test]
fn a_wrong_amount_is_refused_with_what_is_right() {
    for who in everybody() {
        for (words, fragments) in [
            (
                &["--memory", "64q"][..],
                &["--memory", "512m", "\"64q\""][..],
            ),
            (&["--memory", "-2"], &["512m", "\"-2\""]),
            (&["--pids-limit", "0"], &["from 1", "\"0\""]),
            (&["--cpus", "0.001"], &["0.01", "\"0.001\""]),
            (&["--cpus", "one"], &["1.5", "\"one\""]),
            (&["--cpu-weight", "0"], &["1 to 10000"]),
            (&["--io-weight", "10001"], &["1 to 10000"]),
            (&["--memory-swap", "1g"], &["--memory-swap", "`memory`"]),
            (
                &["--memory", "2g", "--memory-swap", "1g"],
                &["at least that"],
            ),
            (&["--memroy", "1g"], &["--memroy", "--memory"]),
        ] {
            Run::new(who)
                .words(words)
                .sh("echo ran")
                .output()
                .refuses(fragments);
        }
    }
}

#[cfg(feature = "toml")]
#[test]
fn the_file_has_it_and_flags_override_it() {
    for who in everybody() {
        let dir = who.dir("config");
        let text = "[cgroup]\nparent = \"/sys/fs/cgroup/x\"\nmemory = 1_000_000\nmemory_high = \"1k\"\n\
                    memory_swap = \"unlimited\"\npids_limit = 12\ncpus = 0.5\ncpu_weight = 3\nio_weight = 4\n";
        let run = Run::config(who, &dir, text).words(["--dry-run", "--cpus", "2"]);
        let out = run.output().succeeds();
        for line in [
            "below /sys/fs/cgroup/x",
            "memory.max=1000000",
            "memory.high=1024",
            "memory.swap.max=max",
            "pids.max=12",
            "cpu.max=200000 100000",
            "cpu.weight=3",
            "io.weight=4",
        ] {
            let line = format!("cgroup: {line}");
            assert!(out.lines().any(|found| found == line), "no {line}: {out}");
        }
    }
}

#[cfg(feature = "toml")]
#[test]
fn what_is_wrong_in_the_file_is_refused_at_its_place() {
    for who in everybody() {
        let dir = who.dir("config");
        for (text, place, fragments) in [
            ("[cgroup]\nmemroy = 1\n", "2:1", &["memroy", "memory"][..]),
            (
                "[cgroup]\nmemory = 1.5\n",
                "2:10",
                &["cgroup.memory", "1.5"],
            ),
            (
                "[cgroup]\nmemory = true\n",
                "2:10",
                &["cgroup.memory", "a number or a string"],
            ),
            ("[cgroup]\nmemory = -1\n", "2:10", &["cgroup.memory", "-1"]),
            (
                "[cgroup]\npids_limit = 0\n",
                "2:14",
                &["cgroup.pids_limit", "from 1"],
            ),
            ("[cgroup]\ncpus = 1e3\n", "2:8", &["cgroup.cpus", "1e3"]),
            ("[cgroup]\ncpus = 0\n", "2:8", &["cgroup.cpus", "0.01"]),
            (
                "[cgroup]\nmemory_swap = 5\n",
                "2:15",
                &["cgroup.memory_swap", "`memory`"],
            ),
            (
                "[cgroup]\nparent = \"x\"\n",
                "2:10",
                &["cgroup.parent", "absolute"],
            ),
            (
                "[cgroup]\nparent = 7\n",
                "2:10",
                &["cgroup.parent", "a string"],
            ),
            ("[cgroup]\n[cgroup]\n", "2:2", &["cgroup", "twice"]),
        ] {
            let line = Run::config(who, &dir, text)
                .sh("echo ran")
                .output()
                .refuses(fragments);
            assert!(
                line.contains(&format!("box.toml:{place}: ")),
                "not at {place}: {line}"
            );
        }
    }
}
