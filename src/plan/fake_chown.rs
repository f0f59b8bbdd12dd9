//! `fake_chown`: package managers give files to users that the container does not have. With the
//! maps of one id the kernel refuses that (EINVAL); with this filter it is answered with success, and
//! the file stays whose it is.

use super::id::{INVALID, MapLine};
use super::id_map::Maps;
use crate::limits::MAP_LINES;
use crate::sys::seccomp::{ALLOW, CHOWNS, ERRNO, Instruction as I, NATIVE};
use heapless::Vec;

/// Three instructions a line, a few for each call, and some more.
const MOST: usize = 2 * (3 * MAP_LINES + 4) + 7 * CHOWNS.len() + 8;

/// A filter.
pub type Filter = Vec<I, MOST>;

/// Cells of the filter's memory.
const UID: u32 = 0;
const GID: u32 = 1;

/// Makes the filter: a change of owner to ids that are all mapped is made, any other one is said to
/// have been. Calls of other ABIs are not looked at.
pub fn make(maps: &Maps<'_>, filter: &mut Filter) {
    let (uid, gid) = (maps.uid.lines, maps.gid.lines);
    let mut put = |instruction| {
        let _ = filter.push(instruction);
    };
    put(I::load_abi());
    put(I::equal(NATIVE, 1, 0));
    put(I::verdict(ALLOW));
    // Which of the calls it is decides where the ids are; past the list it is none of them.
    let mut left = u32::try_from(CHOWNS.len()).unwrap_or(0);
    for (number, argument) in CHOWNS {
        put(I::load_number());
        put(I::equal(number, 0, 5));
        put(I::load_argument(argument));
        put(I::store(UID));
        put(I::load_argument(argument.saturating_add(1)));
        put(I::store(GID));
        // Over the calls that are left, and what follows for those that are none of them.
        left = left.saturating_sub(1);
        put(I::skip(left.saturating_mul(7).saturating_add(1)));
    }
    // Not a verdict: the kernel's proof that a cell was filled before it is read runs through one.
    let checks = [uid, gid].map(|lines| u32::try_from(lines.len()).unwrap_or(0).saturating_mul(3));
    put(I::skip(
        checks
            .iter()
            .fold(8, |sum, lines| sum.saturating_add(*lines)),
    ));
    for (cell, lines) in [(UID, uid), (GID, gid)] {
        put(I::load(cell));
        check(lines, &mut put);
    }
    put(I::verdict(ALLOW));
}

/// Goes on after itself where the id is one of `lines`, or -1, which leaves it as it is; else it ends
/// the call.
fn check(lines: &[MapLine], put: &mut impl FnMut(I)) {
    let mut left = u32::try_from(lines.len()).unwrap_or(0).saturating_mul(3);
    // Over the lines, and over the verdict.
    let beyond = |left: u32| I::skip(left.saturating_add(1));
    put(I::equal(INVALID, 0, 1));
    put(beyond(left));
    for line in lines {
        left = left.saturating_sub(3);
        let first = line.inside.0;
        // Not below the first, and not past the last, whose successor may be no number.
        put(I::at_least(first, 0, 2));
        put(match first.checked_add(line.count) {
            Some(end) => I::at_least(end, 1, 0),
            None => I::skip(0),
        });
        put(beyond(left));
    }
    put(I::verdict(ERRNO));
}
