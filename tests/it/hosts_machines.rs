//! Hosts with a kernel of their own, booted: containers on an initramfs, which cannot be pivoted away,
//! and on a mounted root, and what a machine's administrator may forbid.
//!
//! HUSK_TEST_OLD_KERNEL names a second, older vmlinuz.

use crate::guest::{Question, Root, Who, ask, question};
use crate::guest_containers;
use crate::machine::{Machine, NO_MACHINE, NO_USER_MODE};
use crate::skip;
use std::env;

/// Puts every question to the machine, for root and for the user, and the administrator's for root.
fn containers_work(machine: Machine, root: Root) {
    let (common, own) = (guest_containers::questions(), questions());
    let everybody = [Who::User, Who::Root].map(|who| common.iter().map(move |one| (who, one)));
    let all = everybody.into_iter().flatten();
    let all: Vec<_> = all.chain(own.iter().map(|one| (Who::Root, one))).collect();
    ask(machine.with_module("fs/overlayfs/overlay.ko"), root, &all);
}

/// The machine with the older kernel, where one is named.
fn older() -> Option<Machine> {
    let Some(path) = env::var_os("HUSK_TEST_OLD_KERNEL") else {
        skip::declined("no older vmlinuz is named in HUSK_TEST_OLD_KERNEL");
        return None;
    };
    let machine = Machine::emulated(path.into());
    if machine.is_none() {
        skip::skipped(NO_MACHINE);
    }
    machine
}

#[test]
fn a_kernel_runs_containers_on_its_initramfs() {
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}");
    containers_work(machine, Root::Initramfs);
}

#[test]
fn a_kernel_runs_containers_on_a_mounted_root() {
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}");
    containers_work(machine, Root::Mounted);
}

#[test]
fn an_older_kernel_runs_containers_on_its_initramfs() {
    if let Some(machine) = older() {
        containers_work(machine, Root::Initramfs);
    }
}

#[test]
fn an_older_kernel_runs_containers_on_a_mounted_root() {
    if let Some(machine) = older() {
        containers_work(machine, Root::Mounted);
    }
}

#[test]
fn a_user_mode_kernel_runs_containers_on_its_initramfs() {
    let machine = or_skip!(Machine::user_mode(), "{NO_USER_MODE}");
    containers_work(machine, Root::Initramfs);
}

#[test]
fn a_user_mode_kernel_runs_containers_on_a_mounted_root() {
    let machine = or_skip!(Machine::user_mode(), "{NO_USER_MODE}");
    containers_work(machine, Root::Mounted);
}

/// What works while a switch is off, and what is said where not.
fn switched_off(file: &str) -> String {
    format!(
        "test -e {file} || exit 3
        read old <{file}; echo 0 >{file}
        su user -c 'husk run -- echo user'; echo $?
        su user -c 'husk run --root /srv/root -- echo user'; echo $?
        husk run -- echo root; echo $?
        husk run --share-user --root /srv/root -- echo root; echo $?
        su user -c 'husk check' >/out.check; echo $?
        grep -A 1 '^! user namespaces' /out.check; tail -n 1 /out.check
        echo $old >{file}; rm /out.check
        su user -c 'husk run -- echo user'; echo $?"
    )
}

/// The one line of a run, and what `husk check` says, ends with that.
const REFUSED: &str = "husk: creating namespaces: user mount pid uts ipc cgroup: ";
const NONE_ALLOWED: &str = "user.max_user_namespaces is 0";
const RAISE: &str = "sudo sysctl -w user.max_user_namespaces=15000";
const SWITCHED_OFF: &str = "kernel.unprivileged_userns_clone is 0";
const SWITCH_ON: &str = "sudo sysctl -w kernel.unprivileged_userns_clone=1";

fn checked(cause: &str, remedy: &str) -> String {
    let name = "user namespaces";
    format!(
        "1\n! {name:26}no   {cause}\n{:33}{remedy}\n\
         husk run does not work here, with this configuration: see what is said above, and what \
         is marked !\nuser\n0\n",
        ""
    )
}

/// What they say of it, the last of them being `husk check`.
fn complaints(runs: usize, line: &str) -> String {
    let hint = format!("{REFUSED}{line} (more: husk check)\n");
    hint.repeat(runs) + &format!("{REFUSED}{line}\n")
}

fn questions() -> Vec<Question> {
    vec![
        question(
            switched_off("/proc/sys/user/max_user_namespaces"),
            |_, said| {
                let cause = format!("ENOSPC   {NONE_ALLOWED}");
                let out = format!("125\n125\n125\nroot\n0\n{}", checked(&cause, RAISE));
                let line = format!("ENOSPC (no space left on device): {NONE_ALLOWED}: {RAISE}");
                said.is(&out, &complaints(3, &line), 0);
            },
        ),
        question(
            switched_off("/proc/sys/kernel/unprivileged_userns_clone"),
            |facts, said| {
                if !facts.has_debians_switch {
                    return said.is("", "", 3);
                }
                let out = format!(
                    "125\n125\nroot\n0\nroot\n0\n{}",
                    checked(&format!("EPERM   {SWITCHED_OFF}"), SWITCH_ON)
                );
                let line = format!("EPERM (operation not permitted): {SWITCHED_OFF}: {SWITCH_ON}");
                said.is(&out, &complaints(2, &line), 0);
            },
        ),
    ]
}
