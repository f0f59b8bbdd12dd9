//! Strings of all four kinds, decoded straight to where they stay.

use super::lex::{Cursor, Stop, is_control};

/// Whether a string in three quotes is one of many lines, or an empty one and a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// For keys.
    One,
    /// For values.
    OneOrThree,
}

/// Said of a backslash that spells nothing.
const NO_ESCAPE: &str = "no such escape: \\\\ is a backslash, and '…' a string without escapes";

/// Memory that is being filled. More may be put than fits: the arena finds out.
struct Room<'m> {
    /// All of it.
    memory: &'m mut [u8],
    /// How much was put, whether or not it fits.
    used: usize,
}

impl Room<'_> {
    /// Puts `bytes` after what was put before.
    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(free) = self.memory.get_mut(self.used) {
                *free = *byte;
            }
            self.used = self.used.saturating_add(1);
        }
    }
}

impl Cursor<'_> {
    /// Decodes the string that comes next into `memory`, with `before` in front of it and a NUL
    /// after it. Says how many bytes that takes.
    pub fn string(
        &mut self,
        quotes: Quotes,
        before: [&str; 2],
        memory: &mut [u8],
    ) -> Result<usize, Stop> {
        let mut room = Room { memory, used: 0 };
        for part in before {
            room.put(part.as_bytes());
        }
        let quote = self.peek();
        self.skip();
        let many_lines = quotes == Quotes::OneOrThree && self.run(quote) >= 2;
        if many_lines {
            self.skip();
            self.skip();
            self.newline();
        }
        loop {
            let byte = self.peek();
            if byte == quote {
                // Up to two may stand before the three that close. Six are a mistake, which is
                // found by whoever reads on.
                let run = self.run(quote);
                if !many_lines {
                    self.skip();
                    break;
                }
                if run == 3 || run > 5 {
                    self.skip();
                    self.skip();
                    self.skip();
                    break;
                }
            } else if byte == b'\\' && quote == b'"' {
                self.skip();
                match self.peek() {
                    b' ' | b'\t' | b'\r' | b'\n' if many_lines => self.join_lines()?,
                    _ => self.escape(&mut room)?,
                }
                continue;
            } else if many_lines && self.newline() {
                room.put(if byte == b'\r' { b"\r\n" } else { b"\n" });
                continue;
            } else if matches!(byte, 0 | b'\r' | b'\n') {
                return Err(self.syntax("a string's closing quote is missing"));
            } else if is_control(byte) {
                return Err(self.syntax("a string spells control characters as escapes: \\u001B"));
            }
            room.put(&[byte]);
            self.skip();
        }
        room.put(b"\0");
        Ok(room.used)
    }

    /// After a backslash: passes the line's end and all white space after it.
    fn join_lines(&mut self) -> Result<(), Stop> {
        self.blank();
        if !self.newline() {
            return Err(self.syntax(NO_ESCAPE));
        }
        self.blank();
        while self.newline() {
            self.blank();
        }
        Ok(())
    }

    /// The character that is spelled after a backslash.
    fn escape(&mut self, room: &mut Room<'_>) -> Result<(), Stop> {
        let letter = self.peek();
        let (digits, known) = match letter {
            b'"' | b'\\' => (0, letter),
            b'b' => (0, 8),
            b't' => (0, b'\t'),
            b'n' => (0, b'\n'),
            b'f' => (0, 12),
            b'r' => (0, b'\r'),
            b'e' => (0, 27),
            b'x' => (2, 0),
            b'u' => (4, 0),
            b'U' => (8, 0),
            _ => return Err(self.syntax(NO_ESCAPE)),
        };
        self.skip();
        let mut number = u32::from(known);
        for _ in 0..digits {
            match char::from(self.peek()).to_digit(16) {
                Some(digit) => number = (number << 4) | digit,
                None => return Err(self.syntax(NO_ESCAPE)),
            }
            self.skip();
        }
        let Some(letter) = char::from_u32(number) else {
            return Err(self.syntax(NO_ESCAPE));
        };
        room.put(letter.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }
}
