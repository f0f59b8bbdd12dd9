//! Paths below a root: resolved from its descriptor, by the kernel or by hand, and never out of it.
//!
//! openat2(2) with RESOLVE_IN_ROOT (5.6) does it in one call. Where it is missing (ENOSYS) or a
//! seccomp filter does not know it (EPERM), husk walks component by component with O_NOFOLLOW and
//! takes symbolic links apart itself. A walk can be raced into another place of the same root,
//! never out of it.

use crate::limits::{DEPTH, PATH_BYTES, PROC_SUPER_MAGIC, SYMLINKS};
use crate::sys::fd::Fd;
use crate::sys::open::{duplicate, openat, openat2};
use core::ffi::CStr;
use heapless::Vec;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, readlinkat_raw};
use rustix::io::{Errno, retry_on_intr};

/// Whether symbolic links on the way are followed, inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symlinks {
    /// They are.
    Follow,
    /// They are an error, ELOOP.
    Refuse,
}

/// openat2(2) says EAGAIN when a rename or mount elsewhere leaves it unsure about a `..`.
const PATIENCE: usize = 64;

/// Opens `path`, absolute or not, below `root` with O_PATH.
///
/// # Errors
/// Those of openat2(2); ELOOP for a link that is not to be followed and for magic links.
pub fn open(root: BorrowedFd<'_>, path: &CStr, symlinks: Symlinks) -> Result<Fd, Errno> {
    // What is left of the root's own path is nothing.
    let path = if path.is_empty() { c"." } else { path };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let mut resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    if symlinks == Symlinks::Refuse {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    for _ in 0..PATIENCE {
        match retry_on_intr(|| openat2(root, path, flags, resolve)) {
            Err(Errno::AGAIN) => (),
            Err(Errno::NOSYS | Errno::PERM) => return walk(root, path, symlinks),
            opened => return opened,
        }
    }
    Err(Errno::AGAIN)
}

/// The names that are still to be walked, the next one at the end of the text that was put in last.
struct Names {
    /// Reversed order of texts: a link's text is put in front of what follows the link.
    text: Vec<u8, { 2 * PATH_BYTES }>,
}

impl Names {
    fn put_in_front(&mut self, path: &[u8]) -> Result<(), Errno> {
        let mut rest: Vec<u8, { 2 * PATH_BYTES }> = Vec::new();
        rest.extend_from_slice(path)
            .map_err(|_| Errno::NAMETOOLONG)?;
        rest.push(b'/').map_err(|_| Errno::NAMETOOLONG)?;
        rest.extend_from_slice(&self.text)
            .map_err(|_| Errno::NAMETOOLONG)?;
        self.text = rest;
        Ok(())
    }

    /// Takes the next name, ended by a NUL, into `name`; false when there is none.
    fn next(&mut self, name: &mut Vec<u8, PATH_BYTES>) -> Result<bool, Errno> {
        let start = self
            .text
            .iter()
            .position(|byte| *byte != b'/')
            .unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| *byte == b'/')
            .unwrap_or(rest.len());
        name.clear();
        name.extend_from_slice(rest.get(..end).unwrap_or_default())
            .map_err(|_| Errno::NAMETOOLONG)?;
        name.push(0).map_err(|_| Errno::NAMETOOLONG)?;
        let left = Vec::from_slice(rest.get(end..).unwrap_or_default());
        self.text = left.map_err(|_| Errno::NAMETOOLONG)?;
        Ok(name.len() > 1)
    }
}

/// Where the kernel cannot do it. Its names take pages of the stack.
#[cold]
#[inline(never)]
fn walk(root: BorrowedFd<'_>, path: &CStr, symlinks: Symlinks) -> Result<Fd, Errno> {
    let mut above: Vec<Fd, DEPTH> = Vec::new();
    let mut names = Names { text: Vec::new() };
    names.put_in_front(path.to_bytes())?;
    let mut name = Vec::new();
    let mut links = 0_usize;
    while names.next(&mut name)? {
        let component = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        if component == c"." {
            continue;
        }
        if component == c".." {
            above.pop();
            continue;
        }
        let at = above.last().map_or(root, AsFd::as_fd);
        let next = component_of(at, component)?;
        if !is_symlink(&next)? {
            above.push(next).map_err(|_| Errno::NAMETOOLONG)?;
            continue;
        }
        links = links.saturating_add(1);
        if symlinks == Symlinks::Refuse || links > SYMLINKS || is_magic(&next)? {
            return Err(Errno::LOOP);
        }
        let mut memory = [0_u8; PATH_BYTES];
        let target = read_link(next.as_fd(), c"", &mut memory)?.to_bytes();
        if target.first() == Some(&b'/') {
            above.clear();
        }
        names.put_in_front(target)?;
    }
    match above.pop() {
        Some(found) => Ok(found),
        None => duplicate(root),
    }
}

/// One name of the directory `at`: no link is followed, nothing is above it.
pub fn component_of(at: BorrowedFd<'_>, name: &CStr) -> Result<Fd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat(at, name, flags, Mode::empty())
}

/// Whether `fd` is a symbolic link that was opened itself.
pub fn is_symlink(fd: impl AsFd) -> Result<bool, Errno> {
    Ok(rustix::fs::FileType::from_raw_mode(fstat(fd)?.st_mode).is_symlink())
}

/// The links of a proc lead out of any root.
fn is_magic(fd: impl AsFd) -> Result<bool, Errno> {
    Ok(rustix::fs::fstatfs(fd)?.f_type == PROC_SUPER_MAGIC)
}

/// The text of the symbolic link `path` of `at`, or of `at` itself when `path` is empty.
pub fn read_link<'m>(
    at: BorrowedFd<'_>,
    path: &CStr,
    memory: &'m mut [u8; PATH_BYTES],
) -> Result<&'m CStr, Errno> {
    // The last byte stays 0.
    let room = memory.get_mut(..PATH_BYTES - 1).unwrap_or_default();
    readlinkat_raw(at, path, room)?;
    CStr::from_bytes_until_nul(memory).map_err(|_| Errno::NAMETOOLONG)
}

/// f_type of a tmpfs (statfs(2)).
pub const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Opens `path` as any program would, with O_PATH.
pub fn outside(path: &CStr) -> Result<Fd, Errno> {
    openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}
