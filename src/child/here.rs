//! The working directory as a way to name exactly the directory that was opened.
//!
//! mount(2) knows paths only. `.` is one that nobody can change, and the kernel finds it at once:
//! /proc/self/fd/N costs it a few microseconds, and more when the process has ended.

use super::proc_fd::ProcFd;
use crate::sys::fd::Fd;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, mount, mount_move, move_mount};
use rustix::process::fchdir;

/// mount(2) on `target`.
pub fn mount_on(
    target: &Fd,
    source: &CStr,
    kind: &CStr,
    flags: MountFlags,
    data: Option<&CStr>,
) -> Result<(), Errno> {
    match fchdir(target) {
        Ok(()) => mount(source, c".", kind, flags, data),
        // One may mount on a directory that one may not enter.
        Err(_) => mount(source, ProcFd::new(target).path(), kind, flags, data),
    }
}

/// Moves the mount that is the working directory to `target`: move_mount(2) (5.2), or mount(2).
pub fn move_to(target: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    match move_mount(CWD, c".", target, c"", flags) {
        Err(Errno::NOSYS | Errno::PERM) => mount_move(c".", ProcFd::new(target).path()),
        done => done,
    }
}

/// Moves the mount that is the working directory to `name` in the directory `root`: without following
/// a link (5.2). So the place need not be opened.
pub fn move_below(root: &Fd, name: &CStr) -> Result<(), Errno> {
    move_mount(CWD, c".", root.as_fd(), name, MoveMountFlags::empty())
}

/// Mounts the detached `tree` on top of everything.
pub fn stack(tree: &Fd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(tree.as_fd(), c"", CWD, c"/", flags)
}
