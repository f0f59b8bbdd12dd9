//! Children: how they ended, and the orphans that nobody asks about.

use rustix::io::Errno;
use rustix::process::{self, Pid, WaitOptions};

/// The status of wait(2). rustix has the same, but makes it itself alone.
#[derive(Clone, Copy)]
pub struct WaitStatus(i32);

impl WaitStatus {
    /// The signal that stopped the child: WSTOPSIG.
    pub const fn stopping_signal(self) -> Option<i32> {
        match self.0 & 0xff {
            0x7f => Some(self.high_byte()),
            _ => None,
        }
    }

    /// The signal that ended it: WTERMSIG.
    pub const fn terminating_signal(self) -> Option<i32> {
        match self.0 & 0x7f {
            0 | 0x7f => None,
            signal => Some(signal),
        }
    }

    /// What it ended with, 0 to 255: WEXITSTATUS.
    pub const fn exit_status(self) -> Option<i32> {
        match self.0 & 0x7f {
            0 => Some(self.high_byte()),
            _ => None,
        }
    }

    const fn high_byte(self) -> i32 {
        self.0 >> 8 & 0xff
    }
}

/// Waits for any child: wait4(2).
pub fn wait(options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>, Errno> {
    let child = process::wait(options)?;
    Ok(child.map(|(pid, status)| (pid, WaitStatus(status.as_raw()))))
}

/// Reaping while husk is idle, in the one page that it then has (see [`super::idle`]).
#[repr(C)]
pub struct Reaper {
    /// The child that is asked about, 0 for none.
    pub(super) asked: i32,
    /// The same, once it was reaped or stopped; else 0.
    pub(super) pid: i32,
    pub(super) status: i32,
}

impl Reaper {
    /// Reaps all but `asked`, about which it reports.
    pub fn sparing(asked: Option<Pid>) -> Self {
        Self {
            asked: asked.map_or(0, |pid| pid.as_raw_nonzero().get()),
            pid: 0,
            status: 0,
        }
    }

    /// The child that was asked about, if it ended or stopped.
    pub fn reaped(&self) -> Option<(Pid, WaitStatus)> {
        Some((Pid::from_raw(self.pid)?, WaitStatus(self.status)))
    }
}
