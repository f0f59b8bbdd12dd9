//! Which ids there are: to give away, and at all.

use super::caller::Caller;
use super::extents;
use super::subid::{self, Ranges};

/// What the host says of ids, as far as it was asked.
pub struct HostIds {
    /// The caller's ranges of subuid(5).
    pub subuid: Ranges,
    /// Its ranges of subgid(5).
    pub subgid: Ranges,
    /// The extents of the uid_map of the user namespace that husk is in.
    pub uid_extents: Ranges,
    /// Those of its gid_map.
    pub gid_extents: Ranges,
}

impl Default for HostIds {
    fn default() -> Self {
        Self::new()
    }
}

impl HostIds {
    /// Not asked yet.
    pub const fn new() -> Self {
        Self {
            subuid: Ranges::new(),
            subgid: Ranges::new(),
            uid_extents: Ranges::new(),
            gid_extents: Ranges::new(),
        }
    }

    /// Looks the ranges up; see [`subid::of_caller`].
    pub fn read_ranges(&mut self, caller: &Caller, user: &[u8]) {
        subid::of_caller(caller, user, &mut self.subuid, &mut self.subgid);
    }

    /// Reads the maps of this namespace.
    pub fn read_extents(&mut self) {
        extents::read(c"/proc/self/uid_map", &mut self.uid_extents);
        extents::read(c"/proc/self/gid_map", &mut self.gid_extents);
    }
}
