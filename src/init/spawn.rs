//! The command: found as execvp(3) finds it, started as vfork(2) does, its errno brought home.

use super::bounds::Bounds;
use super::interpreter::{self, Asked, FileId, OwnFile};
use super::sockets::Sockets;
use crate::arena::Arena;
use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Failed, Status};
use crate::job::terminal::{Holder, Terminal};
use crate::limits::{PATH_BYTES, SCRIPT_WORDS};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{Plan, Session};
use crate::sys::clone;
use crate::sys::exec::{WordList, Words, execve};
use crate::sys::signal::{self, SignalSet};
use crate::sys::start::stdin;
use crate::sys::terminal::{set_foreground, take_control};
use crate::sys::unstopped::become_unstoppable;
use core::ffi::CStr;
use heapless::Vec;
use rustix::fs::{Access, AtFlags, CWD, FileType, accessat, statat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, getppid, set_parent_process_death_signal, setpgid, setsid,
    waitpid,
};

/// What the supervisor knows and PID 1 needs, beside the plan.
#[derive(Clone, Copy)]
pub struct Handover<'a> {
    /// The caller's terminal, where the command shares it.
    pub terminal: Option<&'a Terminal>,
    /// The signal mask that husk was started with.
    pub mask: SignalSet,
    /// husk's own file, where the command must not be that.
    pub own_file: Option<OwnFile>,
}

/// What is to be run, and how.
#[derive(Clone, Copy)]
pub struct Command<'a> {
    /// Its words; at least one.
    pub argv: Words<'a>,
    /// Its environment.
    pub envp: Words<'a>,
    /// The directories in which it is looked for.
    pub path: &'a [u8],
    /// Its place among sessions and process groups.
    pub session: Session,
    /// The terminal that it shares with the caller.
    pub terminal: Option<&'a Terminal>,
    /// Its signal mask.
    pub mask: SignalSet,
    /// What it may not exceed.
    pub bounds: Option<&'a Bounds<'a>>,
    /// What it must not be.
    pub forbidden: Option<OwnFile>,
    /// Whether it ends when husk is killed.
    pub bond: Bond,
}

/// What a killed husk means for the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// What the kernel makes of it: the end, where husk is PID 1.
    Kernels,
    /// The end: PR_SET_PDEATHSIG of prctl(2). The kernel forgets it when the command's ids change.
    Death,
}

/// The parent that the command to be must still have, once it has asked to die with it.
type Parent = Option<Pid>;

impl<'a> Command<'a> {
    /// The plan's command, with what was handed over for it.
    pub fn new(plan: &Plan<'a>, handover: Handover<'a>) -> Self {
        Self {
            argv: plan.argv,
            envp: plan.envp,
            path: plan.path,
            session: plan.session,
            terminal: handover.terminal,
            mask: handover.mask,
            bounds: None,
            forbidden: handover.own_file,
            bond: match plan.namespaces.contains(NamespaceSet::PID) {
                true => Bond::Kernels,
                // No PID namespace ends with PID 1, so the command at least ends with us.
                false => Bond::Death,
            },
        }
    }

    /// Its name.
    pub fn name(&self) -> &'a CStr {
        self.argv.first().unwrap_or_default()
    }
}

/// Why the command does not run.
struct Failure {
    doing: Doing,
    errno: Errno,
    /// The file that was tried last.
    tried: Vec<u8, PATH_BYTES>,
}

impl Failure {
    /// None yet: what is said when nothing was found at all.
    const fn new() -> Self {
        Self {
            doing: Doing::Execute,
            errno: Errno::NOENT,
            tried: Vec::new(),
        }
    }

    /// Takes on what the command may not exceed.
    fn enter(&mut self, bounds: &Bounds<'_>) -> Result<(), ()> {
        bounds.enter().map_err(|(doing, name, errno)| {
            let _ = self.tried.extend_from_slice(name.as_bytes());
            self.set(doing, errno);
        })
    }

    const fn set(&mut self, doing: Doing, errno: Errno) {
        self.doing = doing;
        self.errno = errno;
    }

    /// The failure as the user reads it. Not inlined: whoever has none has no room for it either.
    #[cold]
    #[inline(never)]
    fn record(&self, command: &Command<'_>) -> Failed {
        let mut memory = [0_u8; PATH_BYTES];
        let (object, second) = match self.doing {
            Doing::FindInterpreter => {
                let tried = CStr::from_bytes_until_nul(&self.tried).unwrap_or_default();
                (tried.to_bytes(), interpreter::named_by(tried, &mut memory))
            }
            Doing::SetLimit | Doing::Confine => (&*self.tried, &b""[..]),
            _ => (command.name().to_bytes(), &b""[..]),
        };
        let cause = match (self.doing, self.errno) {
            (Doing::Spawn, Errno::AGAIN) => Some(Cause::Processes),
            _ => None,
        };
        let doing = match (self.doing, self.errno) {
            (Doing::Execute, Errno::ACCESS) if command.bounds.is_some_and(Bounds::has_ruleset) => {
                Doing::ExecuteConfined
            }
            (doing, _) => doing,
        };
        fail::Failure::caused(doing, [object, second], Some(self.errno), cause)
    }
}

/// What the new process works with, on PID 1's memory.
struct Start<'c, 'a> {
    command: &'c Command<'a>,
    sockets: Option<&'static mut Sockets>,
    parent: Parent,
    failure: &'c mut Failure,
    outcome: Outcome,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Runs,
    Failed,
}

/// Starts the command: when this returns a pid, it runs its own program.
///
/// `sockets` replace its environment.
///
/// Not inlined: what it needs of the stack is needed no more when it returns.
#[inline(never)]
pub fn start(command: &Command<'_>, sockets: Option<&'static mut Sockets>) -> Result<Pid, Failed> {
    let mut failure = Failure::new();
    let mut start = Start {
        command,
        sockets,
        parent: match command.bond {
            Bond::Kernels => None,
            Bond::Death => Some(getpid()),
        },
        failure: &mut failure,
        outcome: Outcome::Runs,
    };
    match clone::borrowing(become_command, &mut start) {
        Ok(pid) if start.outcome == Outcome::Runs => return Ok(pid),
        Ok(pid) => drop(retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()))),
        Err(errno) => failure.set(Doing::Spawn, errno),
    }
    Err(failure.record(command))
}

/// Becomes the command in this process. Returns why it could not.
pub fn replace(command: &Command<'_>) -> Failed {
    let mut failure = Failure::new();
    take_place(command);
    execute(command, &mut failure);
    failure.record(command)
}

/// Whether [`replace`] would find the command, and might execute it: for who only asks.
#[inline(never)]
pub fn look_up(command: &Command<'_>) -> Result<(), Failed> {
    let name = command.name().to_bytes();
    let is_path = name.contains(&b'/');
    let mut refused = Errno::NOENT;
    let mut memory = [0_u8; PATH_BYTES];
    for directory in command.path.split(|byte| *byte == b':') {
        let parts: [&[u8]; 3] = match (is_path, directory) {
            (true, _) => [b"", b"", name],
            (false, b"") => [b".", b"/", name],
            (false, directory) => [directory, b"/", name],
        };
        let Ok(Some(file)) = Arena::new(&mut memory).c_string(&parts) else {
            continue;
        };
        match accessat(CWD, file, Access::EXEC_OK, AtFlags::empty()) {
            Ok(()) if is_directory(file) => refused = Errno::ACCESS,
            Ok(()) => return might_run(command, file),
            Err(errno @ Errno::ACCESS) => refused = errno,
            Err(_) => (),
        }
    }
    Err(fail::Failure::new(Doing::Execute, name, refused))
}

fn is_directory(file: &CStr) -> bool {
    statat(CWD, file, AtFlags::empty())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir())
}

/// Whether the file is one that the kernel runs, and what it asks for is there.
fn might_run(command: &Command<'_>, file: &CStr) -> Result<(), Failed> {
    let name = command.name().to_bytes();
    let refused = |doing, second, errno| {
        let objects = [name, second];
        Err(fail::Failure::caused(doing, objects, Some(errno), None))
    };
    if command
        .forbidden
        .is_some_and(|own| interpreter::leads_to(file, own))
    {
        return refused(Doing::ExecuteHusk, b"", Errno::PERM);
    }
    let (mut memory, mut path) = ([0_u8; PATH_BYTES], [0_u8; PATH_BYTES]);
    match interpreter::asked_for(file, &mut memory) {
        Asked::Nothing => Ok(()),
        Asked::AnotherMachine => refused(Doing::Execute, b"", Errno::NOEXEC),
        Asked::For(interpreter) => {
            let there = Arena::new(&mut path)
                .c_string(&[interpreter])
                .ok()
                .flatten();
            match there.map(|there| accessat(CWD, there, Access::EXEC_OK, AtFlags::empty())) {
                Some(Err(errno)) => refused(Doing::FindInterpreter, interpreter, errno),
                _ => Ok(()),
            }
        }
    }
}

fn become_command(start: &mut Start<'_, '_>) -> u8 {
    take_place(start.command);
    // The kernel says nothing of a parent that was gone before.
    if start.parent.is_some() && getppid() != start.parent {
        return Status::HUSK_FAILED.0;
    }
    let mut command = *start.command;
    if let Some(sockets) = start.sockets.take() {
        command.envp = sockets.of_process(getpid());
    }
    execute(&command, start.failure);
    start.outcome = Outcome::Failed;
    Status::NOT_FOUND.0
}

/// The session, the process group, the terminal and the signal mask. None of it is worth failing
/// for.
fn take_place(command: &Command<'_>) {
    match command.session {
        Session::New => drop(setsid()),
        Session::Taking => {
            let _ = setsid();
            let _ = take_control(stdin());
        }
        Session::Husks => (),
        Session::Callers => {
            let _ = setpgid(None, None);
            if let Some(terminal) = command.terminal
                && terminal.first_holder() == Holder::Command
            {
                let _ = set_foreground(terminal, getpid());
            }
        }
    }
    if command.bond == Bond::Death {
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
    if command.terminal.is_some() || command.session == Session::Husks {
        become_unstoppable();
    }
    let _ = signal::set_mask(command.mask);
}

/// Looks for the command as execvp(3) does, and runs it: returns only when it could not.
fn execute(command: &Command<'_>, failure: &mut Failure) {
    if let Some(bounds) = command.bounds
        && failure.enter(bounds).is_err()
    {
        return;
    }
    let name = command.name().to_bytes();
    if name.contains(&b'/') {
        return attempt(command, b"", name, failure);
    }
    if name.is_empty() {
        return;
    }
    let mut denied = Errno::NOENT;
    for directory in command.path.split(|byte| *byte == b':') {
        // An empty element is the working directory.
        let directory = if directory.is_empty() {
            b"."
        } else {
            directory
        };
        attempt(command, directory, name, failure);
        match (failure.doing, failure.errno) {
            (Doing::Execute, Errno::ACCESS) => denied = Errno::ACCESS,
            (Doing::Execute, Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => (),
            _ => return,
        }
    }
    // Something of that name that cannot be run is better news than nothing.
    failure.set(Doing::Execute, denied);
}

/// Tries the one file `directory`/`name`.
fn attempt(command: &Command<'_>, directory: &[u8], name: &[u8], failure: &mut Failure) {
    failure.tried.clear();
    let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
    for part in [directory, slash, name, b"\0"] {
        if failure.tried.extend_from_slice(part).is_err() {
            return failure.set(Doing::Execute, Errno::NAMETOOLONG);
        }
    }
    let file = CStr::from_bytes_until_nul(&failure.tried).unwrap_or_default();
    if command
        .forbidden
        .is_some_and(|own| interpreter::leads_to(file, own))
    {
        return failure.set(Doing::ExecuteHusk, Errno::PERM);
    }
    let errno = execve(file, command.argv, command.envp);
    let (doing, errno) = match (errno, FileId::of(file)) {
        // A directory of PATH that cannot be searched is one where nothing was found.
        (_, Err(Errno::ACCESS)) if !directory.is_empty() => (Doing::Execute, Errno::NOENT),
        // The file is there, so what is missing is what it asks for.
        (Errno::NOENT, Ok(_)) => (Doing::FindInterpreter, Errno::NOENT),
        (Errno::NOEXEC, _) => (Doing::Execute, execute_script(command, file)),
        (errno, _) => (Doing::Execute, errno),
    };
    failure.set(doing, errno);
}

/// A script without a #! line is for /bin/sh, as execvp(3) has it.
#[cold]
#[inline(never)]
fn execute_script(command: &Command<'_>, file: &CStr) -> Errno {
    let mut argv = WordList::<{ SCRIPT_WORDS + 3 }>::new();
    let words = [c"/bin/sh", file]
        .into_iter()
        .chain(command.argv.skip(1).iter());
    for word in words {
        if argv.push(word).is_err() {
            return Errno::TOOBIG;
        }
    }
    match looks_like_text(file) {
        true => execve(c"/bin/sh", argv.finish(), command.envp),
        false => Errno::NOEXEC,
    }
}

/// Whether it has no NUL at its start: a program for another machine is not a script.
fn looks_like_text(file: &CStr) -> bool {
    let mut memory = [0_u8; 128];
    interpreter::head(file, &mut memory).is_ok_and(|head| !head.contains(&0))
}
