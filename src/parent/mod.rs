//! Outside: the supervisor, with the caller's ids in the caller's namespaces.

pub mod cgroup;
pub mod limits;
pub mod relay;

use crate::child;
use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure, Status};
use crate::host::cause;
use crate::id_map;
use crate::init;
use crate::init::interpreter::{FileId, OwnFile};
use crate::init::sockets::Sockets;
use crate::init::spawn::Handover;
use crate::job::parent::signal_at_death;
use crate::job::terminal::Terminal;
use crate::link::Inner;
use crate::link::{self, Order, Outer};
use crate::plan::environment::get;
use crate::plan::id_map::{Map, Maps, Side, Writer};
use crate::plan::namespace::NamespaceSet;
use crate::plan::operation::Action;
use crate::plan::target::{Target, components};
use crate::plan::{Plan, Root, Supervisor};
use crate::sys::clock;
use crate::sys::clone::{self, Process};
use crate::sys::fd::{self, FIRST};
use crate::sys::signal::{self, Target as Whom};
use crate::text::{Decimal, parse_number};
use cgroup::Leaf;
use core::mem;
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, getpid, set_dumpable_behavior, waitpid,
};

/// PID 1 as its parent sees it. Dropped before it was waited for, it is killed and reaped: nothing
/// is left behind.
pub struct Child {
    pid: Pid,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Running,
    Reaped,
}

impl Child {
    /// Its pid outside.
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Its status, if it has ended.
    pub fn try_wait(&mut self) -> Result<Option<rustix::process::WaitStatus>, Errno> {
        self.wait_with(WaitOptions::NOHANG)
    }

    /// Its status, once it has ended.
    pub fn wait(&mut self) -> Result<Option<rustix::process::WaitStatus>, Errno> {
        self.wait_with(WaitOptions::empty())
    }

    fn wait_with(
        &mut self,
        options: WaitOptions,
    ) -> Result<Option<rustix::process::WaitStatus>, Errno> {
        let found = rustix::io::retry_on_intr(|| waitpid(Some(self.pid), options))?;
        if found.is_some() {
            self.state = State::Reaped;
        }
        Ok(found.map(|(_, status)| status))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.state == State::Running {
            let _ = signal::send(Whom::Process(self.pid), Signal::KILL.as_raw());
            let _ = self.wait();
        }
    }
}

/// Starts what `plan` says and waits for its end.
///
/// - Does: blocks all signals, so that one that comes from now on reaches the command and not husk;
///   clones; writes the maps; opens the gate; passes signals on.
/// - Must not: change anything outside, or keep a descriptor that the command could inherit.
pub fn run(plan: &Plan<'static>) -> Result<Status, Failed> {
    // Nothing that the caller left open is of use inside, and a directory among it would be a way
    // out (CVE-2024-21626).
    let first = first_own(plan)?;
    fd::close_range(first, u32::MAX);
    let caller_mask = init::block_signals()?;
    if plan.supervisor == Supervisor::DiesWithParent {
        signal_at_death(Signal::KILL.as_raw())?;
    }
    limits::raise(plan.limits)?;
    // Dropped after the child, whom it holds.
    let cgroup = plan.cgroup.as_ref().map(Leaf::make).transpose()?;
    let terminal = Terminal::open(plan.session, plan.init);
    let (outer, inner) = link::pair().doing(Doing::Connect, b"")?;
    if terminal.is_some() {
        outer.signal_reports().doing(Doing::Connect, b"")?;
    }
    let maps = plan.maps.as_ref();
    let to_write = maps.filter(|_| plan.waits());
    let is_privileged = |maps: &Maps<'_>| {
        let by_husk = |map: &Map<'_>| map.writer == Writer::Husk;
        maps.from == Side::Outside && by_husk(&maps.uid) && by_husk(&maps.gid)
    };
    if to_write.is_some_and(|maps| !is_privileged(maps)) {
        // A process whose file its user may not read has a /proc of root's, where no map can be written.
        let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
    }
    let sockets = sockets(plan);
    let handover = Handover {
        terminal: terminal.as_ref(),
        mask: caller_mask,
        own_file: own_file(plan),
    };
    let (mut child, outer) = create(plan, (outer, inner), handover, sockets)?;
    if plan.preserved != 0 {
        // The command's: who waits for the other end to be closed does not wait for husk.
        fd::close_range(FIRST, first.saturating_sub(1));
    }
    if let Some(cgroup) = &cgroup {
        cgroup.place(child.pid())?;
    }
    if let Some(maps) = to_write {
        id_map::write(child.pid(), maps, caller_mask)
            .map_err(|failed| relay::why(&mut child, &outer, failed, plan))?;
    }
    if plan.waits()
        && let Err(errno) = outer.order(Order::Go)
    {
        let failed = Failure::new(Doing::OpenGate, b"", errno);
        return Err(relay::why(&mut child, &outer, failed, plan));
    }
    // No core file of what husk knows, and no look into it for other processes of the caller's. Not by
    // RLIMIT_CORE, which a program that core_pattern names is started regardless of (core(5)). PID 1 is
    // not dumpable for better reasons, and the command has the caller's limit.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let ended = relay::until_exit(&mut child, &outer, plan, terminal);
    // What is open is the kernel's to close.
    mem::forget(outer);
    ended
}

/// The first descriptor that is not the command's by `preserve_fds`, all of which are open.
fn first_own(plan: &Plan<'_>) -> Result<u32, Failed> {
    let first = FIRST.saturating_add(plan.preserved);
    for number in FIRST..first {
        fd::is_open(number).doing(Doing::PreserveFd, Decimal::new(number).bytes())?;
    }
    Ok(first)
}

/// The sockets that were handed to husk (LISTEN_PID), where all of them are handed on.
fn sockets(plan: &Plan<'static>) -> Option<&'static mut Sockets> {
    let count = parse_number(get(plan.envp, b"LISTEN_FDS")?.to_bytes())?;
    match count <= plan.preserved {
        true => Sockets::of(plan.envp, getpid()),
        false => None,
    }
}

/// Makes PID 1 with all its namespaces.
fn create(
    plan: &Plan<'static>,
    (outer, inner): (Outer, Inner),
    handover: Handover<'_>,
    sockets: Option<&'static mut Sockets>,
) -> Result<(Child, Outer), Failed> {
    match into_namespaces(plan) {
        Ok(Process::Parent(pid)) => {
            // SIGCHLD tells of PID 1's end, so that the other end may stay open here.
            mem::forget(inner);
            let state = State::Running;
            Ok((Child { pid, state }, outer))
        }
        Ok(Process::Child) => child::run(plan, (inner, outer), handover, sockets),
        Err(errno) => {
            let object = plan.namespaces.spelled();
            let cause = match errno {
                Errno::PERM if !plan.namespaces.contains(NamespaceSet::USER) => {
                    Some(Cause::NoUserNamespace)
                }
                Errno::NOSYS if !plan.namespaces.contains(NamespaceSet::TIME) => {
                    cause::of_restriction()
                }
                errno => cause::of_clone(errno),
            };
            Err(Failure::caused(
                Doing::CreateNamespaces,
                [object, b""],
                Some(errno),
                cause,
            ))
        }
    }
}

/// How often a clone is tried again that a limit refused, and milliseconds between: the credentials of a
/// process, and with them the namespace, outlive it until the kernel's next grace periods (RCU).
const RETRIES: u32 = 30;
const PAUSE: u32 = 10;

/// What is not missed much.
const DISPENSABLE: [NamespaceSet; 3] = [NamespaceSet::CGROUP, NamespaceSet::IPC, NamespaceSet::UTS];

/// Clones into the plan's namespaces, but for those that this kernel lacks, or that nobody may have,
/// and that nobody asked for.
fn into_namespaces(plan: &Plan<'_>) -> Result<Process, Errno> {
    // A cgroup namespace begins where its maker is: PID 1 makes it once it is in its cgroup.
    let wanted = match plan.cgroup {
        Some(_) => plan.namespaces.without(NamespaceSet::CGROUP),
        None => plan.namespaces,
    };
    let mut namespaces = wanted;
    let mut forbidden = NamespaceSet::NONE;
    let mut retries = 0..RETRIES;
    loop {
        let dispensable =
            |kind: &NamespaceSet| namespaces.contains(*kind) && plan.dispensable.contains(*kind);
        let mut candidates = DISPENSABLE.into_iter().filter(dispensable);
        match clone::into_namespaces(namespaces) {
            Err(errno @ (Errno::NOSPC | Errno::USERS)) => {
                match candidates.find(|kind| cause::is_forbidden(*kind)) {
                    Some(kind) => {
                        forbidden = forbidden.with(kind);
                        namespaces = namespaces.without(kind);
                    }
                    None if cause::is_forbidden(namespaces) => return Err(errno),
                    // One that has just ended is counted for a moment longer.
                    None if retries.next().is_some() => clock::sleep(PAUSE),
                    None => return Err(errno),
                }
            }
            Err(Errno::INVAL) => match candidates.next() {
                Some(kind) => namespaces = namespaces.without(kind),
                None => return Err(Errno::INVAL),
            },
            Ok(Process::Parent(pid)) => {
                let lacking = wanted.without(namespaces);
                for name in lacking.without(forbidden).names() {
                    let what = [name.as_bytes(), b""];
                    fail::warn(Doing::LackNamespace, what, Some(Errno::INVAL), None);
                }
                for name in forbidden.names() {
                    let cause = Some(Cause::NamespaceLimit);
                    let what = [name.as_bytes(), b""];
                    let errno = Some(Errno::NOSPC);
                    fail::warn(Doing::LackNamespace, what, errno, cause);
                }
                return Ok(Process::Parent(pid));
            }
            done => return done,
        }
    }
}

/// husk's own file, for a container with a root of its own: there, nobody but /proc/self/exe leads
/// to it, and running it would open it to the container (CVE-2019-5736). On the host's tree it is a
/// file like any other, and may be nested.
fn own_file(plan: &Plan<'_>) -> Option<OwnFile> {
    match plan.root {
        Root::Host => None,
        Root::Pivot(_) | Root::Chroot(_) if has_proc(plan) => Some(OwnFile::AsProcSays),
        Root::Pivot(_) | Root::Chroot(_) => FileId::of(c"/proc/self/exe").ok().map(OwnFile::Is),
    }
}

/// Whether the container's /proc is one that husk mounts.
fn has_proc(plan: &Plan<'_>) -> bool {
    plan.operations.iter().any(|operation| {
        let is_proc = matches!(operation.action, Action::Mount { kind, .. } if kind == c"proc");
        let path = operation.target.path().to_bytes();
        is_proc && matches!(operation.target, Target::Inside(_)) && components(path).eq([b"proc"])
    })
}
