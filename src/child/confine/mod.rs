//! The steps that cannot be taken back, in the order in which they must come.

pub mod capabilities;
pub mod credentials;

use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::link::Inner;
use crate::plan::fake_chown::{self, Filter};
use crate::plan::namespace::NamespaceSet;
use crate::plan::seccomp::{Seccomp, Wish};
use crate::plan::{Chown, NewPrivileges, Plan};
use crate::sys::seccomp;
use crate::sys::storage::Storage;
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, dumpable_behavior, set_child_subreaper, set_dumpable_behavior,
};
use rustix::thread::set_no_new_privs;

/// The filter of fake_chown while it is made.
static FILTER: Storage<Filter> = Storage::new(Filter::new());

/// A process that has given up all that the container must not have.
pub struct Confined(());

/// - Should: leave this process with the command's ids and capabilities, out of the container's
///   reach.
/// - Mustn't: need a capability after the ids have changed.
pub fn apply<'a>(plan: &Plan<'a>, link: &Inner) -> Result<Confined, Failed> {
    // CAP_SETPCAP, which a change of ids takes away, is needed for the bounding set.
    capabilities::drop_from_bounding_set(plan.dropped)?;
    if plan.new_privileges == NewPrivileges::Allowed {
        // CAP_SYS_ADMIN, which goes now, is needed for a filter, which so sees what follows.
        install_filters(plan)?;
    }
    if plan.identity != plan.setup {
        credentials::become_identity(plan.identity, plan.maps.as_ref())?;
    }
    capabilities::drop_from_thread(plan.dropped)?;
    if plan.new_privileges == NewPrivileges::Forbidden {
        set_no_new_privs(true).doing(Doing::SetNoNewPrivs, b"")?;
    }
    if !plan.namespaces.contains(NamespaceSet::PID) {
        // Orphans come to the init of a PID namespace by themselves. Before 3.4 they cannot be had
        // otherwise.
        let _ = set_child_subreaper(Some(rustix::process::getpid()));
    }
    hide_memory().doing(Doing::HideMemory, b"")?;
    super::die_with_supervisor(link)?;
    if plan.new_privileges == NewPrivileges::Forbidden {
        // The last thing of all, so that a program of the caller's need not allow the others. It holds for
        // this process as well, as bubblewrap has it: no process of the container is without.
        install_filters(plan)?;
    }
    Ok(Confined(()))
}

/// seccomp(2). The caller's program comes last, since it may forbid another one.
fn install_filters(plan: &Plan<'_>) -> Result<(), Failed> {
    if let (Chown::Faked, Some(maps), Some(filter)) = (plan.chown, &plan.maps, FILTER.take()) {
        fake_chown::make(maps, filter);
        install(filter, Doing::FakeChown)?;
    }
    match plan.seccomp {
        Seccomp::Off => Ok(()),
        Seccomp::File { program, .. } => install(program, Doing::InstallFilter),
        Seccomp::Own { program, wish, .. } => match install(program, Doing::InstallFilter) {
            Err(failed) if wish == Wish::WhereItCanBeHad && failed.cause().is_some() => {
                fail::warn(
                    Doing::LackFilter,
                    [b"", b""],
                    failed.errno(),
                    failed.cause(),
                );
                Ok(())
            }
            done => done,
        },
    }
}

/// What husk installs is right, so it is the kernel that is without filters where it says EINVAL.
fn install(program: &[seccomp::Instruction], doing: Doing) -> Result<(), Failed> {
    seccomp::install(program).map_err(|errno| {
        let cause = matches!(errno, Errno::INVAL | Errno::NOSYS).then_some(Cause::NoSeccomp);
        Failure::caused(doing, [b"", b""], Some(errno), cause)
    })
}

/// PR_SET_DUMPABLE 0, after the last change of ids, which resets it (to fs.suid_dumpable).
///
/// This process was cloned and never executed anything, so its memory belongs to the host's user
/// namespace: not dumpable, it is closed to the container's root with every capability, and with it
/// /proc/1/mem, exe, fd, root and ns, and ptrace(2) (CVE-2019-5736). One that is executed inside
/// would stay open.
fn hide_memory() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    match dumpable_behavior()? {
        DumpableBehavior::NotDumpable => Ok(()),
        _ => Err(Errno::PERM),
    }
}
