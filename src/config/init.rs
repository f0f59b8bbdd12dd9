//! The options of `husk init`, whoever spells them: flags, keys of `[init]`, or a variable.

use crate::fail::refusal::What;
use crate::plan::Session;
use crate::plan::rules::{DROPPED, OnExit, Orphans, Rules, Whom, Work};
use crate::plan::signal;
use crate::text::{lines, parse_number, split_once};

/// Defines [`Name`] together with its table.
macro_rules! init_options {
    ($($(#[$doc:meta])* $name:ident: $line:literal,)*) => {
        /// An option.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Name { $($(#[$doc])* $name,)* }

        const NAMES: &[Name] = &[$(Name::$name,)*];

        /// Of each its letter, its long name, its argument, and what it does for --help. One text,
        /// since every reference costs a relocation.
        const TABLE: &str = concat!($($line, "\n",)*);
    };
}

// Those before `subreaper` are for `husk run` as well.
init_options! {
    /// `--group`.
    Group: "g|group||signals go to the command's process group",
    /// `--all`.
    All: "-|all||signals go to every process there is",
    /// `--rewrite`.
    Rewrite: "r|rewrite|A:B|signal A becomes B, or is dropped where B is 0",
    /// `--stop-signal`.
    StopSignal: "-|stop-signal|SIG|what a terminating signal becomes",
    /// `--drain`.
    Drain: "-|drain|SECONDS|hold the first terminating signal back so long",
    /// `--grace`.
    Grace: "-|grace|SECONDS|time between it and SIGKILL; TERM for what is left",
    /// `--wait-all`.
    WaitAll: "-|wait-all||leave when the last orphan has ended",
    /// `--remap-exit`.
    RemapExit: "e|remap-exit|N[:M]|exit status N becomes 0, or M",
    /// `--warn-reaped`.
    WarnReaped: "w|warn-reaped||a line for each orphan that is reaped",
    /// `--verbose`.
    Verbose: "v|verbose||say what happens; twice: to every process",
    /// `--subreaper`.
    Subreaper: "s|subreaper||be a subreaper: done anyway when not PID 1",
    /// `--pdeathsig`.
    Pdeathsig: "p|pdeathsig|SIG|get SIG when the parent dies; die together",
    /// `--single-child`.
    SingleChild: "c|single-child||no process group, no session; signals go to it alone",
    /// `--no-tty`.
    NoTty: "-|no-tty||no process group, no session, no terminal",
    /// `--session`.
    Session: "-|session||a session of its own, signals go to its group",
    /// `--pause`.
    Pause: "P|pause||no command: reap until TERM or INT",
    /// `--boot`.
    Boot: "-|boot||init of a machine: mount /proc, /sys and /dev",
    /// `--on-exit`.
    OnExit: "-|on-exit|ACTION|then poweroff, reboot or halt",
    /// `--config`.
    Config: "-|config|FILE|read [init] of FILE",
    /// `--license`.
    License: "l|license||print the licence",
    /// `--version`.
    Version: "V|version||print the version",
    /// `--help`.
    Help: "h|help||print this",
}

/// The words of `on_exit`.
const ACTIONS: &str = "poweroff, reboot, halt";

/// Seconds of the longest wait: a year.
const LONGEST: u32 = 31_536_000;

/// One option and its line of the table.
#[derive(Clone, Copy)]
pub struct InitOption {
    /// Which.
    pub option: Name,
    /// Its letter, or `-`.
    pub letter: u8,
    /// Its long name.
    pub name: &'static str,
    /// Its argument, or nothing.
    pub argument: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl InitOption {
    /// Whether `husk run` has it as well.
    pub const fn is_for_run(&self) -> bool {
        (self.option as usize) < Name::Subreaper as usize
    }
}

/// The option that a line of the table tells about.
#[inline(never)]
fn told(option: Name, line: &'static str) -> Option<InitOption> {
    let (letter, rest) = split_once(line, b'|')?;
    let (name, rest) = split_once(rest, b'|')?;
    let (argument, help) = split_once(rest, b'|')?;
    Some(InitOption {
        option,
        letter: letter.as_bytes().first().copied()?,
        name,
        argument,
        help,
    })
}

/// All of them, in the order of --help.
pub fn options() -> impl Iterator<Item = InitOption> {
    let named = NAMES.iter().zip(lines(TABLE));
    named.filter_map(|(option, line)| told(*option, line))
}

/// Those that `husk run` has as well.
pub fn for_run() -> impl Iterator<Item = InitOption> {
    options().take_while(InitOption::is_for_run)
}

/// The first one that fits.
#[inline(never)]
pub fn find(fits: &dyn Fn(&InitOption) -> bool) -> Option<InitOption> {
    options().find(fits)
}

/// Carries out an option, with its argument if it has one.
#[inline(never)]
pub fn set<'v>(rules: &mut Rules, option: Name, value: &'v str) -> Result<(), What<'v>> {
    match option {
        Name::Group => rules.whom = Whom::Group,
        Name::All => rules.whom = Whom::All,
        Name::Rewrite => rewrite(rules, value)?,
        Name::StopSignal => rules.stop_signal = signal_at_least(value, 1)?,
        Name::Pdeathsig => rules.parent_death = signal_at_least(value, 1)?,
        Name::Grace => rules.grace = number(value, LONGEST)?,
        Name::Drain => rules.drain = number(value, LONGEST)?,
        Name::WaitAll => rules.orphans = Orphans::Awaited,
        Name::RemapExit => {
            let (from, to) = split_once(value, b':').unwrap_or((value, "0"));
            rules.remap(byte(from)?, byte(to)?);
        }
        Name::WarnReaped => rules.warn_reaped = true,
        Name::Verbose if value.is_empty() => rules.verbosity = rules.verbosity.saturating_add(1),
        Name::Verbose => rules.verbosity = byte(value)?,
        Name::SingleChild => {
            rules.session = Session::Husks;
            rules.whom = Whom::Command;
        }
        Name::NoTty => rules.session = Session::Husks,
        Name::Session => {
            rules.session = Session::Taking;
            rules.whom = Whom::Group;
        }
        Name::Pause => rules.work = Work::Pause,
        Name::Boot => rules.boot = true,
        Name::OnExit => {
            rules.on_exit = Some(match value {
                "poweroff" => OnExit::PowerOff,
                "reboot" => OnExit::Reboot,
                "halt" => OnExit::Halt,
                found => {
                    return Err(What::Unknown {
                        kind: "action",
                        found,
                        nearest: super::keys::nearest(found, ACTIONS),
                        allowed: ACTIONS,
                    });
                }
            });
        }
        // husk is a subreaper without being asked; the others are for the command line.
        Name::Subreaper | Name::Config | Name::License | Name::Version | Name::Help => (),
    }
    Ok(())
}

fn rewrite<'v>(rules: &mut Rules, value: &'v str) -> Result<(), What<'v>> {
    let Some((from, to)) = split_once(value, b':') else {
        return Err(What::Found("must be FROM:TO, two signals, not", value));
    };
    let to = match signal_at_least(to, 0)? {
        0 => DROPPED,
        to => to,
    };
    rules.rewrite(signal_at_least(from, 1)?, to);
    Ok(())
}

fn signal_at_least(found: &str, least: u8) -> Result<u8, What<'_>> {
    match signal::number(found) {
        Some(number) if number >= least => Ok(number),
        _ => Err(What::Unknown {
            kind: "signal",
            found,
            nearest: None,
            allowed: "1 to 64, and names such as TERM and RTMIN+1",
        }),
    }
}

fn number(found: &str, most: u32) -> Result<u32, What<'_>> {
    match parse_number(found.as_bytes()) {
        Some(number) if number <= most => Ok(number),
        _ => Err(What::OutOfRange {
            found,
            least: 0,
            most,
        }),
    }
}

fn byte(found: &str) -> Result<u8, What<'_>> {
    number(found, 255).map(|number| u8::try_from(number).unwrap_or(u8::MAX))
}
