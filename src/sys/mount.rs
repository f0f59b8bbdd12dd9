//! mount_setattr(2), which rustix lacks.

use super::arch;
use super::check;
use linux_raw_sys::general::{__NR_mount_setattr, AT_EMPTY_PATH, AT_RECURSIVE, mount_attr};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;

/// Whether the mounts below are meant as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This mount alone.
    One,
    /// And all below it.
    Recursive,
}

/// Sets the attributes `set` (MOUNT_ATTR_*) on the mount at `fd` and clears `clear`, and leaves
/// every other as it is, locked ones included: mount_setattr(2), since Linux 5.12.
///
/// # Errors
/// ENOSYS on older kernels; EPERM where a locked attribute would be cleared, or from a seccomp
/// filter that does not know the call; EINVAL where `fd` is not the root of a mount.
pub fn set_attributes(fd: BorrowedFd<'_>, set: u32, clear: u32, reach: Reach) -> Result<(), Errno> {
    let attributes = mount_attr {
        attr_set: u64::from(set),
        attr_clr: u64::from(clear),
        propagation: 0,
        userns_fd: 0,
    };
    let recursive = match reach {
        Reach::One => 0,
        Reach::Recursive => AT_RECURSIVE,
    };
    let fd = usize::try_from(fd.as_raw_fd()).map_err(|_| Errno::BADF)?;
    let pointer: *const mount_attr = &raw const attributes;
    let args = [
        fd,
        c"".as_ptr() as usize,
        (AT_EMPTY_PATH | recursive) as usize,
        pointer as usize,
        size_of::<mount_attr>(),
        0,
    ];
    // SAFETY: the empty path and `attributes` live through the call, and the size is the struct's.
    check(unsafe { arch::syscall(__NR_mount_setattr, args) }).map(drop)
}
