//! System calls by the names of syscalls(2), with the numbers that they have on this machine.
//!
//! The names of all calls are 4 kB of text, of which hardly anybody needs a word. They are made of 31
//! letters, so that one takes five bits; and they stand in the order of their numbers, so that these need
//! not be stored.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64::KNOWN;
#[cfg(target_arch = "x86_64")]
use x86_64::KNOWN;

use crate::config::keys::distance;
use heapless::Vec;

/// Defines `KNOWN` of linux-raw-sys's names. It is gone when the program is compiled.
macro_rules! calls {
    ($($call:ident)*) => {
        /// Names, with `__NR_` in front, and numbers.
        pub const KNOWN: &[(&str, u32)] =
            &[$((stringify!($call), linux_raw_sys::general::$call),)*];
    };
}
use calls;

/// A system call of this machine, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call(pub u32);

/// The number after the last call that husk knows the name of.
pub const COUNT: usize = match KNOWN {
    [.., (_, last)] => *last as usize + 1,
    [] => 0,
};

/// What may stand where there is no such call.
pub const ALLOWED: &str = "the names in syscalls(2), as this machine has them";

/// The first call that came after Linux 3.10, the oldest kernel that husk is for. Whoever makes this or a
/// later one must be ready to hear that it does not exist; an older one is answered as to somebody who lacks
/// the right to it.
pub const YOUNG: u32 = linux_raw_sys::general::__NR_sched_setattr;

/// A name's end is 0, its letters are the places here, from 1.
const LETTERS: &[u8; 31] = b"_abcdefghijklmnopqrstuvwxy12346";

/// Bytes of the longest name, `rt_tgsigqueueinfo` and its like, and some.
pub const LONGEST: usize = 32;

/// A name as it was unpacked.
pub type Name = Vec<u8, LONGEST>;

/// Letters of all names, and an end for each number up to the last.
const TOTAL: usize = {
    let (mut total, mut left) = (COUNT, KNOWN);
    while let [(name, _), rest @ ..] = left {
        total += name.len() - "__NR_".len();
        left = rest;
    }
    total
};

/// The names, packed; and two bytes, so that every letter has a byte behind it.
static PACKED: [u8; TOTAL * 5 / 8 + 2] = packed();

#[expect(
    clippy::indexing_slicing,
    reason = "it runs in the compiler, which stops"
)]
const fn packed() -> [u8; TOTAL * 5 / 8 + 2] {
    let mut bytes = [0_u8; TOTAL * 5 / 8 + 2];
    let (mut bit, mut number, mut left) = (0, 0, KNOWN);
    while let [(name, known), rest @ ..] = left {
        // Numbers that no call has.
        while number < *known {
            (number, bit) = (number + 1, bit + 5);
        }
        let mut letters = name.as_bytes().split_at("__NR_".len()).1;
        while let [letter, rest @ ..] = letters {
            let place = place(*letter) << (bit % 8);
            bytes[bit / 8] |= (place & 0xff) as u8;
            bytes[bit / 8 + 1] |= (place >> 8) as u8;
            (letters, bit) = (rest, bit + 5);
        }
        (left, number, bit) = (rest, number + 1, bit + 5);
    }
    bytes
}

/// The place of a letter from 1. Does not compile where it has none.
#[expect(
    clippy::indexing_slicing,
    reason = "it runs in the compiler, which stops"
)]
const fn place(letter: u8) -> u16 {
    let mut place = 0;
    while LETTERS[place as usize] != letter {
        place += 1;
    }
    place + 1
}

/// Letter number `index` of all; `None` is the end of a name.
fn letter(index: usize) -> Option<u8> {
    let bit = index.wrapping_mul(5);
    let byte = |at: usize| PACKED.get(at).copied().unwrap_or(0);
    let at = bit / 8;
    let pair = u16::from_le_bytes([byte(at), byte(at.wrapping_add(1))]);
    let place = usize::from(pair >> (bit % 8) & 31);
    LETTERS.get(place.checked_sub(1)?).copied()
}

/// Hands every call that has a name to `each`.
#[inline(never)]
pub fn for_each(each: &mut dyn FnMut(Call, &str)) {
    let mut index = 0_usize;
    for number in (0_u32..).take(COUNT) {
        let mut name = Name::new();
        while let Some(letter) = letter(index) {
            let _ = name.push(letter);
            index = index.wrapping_add(1);
        }
        index = index.wrapping_add(1);
        if !name.is_empty() {
            each(
                Call(number),
                core::str::from_utf8(&name).unwrap_or_default(),
            );
        }
    }
}

/// The call of that name; or else the name of one that it is a slip of the pen for.
pub fn named(found: &str) -> Result<Call, Option<Name>> {
    let mut exact = None;
    for_each(&mut |call, name| {
        if name == found {
            exact = Some(call);
        }
    });
    exact.ok_or_else(|| nearest(found))
}

#[cold]
#[inline(never)]
fn nearest(found: &str) -> Option<Name> {
    let (mut best, mut near) = (usize::MAX, Name::new());
    for_each(&mut |_, name| {
        let away = distance(found.as_bytes(), name.as_bytes());
        if away < best {
            best = away;
            near.clear();
            let _ = near.extend_from_slice(name.as_bytes());
        }
    });
    let allowed = near.len().max(found.len()).div_ceil(3);
    (best <= allowed).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::{Call, KNOWN, for_each, named};

    #[test]
    fn every_name_comes_out_as_it_went_in() {
        let mut known = KNOWN.iter();
        for_each(&mut |call, name| {
            let (own, number) = known.next().unwrap();
            assert_eq!((*own, *number), (&*(String::from("__NR_") + name), call.0));
            assert_eq!(named(name), Ok(call));
        });
        assert_eq!(known.next(), None);
    }

    #[test]
    fn a_slip_of_the_pen_finds_its_call() {
        let near = |name| named(name).unwrap_err().map(|name| name.to_vec());
        assert_eq!(near("keyctrl"), Some(b"keyctl".to_vec()));
        assert_eq!(near("io_urng_setup"), Some(b"io_uring_setup".to_vec()));
        assert_eq!(near("frobnicate_the_kernel"), None);
        assert_eq!(near(""), None);
        assert_eq!(
            named("getpid"),
            Ok(Call(linux_raw_sys::general::__NR_getpid))
        );
    }
}
