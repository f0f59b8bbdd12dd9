//! A question to a process of its own, which may be killed for asking.

use super::{Found, Works};
use crate::fail::cause::Cause;
use crate::fail::{Doing, Failure};
use crate::parent;
use crate::plan::Plan;
use crate::plan::namespace::NamespaceSet;
use crate::plan::signal::name;
use crate::sys::clock;
use crate::sys::clone::{self, Process};
use crate::sys::errno;
use crate::sys::open::pipe_with;
use crate::sys::process::exit;
use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::pipe::PipeFlags;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, set_parent_process_death_signal, waitpid,
};

/// How often a clone is tried again that a limit refused, and milliseconds between.
const RETRIES: u32 = 10;
const PAUSE: u32 = 5;

/// Clones into these namespaces; where `works` says that they can be had, a limit is only reached by
/// those that have just ended, and are counted for a moment longer.
fn clone_into(namespaces: NamespaceSet, works: Works) -> Result<Process, Errno> {
    let mut retries = 0..RETRIES;
    loop {
        match clone::into_namespaces(namespaces) {
            Err(Errno::NOSPC | Errno::USERS) if works == Works::Yes && retries.next().is_some() => {
                clock::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// Runs `probe` in a new process in these namespaces, once `prepare` has done with that what can only
/// be done from outside.
///
/// # Errors
/// Those of pipe(2) and clone(2).
pub fn ask(
    (namespaces, works): (NamespaceSet, Works),
    prepare: &dyn Fn(Pid) -> Result<(), Found>,
    probe: &dyn Fn() -> Found,
) -> Result<Found, Errno> {
    let (gate, open) = pipe_with(PipeFlags::CLOEXEC)?;
    let (answers, say) = pipe_with(PipeFlags::CLOEXEC)?;
    let pid = match clone_into(namespaces, works)? {
        Process::Child => {
            die_with_parent();
            drop(open);
            if let Ok(1) = retry_on_intr(|| read(&gate, &mut [0_u8][..])) {
                let answer = spelled(probe());
                let _ = retry_on_intr(|| write(&say, &answer));
            }
            exit(0)
        }
        Process::Parent(pid) => pid,
    };
    drop(say);
    let prepared = prepare(pid);
    if prepared.is_ok() {
        let _ = retry_on_intr(|| write(&open, b"g"));
    }
    drop(open);
    let mut answer = [0_u8; 2];
    let length = retry_on_intr(|| read(&answers, &mut answer[..]));
    let killed_by = ended(pid).and_then(WaitStatus::terminating_signal);
    Ok(match (prepared, length) {
        (Err(found), _) => found,
        (Ok(()), Ok(2)) => read_back(answer),
        (Ok(()), _) if killed_by == Some(Signal::SYS.as_raw()) => {
            Found::No(Some(Cause::Seccomp), None)
        }
        (Ok(()), _) => Found::No(None, None),
    })
}

/// Whoever interrupts husk check leaves nothing running.
fn die_with_parent() {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

/// Waits for the process, and says how it ended.
fn ended(pid: Pid) -> Option<WaitStatus> {
    let ended = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    ended.ok().flatten().map(|(_, status)| status)
}

/// Makes the container of `plan` in a process of its own, and says why it cannot be made.
pub fn rehearse(plan: &Plan<'static>) -> Works {
    let pid = match clone::into_namespaces(NamespaceSet::NONE) {
        Ok(Process::Child) => {
            die_with_parent();
            let status = match parent::run(plan) {
                Ok(status) => status,
                Err(failed) => {
                    failed.tell_at_check();
                    failed.status()
                }
            };
            exit(status.0)
        }
        Ok(Process::Parent(pid)) => pid,
        Err(errno) => {
            Failure::new(Doing::Rehearse, b"", errno).tell_at_check();
            return Works::No;
        }
    };
    let ended = ended(pid);
    if let Some(signal) = ended.and_then(WaitStatus::terminating_signal) {
        let cause = (signal == Signal::SYS.as_raw()).then_some(Cause::Seccomp);
        let name = name(signal).unwrap_or("a signal").as_bytes();
        Failure::caused(Doing::Rehearse, [name, b""], None, cause).tell_at_check();
    }
    match ended.and_then(WaitStatus::exit_status) {
        Some(0) => Works::Yes,
        _ => Works::No,
    }
}

/// The first byte is 0 for yes, the code of a cause, or from here on an amount or a no without one.
const UNKNOWN: u8 = 100;
const AMOUNT: u8 = 101;

#[inline(never)]
fn spelled(found: Found) -> [u8; 2] {
    match found {
        Found::Yes => [0, 0],
        Found::Much(amount) => [AMOUNT.saturating_add(amount), 0],
        Found::No(cause, errno) => {
            let number = errno.map_or(0, |errno| errno.raw_os_error());
            let [number, ..] = number.to_le_bytes();
            [cause.map_or(UNKNOWN, Cause::code), number]
        }
    }
}

#[inline(never)]
fn read_back([first, second]: [u8; 2]) -> Found {
    match first {
        0 => Found::Yes,
        AMOUNT.. => Found::Much(first.wrapping_sub(AMOUNT)),
        code => Found::No(
            Cause::from_code(code),
            (second > 0).then(|| errno(isize::from(second))),
        ),
    }
}
