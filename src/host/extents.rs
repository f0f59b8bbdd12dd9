//! The ids of the user namespace that husk is in.

use super::files::for_each_line;
use super::subid::{Range, Ranges};
use crate::plan::id::Outside;
use crate::text::parse_number;
use core::ffi::CStr;

/// The extents of a map of this process (uid_map or gid_map, user_namespaces(7)), as it sees them; none
/// where there is no /proc.
#[inline(never)]
pub fn read(path: &CStr, extents: &mut Ranges) {
    for_each_line(path, &mut |line| {
        let mut fields = line
            .split(|byte| *byte == b' ')
            .filter(|field| !field.is_empty());
        let start = fields.next().and_then(parse_number);
        let count = fields.nth(1).and_then(parse_number);
        if let (Some(start), Some(count)) = (start, count) {
            // More than can be kept are of no use: the lines of the new map are as few.
            let start = Outside(start);
            let _ = extents.push(Range { start, count });
        }
    });
}
