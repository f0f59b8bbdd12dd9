//! Symbolic links of the plan's, where what is written is not the host's.

use super::resolve::{TMPFS_MAGIC, read_link};
use super::root::NewRoot;
use crate::limits::PATH_BYTES;
use crate::sys::fd::Fd;
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fs::{fstat, fstatfs, symlinkat};
use rustix::io::Errno;

/// f_type of an overlay (statfs(2)).
const OVERLAYFS_MAGIC: i64 = 0x794c_7630;

/// Makes `name` in `directory` a link with this text; one that is there already will do.
///
/// # Errors
/// EROFS where that would be the root's own file system; EEXIST where something else has the name;
/// those of symlink(2).
pub fn make(root: &NewRoot, directory: &Fd, name: &CStr, text: &CStr) -> Result<(), Errno> {
    // A file system that is made of memory, or an overlay: what is written there is not the host's.
    let own = matches!(fstatfs(directory)?.f_type, TMPFS_MAGIC | OVERLAYFS_MAGIC);
    if !own || fstat(directory)?.st_dev == fstat(root.directory())?.st_dev {
        return Err(Errno::ROFS);
    }
    match symlinkat(text, directory, name) {
        Err(Errno::EXIST) => {
            let mut memory = [0_u8; PATH_BYTES];
            match read_link(directory.as_fd(), name, &mut memory) {
                Ok(found) if found == text => Ok(()),
                _ => Err(Errno::EXIST),
            }
        }
        done => done,
    }
}
