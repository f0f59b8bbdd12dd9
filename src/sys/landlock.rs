//! landlock(7): a process gives up rights to files for good, and so does all that comes from it.

use super::arch;
use super::check;
use super::fd::Fd;
use core::mem::ManuallyDrop;
use core::ptr;
use linux_raw_sys::general::{
    __NR_landlock_add_rule, __NR_landlock_create_ruleset, __NR_landlock_restrict_self,
};
use linux_raw_sys::landlock::{
    LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL, landlock_path_beneath_attr,
    landlock_rule_type, landlock_ruleset_attr,
};
use rustix::fd::{AsFd, AsRawFd};
use rustix::io::Errno;

/// LANDLOCK_SCOPE_*: abstract sockets and signals end at the domain's border.
pub const SCOPES: u32 = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;

/// Rules that are being made, and then entered.
///
/// Its descriptor is closed by nobody in particular: by execve(2) in the command, and with all others
/// in PID 1 once that settles down.
pub struct Ruleset(ManuallyDrop<Fd>);

impl Ruleset {
    /// One that forbids everything of `rights` (LANDLOCK_ACCESS_FS_*) that no rule allows, and what
    /// `scopes` say: landlock_create_ruleset(2), since Linux 5.13.
    ///
    /// # Errors
    /// ENOSYS and EOPNOTSUPP without Landlock; E2BIG and EINVAL for what this version does not know.
    pub fn new(rights: u32, scopes: u32) -> Result<Self, Errno> {
        let attributes = landlock_ruleset_attr {
            handled_access_fs: u64::from(rights),
            handled_access_net: 0,
            scoped: u64::from(scopes),
        };
        let pointer: *const landlock_ruleset_attr = ptr::from_ref(&attributes);
        let size = size_of::<landlock_ruleset_attr>();
        // SAFETY: the kernel reads `attributes`, which lives through the call and has this size.
        let returned = unsafe {
            arch::syscall(
                __NR_landlock_create_ruleset,
                [pointer as usize, size, 0, 0, 0, 0],
            )
        };
        let fd = check(returned).and_then(Fd::new)?;
        Ok(Self(ManuallyDrop::new(fd)))
    }

    /// Allows `rights` on `file`, and on all that is below it: landlock_add_rule(2).
    ///
    /// # Errors
    /// EINVAL for rights that it does not forbid, or that are about directories and it is none.
    pub fn allow(&self, file: impl AsFd, rights: u32) -> Result<(), Errno> {
        let rule = landlock_path_beneath_attr {
            allowed_access: u64::from(rights),
            parent_fd: file.as_fd().as_raw_fd(),
        };
        let pointer: *const landlock_path_beneath_attr = ptr::from_ref(&rule);
        let kind = landlock_rule_type::LANDLOCK_RULE_PATH_BENEATH as usize;
        let args = [self.word(), kind, pointer as usize, 0, 0, 0];
        // SAFETY: the kernel reads `rule`, which lives through the call.
        check(unsafe { arch::syscall(__NR_landlock_add_rule, args) }).map(drop)
    }

    /// From now on this process has no other rights: landlock_restrict_self(2).
    ///
    /// # Errors
    /// EPERM without no_new_privs and CAP_SYS_ADMIN; E2BIG in the seventeenth domain.
    pub fn enter(&self) -> Result<(), Errno> {
        let args = [self.word(), 0, 0, 0, 0, 0];
        // SAFETY: no pointer is passed.
        check(unsafe { arch::syscall(__NR_landlock_restrict_self, args) }).map(drop)
    }

    /// The number of its descriptor.
    pub fn number(&self) -> u32 {
        self.0.number()
    }

    fn word(&self) -> usize {
        self.0.number() as usize
    }
}
