//! Which system calls a kernel knows: made with arguments that can only be wrong, ENOSYS says that it
//! does not, and EPERM that a filter does not.

use super::arch;
use super::check;
use linux_raw_sys::general::{
    __NR_clone3, __NR_close_range, __NR_landlock_create_ruleset, __NR_mount_setattr,
    __NR_move_mount, __NR_openat2, __NR_pidfd_open,
};
use rustix::io::Errno;

/// The calls that husk prefers and can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// clone3(2), 5.3.
    Clone3,
    /// openat2(2), 5.6.
    Openat2,
    /// close_range(2), 5.9.
    CloseRange,
    /// pidfd_open(2), 5.3.
    PidfdOpen,
    /// move_mount(2) and its like, 5.2.
    MoveMount,
    /// mount_setattr(2), 5.12.
    MountSetattr,
}

/// Whether the kernel knows `call`.
pub fn is_known(call: Call) -> bool {
    // No size, no descriptor, or a range that ends before it begins: EINVAL, EBADF, EFAULT.
    let nowhere = usize::MAX;
    let (number, args) = match call {
        Call::Clone3 => (__NR_clone3, [0, 0, 0, 0, 0, 0]),
        Call::Openat2 => (__NR_openat2, [nowhere, 0, 0, 0, 0, 0]),
        Call::CloseRange => (__NR_close_range, [2, 1, 0, 0, 0, 0]),
        Call::PidfdOpen => (__NR_pidfd_open, [0, 0, 0, 0, 0, 0]),
        Call::MoveMount => (__NR_move_mount, [nowhere, 0, nowhere, 0, nowhere, 0]),
        Call::MountSetattr => (__NR_mount_setattr, [nowhere, 0, nowhere, 0, 0, 0]),
    };
    // SAFETY: the arguments are refused before anything is read or done.
    let returned = check(unsafe { arch::syscall(number, args) });
    !matches!(returned, Err(Errno::NOSYS | Errno::PERM))
}

/// The version of Landlock that the kernel has: landlock_create_ruleset(2), 5.13.
pub fn landlock() -> Result<u8, Errno> {
    const LANDLOCK_CREATE_RULESET_VERSION: usize = 1;
    let args = [0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0, 0, 0];
    // SAFETY: with this flag the call takes no pointer and makes nothing.
    let version = check(unsafe { arch::syscall(__NR_landlock_create_ruleset, args) })?;
    u8::try_from(version).map_err(|_| Errno::RANGE)
}
