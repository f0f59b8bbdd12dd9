//! While the container runs: signals go in, stops and the end come out.

use super::Child;
use crate::fail::cause::Cause;
use crate::fail::{Doing, Explain, Failed, Failure, Status};
use crate::job::terminal::Terminal;
use crate::job::{Command, Job};
use crate::link::{Order, Outer};
use crate::plan::seccomp::Seccomp;
use crate::plan::{Init, Plan};
use crate::sys::clock;
use crate::sys::signal::{self, Origin, Patience, Received, Target};
use rustix::io::Errno;
use rustix::process::{Signal, WaitStatus};

/// PID 1 and the command in it, as the caller's job sees them.
struct Container<'a> {
    child: &'a Child,
    outer: &'a Outer,
}

impl Command for Container<'_> {
    fn take_terminal(&self, _: &Terminal) {
        let _ = self.outer.order(Order::TakeTerminal);
        self.resume();
    }

    fn resume(&self) {
        let _ = signal::send(Target::Process(self.child.pid()), Signal::CONT.as_raw());
    }
}

/// Waits for the end of PID 1 and returns the command's status.
pub fn until_exit(
    child: &mut Child,
    outer: &Outer,
    plan: &Plan<'_>,
    terminal: Option<Terminal>,
) -> Result<Status, Failed> {
    let mut job = terminal.map(Job::new);
    let ended = wait(child, outer, plan, job.as_mut());
    if let Some(job) = &job {
        job.end();
    }
    ended
}

fn wait(
    child: &mut Child,
    outer: &Outer,
    plan: &Plan<'_>,
    mut job: Option<&mut Job>,
) -> Result<Status, Failed> {
    loop {
        match signal::wait(Patience::Endless) {
            Ok(Some(received)) => match Signal::from_named_raw(received.signal) {
                Some(Signal::CHILD) => {
                    if let Some(status) = child.try_wait().doing(Doing::WaitForInit, b"")? {
                        return judge(status, outer, plan);
                    }
                }
                _ => relay(received, child, outer, job.as_deref_mut()),
            },
            Ok(None) | Err(Errno::INTR) => (),
            // Without a way to wait for signals the end is all that can be waited for.
            Err(_) => return ended(child, outer, plan),
        }
    }
}

/// Waits for the end of PID 1 and for nothing else.
pub fn ended(child: &mut Child, outer: &Outer, plan: &Plan<'_>) -> Result<Status, Failed> {
    match child.wait().doing(Doing::WaitForInit, b"")? {
        Some(status) => judge(status, outer, plan),
        None => Err(Failure::new(Doing::WaitForInit, b"", Errno::CHILD)),
    }
}

fn relay(received: Received, child: &Child, outer: &Outer, job: Option<&mut Job>) {
    let named = Signal::from_named_raw(received.signal);
    match (named, job) {
        (Some(Signal::IO), Some(job)) if received.origin == Origin::Kernel => {
            while let Some(signal) = outer.stop() {
                job.stopped(signal, &Container { child, outer });
            }
        }
        (Some(Signal::CONT), Some(job)) => job.resume(&Container { child, outer }),
        // Sent because a background process touched the terminal: husk did, on the command's
        // behalf.
        (Some(Signal::TTIN | Signal::TTOU), _) => (),
        _ => {
            // Nobody to tell when it fails: then PID 1 is gone, and SIGCHLD is next.
            let _ = match received.origin {
                Origin::Kernel | Origin::Terminal => {
                    signal::pass_on_from_terminal(child.pid(), received.signal)
                }
                Origin::Process => signal::send(Target::Process(child.pid()), received.signal),
            };
        }
    }
}

/// What PID 1's end means: its status is the command's, but for a step that it reported.
fn judge(status: WaitStatus, outer: &Outer, plan: &Plan<'_>) -> Result<Status, Failed> {
    // Whoever has reported one ends with the status of husk's failures.
    if Status::is_of_failure(status.exit_status())
        && let Some(failure) = outer.failure()
    {
        return Err(failure);
    }
    if let Some(signal) = status.terminating_signal() {
        return match plan.init {
            Init::Husk | Init::Nobody => Err(killed(signal, plan)),
            Init::Command => Ok(Status::killed_by(signal)),
        };
    }
    Ok(Status::exited(status.exit_status().unwrap_or(0)))
}

/// Whose filter it was.
const fn filter_of(plan: &Plan<'_>) -> Cause {
    match plan.seccomp {
        Seccomp::File { .. } => Cause::OwnProgram,
        Seccomp::Own { .. } | Seccomp::Off => Cause::Seccomp,
    }
}

#[cold]
fn killed(signal: i32, plan: &Plan<'_>) -> Failed {
    let (name, cause): (&[u8], _) = match Signal::from_named_raw(signal) {
        Some(Signal::KILL) => (b"SIGKILL: for want of memory, or by hand", None),
        Some(Signal::SYS) => (b"SIGSYS", Some(filter_of(plan))),
        _ => (b"a signal that cannot be blocked", None),
    };
    Failure::caused(Doing::InitKilled, [name, b""], None, cause)
}

/// How often PID 1 is looked at that may be dying, and milliseconds between.
const LOOKS: u32 = 10;
const PAUSE: u32 = 10;

/// Why a start came to nothing, in which the supervisor met with `failed`. Where PID 1 has failed
/// meanwhile, or was killed, that is worth more than what follows from it: a /proc/PID that nobody
/// may write to, a link that nobody listens at.
#[cold]
#[inline(never)]
pub fn why(child: &mut Child, outer: &Outer, failed: Failed, plan: &Plan<'_>) -> Failed {
    let follows = matches!(
        failed.errno(),
        Some(Errno::ACCESS | Errno::NOENT | Errno::SRCH | Errno::PIPE)
    );
    for _ in 0..LOOKS {
        let ended = child.try_wait().unwrap_or(None);
        if let Some(told) = outer.failure() {
            return told;
        }
        match ended {
            Some(status) => {
                let signal = status.terminating_signal();
                return signal.map_or(failed, |signal| killed(signal, plan));
            }
            // What it had is gone before it is.
            None if follows => clock::sleep(PAUSE),
            None => break,
        }
    }
    failed
}
