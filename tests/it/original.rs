//! The original tool's configuration file works as its users wrote it.

use crate::bootstrap::debian_or_skip;
use crate::husk::Run;
use crate::nothing_left::Before;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, everybody};
use std::path::Path;

/// As it is handed around, but for the path of the root and the ids.
fn configuration(own: u32, root: &Path, first: u32) -> String {
    include_str!("original.toml")
        .replace("/srv/roots/debian", root.to_str().unwrap())
        .replace("outside = 1000\n", &format!("outside = {own}\n"))
        .replace("outside = 100000\n", &format!("outside = {first}\n"))
        .replace(
            "outside = 101000\n",
            &format!("outside = {}\n", first + 1000),
        )
}

fn first_id(who: &Identity) -> Option<u32> {
    if who.is_root() {
        Some(100_000)
    } else {
        who.subordinate_ids().map(|(first, _)| first)
    }
}

const NO_IDS: &str = "the user has no ids in /etc/subuid and /etc/subgid";

/// Runs it on a root directory whose files are mostly the id `own`'s, and asks the kernel about each promise of the file.
fn holds_its_promises(who: &Identity, own: u32, root: &Dir, first: u32) {
    let before = Before::of(&[&root.join("etc"), &root.join("tmp")]);
    let config = who.dir("config");
    let mark = world::mark();
    let run = Run::config(who, &config, &configuration(own, root.path(), first));
    let script = format!(
        ": {mark}; id -u; id -g; pwd; hostname; echo processes /proc/[0-9]*; \
         cat /proc/self/uid_map; touch /tmp/file; echo; cat /proc/self/mountinfo"
    );
    let out = run.sh(&script).output().succeeds();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..4], ["0", "0", "/root", "devbox"], "{out}");
    assert_eq!(lines[4], "processes /proc/1 /proc/2", "{out}");
    let map: Vec<Vec<&str>> = lines[5..8]
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let (own, second) = (own.to_string(), (first + 1000).to_string());
    let expected = [
        ["0", &first.to_string(), "1000"],
        ["1000", &own, "1"],
        ["2000", &second, "1000"],
    ];
    assert_eq!(map, expected);
    has_the_mounts_of_the_file(&lines[9..]);
    before.is_as_after(&mark);
}

fn has_the_mounts_of_the_file(lines: &[&str]) {
    let mount = |place: &str| -> Vec<&str> {
        let found = lines
            .iter()
            .rev()
            .find(|line| line.split(' ').nth(4) == Some(place));
        found
            .unwrap_or_else(|| panic!("no mount on {place}: {lines:#?}"))
            .split(' ')
            .collect()
    };
    for (place, kind) in [
        ("/sys", "sysfs"),
        ("/dev", "devtmpfs"),
        ("/proc", "proc"),
        ("/tmp", "tmpfs"),
    ] {
        let fields = mount(place);
        let dash = fields.iter().position(|field| *field == "-").unwrap();
        if place != "/dev" {
            assert_eq!(fields[dash + 1], kind, "{place}");
        }
    }
    for flag in ["nosuid", "nodev", "noexec"] {
        assert!(
            mount("/proc")[5].split(',').any(|found| found == flag),
            "{:?}",
            mount("/proc")
        );
    }
    // "/" is the new root, and nothing of the old one can be reached.
    let outside = |line: &&str| {
        !["/", "/sys", "/dev", "/proc", "/tmp"].iter().any(|place| {
            let at = line.split(' ').nth(4).unwrap();
            at == *place || at.starts_with(&format!("{place}/"))
        })
    };
    let others: Vec<&&str> = lines
        .iter()
        .filter(|line| !line.is_empty())
        .filter(|line| outside(line))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn in_a_small_root() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let first = or_skip!(first_id(who), "{NO_IDS}");
        holds_its_promises(who, who.uid, &root, first);
    }
}

#[test]
fn in_a_root_made_by_mmdebstrap() {
    let debian = debian_or_skip!();
    for who in everybody() {
        let first = or_skip!(first_id(who), "{NO_IDS}");
        holds_its_promises(who, debian.maker.uid, &debian.root, first);
    }
}

#[test]
fn a_target_outside_of_chroot_dir_is_mounted_for_nobody_to_see() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let first = or_skip!(first_id(who), "{NO_IDS}");
        let elsewhere = who.dir("elsewhere");
        let before = Before::of(&[elsewhere.path()]);
        let text = configuration(who.uid, root.path(), first);
        let text = text.replace(&format!("{}/tmp", root.text()), elsewhere.text());
        let config = who.dir("config");
        let run = Run::config(who, &config, &text);
        run.sh("echo x >/tmp/x").output().ends_with(0);
        before.is_as_after("nobody-has-this-mark");
    }
}
