//! What Landlock is to leave of the files: paths, and what may be done below each (landlock(7)).

use core::ffi::CStr;
use linux_raw_sys::landlock::{
    LANDLOCK_ACCESS_FS_EXECUTE as EXECUTE, LANDLOCK_ACCESS_FS_IOCTL_DEV as IOCTL_DEV,
    LANDLOCK_ACCESS_FS_READ_DIR as READ_DIR, LANDLOCK_ACCESS_FS_READ_FILE as READ_FILE,
    LANDLOCK_ACCESS_FS_REFER as REFER, LANDLOCK_ACCESS_FS_TRUNCATE as TRUNCATE,
    LANDLOCK_ACCESS_FS_WRITE_FILE as WRITE_FILE,
};

/// Keys of `[landlock]`.
pub const KEYS: &str = "\
    read_only, read_write, execute, required, scope";

/// All that is asked of it.
#[derive(Clone, Copy)]
pub struct Landlock<'a> {
    /// What may be done where; nothing else may be done. Without any, files are left alone.
    pub rules: &'a [Rule<'a>],
    /// What if the kernel cannot hold all of it.
    pub lack: Lack,
    /// Whether abstract sockets and signals of others are out of reach, too.
    pub scope: Scope,
}

/// One path and what may be done below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// What.
    pub grant: Grant,
    /// Where, as seen inside.
    pub path: &'a CStr,
}

/// What may be done. Of several rules for one file each grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Files are read, directories listed.
    ReadOnly,
    /// And written, made, removed, renamed; ioctl(2) on devices.
    ReadWrite,
    /// Files are read and executed, directories listed.
    Execute,
}

/// What becomes of rights that this kernel's Landlock does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// They are left alone.
    Borne,
    /// Nothing is started.
    Refused,
}

/// How far abstract UNIX sockets and signals reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// As far as the namespaces let them.
    Open,
    /// Not out of the domain (version 6).
    Closed,
}

impl Grant {
    /// The key for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::ReadWrite => "read_write",
            Self::Execute => "execute",
        }
    }

    /// The one of that key, or of the end of that flag.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "read_only" | "ro" => Some(Self::ReadOnly),
            "read_write" | "rw" => Some(Self::ReadWrite),
            "execute" | "rx" => Some(Self::Execute),
            _ => None,
        }
    }

    /// The rights, as many as there have ever been.
    pub const fn rights(self) -> u32 {
        match self {
            Self::ReadOnly => READ_FILE | READ_DIR,
            Self::ReadWrite => ALL & !EXECUTE,
            Self::Execute => READ_FILE | READ_DIR | EXECUTE,
        }
    }
}

const ALL: u32 = (IOCTL_DEV << 1) - 1;

/// Rights that are about files; the others are about what is in a directory.
pub const OF_FILES: u32 = EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV;

/// The first version that has all rights to files.
pub const VERSION_OF_RIGHTS: u8 = 5;

/// The first version that has scopes.
pub const VERSION_OF_SCOPES: u8 = 6;

/// The rights that Landlock of this version knows: REFER came with 2, TRUNCATE with 3, IOCTL_DEV with
/// 5.
pub const fn known(version: u8) -> u32 {
    match version {
        0 | 1 => REFER - 1,
        2 => TRUNCATE - 1,
        3 | 4 => IOCTL_DEV - 1,
        VERSION_OF_RIGHTS.. => ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Grant, OF_FILES, known};

    #[test]
    fn every_version_knows_what_those_before_it_know() {
        assert_eq!(known(1), 0x1fff);
        assert_eq!(
            [2, 3, 4, 5, 9].map(known),
            [0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff]
        );
        assert_eq!(OF_FILES & !ALL, 0);
    }

    #[test]
    fn only_what_says_so_can_be_executed_or_written() {
        assert_eq!(Grant::ReadWrite.rights() & Grant::Execute.rights(), 0b1100);
        assert_eq!(Grant::ReadOnly.rights(), 0b1100);
        for name in ["read_only", "read_write", "execute"] {
            assert_eq!(Grant::named(name).map(Grant::name), Some(name));
        }
    }
}
