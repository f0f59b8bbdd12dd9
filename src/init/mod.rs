//! PID 1, or whoever looks after a command: starts it, reaps, passes signals on, ends with its
//! status.
//!
//! Every signal is blocked and waited for in one place; a timer runs only while a grace is being
//! counted. It is the same for the PID 1 of `husk run` and for `husk init`: the one has a supervisor
//! outside who looks after the terminal, the other does that itself ([`Keeper`]).

pub mod alone;
pub mod bounds;
pub mod early;
pub mod everyone;
pub mod interpreter;
pub mod machine;
pub mod signals;
pub mod sockets;
pub mod spawn;
pub mod voice;

use crate::child::confine::Confined;
use crate::fail::{Doing, Explain, Failed, Failure, Status};
use crate::job::Job;
use crate::job::terminal::Terminal;
use crate::link::Inner;
use crate::plan::rules::{Orphans, Rules};
use crate::plan::{Plan, Root, Session};
use crate::sys::child::{self, Reaper, WaitStatus};
use crate::sys::clock::Moment;
use crate::sys::fd;
use crate::sys::signal::{self, Patience, SignalSet, Target};
use crate::sys::terminal::set_foreground;
use core::mem;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, chdir, getpid};
use signals::Phase;
use sockets::Sockets;
use spawn::{Bond, Command};
use voice::Voice;

/// Blocks every signal, so that one that comes from now on is not lost: the first thing that an init
/// does. Returns the mask that was there.
pub fn block_signals() -> Result<SignalSet, Failed> {
    let mask = signal::set_mask(SignalSet::ALL).doing(Doing::BlockSignals, b"")?;
    signal::default_child_signal().doing(Doing::BlockSignals, b"")?;
    Ok(mask)
}

/// Runs the command of a container as a child until it ends.
pub fn run(
    _: Confined,
    plan: &Plan<'_>,
    command: Command<'_>,
    (link, sockets): (Inner, Option<&'static mut Sockets>),
) -> Status {
    let rules = &plan.rules;
    let pid = match spawn::start(&command, sockets) {
        Ok(pid) => pid,
        Err(failure) => {
            link.failed(failure);
            return failure.status();
        }
    };
    if command.bounds.is_some() || plan.preserved != 0 {
        // What was kept for it alone.
        fd::keep_only(&[Some(link.number()), command.terminal.map(Terminal::number)]);
    }
    let keeper = Keeper::Supervisor(link, command.terminal);
    let voice = Voice::of_husk(rules);
    voice.started(command.name(), pid);
    let own_pid = match command.bond {
        Bond::Kernels => Pid::INIT,
        Bond::Death => getpid(),
    };
    let mut init = Init::of(own_pid, rules, keeper, voice);
    init.command = Some(pid);
    if plan.working_dir.is_some() || !matches!(plan.root, Root::Pivot(_)) {
        leave_directory();
    }
    let status = init.until_over();
    // What is open is the kernel's to close.
    mem::forget(init);
    status
}

/// So that the caller's directory, or the command's, can be unmounted and removed.
fn leave_directory() {
    let _ = chdir(c"/");
}

/// Becomes the command.
pub fn replace(
    _: Confined,
    mut command: Command<'_>,
    link: &Inner,
    sockets: Option<&'static mut Sockets>,
) -> Status {
    if let Some(sockets) = sockets {
        command.envp = sockets.of_process(getpid());
    }
    let failure = spawn::replace(&command);
    link.failed(failure);
    failure.status()
}

/// Who looks after the job in which the command is.
pub enum Keeper<'a> {
    /// The supervisor outside, and the terminal that the command shares with it.
    Supervisor(Inner, Option<&'a Terminal>),
    /// husk itself; there may be a terminal.
    Husk(Option<Job>),
}

/// A command and what is needed to look after it.
pub struct Init<'a> {
    /// The command; `None` once it was reaped.
    command: Option<Pid>,
    /// What it ended with.
    status: Option<Status>,
    /// Whether the command stands still, as far as husk was told.
    motion: Motion,
    /// Whether a SIGTSTP was passed on: when the command stops, husk is to stop as well.
    stopping: bool,
    /// Whether the command's process group was told that it has ended.
    buried: bool,
    rules: &'a Rules,
    keeper: Keeper<'a>,
    voice: Voice,
    phase: Phase,
    /// When this phase is over.
    until: Patience,
    own_pid: Pid,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Motion {
    Running,
    Stopped,
}

/// What is left to reap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing for now: SIGCHLD will tell.
    Nothing,
    /// Perhaps more: signals come first.
    More,
}

/// How many are reaped before signals are looked at: an endless stream of orphans must not keep
/// husk from them.
const BATCH: usize = 64;

/// How many times in a row SIGCHLD alone has to come for husk to see nothing but orphans coming.
const STORM: u8 = 16;

/// How often a wait is tried again that the kernel refused for no known reason. Then husk gives up,
/// and everything ends.
const PATIENCE: usize = 3;

/// The terminal's side of it: the command is one process group.
pub struct Group(Pid);

impl crate::job::Command for Group {
    fn take_terminal(&self, terminal: &Terminal) {
        let _ = set_foreground(terminal, self.0);
        self.resume();
    }

    fn resume(&self) {
        let _ = signal::send(Target::Group(self.0), Signal::CONT.as_raw());
    }
}

impl<'a> Init<'a> {
    const fn of(own_pid: Pid, rules: &'a Rules, keeper: Keeper<'a>, voice: Voice) -> Self {
        Self {
            command: None,
            status: None,
            motion: Motion::Running,
            stopping: false,
            buried: false,
            rules,
            keeper,
            voice,
            phase: Phase::Calm,
            until: Patience::Endless,
            own_pid,
        }
    }

    /// Looks after `command`, which was just started.
    pub fn new(command: Option<Pid>, rules: &'a Rules, keeper: Keeper<'a>, voice: Voice) -> Self {
        let mut init = Self::of(getpid(), rules, keeper, voice);
        init.command = command;
        init
    }

    /// Lets go of all that the command has now and husk does not need: `kept` are the descriptors
    /// above 2 that it does.
    pub fn settle_down(&self, kept: &[Option<u32>]) {
        fd::keep_only(kept);
        leave_directory();
    }

    /// Until there is nothing left to do: the command's status.
    pub fn until_over(&mut self) -> Status {
        let mut left = Left::Nothing;
        let mut in_a_row = 0_u8;
        loop {
            let mut reaper = Reaper::sparing(self.command);
            let woken = match (left, self.until) {
                (Left::More, _) => signal::wait(Patience::None),
                (Left::Nothing, Patience::Endless) if self.cares_for_no_orphan() => {
                    signal::wait_reaping(&mut reaper, in_a_row >= STORM)
                }
                (Left::Nothing, patience) => signal::wait(patience),
            };
            let mut options = WaitOptions::NOHANG;
            match woken {
                Ok(Some(received)) if received.signal != Signal::CHILD.as_raw() => {
                    in_a_row = 0;
                    if let Some(status) = self.receive(received) {
                        return status;
                    }
                    continue;
                }
                Ok(None) if left == Left::Nothing || self.is_late() => match self.time_is_up() {
                    Some(status) => return status,
                    None => continue,
                },
                Ok(_) => (),
                Err(Errno::INTR) => continue,
                // Without a way to wait for signals children are all that can be waited for.
                Err(_) => options = WaitOptions::empty(),
            }
            in_a_row = in_a_row.saturating_add(1);
            if let Some((pid, status)) = reaper.reaped()
                && let Err(status) = self.changed(pid, status)
            {
                return status;
            }
            match self.reap(options) {
                Ok(more) => {
                    left = more;
                    // A look at everybody costs more than reaping them.
                    if left == Left::Nothing {
                        self.kill_the_rest();
                    }
                }
                Err(status) => return status,
            }
        }
    }

    /// Whether orphans may be reaped without a word and without an act.
    fn cares_for_no_orphan(&self) -> bool {
        self.voice.is_silent_about_orphans() && self.rules.session != Session::Taking
    }

    /// Reaps what has ended: one SIGCHLD may stand for many. `Err` is the end.
    fn reap(&mut self, options: WaitOptions) -> Result<Left, Status> {
        let mut refused = 0_usize;
        for _ in 0..BATCH {
            self.bury_group();
            match child::wait(options | WaitOptions::UNTRACED) {
                Ok(Some((pid, status))) if Some(pid) == self.command => {
                    self.changed(pid, status)?
                }
                Ok(Some((pid, status))) => self.voice.reaped(pid, status),
                Err(Errno::INTR) => (),
                Ok(None) => return Ok(Left::Nothing),
                // Nobody is left.
                Err(Errno::CHILD) => return self.childless(),
                Err(errno) => {
                    refused = refused.saturating_add(1);
                    if refused > PATIENCE {
                        return Err(self.fails(errno));
                    }
                }
            }
        }
        Ok(Left::More)
    }

    fn childless(&self) -> Result<Left, Status> {
        match (self.status, self.command) {
            (Some(status), _) => Err(status),
            // Somebody made the kernel forget the command.
            (None, Some(_)) => Err(self.fails(Errno::CHILD)),
            (None, None) => Ok(Left::Nothing),
        }
    }

    /// The command stopped, or ended.
    fn changed(&mut self, pid: Pid, status: WaitStatus) -> Result<(), Status> {
        if let Some(signal) = status.stopping_signal() {
            self.motion = Motion::Stopped;
            self.voice.stopped(signal);
            self.stopped(pid, signal);
            return Ok(());
        }
        self.voice.ended(status);
        self.command = None;
        let ended = match (status.terminating_signal(), status.exit_status()) {
            (Some(signal), _) => Status::killed_by(signal),
            (None, code) => Status::exited(code.unwrap_or(0)),
        };
        let ended = self.rules.remapped(ended);
        self.status = Some(ended);
        if let Keeper::Husk(Some(job)) = &self.keeper {
            job.end();
        }
        match self.phase {
            Phase::Killing => self.kill(),
            _ if self.rules.orphans == Orphans::Awaited => self.await_orphans(),
            _ if self.rules.grace > 0 => self.ask_to_leave(),
            _ => return Err(ended),
        }
        Ok(())
    }

    /// The kernel refuses what cannot be done without.
    fn fails(&self, errno: Errno) -> Status {
        let failure = Failure::new(Doing::WaitForCommand, b"", errno);
        match &self.keeper {
            Keeper::Supervisor(link, _) => link.failed(failure),
            Keeper::Husk(_) => self.voice.failed(failure),
        }
        Status::HUSK_FAILED
    }

    /// Whether the time of this phase is over, although there is more to reap.
    fn is_late(&self) -> bool {
        matches!(self.until, Patience::Until(moment) if moment.left() == 0)
    }

    /// The moment at which a phase of so many seconds ends.
    fn after(seconds: u32) -> Patience {
        Patience::Until(Moment::in_seconds(seconds))
    }
}
