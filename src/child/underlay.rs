//! A mount point where none can be made: a tmpfs over its parent, with everything that was there
//! bound back.
//!
//! Works on read-only and foreign directories, on NFS, without overlayfs and on Linux 3.10. Not for
//! a parent that can be written: new files there would vanish with the tmpfs, and renames over
//! bound entries fail.

use super::mount_flags;
use super::proc_fd::ProcFd;
use super::resolve::{component_of, read_link};
use super::root::NewRoot;
use super::stack::topmost;
use crate::limits::{PATH_BYTES, UNDERLAYS};
use crate::plan::mount::MountFlags;
use crate::sys::directory::Directory;
use crate::sys::fd::Fd;
use crate::sys::mount::Reach;
use crate::sys::open::{duplicate, openat};
use core::ffi::CStr;
use heapless::Vec;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, Mode, OFlags, chmodat, fstat, mkdirat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MountFlags as KernelFlags, mount, mount_bind_recursive, mount_move};

/// The underlays of a container. They stay writable until every mount point is made.
pub struct Underlays(Vec<Fd, UNDERLAYS>);

/// Whose place a tmpfs takes.
pub enum Over {
    /// The new root itself.
    Root,
    /// A directory below it.
    Directory(Fd),
}

impl Default for Underlays {
    fn default() -> Self {
        Self::new()
    }
}

impl Underlays {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Lays a tmpfs over a directory and returns it.
    pub fn lay(&mut self, root: &mut NewRoot, over: Over) -> Result<Fd, Errno> {
        let covered = match &over {
            Over::Root => root.fd.as_fd(),
            Over::Directory(directory) => directory.as_fd(),
        };
        let flags = KernelFlags::NOSUID | KernelFlags::NODEV;
        mount(c"tmpfs", c"/", c"tmpfs", flags, c"mode=0755")?;
        let tmpfs = topmost()?;
        bind_back(covered, tmpfs.as_fd())?;
        chmodat(
            &tmpfs,
            c".",
            Mode::from_raw_mode(fstat(covered)?.st_mode & 0o7777),
            rustix::fs::AtFlags::empty(),
        )?;
        match over {
            Over::Root => {
                // It is on top of `/` already.
                root.rise()?;
            }
            Over::Directory(directory) => {
                mount_move(ProcFd::new(&tmpfs).path(), ProcFd::new(&directory).path())?;
            }
        }
        let returned = duplicate(&tmpfs)?;
        self.0.push(tmpfs).map_err(|_| Errno::MFILE)?;
        Ok(returned)
    }

    /// Makes all of them read-only: their directories could not be written either.
    pub fn finish(self) -> Result<(), Errno> {
        self.0.iter().try_for_each(|tmpfs| {
            mount_flags::set(tmpfs.as_fd(), MountFlags::READ_ONLY, Reach::One)
        })
    }
}

/// Gives the directory `to` every entry of `from`.
fn bind_back(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut directory = Directory::new(openat(from, c".", flags, Mode::empty())?);
    while let Some(name) = directory.next_name()? {
        bind_entry(from, to, name)?;
    }
    Ok(())
}

fn bind_entry(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    let entry = component_of(from, name)?;
    match FileType::from_raw_mode(fstat(&entry)?.st_mode) {
        FileType::Symlink => {
            let mut memory = [0_u8; PATH_BYTES];
            symlinkat(read_link(entry.as_fd(), c"", &mut memory)?, to, name)
        }
        FileType::Directory => {
            mkdirat(to, name, Mode::from_raw_mode(0o755))?;
            let place = component_of(to, name)?;
            again(&entry, &place)
        }
        _ => {
            let place = new_file(to, name)?;
            again(&entry, &place)
        }
    }
}

/// Binds an entry back, with all that husk has mounted on it and below it so far.
fn again(entry: &Fd, place: &Fd) -> Result<(), Errno> {
    mount_bind_recursive(ProcFd::new(entry).path(), ProcFd::new(place).path())
}

/// Makes an empty file, which must not be there yet, for something to be bound over it.
pub fn new_file(directory: BorrowedFd<'_>, name: &CStr) -> Result<Fd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(directory, name, flags, Mode::from_raw_mode(0o644))
}
