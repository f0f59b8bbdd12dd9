//! No user namespaces below the container's own.

use crate::fail::{Doing, Explain, Failed};
use crate::limits::PROC_SUPER_MAGIC;
use crate::sys::open::openat;
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags, fstatfs};
use rustix::io::{Errno, write};

/// Its limit in the user namespace of whoever opens it (namespaces(7)).
const LIMIT: &CStr = c"/proc/sys/user/max_user_namespaces";

/// Writes 0 to the limit, by the caller's /proc, before anything of the container's is mounted. Who
/// lacks CAP_SYS_RESOURCE over the namespace cannot raise it again.
pub fn forbid() -> Result<(), Failed> {
    write_limit().doing(Doing::ForbidNesting, LIMIT.to_bytes())
}

fn write_limit() -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let limit = openat(CWD, LIMIT, flags, Mode::empty())?;
    if fstatfs(&limit)?.f_type != PROC_SUPER_MAGIC {
        return Err(Errno::NODEV);
    }
    write(&limit, b"0").map(drop)
}
