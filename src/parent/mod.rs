//! Outside: the supervisor, with the caller's ids in the caller's namespaces.

pub mod id_map;
pub mod relay;

use crate::child;
use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure, Status};
use crate::host::cause;
use crate::init;
use crate::init::interpreter::FileId;
use crate::init::spawn::Handover;
use crate::job::parent::signal_at_death;
use crate::job::terminal::Terminal;
use crate::link::Inner;
use crate::link::{self, Order, Outer};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{Plan, Root, Supervisor};
use crate::sys::clock;
use crate::sys::clone::{self, Side};
use crate::sys::fd;
use crate::sys::signal::{self, Target};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, waitpid};

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
            let _ = signal::send(Target::Process(self.pid), Signal::KILL.as_raw());
            let _ = self.wait();
        }
    }
}

/// Starts what `plan` says and waits for its end.
///
/// - Does: blocks all signals, so that one that comes from now on reaches the command and not husk;
///   clones; writes the maps; opens the gate; passes signals on.
/// - Must not: change anything outside, or keep a descriptor that the command could inherit.
pub fn run<'a>(plan: &Plan<'a>) -> Result<Status, Failed> {
    // Nothing that the caller left open is of use inside, and a directory among it would be a way
    // out (CVE-2024-21626).
    fd::close_range(3, u32::MAX);
    let caller_mask = init::block_signals()?;
    if plan.supervisor == Supervisor::DiesWithParent {
        signal_at_death(Signal::KILL.as_raw())?;
    }
    let terminal = Terminal::open(plan.session, plan.init);
    let (outer, inner) = link::pair().doing(Doing::Connect, b"")?;
    let handover = Handover {
        terminal: terminal.as_ref(),
        mask: caller_mask,
        own_file: own_file(plan),
    };
    let (mut child, outer) = create(plan, (outer, inner), handover)?;
    if let Some(maps) = &plan.maps {
        id_map::write(child.pid(), maps, caller_mask)
            .map_err(|failed| relay::why(&mut child, &outer, failed))?;
    }
    if terminal.is_some() {
        outer.signal_reports().doing(Doing::Connect, b"")?;
    }
    if let Err(errno) = outer.order(Order::Go) {
        let failed = Failure::new(Doing::OpenGate, b"", errno);
        return Err(relay::why(&mut child, &outer, failed));
    }
    relay::until_exit(&mut child, &outer, plan.init, terminal)
}

/// Makes PID 1 with all its namespaces.
fn create<'a>(
    plan: &Plan<'a>,
    (outer, inner): (Outer, Inner),
    handover: Handover<'_>,
) -> Result<(Child, Outer), Failed> {
    match into_namespaces(plan) {
        Ok(Side::Parent(pid)) => Ok((
            Child {
                pid,
                state: State::Running,
            },
            outer,
        )),
        Ok(Side::Child) => {
            drop(outer);
            child::run(plan, inner, handover)
        }
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

/// How often a clone is tried again that a limit refused, and milliseconds between.
const RETRIES: u32 = 10;
const PAUSE: u32 = 10;

/// What is not missed much.
const DISPENSABLE: [NamespaceSet; 3] = [NamespaceSet::CGROUP, NamespaceSet::IPC, NamespaceSet::UTS];

/// Clones into the plan's namespaces, but for those that this kernel lacks, or that nobody may have,
/// and that nobody asked for.
fn into_namespaces(plan: &Plan<'_>) -> Result<Side, Errno> {
    let mut namespaces = plan.namespaces;
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
            Ok(Side::Parent(pid)) => {
                let lacking = plan.namespaces.without(namespaces);
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
                return Ok(Side::Parent(pid));
            }
            done => return done,
        }
    }
}

/// husk's own file, for a container with a root of its own: there, nobody but /proc/self/exe leads
/// to it, and running it would open it to the container (CVE-2019-5736). On the host's tree it is a
/// file like any other, and may be nested.
fn own_file(plan: &Plan<'_>) -> Option<FileId> {
    match plan.root {
        Root::Host => None,
        Root::Pivot(_) | Root::Chroot(_) => FileId::of(c"/proc/self/exe").ok(),
    }
}
