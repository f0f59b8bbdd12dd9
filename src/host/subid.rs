//! subuid(5) and subgid(5): the ranges of ids that an ordinary user may map.

use super::caller::Caller;
use super::files::for_each_line;
use super::getsubids::{self, Kind};
use crate::arena::Arena;
use crate::limits::SUBID_RANGES;
use crate::plan::id::{INVALID, Outside};
use crate::text::parse_number;
use heapless::Vec;

/// A range of ids that the caller may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first one.
    pub start: Outside,
    /// How many; at least 1.
    pub count: u32,
}

/// The ranges of one user.
pub type Ranges = Vec<Range, SUBID_RANGES>;

/// The ranges of the caller: its lines in /etc/subuid and /etc/subgid, by login name and by uid; or
/// what a directory says of it, where nsswitch.conf(5) has one for them. A file that is not there or
/// cannot be read grants nothing.
///
/// `user` is a name for whom /etc/passwd does not know, but a directory may; newuidmap(1) looks who it
/// really is.
pub fn of_caller(caller: &Caller, user: &[u8], subuid: &mut Ranges, subgid: &mut Ranges) {
    let mut name: Vec<u8, LOGIN_NAME> = Vec::new();
    for_each_line(c"/etc/passwd", &mut |line| {
        if name.is_empty()
            && let Some(found) = login_name(line, caller.uid)
        {
            // A longer name is none that shadow(3) would have made.
            let _ = name.extend_from_slice(found);
        }
    });
    if getsubids::is_wanted() {
        let mut memory = [0_u8; LOGIN_NAME + 1];
        let owner = if name.is_empty() { user } else { &name };
        let owner = Arena::new(&mut memory).c_string(&[owner]).ok().flatten();
        let asked = owner.filter(|owner| !owner.is_empty()).and_then(|owner| {
            getsubids::ask(owner, Kind::Uid, subuid)?;
            getsubids::ask(owner, Kind::Gid, subgid)
        });
        if asked.is_some() {
            return;
        }
        subuid.clear();
    }
    for (path, ranges) in [(c"/etc/subuid", subuid), (c"/etc/subgid", subgid)] {
        for_each_line(path, &mut |line| {
            if let Some(range) = parse(line, &name, caller.uid) {
                // More than a map has lines for are of no use.
                let _ = ranges.push(range);
            }
        });
    }
}

/// Bytes of a login name (LOGIN_NAME_MAX, limits.h).
const LOGIN_NAME: usize = 256;

/// The range that `line` of subuid(5) grants to the user `name` (empty: unknown) or `uid`.
///
/// A line is NAME:START:COUNT or UID:START:COUNT. As for shadow(3)'s own reader, comments and
/// malformed lines count for nothing; nor do empty ranges and those past the last id.
pub fn parse(line: &[u8], name: &[u8], uid: u32) -> Option<Range> {
    let mut fields = line.split(|byte| *byte == b':');
    let (owner, start, count) = (fields.next()?, fields.next()?, fields.next()?);
    let named = !name.is_empty() && owner == name;
    if fields.next().is_some() || (!named && parse_number(owner) != Some(uid)) {
        return None;
    }
    range(start, count)
}

/// The range from `start`; none if it is empty, or goes past the last id.
pub fn range(start: &[u8], count: &[u8]) -> Option<Range> {
    let (start, count) = (parse_number(start)?, parse_number(count)?);
    (count > 0 && count <= INVALID - start).then_some(Range {
        start: Outside(start),
        count,
    })
}

/// The login name in `line` of passwd(5), if its uid is `uid`. A static binary has no other way to
/// ask (NSS).
pub fn login_name(line: &[u8], uid: u32) -> Option<&[u8]> {
    let mut fields = line.split(|byte| *byte == b':');
    let name = fields.next()?;
    let number = fields.nth(1)?;
    (parse_number(number) == Some(uid)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Range, login_name, parse};
    use crate::plan::id::Outside;

    fn ranges(text: &str) -> Vec<(u32, u32)> {
        text.split('\n')
            .filter_map(|line| parse(line.as_bytes(), b"alice", 5000))
            .map(
                |Range {
                     start: Outside(start),
                     count,
                 }| (start, count),
            )
            .collect()
    }

    #[test]
    fn lines_count_by_name_and_by_uid_and_add_up() {
        let text = "bob:1:1\nalice:100000:65536\n5000:300000:10\nalice:400000:1";
        assert_eq!(
            ranges(text),
            [(100_000, 65536), (300_000, 10), (400_000, 1)]
        );
    }

    #[test]
    fn comments_and_malformed_lines_count_for_nothing() {
        let text = "# alice:1:1\n\nalice\nalice:1\nalice:x:1\nalice:1:-1\nalice:1:2:3\nalice:1:0\n\
                    alice:4294967295:1\nalice:4294967290:9\n alice:7:7\nalice:9:9\r\nalice:5:5\n";
        assert_eq!(ranges(text), [(5, 5)]);
    }

    #[test]
    fn an_unknown_name_matches_no_line_without_one() {
        assert_eq!(parse(b":1:1", b"", 5000), None);
    }

    #[test]
    fn a_login_name_is_found_by_its_uid() {
        assert_eq!(
            login_name(b"alice:x:5000:5000::/:", 5000),
            Some(&b"alice"[..])
        );
        assert_eq!(login_name(b"alice:x:5000:5000::/:", 500), None);
        assert_eq!(login_name(b"bad", 5000), None);
    }
}
