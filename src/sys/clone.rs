//! The two births: a copy of husk in new namespaces, and the command on a borrowed address space.

use super::arch;
use super::check;
use crate::plan::namespace::NamespaceSet;
use core::ffi::c_void;
use linux_raw_sys::general::{__NR_clone, __NR_clone3, CLONE_VFORK, CLONE_VM, SIGCHLD, clone_args};
use rustix::io::Errno;
use rustix::process::Pid;

/// Which of the two processes goes on here.
pub enum Process {
    /// The one that called; the child's pid in its own PID namespace.
    Parent(Pid),
    /// The new one.
    Child,
}

/// clone(2) without CLONE_VM: a copy of this process in new `namespaces`, all of them at once.
///
/// A time namespace can only be had from clone3(2) (5.6), whose ENOSYS then is the answer.
///
/// # Errors
/// EPERM, EINVAL, ENOSPC, EUSERS, EACCES, EAGAIN, ENOMEM, ENOSYS: see clone(2) and namespaces(7).
pub fn into_namespaces(namespaces: NamespaceSet) -> Result<Process, Errno> {
    let flags = namespaces.flags();
    let returned = if namespaces.contains(NamespaceSet::TIME) {
        let args = clone_args {
            flags: u64::from(flags),
            pidfd: 0,
            child_tid: 0,
            parent_tid: 0,
            exit_signal: u64::from(SIGCHLD),
            stack: 0,
            stack_size: 0,
            tls: 0,
            set_tid: 0,
            set_tid_size: 0,
            cgroup: 0,
        };
        let pointer: *const clone_args = &raw const args;
        // SAFETY: `args` lives through the call and its size is given; no stack is asked for and
        // CLONE_VM is not set, so both sides return here, each in its own memory.
        unsafe {
            arch::syscall(
                __NR_clone3,
                [pointer as usize, size_of::<clone_args>(), 0, 0, 0, 0],
            )
        }
    } else {
        // SAFETY: no pointer is passed; without CLONE_VM and with stack 0 both sides return here,
        // each in its own memory.
        unsafe { arch::syscall(__NR_clone, [(flags | SIGCHLD) as usize, 0, 0, 0, 0, 0]) }
    };
    let pid = i32::try_from(check(returned)?).unwrap_or(0);
    Ok(Pid::from_raw(pid).map_or(Process::Child, Process::Parent))
}

struct Borrowed<'a, T> {
    run: fn(&mut T) -> u8,
    state: &'a mut T,
}

extern "C" fn begin<T>(argument: *mut c_void) -> ! {
    // SAFETY: `argument` is the `Borrowed<T>` in `borrowing`'s frame, which waits in clone(2)
    // (CLONE_VFORK) for as long as this process uses the address space.
    let borrowed = unsafe { &mut *argument.cast::<Borrowed<'_, T>>() };
    let status = (borrowed.run)(borrowed.state);
    super::process::exit(status)
}

/// clone(2) with CLONE_VM and CLONE_VFORK, as vfork(2): runs `run(state)` in a new process that
/// shares this one's memory, and returns when that has called execve(2) or is gone. Until then it
/// runs on the rest of the stack, which nobody else needs meanwhile.
///
/// `run` leaves in `state` what the parent should know: an errno comes home without a pipe. When
/// `run` returns, the process ends with its value. It must not change memory other than `state`.
///
/// # Errors
/// EAGAIN and ENOMEM: see fork(2).
pub fn borrowing<T>(run: fn(&mut T) -> u8, state: &mut T) -> Result<Pid, Errno> {
    let mut borrowed = Borrowed { run, state };
    let flags = (CLONE_VM | CLONE_VFORK | SIGCHLD) as usize;
    let argument: *mut Borrowed<'_, T> = &raw mut borrowed;
    // SAFETY: CLONE_VM and CLONE_VFORK are set; `borrowed` outlives the call, which returns only when
    // the child has its own memory or is gone.
    let returned = unsafe { arch::clone_below(flags, begin::<T>, argument.cast()) };
    let pid = i32::try_from(check(returned)?).unwrap_or(0);
    Pid::from_raw(pid).ok_or(Errno::SRCH)
}
