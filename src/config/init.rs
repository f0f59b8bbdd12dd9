//! The options of `husk init`, whoever spells them: flags, keys of `[init]`, or a variable.

use crate::fail::refusal::What;
use crate::plan::Session;
use crate::plan::rules::{DROPPED, OnExit, Orphans, Rules, Whom, Work};
use crate::plan::signal;
use crate::text::{line, parse_number, split_once};

/// Every option: its letter, its long name, its argument, and what it does for --help. One text,
/// since every reference costs a relocation. Those before `subreaper` are for `husk run` as well.
pub const OPTIONS: &str = "\
g|group||signals go to the command's process group
-|all||signals go to every process there is
r|rewrite|A:B|signal A becomes B, or is dropped where B is 0
-|stop-signal|SIG|what a terminating signal becomes
-|drain|SECONDS|hold the first terminating signal back so long
-|grace|SECONDS|time between it and SIGKILL; TERM for what is left
-|wait-all||leave when the last orphan has ended
e|remap-exit|N[:M]|exit status N becomes 0, or M
w|warn-reaped||a line for each orphan that is reaped
v|verbose||say what happens; twice: to every process
s|subreaper||be a subreaper: done anyway when not PID 1
p|pdeathsig|SIG|get SIG when the parent dies; the command dies with husk
c|single-child||no process group, no session; signals go to it alone
-|no-tty||no process group, no session, no terminal
-|session||a session of its own, signals go to its group
P|pause||no command: reap until TERM or INT
-|boot||init of a machine: mount /proc, /sys and /dev
-|on-exit|ACTION|then poweroff, reboot or halt
-|config|FILE|read [init] of FILE
l|license||print the licence
V|version||print the version
h|help||print this
";

/// The words of `on_exit`.
const ACTIONS: &str = "poweroff, reboot, halt";

/// Seconds of the longest wait: a year.
const LONGEST: u32 = 31_536_000;

/// One option.
#[derive(Clone, Copy)]
pub struct InitOption {
    /// Its letter, or `-`.
    pub letter: u8,
    /// Its long name.
    pub name: &'static str,
    /// Its argument, or nothing.
    pub argument: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// All of them, in the order of --help.
pub fn options() -> impl Iterator<Item = InitOption> {
    let mut number = 0_usize;
    core::iter::from_fn(move || {
        let (letter, rest) = split_once(line(OPTIONS, number), b'|')?;
        let (name, rest) = split_once(rest, b'|')?;
        let (argument, help) = split_once(rest, b'|')?;
        number = number.saturating_add(1);
        let letter = letter.as_bytes().first().copied()?;
        Some(InitOption {
            letter,
            name,
            argument,
            help,
        })
    })
}

/// Those that `husk run` has as well, before the first that it has not.
pub fn for_run() -> impl Iterator<Item = InitOption> {
    options().take_while(|option| option.name != "subreaper")
}

/// Carries out the option `name`, which is one of [`OPTIONS`], with its argument if it has one.
#[inline(never)]
pub fn set<'v>(rules: &mut Rules, name: &str, value: &'v str) -> Result<(), What<'v>> {
    match name {
        "group" => rules.whom = Whom::Group,
        "all" => rules.whom = Whom::All,
        "rewrite" => rewrite(rules, value)?,
        "stop-signal" => rules.stop_signal = signal_at_least(value, 1)?,
        "pdeathsig" => rules.parent_death = signal_at_least(value, 1)?,
        "grace" => rules.grace = number(value, LONGEST)?,
        "drain" => rules.drain = number(value, LONGEST)?,
        "wait-all" => rules.orphans = Orphans::Awaited,
        "remap-exit" => {
            let (from, to) = split_once(value, b':').unwrap_or((value, "0"));
            rules.remap(byte(from)?, byte(to)?);
        }
        "warn-reaped" => rules.warn_reaped = true,
        "verbose" if value.is_empty() => rules.verbosity = rules.verbosity.saturating_add(1),
        "verbose" => rules.verbosity = byte(value)?,
        "single-child" => {
            rules.session = Session::Husks;
            rules.whom = Whom::Command;
        }
        "no-tty" => rules.session = Session::Husks,
        "session" => {
            rules.session = Session::Taking;
            rules.whom = Whom::Group;
        }
        "pause" => rules.work = Work::Pause,
        "boot" => rules.boot = true,
        "on-exit" => {
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
        // subreaper: husk is one without being asked.
        _ => (),
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
