//! Binds whose flags really take effect, from one descriptor to another.

use super::mount_flags;
use super::proc_fd::ProcFd;
use super::root;
use super::stack::topmost;
use crate::plan::mount::MountFlags;
use crate::sys::fd::Fd;
use crate::sys::mount::Reach;
use crate::sys::open::open_tree;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, mount_bind_recursive, mount_move, move_mount};

/// Binds `source` on `target`. `again` opens the target anew, for old kernels.
pub fn bind(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    flags: MountFlags,
    reach: Reach,
    again: impl Fn() -> Result<Fd, Errno>,
) -> Result<(), Errno> {
    match with_copy(source, target, flags, reach) {
        Err(Errno::NOSYS | Errno::PERM) if mount_flags::any(flags) => {
            with_mount(source, target, flags, reach, again)
        }
        Err(Errno::NOSYS | Errno::PERM) => plain(source, target, reach).map(drop),
        done => done,
    }
}

/// With a copy of the mounts at `source` that gets its flags before it is mounted anywhere:
/// open_tree(2) and move_mount(2) (5.2), mount_setattr(2) (5.12).
fn with_copy(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    flags: MountFlags,
    reach: Reach,
) -> Result<(), Errno> {
    let (tree, reach) = open_copy(source, reach)?;
    let placed = place(&tree, target, flags, reach);
    tree.leave();
    placed
}

/// Gives a copy of mounts its flags and mounts it on `target`.
pub fn place(
    tree: &Fd,
    target: BorrowedFd<'_>,
    flags: MountFlags,
    reach: Reach,
) -> Result<(), Errno> {
    if mount_flags::any(flags) {
        mount_flags::set_detached(tree.as_fd(), flags, reach)?;
    }
    attach(tree, target)
}

fn attach(mounted: &Fd, target: BorrowedFd<'_>) -> Result<(), Errno> {
    let empty = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mounted, c"", target, c"", empty)
}

/// Moves the mount at `mounted` to `target`.
pub fn relocate(mounted: &Fd, target: BorrowedFd<'_>) -> Result<(), Errno> {
    match attach(mounted, target) {
        Err(Errno::NOSYS | Errno::PERM) => {
            mount_move(ProcFd::new(mounted).path(), ProcFd::new(target).path())
        }
        done => done,
    }
}

fn open_copy(source: BorrowedFd<'_>, reach: Reach) -> Result<(Fd, Reach), Errno> {
    let copy = OpenTreeFlags::OPEN_TREE_CLONE;
    let recursive = copy | OpenTreeFlags::AT_RECURSIVE;
    match reach {
        Reach::Recursive => open_tree(source, recursive).map(|tree| (tree, Reach::Recursive)),
        Reach::One => match open_tree(source, copy) {
            Ok(tree) => Ok((tree, Reach::One)),
            // The host locked what is mounted below: all or nothing (mount_namespaces(7)).
            Err(Errno::INVAL) => open_tree(source, recursive).map(|tree| (tree, Reach::Recursive)),
            Err(errno) => Err(errno),
        },
    }
}

fn plain(source: BorrowedFd<'_>, target: BorrowedFd<'_>, reach: Reach) -> Result<Reach, Errno> {
    let target = ProcFd::new(target);
    match reach {
        Reach::One => root::bind(source, target.path()),
        Reach::Recursive => {
            mount_bind_recursive(ProcFd::new(source).path(), target.path()).map(|()| reach)
        }
    }
}

/// With mount(2): a directory is bound on `/`, where its mount can be opened, and moved when it has
/// its flags. A file cannot be there; it is bound, found again and compared.
fn with_mount(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    flags: MountFlags,
    reach: Reach,
    again: impl Fn() -> Result<Fd, Errno>,
) -> Result<(), Errno> {
    let wanted = fstat(source)?;
    if FileType::from_raw_mode(wanted.st_mode).is_dir() {
        let reach = match reach {
            Reach::One => root::bind(source, c"/")?,
            Reach::Recursive => {
                mount_bind_recursive(ProcFd::new(source).path(), c"/")?;
                reach
            }
        };
        let mounted = topmost()?;
        mount_flags::set(mounted.as_fd(), flags, reach)?;
        return mount_move(ProcFd::new(&mounted).path(), ProcFd::new(target).path());
    }
    plain(source, target, reach)?;
    let mounted = again()?;
    let found = fstat(&mounted)?;
    if (found.st_dev, found.st_ino) != (wanted.st_dev, wanted.st_ino) {
        return Err(Errno::STALE);
    }
    mount_flags::set(mounted.as_fd(), flags, Reach::One)
}
