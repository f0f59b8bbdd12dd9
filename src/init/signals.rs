//! Signals on their way to the command, and the end of everything in its time.

use super::everyone::{self, Seen};
use super::{Group, Init, Keeper, Motion};
use crate::fail::Status;
use crate::link::Order;
use crate::plan::Session;
use crate::plan::rules::{Whom, Work};
use crate::sys::process::{group_of, own_group, own_session};
use crate::sys::signal::{self, Origin, Patience, Received, Target};
use crate::sys::terminal::set_foreground;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

/// How far the end has come.
#[derive(Clone, Copy)]
pub enum Phase {
    /// No terminating signal yet.
    Calm,
    /// One is held back.
    Draining(Received),
    /// One was passed on, and there is no hurry.
    Asked,
    /// One was passed on; when the time is up, SIGKILL follows.
    Grace,
    /// SIGKILL was sent.
    Killing,
}

/// Seconds that SIGKILL may take.
const AFTER_KILL: u32 = 1;

/// Whether the signal is one that asks husk to end: not Ctrl-C, which is for the command to judge,
/// and not the SIGHUP with which a process asks for another to read its files again.
fn is_terminating(received: Received) -> bool {
    let signal = Signal::from_named_raw(received.signal);
    match received.origin {
        Origin::Process => matches!(signal, Some(Signal::TERM | Signal::INT)),
        Origin::Kernel | Origin::Terminal => signal == Some(Signal::HUP),
    }
}

/// Whether the terminal sent it, to husk's process group; the kernel has other reasons to send other
/// signals, an alarm that was set before husk began for one.
fn is_of_terminal(signal: i32, origin: Origin) -> bool {
    origin != Origin::Process
        && matches!(
            Signal::from_named_raw(signal),
            Some(
                Signal::HUP
                    | Signal::INT
                    | Signal::QUIT
                    | Signal::TSTP
                    | Signal::CONT
                    | Signal::WINCH
                    | Signal::TTIN
                    | Signal::TTOU
            )
        )
}

impl Init<'_> {
    /// A signal came. A status when that is the end.
    pub(super) fn receive(&mut self, received: Received) -> Option<Status> {
        let named = Signal::from_named_raw(received.signal);
        if named == Some(Signal::PIPE) && received.sender == self.own_pid.as_raw_nonzero().get() {
            // It was husk itself that wrote to somebody who is gone.
            return None;
        }
        if self.rules.work == Work::Pause {
            return matches!(named, Some(Signal::TERM | Signal::INT)).then_some(Status::SUCCESS);
        }
        if !is_terminating(received) {
            self.pass_on(received.signal, received.origin);
            return None;
        }
        match self.phase {
            Phase::Calm if self.rules.drain > 0 => {
                self.voice.holds_back(received.signal, self.rules.drain);
                self.phase = Phase::Draining(received);
                self.until = Self::after(self.rules.drain);
            }
            Phase::Calm | Phase::Draining(_) | Phase::Asked => self.pass_terminating(received),
            Phase::Grace | Phase::Killing => self.kill(),
        }
        None
    }

    /// The time of this phase is over. A status when there is nothing more to be done.
    pub(super) fn time_is_up(&mut self) -> Option<Status> {
        match self.phase {
            // What is still there cannot be seen, or may not be killed.
            Phase::Killing if self.status.is_some() => return self.status,
            Phase::Draining(received) => self.pass_terminating(received),
            Phase::Grace => self.kill(),
            Phase::Calm | Phase::Asked | Phase::Killing => self.until = Patience::Endless,
        }
        None
    }

    fn pass_terminating(&mut self, received: Received) {
        let signal = match self.rules.stop_signal {
            0 => received.signal,
            other => i32::from(other),
        };
        if self.rules.stop_signal == 0 && self.rules.rewritten(signal).is_none() {
            if let Phase::Draining(_) = self.phase {
                (self.phase, self.until) = (Phase::Calm, Patience::Endless);
            }
            return self.voice.dropped(signal);
        }
        self.pass_on(signal, received.origin);
        if let (Some(pid), Motion::Stopped) = (self.command, self.motion) {
            // It cannot act on the signal while it stands still.
            self.motion = Motion::Running;
            self.continue_command(pid);
        }
        (self.phase, self.until) = match self.rules.grace {
            0 => (Phase::Asked, Patience::Endless),
            seconds => (Phase::Grace, Self::after(seconds)),
        };
    }

    /// The command has ended, and its orphans are awaited. Where husk was asked to end they are as
    /// well.
    pub(super) fn await_orphans(&self) {
        if matches!(self.phase, Phase::Asked | Phase::Grace) {
            self.to_everyone(Signal::TERM.as_raw());
        }
    }

    /// What was started while others were killed, where one signal does not reach all at once.
    pub(super) fn kill_the_rest(&self) {
        if matches!(self.phase, Phase::Killing) && self.command.is_none() && !self.own_pid.is_init()
        {
            everyone::signal(self.own_pid, Signal::KILL.as_raw());
        }
    }

    /// The command has ended: what it left behind is asked to end as well, in what is left of the
    /// grace or in one of its own.
    pub(super) fn ask_to_leave(&mut self) {
        self.to_everyone(Signal::TERM.as_raw());
        if !matches!(self.phase, Phase::Grace) {
            self.phase = Phase::Grace;
            self.until = Self::after(self.rules.grace);
        }
    }

    /// The grace is over: the command first; then, or when that has ended, everything else.
    pub(super) fn kill(&mut self) {
        self.phase = Phase::Killing;
        self.until = Self::after(AFTER_KILL);
        let kill = Signal::KILL.as_raw();
        self.voice.kills(self.command);
        match self.command {
            Some(pid) => drop(signal::send(Target::Process(pid), kill)),
            None => self.to_everyone(kill),
        }
    }

    /// To every process there is.
    fn to_everyone(&self, signal: i32) {
        self.voice.passed_on(signal, 0);
        if self.own_pid.is_init() {
            let _ = signal::send(Target::All, signal);
        } else {
            let seen = everyone::signal(self.own_pid, signal);
            if let (Seen::Nobody, Some(pid)) = (seen, self.command) {
                let _ = signal::send(self.with_its_group(pid), signal);
            }
        }
    }

    fn pass_on(&mut self, received: i32, origin: Origin) {
        let Some(signal) = self.rules.rewritten(received) else {
            return self.voice.dropped(received);
        };
        let named = Signal::from_named_raw(signal);
        let Some(pid) = self.command else {
            return self.to_everyone(signal);
        };
        if named == Some(Signal::CONT) {
            self.motion = Motion::Running;
            if self.resume(pid) {
                return;
            }
            let continued = WaitIdOptions::CONTINUED | WaitIdOptions::NOHANG;
            if self.rules.session == Session::Husks
                && matches!(waitid(WaitId::Pid(pid), continued), Ok(Some(_)))
            {
                // It was for the whole group, and a second one might undo what came after it.
                return;
            }
        }
        if named == Some(Signal::TSTP) {
            self.stopping = true;
            if self.motion == Motion::Stopped {
                return self.stopped(pid, Signal::TSTP.as_raw());
            }
        }
        if named == Some(Signal::CONT) {
            self.stopping = false;
        }
        let of_terminal = is_of_terminal(received, origin);
        let target = match (of_terminal, self.rules.session, self.rules.whom) {
            // The terminal sent it to husk's process group, and so to the command; but for the
            // SIGHUP that only the leader of the session gets.
            (true, Session::Husks, _)
                if (named != Some(Signal::HUP) || own_session() != Some(self.own_pid))
                    && group_of(pid) == own_group() =>
            {
                return;
            }
            (_, _, Whom::All) => return self.to_everyone(signal),
            (_, Session::Husks, _) | (false, _, Whom::Command) => Target::Process(pid),
            _ => Target::Group(pid),
        };
        // The pid is a child's that was not reaped, so it is nobody else's. A command that left its
        // group, or whose user may no longer be signalled, cannot be helped.
        match signal::send(target, signal) {
            Ok(()) => self.voice.passed_on(signal, pid.as_raw_nonzero().get()),
            Err(errno) => self.voice.cannot_pass_on(signal, errno),
        }
        if self.rules.session == Session::Taking
            && matches!(
                Signal::from_named_raw(received),
                Some(Signal::TSTP | Signal::TTIN | Signal::TTOU)
            )
        {
            self.stopping = true;
        }
    }

    /// The command, and its process group where it has one.
    fn with_its_group(&self, pid: Pid) -> Target {
        match self.rules.session {
            Session::Husks => Target::Process(pid),
            _ => Target::Group(pid),
        }
    }

    fn continue_command(&self, pid: Pid) {
        let _ = signal::send(self.with_its_group(pid), Signal::CONT.as_raw());
    }

    /// SIGCONT, where there is a terminal that may have to change hands. Whether that was all.
    fn resume(&mut self, pid: Pid) -> bool {
        match &mut self.keeper {
            Keeper::Supervisor(link, Some(terminal)) => {
                // One SIGCONT may stand for several orders.
                while link.order() == Some(Order::TakeTerminal) {
                    let _ = set_foreground(*terminal, pid);
                }
                let _ = signal::send(Target::Group(pid), Signal::CONT.as_raw());
                true
            }
            Keeper::Husk(Some(job)) => {
                job.resume(&Group(pid));
                true
            }
            Keeper::Supervisor(_, None) | Keeper::Husk(None) => false,
        }
    }

    /// The command was stopped: what that means for the job in which it is.
    pub(super) fn stopped(&mut self, pid: Pid, signal: i32) {
        match &mut self.keeper {
            Keeper::Supervisor(link, Some(_)) => link.stopped(signal),
            Keeper::Supervisor(_, None) => (),
            Keeper::Husk(Some(job)) => {
                if job.stopped(signal, &Group(pid)) {
                    self.motion = Motion::Running;
                }
            }
            // Somebody else may have stopped it with SIGSTOP, and will continue it without asking.
            Keeper::Husk(None) => self.stop_along(pid, signal),
        }
    }

    /// Stops husk as the command was stopped, where a terminal did that, or a SIGTSTP that was passed
    /// on; and continues the command when somebody continues husk.
    fn stop_along(&mut self, pid: Pid, signal: i32) {
        let named = Signal::from_named_raw(signal);
        let by_terminal = matches!(named, Some(Signal::TSTP | Signal::TTIN | Signal::TTOU))
            && self.rules.session != Session::Taking;
        if !self.stopping && !by_terminal {
            return;
        }
        if self.own_pid.is_init() {
            // Nobody stops PID 1.
            return;
        }
        let named = match named {
            Some(named @ (Signal::TTIN | Signal::TTOU)) => named,
            _ => Signal::TSTP,
        };
        if !signal::stop(Target::Process(self.own_pid), named) {
            return;
        }
        self.stopping = false;
        self.motion = Motion::Running;
        // The shell may have continued it with the rest of the job; and somebody may have stopped it
        // again since, which is not to be undone.
        let continued = WaitIdOptions::CONTINUED | WaitIdOptions::NOHANG;
        let again = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let was = |options| matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_)));
        if !was(continued) && !was(again) {
            self.continue_command(pid);
        }
    }

    /// Where a session of its own is the command's, its process group is asked to end with it, as
    /// dumb-init has it: while the command is not reaped, so that the group is nobody else's.
    pub(super) fn bury_group(&mut self) {
        let Some(pid) = self.command else { return };
        if self.rules.session != Session::Taking || self.buried {
            return;
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if let (Ok(Some(_)), Some(signal)) = (
            waitid(WaitId::Pid(pid), options),
            self.rules.rewritten(Signal::TERM.as_raw()),
        ) {
            self.buried = true;
            let _ = signal::send(Target::Group(pid), signal);
        }
    }
}
