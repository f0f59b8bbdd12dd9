//! The steps that cannot be taken back, in the order in which they must come.

pub mod capabilities;
pub mod credentials;
pub mod landlock;

use crate::fail::{Doing, Explain, Failed};
use crate::plan::fake_chown::{self, Filter};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{Chown, NewPrivileges, Plan};
use crate::sys::seccomp;
use crate::sys::storage::Storage;
use credentials::Ids;
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_child_subreaper, set_dumpable_behavior};
use rustix::thread::set_no_new_privs;

/// The filter of fake_chown while it is made.
static FILTER: Storage<Filter> = Storage::new(Filter::new());

/// A process that has given up all that the container must not have.
pub struct Confined(());

/// - Should: leave this process with the command's ids and capabilities, out of the container's
///   reach.
/// - Mustn't: need a capability after the ids have changed.
///
/// `ids` says whether those of this process were changed before.
pub fn apply<'a>(plan: &Plan<'a>, mut ids: Ids) -> Result<Confined, Failed> {
    // CAP_SETPCAP, which a change of ids takes away, is needed for the bounding set.
    capabilities::drop_from_bounding_set(plan.dropped)?;
    if plan.identity != plan.setup {
        let maps = plan.maps.as_ref();
        if credentials::become_identity(plan.setup, plan.identity, maps)? == Ids::Changed {
            ids = Ids::Changed;
        }
    }
    capabilities::drop_from_thread(plan.dropped)?;
    if plan.new_privileges == NewPrivileges::Forbidden {
        set_no_new_privs(true).doing(Doing::SetNoNewPrivs, b"")?;
    }
    if plan.chown == Chown::Faked
        && let (Some(maps), Some(filter)) = (&plan.maps, FILTER.take())
    {
        fake_chown::make(maps, filter);
        seccomp::install(filter).doing(Doing::FakeChown, b"")?;
    }
    if !plan.namespaces.contains(NamespaceSet::PID) {
        // Orphans come to the init of a PID namespace by themselves. Before 3.4 they cannot be had
        // otherwise.
        let _ = set_child_subreaper(Some(rustix::process::getpid()));
    }
    hide_memory().doing(Doing::HideMemory, b"")?;
    if ids == Ids::Changed {
        super::die_with_parent()?;
    }
    Ok(Confined(()))
}

/// PR_SET_DUMPABLE 0, after the last change of ids, which resets it (to fs.suid_dumpable).
///
/// This process was cloned and never executed anything, so its memory belongs to the host's user
/// namespace: not dumpable, it is closed to the container's root with every capability, and with it
/// /proc/1/mem, exe, fd, root and ns, and ptrace(2) (CVE-2019-5736). One that is executed inside
/// would stay open.
///
/// The kernel does it or refuses it: there is nothing to be read back.
fn hide_memory() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}
