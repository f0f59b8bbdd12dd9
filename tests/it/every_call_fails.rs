//! Every system call of a start fails once with EPERM and once with ENOSYS: one line and 125, or the
//! start succeeds by another way; nothing stays behind, and nothing hangs.

use crate::faults::{Scenario, Traced, Verdict, sweep};
use crate::skip;
use crate::world::{self, Identity, NO_BUSYBOX, NOT_ROOT, tool};

const NO_STRACE: &str = "no strace(1)";

/// A start that has every step: all namespaces, mounts of all kinds, names, capabilities.
fn everything(who: &Identity, traced: Traced) -> Scenario<'_> {
    let flags = [
        "--unshare-net",
        "--hostname",
        "box",
        "--tmpfs",
        "/tmp",
        "--ro-bind",
        "/etc",
        "/data",
        "--cap-drop",
        "CAP_NET_RAW",
        "--chdir",
        "/root",
    ];
    Scenario {
        who,
        traced,
        flags: flags.map(str::to_owned).to_vec(),
    }
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
    holds(&everything(who, Traced::Supervisor));
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
    holds(&everything(who, Traced::Init));
}

#[test]
fn in_every_process_of_root() {
    or_skip!(tool("strace"), "{NO_STRACE}");
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    holds(&everything(who, Traced::All));
}
