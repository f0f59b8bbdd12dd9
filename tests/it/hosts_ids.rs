//! Hosts on which newuidmap(1) cannot do its work, and why: by default the container does without the
//! caller's subordinate ids, and says so; where they were asked for it is an error.

use crate::husk::Run;
use crate::world::{self, Dir, Identity, NOT_ROOT, tool};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

const NO_HELPERS: &str = "no newuidmap(1) and newgidmap(1): apt install uidmap";
const NO_IDS: &str = "the user has no ids in /etc/subuid and /etc/subgid";
const NO_SETCAP: &str = "no setcap(8): apt install libcap2-bin";

/// Somebody with ids, on a machine whose files root can cover.
fn somebody() -> Result<(&'static Identity, (u32, u32)), String> {
    world::root().ok_or(NOT_ROOT)?;
    let who = world::user().ok_or_else(world::no_user)?;
    tool("newuidmap").and(tool("newgidmap")).ok_or(NO_HELPERS)?;
    Ok((who, who.subordinate_ids().ok_or(NO_IDS)?))
}

macro_rules! somebody_or_skip {
    () => {
        match somebody() {
            Ok(found) => found,
            Err(reason) => skip!("{reason}"),
        }
    };
}

const MAPS: &str = "tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map";

/// What `MAPS` prints with these ranges.
fn maps(who: &Identity, ranges: &[(u32, u32)]) -> String {
    let map = |own: u32| {
        let mut next = 1;
        let lines = ranges.iter().map(|(first, count)| {
            let line = format!(" {next} {first} {count}\n");
            next += count;
            line
        });
        format!(" 0 {own} 1\n{}", lines.collect::<String>())
    };
    map(who.uid) + &map(who.gid)
}

/// Both runs with this done before them: by default with a warning that ends in the cause, and with an
/// error where the ids were asked for.
fn does_without(who: &Identity, before: impl Fn(Run) -> Run, said: &str, cause: &str) {
    let outcome = before(Run::new(who)).sh(MAPS).output().ends_with(0);
    assert_eq!(outcome.stdout, maps(who, &[]), "{outcome}");
    let line = outcome.says(&[said]);
    let start = "husk: doing without your subordinate ids: ";
    assert!(line.starts_with(start), "{line}");
    assert!(
        line.ends_with(&format!(": {cause} (more: husk check)\n")),
        "{line}"
    );
    let asked = before(Run::new(who).words(["--id-map", "auto"])).sh(MAPS);
    let line = asked.output().refuses(&[said]);
    assert!(
        line.starts_with("husk: the id map was refused by "),
        "{line}"
    );
    assert!(
        line.ends_with(&format!(": {cause} (more: husk check)\n")),
        "{line}"
    );
}

/// What newuidmap(1) says of six different things.
const NOT_PERMITTED: &str = "newuidmap: write to uid_map failed: Operation not permitted";

const NO_NEW_PRIVS: &str = "no_new_privs is set, so that newuidmap has no rights: start husk without \
                            it (Kubernetes: allowPrivilegeEscalation: true), or --id-map root";

/// Lays other copies of the helpers over them, after this was done to each.
fn copies(dir: &Dir, done: &str) -> String {
    let mut script = String::new();
    for (name, capability) in [("newuidmap", "cap_setuid"), ("newgidmap", "cap_setgid")] {
        let real = tool(name).unwrap().canonicalize().unwrap();
        let (real, copy) = (real.to_str().unwrap(), dir.join(name));
        let copy = copy.to_str().unwrap();
        let done = done.replace("COPY", copy).replace("CAPABILITY", capability);
        script +=
            &format!("cp {real} {copy}; chmod 755 {copy}\n{done}\nmount --bind {copy} {real}\n");
    }
    script
}

#[test]
fn no_new_privs_is_named() {
    let (who, _) = somebody_or_skip!();
    let before = |run: Run| run.on_host(["--no-new-privs"]);
    does_without(who, before, NOT_PERMITTED, NO_NEW_PRIVS);
}

#[test]
fn being_traced_is_named() {
    let (who, _) = somebody_or_skip!();
    or_skip!(tool("strace"), "no strace(1)");
    let (uid, gid) = (who.uid.to_string(), who.gid.to_string());
    // By the user itself: what root traces keeps its rights.
    let strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=none"];
    let before = |run: Run| {
        let run = run.through(strace);
        run.through([
            "setpriv",
            "--reuid",
            &uid,
            "--regid",
            &gid,
            "--clear-groups",
        ])
        .started_by_root()
    };
    let cause = "husk is being traced, so that newuidmap has no rights: trace as root (strace -u \
                 USER), or --id-map root";
    does_without(who, before, NOT_PERMITTED, cause);
}

#[test]
fn a_bounding_set_without_the_capabilities_is_named() {
    let (who, _) = somebody_or_skip!();
    let (uid, gid) = (who.uid.to_string(), who.gid.to_string());
    let without = |run: Run| {
        let words = [
            "setpriv",
            "--reuid",
            &uid,
            "--regid",
            &gid,
            "--clear-groups",
        ];
        run.through(words.into_iter().chain(["--bounding-set=-setuid,-setgid"]))
            .started_by_root()
    };
    let cause = "CAP_SETUID or CAP_SETGID is not in the bounding set: Kubernetes: capabilities: {add: \
                 [SETUID, SETGID]}, or --id-map root";
    does_without(who, without, NOT_PERMITTED, cause);
    // One with file capabilities is not even started.
    or_skip!(tool("setcap"), "{NO_SETCAP}");
    let dir = who.dir("copies");
    let script = copies(&dir, "setcap CAPABILITY=ep COPY");
    let before = |run: Run| without(run).with_mounts_as_root(&script);
    let outcome = before(Run::new(who)).sh(MAPS).output().ends_with(0);
    assert_eq!(outcome.stdout, maps(who, &[]));
    let line = outcome.says(&["newuidmap: EPERM"]);
    assert!(
        line.ends_with(&format!(": {cause} (more: husk check)\n")),
        "{line}"
    );
    let asked = before(Run::new(who).words(["--id-map", "auto"])).sh(MAPS);
    let line = asked.output().refuses(&["running ", "newuidmap: EPERM"]);
    assert!(
        line.ends_with(&format!(": {cause} (more: husk check)\n")),
        "{line}"
    );
}

#[test]
fn a_helper_whose_owner_is_not_mapped_is_named() {
    let (who, _) = somebody_or_skip!();
    or_skip!(tool("unshare"), "no unshare(1)");
    let before = |run: Run| run.through(["unshare", "-U", "--map-current-user"]);
    let cause = "newuidmap belongs to a user who is not mapped here: use the image's own copy, or \
                 --id-map root";
    does_without(who, before, "newuidmap", cause);
}

#[test]
fn a_helper_without_its_bits_is_named() {
    let (who, _) = somebody_or_skip!();
    let dir = who.dir("copies");
    let script = copies(&dir, "");
    let cause = "newuidmap has lost its set-user-ID bit: sudo chmod u+s /usr/bin/newuidmap \
                 /usr/bin/newgidmap (Fedora, CentOS: sudo rpm --setcaps shadow-utils)";
    does_without(who, |run| run.with_mounts(&script), NOT_PERMITTED, cause);
}

#[test]
fn where_one_helper_has_no_rights_the_other_map_is_whole() {
    let (who, (first, count)) = somebody_or_skip!();
    let dir = who.dir("copies");
    for (name, whole) in [("newgidmap", [true, false]), ("newuidmap", [false, true])] {
        let real = tool(name).unwrap().canonicalize().unwrap();
        let (real, copy) = (real.to_str().unwrap(), dir.join(name));
        let copy = copy.to_str().unwrap();
        let script = format!("cp {real} {copy}; chmod 755 {copy}\nmount --bind {copy} {real}");
        let run = Run::new(who).sh(MAPS).with_mounts(&script);
        let outcome = run.output().ends_with(0);
        let map = |own: u32, whole: bool| match whole {
            true => format!(" 0 {own} 1\n 1 {first} {count}\n"),
            false => format!(" 0 {own} 1\n"),
        };
        let expected = map(who.uid, whole[0]) + &map(who.gid, whole[1]);
        assert_eq!(outcome.stdout, expected, "{name}: {outcome}");
        outcome.says(&["husk: doing without your subordinate ids: ", name]);
    }
}

#[test]
fn a_directory_of_users_is_asked_for_the_ids_where_the_host_has_one() {
    let (who, (first, count)) = somebody_or_skip!();
    let getsubids = or_skip!(tool("getsubids"), "no getsubids(1): apt install uidmap");
    let (dir, name) = (who.dir("directory"), &who.name);
    let (sources, program) = (dir.join("nsswitch.conf"), dir.join("getsubids"));
    who.write(&sources, "passwd: files\nsubid:\tsss\n", 0o644);
    let text = format!(
        "#!/bin/sh\ncat; echo complaint >&2; (exec sleep 5) &\n\
         test \"$1\" = -g && shift\ntest $# = 1 && test \"$1\" = {name} || exit 1\n\
         echo \"0: {name} {first} 1000\"\n"
    );
    who.write(&program, &text, 0o755);
    let (sources, program) = (sources.display(), program.display());
    let mut script = format!(
        "mount --bind {sources} /etc/nsswitch.conf\nmount --bind {program} {}",
        getsubids.display()
    );
    let maps_with = |script: &str| {
        let run = Run::new(who).words(["--id-map", "auto"]).sh(MAPS);
        run.with_mounts(script).output().succeeds()
    };
    assert_eq!(maps_with(&script), maps(who, &[(first, 1000)]));
    // What it would read is the command's, and what it says is nobody's.
    let run = Run::new(who).listening().sh("read line; echo $line");
    let mut started = run.with_mounts(&script).start();
    started.say("hello\n");
    let outcome = started.finish().ends_with(0);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("hello\n", ""));
    // Without the program the files are all there is.
    script += &format!("\nchmod 644 {program}");
    assert_eq!(maps_with(&script), maps(who, &[(first, count)]));
}

#[test]
fn a_helper_with_file_capabilities_works_but_for_no_new_privs() {
    let (who, range) = somebody_or_skip!();
    or_skip!(tool("setcap"), "{NO_SETCAP}");
    let dir = who.dir("copies");
    let script = copies(&dir, "setcap CAPABILITY=ep COPY");
    for map in [&[][..], &["--id-map", "auto"]] {
        let run = Run::new(who).words(map).sh(MAPS).with_mounts(&script);
        assert_eq!(run.output().succeeds(), maps(who, &[range]));
    }
    let before = |run: Run| run.on_host(["--no-new-privs"]).with_mounts_as_root(&script);
    does_without(who, before, NOT_PERMITTED, NO_NEW_PRIVS);
}

#[test]
fn a_nosuid_mount_is_named() {
    let (who, _) = somebody_or_skip!();
    let real = tool("newuidmap").unwrap().canonicalize().unwrap();
    let place = real.parent().unwrap().to_str().unwrap();
    let script = format!("mount --bind {place} {place}; mount -o remount,bind,nosuid {place}");
    let cause = "newuidmap is on a nosuid mount: sudo mount -o remount,suid it, or --id-map root";
    does_without(who, |run| run.with_mounts(&script), NOT_PERMITTED, cause);
}

/// Lays files over those in /etc.
fn files(dir: &Dir, files: &[(&str, &str)]) -> String {
    let mut script = String::new();
    for (name, text) in files {
        let copy = dir.join(name);
        world::write_program(&copy, text);
        script += &format!(
            "chmod 644 {0}; mount --bind {0} /etc/{name}\n",
            copy.display()
        );
    }
    script
}

#[test]
fn another_group_than_that_of_passwd_is_named() {
    let (who, _) = somebody_or_skip!();
    let other = Identity {
        gid: who.gid + 4999,
        ..who.clone()
    };
    let cause = "your group is not the one in /etc/passwd: leave newgrp or sg, or \
                 GRANT_AUX_GROUP_SUBIDS yes in /etc/login.defs";
    let before = |run: Run| run.with_mounts("");
    does_without(&other, before, "is owned by a different user", cause);
}

#[test]
fn a_uid_without_a_line_in_passwd_is_named() {
    let (who, _) = somebody_or_skip!();
    let dir = who.dir("etc");
    let line = format!("{}:300000:10\n", who.uid);
    let root = "root:x:0:0::/root:/bin/sh\n";
    let numeric = [("passwd", root), ("subuid", &line), ("subgid", &line)];
    let script = files(&dir, &numeric);
    let cause = "your uid has no line in /etc/passwd: add one, or --id-map root";
    let said = "Cannot determine your user name";
    does_without(who, |run| run.with_mounts(&script), said, cause);
    // Nobody knows which lines are its own by name.
    let script = files(&dir, &[("passwd", root)]);
    let run = Run::new(who).sh(MAPS).with_mounts(&script);
    assert_eq!(run.output().succeeds(), maps(who, &[]));
}

#[test]
fn subuid_that_is_a_symbolic_link_is_named() {
    let (who, _) = somebody_or_skip!();
    let dir = who.dir("etc");
    let copy = Command::new("cp")
        .args(["-a", "/etc/.", dir.text()])
        .status();
    assert!(copy.unwrap().success());
    for name in ["subuid", "subgid"] {
        fs::rename(dir.join(name), dir.join("real").with_extension(name)).unwrap();
        symlink(format!("real.{name}"), dir.join(name)).unwrap();
    }
    let script = format!("mount --bind {} /etc", dir.text());
    let before = |run: Run| run.with_mounts(&script);
    let cause = "/etc/subuid is a symbolic link, which newuidmap does not follow: make it a file";
    does_without(who, before, "ended without a word", cause);
}

#[test]
fn lines_by_number_and_several_lines_count_and_malformed_ones_do_not() {
    let (who, _) = somebody_or_skip!();
    let dir = who.dir("etc");
    let (name, uid) = (&who.name, who.uid);
    let cases: [(String, &[(u32, u32)]); 5] = [
        (format!("{uid}:300000:10\n"), &[(300_000, 10)]),
        (
            format!("{name}\n{name}:x:1\n\n# {name}:1:1\n:7:7\n{name}:300000:20"),
            &[(300_000, 20)],
        ),
        (
            format!("{name}:300000:10\nother:400000:9\n{uid}:500000:5\n"),
            &[(300_000, 10), (500_000, 5)],
        ),
        ("other:300000:10\n".to_owned(), &[]),
        (String::new(), &[]),
    ];
    for (text, ranges) in cases {
        let script = files(&dir, &[("subuid", &text), ("subgid", &text)]);
        let run = Run::new(who).sh(MAPS).with_mounts(&script);
        assert_eq!(run.output().succeeds(), maps(who, ranges), "{text:?}");
    }
}

#[test]
fn ids_for_users_but_none_for_groups_are_left_out() {
    let (who, _) = somebody_or_skip!();
    let dir = who.dir("etc");
    let script = files(&dir, &[("subgid", "")]);
    let run = Run::new(who).sh(MAPS).with_mounts(&script);
    assert_eq!(run.output().succeeds(), maps(who, &[]));
}
