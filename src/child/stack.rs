//! The place where husk mounts what it needs a descriptor of: on top of `/`.
//!
//! There a path goes up (`/..`) to the topmost mount, while every path that starts at `/` still
//! starts below it, where the process's root is. So no name is looked up twice, nothing is mounted
//! at a place that somebody else could change, and it works on every kernel since 2.6.

use crate::sys::fd::Fd;
use crate::sys::open::openat;
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

/// The path of the topmost mount on `/`.
pub const TOPMOST: &CStr = c"/..";

/// Opens it.
#[inline(never)]
pub fn topmost() -> Result<Fd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, TOPMOST, flags, Mode::empty())
}
