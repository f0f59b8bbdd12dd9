//! A question to a process of its own, which may be killed for asking.

use super::Found;
use crate::fail::cause::Cause;
use crate::plan::namespace::NamespaceSet;
use crate::sys::clone::{self, Side};
use crate::sys::errno;
use crate::sys::open::pipe_with;
use crate::sys::process::exit;
use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, WaitOptions, waitpid};

/// Runs `probe` in a new process in these namespaces, once `prepare` has done with that what can only
/// be done from outside.
///
/// # Errors
/// Those of pipe(2) and clone(2).
pub fn ask(
    namespaces: NamespaceSet,
    prepare: &dyn Fn(Pid) -> Result<(), Found>,
    probe: &dyn Fn() -> Found,
) -> Result<Found, Errno> {
    let (gate, open) = pipe_with(PipeFlags::CLOEXEC)?;
    let (answers, say) = pipe_with(PipeFlags::CLOEXEC)?;
    let pid = match clone::into_namespaces(namespaces)? {
        Side::Child => {
            drop(open);
            if let Ok(1) = retry_on_intr(|| read(&gate, &mut [0_u8][..])) {
                let answer = spelled(probe());
                let _ = retry_on_intr(|| write(&say, &answer));
            }
            exit(0)
        }
        Side::Parent(pid) => pid,
    };
    drop(say);
    let prepared = prepare(pid);
    if prepared.is_ok() {
        let _ = retry_on_intr(|| write(&open, b"g"));
    }
    drop(open);
    let mut answer = [0_u8; 2];
    let length = retry_on_intr(|| read(&answers, &mut answer[..]));
    let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    Ok(match (prepared, length) {
        (Err(found), _) => found,
        (Ok(()), Ok(2)) => read_back(answer),
        // It was killed, by SIGSYS.
        (Ok(()), _) => Found::No(Some(Cause::Seccomp), None),
    })
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
