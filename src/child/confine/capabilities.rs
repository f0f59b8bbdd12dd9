//! Capabilities that the command shall not have (capabilities(7)).

use crate::fail::{Doing, Explain, Failed, Failure};
use crate::plan::capability::{CapabilitySet, names};
use crate::plan::{NewPrivileges, Plan};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet as Kernel, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// Takes `dropped` from the bounding set, so that no program brings it back: not one with file
/// capabilities, and not any program that uid 0 executes, which has all of the bounding set whatever
/// no_new_privs says (cap_bprm_creds_from_file of the kernel).
///
/// One prctl(2) for each, of about a microsecond, beside the writing of the maps. The one call that would do instead,
/// PR_SET_SECUREBITS with SECBIT_NOROOT, leaves root inside without any capability after execve(2), but
/// for ambient ones; and a set that every program inherits is what CVE-2022-29162 was about.
///
/// Who has no user namespace and no CAP_SETPCAP, an ordinary user on the host's, cannot; and has no use
/// for what is only a default, as long as there are no new privileges.
pub fn drop_from_bounding_set(plan: &Plan<'_>) -> Result<(), Failed> {
    let dropped = plan.dropped;
    let is_default = dropped == CapabilitySet::ALL.without(CapabilitySet::SAFE);
    let matters =
        plan.maps.is_some() || !is_default || plan.new_privileges == NewPrivileges::Allowed;
    for number in (0..u64::BITS).filter(|number| dropped.has(*number)) {
        let one = Kernel::from_bits_retain(1 << number);
        let Err(errno) = remove_capability_from_bounding_set(one) else {
            continue;
        };
        match capability_is_in_bounding_set(one) {
            // Nothing is lost.
            Ok(false) => (),
            Ok(true) if errno == Errno::PERM && !matters => break,
            // The kernel's last one was the one before.
            Err(Errno::INVAL) => break,
            Ok(true) => return Err(refused(number, errno)),
            Err(errno) => return Err(refused(number, errno)),
        }
    }
    Ok(())
}

#[cold]
fn refused(number: u32, errno: Errno) -> Failed {
    let position = usize::try_from(number).unwrap_or(usize::MAX);
    let name = names().nth(position).unwrap_or("");
    Failure::new(Doing::DropCapabilities, name.as_bytes(), errno)
}

/// Takes `dropped` from the permitted and effective sets, and everything from the inheritable one, and
/// with that from the ambient one.
pub fn drop_from_thread(plan: &Plan<'_>) -> Result<(), Failed> {
    // Who is the first in a user namespace has inherited nothing (user_namespaces(7)).
    if plan.dropped.0 == 0 && plan.maps.is_some() {
        return Ok(());
    }
    let dropped = Kernel::from_bits_retain(plan.dropped.0);
    let has = capabilities(None).doing(Doing::DropCapabilities, b"")?;
    let left = CapabilitySets {
        effective: has.effective.difference(dropped),
        permitted: has.permitted.difference(dropped),
        inheritable: Kernel::empty(),
    };
    if left == has {
        return Ok(());
    }
    set_capabilities(None, left).doing(Doing::DropCapabilities, b"")
}

/// The capabilities that open what permissions close (capabilities(7)).
const OVERRIDES: Kernel = Kernel::DAC_OVERRIDE.union(Kernel::DAC_READ_SEARCH);

/// Runs `open` without the rights over the caller's own files that a new user namespace gives, as
/// soon as its maps are written: what the caller may not open is not opened.
pub fn as_the_caller<T>(open: impl FnOnce() -> Result<T, Failed>) -> Result<T, Failed> {
    let has = capabilities(None).doing(Doing::DropCapabilities, b"")?;
    let effective = has.effective.difference(OVERRIDES);
    set_capabilities(None, CapabilitySets { effective, ..has })
        .doing(Doing::DropCapabilities, b"")?;
    let opened = open()?;
    set_capabilities(None, has).doing(Doing::DropCapabilities, b"")?;
    Ok(opened)
}
