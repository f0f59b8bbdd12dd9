//! A process about itself: its group, its session, its end.

use super::arch;
use super::check;
use crate::plan::namespace::NamespaceSet;
use linux_raw_sys::general::{
    __NR_exit_group, __NR_getpgid, __NR_getsid, __NR_keyctl, __NR_prctl, __NR_unshare,
};
use linux_raw_sys::prctl::PR_SET_PDEATHSIG;
use rustix::io::Errno;
use rustix::process::Pid;

/// exit_group(2).
pub fn exit(status: u8) -> ! {
    loop {
        // SAFETY: no pointer is passed; the call does not return, and were it refused (a seccomp
        // filter that answers for it), it is simply made again.
        unsafe { arch::syscall(__NR_exit_group, [usize::from(status), 0, 0, 0, 0, 0]) };
    }
}

/// Asks for `signal`, 1 to 64, when the parent dies: PR_SET_PDEATHSIG of prctl(2).
pub fn set_parent_death_signal(signal: i32) -> Result<(), Errno> {
    let args = [
        PR_SET_PDEATHSIG as usize,
        usize::try_from(signal).unwrap_or(0),
        0,
        0,
        0,
        0,
    ];
    // SAFETY: no pointer is passed.
    check(unsafe { arch::syscall(__NR_prctl, args) }).map(drop)
}

/// unshare(2): this process leaves these namespaces for new ones.
///
/// # Errors
/// EINVAL for a kind that the kernel lacks; ENOSPC, EPERM.
pub fn unshare(namespaces: NamespaceSet) -> Result<(), Errno> {
    let flags = namespaces.flags() as usize;
    // SAFETY: no pointer is passed, and there is one thread.
    check(unsafe { arch::syscall(__NR_unshare, [flags, 0, 0, 0, 0, 0]) }).map(drop)
}

/// KEYCTL_JOIN_SESSION_KEYRING (keyctl(2)).
const JOIN_SESSION_KEYRING: usize = 1;

/// Gives this process, and all that it starts, a session keyring without a name and with nothing in it:
/// KEYCTL_JOIN_SESSION_KEYRING of keyctl(2).
///
/// # Errors
/// EDQUOT where the user has as many keys as it may (keyrings(7)); ENOSYS where the kernel has none, and
/// what a seccomp filter says, which is then said to every program inside as well.
pub fn join_new_session_keyring() -> Result<(), Errno> {
    // SAFETY: the name is a null pointer, which stands for none.
    check(unsafe { arch::syscall(__NR_keyctl, [JOIN_SESSION_KEYRING, 0, 0, 0, 0, 0]) }).map(drop)
}

/// husk's process group. `None` where it is outside of husk's PID namespace, and so without a
/// number: rustix has no word for that.
pub fn own_group() -> Option<Pid> {
    own(__NR_getpgid)
}

/// husk's session; `None` likewise.
pub fn own_session() -> Option<Pid> {
    own(__NR_getsid)
}

fn own(number: u32) -> Option<Pid> {
    // SAFETY: no pointer is passed.
    let returned = check(unsafe { arch::syscall(number, [0; 6]) });
    Pid::from_raw(i32::try_from(returned.ok()?).ok()?)
}

/// The process group of `pid`.
pub fn group_of(pid: Pid) -> Option<Pid> {
    let pid = pid.as_raw_nonzero().get().cast_unsigned() as usize;
    // SAFETY: no pointer is passed.
    let returned = check(unsafe { arch::syscall(__NR_getpgid, [pid, 0, 0, 0, 0, 0]) });
    Pid::from_raw(i32::try_from(returned.ok()?).ok()?)
}
