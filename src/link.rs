//! What crosses between the supervisor and PID 1 while both run: one socket pair, a few bytes each
//! way.
//!
//! Each end closes when its process ends, however it ends, and the other one reads that.

use crate::fail::cause::Cause;
use crate::fail::{Doing, Failed, Failure};
use crate::limits::PATH_BYTES;
use crate::sys::fd::Fd;
use crate::sys::open::{openat, socketpair};
use heapless::Vec;
use rustix::fs::{CWD, Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::getpid;

/// The supervisor's end.
pub struct Outer(Fd);

/// PID 1's end.
pub struct Inner(Fd);

/// What the supervisor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The maps are written: go on.
    Go,
    /// The terminal is the container's: the command's process group shall have it, and continue.
    TakeTerminal,
}

const STOPPED: u8 = b's';
const FAILED: u8 = b'f';
const GO: u8 = b'g';
const TERMINAL: u8 = b't';
/// Kind, doing, two bytes of errno, two bytes of the first object's length, the cause.
const HEADER: usize = 7;
/// Bytes of the longest record.
const RECORD: usize = HEADER + 2 * PATH_BYTES;

/// The two ends, closed by execve(2). SOCK_SEQPACKET keeps a record whole.
///
/// Where husk was started without standard streams the pair would get their numbers, and what is
/// printed would go into it; so those numbers are filled first.
///
/// PID 1's end has the lower number: what it keeps is below all that it closes.
pub fn pair() -> Result<(Outer, Inner), Errno> {
    let (mut inner, mut outer) = socketpair()?;
    while outer.number() < 3 || inner.number() < 3 {
        drop((outer, inner));
        let null = openat(
            CWD,
            c"/dev/null",
            OFlags::RDWR | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if null.number() < 3 {
            // Kept for good: it stands in for the stream.
            core::mem::forget(null);
        }
        (inner, outer) = socketpair()?;
    }
    Ok((Outer(outer), Inner(inner)))
}

impl Outer {
    /// Gives an order.
    pub fn order(&self, order: Order) -> Result<(), Errno> {
        let byte = match order {
            Order::Go => GO,
            Order::TakeTerminal => TERMINAL,
        };
        // Without MSG_NOSIGNAL the end of PID 1 would be a SIGPIPE, which stays pending.
        retry_on_intr(|| send(&self.0, &[byte], SendFlags::NOSIGNAL)).map(drop)
    }

    /// Asks for SIGIO when a report comes: F_SETOWN and O_ASYNC of fcntl(2). So the supervisor
    /// waits in one place, for signals.
    pub fn signal_reports(&self) -> Result<(), Errno> {
        crate::sys::fd::set_owner(&self.0, getpid())?;
        let flags = fcntl_getfl(&self.0)?;
        fcntl_setfl(
            &self.0,
            flags | OFlags::from_bits_retain(crate::sys::fd::O_ASYNC),
        )
    }

    /// The signal that stopped the command, if PID 1 has reported one that was not read yet.
    pub fn stop(&self) -> Option<i32> {
        let mut record = [0_u8; 2];
        let peek = RecvFlags::DONTWAIT | RecvFlags::PEEK;
        retry_on_intr(|| recv(&self.0, &mut record[..], peek)).ok()?;
        match record {
            [STOPPED, signal] => {
                retry_on_intr(|| recv(&self.0, &mut record[..], RecvFlags::DONTWAIT)).ok()?;
                Some(i32::from(signal))
            }
            _ => None,
        }
    }

    /// The step that failed inside, if PID 1 has reported one.
    #[cold]
    #[inline(never)]
    pub fn failure(&self) -> Option<Failed> {
        let mut record = [0_u8; RECORD];
        while self.stop().is_some() {}
        let (length, _) =
            retry_on_intr(|| recv(&self.0, &mut record[..], RecvFlags::DONTWAIT)).ok()?;
        let [FAILED, doing, low, high, short, long, cause, text @ ..] = record.get(..length)?
        else {
            return None;
        };
        let split = usize::from(u16::from_le_bytes([*short, *long]));
        let (object, second) = text.split_at_checked(split)?;
        let errno = i16::from_le_bytes([*low, *high]);
        let errno = (errno != 0).then(|| crate::sys::errno(errno.into()));
        Some(Failure::caused(
            Doing::from_code(*doing)?,
            [object, second],
            errno,
            Cause::from_code(*cause),
        ))
    }
}

impl Inner {
    /// Waits for the first order.
    ///
    /// # Errors
    /// Those of recv(2); EPIPE when the supervisor is gone.
    pub fn wait(&self) -> Result<Order, Errno> {
        self.receive(RecvFlags::empty())
    }

    /// The order that came with a SIGCONT, if one did.
    pub fn order(&self) -> Option<Order> {
        self.receive(RecvFlags::DONTWAIT).ok()
    }

    /// Whether the supervisor is still there: asked after PR_SET_PDEATHSIG, which says nothing of a
    /// parent that was gone before.
    pub fn supervisor(&self) -> Parent {
        match self.receive(RecvFlags::DONTWAIT | RecvFlags::PEEK) {
            Err(Errno::PIPE) => Parent::Gone,
            _ => Parent::Lives,
        }
    }

    fn receive(&self, flags: RecvFlags) -> Result<Order, Errno> {
        let mut byte = [0_u8];
        let (length, _) = retry_on_intr(|| recv(&self.0, &mut byte[..], flags))?;
        match (length, byte) {
            (1, [GO]) => Ok(Order::Go),
            (1, [TERMINAL]) => Ok(Order::TakeTerminal),
            _ => Err(Errno::PIPE),
        }
    }

    /// Reports that the command was stopped.
    pub fn stopped(&self, signal: i32) {
        let [low, ..] = signal.to_le_bytes();
        let _ = send(&self.0, &[STOPPED, low], SendFlags::NOSIGNAL);
    }

    /// Reports a step that failed.
    #[cold]
    #[inline(never)]
    pub fn failed(&self, failure: &Failure) {
        let mut record: Vec<u8, RECORD> = Vec::new();
        let (doing, object, second, errno) = failure.parts();
        let [low, high, ..] = errno.map_or(0, Errno::raw_os_error).to_le_bytes();
        let length = u16::try_from(object.len()).unwrap_or(0);
        let [short, long] = length.to_le_bytes();
        let cause = failure.cause().map_or(0, Cause::code);
        let _ = record.extend_from_slice(&[FAILED, doing.code(), low, high, short, long, cause]);
        let _ = record.extend_from_slice(object);
        let _ = record.extend_from_slice(second);
        let _ = send(&self.0, &record, SendFlags::NOSIGNAL);
    }

    /// Its number, for whoever closes all others.
    pub const fn number(&self) -> u32 {
        self.0.number()
    }
}

/// Whether the supervisor is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// It is.
    Lives,
    /// It is not.
    Gone,
}
