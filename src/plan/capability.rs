//! Capabilities by the names of capabilities(7).

use crate::text::words;
use rustix::thread::CapabilitySet as Kernel;

/// Names without CAP_, in the order of their numbers (linux/capability.h; the last since 5.9). One
/// text, since every reference costs a relocation.
const NAMES: &str = "\
    CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, \
    LINUX_IMMUTABLE, NET_BIND_SERVICE, NET_BROADCAST, NET_ADMIN, NET_RAW, IPC_LOCK, \
    IPC_OWNER, SYS_MODULE, SYS_RAWIO, SYS_CHROOT, SYS_PTRACE, SYS_PACCT, SYS_ADMIN, \
    SYS_BOOT, SYS_NICE, SYS_RESOURCE, SYS_TIME, SYS_TTY_CONFIG, MKNOD, LEASE, AUDIT_WRITE, \
    AUDIT_CONTROL, SETFCAP, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, WAKE_ALARM, BLOCK_SUSPEND, \
    AUDIT_READ, PERFMON, BPF, CHECKPOINT_RESTORE";

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    words(NAMES)
}

/// A set of capabilities, bit n being number n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySet(pub u64);

impl CapabilitySet {
    /// Every capability, those without a name included: kernels get new ones.
    pub const ALL: Self = Self(u64::MAX);

    /// Those that a command has unless more are asked for: what package managers, servers and init systems
    /// do to their own files, ids, ports and processes.
    ///
    /// Of docker's fourteen three are left out, as podman does, and here with better reason: husk has no
    /// device controller, so that MKNOD would be every disk of the host for its root; NET_RAW listens on the
    /// host's network and forges what is sent there, for the network is shared by default; AUDIT_WRITE
    /// forges the host's log.
    ///
    /// CAP_SYS_ADMIN is not among them, with a user namespace or without. In one it is over the
    /// container's own mounts alone, but these are what husk promises with (`--ro-bind`, masks, the
    /// underlays), and most holes of the kernel that began in a user namespace began with it. Who makes a
    /// root directory for another system mounts, and says so: `--cap-add SYS_ADMIN`. SETUID, SETGID and
    /// SETFCAP are what a container within a container maps its ids with, and SETPCAP what it drops its
    /// capabilities with.
    pub const SAFE: Self = Self(
        Kernel::CHOWN
            .union(Kernel::DAC_OVERRIDE)
            .union(Kernel::FOWNER)
            .union(Kernel::FSETID)
            .union(Kernel::KILL)
            .union(Kernel::SETGID)
            .union(Kernel::SETUID)
            .union(Kernel::SETPCAP)
            .union(Kernel::NET_BIND_SERVICE)
            .union(Kernel::SYS_CHROOT)
            .union(Kernel::SETFCAP)
            .bits(),
    );

    /// Those that are in this set and not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// `CAP_CHOWN`, `chown` or `ALL`.
    pub fn named(name: &str) -> Option<Self> {
        if is(name, "ALL") {
            return Some(Self::ALL);
        }
        let short = match name.split_at_checked(4) {
            Some((prefix, rest)) if is(prefix, "CAP_") => rest,
            _ => name,
        };
        let number = names().position(|known| is(short, known))?;
        Some(Self(1 << number))
    }

    /// Whether capability number `number` is in it.
    pub const fn has(self, number: u32) -> bool {
        number < u64::BITS && self.0 & (1 << number) != 0
    }
}

/// Whether `name` is the capital `known` in letters of any size.
#[inline(never)]
fn is(name: &str, known: &str) -> bool {
    name.bytes()
        .map(|letter| letter.to_ascii_uppercase())
        .eq(known.bytes())
}

/// `--cap-add` or `--cap-drop`, in the order of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapabilityChange {
    /// Kept although dropped before.
    Add(CapabilitySet),
    /// Dropped from every set.
    Drop(CapabilitySet),
}

#[cfg(test)]
mod tests {
    use super::CapabilitySet;

    #[test]
    fn every_number_has_a_name() {
        assert_eq!(super::names().count(), 41);
    }

    #[test]
    fn the_safe_ones_are_podman_s_eleven() {
        assert_eq!(CapabilitySet::SAFE.0, 0x8004_05fb);
    }

    #[test]
    fn names_are_those_of_the_manual_in_any_spelling() {
        assert_eq!(CapabilitySet::named("CAP_CHOWN"), Some(CapabilitySet(1)));
        assert_eq!(
            CapabilitySet::named("net_raw"),
            Some(CapabilitySet(1 << 13))
        );
        assert_eq!(
            CapabilitySet::named("cap_checkpoint_restore"),
            Some(CapabilitySet(1 << 40))
        );
        assert_eq!(CapabilitySet::named("all"), Some(CapabilitySet::ALL));
        assert_eq!(CapabilitySet::named("cap_"), None);
        assert_eq!(CapabilitySet::named(""), None);
    }
}
