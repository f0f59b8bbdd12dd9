//! Inside, before any foreign code: a copy of husk in the new namespaces, on its way to PID 1.

pub mod bind;
pub mod confine;
pub mod dev;
pub mod mask;
pub mod mount_flags;
pub mod mount_point;
pub mod mounts;
pub mod proc_fd;
pub mod resolve;
pub mod root;
pub mod sources;
pub mod stack;
pub mod underlay;
pub mod uts;

use crate::fail::{Doing, Explain, Failed, Failure, Status};
use crate::init;
use crate::init::sockets::Sockets;
use crate::init::spawn::{Command, Handover, look_up};
use crate::link::{Inner, Order, Parent};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{Init, Nesting, Plan};
use crate::sys::net;
use crate::sys::process::exit;
use confine::{Confined, capabilities};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Signal, set_parent_process_death_signal, setpgid, umask};

/// Becomes PID 1: makes everything that `plan` says, then runs the command. Never returns to the
/// caller's code.
pub fn run(
    plan: &Plan<'_>,
    link: Inner,
    handover: Handover<'_>,
    sockets: Option<&'static mut Sockets>,
) -> ! {
    let command = Command::new(plan, handover);
    let ready = set_up(plan, &link).and_then(|confined| {
        if plan.init == Init::Nobody {
            look_up(&command)?;
        }
        Ok(confined)
    });
    let status = match (ready, plan.init) {
        (Ok(_), Init::Nobody) => Status::SUCCESS,
        (Ok(confined), Init::Command) => init::replace(confined, command, &link, sockets),
        (Ok(confined), Init::Husk) => init::run(confined, command, (link, sockets), &plan.rules),
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
fn set_up<'a>(plan: &Plan<'a>, link: &Inner) -> Result<Confined, Failed> {
    die_with_supervisor(link)?;
    // A group of its own: the supervisor passes on what the terminal sends to the caller's job.
    let _ = setpgid(None, None);
    let opened = capabilities::as_the_caller(plan, || sources::open(plan))?;
    confine::begin(plan)?;
    match link.wait() {
        Ok(Order::Go) => (),
        Ok(Order::TakeTerminal) | Err(Errno::PIPE) => exit(125),
        Err(errno) => {
            return Err(Failure::new(Doing::WaitAtGate, b"", errno));
        }
    }
    confine::credentials::become_identity(plan.setup, plan.maps.as_ref())?;
    if plan.nesting == Nesting::Forbidden {
        confine::nesting::forbid()?;
    }
    // What is made is made for the container; the command gets the caller's mask back.
    let mask = umask(Mode::empty());
    let assembled = mounts::assemble(plan, opened)?;
    umask(mask);
    root::enter(plan, assembled)?;
    uts::set_names(plan)?;
    if plan.namespaces.contains(NamespaceSet::NET) {
        net::loopback_up().doing(Doing::RaiseLoopback, b"lo")?;
    }
    root::change_directory(plan)?;
    confine::apply(plan, link)
}

/// PR_SET_PDEATHSIG of prctl(2), and the question whether it came too late. The kernel forgets it
/// whenever the ids change (commit_creds), so it is armed again after that.
pub fn die_with_supervisor(link: &Inner) -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::KILL)).doing(Doing::DieWithParent, b"")?;
    if link.supervisor() == Parent::Gone {
        exit(125);
    }
    Ok(())
}
