//! The file: TOML into a [`Config`], in one pass and without a tree.
//!
//! Written by hand because the TOML crates bring core::fmt and ways to panic into the program, and
//! the linker proves that husk has neither. `differential` compares it with the `toml` crate.

#[cfg(test)]
#[expect(clippy::string_slice, reason = "tests do not ship")]
mod differential;
mod init;
mod integer;
mod lex;
#[cfg(test)]
#[expect(clippy::disallowed_macros, reason = "tests do not ship")]
mod refusals;
mod string;
mod table;
#[cfg(test)]
#[expect(
    clippy::disallowed_macros,
    clippy::string_slice,
    reason = "tests do not ship"
)]
mod tests;
mod top;
mod value;

use super::{Config, keys};
use crate::arena::Arena;
use crate::fail::refusal::{Refusal, Refused, What};
use crate::text::words;
use lex::{Cursor, Kind, Reason, Stop, place};
use table::{Entry, Table};
use value::Source;

/// Said of a key that was there before.
const TWICE: &str = "is given twice";

/// Reads the file's `text` into `config`.
pub fn read<'a>(
    text: &'a [u8],
    config: &mut Config<'a>,
    arena: &mut Arena<'a>,
) -> Result<(), Refused> {
    let text = core::str::from_utf8(text).map_err(|error| {
        Refusal::text(
            place(error.valid_up_to()),
            "",
            "is not UTF-8, which a TOML file must be",
        )
    })?;
    let mut reader = Reader {
        source: Source {
            cursor: Cursor::new(text),
            arena,
        },
        config,
        table: Table::Top,
        entry: Entry::default(),
        whole: 0,
        parts: 0,
    };
    match (reader.document(), reader.source.cursor.reason) {
        (Err(Stop), Some(reason)) => Err(reader.refuse(reason)),
        _ => Ok(()),
    }
}

/// How a key of the top was given, which decides whether it may be given again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    /// `key = value` or `[key]`: all of it.
    Whole,
    /// `key.name = value` or `[[key]]`: a part of it.
    Part,
}

/// The file so far.
struct Reader<'r, 'a> {
    /// What is left to read.
    source: Source<'r, 'a>,
    /// What was read.
    config: &'r mut Config<'a>,
    /// The table that keys go to.
    table: Table,
    /// That table as far as it is known, when it is one of several.
    entry: Entry<'a>,
    /// Keys of the top that were given whole, a bit each in the order of [`keys::TOP`].
    whole: u64,
    /// Those that were given in parts.
    parts: u64,
}

impl<'a> Reader<'_, 'a> {
    /// All lines.
    fn document(&mut self) -> Result<(), Stop> {
        while self.source.cursor.lines()? {
            self.source.cursor.begin();
            if self.source.cursor.eat(b'[') {
                self.header(self.source.cursor.start)?;
            } else {
                let key = self.source.key()?;
                if self.table == Table::Top {
                    self.top(key)?
                } else {
                    self.pair(key)?
                }
            }
            self.source.cursor.end_of_line()?;
        }
        self.finish()
    }

    /// `[env]` or `[[mount]]`, after the first bracket, which has the offset `at`.
    fn header(&mut self, at: usize) -> Result<(), Stop> {
        self.finish()?;
        self.table = Table::Top;
        let double = self.source.cursor.eat(b'[');
        let (given, found) = if double {
            (Given::Part, "an array of tables")
        } else {
            (Given::Whole, "a table")
        };
        self.source.cursor.blank();
        let key = self.source.key()?;
        let bit = self.find(key, keys::TOP)?;
        let table = Table::named(key);
        if self.source.cursor.peek() == b'.' {
            return Err(self.source.cursor.wrong("has no tables below it"));
        }
        if table.given() != Some(given) {
            return Err(self.source.cursor.refuse(What::WrongType {
                wanted: table.wanted(),
                found,
            }));
        }
        self.give(bit, given)?;
        if !self.source.cursor.eat(b']') || (double && !self.source.cursor.eat(b']')) {
            return Err(self
                .source
                .cursor
                .syntax("a table's name ends in as many ] as it began with ["));
        }
        self.begin_table(table, at);
        Ok(())
    }

    /// `key = value` or `env.name = value` at the top, after the key.
    fn top(&mut self, key: &'a str) -> Result<(), Stop> {
        let bit = self.find(key, keys::TOP)?;
        let table = Table::named(key);
        if self.source.cursor.peek() == b'.' && table == Table::Env {
            self.source.cursor.skip();
            self.source.cursor.blank();
            self.give(bit, Given::Part)?;
            let name = self.source.key()?;
            self.table = table;
            self.pair(name)?;
        } else {
            self.give(bit, Given::Whole)?;
            self.source.cursor.equals()?;
            match table {
                Table::Top => top::read_value(&mut self.source, self.config, key)?,
                Table::Env | Table::Init => {
                    self.source.cursor.expect(Kind::Table, "a table")?;
                    self.begin_table(table, 0);
                    self.inline()?;
                }
                _ => self.inline_tables(table)?,
            }
        }
        self.table = Table::Top;
        Ok(())
    }

    /// `[{…}, {…}]`, which says the same as several `[[key]]`.
    fn inline_tables(&mut self, table: Table) -> Result<(), Stop> {
        self.source.array("an array of tables")?;
        while !self.source.cursor.closes(b']')? {
            self.source.cursor.expect(Kind::Table, "a table")?;
            self.begin_table(table, self.source.cursor.start);
            self.inline()?;
            self.finish()?;
            self.source.cursor.comma(b']')?;
        }
        Ok(())
    }

    /// `{name = value, …}`, into the current table.
    fn inline(&mut self) -> Result<(), Stop> {
        self.source.cursor.skip();
        while !self.source.cursor.closes(b'}')? {
            let key = self.source.key()?;
            self.pair(key)?;
            self.source.cursor.comma(b'}')?;
        }
        Ok(())
    }

    /// The bit of `key` among the `known`. From now on refusals are about it.
    #[inline(never)]
    fn find(&mut self, key: &'a str, known: &'static str) -> Result<u64, Stop> {
        self.source.cursor.key = key;
        let mut bit = 1_u64;
        for name in words(known) {
            if name == key {
                return Ok(bit);
            }
            bit <<= 1;
        }
        self.about_table();
        Err(self.source.unknown("key", key, &mut words(known), ""))
    }

    /// Notes that a key of the top is given.
    fn give(&mut self, bit: u64, given: Given) -> Result<(), Stop> {
        let (taken, list) = match given {
            Given::Whole => (self.whole | self.parts, &mut self.whole),
            Given::Part => (self.whole, &mut self.parts),
        };
        *list |= bit;
        if taken & bit == 0 {
            Ok(())
        } else {
            Err(self.source.cursor.wrong(TWICE))
        }
    }

    /// From now on refusals are about the current table as a whole.
    fn about_table(&mut self) {
        self.source.cursor.key = self.table.name();
        self.table = Table::Top;
    }

    /// The reason as the user reads it, with the table's name: `mount.flags`.
    fn refuse(&mut self, Reason { place, key, what }: Reason<'a>) -> Refused {
        let table = self.table.name();
        if table.is_empty() || key.is_empty() {
            return Refusal::new(place, key, what);
        }
        let name = self
            .source
            .arena
            .c_string(&[table.as_bytes(), b".", key.as_bytes()]);
        let name = name.ok().flatten().and_then(|name| name.to_str().ok());
        Refusal::new(place, name.unwrap_or(key), what)
    }
}
