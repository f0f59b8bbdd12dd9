//! Where newuidmap(1) and newgidmap(1) are.

use crate::arena::Arena;
use crate::limits::PATH_BYTES;
use core::ffi::CStr;
use rustix::fs::{Access, AtFlags, CWD, accessat};

/// Searched after PATH, which a login user's cron or CI job may lack.
const ALWAYS: [&[u8]; 2] = [b"/usr/bin", b"/bin"];

/// Directories where helpers are without being on everybody's PATH.
const SYSTEM: &[u8] = b"/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// Whether a helper is where helpers are.
pub fn is_installed(name: &CStr) -> bool {
    let mut memory = [0_u8; PATH_BYTES];
    installed(name, &mut Arena::new(&mut memory)).is_some()
}

/// The helper where helpers are.
pub fn installed<'a>(name: &CStr, arena: &mut Arena<'a>) -> Option<&'a CStr> {
    find(name, SYSTEM, arena)
}

/// The absolute path of the first executable `name` in the directories of `path` (a PATH), then in
/// /usr/bin and /bin. Relative directories are passed over: what lies in a working directory is not
/// for husk to trust.
pub fn find<'a>(name: &CStr, path: &[u8], arena: &mut Arena<'a>) -> Option<&'a CStr> {
    path.split(|byte| *byte == b':')
        .chain(ALWAYS)
        .filter(|directory| directory.first() == Some(&b'/'))
        .find_map(|directory| {
            let file = arena.c_string(&[directory, b"/", name.to_bytes()]).ok()??;
            accessat(CWD, file, Access::EXEC_OK, AtFlags::empty())
                .ok()
                .map(|()| file)
        })
}
