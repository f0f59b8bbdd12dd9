//! setrlimit(2), by the number of the resource.

use super::arch;
use super::check;
use crate::plan::rlimit::Limit;
use core::ptr;
use linux_raw_sys::general::{__NR_prlimit64, rlimit64};
use rustix::io::Errno;

/// Sets both limits of this process: prlimit64(2), since Linux 2.6.36.
///
/// # Errors
/// EPERM where the hard limit would rise without CAP_SYS_RESOURCE in the first user namespace, and for
/// more than fs.nr_open files.
pub fn set(limit: &Limit) -> Result<(), Errno> {
    let new = rlimit64 {
        rlim_cur: limit.soft,
        rlim_max: limit.hard,
    };
    let number = usize::from(limit.resource);
    let pointer: *const rlimit64 = ptr::from_ref(&new);
    // SAFETY: the kernel reads `new`, which lives through the call.
    check(unsafe { arch::syscall(__NR_prlimit64, [0, number, pointer as usize, 0, 0, 0]) })
        .map(drop)
}

/// The limits of this process on the resource of `limit`.
pub fn get(limit: &Limit) -> Result<Limit, Errno> {
    let mut old = rlimit64 {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let number = usize::from(limit.resource);
    let pointer: *mut rlimit64 = ptr::from_mut(&mut old);
    // SAFETY: the kernel writes to `old`, which lives through the call.
    check(unsafe { arch::syscall(__NR_prlimit64, [0, number, 0, pointer as usize, 0, 0]) })?;
    Ok(Limit {
        soft: old.rlim_cur,
        hard: old.rlim_max,
        ..*limit
    })
}
