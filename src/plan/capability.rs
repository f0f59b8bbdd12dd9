//! Capabilities by the names of capabilities(7).

use crate::text::words;

/// Names without CAP_, in the order of their numbers (linux/capability.h; the last since 5.9). One
/// text, since every reference costs a relocation.
const NAMES: &str = "\
    CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, \
    LINUX_IMMUTABLE, NET_BIND_SERVICE, NET_BROADCAST, NET_ADMIN, NET_RAW, IPC_LOCK, \
    IPC_OWNER, SYS_MODULE, SYS_RAWIO, SYS_CHROOT, SYS_PTRACE, SYS_PACCT, SYS_ADMIN, \
    SYS_BOOT, SYS_NICE, SYS_RESOURCE, SYS_TIME, SYS_TTY_CONFIG, MKNOD, LEASE, AUDIT_WRITE, \
    AUDIT_CONTROL, SETFCAP, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, WAKE_ALARM, BLOCK_SUSPEND, \
    AUDIT_READ, PERFMON, BPF, CHECKPOINT_RESTORE";

/// How many there are.
const COUNT: usize = 41;

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    words(NAMES)
}

/// A set of capabilities, bit n being number n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySet(pub u64);

impl CapabilitySet {
    /// Every capability that husk knows the name of.
    pub const ALL: Self = Self((1 << COUNT) - 1);

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
        assert_eq!(super::names().count(), super::COUNT);
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
