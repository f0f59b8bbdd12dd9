//! aarch64: how a system call is made (syscall(2)) and how a borrowed address space is entered.

use core::arch::asm;
use core::ffi::c_void;
use linux_raw_sys::general::__NR_clone;

/// One system call.
///
/// # Safety
/// As for [`syscall_here`].
pub unsafe fn syscall(number: u32, args: [usize; 6]) -> isize {
    // SAFETY: the caller's duty.
    unsafe { syscall_here(number, args) }
}

/// The stack pointer.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: it is only read.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// One system call, made right where it is written.
///
/// # Safety
/// The arguments must be what this call demands; in particular pointers must be valid for what the
/// kernel does with them.
#[inline(always)]
pub unsafe fn syscall_here(number: u32, args: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = args;
    let returned;
    // SAFETY: the registers are those of syscall(2) for aarch64, memory is assumed to change; the
    // arguments are the caller's duty.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number as usize,
            inlateout("x0") a => returned,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    returned
}

/// clone(2) in the argument order of aarch64; the child runs `entry(argument)` on the stack below
/// this frame.
///
/// # Safety
/// `flags` must contain CLONE_VM and CLONE_VFORK, so that this frame waits until the child is gone.
pub unsafe fn clone_below(
    flags: usize,
    entry: extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> isize {
    let returned;
    // SAFETY: the child continues at the second instruction with the same registers but x0 = 0, for a
    // stack of 0 is the caller's; it calls `entry`, which does not return, and so never touches this
    // frame, of which nothing is below sp. The parent gets the child's pid and all other registers
    // unchanged.
    unsafe {
        asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x9",
            "blr x10",
            "brk #1",
            "2:",
            in("x8") __NR_clone as usize,
            inlateout("x0") flags => returned,
            in("x1") 0_usize, in("x2") 0_usize, in("x3") 0_usize, in("x4") 0_usize,
            in("x9") argument, in("x10") entry, lateout("x30") _,
        );
    }
    returned
}
