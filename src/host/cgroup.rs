//! The caller's cgroup of version 2 (cgroups(7)).

use super::files::for_each_line;
use crate::arena::Arena;
use crate::limits::PATH_BYTES;
use core::ffi::CStr;
use rustix::fs::statfs;

/// f_type of a hierarchy of version 2 (statfs(2)).
pub const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;

/// The directory of the caller's cgroup; `None` where there is no hierarchy of version 2, or it is not
/// mounted where everybody has it.
pub fn own(memory: &mut [u8; PATH_BYTES]) -> Option<&CStr> {
    // Beside version 1 it has a place of its own.
    let top: &[u8] = if is_alone() {
        b"/sys/fs/cgroup"
    } else if is_version_2(c"/sys/fs/cgroup/unified") {
        b"/sys/fs/cgroup/unified"
    } else {
        return None;
    };
    let mut found = None;
    let mut arena = Arena::new(memory);
    for_each_line(c"/proc/self/cgroup", &mut |line| {
        if let Some(path) = line.strip_prefix(b"0::")
            && found.is_none()
        {
            found = arena.c_string(&[top, path]).ok().flatten();
        }
    });
    found
}

/// Whether version 2 is all there is where systemd mounts cgroups; beside version 1 it seldom has a
/// controller.
pub fn is_alone() -> bool {
    is_version_2(c"/sys/fs/cgroup")
}

fn is_version_2(path: &CStr) -> bool {
    statfs(path).is_ok_and(|found| found.f_type == CGROUP2_SUPER_MAGIC)
}
