//! The command line: words into a [`Config`], or into a question that is answered at once.

mod bounds;
pub mod flags;
#[cfg(test)]
mod fuzz;
pub mod help;
pub mod init;
mod peer;
mod set;

use crate::arena::Arena;
use crate::check::Form;
use crate::config::init::{self as init_options, InitOption};
use crate::config::{Config, Place, keys};
use crate::fail::persona::Persona;
use crate::fail::refusal::{Refusal, Refused, What};
use crate::plan::namespace::NAMES;
use crate::sys::exec::Words;
use core::ffi::CStr;
use flags::{Does, Flag};

/// What the command line asks for.
pub enum Request<'a> {
    /// `husk run`, or `husk check`.
    Run(Run<'a>),
    /// `husk init`, or a program that husk stands in for: as whom, and how many words come before
    /// its options.
    Init(Persona, usize),
    /// `husk --help`.
    Help,
    /// `husk run --help`.
    HelpRun,
    /// `husk check --help`.
    HelpCheck,
    /// `husk --version`.
    Version,
}

/// `husk run`, but for what went into the [`Config`].
pub struct Run<'a> {
    /// Which file to read.
    pub file: ConfigFile<'a>,
    /// What to do with it.
    pub mode: Mode,
    /// The command and its arguments.
    pub command: Words<'a>,
    /// Which the flags are.
    pub flags: Known,
}

/// Where the first flags of the command line are in the table of them, from 1 on: they are read once for
/// the file that they name, and again when that has been read. 0 is not known.
pub type Known = [u8; 48];

/// Which configuration file is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFile<'a> {
    /// The first that exists of those that husk looks for.
    Search,
    /// This one, or the one of this name.
    Named(&'a CStr),
    /// None.
    None,
}

/// What becomes of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `husk run`.
    Start,
    /// `husk run --dry-run`.
    DryRun,
    /// `husk check`.
    Check(Form),
}

/// `husk check`, which has an exit status of its own.
const CHECK: &[u8] = b"check";

/// Whether it is `husk check`, whatever comes of it.
pub fn is_check(argv: Words<'_>) -> bool {
    argv.skip(1).first().map(CStr::to_bytes) == Some(CHECK)
}

/// The words after `husk`.
const COMMANDS: &str = "run, init, check, help, version";

/// Reads the command line, but for what goes into the configuration: that has to wait for the file,
/// which the command line names.
pub fn parse(argv: Words<'_>) -> Result<Request<'_>, Refused> {
    let own = argv.first().unwrap_or_default().to_bytes();
    if let Some(persona) = Persona::named(own) {
        return Ok(Request::Init(persona, 1));
    }
    match argv.skip(1).first().map(CStr::to_bytes) {
        Some(b"run") => parse_run(argv, Mode::Start),
        Some(CHECK) => parse_run(argv, Mode::Check(Form::Table)),
        Some(b"init") => Ok(Request::Init(Persona::Husk, 2)),
        Some(b"--help" | b"-h" | b"help") => Ok(Request::Help),
        Some(b"--version" | b"-V" | b"version") => Ok(Request::Version),
        None => Err(Refusal::text(
            Place::Nowhere,
            "",
            "say what to do: husk run, husk init, husk --help",
        )),
        Some(word) => {
            let found = core::str::from_utf8(word).unwrap_or("?");
            let nearest = keys::nearest(found, COMMANDS);
            let what = What::Unknown {
                kind: "command",
                found,
                nearest,
                allowed: "run, init, check, --help, --version",
            };
            Err(Refusal::new(Place::Nowhere, "", what))
        }
    }
}

/// The flags of `husk run`, one after the other.
struct Flags<'a, 'k> {
    argv: Words<'a>,
    index: usize,
    known: core::slice::IterMut<'k, u8>,
}

/// One flag as it was found: its words, and where.
struct Found<'a> {
    /// The flag's own word.
    pub word: &'a CStr,
    /// Its arguments, as many as it has names for; the rest empty.
    pub arguments: [&'a CStr; 3],
    /// The place of the flag itself.
    pub place: Place,
}

impl<'a, 'k> Flags<'a, 'k> {
    fn new(argv: Words<'a>, known: &'k mut Known) -> Self {
        Self {
            argv,
            index: 2,
            known: known.iter_mut(),
        }
    }

    /// The next flag; `None` at the first word that is not one.
    fn next(&mut self) -> Result<Option<(Does, Found<'a>)>, Refused> {
        let Some(word) = self.argv.skip(self.index).first() else {
            return Ok(None);
        };
        let bytes = word.to_bytes();
        let start = self.index;
        if bytes == b"--" {
            self.index = start.saturating_add(1);
            return Ok(None);
        }
        if bytes.first() != Some(&b'-') || bytes.len() == 1 {
            return Ok(None);
        }
        let place = Place::Argument(u32::try_from(start).unwrap_or(u32::MAX));
        let (does, names, joined) = find(word, self.known.next())?;
        let rest = self.argv.skip(start.saturating_add(1));
        let (arguments, used) = arguments(names, joined, rest, place)?;
        self.index = start.saturating_add(1).saturating_add(used);
        Ok(Some((
            does,
            Found {
                word,
                arguments,
                place,
            },
        )))
    }
}

/// `husk check` takes the flags of `husk run`, and `--json`, which comes first.
fn parse_run(argv: Words<'_>, mode: Mode) -> Result<Request<'_>, Refused> {
    let mut run = Run {
        file: ConfigFile::Search,
        mode,
        command: Words::EMPTY,
        flags: [0; _],
    };
    let mut flags = Flags::new(argv, &mut run.flags);
    while let Some((does, found)) = flags.next()? {
        match does {
            Does::Help if mode == Mode::Start => return Ok(Request::HelpRun),
            Does::Help => return Ok(Request::HelpCheck),
            Does::DryRun => run.mode = Mode::DryRun,
            Does::Json if mode == Mode::Start => {
                return Err(Refusal::text(found.place, "", "is for husk check alone"));
            }
            Does::Json => run.mode = Mode::Check(Form::Json),
            Does::NoConfig => run.file = ConfigFile::None,
            Does::ConfigFile => run.file = ConfigFile::Named(found.arguments[0]),
            _ => (),
        }
    }
    let used = flags.index;
    run.command = argv.skip(used);
    Ok(Request::Run(run))
}

/// Lays the flags over what the file said.
pub fn apply<'a>(
    argv: Words<'a>,
    known: &mut Known,
    config: &mut Config<'a>,
    arena: &mut Arena<'a>,
) -> Result<(), Refused> {
    let mut flags = Flags::new(argv, known);
    while let Some((does, found)) = flags.next()? {
        match does {
            Does::Help | Does::DryRun | Does::Json | Does::NoConfig | Does::ConfigFile => (),
            does => set::apply(does, &found, config, arena)?,
        }
    }
    Ok(())
}

/// A long option's name with its dashes, and the argument that it holds after a `=`.
fn split_long(word: &CStr) -> (&[u8], Option<&CStr>) {
    let whole = word.to_bytes_with_nul();
    let equals = whole
        .iter()
        .position(|byte| *byte == b'=')
        .unwrap_or(whole.len());
    let name = whole.get(..equals).unwrap_or_default();
    let name = name.strip_suffix(b"\0").unwrap_or(name);
    let joined = whole
        .get(equals.saturating_add(1)..)
        .and_then(|value| CStr::from_bytes_until_nul(value).ok());
    (name, joined)
}

/// What the flag `word` does, the names of its arguments, and the argument that it holds after a `=`.
fn find<'a>(
    word: &'a CStr,
    known: Option<&mut u8>,
) -> Result<(Does, &'static str, Option<&'a CStr>), Refused> {
    let (name, joined) = split_long(word);
    let mut none = 0;
    let known = known.unwrap_or(&mut none);
    if *known == 0 {
        let position = flags::position(name).and_then(|position| u8::try_from(position).ok());
        *known = position.map_or(0, |position| position.saturating_add(1));
    }
    if let Some(flag) = usize::from(*known)
        .checked_sub(1)
        .and_then(|position| flags::RUN.get(position))
    {
        return Ok((flag.does, flag.arguments(), joined));
    }
    let of_init =
        init_options::find(&|option| name.strip_prefix(b"--") == Some(option.name.as_bytes()));
    match of_init.filter(InitOption::is_for_run) {
        Some(option) => Ok((Does::Init(option.option), option.argument, joined)),
        None => {
            let found = core::str::from_utf8(name).unwrap_or("?");
            let share = found
                .strip_prefix("--unshare-")
                .or(found.strip_prefix("--share-"));
            if let Some(found) = share {
                let nearest = keys::nearest(found, NAMES);
                let what = What::Unknown {
                    kind: "namespace",
                    found,
                    nearest,
                    allowed: NAMES,
                };
                return Err(Refusal::new(Place::Nowhere, "", what));
            }
            let known = &mut flags::RUN
                .iter()
                .map(Flag::name)
                .filter(|name| name.starts_with('-'));
            let nearest = keys::nearest_of(found, known);
            let what = What::Unknown {
                kind: "flag",
                found,
                nearest,
                allowed: "see husk run --help",
            };
            Err(Refusal::new(Place::Nowhere, "", what))
        }
    }
}

/// The arguments of `flag`, and how many words of `rest` they are.
fn arguments<'a>(
    names: &'static str,
    joined: Option<&'a CStr>,
    rest: Words<'a>,
    place: Place,
) -> Result<([&'a CStr; 3], usize), Refused> {
    let mut arguments = [c""; 3];
    let wanted = names
        .as_bytes()
        .split(|byte| *byte == b' ')
        .filter(|name| !name.is_empty())
        .count();
    if let Some(joined) = joined {
        if wanted != 1 {
            return Err(Refusal::text(
                place,
                "",
                "takes its arguments as separate words, not after a =",
            ));
        }
        arguments[0] = joined;
        return Ok((arguments, 0));
    }
    if rest.len() < wanted {
        return Err(Refusal::new(
            place,
            "",
            What::Found("needs arguments:", names),
        ));
    }
    for (argument, word) in arguments.iter_mut().zip(rest.iter().take(wanted)) {
        *argument = word;
    }
    Ok((arguments, wanted))
}
