//! The fence: every `unsafe` of husk is below this module, and nothing unsafe goes out of it.
//!
//! It holds what rustix does not offer for use: the start of the program, clone(2), execve(2), the
//! signal calls, a few calls without a wrapper there, and the one static buffer. Each function
//! takes types that make misuse impossible and returns an [`Errno`]; each `unsafe` block does one
//! thing and says why that is sound.

#[cfg(target_arch = "aarch64")]
#[path = "arch/aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "arch/x86_64.rs"]
mod arch;
pub mod child;
pub mod clock;
pub mod clone;
pub mod directory;
pub mod errno;
pub mod exec;
pub mod fd;
pub mod idle;
pub mod landlock;
pub mod limit;
pub mod mount;
pub mod net;
pub mod open;
pub mod probe;
pub mod process;
pub mod seccomp;
pub mod signal;
pub mod start;
pub mod storage;
pub mod support;
pub mod terminal;
pub mod unstopped;

use rustix::io::Errno;

/// What the kernel returned: a value, or minus an errno.
fn check(returned: isize) -> Result<usize, Errno> {
    usize::try_from(returned).map_err(|_| errno(returned.wrapping_neg()))
}

/// The errno of a number. rustix asserts that it is one, which the bounds let the compiler see.
pub fn errno(number: isize) -> Errno {
    const LAST: isize = 4095;
    Errno::from_raw_os_error(i32::try_from(number.clamp(1, LAST)).unwrap_or(1))
}
