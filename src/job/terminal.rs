//! The caller's terminal: which process group has it, and how it was found.
//!
//! The command runs in a process group of its own, so that nothing inside can signal the caller's
//! job (kill(2) with pid 0), and husk behaves in that job as any program does: it leaves the
//! terminal where it is. When the command needs it (it is stopped by SIGTTIN or SIGTTOU while
//! husk's job is in the foreground) the command's group gets it. Until then what the terminal sends
//! goes to husk, which passes it on to the command's group. So a signal of the terminal reaches the
//! command once, and `husk run … | less` works.

use crate::plan::{Init, Session};
use crate::sys::fd::Fd;
use crate::sys::open::openat;
use crate::sys::process::own_group;
use crate::sys::terminal::{self, Modes};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{Pid, getpid};

/// The controlling terminal.
pub struct Terminal {
    fd: Fd,
    /// `None` where it is outside of husk's PID namespace.
    own_group: Option<Pid>,
    found: Option<Modes>,
    first: Holder,
}

impl Terminal {
    /// The controlling terminal, where there is one and the command is to share it.
    ///
    /// Where somebody sits at it and talks to the command alone, as far as can be told (husk leads
    /// a job in the foreground, standard input and output are terminals), the command has it from
    /// the start; and where it is PID 1, which no SIGTTIN stops.
    pub fn open(session: Session, init: Init) -> Option<Self> {
        if session == Session::New {
            return None;
        }
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let fd = openat(CWD, c"/dev/tty", flags, Mode::empty()).ok()?;
        let found = terminal::modes(&fd).ok();
        let own_group = own_group();
        let streams = [crate::sys::start::stdin(), crate::sys::start::stdout()];
        let alone = own_group == Some(getpid()) && streams.into_iter().all(terminal::is_terminal);
        let mut opened = Self {
            fd,
            own_group,
            found,
            first: Holder::Supervisor,
        };
        if (alone || init == Init::Command) && opened.is_ours() {
            opened.first = Holder::Command;
        }
        Some(opened)
    }

    /// Whether husk's own job has the terminal.
    pub fn is_ours(&self) -> bool {
        terminal::is_in_foreground(&self.fd)
    }

    /// Whether husk's process group is one that it can name, and give the terminal back to.
    pub const fn has_own_group(&self) -> bool {
        self.own_group.is_some()
    }

    /// Its descriptor's number.
    pub const fn number(&self) -> u32 {
        self.fd.number()
    }

    /// Who gets the terminal first: see [`Terminal::open`].
    pub const fn first_holder(&self) -> Holder {
        self.first
    }

    /// At the end: takes the terminal back from the command's group, if that has it, and gives it
    /// the modes in which it was found, if the command ever had it: else they are somebody else's,
    /// at the other end of a pipe. A job in the background leaves it alone. All signals are
    /// blocked, SIGTTOU with them, so that a process of another group may do this.
    pub fn put_back(&self, now: Holder, ever: Holder) {
        if now == Holder::Command
            && let Some(own_group) = self.own_group
        {
            let _ = terminal::set_foreground(&self.fd, own_group);
        }
        if let Some(found) = self.found
            && ever == Holder::Command
            && self.is_ours()
        {
            let _ = terminal::set_modes(&self.fd, found);
        }
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Which group has the terminal while husk's job is in the foreground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// husk's own.
    Supervisor,
    /// The command's.
    Command,
}
