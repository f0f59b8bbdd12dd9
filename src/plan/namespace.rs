//! The namespaces: one table, which the parsers, clone(2), --help and the errors read.

use linux_raw_sys::general::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME,
    CLONE_NEWUSER, CLONE_NEWUTS,
};

use crate::sys::storage::Storage;
use crate::text::words;
use heapless::Vec;

/// Every kind (namespaces(7)) as it is written in `namespaces`, in the order in which they are
/// printed.
pub const NAMES: &str = "user, mount, pid, uts, ipc, net, cgroup, time";

/// Their flags in clone(2), in the same order; CLONE_NEWTIME is for clone3(2) alone.
const KINDS: [u32; 8] = [
    CLONE_NEWUSER,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWCGROUP,
    CLONE_NEWTIME,
];

/// A set of kinds, as clone flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamespaceSet(u32);

impl NamespaceSet {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// User namespaces (3.8).
    pub const USER: Self = Self(CLONE_NEWUSER);
    /// Mount namespaces (2.4.19).
    pub const MOUNT: Self = Self(CLONE_NEWNS);
    /// PID namespaces (2.6.24).
    pub const PID: Self = Self(CLONE_NEWPID);
    /// UTS namespaces (2.6.19).
    pub const UTS: Self = Self(CLONE_NEWUTS);
    /// System V IPC and POSIX message queues (2.6.19).
    pub const IPC: Self = Self(CLONE_NEWIPC);
    /// Control groups (4.6).
    pub const CGROUP: Self = Self(CLONE_NEWCGROUP);
    /// Network namespaces (2.6.24).
    pub const NET: Self = Self(CLONE_NEWNET);
    /// Time namespaces (5.6).
    pub const TIME: Self = Self(CLONE_NEWTIME);
    /// What husk takes when nobody says: all but net, which would cut the command off, and time,
    /// which changes nothing by itself.
    pub const DEFAULT: Self = Self(
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP,
    );
    /// Every kind but time: `--unshare-all`.
    pub const ALL: Self = Self(Self::DEFAULT.0 | CLONE_NEWNET);

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        words(NAMES)
            .zip(KINDS)
            .find(|kind| kind.0 == name)
            .map(|kind| Self(kind.1))
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without the other's kinds.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags of clone(2) and clone3(2).
    pub const fn flags(self) -> u32 {
        self.0
    }

    /// The names of its kinds in one text, for the one message that needs it.
    pub fn spelled(self) -> &'static [u8] {
        static TEXT: Storage<Vec<u8, 64>> = Storage::new(Vec::new());
        let Some(text) = TEXT.take() else { return b"" };
        for name in self.names() {
            if !text.is_empty() {
                let _ = text.extend_from_slice(b" ");
            }
            let _ = text.extend_from_slice(name.as_bytes());
        }
        text
    }

    /// The names of its kinds.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        words(NAMES)
            .zip(KINDS)
            .filter(move |kind| self.0 & kind.1 != 0)
            .map(|kind| kind.0)
    }
}
