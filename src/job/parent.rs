//! The parent, and its death.

use crate::fail::{Doing, Explain, Failed};
use crate::sys::process::set_parent_death_signal;
use crate::sys::signal::{self, Target};
use rustix::process::{getpid, getppid};

/// PR_SET_PDEATHSIG of prctl(2), and the question whether it came too late: then husk sends itself
/// the signal that nobody else will.
///
/// A parent outside of the PID namespace has no number here, and one that was gone before husk
/// began is not missed.
pub fn signal_at_death(signal: i32) -> Result<(), Failed> {
    let parent = getppid();
    set_parent_death_signal(signal).doing(Doing::DieWithParent, b"")?;
    if getppid() != parent {
        let _ = signal::send(Target::Process(getpid()), signal);
    }
    Ok(())
}
