//! x86_64: how a system call is made (syscall(2)) and how a borrowed address space is entered.

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
    unsafe { asm!("mov {}, rsp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
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
    // SAFETY: the registers are those of syscall(2) for x86_64, rcx and r11 are declared as
    // clobbered, memory is assumed to change; the arguments are the caller's duty.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as usize => returned,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    returned
}

/// A system call of i386 without arguments.
///
/// # Safety
/// As for [`syscall_here`].
pub unsafe fn interrupt(number: usize) -> isize {
    let returned;
    // SAFETY: the interrupt keeps all registers but rax and, before 4.4, r8 to r11; what the call does is
    // the caller's duty.
    unsafe {
        asm!(
            "int 0x80",
            inlateout("rax") number => returned,
            lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
        );
    }
    returned
}

/// clone(2) in the argument order of x86_64; the child runs `entry(argument)` on the stack below
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
    // SAFETY: the child continues at the second instruction with the same registers but rax = 0, for
    // a stack of 0 is the caller's; it calls `entry`, which does not return, and so never touches this
    // frame, of which nothing is below rsp (there is no `nostack`). The parent gets the child's pid and
    // all registers but rax, rcx and r11 unchanged.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") __NR_clone as usize => returned,
            in("rdi") flags, in("rsi") 0_usize, in("rdx") 0_usize, in("r10") 0_usize, in("r8") 0_usize,
            in("r12") argument, in("r13") entry,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    returned
}
