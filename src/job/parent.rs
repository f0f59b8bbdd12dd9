//! The parent, and its death.

use crate::fail::{Doing, Explain, Failed};
use crate::sys::signal::{self, Target};
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

/// PR_SET_PDEATHSIG of prctl(2), and the question whether it came too late: then husk sends itself
/// the signal that nobody else will.
///
/// A parent outside of the PID namespace has no number here, and one that was gone before husk
/// began is not missed.
pub fn signal_at_death(signal: Signal) -> Result<(), Failed> {
    let parent = getppid();
    set_parent_process_death_signal(Some(signal)).doing(Doing::DieWithParent, b"")?;
    if getppid() != parent {
        let _ = signal::send(Target::Process(getpid()), signal.as_raw());
    }
    Ok(())
}
