//! Keys with plain values: what each takes, and where that goes, whether the file or a flag spells
//! it.

use super::{At, CallChange, Config, IdMap, Mask, Network, Overlay, Proc};
use crate::plan::calls::Call;
use crate::plan::capability::{CapabilityChange, CapabilitySet};
use core::ffi::CStr;

/// What a key takes, and where that goes.
pub enum Slot<'c, 'a> {
    /// A path.
    Path(&'c mut Option<At<&'a CStr>>),
    /// For sethostname(2) and setdomainname(2).
    HostName(&'c mut Option<At<&'a CStr>>),
    /// A uid or gid.
    Id(&'c mut Option<At<u32>>),
    /// `true` or `false`.
    Boolean(&'c mut Option<At<bool>>),
    /// Names of namespaces.
    Namespaces,
    /// A word.
    IdMap,
    /// A word.
    Proc,
    /// A word.
    Mask,
    /// A word.
    Network,
    /// How many.
    Count(&'c mut Option<At<u32>>),
    /// `tmpfs` or a path.
    Overlay,
    /// Words.
    Command,
    /// Names of capabilities, and what becomes of them.
    Capabilities(fn(CapabilitySet) -> CapabilityChange),
    /// Names of system calls, and what becomes of them.
    Calls(fn(Call) -> CallChange),
}

/// What `key` takes.
pub fn slot<'c, 'a>(config: &'c mut Config<'a>, key: &str) -> Slot<'c, 'a> {
    match key {
        "namespaces" => Slot::Namespaces,
        "chroot_dir" => Slot::Path(&mut config.chroot_dir),
        "root" => Slot::Path(&mut config.root),
        "working_dir" => Slot::Path(&mut config.working_dir),
        "hostname" => Slot::HostName(&mut config.hostname),
        "domainname" => Slot::HostName(&mut config.domainname),
        "uid" => Slot::Id(&mut config.uid),
        "gid" => Slot::Id(&mut config.gid),
        "id_map" => Slot::IdMap,
        "proc" => Slot::Proc,
        "mask" => Slot::Mask,
        "network" => Slot::Network,
        "preserve_fds" => Slot::Count(&mut config.preserve_fds),
        "overlay" => Slot::Overlay,
        "command" => Slot::Command,
        "read_only" => Slot::Boolean(&mut config.read_only),
        "clear_env" => Slot::Boolean(&mut config.clear_env),
        "new_session" => Slot::Boolean(&mut config.new_session),
        "die_with_parent" => Slot::Boolean(&mut config.die_with_parent),
        "as_pid_1" => Slot::Boolean(&mut config.as_pid_1),
        "fake_chown" => Slot::Boolean(&mut config.fake_chown),
        "no_new_privs" => Slot::Boolean(&mut config.no_new_privs),
        "new_keyring" => Slot::Boolean(&mut config.new_keyring),
        "disable_userns" => Slot::Boolean(&mut config.disable_userns),
        "seccomp" => Slot::Path(&mut config.seccomp),
        "seccomp_allow" => Slot::Calls(CallChange::Allow),
        "seccomp_deny" => Slot::Calls(CallChange::Deny),
        "cap_add" => Slot::Capabilities(CapabilityChange::Add),
        _ => Slot::Capabilities(CapabilityChange::Drop),
    }
}

impl IdMap {
    /// The words for them.
    pub const NAMES: &str = "auto, root, self";

    /// The one of that name.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "root" => Some(Self::Root),
            "self" => Some(Self::Own),
            _ => None,
        }
    }
}

impl Proc {
    /// The words for them.
    pub const NAMES: &str = "auto, new, bind, none";

    /// The one of that name.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "new" => Some(Self::New),
            "bind" => Some(Self::Bind),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

impl Mask {
    /// The words for them.
    pub const NAMES: &str = "auto, oci, none";

    /// The one of that name.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "oci" => Some(Self::Oci),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

impl Network {
    /// The words for them.
    pub const NAMES: &str = "host, none";

    /// The one of that name.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "host" => Some(Self::Host),
            "none" => Some(Self::Loopback),
            _ => None,
        }
    }
}

impl<'a> Overlay<'a> {
    /// `tmpfs`, or else a directory.
    pub fn at(path: &'a CStr) -> Self {
        if path == c"tmpfs" {
            Self::Tmpfs
        } else {
            Self::Directory(path)
        }
    }
}
