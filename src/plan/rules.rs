//! How the command is looked after: what husk does as PID 1 and as anybody's init.

use super::Session;
use super::signal::LAST;
use crate::config::Place;
use crate::fail::refusal::{Refusal, Refused};
use crate::fail::status::Status;

/// The rules of one init.
#[derive(Clone, Copy)]
pub struct Rules {
    /// Who gets the signals that husk gets.
    pub whom: Whom,
    /// Where the command lives among sessions and process groups.
    pub session: Session,
    /// What becomes of each signal, by its number: another one, or nothing; 0 where nothing was
    /// said.
    rewrites: [u8; LAST as usize + 1],
    /// What becomes of each exit status, plus one; 0 where nothing was said.
    remaps: [u16; 256],
    /// What a terminating signal becomes; 0 leaves it as it is.
    pub stop_signal: u8,
    /// Seconds between the first terminating signal and SIGKILL; 0 for no SIGKILL.
    pub grace: u32,
    /// Seconds for which the first terminating signal is held back.
    pub drain: u32,
    /// Whether orphans hold husk.
    pub orphans: Orphans,
    /// Whether each orphan that was reaped is worth a line.
    pub warn_reaped: bool,
    /// How much is told: 0 is what goes wrong, 1 the life of the command, 2 every process.
    pub verbosity: u8,
    /// The signal that husk gets when its parent dies; 0 for none (PR_SET_PDEATHSIG).
    pub parent_death: u8,
    /// What there is to look after.
    pub work: Work,
    /// Whether this is the init of a machine, which has mounts to make.
    pub boot: bool,
    /// What becomes of the machine at the end.
    pub on_exit: Option<OnExit>,
}

/// Who gets a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The command alone.
    Command,
    /// Its process group.
    Group,
    /// Every process that is there.
    All,
}

/// Whether husk waits for what the command left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// It leaves with the command, or after the grace.
    Left,
    /// It leaves with the last of them.
    Awaited,
}

/// What there is to look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A command.
    Command,
    /// Nothing but orphans, until SIGTERM or SIGINT.
    Pause,
}

/// The end of a machine (reboot(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExit {
    /// LINUX_REBOOT_CMD_POWER_OFF.
    PowerOff,
    /// LINUX_REBOOT_CMD_RESTART.
    Reboot,
    /// LINUX_REBOOT_CMD_HALT.
    Halt,
}

/// A signal that is not passed on.
pub const DROPPED: u8 = u8::MAX;

const SIGSTOP: u8 = 19;
const SIGTSTP: i32 = 20;
const SIGTTIN: i32 = 21;
const SIGTTOU: i32 = 22;

impl Rules {
    /// Those of `husk run` and `husk init` where nothing is said.
    pub const DEFAULT: Self = Self {
        whom: Whom::Command,
        session: Session::Callers,
        rewrites: [0; LAST as usize + 1],
        remaps: [0; 256],
        stop_signal: 0,
        grace: 0,
        drain: 0,
        orphans: Orphans::Left,
        warn_reaped: false,
        verbosity: 0,
        parent_death: 0,
        work: Work::Command,
        boot: false,
        on_exit: None,
    };

    /// Some are about the place of an init among its caller's processes, or in a machine: not for `husk run`.
    pub fn are_for_run(&self) -> Result<(), Refused> {
        let what = match self {
            Self {
                session: Session::Husks,
                ..
            } => "no_tty and single_child: husk run decides that",
            Self {
                session: Session::Taking,
                ..
            } => "session: here it is called new_session",
            Self {
                parent_death: 1.., ..
            } => "pdeathsig: here it is called die_with_parent",
            Self {
                work: Work::Pause, ..
            } => "pause: husk run has a command",
            Self { boot: true, .. }
            | Self {
                on_exit: Some(_), ..
            } => "boot and on_exit: for husk init",
            _ => return Ok(()),
        };
        Err(Refusal::text(Place::Nowhere, "init", what))
    }

    /// From now on `from` becomes `to`, which may be [`DROPPED`].
    pub fn rewrite(&mut self, from: u8, to: u8) {
        if let Some(place) = self.rewrites.get_mut(usize::from(from)) {
            *place = to;
        }
    }

    /// What `signal` becomes; `None` when it is not passed on.
    pub fn rewritten(&self, signal: i32) -> Option<i32> {
        let place = usize::try_from(signal).ok()?;
        match (self.rewrites.get(place).copied()?, signal) {
            (DROPPED, _) => None,
            // A session of its own has nobody who could continue it, and so the kernel does not let
            // it be stopped by these; as dumb-init has it, it is stopped all the same.
            (0, SIGTSTP | SIGTTIN | SIGTTOU) if self.session == Session::Taking => {
                Some(i32::from(SIGSTOP))
            }
            // They are about who may use the terminal, and it was husk who did.
            (0, SIGTTIN | SIGTTOU) => None,
            (0, signal) => Some(signal),
            (other, _) => Some(i32::from(other)),
        }
    }

    /// From now on the exit status `from` becomes `to`.
    pub fn remap(&mut self, from: u8, to: u8) {
        if let Some(place) = self.remaps.get_mut(usize::from(from)) {
            *place = u16::from(to).saturating_add(1);
        }
    }

    /// What the exit status becomes.
    pub fn remapped(&self, status: Status) -> Status {
        let remap = self.remaps.get(usize::from(status.0)).copied().unwrap_or(0);
        match remap.to_le_bytes() {
            [0, 0] => status,
            [low, _] => Status(low.wrapping_sub(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DROPPED, Rules};
    use crate::fail::status::Status;
    use crate::plan::Session;

    #[test]
    fn a_status_is_remapped_and_others_stay() {
        let mut rules = Rules::DEFAULT;
        rules.remap(143, 0);
        rules.remap(0, 255);
        assert_eq!(rules.remapped(Status(143)), Status(0));
        assert_eq!(rules.remapped(Status(0)), Status(255));
        assert_eq!(rules.remapped(Status(1)), Status(1));
    }

    #[test]
    fn a_signal_is_rewritten_or_dropped() {
        let mut rules = Rules::DEFAULT;
        rules.rewrite(15, 3);
        rules.rewrite(64, DROPPED);
        assert_eq!(
            [15, 64, 1, 21].map(|signal| rules.rewritten(signal)),
            [Some(3), None, Some(1), None]
        );
        rules.session = Session::Taking;
        rules.rewrite(20, 20);
        assert_eq!(
            [20, 21].map(|signal| rules.rewritten(signal)),
            [Some(20), Some(19)]
        );
    }
}
