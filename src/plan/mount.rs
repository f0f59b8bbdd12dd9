//! The flags of a mount: one table, which the file, the dry run and the tests read.

use crate::text::words;
use linux_raw_sys::general::{
    MS_BIND, MS_DIRSYNC, MS_LAZYTIME, MS_MANDLOCK, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC,
    MS_NOSUID, MS_RDONLY, MS_RELATIME, MS_SILENT, MS_STRICTATIME, MS_SYNCHRONOUS,
};

/// Every word of `flags`.
pub const FLAG_NAMES: &str = "\
    read_only, no_suid, no_devices, no_execute, no_access_time, \
    no_directory_access_time, relative_access_time, strict_access_time, \
    lazy_access_time, synchronous, synchronous_directories, mandatory_lock, silent, bind";

/// What mount(2) calls them, in the same order.
const FLAGS: [u32; 14] = [
    MS_RDONLY,
    MS_NOSUID,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOATIME,
    MS_NODIRATIME,
    MS_RELATIME,
    MS_STRICTATIME,
    MS_LAZYTIME,
    MS_SYNCHRONOUS,
    MS_DIRSYNC,
    MS_MANDLOCK,
    MS_SILENT,
    MS_BIND,
];

/// Flags of one mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MountFlags(pub u32);

impl MountFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// MS_RDONLY.
    pub const READ_ONLY: Self = Self(MS_RDONLY);
    /// MS_NOSUID.
    pub const NO_SUID: Self = Self(MS_NOSUID);
    /// MS_BIND, which with `remount` changes the mount and not the file system.
    pub const BIND: Self = Self(MS_BIND);
    /// No set-user-ID programs, no devices, no programs.
    pub const INERT: Self = Self(MS_NOSUID | MS_NODEV | MS_NOEXEC);
    /// No set-user-ID programs, no devices.
    pub const NO_SUID_NO_DEVICES: Self = Self(MS_NOSUID | MS_NODEV);
    /// No set-user-ID programs, no programs: for a /dev.
    pub const NO_SUID_NO_EXECUTE: Self = Self(MS_NOSUID | MS_NOEXEC);

    /// The flag of that name.
    pub fn named(name: &str) -> Option<Self> {
        words(FLAG_NAMES)
            .zip(FLAGS)
            .find(|flag| flag.0 == name)
            .map(|flag| Self(flag.1))
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of its flags.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        words(FLAG_NAMES)
            .zip(FLAGS)
            .filter(move |flag| self.0 & flag.1 != 0)
            .map(|flag| flag.0)
    }
}
