//! Flags of a mount that is there: added, never taken away.
//!
//! A bind ignores its flags at first (mount(2)). mount_setattr(2) (5.12) sets them on a whole tree
//! in one call and leaves locked ones alone; before that each mount is remounted with the flags
//! that it has and the new ones.

use super::proc_fd::ProcFd;
use super::resolve::{self, Symlinks};
use crate::arena::Arena;
use crate::host::files::for_each_line;
use crate::host::mountinfo::{Entry, unescape};
use crate::limits::PATH_BYTES;
use crate::plan::mount::MountFlags;
use crate::sys::mount::{Reach, set_attributes};
use crate::text::parse_number;
use heapless::Vec;
use linux_raw_sys::general::{
    MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME,
    MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME, MS_NOATIME,
    MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME, MS_STRICTATIME,
};
use rustix::fd::BorrowedFd;
use rustix::fs::{StatVfsMountFlags, fstatvfs};
use rustix::io::Errno;
use rustix::mount::{MountFlags as KernelFlags, mount_remount};

/// MS_ constants, and what mount_setattr(2) calls them.
const ATTRIBUTES: [(u32, u32); 5] = [
    (MS_RDONLY, MOUNT_ATTR_RDONLY),
    (MS_NOSUID, MOUNT_ATTR_NOSUID),
    (MS_NODEV, MOUNT_ATTR_NODEV),
    (MS_NOEXEC, MOUNT_ATTR_NOEXEC),
    (MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
];

/// How access times are kept.
const TIMES: u32 = MS_NOATIME | MS_STRICTATIME | MS_RELATIME;

/// What of that the host may have locked (mount_namespaces(7)); then it stays as it is.
const LOCKABLE: u32 = TIMES | MS_NODIRATIME;

/// The flags that belong to a mount and not to its file system.
const PER_MOUNT: u32 = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NODIRATIME | TIMES;

/// Whether `flags` has any that belongs to a mount.
pub const fn any(flags: MountFlags) -> bool {
    flags.0 & PER_MOUNT != 0
}

/// What mount_setattr(2) sets and clears for `wanted`. How access times are kept is one value of
/// several, and so is cleared before it is set; relatime is 0.
fn attributes(wanted: u32) -> (u32, u32) {
    let set = ATTRIBUTES
        .iter()
        .filter(|(flag, _)| wanted & flag != 0)
        .fold(0, |set, (_, attribute)| set | attribute);
    if wanted & TIMES == 0 {
        return (set, 0);
    }
    let times = match wanted {
        wanted if wanted & MS_NOATIME != 0 => MOUNT_ATTR_NOATIME,
        wanted if wanted & MS_STRICTATIME != 0 => MOUNT_ATTR_STRICTATIME,
        _ => 0,
    };
    (set | times, MOUNT_ATTR__ATIME)
}

/// Adds `flags` with mount_setattr(2), and so to a mount that is mounted nowhere yet as well. A
/// locked way of keeping access times stays.
pub fn set_detached(fd: BorrowedFd<'_>, flags: MountFlags, reach: Reach) -> Result<(), Errno> {
    let (set, clear) = attributes(flags.0 & PER_MOUNT);
    match set_attributes(fd, set, clear, reach) {
        Err(Errno::PERM) if flags.0 & LOCKABLE != 0 => {
            let (set, _) = attributes(flags.0 & PER_MOUNT & !LOCKABLE);
            set_attributes(fd, set, 0, reach)
        }
        done => done,
    }
}

/// Adds `flags` to the mount whose root `fd` is, and with [`Reach::Recursive`] to all below it.
///
/// # Errors
/// Those of mount_setattr(2) and mount(2).
pub fn set(fd: BorrowedFd<'_>, flags: MountFlags, reach: Reach) -> Result<(), Errno> {
    let wanted = flags.0 & PER_MOUNT;
    if wanted == 0 {
        return Ok(());
    }
    match set_detached(fd, flags, reach) {
        // Not there, or filtered.
        Err(Errno::NOSYS | Errno::PERM) => (),
        done => return done,
    }
    remount(&ProcFd::new(fd), fstatvfs(fd)?.f_flag, wanted)?;
    match reach {
        Reach::One => Ok(()),
        Reach::Recursive => below(fd, wanted),
    }
}

fn remount(path: &ProcFd, has: StatVfsMountFlags, wanted: u32) -> Result<(), Errno> {
    let kept = [
        (StatVfsMountFlags::RDONLY, MS_RDONLY),
        (StatVfsMountFlags::NOSUID, MS_NOSUID),
        (StatVfsMountFlags::NODEV, MS_NODEV),
        (StatVfsMountFlags::NOEXEC, MS_NOEXEC),
        (StatVfsMountFlags::NOATIME, MS_NOATIME),
        (StatVfsMountFlags::NODIRATIME, MS_NODIRATIME),
        (StatVfsMountFlags::RELATIME, MS_RELATIME),
    ]
    .iter()
    .filter(|(flag, _)| has.contains(*flag))
    .fold(0, |set, (_, flag)| set | flag);
    let bind = |flags| {
        mount_remount(
            path.path(),
            KernelFlags::BIND | KernelFlags::from_bits_retain(flags),
            c"",
        )
    };
    let without_old_times = if wanted & TIMES == 0 {
        kept
    } else {
        kept & !TIMES
    };
    match bind(without_old_times | wanted) {
        Err(Errno::PERM) if wanted & LOCKABLE != 0 => bind(kept | (wanted & !LOCKABLE)),
        done => done,
    }
}

/// Mounts below one another that are remembered while mountinfo is read.
const KNOWN: usize = 256;

/// The mounts at and below `top`, as far as mountinfo is read: proc_pid_mountinfo(5) lists children
/// after their parents.
struct Below<'t> {
    top: BorrowedFd<'t>,
    known: Vec<u32, KNOWN>,
    /// Bytes of the path of the top's mount point; the others' begin with it.
    prefix: usize,
    wanted: u32,
}

/// Remounts all that is mounted below `top`.
fn below(top: BorrowedFd<'_>, wanted: u32) -> Result<(), Errno> {
    let mut below = Below {
        top,
        known: Vec::new(),
        prefix: 0,
        wanted,
    };
    below
        .known
        .push(mount_id(top)?)
        .map_err(|_| Errno::TOOBIG)?;
    let mut done = Ok(());
    for_each_line(c"/proc/self/mountinfo", &mut |line| {
        if done.is_ok() {
            done = below.line(line);
        }
    });
    done
}

impl Below<'_> {
    fn line(&mut self, line: &[u8]) -> Result<(), Errno> {
        let Some(Entry { id, parent, point }) = Entry::of(line) else {
            return Ok(());
        };
        if self.known.first() == Some(&id) {
            self.prefix = point.len();
        }
        if !self.known.contains(&parent) || self.known.contains(&id) {
            return Ok(());
        }
        self.known.push(id).map_err(|_| Errno::TOOBIG)?;
        let mut memory = [0_u8; PATH_BYTES];
        let path = point.get(self.prefix..).unwrap_or_default();
        let path = unescape(path, &mut memory).ok_or(Errno::NAMETOOLONG)?;
        let Ok(mount) = resolve::open(self.top, path, Symlinks::Refuse) else {
            // Covered by another mount, or in a directory that this caller cannot search: nobody
            // inside gets there either.
            return Ok(());
        };
        match remount(&ProcFd::new(&mount), fstatvfs(&mount)?.f_flag, self.wanted) {
            // Not the root of a mount: covered.
            Err(Errno::INVAL) => Ok(()),
            done => done,
        }
    }
}

/// The mount's id, from /proc/self/fdinfo (proc_pid_fdinfo(5), 3.15).
fn mount_id(fd: BorrowedFd<'_>) -> Result<u32, Errno> {
    let mut memory = [0_u8; 64];
    let link = ProcFd::new(fd);
    let number = link
        .bytes()
        .rsplit(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    let mut arena = Arena::new(&mut memory);
    let path = arena
        .c_string(&[b"/proc/self/fdinfo/", number])
        .ok()
        .flatten()
        .ok_or(Errno::INVAL)?;
    let mut id = Err(Errno::INVAL);
    for_each_line(path, &mut |line| {
        if let Some(number) = line.strip_prefix(b"mnt_id:") {
            id = parse_number(number.trim_ascii()).ok_or(Errno::INVAL);
        }
    });
    id
}
