//! proc_pid_mountinfo(5): a mount on each line.

use crate::limits::PATH_BYTES;
use crate::text::parse_number;
use core::ffi::CStr;

/// A line of it, as far as it concerns husk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'l> {
    /// The mount's number.
    pub id: u32,
    /// Its parent's.
    pub parent: u32,
    /// Where it is, as the kernel writes it: see [`unescape`].
    pub point: &'l [u8],
}

impl<'l> Entry<'l> {
    /// The entry on a line; `None` where that is something else.
    pub fn of(line: &'l [u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        Some(Self {
            id: parse_number(fields.next()?)?,
            parent: parse_number(fields.next()?)?,
            point: fields.nth(2)?,
        })
    }
}

/// A path of mountinfo, where blanks and their like are written as `\040`.
pub fn unescape<'m>(path: &[u8], memory: &'m mut [u8; PATH_BYTES]) -> Option<&'m CStr> {
    let mut rest = path;
    let mut places = memory.iter_mut();
    while let Some((first, after)) = rest.split_first() {
        let (byte, left) = match rest {
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                left @ ..,
            ] => (((a & 3) << 6) | ((b & 7) << 3) | (c & 7), left),
            _ => (*first, after),
        };
        *places.next()? = byte;
        rest = left;
    }
    *places.next()? = 0;
    CStr::from_bytes_until_nul(memory).ok()
}

#[cfg(test)]
mod tests {
    use super::{Entry, unescape};

    #[test]
    fn a_line_names_a_mount_its_parent_and_its_place() {
        let line = b"36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw";
        let (id, parent, point) = (36, 35, &br"/mnt\0402"[..]);
        assert_eq!(Entry::of(line), Some(Entry { id, parent, point }));
        assert_eq!(Entry::of(b"36 35 98:0 /mnt1"), None);
        assert_eq!(Entry::of(b"36 x 98:0 /mnt1 /mnt2"), None);
    }

    #[test]
    fn blanks_in_mountinfo_are_blanks_again() {
        let mut memory = [0; 4096];
        assert_eq!(
            unescape(br"/a\040b\134c\\", &mut memory),
            Some(c"/a b\\c\\\\")
        );
        let mut memory = [1; 4096];
        assert_eq!(unescape(&[b'a'; 4096], &mut memory), None);
    }
}
