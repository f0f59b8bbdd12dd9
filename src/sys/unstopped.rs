//! A process that no terminal can stop.
//!
//! Who is stopped while its parent waits in vfork(2) takes the parent along, beyond the reach of every
//! signal. So between the moment in which the command's process gets its signal mask and its execve(2),
//! which gives handled signals back their default, the three signals of job control are handled, by
//! doing nothing.

use super::arch;
use super::check;
use super::signal::{Action, SET_BYTES};
use linux_raw_sys::general::{__NR_rt_sigaction, SIGTSTP, SIGTTIN, SIGTTOU};

extern "C" fn do_nothing(_: i32) {}

/// SA_RESTART.
const RESTART: usize = 0x1000_0000;

/// rt_sigreturn(2), which the kernel wants to be told of on x86_64 (SA_RESTORER).
///
/// # Safety
/// For the kernel alone, which returns to it from a handler.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn return_from_handler() {
    core::arch::naked_asm!("mov eax, 15", "syscall")
}

#[cfg(target_arch = "x86_64")]
fn action() -> Action {
    const RESTORER: usize = 0x0400_0000;
    let restorer = return_from_handler as *const () as usize;
    Action([
        do_nothing as *const () as usize,
        RESTART | RESTORER,
        restorer,
        0,
    ])
}

#[cfg(target_arch = "aarch64")]
fn action() -> Action {
    Action([do_nothing as *const () as usize, RESTART, 0, 0])
}

/// From here to execve(2) SIGTSTP, SIGTTIN and SIGTTOU stop this process no more; where they are
/// ignored, they stay so.
pub fn become_unstoppable() {
    for signal in [SIGTSTP, SIGTTIN, SIGTTOU] {
        let mut old = Action([0; 4]);
        let place: *mut Action = &raw mut old;
        let args = [signal as usize, 0, place as usize, SET_BYTES, 0, 0];
        // SAFETY: `Action` is as long as the kernel's struct or longer; the kernel writes to it.
        let asked = check(unsafe { arch::syscall(__NR_rt_sigaction, args) });
        let Action([handler, ..]) = old;
        if asked.is_err() || handler != 0 {
            continue;
        }
        let action = action();
        let pointer: *const Action = &raw const action;
        let args = [signal as usize, pointer as usize, 0, SET_BYTES, 0, 0];
        // SAFETY: `Action` is as above; the handler does nothing, and returns by the restorer.
        let _ = check(unsafe { arch::syscall(__NR_rt_sigaction, args) });
    }
}
