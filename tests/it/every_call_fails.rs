//! Every system call of a start fails once with each errno that it may have: one line and 125, or the
//! start succeeds by another way; nothing stays behind, and nothing hangs.

use crate::cgroup_parent::Parent;
use crate::faults::{Counts, Kind, Scenario, Verdict, failures, kills, sweep};
use crate::world::{self, Identity, NO_BUSYBOX, NOT_ROOT, tool};

/// Mounts on what is there.
const MOUNTS: &[&str] = &[
    "--unshare-net",
    "--hostname",
    "box",
    "--cap-drop",
    "CAP_NET_RAW",
    "--chdir",
    "/root",
    "--tmpfs",
    "/tmp",
    "--ro-bind",
    "/etc",
    "/data",
];

/// Mount points that are missing where nothing can be made: they are laid under.
const UNDERLAYS: &[&str] = &[
    "--read-only",
    "--ro-bind",
    "/etc",
    "/missing/etc",
    "--tmpfs",
    "/data/missing",
];

/// Writes that go elsewhere, and what is made there.
const OVERLAY: &[&str] = &[
    "--overlay",
    "tmpfs",
    "--dir",
    "/new/dir",
    "--tmpfs",
    "/run",
    "--symlink",
    "x",
    "/run/link",
    "--fake-chown",
];

/// What the command may have at most.
const BOUNDS: &[&str] = &[
    "--ulimit",
    "nofile=64",
    "--landlock-rx",
    "/",
    "--landlock-rw",
    "/dev/null",
    "--landlock-rw",
    "/tmp",
];

fn fails(who: &Identity, kind: Kind, name: &str, flags: &[&str]) {
    let scenario = Scenario {
        name,
        who,
        kind,
        flags,
    };
    let counts: Counts = or_skip!(sweep(&scenario, failures), "{NO_BUSYBOX}");
    let of = |verdict| counts.get(&verdict).copied().unwrap_or_default();
    assert!(of(Verdict::Success) > 20, "hardly any was injected");
    let all: usize = counts.values().sum();
    assert!(
        of(Verdict::NotReached) * 50 < all,
        "what is made differs from run to run"
    );
}

/// Who the ordinary user is whose ids the helpers map; only root traces those with their rights intact.
fn user_with_helpers() -> Result<&'static Identity, String> {
    world::root().ok_or(NOT_ROOT)?;
    let who = world::user().ok_or_else(world::no_user)?;
    tool("newuidmap").ok_or("no newuidmap(1): apt install uidmap")?;
    who.subordinate_ids()
        .ok_or("the user has no ids in /etc/subuid and /etc/subgid")?;
    Ok(who)
}

#[test]
fn of_an_ordinary_users_container_with_ranges() {
    let who = match user_with_helpers() {
        Ok(who) => who,
        Err(reason) => skip!("{reason}"),
    };
    fails(who, Kind::Root, "user, ranges, root directory", MOUNTS);
}

#[test]
fn of_an_ordinary_users_container_with_one_id() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    let flags: Vec<&str> = ["--id-map", "root"]
        .iter()
        .chain(OVERLAY)
        .copied()
        .collect();
    fails(who, Kind::Root, "user, one id, overlay", &flags);
}

#[test]
fn of_an_ordinary_users_container_on_the_hosts_tree() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    fails(
        who,
        Kind::HostTree,
        "user, one id, host's tree",
        &["--id-map", "root"],
    );
}

#[test]
fn of_roots_container_where_mount_points_are_missing() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    fails(who, Kind::Root, "root, missing mount points", UNDERLAYS);
}

#[test]
fn of_roots_container_where_the_command_has_bounds() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    fails(who, Kind::Root, "root, bounds", BOUNDS);
}

#[test]
fn of_roots_container_with_a_cgroup() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    or_skip!(Parent::new(), "no cgroup v2");
    let flags = &["--id-map", "root"];
    fails(who, Kind::Cgroup, "root, a cgroup", flags);
}

#[test]
fn of_roots_container_without_a_user_namespace() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let flags: Vec<&str> = ["--share-user"].iter().chain(MOUNTS).copied().collect();
    fails(who, Kind::Root, "root, no user namespace", &flags);
}

#[test]
fn of_a_job_in_the_foreground_of_a_terminal() {
    for who in world::everybody() {
        let name = format!("{}, on a terminal", who.name);
        fails(who, Kind::Job, &name, &["--id-map", "root"]);
    }
}

#[test]
fn of_an_init() {
    for who in world::everybody() {
        for flags in [
            &["-g", "--grace", "1"][..],
            &["--session", "-w", "--wait-all"],
            &["--all", "-p", "TERM"],
        ] {
            fails(
                who,
                Kind::Init,
                &format!("init {} as {}", flags.join(" "), who.name),
                flags,
            );
        }
    }
}

/// Wherever the supervisor, PID 1, a helper or the command to be is killed.
fn is_killed(who: &Identity, kind: Kind, name: &str, flags: &[&str]) {
    let scenario = Scenario {
        name,
        who,
        kind,
        flags,
    };
    let counts: Counts = or_skip!(sweep(&scenario, kills), "{NO_BUSYBOX}");
    assert!(
        counts
            .get(&Verdict::Killed)
            .is_some_and(|count| *count > 20),
        "hardly anybody was killed"
    );
}

#[test]
fn whoever_is_killed_of_an_ordinary_users_container_with_ranges() {
    let who = match user_with_helpers() {
        Ok(who) => who,
        Err(reason) => skip!("{reason}"),
    };
    is_killed(
        who,
        Kind::Root,
        "killed: user, ranges, root directory",
        MOUNTS,
    );
}

#[test]
fn whoever_is_killed_of_an_ordinary_users_container_on_the_hosts_tree() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    is_killed(
        who,
        Kind::HostTree,
        "killed: user, one id, host's tree",
        &["--id-map", "root"],
    );
}

#[test]
fn whoever_is_killed_of_roots_container() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    is_killed(
        who,
        Kind::Root,
        "killed: root, missing mount points",
        UNDERLAYS,
    );
    is_killed(
        who,
        Kind::HostTree,
        "killed: root, no PID namespace",
        &["--share-pid"],
    );
}

#[test]
fn whoever_is_killed_of_an_init() {
    for who in world::everybody() {
        is_killed(
            who,
            Kind::Init,
            &format!("killed: init as {}", who.name),
            &["-p", "KILL"],
        );
    }
}
