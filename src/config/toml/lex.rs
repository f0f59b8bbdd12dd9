//! Letters into words: the syntax of TOML 1.0, and of 1.1, which only allows more.
//!
//! A value that the schema does not want is refused at its first byte. So nothing is skipped,
//! nothing nests deeper than the schema does, and nothing recurses.

use super::integer;
use crate::config::Place;
use crate::fail::refusal::What;

/// Reading stops; the reason waits in [`Cursor::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// Why reading stopped.
#[derive(Clone, Copy)]
pub struct Reason<'a> {
    /// Where.
    pub place: Place,
    /// At which key of its table.
    pub key: &'a str,
    /// Why.
    pub what: What<'a>,
}

/// The text, and how far it is read.
pub struct Cursor<'a> {
    /// All of it.
    text: &'a str,
    /// The offset of the next byte.
    at: usize,
    /// Where the key or value begins that is being read.
    pub start: usize,
    /// The key that is being read.
    pub key: &'a str,
    /// Why reading stopped.
    pub reason: Option<Reason<'a>>,
}

/// What a value is by its first letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In quotes of any kind.
    String,
    /// In any base.
    Integer,
    /// `1.0`, `1e3`, `inf`; husk has no use for one.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A date, a time or both; husk has no use for one.
    Date,
    /// `[…]`.
    Array,
    /// `{…}`.
    Table,
}

impl Kind {
    /// As messages have it.
    const fn words(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::Boolean => "a boolean",
            Self::Date => "a date",
            Self::Array => "an array",
            Self::Table => "a table",
        }
    }
}

/// The place of the byte at `offset`.
pub fn place(offset: usize) -> Place {
    Place::File(u32::try_from(offset).unwrap_or(u32::MAX))
}

// What everything calls is never inlined: a third of the reader's size.
impl<'a> Cursor<'a> {
    /// All of `text`, but for a byte order mark.
    pub fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text,
            at,
            start: at,
            key: "",
            reason: None,
        }
    }

    /// The place of the key or value that is being read.
    pub fn place(&self) -> Place {
        place(self.start)
    }

    /// A key or value begins here.
    pub const fn begin(&mut self) {
        self.start = self.at;
    }

    /// Notes what is wrong with the key or value that is being read.
    #[cold]
    #[inline(never)]
    pub fn refuse(&mut self, what: What<'a>) -> Stop {
        self.reason = Some(Reason {
            place: self.place(),
            key: self.key,
            what,
        });
        Stop
    }

    /// The same in a sentence.
    #[cold]
    #[inline(never)]
    pub fn wrong(&mut self, text: &'static str) -> Stop {
        self.refuse(What::Text(text))
    }

    /// Notes that more was given than fits.
    #[cold]
    #[inline(never)]
    pub fn too_many(&mut self, limit: usize, of: &'static str) -> Stop {
        self.refuse(What::TooMany {
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            of,
        })
    }

    /// Notes that the next byte makes this no TOML.
    #[cold]
    #[inline(never)]
    pub fn syntax(&mut self, text: &'static str) -> Stop {
        self.key = "";
        self.begin();
        self.wrong(text)
    }

    /// The next byte, which stays; 0 at the end. A 0 in the text is as wrong as the end is,
    /// wherever it stands.
    #[inline(never)]
    pub fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Passes the next byte.
    pub const fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Passes `byte` if it is next, and says whether it was.
    #[inline(never)]
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        if found {
            self.skip();
        }
        found
    }

    /// Passes all bytes that are `wanted`.
    #[inline(never)]
    fn pass(&mut self, wanted: fn(u8) -> bool) -> &'a str {
        let from = self.at;
        while wanted(self.peek()) {
            self.skip();
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Passes white space.
    #[inline(never)]
    pub fn blank(&mut self) {
        self.pass(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// Passes a line's end if that is next, and says whether it was.
    #[inline(never)]
    pub fn newline(&mut self) -> bool {
        let before = self.at;
        self.eat(b'\r');
        let found = self.eat(b'\n');
        if !found {
            self.at = before;
        }
        found
    }

    /// Whether all is read.
    const fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Passes empty lines and comments. Says whether more follows.
    #[inline(never)]
    pub fn lines(&mut self) -> Result<bool, Stop> {
        loop {
            self.blank();
            if self.eat(b'#') {
                self.pass(|byte| !is_control(byte));
            } else if !self.newline() {
                return Ok(!self.is_at_end());
            }
        }
    }

    /// Passes the end of a line that is complete.
    pub fn end_of_line(&mut self) -> Result<(), Stop> {
        self.blank();
        if self.eat(b'#') {
            self.pass(|byte| !is_control(byte));
        }
        if self.newline() || self.is_at_end() {
            return Ok(());
        }
        Err(self.syntax("nothing but a comment may follow on this line"))
    }

    /// Whether an array or table ends here; passes its end.
    pub fn closes(&mut self, close: u8) -> Result<bool, Stop> {
        self.lines()?;
        Ok(self.eat(close))
    }

    /// Passes what separates two items.
    pub fn comma(&mut self, close: u8) -> Result<(), Stop> {
        self.lines()?;
        if self.eat(b',') || self.peek() == close {
            return Ok(());
        }
        Err(self.syntax("a comma or the closing bracket is missing"))
    }

    /// Passes the `=` between key and value.
    #[inline(never)]
    pub fn equals(&mut self) -> Result<(), Stop> {
        if self.peek() == b'.' {
            return Err(self.wrong("has no keys of its own"));
        }
        if !self.eat(b'=') {
            return Err(self.syntax("after a key come = and its value"));
        }
        self.blank();
        Ok(())
    }

    /// A key without quotes.
    pub fn bare_key(&mut self) -> Result<&'a str, Stop> {
        let key = self.pass(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if key.is_empty() {
            return Err(self.syntax("a key is missing: a line has KEY = VALUE or [TABLE]"));
        }
        Ok(key)
    }

    /// The next value, which is a number or a boolean.
    pub fn word(&mut self) -> &'a str {
        self.pass(|byte| {
            !matches!(
                byte,
                0 | b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}' | b'#'
            )
        })
    }

    /// What the value is that begins here.
    #[inline(never)]
    pub fn kind(&mut self) -> Result<Kind, Stop> {
        self.begin();
        match self.peek() {
            b'"' | b'\'' => return Ok(Kind::String),
            b'[' => return Ok(Kind::Array),
            b'{' => return Ok(Kind::Table),
            _ => {}
        }
        let word = self.word();
        self.at = self.start;
        match integer::kind(word.as_bytes()) {
            Some(kind) => Ok(kind),
            None if word.is_empty() => Err(self.syntax("a value is missing")),
            None => Err(self.refuse(What::Found(
                "is no value: a string stands in quotes, unlike",
                word,
            ))),
        }
    }

    /// Whether the value that begins here is a `kind`, as it must.
    #[inline(never)]
    pub fn expect(&mut self, kind: Kind, wanted: &'static str) -> Result<(), Stop> {
        let found = self.kind()?;
        if found == kind {
            return Ok(());
        }
        Err(self.refuse(What::WrongType {
            wanted,
            found: found.words(),
        }))
    }

    /// How many of the next bytes are `byte`.
    #[inline(never)]
    pub fn run(&self, byte: u8) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        rest.iter().take_while(|next| **next == byte).count()
    }
}

/// What may stand in no comment and no string.
pub const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}
