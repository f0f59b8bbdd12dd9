//! Text on its way out, and numbers on their way in.

use crate::limits::LINE_BYTES;
use core::convert::Infallible;
use heapless::Vec;
use rustix::fd::AsFd;
use ufmt::{uWrite, uwrite};

/// Output that is collected and then written with one write(2), so that lines of several processes
/// never mix. What does not fit is left out at the end.
pub struct Text<const N: usize = LINE_BYTES>(Vec<u8, N>);

impl<const N: usize> Text<N> {
    /// No text yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds text.
    pub fn put(&mut self, text: &str) {
        self.raw(text.as_bytes());
    }

    /// Adds a number.
    pub fn number(&mut self, number: impl Into<u64>) {
        let _ = uwrite!(self, "{}", number.into());
    }

    /// Adds bytes that came from outside, such as a path: as they are, but what could end the line
    /// or drive a terminal becomes `\xNN`, and so does all that is not ASCII where there is more to
    /// fear in it than letters.
    pub fn foreign(&mut self, bytes: &[u8]) {
        let letters = core::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(is_tricky));
        for byte in bytes {
            if byte.is_ascii_control() || (!letters && !byte.is_ascii()) {
                self.raw(b"\\x");
                self.raw(&[hex(byte >> 4), hex(byte & 15)]);
            } else {
                self.raw(&[*byte]);
            }
        }
    }

    /// The bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Writes all of it to `fd`. There is nobody to tell when that fails.
    pub fn write_to(&self, fd: impl AsFd) {
        let mut rest = self.bytes();
        while let Ok(written) = rustix::io::retry_on_intr(|| rustix::io::write(&fd, rest)) {
            match rest.get(written..) {
                Some(left) if written > 0 && !left.is_empty() => rest = left,
                _ => break,
            }
        }
    }

    /// Writes all of it and starts anew.
    pub fn flush_to(&mut self, fd: impl AsFd) {
        self.write_to(fd);
        self.0.clear();
    }

    fn raw(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let _ = self.0.push(*byte);
        }
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> uWrite for Text<N> {
    type Error = Infallible;

    fn write_str(&mut self, text: &str) -> Result<(), Infallible> {
        self.put(text);
        Ok(())
    }
}

/// A control character of ISO 6429, or one that changes the direction of what follows.
const fn is_tricky(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const fn hex(digit: u8) -> u8 {
    if digit < 10 {
        b'0'.wrapping_add(digit)
    } else {
        b'a'.wrapping_add(digit).wrapping_sub(10)
    }
}

/// A number in decimal digits, where there is no room for a [`Text`].
pub struct Decimal {
    digits: [u8; Self::MOST],
    first: usize,
}

impl Decimal {
    /// Digits of the largest number.
    pub const MOST: usize = 10;

    /// The digits of `number`.
    #[inline(never)]
    pub fn new(mut number: u32) -> Self {
        let mut decimal = Self {
            digits: [b'0'; Self::MOST],
            first: Self::MOST,
        };
        for digit in decimal.digits.iter_mut().rev() {
            let [low, ..] = (number % 10).to_le_bytes();
            *digit = b'0'.wrapping_add(low);
            decimal.first = decimal.first.saturating_sub(1);
            number /= 10;
            if number == 0 {
                break;
            }
        }
        decimal
    }

    /// The digits.
    pub fn bytes(&self) -> &[u8] {
        self.digits.get(self.first..).unwrap_or_default()
    }
}

/// A decimal number without sign, as subuid(5) and the command line have them.
pub fn parse_number(text: &[u8]) -> Option<u32> {
    parse_long(text).and_then(|number| u32::try_from(number).ok())
}

/// The same with room for what setrlimit(2) and cgroups count.
#[inline(never)]
pub fn parse_long(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// `text` before and after the first `byte`, which is an ASCII character. The one of core has a
/// panicking path.
pub fn split_once(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|found| found == byte)?;
    let (before, after) = text.split_at_checked(at)?;
    Some((before, after.get(1..)?))
}

/// Line `number`, from 0, of a text that is a table: one text instead of many, since every
/// reference costs a relocation.
pub fn line(table: &'static str, number: usize) -> &'static str {
    lines(table).nth(number).unwrap_or("")
}

/// The lines of such a table.
pub fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    let mut rest = table;
    core::iter::from_fn(move || {
        let (line, after) = split_once(rest, b'\n').unwrap_or((rest, ""));
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// The words of a list such as "a, b, c", which is printed as it stands. One text, for the same
/// reason.
pub fn words(list: &'static str) -> impl Iterator<Item = &'static str> {
    let mut rest = list;
    core::iter::from_fn(move || {
        let (word, after) = split_once(rest, b',').unwrap_or((rest, ""));
        rest = after.strip_prefix(' ').unwrap_or(after);
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::{Text, line, parse_number, words};

    #[test]
    fn a_list_has_words() {
        assert_eq!(words("a, b, c").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(words("").count(), 0);
    }

    #[test]
    fn a_table_has_lines() {
        assert_eq!(
            [0, 1, 2].map(|number| line("a\nb\n", number)),
            ["a", "b", ""]
        );
    }

    #[test]
    fn a_path_cannot_end_the_line() {
        let mut text = Text::<64>::new();
        text.foreign("a\n\x1bü".as_bytes());
        assert_eq!(text.bytes(), "a\\x0a\\x1bü".as_bytes());
        let mut text = Text::<64>::new();
        text.foreign("\u{9b}ü".as_bytes());
        assert_eq!(text.bytes(), b"\\xc2\\x9b\\xc3\\xbc");
    }

    #[test]
    fn numbers_are_decimal_and_fit() {
        assert_eq!(parse_number(b"4294967295"), Some(u32::MAX));
        assert_eq!(parse_number(b"4294967296"), None);
        for bad in ["", "-1", "+1", "0x1", "1 ", "1_0"] {
            assert_eq!(parse_number(bad.as_bytes()), None);
        }
    }
}
