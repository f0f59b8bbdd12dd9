//! Values of each type.

use super::integer;
use super::lex::{Cursor, Kind, Stop};
use super::string::Quotes;
use crate::arena::{Arena, Full, whole};
use crate::config::keys;
use crate::fail::refusal::What;
use crate::limits;
use crate::plan::calls::{self, Name};
use core::ffi::CStr;

/// What a list of words must be.
pub const STRINGS: &str = "an array of strings";

/// The text, and where its strings go.
pub struct Source<'r, 'a> {
    /// The text.
    pub cursor: Cursor<'a>,
    /// Where its strings go.
    pub arena: &'r mut Arena<'a>,
}

impl<'a> Source<'_, 'a> {
    /// The string that comes next, with `before` in front of it.
    #[inline(never)]
    pub fn decode(&mut self, quotes: Quotes, before: [&str; 2]) -> Result<&'a CStr, Stop> {
        let Self { cursor, arena } = self;
        match arena.write_with(|memory| cursor.string(quotes, before, memory)) {
            Ok(Ok(text)) => {
                whole(text).ok_or_else(|| self.cursor.wrong("must not contain a NUL character"))
            }
            Ok(Err(Stop)) => Err(Stop),
            Err(Full) => Err(self.full()),
        }
    }

    /// A C string of `text`, which holds no NUL.
    pub fn keep(&mut self, text: &str) -> Result<&'a CStr, Stop> {
        self.arena
            .c_string(&[text.as_bytes()])
            .ok()
            .flatten()
            .ok_or_else(|| self.full())
    }

    /// Notes that the arena is used up.
    #[cold]
    fn full(&mut self) -> Stop {
        self.cursor.too_many(limits::ARENA_BYTES, "bytes of text")
    }

    /// A key, or a part of a dotted one, and the white space after it.
    pub fn key(&mut self) -> Result<&'a str, Stop> {
        self.cursor.begin();
        self.cursor.key = "";
        let key = match self.cursor.peek() {
            b'"' | b'\'' => as_word(self.decode(Quotes::One, ["", ""])?),
            _ => self.cursor.bare_key()?,
        };
        self.cursor.blank();
        Ok(key)
    }

    /// Any string.
    #[inline(never)]
    pub fn string(&mut self) -> Result<&'a CStr, Stop> {
        self.cursor.expect(Kind::String, "a string")?;
        self.decode(Quotes::OneOrThree, ["", ""])
    }

    /// A string that is a word of husk's.
    pub fn word(&mut self) -> Result<&'a str, Stop> {
        self.string().map(as_word)
    }

    /// A path, or a name where mount(2) takes either.
    #[inline(never)]
    pub fn path(&mut self) -> Result<&'a CStr, Stop> {
        let path = self.string()?;
        match path.count_bytes() {
            0 => Err(self.cursor.wrong("must not be empty")),
            limits::PATH_BYTES.. => Err(self
                .cursor
                .too_many(limits::PATH_BYTES - 1, "bytes in a path")),
            _ => Ok(path),
        }
    }

    /// The name of a host or a domain.
    pub fn host_name(&mut self) -> Result<&'a CStr, Stop> {
        let name = self.string()?;
        if name.is_empty() || name.count_bytes() > limits::HOST_NAME_BYTES {
            return Err(self
                .cursor
                .wrong("must have 1 to 64 bytes (sethostname(2))"));
        }
        Ok(name)
    }

    /// An integer from `least` to `most`.
    #[inline(never)]
    pub fn number(&mut self, least: u32, most: u32) -> Result<u32, Stop> {
        self.cursor.expect(Kind::Integer, "an integer")?;
        let found = self.cursor.word();
        let Some(number) = integer::parse(found.as_bytes()) else {
            return Err(self
                .cursor
                .refuse(What::Found("TOML spells no number like", found)));
        };
        match u32::try_from(number) {
            Ok(number) if number >= least && number <= most => Ok(number),
            _ => Err(self.cursor.refuse(What::OutOfRange { found, least, most })),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self) -> Result<bool, Stop> {
        self.cursor.expect(Kind::Boolean, "true or false")?;
        Ok(self.cursor.word() == "true")
    }

    /// The beginning of an array.
    pub fn array(&mut self, wanted: &'static str) -> Result<(), Stop> {
        self.cursor.expect(Kind::Array, wanted)?;
        self.cursor.skip();
        Ok(())
    }

    /// The next string of an array; `None` at its end, which is passed.
    #[inline(never)]
    pub fn next_string(&mut self) -> Result<Option<&'a CStr>, Stop> {
        if self.cursor.closes(b']')? {
            return Ok(None);
        }
        let string = self.string()?;
        self.cursor.comma(b']')?;
        Ok(Some(string))
    }

    /// The same for a word of husk's.
    pub fn next_word(&mut self) -> Result<Option<&'a str>, Stop> {
        Ok(self.next_string()?.map(as_word))
    }

    /// Refuses the name of a system call that there is not.
    #[cold]
    #[inline(never)]
    pub fn no_call(&mut self, found: &'a str, near: Option<Name>) -> Stop {
        let kept = |near: Name| self.arena.c_string(&[&near]).ok().flatten();
        let nearest = near.and_then(kept).map(as_word);
        self.cursor.refuse(What::Unknown {
            kind: "system call",
            found,
            nearest,
            allowed: calls::ALLOWED,
        })
    }

    /// Refuses a word that is none of `known`, which `allowed` names.
    #[cold]
    #[inline(never)]
    pub fn unknown(
        &mut self,
        kind: &'static str,
        found: &'a str,
        known: &mut dyn Iterator<Item = &'static str>,
        allowed: &'static str,
    ) -> Stop {
        let nearest = keys::nearest_of(found, known);
        self.cursor.refuse(What::Unknown {
            kind,
            found,
            nearest,
            allowed,
        })
    }
}

/// The file was UTF-8, and so are escapes.
fn as_word(string: &CStr) -> &str {
    string.to_str().unwrap_or_default()
}
