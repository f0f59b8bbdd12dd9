//! Which ids the container has, and who may write its maps.

use super::Identity;
use super::id::{Inside, MapLine, Outside};
use crate::config::{At, IdMap};
use crate::fail::refusal::{Refusal, Refused, What};
use crate::host::caller::Power;
use crate::host::subid::Range;
use crate::limits::MAP_LINES;
use core::ffi::CStr;
use heapless::Vec;

/// The lines of one map.
pub type Lines = Vec<MapLine, MAP_LINES>;

/// Both maps of a user namespace.
#[derive(Clone, Copy, Debug)]
pub struct Maps<'a> {
    /// uid_map.
    pub uid: Map<'a>,
    /// gid_map.
    pub gid: Map<'a>,
    /// What is written to setgroups before gid_map.
    pub setgroups: Setgroups,
    /// Whether the first line of each will do.
    pub ranges: Wish,
    /// Where they can be written from.
    pub from: Side,
    /// The caller's ids as they are inside.
    pub caller: Identity,
}

/// A side of the new user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Its first process can map nothing but the ids that it has (user_namespaces(7)).
    Inside,
    /// The supervisor, and who helps it.
    Outside,
}

/// How much the lines after the first are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// They were asked for.
    Required,
    /// husk took them because the caller has them.
    WhereTheyCanBeHad,
}

/// One map.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    /// Its lines.
    pub lines: &'a [MapLine],
    /// Who writes it.
    pub writer: Writer<'a>,
}

/// Who writes a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer<'a> {
    /// husk itself.
    Husk,
    /// newuidmap(1) or newgidmap(1) at this path, which have the right to.
    Helper(&'a CStr),
}

/// setgroups(2) in the user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setgroups {
    /// "deny" is written: the kernel lets nobody without CAP_SETGID write a gid_map before, since
    /// dropping a group can give access (user_namespaces(7); Linux 3.19, CVE-2014-8989).
    Deny,
    /// It is left as it is; newgidmap(1) writes "deny" itself where it must.
    Leave,
}

impl Map<'_> {
    /// Whether an id exists inside.
    pub fn covers(&self, id: Inside) -> bool {
        self.lines.iter().any(|line| line.covers(id))
    }

    /// The id inside that is `outside` for the caller.
    pub fn inside_of(&self, outside: Outside) -> Option<Inside> {
        self.lines.iter().find_map(|line| {
            let offset = outside.0.checked_sub(line.outside.0)?;
            (offset < line.count).then(|| Inside(line.inside.0.saturating_add(offset)))
        })
    }
}

/// Whether the kernel lets the caller write this map itself (user_namespaces(7)): one id, its own,
/// or anything with the capability.
pub fn direct(lines: &[MapLine], own: u32, power: Power) -> bool {
    if power == Power::Has {
        return true;
    }
    matches!(lines, [line] if line.count == 1 && line.outside == Outside(own))
}

/// The map that was asked for line by line; refuses lines that the kernel would refuse without a
/// word.
pub fn given(asked: &[At<MapLine>], subject: &str, lines: &mut Lines) -> Result<(), Refused> {
    for (number, line) in asked.iter().enumerate() {
        let earlier = asked.iter().take(number);
        if let Some(other) = earlier
            .into_iter()
            .find(|other| other.value.overlaps(&line.value))
        {
            return Err(Refusal::new(
                line.place,
                subject,
                What::Overlaps(other.place),
            ));
        }
        let _ = lines.push(line.value);
    }
    Ok(())
}

/// The line of a map that is the caller's `own` id, for an `id_map` kind.
pub const fn own(kind: IdMap, own: u32) -> MapLine {
    let inside = match kind {
        IdMap::Own => Inside(own),
        IdMap::Auto | IdMap::Root => Inside(0),
    };
    MapLine::one(inside, Outside(own))
}

/// The map of an `id_map` kind for the caller's `own` id. `ranges` are the caller's subuid(5) or
/// subgid(5) ranges; they follow root one after the other, and are empty where they cannot be had.
pub fn made(kind: IdMap, own: u32, ranges: &[Range], lines: &mut Lines) {
    let _ = lines.push(self::own(kind, own));
    if kind != IdMap::Auto {
        return;
    }
    let mut next = 1_u32;
    for range in ranges {
        let line = MapLine {
            inside: Inside(next),
            outside: range.start,
            count: range.count,
        };
        // A range that holds the caller's own id, or meets another, would spoil the whole map.
        if !line.fits()
            || lines.iter().any(|other| other.overlaps(&line))
            || lines.push(line).is_err()
        {
            continue;
        }
        next = next.saturating_add(range.count);
    }
}

/// Splits the lines where the ids outside are of two `extents` of the caller's own namespace: the kernel
/// takes no line that is not within one (map_id_range_down in its kernel/user_namespace.c).
pub fn split(lines: &mut Lines, extents: &[Range]) {
    let holds = |extent: &Range, line: &MapLine| {
        let offset = line.outside.0.checked_sub(extent.start.0);
        let left = offset.and_then(|offset| extent.count.checked_sub(offset));
        left.is_some_and(|left| left >= line.count)
    };
    let is_whole = |line: &MapLine| extents.iter().any(|extent| holds(extent, line));
    if !extents.is_empty() && !lines.iter().all(is_whole) {
        split_some(lines, extents);
    }
}

#[cold]
#[inline(never)]
fn split_some(lines: &mut Lines, extents: &[Range]) {
    let mut pieces = Lines::new();
    for line in &*lines {
        let mut rest = *line;
        while rest.count > 0 {
            let left = extents.iter().find_map(|extent| {
                let offset = rest.outside.0.checked_sub(extent.start.0)?;
                extent.count.checked_sub(offset).filter(|left| *left > 0)
            });
            // What is in none of them is refused by the kernel, as it is.
            let count = left.map_or(rest.count, |left| left.min(rest.count));
            if pieces.push(MapLine { count, ..rest }).is_err() {
                return;
            }
            rest = MapLine {
                inside: Inside(rest.inside.0.saturating_add(count)),
                outside: Outside(rest.outside.0.saturating_add(count)),
                count: rest.count.saturating_sub(count),
            };
        }
    }
    *lines = pieces;
}

#[cfg(test)]
mod tests {
    use super::{Lines, direct, given, made, split};
    use crate::config::{At, IdMap, Place};
    use crate::host::caller::Power;
    use crate::host::subid::{Range, Ranges};
    use crate::plan::id::{Inside, MapLine, Outside};

    const fn line(inside: u32, outside: u32, count: u32) -> MapLine {
        MapLine {
            inside: Inside(inside),
            outside: Outside(outside),
            count,
        }
    }

    #[test]
    fn root_is_the_caller_and_the_ranges_follow() {
        let mut ranges = Ranges::new();
        for (start, count) in [(100_000, 65536), (300_000, 10)] {
            ranges
                .push(Range {
                    start: Outside(start),
                    count,
                })
                .unwrap();
        }
        let mut lines = Lines::new();
        made(IdMap::Auto, 1000, &ranges, &mut lines);
        assert_eq!(
            lines,
            [
                line(0, 1000, 1),
                line(1, 100_000, 65536),
                line(65537, 300_000, 10)
            ]
        );
        for (kind, first) in [(IdMap::Root, 0), (IdMap::Own, 1000)] {
            lines.clear();
            made(kind, 1000, &ranges, &mut lines);
            assert_eq!(lines, [line(first, 1000, 1)]);
        }
    }

    #[test]
    fn a_line_is_split_where_the_callers_own_map_is() {
        let mut extents = Ranges::new();
        for (start, count) in [(0, 1), (1, 999), (1000, 10), (5000, 60000)] {
            let start = Outside(start);
            extents.push(Range { start, count }).unwrap();
        }
        let mut lines = Lines::new();
        for one in [line(0, 0, 1005), line(2000, 6000, 5), line(3000, 4000, 9)] {
            lines.push(one).unwrap();
        }
        split(&mut lines, &extents);
        assert_eq!(
            lines,
            [
                line(0, 0, 1),
                line(1, 1, 999),
                line(1000, 1000, 5),
                line(2000, 6000, 5),
                line(3000, 4000, 9)
            ]
        );
        split(&mut lines, &Ranges::new());
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn a_range_that_holds_the_caller_is_left_out() {
        let mut ranges = Ranges::new();
        ranges
            .push(Range {
                start: Outside(0),
                count: 65536,
            })
            .unwrap();
        ranges
            .push(Range {
                start: Outside(100_000),
                count: 10,
            })
            .unwrap();
        let mut lines = Lines::new();
        made(IdMap::Auto, 1000, &ranges, &mut lines);
        assert_eq!(lines, [line(0, 1000, 1), line(1, 100_000, 10)]);
    }

    #[test]
    fn only_ones_own_id_can_be_mapped_without_the_capability() {
        assert!(direct(&[line(0, 1000, 1)], 1000, Power::Lacks));
        assert!(!direct(&[line(0, 1001, 1)], 1000, Power::Lacks));
        assert!(!direct(&[line(0, 1000, 2)], 1000, Power::Lacks));
        assert!(!direct(
            &[line(0, 1000, 1), line(1, 1001, 1)],
            1000,
            Power::Lacks
        ));
        assert!(direct(&[line(0, 1001, 9)], 1000, Power::Has));
    }

    #[test]
    fn overlapping_lines_are_refused_at_the_second() {
        let asked = [
            At::new(line(0, 1000, 1), Place::File(3)),
            At::new(line(0, 5, 1), Place::File(9)),
        ];
        let refusal = given(&asked, "uid_map", &mut Lines::new()).unwrap_err();
        assert_eq!(refusal.place, Place::File(9));
    }
}
