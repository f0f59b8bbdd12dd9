//! `fake_chown`: a change of owner is made where the ids are mapped, and said to be made elsewhere.

use crate::bootstrap;
use crate::husk::Run;
use crate::world::{self, Identity, NOT_ROOT, everybody, tool};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

const CALLS: [&str; 4] = ["chown", "fchown", "lchown", "fchownat"];

/// What `helper chown` says of one pair of ids by each call.
fn answers(pair: &str, answer: &str, owners: &str) -> String {
    CALLS
        .map(|call| format!("{call} {pair} {answer} {owners}\n"))
        .concat()
}

fn helper(run: Run, words: &[&str]) -> Run {
    run.words(["--", world::helper().to_str().unwrap(), "chown"])
        .words(words)
}

#[test]
fn one_id_is_all_there_is_and_every_change_succeeds() {
    for who in everybody() {
        let dir = who.dir("owned");
        let file = dir.join("file");
        who.write(&file, "", 0o644);
        let pairs = [
            "0:0",
            "0:-1",
            "-1:0",
            "-1:-1",
            "1:0",
            "0:1",
            "42:42",
            "-1:42",
            "4294967294:0",
        ];
        let words = [&[file.to_str().unwrap()][..], &pairs].concat();
        let plain = Run::new(who).words(["--id-map", "root", "--unshare-user"]);
        let out = helper(plain.clone().word("--fake-chown"), &words)
            .output()
            .succeeds();
        let expected = pairs.map(|pair| answers(pair, "ok", "0:0")).concat();
        assert_eq!(out, expected);
        let out = helper(plain, &words).output().succeeds();
        let expected = pairs.map(|pair| {
            let mapped = pair.split(':').all(|id| matches!(id, "0" | "-1"));
            answers(pair, if mapped { "ok" } else { "errno 22" }, "0:0")
        });
        assert_eq!(out, expected.concat());
        let found = fs::metadata(&file).unwrap();
        assert_eq!((found.uid(), found.gid()), (who.uid, who.gid));
    }
}

#[test]
fn ids_that_are_mapped_are_really_given() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let dir = who.dir("owned");
    let file = dir.join("file");
    who.write(&file, "", 0o644);
    let mut run = Run::new(who).words(["--unshare-user", "--fake-chown"]);
    for (map, shift) in [("--uid-map", 0), ("--gid-map", 50)] {
        for line in [
            ["0", "0", "1"],
            ["10", "1000", "5"],
            ["4294967290", "3000", "5"],
        ] {
            let first = line[0].parse::<u32>().unwrap();
            let moved = if first == 10 { first + shift } else { first };
            run = run.words([map, &moved.to_string(), line[1], line[2]]);
        }
    }
    // The first and the last of a range, its neighbours, and one of each kind together.
    let pairs = [
        ("10:60", "10:60"),
        ("14:64", "14:64"),
        ("15:64", "14:64"),
        ("9:60", "14:64"),
        ("14:65", "14:64"),
        ("14:59", "14:64"),
        ("-1:61", "14:61"),
        ("11:-1", "11:61"),
        ("4294967294:4294967290", "4294967294:4294967290"),
        ("4294967289:60", "4294967294:4294967290"),
        ("0:0", "0:0"),
    ];
    let words = pairs.map(|(pair, _)| pair);
    let words = [&[file.to_str().unwrap()][..], &words].concat();
    let out = helper(run, &words).output().succeeds();
    let expected = pairs.map(|(pair, owners)| answers(pair, "ok", owners));
    assert_eq!(out, expected.concat());
}

#[test]
fn a_change_that_was_not_for_lack_of_a_mapping_fails_as_ever() {
    for who in everybody() {
        let dir = who.dir("owned");
        who.write(&dir.join("file"), "", 0o644);
        let file = dir.join("file");
        let run = Run::new(who)
            .words(["--id-map", "root", "--unshare-user", "--fake-chown"])
            .words(["--ro-bind", dir.text(), dir.text()]);
        let words = [file.to_str().unwrap(), "0:0", "42:42"];
        let expected = answers("0:0", "errno 30", "0:0") + &answers("42:42", "ok", "0:0");
        assert_eq!(helper(run, &words).output().succeeds(), expected);
    }
}

#[test]
fn a_container_within_has_its_own_ids() {
    for who in everybody() {
        let husk = world::husk().to_str().unwrap();
        let run = Run::new(who).words(["--id-map", "root", "--unshare-user", "--fake-chown"]);
        let run = run.words(["--mask", "none", "--"]).words([
            husk,
            "run",
            "--",
            "/bin/sh",
            "-c",
            "id -u; tr -s ' ' </proc/self/uid_map",
        ]);
        assert_eq!(run.output().succeeds(), "0\n 0 0 1\n");
    }
}

/// Makes a Debian with one id, as somebody who needs no other and no helper.
fn bootstrapped(who: &Identity, suite: &str, mirror: &str) {
    let root = who.dir("debian");
    let run = Run::new(who)
        .words(["--id-map", "root", "--unshare-user", "--fake-chown"])
        .words([
            "--setenv",
            "container",
            "lxc",
            "--setenv",
            "PATH",
            world::PATH,
            "--",
        ])
        .words([
            "debootstrap",
            "--variant=minbase",
            suite,
            root.text(),
            mirror,
        ])
        .limit(Duration::from_secs(600));
    run.output().ends_with(0);
    let owner = |name: &str| fs::symlink_metadata(root.join(name)).unwrap().uid();
    for name in [
        "usr/bin/dpkg",
        "etc/shadow",
        "var/cache/apt/archives/partial",
    ] {
        assert_eq!(owner(name), who.uid, "{name}");
    }
    let inside = Run::root(who, &root).words(["--id-map", "root", "--fake-chown"]);
    let inside = inside.words(["--setenv", "PATH", world::PATH]);
    let check = "dpkg --audit && dpkg -l | grep -c ^ii && touch /x && chown nobody:nogroup /x && \
                 stat -c %u:%g /x";
    let out = inside.sh(check).output().succeeds();
    let (count, owners) = out.split_once('\n').unwrap();
    assert!(count.parse::<u32>().unwrap() > 50, "{out}");
    assert_eq!(owners, "0:0\n");
    drop(fs::remove_dir_all(root.path()));
}

#[test]
fn debootstrap_makes_a_debian_with_one_id() {
    if bootstrap::unwanted() {
        return;
    }
    or_skip!(
        tool("debootstrap"),
        "no debootstrap(8): apt install debootstrap"
    );
    let who = everybody().last().unwrap();
    let (suite, mirror) = or_skip!(
        bootstrap::suite_and_mirror(),
        "no Debian mirror in /etc/apt"
    );
    bootstrapped(who, &suite, &mirror);
}
