//! One run of husk with one fault: a ptrace(2) tracer that makes the nth call of a name in one of husk's
//! processes fail, or kills one of them there.
//!
//! Who is who is found in the run itself: the first process that executes husk, its child (PID 1), the
//! processes that either of them starts on its own memory as vfork(2) does. strace(1) counts the calls
//! of every process alone; this knows whose call it is.

use crate::calls::{Call, Deed, Role};
use crate::errnos::name_of;
use crate::husk::Run;
use crate::running::{Outcome, Stream};
use crate::watchdog::Watchdog;
use crate::world;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How it went.
pub struct Traced {
    pub outcome: Outcome,
    /// Every call that was made, in order.
    pub calls: Vec<Call>,
    /// Whether it came to the deed.
    pub done: bool,
    /// Who had to be ended, and where it was.
    pub hung: Vec<String>,
    /// Who was still there a while after.
    pub left: Vec<(Role, Pid)>,
}

/// A process that is traced.
struct Tracee {
    role: Option<Role>,
    failing: Option<Errno>,
    /// Whether the next stop is a call's end.
    inside: bool,
    /// Whether it stands still until its parent says whose child it is.
    waits: bool,
}

struct Tracer<'a> {
    at: Option<&'a Call>,
    deed: Deed,
    tracees: BTreeMap<Pid, Tracee>,
    everybody: Vec<(Role, Pid)>,
    counts: BTreeMap<(Role, String), usize>,
    calls: Vec<Call>,
    helpers: usize,
    done: bool,
    gone: BTreeSet<Pid>,
    watchdog: Watchdog,
}

const FLAGS: WaitPidFlag = WaitPidFlag::__WALL.union(WaitPidFlag::__WNOTHREAD);

/// PTRACE_EVENT_STOP, which is what a new tracee does first.
const EVENT_STOP: i32 = 128;

/// How long whoever is left may take to be gone.
const LINGER: Duration = Duration::from_secs(3);

/// Runs it under the tracer. `deed` is done at `at`.
pub fn trace(run: &Run, at: Option<&Call>, deed: Deed, limit: Duration) -> Traced {
    // The shell waits until it is traced, and becomes husk.
    let mut command = run.clone().after("read -r go").command();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let described = format!("{command:?} with {deed:?} at {at:?}");
    #[expect(
        clippy::zombie_processes,
        reason = "the tracer waits for every process"
    )]
    let mut child = command.spawn().unwrap();
    let out = Stream::of(child.stdout.take().unwrap());
    let err = Stream::of(child.stderr.take().unwrap());
    let first = Pid::from_raw(child.id().try_into().unwrap());
    let mut tracer = Tracer {
        at,
        deed,
        tracees: BTreeMap::new(),
        everybody: Vec::new(),
        counts: BTreeMap::new(),
        calls: Vec::new(),
        helpers: 0,
        done: false,
        gone: BTreeSet::new(),
        watchdog: Watchdog::new(limit),
    };
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(first, options).unwrap();
    tracer.add(first, None);
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let status = tracer.follow(first, &[&out, &err]);
    let left = tracer.wait_for_all();
    let hung = tracer.watchdog.found();
    let closed = out.wait_for_end() && err.wait_for_end();
    assert!(closed, "something holds its output open: {described}");
    Traced {
        outcome: Outcome {
            status,
            stdout: out.text(),
            stderr: err.text(),
            described,
        },
        calls: tracer.calls,
        done: tracer.done,
        hung,
        left,
    }
}

impl Tracer<'_> {
    fn add(&mut self, pid: Pid, role: Option<Role>) {
        let tracee = Tracee {
            role,
            failing: None,
            inside: false,
            waits: false,
        };
        self.tracees.insert(pid, tracee);
        self.watchdog.add(pid);
        self.everybody.extend(role.map(|role| (role, pid)));
    }

    /// This one has become husk.
    fn first(&mut self, pid: Pid) {
        let tracee = self.tracees.get_mut(&pid);
        tracee.unwrap().role = Some(Role::First);
        self.everybody.push((Role::First, pid));
    }

    /// Its parent may have been killed before it said whose child this is.
    fn adopt_orphans(&mut self) {
        let is_orphan = |(_, tracee): &(&Pid, &Tracee)| tracee.waits;
        let orphans = self.tracees.iter().filter(is_orphan);
        for pid in orphans.map(|(pid, _)| *pid).collect::<Vec<_>>() {
            self.add(pid, Some(Role::Command));
            let _gone = self.resume(pid, None);
        }
    }

    /// Until nobody is traced any more: how the first one ended.
    fn follow(&mut self, first: Pid, streams: &[&Stream; 2]) -> ExitStatus {
        let mut status = None;
        let mut end = None;
        loop {
            // A child of one that was killed may be on its way to us still: it holds the streams.
            let over = status.is_some() && self.tracees.is_empty();
            let flags = match over {
                true if streams.iter().all(|stream| stream.has_ended()) => break,
                true => FLAGS | WaitPidFlag::WNOHANG,
                false => FLAGS,
            };
            let (pid, raw) = match waitpid(None, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, code << 8),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, signal as i32),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => {
                    let end = end.get_or_insert_with(|| Instant::now() + LINGER);
                    if Instant::now() > *end {
                        break;
                    }
                    thread::sleep(Duration::from_millis(1));
                    continue;
                }
                Ok(stopped) => {
                    self.stopped(stopped);
                    if over {
                        self.adopt_orphans();
                    }
                    continue;
                }
                Err(Errno::EINTR) => continue,
                Err(errno) => panic!("waitpid: {errno}"),
            };
            self.tracees.remove(&pid);
            self.watchdog.remove(pid);
            self.gone.insert(pid);
            self.adopt_orphans();
            if pid == first {
                status = Some(ExitStatus::from_raw(raw));
            }
        }
        status.unwrap()
    }

    fn stopped(&mut self, status: WaitStatus) {
        // ESRCH: it was killed meanwhile, and says so next.
        let _gone = match status {
            WaitStatus::PtraceSyscall(pid) => {
                self.call(pid);
                self.resume(pid, None)
            }
            WaitStatus::PtraceEvent(pid, _, event) => self.event(pid, event),
            WaitStatus::Stopped(pid, signal) => self.resume(pid, Some(signal)),
            _ => Ok(()),
        };
    }

    /// To its next call, as long as calls matter.
    fn resume(&self, pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        let fails = |tracee: &Tracee| tracee.failing.is_some();
        match self.done && !self.tracees.get(&pid).is_some_and(fails) {
            true => ptrace::cont(pid, signal),
            false => ptrace::syscall(pid, signal),
        }
    }

    fn event(&mut self, pid: Pid, event: i32) -> Result<(), Errno> {
        match event {
            // A child that is there before its parent's event: it waits until its role is known.
            EVENT_STOP if !self.tracees.contains_key(&pid) => {
                self.add(pid, None);
                let new = self.tracees.get_mut(&pid);
                new.unwrap().waits = true;
                Ok(())
            }
            EVENT_STOP => self.resume(pid, None),
            event if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 => self.executed(pid),
            _ => {
                let child = Pid::from_raw(ptrace::getevent(pid)?.try_into().unwrap());
                let vfork = event == ptrace::Event::PTRACE_EVENT_VFORK as i32;
                let role = self.role_of_child(pid, vfork);
                let waits = self.tracees.contains_key(&child);
                self.add(child, role);
                if waits {
                    let _gone = self.resume(child, None);
                }
                self.resume(pid, None)
            }
        }
    }

    fn role_of_child(&mut self, parent: Pid, vfork: bool) -> Option<Role> {
        match (self.tracees.get(&parent)?.role?, vfork) {
            (Role::First, false) => Some(Role::Init),
            (Role::First, true) if self.is_known(Role::Init) => {
                self.helpers += 1;
                Some(Role::Helper(self.helpers))
            }
            (Role::First | Role::Init, true) => Some(Role::Command),
            _ => None,
        }
    }

    fn is_known(&self, role: Role) -> bool {
        self.everybody.iter().any(|(other, _)| *other == role)
    }

    /// What was executed is husk, or a helper, which may be killed; or else is left alone.
    fn executed(&mut self, pid: Pid) -> Result<(), Errno> {
        let mut tracee = self.tracees.get_mut(&pid);
        if let Some(tracee) = &mut tracee {
            tracee.inside = true;
        }
        let role = tracee.as_ref().and_then(|tracee| tracee.role);
        match (role, tracee) {
            (Some(Role::Helper(nth)), Some(tracee)) if !matches!(self.deed, Deed::Fail(_)) => {
                tracee.role = Some(Role::Executed(nth));
                self.resume(pid, None)
            }
            (Some(_), _) => {
                self.tracees.remove(&pid);
                ptrace::detach(pid, None)
            }
            (None, _) => {
                let exe = fs::read_link(format!("/proc/{pid}/exe"));
                if exe.is_ok_and(|exe| exe == world::husk()) {
                    self.first(pid);
                }
                self.resume(pid, None)
            }
        }
    }

    /// The beginning or the end of a call.
    fn call(&mut self, pid: Pid) {
        let Some(tracee) = self.tracees.get_mut(&pid) else {
            return;
        };
        tracee.inside = !tracee.inside;
        let (Some(role), Ok(mut registers)) = (tracee.role, ptrace::getregs(pid)) else {
            return;
        };
        if let Some(errno) = tracee.failing.take() {
            registers.rax = i64::from(-(errno as i32)).cast_unsigned();
            let _gone = ptrace::setregs(pid, registers);
            return;
        }
        if self.done || !tracee.inside {
            return;
        }
        let name = name_of(registers.orig_rax);
        let count = self.counts.entry((role, name.clone())).or_default();
        *count += 1;
        let nth = *count;
        let call = Call { role, name, nth };
        let here = self.at == Some(&call);
        self.calls.push(call);
        if here {
            self.do_it(pid, registers);
        }
    }

    fn do_it(&mut self, pid: Pid, mut registers: nix::libc::user_regs_struct) {
        match self.deed {
            Deed::Watch => (),
            Deed::Fail(errno) => {
                registers.orig_rax = u64::MAX;
                ptrace::setregs(pid, registers).unwrap();
                if let Some(tracee) = self.tracees.get_mut(&pid) {
                    tracee.failing = Some(errno);
                }
                self.done = true;
            }
            Deed::Kill(role) | Deed::KillAll(role) => {
                for (other, pid) in &self.everybody {
                    if *other == role {
                        self.done |= kill(*pid, Signal::SIGKILL).is_ok();
                    }
                }
            }
        }
    }

    /// Those who are neither gone nor zombies that somebody else has to reap, a while later.
    fn wait_for_all(&self) -> Vec<(Role, Pid)> {
        let end = Instant::now() + LINGER;
        let is_there = |pid: Pid| {
            if self.gone.contains(&pid) {
                return false;
            }
            let state = crate::processes::state_of(pid.as_raw().unsigned_abs());
            state.is_some_and(|state| state != 'Z' && state != 'X')
        };
        loop {
            let left: Vec<_> = self
                .everybody
                .iter()
                .copied()
                .filter(|(_, pid)| is_there(*pid))
                .collect();
            if left.is_empty() || Instant::now() > end {
                for (_, pid) in &left {
                    let _gone = kill(*pid, Signal::SIGKILL);
                }
                return left;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}
