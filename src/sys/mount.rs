//! mount_setattr(2), which rustix lacks, and the id of a mount.

use super::arch;
use super::check;
use core::mem::MaybeUninit;
use linux_raw_sys::general::{
    __NR_mount_setattr, __NR_statx, AT_EMPTY_PATH, AT_RECURSIVE, STATX_MNT_ID, mount_attr, statx,
};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::fstat;
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

/// Which mount a descriptor is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountId {
    /// Its own number.
    Known(u64),
    /// On kernels that do not tell (before 5.8): what is mounted, by device and inode.
    Seen(u64, u64),
}

impl MountId {
    /// The mount of `fd`: statx(2) with STATX_MNT_ID.
    pub fn of(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let mut found = MaybeUninit::<statx>::zeroed();
        let number = usize::try_from(fd.as_raw_fd()).map_err(|_| Errno::BADF)?;
        let empty = c"".as_ptr() as usize;
        let args = [
            number,
            empty,
            AT_EMPTY_PATH as usize,
            STATX_MNT_ID as usize,
            found.as_mut_ptr() as usize,
            0,
        ];
        // SAFETY: the path lives through the call, and the kernel writes one statx to `found`.
        let asked = check(unsafe { arch::syscall(__NR_statx, args) });
        // SAFETY: a statx is numbers, and was all zero before the kernel wrote to it.
        let found = unsafe { found.assume_init() };
        match asked {
            Ok(_) if found.stx_mask & STATX_MNT_ID != 0 => {
                return Ok(Self::Known(found.stx_mnt_id));
            }
            // Missing, or filtered: that is so the next time as well, and the answers compare.
            Ok(_) | Err(Errno::NOSYS | Errno::PERM) => (),
            Err(errno) => return Err(errno),
        }
        let stat = fstat(fd)?;
        Ok(Self::Seen(stat.st_dev, stat.st_ino))
    }
}
