//! Every system call of a start fails once with EPERM and once with ENOSYS: one line and 125, or the
//! start succeeds by another way; nothing stays behind, and nothing hangs.

use crate::faults::{Scenario, Traced, Verdict, sweep};
use crate::skip;
use crate::world::{self, Identity, NO_BUSYBOX, NOT_ROOT, tool};

const NO_STRACE: &str = "no strace(1)";

/// What every scenario has: a network, a name, a capability less, a directory to start in.
const COMMON: [&str; 7] = [
    "--unshare-net",
    "--hostname",
    "box",
    "--cap-drop",
    "CAP_NET_RAW",
    "--chdir",
    "/root",
];

/// Mounts on what is there.
const MOUNTS: [&str; 5] = ["--tmpfs", "/tmp", "--ro-bind", "/etc", "/data"];

/// Mount points that are missing where nothing can be made: they are laid under.
const UNDERLAYS: [&str; 6] = [
    "--read-only",
    "--ro-bind",
    "/etc",
    "/missing/etc",
    "--tmpfs",
    "/data/missing",
];

/// Writes that go elsewhere, and what is made there.
const OVERLAY: [&str; 9] = [
    "--overlay",
    "tmpfs",
    "--dir",
    "/new/dir",
    "--tmpfs",
    "/run",
    "--symlink",
    "x",
    "/run/link",
];

/// What the command may have at most.
const BOUNDS: [&str; 8] = [
    "--ulimit",
    "nofile=64",
    "--landlock-rx",
    "/",
    "--landlock-rw",
    "/dev/null",
    "--landlock-rw",
    "/tmp",
];

fn scenario<'a>(who: &'a Identity, traced: Traced, flags: &[&str]) -> Scenario<'a> {
    let flags = COMMON
        .iter()
        .chain(flags)
        .map(|flag| (*flag).to_owned())
        .collect();
    Scenario { who, traced, flags }
}

fn holds(scenario: &Scenario<'_>) {
    let (broken, counts) = or_skip!(sweep(scenario), "{NO_BUSYBOX}");
    let total: usize = counts.values().sum::<usize>() + broken.len();
    skip::say(&format!(
        "{} {:?}: {total} starts with a fault: {counts:?}",
        scenario.who.name, scenario.traced
    ));
    assert!(
        counts
            .get(&Verdict::Refused)
            .is_some_and(|count| *count > 10),
        "hardly any was injected"
    );
    assert!(
        broken.is_empty(),
        "{} of {total}:\n{}",
        broken.len(),
        broken.join("\n\n")
    );
}

#[test]
fn in_the_supervisor_of_an_ordinary_user() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    let who = or_skip!(world::user(), "{}", world::no_user());
    holds(&scenario(who, Traced::Supervisor, &MOUNTS));
}

#[test]
fn in_pid_1_and_the_command_to_be_of_an_ordinary_user() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    or_skip!(tool("newuidmap"), "no newuidmap(1): apt install uidmap");
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(
        who.subordinate_ids(),
        "the user has no ids in /etc/subuid and /etc/subgid"
    );
    holds(&scenario(who, Traced::Init, &MOUNTS));
    holds(&scenario(who, Traced::Init, &OVERLAY));
}

#[test]
fn in_every_process_of_root() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    holds(&scenario(who, Traced::All, &MOUNTS));
}

#[test]
fn in_every_process_of_root_where_mount_points_are_missing() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    holds(&scenario(who, Traced::All, &UNDERLAYS));
}

#[test]
fn in_every_process_of_root_where_the_command_has_bounds() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    holds(&scenario(who, Traced::All, &BOUNDS));
}
