//! Inside, before any foreign code: a copy of husk in the new namespaces, on its way to PID 1.

pub mod bind;
pub mod change;
pub mod confine;
pub mod dev;
pub mod here;
pub mod mask;
pub mod mount_flags;
pub mod mount_point;
pub mod mounts;
pub mod proc_fd;
pub mod resolve;
pub mod root;
pub mod sources;
pub mod stack;
pub mod symlink;
pub mod umask;
pub mod underlay;
pub mod uts;

use crate::fail::{self, Doing, Explain, Failed, Failure, Status};
use crate::id_map;
use crate::init;
use crate::init::bounds::Bounds;
use crate::init::sockets::Sockets;
use crate::init::spawn::{Command, Handover, look_up};
use crate::job::terminal::Terminal;
use crate::link::{Inner, Order, Outer, Parent};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{Identity, Init, Nesting, Plan};
use crate::sys::fd::{FIRST, keep_from};
use crate::sys::landlock::Ruleset;
use crate::sys::net;
use crate::sys::process::{exit, unshare};
use confine::credentials::{self, Ids};
use confine::{Confined, capabilities};
use core::mem;
use rustix::io::Errno;
use rustix::process::{Signal, set_parent_process_death_signal, setpgid};
use sources::Opened;

/// Becomes PID 1: makes everything that `plan` says, then runs the command. Never returns to the
/// caller's code.
pub fn run(
    plan: &Plan<'_>,
    (link, outer): (Inner, Outer),
    handover: Handover<'_>,
    sockets: Option<&'static mut Sockets>,
) -> ! {
    let mut command = Command::new(plan, handover);
    let mut ruleset = None;
    let ready =
        set_up(plan, (&link, outer), handover.terminal, &mut ruleset).and_then(|confined| {
            if plan.init == Init::Nobody {
                look_up(&command)?;
            }
            Ok(confined)
        });
    let bounds = Bounds::of(plan, ruleset);
    command.bounds = bounds.as_ref();
    let status = match (ready, plan.init) {
        (Ok(_), Init::Nobody) => Status::SUCCESS,
        (Ok(confined), Init::Command) => init::replace(confined, command, &link, sockets),
        (Ok(confined), Init::Husk) => init::run(confined, plan, command, (link, sockets)),
        (Err(failure), _) => {
            link.failed(failure);
            failure.status()
        }
    };
    exit(status.0)
}

/// - Has: every capability in the new user namespace, the host's mounts as private copies, all
///   signals blocked.
/// - Does: the file system, names and ids of the container, in the order in which they need each
///   other.
/// - Must not: run anything of the container's, or follow a link out of the new root.
fn set_up<'a>(
    plan: &Plan<'a>,
    (link, outer): (&Inner, Outer),
    terminal: Option<&Terminal>,
    ruleset: &mut Option<Ruleset>,
) -> Result<Confined, Failed> {
    die_with_parent()?;
    // A group of its own: the supervisor passes on what the terminal sends to the caller's job.
    let _ = setpgid(None, None);
    let (opened, ids) = be_mapped(plan, (link, outer))?;
    if plan.cgroup.is_some() && plan.namespaces.contains(NamespaceSet::CGROUP) {
        enter_cgroup_namespace(plan)?;
    }
    if plan.nesting == Nesting::Forbidden {
        confine::nesting::forbid()?;
    }
    let assembled = mounts::assemble(plan, opened, terminal)?;
    root::enter(plan, assembled)?;
    uts::set_names(plan)?;
    if plan.namespaces.contains(NamespaceSet::NET) {
        net::loopback_up().doing(Doing::RaiseLoopback, b"lo")?;
    }
    root::change_directory(plan)?;
    *ruleset = confine::landlock::ruleset(plan)?;
    let confined = confine::apply(plan, ids)?;
    let rules = ruleset.as_ref().map(Ruleset::number);
    let first = FIRST.saturating_add(plan.preserved);
    keep_from(
        first,
        &[Some(link.number()), terminal.map(Terminal::number), rules],
    );
    // With its own copy of the other end closed PID 1 sees whether the supervisor's is: asked after
    // the signal of its death, which says nothing of one that came before.
    match link.supervisor() {
        Parent::Gone => exit(125),
        Parent::Lives => confine::filter(plan).map(|()| confined),
    }
}

/// Opens what is outside, with the caller's rights, and becomes somebody in the new user namespace.
fn be_mapped<'a>(plan: &Plan<'a>, (link, outer): (&Inner, Outer)) -> Result<(Opened, Ids), Failed> {
    let maps = plan.maps.as_ref();
    confine::begin(plan)?;
    let opened = match maps {
        _ if plan.waits() => {
            // Whoever waits for the supervisor must see its end.
            drop(outer);
            let opened = match maps {
                Some(_) => capabilities::as_the_caller(|| sources::open(plan))?,
                None => sources::open(plan)?,
            };
            match link.wait() {
                Ok(Order::Go) => opened,
                Ok(Order::TakeTerminal) | Err(Errno::PIPE) => exit(125),
                Err(errno) => return Err(Failure::new(Doing::WaitAtGate, b"", errno)),
            }
        }
        maps => {
            mem::forget(outer);
            // As long as nobody is mapped, no capability of the new namespace reaches a file.
            let opened = sources::open(plan)?;
            maps.map_or(Ok(()), id_map::write_own)?;
            opened
        }
    };
    let own = maps.map_or(Identity::UNCHANGED, |maps| maps.caller);
    let ids = credentials::become_identity(own, plan.setup, maps)?;
    Ok((opened, ids))
}

/// Its root is the cgroup that the supervisor has put this process into, which it is in by now.
fn enter_cgroup_namespace(plan: &Plan<'_>) -> Result<(), Failed> {
    match unshare(NamespaceSet::CGROUP) {
        Err(errno @ (Errno::INVAL | Errno::NOSPC))
            if plan.dispensable.contains(NamespaceSet::CGROUP) =>
        {
            fail::warn(Doing::LackNamespace, [b"cgroup", b""], Some(errno), None);
            Ok(())
        }
        done => done.doing(Doing::CreateNamespaces, b"cgroup"),
    }
}

/// PR_SET_PDEATHSIG of prctl(2). The kernel forgets it whenever the ids change (commit_creds), so it
/// is armed again after that.
pub fn die_with_parent() -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::KILL)).doing(Doing::DieWithParent, b"")
}
