//! While the container runs: signals go in, stops and the end come out.

use super::Child;
use super::terminal::{Holder, Terminal};
use crate::fail::{Doing, Explain, Failed, Failure, Status};
use crate::link::{Order, Outer};
use crate::plan::Init;
use crate::sys::signal::{self, Origin, Received, Target};
use rustix::io::Errno;
use rustix::process::{Signal, WaitStatus, getpid};

/// The container's terminal and who has it.
struct Job {
    terminal: Terminal,
    /// Who shall have it while husk's job is in the foreground.
    holder: Holder,
    /// Who has it now, as far as it is husk's to give.
    now: Holder,
    /// Whether the command ever had it.
    ever: Holder,
}

/// Waits for the end of PID 1 and returns the command's status.
pub fn until_exit(
    child: &mut Child,
    outer: &Outer,
    init: Init,
    terminal: Option<Terminal>,
) -> Result<Status, Failed> {
    let mut job = terminal.map(|terminal| {
        let holder = terminal.first_holder();
        Job {
            terminal,
            holder,
            now: holder,
            ever: holder,
        }
    });
    let ended = wait(child, outer, init, job.as_mut());
    if let Some(job) = &job {
        job.terminal.put_back(job.now, job.ever);
    }
    ended
}

fn wait(
    child: &mut Child,
    outer: &Outer,
    init: Init,
    mut job: Option<&mut Job>,
) -> Result<Status, Failed> {
    loop {
        match signal::wait() {
            Ok(received) => match Signal::from_named_raw(received.signal) {
                Some(Signal::CHILD) => {
                    if let Some(status) = child.try_wait().doing(Doing::WaitForInit, b"")? {
                        return judge(status, outer, init);
                    }
                }
                _ => relay(received, child, outer, job.as_deref_mut()),
            },
            Err(Errno::INTR) => (),
            // Without a way to wait for signals the end is all that can be waited for.
            Err(_) => return ended(child, outer, init),
        }
    }
}

/// Waits for the end of PID 1 and for nothing else.
pub fn ended(child: &mut Child, outer: &Outer, init: Init) -> Result<Status, Failed> {
    match child.wait().doing(Doing::WaitForInit, b"")? {
        Some(status) => judge(status, outer, init),
        None => Err(Failure::new(Doing::WaitForInit, b"", Errno::CHILD)),
    }
}

fn relay(received: Received, child: &Child, outer: &Outer, job: Option<&mut Job>) {
    let named = Signal::from_named_raw(received.signal);
    match (named, job) {
        (Some(Signal::IO), Some(job)) if received.origin == Origin::Kernel => {
            while let Some(signal) = outer.stop() {
                stopped(signal, child, outer, job);
            }
        }
        (Some(Signal::CONT), Some(job)) => resume(child, outer, job),
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

/// The command was stopped: it wants the terminal that husk's job has, or the whole job is to stop.
fn stopped(signal: i32, child: &Child, outer: &Outer, job: &mut Job) {
    let wants = matches!(
        Signal::from_named_raw(signal),
        Some(Signal::TTIN | Signal::TTOU)
    );
    if wants && job.terminal.is_ours() {
        return give(child, outer, job);
    }
    if wants {
        // It shall have it when the job comes to the foreground.
        job.holder = Holder::Command;
    }
    // The terminal stopped the command's group alone: the rest of the caller's job, such as the
    // other end of a pipe, is to stop as well. The shell then takes the terminal, and wakes all
    // with SIGCONT.
    let job_of_caller = match job.now {
        Holder::Command => Target::Group(job.terminal.own_group()),
        Holder::Supervisor => Target::Process(getpid()),
    };
    job.now = Holder::Supervisor;
    signal::stop(job_of_caller);
    // Here again by SIGCONT; or at once, in a job that nobody could continue (an orphaned process
    // group), which the kernel does not stop, and so the command is not to stand still either.
    resume(child, outer, job);
}

/// The shell continued us, in the foreground or in the background.
fn resume(child: &Child, outer: &Outer, job: &mut Job) {
    if job.holder == Holder::Command && job.terminal.is_ours() {
        return give(child, outer, job);
    }
    let _ = signal::send(Target::Process(child.pid()), Signal::CONT.as_raw());
}

fn give(child: &Child, outer: &Outer, job: &mut Job) {
    job.holder = Holder::Command;
    job.now = Holder::Command;
    job.ever = Holder::Command;
    let _ = outer.order(Order::TakeTerminal);
    let _ = signal::send(Target::Process(child.pid()), Signal::CONT.as_raw());
}

/// What PID 1's end means: its status is the command's, but for a step that it reported.
fn judge(status: WaitStatus, outer: &Outer, init: Init) -> Result<Status, Failed> {
    if let Some(failure) = outer.failure() {
        return Err(failure);
    }
    if let Some(signal) = status.terminating_signal() {
        return match init {
            Init::Husk => {
                let name: &[u8] = match signal == Signal::KILL.as_raw() {
                    true => b"SIGKILL: for want of memory, or by hand",
                    false => b"a signal that cannot be blocked",
                };
                Err(Failure::record(Doing::InitKilled, name, b"", None))
            }
            Init::Command => Ok(Status::killed_by(signal)),
        };
    }
    Ok(Status::exited(status.exit_status().unwrap_or(0)))
}
