//! Ids: what the kernel's uid_map, gid_map and setgroups hold, and who owns what.

use crate::husk::Run;
use crate::processes::Container;
use crate::world::{self, Identity, NO_BUSYBOX, everybody, tool};

/// Starts a command that stays, and reads its maps from the outside.
fn maps(run: Run) -> Maps {
    let started = run.sh("echo ready; exec sleep 20").start();
    started.wait_for("ready");
    let container = Container::of(started.pid());
    Maps {
        uid: squeezed(&container.proc("uid_map")),
        gid: squeezed(&container.proc("gid_map")),
        setgroups: container.proc("setgroups").trim().to_owned(),
    }
}

struct Maps {
    uid: Vec<String>,
    gid: Vec<String>,
    setgroups: String,
}

fn squeezed(text: &str) -> Vec<String> {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect()
}

#[test]
fn root_inside_is_the_caller_and_nobody_else_exists() {
    for who in everybody() {
        let maps = maps(Run::new(who).words(["--unshare-user", "--id-map", "root"]));
        assert_eq!(maps.uid, [format!("0 {} 1", who.uid)]);
        assert_eq!(maps.gid, [format!("0 {} 1", who.gid)]);
        assert_eq!(maps.setgroups, "deny", "{}", who.name);
    }
}

#[test]
fn what_belongs_to_subordinate_ids_is_removed_from_inside() {
    let Some(who) = world::user().filter(|who| who.subordinate_ids().is_some()) else {
        return crate::skip::skipped("nobody with ids in /etc/subuid and /etc/subgid");
    };
    let dir = who.dir("theirs");
    let root = dir.join("root");
    let root = root.to_str().unwrap();
    let script = format!("mkdir -p {root}/etc/deep; chmod 700 {root}/etc; chown -R 5:5 {root}/etc");
    Run::new(who).sh(&script).output().succeeds();
    let remove = ["rm", "-rf", root];
    // Not even a look into it is allowed outside.
    let outside = Run::program(who, std::path::Path::new("/usr/bin/env")).words(remove);
    assert!(!outside.output().status.success());
    Run::new(who).word("--").words(remove).output().succeeds();
    assert!(!std::fs::exists(root).unwrap());
}

#[test]
fn a_range_is_split_where_the_callers_own_map_is() {
    for who in everybody() {
        let Some((first, _)) = who
            .subordinate_ids()
            .or(who.is_root().then_some((100_000, 1)))
        else {
            return crate::skip::skipped("the user has no ids in /etc/subuid and /etc/subgid");
        };
        let (uid, gid, first) = (who.uid.to_string(), who.gid.to_string(), first.to_string());
        let husk = world::husk().to_str().unwrap();
        let run = Run::new(who)
            .words([
                "--uid-map",
                "0",
                &uid,
                "1",
                "--uid-map",
                "1",
                &first,
                "5000",
            ])
            .words([
                "--gid-map",
                "0",
                &gid,
                "1",
                "--gid-map",
                "1",
                &first,
                "5000",
            ])
            .words(["--mask", "none", "--", husk, "run"]);
        // The kernel takes no line that reaches from one line of its parent's into another.
        let run = run.words(["--uid-map", "0", "0", "3000", "--gid-map", "7", "0", "3000"]);
        let run = run.words(["--gid", "7"]);
        let maps = "tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map";
        let out = run.sh(maps).output().succeeds();
        assert_eq!(out, " 0 0 1\n 1 1 2999\n 7 0 1\n 8 1 2999\n");
    }
}

#[test]
fn the_caller_can_keep_its_ids() {
    for who in everybody() {
        let run = Run::new(who).words(["--unshare-user", "--id-map", "self"]);
        let maps = maps(run.clone());
        assert_eq!(maps.uid, [format!("{0} {0} 1", who.uid)]);
        assert_eq!(maps.gid, [format!("{0} {0} 1", who.gid)]);
        let id = run.sh("id -u; id -g").output().succeeds();
        assert_eq!(id, format!("{}\n{}\n", who.uid, who.gid));
    }
}

#[test]
fn by_default_subordinate_ids_follow_the_caller_as_root() {
    for who in everybody().iter().filter(|who| !who.is_root()) {
        let (first, count) = or_skip!(who.subordinate_ids(), "{}", no_ids(who));
        for run in [Run::new(who), Run::new(who).words(["--id-map", "auto"])] {
            let maps = maps(run);
            assert_eq!(
                maps.uid,
                [format!("0 {} 1", who.uid), format!("1 {first} {count}")]
            );
            assert_eq!(
                maps.gid,
                [format!("0 {} 1", who.gid), format!("1 {first} {count}")]
            );
            assert_eq!(maps.setgroups, "allow");
        }
    }
}

fn no_ids(who: &Identity) -> String {
    format!(
        "{} has no ids in /etc/subuid and /etc/subgid: usermod --add-subuids",
        who.name
    )
}

#[test]
fn without_subordinate_ids_root_is_the_caller_alone() {
    let _root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let nobody = Identity {
        name: "nobody".to_owned(),
        uid: 65534,
        gid: 65534,
    };
    let maps = maps(Run::new(&nobody));
    assert_eq!(maps.uid, ["0 65534 1"]);
    assert_eq!(maps.setgroups, "deny");
    // Who never had any misses none; who asks for them is told.
    let silent = Run::new(&nobody).sh("true").output().ends_with(0);
    assert_eq!(silent.stderr, "");
    let asked = Run::new(&nobody).words(["--id-map", "auto"]).sh("true");
    let told = asked.output().ends_with(0);
    told.says(&[
        "husk: doing without your subordinate ids",
        "usermod --add-subuids",
    ]);
}

#[test]
fn a_husk_that_may_be_run_and_not_read_writes_its_map() {
    let root = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let who = or_skip!(world::user(), "{}", world::no_user());
    let dir = root.dir("unreadable");
    world::open_to_all(&dir);
    let file = dir.join("husk");
    world::copy_program(world::husk(), &file);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let run = Run::program(who, &file).words(["run", "--id-map", "root"]);
    assert_eq!(run.sh("id -u").output().succeeds(), "0\n");
}

#[test]
fn one_id_needs_no_helper() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("one");
        let flags = one_flags(who);
        let run = Run::new(who).words(&flags);
        let maps = maps(run.clone());
        assert_eq!(maps.uid, [format!("0 {} 1", who.uid)]);
        assert_eq!(maps.gid, [format!("0 {} 1", who.gid)]);
        let log = dir.join("log");
        let traced = run.sh("id -u").traced(&log, ["-f", "-e", "trace=execve"]);
        assert_eq!(traced.output().succeeds(), "0\n");
        let log = std::fs::read_to_string(log).unwrap();
        assert!(
            !log.contains("newuidmap") && !log.contains("newgidmap"),
            "{log}"
        );
    }
}

fn one_flags(who: &Identity) -> Vec<String> {
    let (uid, gid) = (who.uid.to_string(), who.gid.to_string());
    let words = [
        "--unshare-user",
        "--uid-map",
        "0",
        &uid,
        "1",
        "--gid-map",
        "0",
        &gid,
        "1",
    ];
    words.map(str::to_owned).to_vec()
}

/// The map flags of these lines, the same for users and groups.
fn flags(lines: &[(u32, u32, u32)]) -> Vec<String> {
    let mut words = vec!["--unshare-user".to_owned()];
    for flag in ["--uid-map", "--gid-map"] {
        for (inside, outside, count) in lines {
            words.push(flag.to_owned());
            words.extend([inside, outside, count].map(u32::to_string));
        }
    }
    words
}

#[test]
fn a_range_makes_root_inside_the_first_of_its_ids() {
    for who in everybody() {
        let (first, count) = or_skip!(ids(who), "{}", no_ids(who));
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let shared = who.dir("shared");
        world::open_to_all(&shared);
        let lines = [(0, first, count.min(65536))];
        let run = Run::root(who, &root).words(flags(&lines));
        assert_eq!(
            maps(run.clone()).uid,
            [format!("0 {first} {}", count.min(65536))]
        );
        let run = run.words(["--bind", shared.text(), "/data"]);
        run.sh("touch /data/file && id -u").output().ends_with(0);
        assert_eq!(owner(&shared.join("file")), (first, first));
    }
}

#[test]
fn three_ranges_each_own_their_files() {
    for who in everybody() {
        let (first, _) = or_skip!(
            ids(who).filter(|(_, count)| *count >= 2000),
            "{}",
            no_ids(who)
        );
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let shared = who.dir("shared");
        world::open_to_all(&shared);
        let lines = [
            (0, first, 1000),
            (1000, who.uid, 1),
            (2000, first + 1000, 1000),
        ];
        let run = Run::root(who, &root).words(flags(&lines));
        let expected = lines.map(|(inside, outside, count)| format!("{inside} {outside} {count}"));
        let maps = maps(run.clone());
        assert_eq!(maps.uid, expected);
        assert_eq!(maps.gid, expected);
        assert_eq!(maps.setgroups, "allow");
        let script = "cd /data && touch a b c && chown 0:0 a && chown 1000:1000 b && \
                      chown 2999:2999 c && stat -c %u a b c";
        let run = run.words(["--bind", shared.text(), "/data"]);
        assert_eq!(run.sh(script).output().succeeds(), "0\n1000\n2999\n");
        assert_eq!(owner(&shared.join("a")), (first, first));
        assert_eq!(owner(&shared.join("b")), (who.uid, who.uid));
        assert_eq!(owner(&shared.join("c")), (first + 1999, first + 1999));
    }
}

/// Root may map whatever it likes.
fn ids(who: &Identity) -> Option<(u32, u32)> {
    if who.is_root() {
        Some((100_000, 65536))
    } else {
        who.subordinate_ids()
    }
}

fn owner(path: &std::path::Path) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).unwrap();
    (data.uid(), data.gid())
}

#[test]
fn the_command_can_be_any_id_that_is_mapped() {
    for who in everybody() {
        let (first, _) = or_skip!(ids(who), "{}", no_ids(who));
        let lines = [(0, first, 1000), (1000, who.uid, 1)];
        let run = Run::new(who)
            .words(flags(&lines))
            .words(["--uid", "1000", "--gid", "1000"]);
        let script =
            "id -u; id -g; grep -E '^(Uid|Gid|CapEff)' /proc/self/status | tr -s '\\t' ' '";
        assert_eq!(
            run.sh(script).output().succeeds(),
            "1000\n1000\nUid: 1000 1000 1000 1000\nGid: 1000 1000 1000 1000\n\
             CapEff: 0000000000000000\n"
        );
    }
}
