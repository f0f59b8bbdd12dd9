//! newuidmap and newgidmap: when they are used, and what is said when they fail.

use crate::husk::Run;
use crate::world::{self, Dir, Identity, NOT_ROOT, tool};
use std::fs;

const NO_HELPERS: &str = "no newuidmap(1) and newgidmap(1): apt install uidmap";
const NO_IDS: &str = "the user has no ids in /etc/subuid and /etc/subgid";

/// A directory with a newuidmap and a newgidmap that are scripts.
fn wrappers(who: &Identity, script: &str) -> Dir {
    let dir = who.dir("wrappers");
    for name in ["newuidmap", "newgidmap"] {
        let real = tool(name).unwrap_or_default();
        let text = script
            .replace("REAL", real.to_str().unwrap())
            .replace("NAME", name)
            .replace("DIR", dir.text());
        who.write(&dir.join(name), &format!("#!/bin/sh\n{text}\n"), 0o755);
    }
    dir
}

fn with_path(who: &Identity, dir: &Dir) -> Run {
    Run::new(who).variable("PATH", format!("{}:{}", dir.text(), world::PATH))
}

#[test]
fn both_are_run_with_every_range() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(tool("newuidmap").and(tool("newgidmap")), "{NO_HELPERS}");
    let (first, _) = or_skip!(who.subordinate_ids(), "{NO_IDS}");
    let dir = wrappers(
        who,
        "echo \"$@\" >DIR/NAME.log; env >DIR/NAME.env; exec REAL \"$@\"",
    );
    let map = ["0", &first.to_string(), "1000"].map(str::to_owned);
    let own = ["1000", &who.uid.to_string(), "1"].map(str::to_owned);
    let last = ["2000", &(first + 1000).to_string(), "1000"].map(str::to_owned);
    let mut run = with_path(who, &dir);
    for flag in ["--uid-map", "--gid-map"] {
        for line in [&map, &own, &last] {
            run = run.word(flag).words(line);
        }
    }
    assert_eq!(
        run.variable("SECRET", "x").sh("id -u").output().succeeds(),
        "0\n"
    );
    let ranges = [map, own, last].concat().join(" ");
    for name in ["newuidmap", "newgidmap"] {
        let words = fs::read_to_string(dir.join(&format!("{name}.log"))).unwrap();
        let (pid, rest) = words.trim().split_once(' ').unwrap();
        assert!(pid.parse::<u32>().is_ok(), "{words}");
        assert_eq!(rest, ranges);
        let env = fs::read_to_string(dir.join(&format!("{name}.env"))).unwrap();
        assert!(
            !env.contains("SECRET"),
            "the helper gets no environment of the caller's: {env}"
        );
    }
}

#[test]
fn they_get_nothing_of_the_environment() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(tool("newuidmap"), "{NO_HELPERS}");
    or_skip!(who.subordinate_ids(), "{NO_IDS}");
    let script = "tr '\\0' '\\n' </proc/$$/environ >DIR/NAME.env; exec REAL \"$@\"";
    let dir = wrappers(who, script);
    let run = with_path(who, &dir).variable("LD_PRELOAD", "/nowhere/evil.so");
    let run = run
        .variable("BASH_ENV", "/nowhere/evil.sh")
        .words(["--id-map", "auto"]);
    run.words(["--unsetenv", "LD_PRELOAD"])
        .sh("true")
        .output()
        .succeeds();
    for name in ["newuidmap", "newgidmap"] {
        let found = fs::read_to_string(dir.join(&format!("{name}.env"))).unwrap();
        assert_eq!(found, "", "{name}");
    }
}

#[test]
fn both_are_started_at_once() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(tool("newuidmap").and(tool("newgidmap")), "{NO_HELPERS}");
    or_skip!(who.subordinate_ids(), "{NO_IDS}");
    // Each waits for the other: one after the other, the first would wait in vain.
    let dir = wrappers(
        who,
        "echo >DIR/NAME.up; n=0; until [ -e DIR/newuidmap.up ] && [ -e DIR/newgidmap.up ]; do \
         n=$((n + 1)); [ $n -lt 200 ] || exit 9; sleep 0.05; done; exec REAL \"$@\"",
    );
    let run = with_path(who, &dir).words(["--id-map", "auto"]);
    assert_eq!(run.sh("id -u").output().succeeds(), "0\n");
}

#[test]
fn they_are_found_although_path_has_none_and_never_in_a_relative_directory() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(tool("newuidmap").and(tool("newgidmap")), "{NO_HELPERS}");
    let (first, _) = or_skip!(who.subordinate_ids(), "{NO_IDS}");
    let dir = wrappers(who, "exit 9");
    let run = Run::new(who).variable("PATH", ".").within(dir.path());
    let run = run.words(["--uid-map", "0", &first.to_string(), "9"]);
    let run = run.words(["--gid-map", "0", &first.to_string(), "9"]);
    assert_eq!(run.sh("echo mapped").output().succeeds(), "mapped\n");
}

#[test]
fn root_writes_every_map_without_them() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let dir = wrappers(who, "echo called >DIR/called; exit 1");
    let mut run = with_path(who, &dir).word("--unshare-user");
    for flag in ["--uid-map", "--gid-map"] {
        run = run.words([
            flag, "0", "100000", "10", flag, "10", "0", "1", flag, "20", "200000", "9",
        ]);
    }
    let out = run
        .sh("tr -s ' ' </proc/self/uid_map; cat /proc/self/setgroups")
        .output();
    assert_eq!(
        out.succeeds(),
        " 0 100000 10\n 10 0 1\n 20 200000 9\nallow\n"
    );
    assert!(!dir.join("called").exists());
}

#[test]
fn a_map_of_340_lines_is_written_and_one_more_is_refused() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let lines = |count: u32| {
        let mut words = vec!["--unshare-user".to_owned()];
        for flag in ["--uid-map", "--gid-map"] {
            for id in 0..count {
                words.push(flag.to_owned());
                // Not adjacent, lest they be merged.
                words.extend([(2 * id).to_string(), (2 * id).to_string(), "1".to_owned()]);
            }
        }
        words
    };
    let count = "wc -l </proc/self/uid_map; wc -l </proc/self/gid_map";
    let out = Run::new(who)
        .words(lines(340))
        .sh(count)
        .output()
        .succeeds();
    assert_eq!(out, "340\n340\n");
    Run::new(who)
        .words(lines(341))
        .sh(count)
        .output()
        .refuses(&["340"]);
}

#[test]
fn a_map_longer_than_a_page_is_refused_and_not_cut() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let mut run = Run::new(who).word("--unshare-user");
    for flag in ["--uid-map", "--gid-map"] {
        for id in 0..200_u32 {
            let id = (2_000_000_000 + 2 * id).to_string();
            run = run.words([flag, &id, &id, "1"]);
        }
    }
    run.sh("true").output().refuses(&["uid"]);
}

#[test]
fn the_words_of_a_helper_that_fails_are_shown() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(who.subordinate_ids(), "{NO_IDS}");
    let dir = wrappers(who, "echo 'the moon is wrong' >&2; exit 3");
    let run = with_path(who, &dir).words(["--id-map", "auto"]);
    run.sh("true")
        .output()
        .refuses(&["newuidmap", "the moon is wrong"]);
    // Only one of both fails.
    let dir = wrappers(
        who,
        "test NAME = newuidmap && exec REAL \"$@\"; echo 'no stars' >&2; exit 3",
    );
    let run = with_path(who, &dir).words(["--id-map", "auto"]);
    run.sh("true").output().refuses(&["newgidmap", "no stars"]);
}

#[test]
fn a_helper_that_is_killed_or_silent_is_named() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(who.subordinate_ids(), "{NO_IDS}");
    for script in ["kill -KILL $$", "exit 1"] {
        let dir = wrappers(who, script);
        let run = with_path(who, &dir).words(["--id-map", "auto"]);
        run.sh("true").output().refuses(&["new", "idmap"]);
    }
}

#[test]
fn a_range_that_is_not_the_caller_s_is_refused_in_the_helper_s_words() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(tool("newuidmap"), "{NO_HELPERS}");
    let mut run = Run::new(who);
    for flag in ["--uid-map", "--gid-map"] {
        run = run.words([flag, "0", "4000000", "5"]);
    }
    run.sh("true")
        .output()
        .refuses(&["newuidmap", "not allowed", "/etc/subuid"]);
}

#[test]
fn a_missing_helper_is_named_where_a_map_needs_it() {
    let _root = or_skip!(world::root(), "{NOT_ROOT}");
    let who = or_skip!(world::user(), "{}", world::no_user());
    let (first, _) = or_skip!(who.subordinate_ids(), "{NO_IDS}");
    let first = first.to_string();
    let hidden = Hidden::new(who);
    let mut run = Run::new(who).with_mounts(&hidden.script);
    for flag in ["--uid-map", "--gid-map"] {
        run = run.words([flag, "0", &first, "5"]);
    }
    run.sh("true").output().refuses(&["newuidmap", "uidmap"]);
    // By default it is no error: root is the caller alone.
    let auto = Run::new(who).with_mounts(&hidden.script);
    let out = auto.sh("tr -s ' ' </proc/self/uid_map").output();
    assert_eq!(out.ends_with(0).stdout, format!(" 0 {} 1\n", who.uid));
}

/// A script that hides the helpers behind whiteouts (overlayfs), in a private mount namespace.
struct Hidden {
    script: String,
    _dir: Dir,
}

impl Hidden {
    fn new(who: &Identity) -> Self {
        let dir = who.dir("hidden");
        let mut script = format!("cd {}\n", dir.text());
        for helper in ["newuidmap", "newgidmap"]
            .iter()
            .filter_map(|name| tool(name))
        {
            let place = helper.parent().unwrap().canonicalize().unwrap();
            let name = helper.file_name().unwrap().display();
            script += &format!(
                "mkdir -p {name}.up {name}.work\n\
                 test -e {name}.up/{name} || mknod {name}.up/{name} c 0 0\n\
                 mount -t overlay -o lowerdir={0},upperdir=$PWD/{name}.up,workdir=$PWD/{name}.work \
                 overlay {0}\n",
                place.display()
            );
        }
        script += "cd /\n";
        Self { script, _dir: dir }
    }
}
