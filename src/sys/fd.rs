//! File descriptors: one, or many at once.

use super::arch;
use super::check;
use super::directory::Directory;
use super::open::openat;
use crate::text::parse_number;
use linux_raw_sys::general::{
    __NR_close, __NR_close_range, __NR_dup3, __NR_fcntl, F_GETFD, F_SETOWN,
};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, getrlimit};

/// A descriptor that is ours to close.
pub struct Fd(u32);

impl Fd {
    /// The descriptor that the kernel just returned.
    pub(super) fn new(returned: usize) -> Result<Self, Errno> {
        u32::try_from(returned).map(Self).map_err(|_| Errno::BADF)
    }

    /// Leaves it to whoever closes everything at once, execve(2) or [`keep_only`], which is soon.
    /// Not where such numbers get scarce: RLIMIT_NOFILE is 1024 for most.
    pub fn leave(self) {
        if self.0 < 256 {
            core::mem::forget(self);
        }
    }

    /// Its number.
    pub const fn number(&self) -> u32 {
        self.0
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // Descriptors are not negative. The mask says so to the compiler, which then drops the
        // assertion of `borrow_raw` that it is not -1.
        let number = (self.0 & i32::MAX.cast_unsigned()).cast_signed();
        // SAFETY: it is open, and stays so while `self` is borrowed: only `drop` closes it.
        unsafe { BorrowedFd::borrow_raw(number) }
    }
}

impl Drop for Fd {
    // Out of line: it is in a hundred places.
    #[inline(never)]
    fn drop(&mut self) {
        close(self.0);
    }
}

/// Whether descriptor `number` is open: EBADF, of F_GETFD of fcntl(2), where it is not.
pub fn is_open(number: u32) -> Result<(), Errno> {
    // SAFETY: no pointer is passed.
    let returned =
        unsafe { arch::syscall(__NR_fcntl, [number as usize, F_GETFD as usize, 0, 0, 0, 0]) };
    check(returned).map(drop)
}

/// A descriptor that husk was started with, by its number.
///
/// # Errors
/// EBADF for what is no number of one; whether it is open its use tells.
pub fn inherited(number: u32) -> Result<BorrowedFd<'static>, Errno> {
    let number = i32::try_from(number).map_err(|_| Errno::BADF)?;
    // SAFETY: it is not negative. Before `parent::run` closes what husk was started with nobody closes any of
    // it, and after that nobody asks; a number that is not open is refused by each call.
    Ok(unsafe { BorrowedFd::borrow_raw(number.max(0)) })
}

/// Closes the descriptors from `first` to `last`.
///
/// With close_range(2) (5.9); where that is missing or refused, those that /proc/self/fd lists; and
/// where that is missing too, one by one up to RLIMIT_NOFILE, which may be a thousand million, and
/// which a descriptor that was opened before the limit was lowered may exceed.
///
/// Descriptors are closed under their owners' feet, so nothing that is in use may lie in the range.
pub fn close_range(first: u32, last: u32) {
    // SAFETY: no pointer is passed. The callers (`parent::run` those that it did not open, `child` and
    // `init` when they are done with all but those they keep) see to it that no `Fd` of ours that is used
    // or dropped later is among them.
    let returned = unsafe {
        arch::syscall(
            __NR_close_range,
            [first as usize, last as usize, 0, 0, 0, 0],
        )
    };
    if check(returned).is_ok() || close_listed(first, last) {
        return;
    }
    let open = getrlimit(Resource::Nofile)
        .current
        .and_then(|most| u32::try_from(most).ok());
    let last = last.min(open.unwrap_or(1 << 20).saturating_sub(1));
    for fd in first..=last {
        close(fd);
    }
}

/// Closes those descriptors of a range that /proc/self/fd (proc_pid_fd(5)) has. Whether it is there.
#[cold]
#[inline(never)]
fn close_listed(first: u32, last: u32) -> bool {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let Ok(list) = openat(CWD, c"/proc/self/fd", flags, Mode::empty()) else {
        return false;
    };
    let own = list.number();
    let mut directory = Directory::new(list);
    loop {
        match directory.next_name() {
            Ok(Some(name)) => match parse_number(name.to_bytes()) {
                Some(fd) if fd != own && first <= fd && fd <= last => close(fd),
                _ => (),
            },
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Closes every descriptor above 2 but `kept`.
pub fn keep_only(kept: &[Option<u32>]) {
    keep_from(FIRST, kept);
}

/// The first descriptor above the standard streams.
pub const FIRST: u32 = 3;

/// Closes every descriptor from `first` on but `kept`.
pub fn keep_from(mut first: u32, kept: &[Option<u32>]) {
    loop {
        let next = kept
            .iter()
            .flatten()
            .copied()
            .filter(|fd| *fd >= first)
            .min();
        match next {
            None => return close_range(first, u32::MAX),
            Some(next) => {
                if next > first {
                    close_range(first, next.saturating_sub(1));
                }
                first = next.saturating_add(1);
            }
        }
    }
}

fn close(fd: u32) {
    // SAFETY: no pointer is passed; see `close_range` and `Fd` for what is closed.
    let _ = unsafe { arch::syscall(__NR_close, [fd as usize, 0, 0, 0, 0, 0]) };
}

/// O_ASYNC (fcntl(2)).
pub const O_ASYNC: u32 = linux_raw_sys::general::FASYNC;

/// Names the process that gets SIGIO when something comes in: F_SETOWN of fcntl(2).
pub fn set_owner(fd: impl AsFd, owner: Pid) -> Result<(), Errno> {
    let fd = usize::try_from(fd.as_fd().as_raw_fd()).map_err(|_| Errno::BADF)?;
    let owner = usize::try_from(owner.as_raw_nonzero().get()).map_err(|_| Errno::SRCH)?;
    // SAFETY: no pointer is passed.
    check(unsafe { arch::syscall(__NR_fcntl, [fd, F_SETOWN as usize, owner, 0, 0, 0]) }).map(drop)
}

/// Makes `fd` the standard stream `number`, 0 to 2: dup2(2), in a process that is about to call
/// execve(2).
pub fn become_stream(fd: &Fd, number: usize) -> Result<(), Errno> {
    // SAFETY: no pointer is passed; the standard streams belong to nobody in particular.
    check(unsafe { arch::syscall(__NR_dup3, [fd.0 as usize, number.min(2), 0, 0, 0, 0]) }).map(drop)
}
