//! The keys of `[init]`, which are the options of `husk init`.

use super::lex::{Kind, Stop};
use super::value::Source;
use crate::config::init::{Name, find, set};
use crate::fail::refusal::What;
use crate::plan::rules::Rules;
use crate::text::Text;

/// Reads the value of `key`, one of [`crate::config::keys::INIT`], into `rules`: true for an option
/// without argument, else a string, a number, or an array of strings for one that may be repeated.
pub fn read<'a>(source: &mut Source<'_, 'a>, rules: &mut Rules, key: &'a str) -> Result<(), Stop> {
    let dash = |byte| if byte == b'_' { b'-' } else { byte };
    let Some(option) = find(&|option| option.name.bytes().eq(key.bytes().map(dash))) else {
        return Ok(());
    };
    let (name, flag) = (option.option, option.argument.is_empty());
    match source.cursor.kind()? {
        Kind::Boolean if flag => {
            if source.boolean()? {
                set(rules, name, "").map_err(|what| source.cursor.refuse(what))?;
            }
        }
        // -v, -vv.
        Kind::Integer if !flag || name == Name::Verbose => {
            let mut digits: Text = Text::new();
            digits.number(source.number(0, u32::MAX)?);
            let text = core::str::from_utf8(digits.bytes()).unwrap_or_default();
            if let Err(what) = set(rules, name, text) {
                let what = match what {
                    What::OutOfRange { least, most, .. } => What::OutOfRange {
                        found: "this",
                        least,
                        most,
                    },
                    What::Found(text, _) => What::Found(text, "a number"),
                    _ => What::Text("is no signal's number: 1 to 64"),
                };
                return Err(source.cursor.refuse(what));
            }
        }
        Kind::Array if matches!(name, Name::Rewrite | Name::RemapExit) => {
            source.array("an array of strings")?;
            while let Some(word) = source.next_word()? {
                set(rules, name, word).map_err(|what| source.cursor.refuse(what))?;
            }
        }
        _ if flag => {
            source.boolean()?;
        }
        _ => {
            source.cursor.expect(Kind::String, "a string or a number")?;
            let word = source.word()?;
            set(rules, name, word).map_err(|what| source.cursor.refuse(what))?;
        }
    }
    Ok(())
}
