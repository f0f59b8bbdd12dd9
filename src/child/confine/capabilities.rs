//! Capabilities that the command shall not have (capabilities(7)).

use crate::fail::{Doing, Explain, Failed};
use crate::plan::capability::{CapabilitySet, names};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet as Kernel, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities,
};

/// Takes `dropped` from the bounding set, so that no program's file capabilities bring it back.
pub fn drop_from_bounding_set(dropped: CapabilitySet) -> Result<(), Failed> {
    for (number, name) in (0_u32..).zip(names()) {
        if !dropped.has(number) {
            continue;
        }
        match remove_capability_from_bounding_set(Kernel::from_bits_retain(1 << number)) {
            // This kernel does not have it.
            Ok(()) | Err(Errno::INVAL) => (),
            Err(errno) => return Err(errno).doing(Doing::DropCapabilities, name.as_bytes()),
        }
    }
    Ok(())
}

/// Takes `dropped` from the permitted, effective and inheritable sets, and with that from the
/// ambient one.
pub fn drop_from_thread(dropped: CapabilitySet) -> Result<(), Failed> {
    if dropped.0 == 0 {
        return Ok(());
    }
    let dropped = Kernel::from_bits_retain(dropped.0);
    let has = capabilities(None).doing(Doing::DropCapabilities, b"")?;
    let left = CapabilitySets {
        effective: has.effective.difference(dropped),
        permitted: has.permitted.difference(dropped),
        inheritable: has.inheritable.difference(dropped),
    };
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
