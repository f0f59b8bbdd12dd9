//! The command line of `husk init`, and of the programs that it stands in for.

use super::{peer, split_long};
use crate::arena::Arena;
use crate::config::init::{InitOption, Name, find, options, set};
use crate::config::{Place, keys};
use crate::fail::persona::Persona;
use crate::fail::refusal::{Refusal, Refused, What};
use crate::limits::{COMMAND_WORDS, PATH_BYTES};
use crate::plan::Session;
use crate::plan::rules::{Rules, Whom, Work};
use crate::sys::exec::{WordList, Words};
use crate::sys::storage::Storage;
use core::ffi::CStr;

/// What was asked for.
pub struct Init<'a> {
    /// As whom.
    pub persona: Persona,
    /// The file whose `[init]` is read.
    pub file: Option<&'a CStr>,
    /// What to do.
    pub ask: Ask,
    /// The command and its arguments.
    pub command: Words<'a>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Look after the command.
    Run,
    /// Print the usage.
    Help,
    /// Print the licence.
    License,
    /// Print the version.
    Version,
}

/// Where the options of a variable are taken apart; touched where there are some.
static VARIABLE: Storage<Taken> = Storage::new(Taken {
    text: [0; PATH_BYTES],
    words: WordList::new(),
});

struct Taken {
    text: [u8; PATH_BYTES],
    words: WordList<'static, { COMMAND_WORDS + 1 }>,
}

/// The variable that holds options.
const VARIABLE_NAME: &str = "HUSK_INIT_OPTIONS";

/// The options of the variable, as words.
pub fn variable(envp: Words<'static>) -> Result<Words<'static>, Refused> {
    let prefix = b"HUSK_INIT_OPTIONS=";
    let Some(value) = envp
        .beginning_with(b"H")
        .find_map(|text| text.to_bytes().strip_prefix(prefix))
    else {
        return Ok(Words::EMPTY);
    };
    let Some(Taken { text, words }) = VARIABLE.take() else {
        return Ok(Words::EMPTY);
    };
    let mut arena = Arena::new(text);
    for word in value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
    {
        let kept = arena.c_string(&[word]).ok().flatten();
        if kept.is_none_or(|word| words.push(word).is_err()) {
            let text = "is too long: 256 words and 4095 bytes at most";
            return Err(Refusal::text(Place::Nowhere, VARIABLE_NAME, text));
        }
    }
    Ok(words.finish())
}

/// Reads the environment, the words of its variable and those of the command line, of which `skip`
/// came before, into `rules`: what is said later counts.
pub fn parse<'a>(
    persona: Persona,
    [variable, words]: [Words<'a>; 2],
    skip: usize,
    envp: Words<'a>,
    rules: &mut Rules,
) -> Result<Init<'a>, Refused> {
    let mut init = Init {
        persona,
        file: None,
        ask: Ask::Run,
        command: Words::EMPTY,
    };
    peer::assume(persona, rules);
    for variable in envp.beginning_with(peer::LETTERS) {
        peer::variable(persona, variable.to_bytes(), rules);
    }
    // Whoever husk stands in for: where it is called by a runtime, this is the only way to say more.
    let mut of_husk = Init {
        persona: Persona::Husk,
        ..init
    };
    let rest = of_husk.options(variable, Where::Variable, rules)?;
    init.file = of_husk.file;
    if !rest.is_empty() {
        let text = "takes options alone: the command is on the command line";
        return Err(Refusal::text(Place::Nowhere, VARIABLE_NAME, text));
    }
    init.command = init.options(words, Where::Words(skip), rules)?;
    Ok(init)
}

/// The command, where what was asked for goes together.
pub fn command<'a>(init: &Init<'a>, rules: &Rules) -> Result<Words<'a>, Refused> {
    let wrong = match (rules.work, init.command.is_empty()) {
        (Work::Command, true) => "which command shall it run? See -h",
        (Work::Pause, false) => "a pause runs no command",
        _ if rules.session == Session::Husks && rules.whom == Whom::Group => {
            "--group needs a process group, which --single-child and --no-tty forbid"
        }
        _ => return Ok(init.command),
    };
    Err(Refusal::text(Place::Nowhere, "", wrong))
}

/// Where words come from, for messages.
#[derive(Clone, Copy)]
enum Where {
    /// The command line, after so many words.
    Words(usize),
    /// [`VARIABLE_NAME`].
    Variable,
}

impl Where {
    /// The place of word `index`, and what to call it.
    fn place(self, index: usize) -> (Place, &'static str) {
        match self {
            Self::Words(skip) => {
                let index = u32::try_from(index.saturating_add(skip)).unwrap_or(u32::MAX);
                (Place::Argument(index), "")
            }
            Self::Variable => (Place::Nowhere, VARIABLE_NAME),
        }
    }
}

impl<'a> Init<'a> {
    /// Carries out the options at the front of `words` and returns what follows them.
    fn options(
        &mut self,
        words: Words<'a>,
        from: Where,
        rules: &mut Rules,
    ) -> Result<Words<'a>, Refused> {
        let mut index = 0_usize;
        while let Some(word) = words.skip(index).first() {
            let bytes = word.to_bytes();
            if bytes.len() < 2 || bytes.first() != Some(&b'-') {
                break;
            }
            let here = index;
            index = index.saturating_add(1);
            if bytes == b"--" {
                break;
            }
            let next = words.skip(index).first();
            let used = if bytes.starts_with(b"--") {
                self.long(word, next, rules)
            } else {
                self.letters(bytes, next, rules)
            };
            let (place, subject) = from.place(here);
            let used = used.map_err(|what| Refusal::new(place, subject, what))?;
            index = index.saturating_add(usize::from(used == Used::Next));
        }
        Ok(words.skip(index))
    }

    /// `--name`, `--name=value` or `--name value`.
    fn long(
        &mut self,
        word: &'a CStr,
        next: Option<&'a CStr>,
        rules: &mut Rules,
    ) -> Result<Used, What<'a>> {
        let (name, joined) = split_long(word);
        let name = core::str::from_utf8(name.get(2..).unwrap_or_default()).unwrap_or("?");
        let persona = self.persona;
        let known = |option: &InitOption| peer::has_long(persona, *option);
        let Some(option) = find(&|option| option.name == name && known(option)) else {
            let names = &mut options().filter(known).map(|option| option.name);
            return Err(What::Unknown {
                kind: "option",
                found: name,
                nearest: keys::nearest_of(name, names),
                allowed: "see --help",
            });
        };
        match (option.argument, joined, next) {
            ("", None, _) => self.carry_out(option, c"", rules, Used::Own),
            ("", Some(_), _) => Err(What::Text("takes no argument")),
            (_, Some(value), _) => self.carry_out(option, value, rules, Used::Own),
            (_, None, Some(value)) => self.carry_out(option, value, rules, Used::Next),
            (argument, None, None) => Err(What::Found("needs an argument:", argument)),
        }
    }

    /// `-v`, `-vvg`, `-e143` or `-e 143`.
    fn letters(
        &mut self,
        word: &'a [u8],
        next: Option<&'a CStr>,
        rules: &mut Rules,
    ) -> Result<Used, What<'a>> {
        let mut at = 1_usize;
        while let Some(letter) = word.get(at).copied() {
            // catatonit's L is tini's l.
            let meant = if letter == b'L' { b'l' } else { letter };
            let found = find(&|option| option.letter == meant && meant != b'-');
            let Some(option) = found.filter(|_| peer::has(self.persona, letter)) else {
                let found = word.get(at..at.saturating_add(1)).unwrap_or_default();
                return Err(What::Unknown {
                    kind: "option",
                    found: core::str::from_utf8(found).unwrap_or("?"),
                    nearest: None,
                    allowed: "see -h",
                });
            };
            at = at.saturating_add(1);
            if option.argument.is_empty() {
                self.carry_out(option, c"", rules, Used::Own)?;
                continue;
            }
            let rest = word.get(at..).unwrap_or_default();
            return match next {
                _ if !rest.is_empty() => {
                    let value = core::str::from_utf8(rest).unwrap_or("?");
                    set(rules, option.option, value).map(|()| Used::Own)
                }
                Some(value) => self.carry_out(option, value, rules, Used::Next),
                None => Err(What::Found("needs an argument:", option.argument)),
            };
        }
        Ok(Used::Own)
    }

    fn carry_out(
        &mut self,
        option: InitOption,
        value: &'a CStr,
        rules: &mut Rules,
        used: Used,
    ) -> Result<Used, What<'a>> {
        match option.option {
            Name::Config => self.file = Some(value),
            Name::Help => self.ask = Ask::Help,
            Name::License => self.ask = Ask::License,
            Name::Version => self.ask = Ask::Version,
            name => set(rules, name, value.to_str().unwrap_or("?"))?,
        }
        Ok(used)
    }
}

/// How many words an option was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Used {
    /// Its own.
    Own,
    /// The next one as well, which is its argument.
    Next,
}
