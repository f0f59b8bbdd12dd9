//! System calls made to hear what is said to them: for the program that tests run inside of containers.
//! Nothing of it is in husk itself.

use super::arch;
use super::check;
use linux_raw_sys::general as nr;
use linux_raw_sys::ioctl::{TIOCLINUX, TIOCSTI};
use rustix::fd::{AsFd, AsRawFd};
use rustix::io::Errno;

/// Calls that do nothing where all of their arguments are -1: no descriptor, no address, no flag or size
/// that there is.
const IDLE: &[u32] = &[
    nr::__NR_acct,
    nr::__NR_add_key,
    nr::__NR_bpf,
    nr::__NR_clock_adjtime,
    nr::__NR_clock_settime,
    nr::__NR_delete_module,
    nr::__NR_fanotify_init,
    nr::__NR_finit_module,
    nr::__NR_getppid,
    nr::__NR_init_module,
    nr::__NR_io_uring_enter,
    nr::__NR_io_uring_register,
    nr::__NR_io_uring_setup,
    nr::__NR_kexec_file_load,
    nr::__NR_kexec_load,
    nr::__NR_keyctl,
    nr::__NR_lookup_dcookie,
    nr::__NR_mknodat,
    nr::__NR_mount,
    nr::__NR_nfsservctl,
    nr::__NR_open_by_handle_at,
    nr::__NR_perf_event_open,
    nr::__NR_pivot_root,
    nr::__NR_process_vm_readv,
    nr::__NR_ptrace,
    nr::__NR_quotactl,
    nr::__NR_reboot,
    nr::__NR_request_key,
    nr::__NR_seccomp,
    nr::__NR_setns,
    nr::__NR_settimeofday,
    nr::__NR_statx,
    nr::__NR_swapoff,
    nr::__NR_swapon,
    nr::__NR_syslog,
    nr::__NR_umount2,
    nr::__NR_unshare,
    nr::__NR_userfaultfd,
    #[cfg(target_arch = "x86_64")]
    nr::__NR_ioperm,
    #[cfg(target_arch = "x86_64")]
    nr::__NR_iopl,
    #[cfg(target_arch = "x86_64")]
    nr::__NR__sysctl,
];

/// What is said to this call with all arguments -1; `None` where it is not one that is idle then.
pub fn idle(number: u32) -> Option<Result<usize, Errno>> {
    // A number past all that there are is none either.
    if !IDLE.contains(&number) && number < 0x1000 {
        return None;
    }
    // SAFETY: the calls of the list refuse such arguments, and the rest does not exist.
    Some(check(unsafe { arch::syscall(number, [usize::MAX; 6]) }))
}

/// getpid(2) of the ABI of i386, which is another number and another instruction.
#[cfg(target_arch = "x86_64")]
pub fn i386_getpid() -> Result<usize, Errno> {
    const GETPID: usize = 20;
    // SAFETY: the call takes no arguments and changes nothing.
    check(unsafe { arch::interrupt(GETPID) })
}

/// getpid(2) of the ABI of x32: the same number with a bit more.
#[cfg(target_arch = "x86_64")]
pub fn x32_getpid() -> Result<usize, Errno> {
    const X32: u32 = 0x4000_0000;
    // SAFETY: the call takes no arguments and changes nothing.
    check(unsafe { arch::syscall(X32 | nr::__NR_getpid, [0; 6]) })
}

/// personality(2).
pub fn personality(persona: u32) -> Result<usize, Errno> {
    // SAFETY: no pointer is passed; what it changes are mappings to come, and names.
    check(unsafe { arch::syscall(nr::__NR_personality, [persona as usize, 0, 0, 0, 0, 0]) })
}

/// What types or pastes into a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// TIOCSTI (ioctl_tty(2)).
    Sti,
    /// TIOCLINUX (ioctl_console(2)): the selection, with a subcode that does not exist.
    Linux,
}

/// Types `byte` into the terminal, or asks the console something, with `high` as the upper half of the
/// request, which the kernel does not look at.
pub fn type_into(terminal: impl AsFd, what: Typing, byte: u8, high: u32) -> Result<usize, Errno> {
    let request = match what {
        Typing::Sti => TIOCSTI,
        Typing::Linux => TIOCLINUX,
    };
    let fd = usize::try_from(terminal.as_fd().as_raw_fd()).map_err(|_| Errno::BADF)?;
    let request = request as usize | (high as usize) << 32;
    let pointer = &raw const byte;
    // SAFETY: both read one byte of the pointer and write nothing, the second one's being no subcode.
    check(unsafe { arch::syscall(nr::__NR_ioctl, [fd, request, pointer as usize, 0, 0, 0]) })
}
