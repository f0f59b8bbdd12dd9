//! Who starts husk, and what the kernel lets them do.

use crate::sys::start::{Ids, Raised};
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
    /// Whoever runs this now.
    pub fn current() -> Self {
        Self::read(Ids {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            raised: Raised::No,
        })
    }

    /// With these ids, and no capability that would matter.
    pub const fn without_powers(ids: Ids) -> Self {
        Self {
            uid: ids.uid,
            gid: ids.gid,
            set_uid: Power::Lacks,
            set_gid: Power::Lacks,
        }
    }

    /// With these ids, and the capabilities that the kernel says it has.
    pub fn read(ids: Ids) -> Self {
        let effective = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        let power = |capability| {
            if effective.contains(capability) {
                Power::Has
            } else {
                Power::Lacks
            }
        };
        Self {
            set_uid: power(CapabilitySet::SETUID),
            set_gid: power(CapabilitySet::SETGID),
            ..Self::without_powers(ids)
        }
    }
}
