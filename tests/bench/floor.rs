//! The floor: the least program that starts a command, reaps, and leaves with the command's status.
//!
//! What it costs is the kernel's part, so the cost of every init is told as a ratio to it. It has no
//! start-up code, no stack frame and no data; measure.rs has rustc build it.
//!
//! - `floor` leaves with 0: a true(1) that is static.
//! - `floor init COMMAND [ARG...]` is the init, by vfork(2); COMMAND is a path.
//! - `floor fork COMMAND [ARG...]` is the same by fork(2).
//! - `floor orphans N` says `r`, waits for a byte, leaves N orphans to whoever reaps here, one after
//!   the other, says `d`, and stays until its input ends.

#![no_std]
#![no_main]

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the floor is written for x86_64");

// As a whole in assembly: a child of vfork(2) runs on in its parent's frame, of which no compiler
// knows. ebx is argc, r12 points to argv[1] and ebp holds what a mode must remember; the kernel
// spoils rax, rcx and r11. Below the stack pointer there is room that no signal handler uses.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "mov rbx, [rsp]",
    "lea r12, [rsp + 16]",
    "cmp ebx, 3",
    "jb .Lleave_well",
    "mov rax, [r12]",
    "cmp byte ptr [rax], 'o'",
    "je .Lorphans",
    // The init. The command's argv is what is left of ours, and envp follows argv's NULL.
    "cmp byte ptr [rax], 'f'",
    "mov eax, 58", // vfork
    "jne .Lspawn",
    "dec eax", // fork
    ".Lspawn:",
    "syscall",
    "test eax, eax",
    "jnz .Lparent",
    "lea rsi, [r12 + 8]",
    "mov rdi, [rsi]",
    "lea rdx, [r12 + 8 * rbx]",
    "mov eax, 59", // execve
    "syscall",
    "mov edi, 127",
    "jmp .Lleave",
    ".Lparent:",
    "mov ebp, eax",
    ".Lreap:",
    "mov edi, -1",
    "call .Lwait",
    "cmp eax, ebp",
    "jne .Lreap",
    "movzx edi, byte ptr [rsp - 15]", // WEXITSTATUS of what .Lwait was told
    "jmp .Lleave",
    ".Lleave_well:",
    "xor edi, edi",
    ".Lleave:",
    "mov eax, 231", // exit_group
    "syscall",
    // wait4 for edi, its status 16 below the caller's stack pointer.
    ".Lwait:",
    "lea rsi, [rsp - 8]",
    "xor edx, edx",
    "xor r10d, r10d",
    "mov eax, 61",
    "syscall",
    "ret",
    // The maker of orphans. How many:
    ".Lorphans:",
    "mov rsi, [r12 + 8]",
    "xor ebp, ebp",
    ".Ldigit:",
    "movzx eax, byte ptr [rsi]",
    "inc rsi",
    "sub eax, '0'",
    "jb .Lready",
    "imul ebp, ebp, 10",
    "add ebp, eax",
    "jmp .Ldigit",
    ".Lready:",
    "mov al, 'r'",
    "call .Lsay",
    "call .Lhear",
    // A child that has one as well, and does not wait for it.
    ".Lorphan:",
    "mov eax, 57", // fork
    "syscall",
    "mov edi, eax",
    "test eax, eax",
    "jnz .Lmiddle",
    "mov eax, 57",
    "syscall",
    "jmp .Lleave_well",
    ".Lmiddle:",
    "call .Lwait",
    "dec ebp",
    "jnz .Lorphan",
    "mov al, 'd'",
    "call .Lsay",
    "call .Lhear",
    "jmp .Lleave_well",
    // write(2) of the byte al, and read(2) of a byte that comes or of the end.
    ".Lsay:",
    "mov byte ptr [rsp - 8], al",
    "mov edi, 1",
    "jmp .Lbyte",
    ".Lhear:",
    "xor edi, edi",
    ".Lbyte:",
    "mov eax, edi", // read is 0 and write is 1, as the descriptors are
    "lea rsi, [rsp - 8]",
    "mov edx, 1",
    "syscall",
    "ret",
);

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
