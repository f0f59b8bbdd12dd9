//! The steps that cannot be taken back, in the order in which they must come.

pub mod capabilities;
pub mod credentials;
pub mod landlock;
pub mod nesting;

use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::plan::fake_chown::{self, Filter};
use crate::plan::namespace::NamespaceSet;
use crate::plan::seccomp::{Seccomp, Wish};
use crate::plan::{Chown, Keyring, NewPrivileges, Plan};
use crate::sys::process::join_new_session_keyring;
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

/// What can be given up before the maps are written: then it is done while the supervisor writes them.
///
/// - Should: leave the file system to be made with what there was.
/// - Mustn't: wait for the ids, a change of which takes CAP_SETPCAP away.
pub fn begin(plan: &Plan<'_>) -> Result<(), Failed> {
    capabilities::drop_from_bounding_set(plan)?;
    new_keyring(plan.keyring)
}

/// - Should: leave this process with the command's ids and capabilities, out of the container's
///   reach.
/// - Mustn't: need a capability after the ids have changed.
///
/// `ids` says whether those of this process were changed before.
pub fn apply<'a>(plan: &Plan<'a>, mut ids: Ids) -> Result<Confined, Failed> {
    if plan.new_privileges == NewPrivileges::Allowed {
        // CAP_SYS_ADMIN, which goes now, is needed for a filter, which so sees what follows.
        install_filters(plan)?;
    }
    if plan.identity != plan.setup {
        let maps = plan.maps.as_ref();
        if credentials::become_identity(plan.setup, plan.identity, maps)? == Ids::Changed {
            ids = Ids::Changed;
        }
    }
    capabilities::drop_from_thread(plan)?;
    if plan.new_privileges == NewPrivileges::Forbidden {
        set_no_new_privs(true).doing(Doing::SetNoNewPrivs, b"")?;
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

/// A session keyring of the container's: what is in the caller's is found by every process of the
/// session (request_key(2)), whatever namespace it is in.
///
/// A user has 200 keys (keyrings(7)), and each container needs one while it runs. One more container
/// is worth more than that, unless somebody has asked.
fn new_keyring(wanted: Keyring) -> Result<(), Failed> {
    if wanted == Keyring::Callers {
        return Ok(());
    }
    match (join_new_session_keyring(), wanted) {
        (Err(errno), Keyring::Required) => Err(errno).doing(Doing::JoinKeyring, b""),
        (Err(errno @ Errno::DQUOT), _) => {
            fail::warn(Doing::LackKeyring, [b"", b""], Some(errno), None);
            Ok(())
        }
        // No kernel's to have, or a filter's to forbid: then nobody inside reaches a key either.
        (Ok(()) | Err(_), _) => Ok(()),
    }
}

/// The last thing of all, so that a program of the caller's need not allow the others. It holds for this
/// process as well, as bubblewrap has it: no process of the container is without.
pub fn filter(plan: &Plan<'_>) -> Result<(), Failed> {
    match plan.new_privileges {
        NewPrivileges::Forbidden => install_filters(plan),
        // It is there.
        NewPrivileges::Allowed => Ok(()),
    }
}

/// seccomp(2). The caller's program comes last, since it may forbid another one.
fn install_filters(plan: &Plan<'_>) -> Result<(), Failed> {
    if plan.chown == Chown::Faked
        && let (Some(maps), Some(filter)) = (&plan.maps, FILTER.take())
    {
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
///
/// The kernel does it or refuses it: there is nothing to be read back.
fn hide_memory() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}
