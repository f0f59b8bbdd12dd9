//! Finding the place of a mount, and making it where there is none.
//!
//! All that is ever made below a root is an empty file or directory, and the directories that lead
//! to it; only where the caller may write, and never through a symbolic link.

use super::proc_fd::ProcFd;
use super::resolve::{self, Symlinks, component_of, read_link};
use super::root::{NewRoot, Place, Strays};
use super::umask::Umask;
use super::underlay::{Over, Underlays, new_file};
use crate::config::MakeTarget;
use crate::fail::{Doing, Explain, Failed};
use crate::limits::PATH_BYTES;
use crate::plan::target::{Target, below, components};
use crate::sys::fd::Fd;
use crate::sys::open::{duplicate, openat};
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags, mkdirat};
use rustix::io::Errno;

/// What goes on a mount point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// Anything else.
    File,
}

/// What is wanted of a mount point.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// What is made where it is missing.
    pub kind: Kind,
    /// Whether it is made.
    pub make: MakeTarget,
    /// Whether links are followed to it, inside.
    pub symlinks: Symlinks,
}

/// Opens the mount point at `target`.
pub fn find<'a>(
    root: &mut NewRoot,
    (underlays, mask): (&mut Underlays, &mut Umask),
    target: Target<'a>,
    wanted: Wanted,
) -> Result<Fd, Failed> {
    let path = target.path();
    let found = match target {
        Target::Inside(path) => inside(root, path, wanted.symlinks),
        Target::Outside(path) => {
            resolve::outside(path).and_then(|found| inside_after_all(root, found))
        }
    };
    match found {
        Err(Errno::NOENT) if wanted.make == MakeTarget::Yes => {
            mask.clear();
            make(root, underlays, target, wanted.kind)
        }
        found => found.doing(Doing::OpenTarget, path.to_bytes()),
    }
}

/// A path below the new root. A plain one, and so most of them, leads to no other place than it says.
fn inside(root: &mut NewRoot, path: &CStr, symlinks: Symlinks) -> Result<Fd, Errno> {
    let is_plain = components(path.to_bytes()).next().is_some()
        && components(path.to_bytes()).all(|name| name != b"..");
    if is_plain {
        match resolve::open(root.fd.as_fd(), path, Symlinks::Refuse) {
            Err(Errno::LOOP) if symlinks == Symlinks::Follow => (),
            found => return found,
        }
    }
    root.strays = Strays::Possible;
    resolve::open(root.fd.as_fd(), path, symlinks)
}

/// A path seen from outside that is in the new root although it was not spelled so: there, it is
/// what is mounted on the new root that counts.
#[inline(never)]
fn inside_after_all(root: &mut NewRoot, found: Fd) -> Result<Fd, Errno> {
    if root.place == Place::Current {
        return Ok(found);
    }
    let (mut memory, mut other) = ([0_u8; PATH_BYTES], [0_u8; PATH_BYTES]);
    let path = path_of(found.as_fd(), &mut memory)?;
    let directory = path_of(root.directory(), &mut other)?;
    match below(path, directory) {
        Some(path) => inside(root, path, Symlinks::Follow),
        None => {
            // It may be what the new root is stacked on.
            root.strays = Strays::Possible;
            Ok(found)
        }
    }
}

/// The path of what is open, as the kernel has it.
fn path_of<'m>(fd: BorrowedFd<'_>, memory: &'m mut [u8; PATH_BYTES]) -> Result<&'m CStr, Errno> {
    read_link(CWD, ProcFd::new(fd).path(), memory)
}

#[inline(never)]
fn make<'a>(
    root: &mut NewRoot,
    underlays: &mut Underlays,
    target: Target<'a>,
    kind: Kind,
) -> Result<Fd, Failed> {
    let path = target.path().to_bytes();
    let start = match target {
        Target::Inside(_) => duplicate(&root.fd),
        Target::Outside(path) => {
            let from = if path.to_bytes().first() == Some(&b'/') {
                c"/"
            } else {
                c"."
            };
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            openat(CWD, from, flags, Mode::empty())
        }
    };
    let mut at = start.doing(Doing::OpenTarget, path)?;
    let mut names = components(path).peekable();
    let inside = matches!(target, Target::Inside(_));
    let mut over_root = inside;
    while let Some(name) = names.next() {
        let mut memory = [0_u8; PATH_BYTES];
        let name = c_string(&mut memory, name).doing(Doing::MakeTarget, path)?;
        let kind = if names.peek().is_some() {
            Kind::Directory
        } else {
            kind
        };
        at = match component_of(at.as_fd(), name) {
            Ok(found) if resolve::is_symlink(&found).doing(Doing::MakeTarget, path)? => {
                return Err(Errno::LOOP).doing(Doing::MakeTarget, path);
            }
            Ok(found) => found,
            Err(Errno::NOENT) => match make_one(at.as_fd(), name, kind) {
                Ok(made) => made,
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::OVERFLOW) if inside => {
                    let over = if over_root {
                        Over::Root
                    } else {
                        Over::Directory(at)
                    };
                    let tmpfs = underlays.lay(root, over).doing(Doing::Underlay, path)?;
                    make_one(tmpfs.as_fd(), name, kind).doing(Doing::MakeTarget, path)?
                }
                Err(errno) => return Err(errno).doing(Doing::MakeTarget, path),
            },
            Err(errno) => return Err(errno).doing(Doing::MakeTarget, path),
        };
        over_root = false;
    }
    Ok(at)
}

fn make_one(at: BorrowedFd<'_>, name: &CStr, kind: Kind) -> Result<Fd, Errno> {
    if name == c".." {
        return Err(Errno::INVAL);
    }
    let made = match kind {
        Kind::Directory => mkdirat(at, name, Mode::from_raw_mode(0o755)),
        Kind::File => new_file(at, name).map(drop),
    };
    match made {
        // Somebody else made it just now; containers that start together share a root.
        Ok(()) | Err(Errno::EXIST) => {
            let found = component_of(at, name)?;
            if resolve::is_symlink(&found)? {
                Err(Errno::LOOP)
            } else {
                Ok(found)
            }
        }
        Err(errno) => Err(errno),
    }
}

/// `name` with a NUL, in `memory`.
pub fn c_string<'m>(memory: &'m mut [u8; PATH_BYTES], name: &[u8]) -> Result<&'m CStr, Errno> {
    if name.len() >= PATH_BYTES {
        return Err(Errno::NAMETOOLONG);
    }
    for (to, from) in memory
        .iter_mut()
        .zip(name.iter().chain(core::iter::once(&0)))
    {
        *to = *from;
    }
    CStr::from_bytes_until_nul(memory).map_err(|_| Errno::INVAL)
}
