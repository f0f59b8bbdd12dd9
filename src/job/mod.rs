//! The caller's job on its terminal, and the command as the part of it that may have the terminal.
//!
//! Whoever was started by the caller's shell looks after this: the supervisor of a container, or
//! husk itself where it is the init of somebody else's.

pub mod parent;
pub mod terminal;

use crate::sys::signal::{self, Target};
use rustix::process::{Signal, getpid};
use terminal::{Holder, Terminal};

/// The command, as seen from the job.
pub trait Command {
    /// Puts its process group into the terminal's foreground, and continues it.
    fn take_terminal(&self, terminal: &Terminal);
    /// Continues it where it is.
    fn resume(&self);
}

/// The terminal and who has it.
pub struct Job {
    terminal: Terminal,
    /// Who shall have it while husk's job is in the foreground.
    holder: Holder,
    /// Who has it now, as far as it is husk's to give.
    now: Holder,
    /// Whether the command ever had it.
    ever: Holder,
}

impl Job {
    /// The job on `terminal`, as it stands when the command starts.
    pub const fn new(terminal: Terminal) -> Self {
        let holder = terminal.first_holder();
        Self {
            terminal,
            holder,
            now: holder,
            ever: holder,
        }
    }

    /// The terminal.
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// The command was stopped: it wants the terminal that husk's job has, or the whole job is to
    /// stop. Whether it was continued since.
    pub fn stopped(&mut self, signal: i32, command: &impl Command) -> bool {
        let wants = matches!(
            Signal::from_named_raw(signal),
            Some(Signal::TTIN | Signal::TTOU)
        );
        if wants && self.terminal.is_ours() {
            self.give(command);
            return true;
        }
        if wants {
            // It shall have it when the job comes to the foreground.
            self.holder = Holder::Command;
        }
        // The terminal stopped the command's group alone: the rest of the caller's job, such as the
        // other end of a pipe, is to stop as well. The shell then takes the terminal, and wakes all
        // with SIGCONT.
        let job_of_caller = match self.now {
            Holder::Command => Target::OwnGroup,
            Holder::Supervisor => Target::Process(getpid()),
        };
        self.now = Holder::Supervisor;
        // Another init above this one is to know what the command wants.
        let named = match Signal::from_named_raw(signal) {
            Some(named @ (Signal::TTIN | Signal::TTOU)) => named,
            _ => Signal::TSTP,
        };
        let continued = signal::stop(job_of_caller, named);
        if !continued && signal != Signal::TSTP.as_raw() {
            // Nobody stopped us, nobody will continue it but by asking: or it would spin.
            return false;
        }
        // Here again by SIGCONT; or at once, in a job that nobody could continue (an orphaned process
        // group), which the kernel does not stop, and so the command is not to stand still either.
        self.resume(command);
        true
    }

    /// The shell continued us, in the foreground or in the background.
    pub fn resume(&mut self, command: &impl Command) {
        if self.holder == Holder::Command && self.terminal.is_ours() {
            return self.give(command);
        }
        command.resume();
    }

    fn give(&mut self, command: &impl Command) {
        self.holder = Holder::Command;
        self.now = Holder::Command;
        self.ever = Holder::Command;
        command.take_terminal(&self.terminal);
    }

    /// The command has ended: leaves the terminal as it was found.
    pub fn end(&self) {
        self.terminal.put_back(self.now, self.ever);
    }
}
