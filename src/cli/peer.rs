//! The programs that husk stands in for: which of husk's options they have, their defaults, and
//! their variables.

use crate::config::init::{InitOption, Name, set};
use crate::fail::persona::Persona;
use crate::plan::rules::Rules;
use crate::text::parse_number;

/// The letters of the options that `persona` has.
const fn letters(persona: Persona) -> &'static str {
    match persona {
        Persona::Husk => "",
        Persona::Tini => "spvwgelh",
        Persona::DumbInit => "crvhV",
        Persona::Catatonit => "PghLV",
    }
}

/// Whether `persona` has the option with that letter.
pub fn has(persona: Persona, letter: u8) -> bool {
    persona == Persona::Husk || letters(persona).as_bytes().contains(&letter)
}

/// Whether it has the long form of an option; tini and catatonit know `--version` alone.
pub fn has_long(persona: Persona, option: InitOption) -> bool {
    match persona {
        Persona::Husk => true,
        Persona::DumbInit => has(persona, option.letter),
        Persona::Tini | Persona::Catatonit => option.option == Name::Version,
    }
}

/// Its defaults, over husk's.
pub fn assume(persona: Persona, rules: &mut Rules) {
    if persona == Persona::DumbInit {
        let _ = set(rules, Name::Session, "");
    }
}

/// What their variables begin with.
pub const LETTERS: &[u8] = b"TDC";

/// A variable of the program that husk stands in for; of all of them where it is itself.
pub fn variable(persona: Persona, text: &[u8], rules: &mut Rules) {
    let is = |other| persona == other || persona == Persona::Husk;
    let equals = text.iter().position(|byte| *byte == b'=');
    let (name, value) = text.split_at(equals.unwrap_or(text.len()));
    let value = value.get(1..).unwrap_or_default();
    let (option, value) = match name {
        b"TINI_KILL_PROCESS_GROUP" if is(Persona::Tini) => (Name::Group, ""),
        // 1 is warnings, which husk gives without being asked.
        b"TINI_VERBOSITY" if is(Persona::Tini) => {
            let level = parse_number(value).unwrap_or(0).saturating_sub(1);
            let [level, ..] = level.min(2).to_le_bytes();
            rules.verbosity = level;
            return;
        }
        b"DUMB_INIT_SETSID" if is(Persona::DumbInit) && value == b"0" => (Name::SingleChild, ""),
        b"DUMB_INIT_DEBUG" if is(Persona::DumbInit) && value == b"1" => (Name::Verbose, "2"),
        b"CATATONIT_DEBUG" if is(Persona::Catatonit) => (Name::Verbose, "2"),
        _ => return,
    };
    let _ = set(rules, option, value);
}
