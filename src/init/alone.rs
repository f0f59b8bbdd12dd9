//! `husk init`: the same init in somebody else's container, or on no container's behalf at all.

use super::early::Early;
use super::sockets::Sockets;
use super::spawn::{self, Bond, Command};
use super::voice::Voice;
use super::{Init, Keeper, machine};
use crate::config::Place;
use crate::fail::persona::Persona;
use crate::fail::refusal::Refusal;
use crate::fail::{Doing, Error, Failed, Failure, Status};
use crate::job::Job;
use crate::job::parent;
use crate::job::terminal::Terminal;
use crate::plan::environment::{DEFAULT_PATH, get};
use crate::plan::rules::{Rules, Work};
use crate::plan::{self, Session};
use crate::sys::exec::Words;
use crate::sys::process::own_session;
use crate::sys::signal::{self, Patience, SignalSet, Target};
use crate::sys::start::stdin;
use crate::sys::terminal::give_up_control;
use core::ffi::CStr;
use rustix::process::{Pid, Signal, getpid, set_child_subreaper};

/// Looks after `argv` until it ends.
pub fn run(
    persona: Persona,
    (argv, envp): (Words<'static>, Words<'static>),
    rules: &mut Rules,
    mask: SignalSet,
) -> Result<Status, Error> {
    let voice = Voice::of(persona, rules);
    let own_pid = getpid();
    if own_pid.is_init() {
        if rules.boot {
            machine::boot(voice);
        }
    } else if rules.boot || rules.on_exit.is_some() {
        // The machine has another init.
        let text = "--boot and --on-exit are for PID 1 alone";
        return Err(Refusal::text(Place::Nowhere, "", text).into());
    } else if let Err(errno) = set_child_subreaper(Some(own_pid)) {
        voice.warns(Failure::new(Doing::AdoptOrphans, b"", errno));
    }
    if rules.parent_death != 0 {
        parent::signal_at_death(i32::from(rules.parent_death))?;
    }
    Ok(supervise(voice, (argv, envp), rules, mask)?)
}

fn supervise(
    voice: Voice,
    (argv, envp): (Words<'static>, Words<'static>),
    rules: &mut Rules,
    mask: SignalSet,
) -> Result<Status, Failed> {
    if rules.work == Work::Pause {
        let mut init = Init::new(None, rules, Keeper::Husk(None), voice);
        init.settle_down(&[]);
        return Ok(init.until_over());
    }
    let terminal = terminal(rules);
    let command = Command {
        argv,
        envp,
        path: get(envp, b"PATH").map_or(DEFAULT_PATH, CStr::to_bytes),
        session: rules.session,
        terminal: terminal.as_ref(),
        mask,
        bounds: None,
        forbidden: None,
        bond: match rules.parent_death {
            0 => Bond::Kernels,
            _ => Bond::Death,
        },
    };
    let sockets = Sockets::of(envp, getpid());
    let early = Early::before(rules);
    let started = spawn::start(&command, sockets);
    let number = terminal.as_ref().map(Terminal::number);
    let keeper = Keeper::Husk(terminal.map(Job::new));
    let pid = match (started, &keeper) {
        (Ok(pid), _) => pid,
        (Err(failure), Keeper::Husk(Some(job))) => {
            job.end();
            return Err(failure);
        }
        (Err(failure), _) => return Err(failure),
    };
    let stopping = early.pass_on(rules, pid);
    voice.started(argv.first().unwrap_or_default(), pid);
    let mut init = Init::new(Some(pid), rules, keeper, voice);
    init.stopping = stopping;
    init.settle_down(&[number]);
    Ok(init.until_over())
}

/// The terminal that the command is to share with husk, as the rules have it.
fn terminal(rules: &mut Rules) -> Option<Terminal> {
    match rules.session {
        Session::Callers => (),
        Session::Taking => {
            leave_terminal();
            return None;
        }
        Session::New | Session::Husks => return None,
    }
    let terminal = Terminal::open(Session::Callers, plan::Init::Husk)?;
    if !terminal.has_own_group() {
        // husk's process group is outside of its PID namespace, and a terminal that was given away
        // could not be given back to it. So the command stays in that group, and the terminal with
        // both.
        rules.session = Session::Husks;
        return None;
    }
    Some(terminal)
}

/// Makes the terminal nobody's, for the session of the command to take. Where husk leads a session
/// that has one, the kernel sends SIGHUP and SIGCONT to its foreground, in husk's name: those two are
/// taken away, but not what another process has sent.
fn leave_terminal() {
    let own: Pid = getpid();
    if own_session() != Some(own) || give_up_control(stdin()).is_err() {
        return;
    }
    let mut again = [0_i32; 2];
    for place in &mut again {
        let set = SignalSet::of(&[Signal::HUP, Signal::CONT]);
        match signal::take(set, Patience::None) {
            Ok(Some(received)) if received.sender != own.as_raw_nonzero().get() => {
                *place = received.signal;
            }
            _ => (),
        }
    }
    for signal in again {
        if signal != 0 {
            let _ = signal::send(Target::Process(own), signal);
        }
    }
}
