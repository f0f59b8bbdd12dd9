//! Who starts husk, and what the kernel lets them do.

use rustix::process::{getegid, geteuid};
use rustix::thread::{CapabilitySet, capabilities};

/// The caller's ids and the two capabilities that matter before the clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The effective uid: the one that the kernel compares a map with.
    pub uid: u32,
    /// The effective gid.
    pub gid: u32,
    /// CAP_SETUID: any uid_map may be written directly.
    pub set_uid: Power,
    /// CAP_SETGID: any gid_map may be written directly, and setgroups stays allowed.
    pub set_gid: Power,
}

/// Whether a capability is effective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It is.
    Has,
    /// It is not.
    Lacks,
}

impl Caller {
    /// Asks the kernel.
    pub fn read() -> Self {
        let effective = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        let power = |capability| {
            if effective.contains(capability) {
                Power::Has
            } else {
                Power::Lacks
            }
        };
        Self {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            set_uid: power(CapabilitySet::SETUID),
            set_gid: power(CapabilitySet::SETGID),
        }
    }
}
