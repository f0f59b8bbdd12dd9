//! PID 1: starts the command, reaps, passes signals on, ends with the command's status.
//!
//! Every signal is blocked and waited for in one place; there is no timer and no polling, so an
//! idle husk never wakes up.

pub mod interpreter;
pub mod spawn;

use crate::child::confine::Confined;
use crate::fail::{Doing, Failure, Status};
use crate::link::{Inner, Order};
use crate::sys::fd;
use crate::sys::signal::{self, Origin, Received, Target};
use crate::sys::terminal::set_foreground;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, chdir, wait};
use spawn::Command;

/// Runs the command as a child until it ends.
pub fn run(_: Confined, command: Command<'_>, link: Inner) -> Status {
    let mut failure = spawn::Failure::new();
    match spawn::start(&command, &mut failure) {
        Some(pid) => {
            keep_only(&[Some(link.number()), command.terminal_number()]);
            // So that the caller's directory can be unmounted and removed.
            let _ = chdir(c"/");
            Init {
                pid,
                link,
                terminal: command.terminal(),
            }
            .until_exit()
        }
        None => failure.report(&command, &link),
    }
}

/// Becomes the command.
pub fn replace(_: Confined, command: &Command<'_>, link: &Inner) -> Status {
    let mut failure = spawn::Failure::new();
    spawn::replace(command, &mut failure);
    failure.report(command, link)
}

/// Closes every descriptor above 2 but `kept`.
fn keep_only(kept: &[Option<u32>]) {
    let mut first = 3_u32;
    loop {
        let next = kept
            .iter()
            .flatten()
            .copied()
            .filter(|fd| *fd >= first)
            .min();
        match next {
            None => return fd::close_range(first, u32::MAX),
            Some(next) => {
                if next > first {
                    fd::close_range(first, next.saturating_sub(1));
                }
                first = next.saturating_add(1);
            }
        }
    }
}

/// A running command and what is needed to look after it.
struct Init<'a> {
    pid: Pid,
    link: Inner,
    terminal: Option<BorrowedFd<'a>>,
}

/// How often a wait is tried again that the kernel refused for no known reason. Then husk gives up,
/// and everything ends.
const PATIENCE: usize = 3;

impl Init<'_> {
    fn until_exit(&self) -> Status {
        loop {
            match signal::wait() {
                Ok(received) if received.signal == Signal::CHILD.as_raw() => {
                    if let Some(status) = self.reap(WaitOptions::NOHANG) {
                        return status;
                    }
                }
                Ok(received) => self.pass_on(received),
                Err(Errno::INTR) => (),
                // Without a way to wait for signals children are all that can be waited for.
                Err(_) => {
                    if let Some(status) = self.reap(WaitOptions::empty()) {
                        return status;
                    }
                }
            }
        }
    }

    /// Reaps all that has ended: one SIGCHLD may stand for many. The command's status, as soon as
    /// it is among them: what is left goes with PID 1.
    fn reap(&self, options: WaitOptions) -> Option<Status> {
        let options = match self.terminal {
            Some(_) => options | WaitOptions::UNTRACED,
            None => options,
        };
        let mut refused = 0_usize;
        loop {
            match wait(options) {
                Ok(Some((pid, status))) if pid == self.pid => {
                    if let Some(signal) = status.stopping_signal() {
                        self.link.stopped(signal);
                    } else if let Some(signal) = status.terminating_signal() {
                        return Some(Status::killed_by(signal));
                    } else if let Some(code) = status.exit_status() {
                        return Some(Status::exited(code));
                    }
                }
                Ok(Some(_)) | Err(Errno::INTR) => (),
                Ok(None) | Err(Errno::CHILD) => return None,
                Err(errno) => {
                    refused = refused.saturating_add(1);
                    if refused > PATIENCE {
                        self.link
                            .failed(Failure::new(Doing::WaitForInit, b"", errno));
                        return Some(Status::HUSK_FAILED);
                    }
                }
            }
        }
    }

    fn pass_on(&self, received: Received) {
        let group = Target::Group(self.pid);
        let target = match Signal::from_named_raw(received.signal) {
            // They are about who may use the terminal, and it was us who did.
            Some(Signal::TTIN | Signal::TTOU) => return,
            Some(Signal::CONT) if self.terminal.is_some() => {
                // One SIGCONT may stand for several orders.
                while self.link.order() == Some(Order::TakeTerminal) {
                    if let Some(terminal) = self.terminal {
                        let _ = set_foreground(terminal, self.pid);
                    }
                }
                group
            }
            _ if received.origin == Origin::Terminal => group,
            _ => Target::Process(self.pid),
        };
        // The pid is a child's that was not reaped, so it is nobody else's. A command that left its
        // group, or whose user may no longer be signalled, cannot be helped.
        let _ = signal::send(target, received.signal);
    }
}
