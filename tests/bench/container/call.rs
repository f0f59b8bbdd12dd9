//! System calls, and the text that they are given.

use core::arch::asm;

pub const WRITE: usize = 1;
pub const CLOSE: usize = 3;
pub const MKDIR: usize = 83;
pub const SYMLINK: usize = 88;
pub const CLONE: usize = 56;
pub const WAIT4: usize = 61;
pub const CHDIR: usize = 80;
pub const GETEUID: usize = 107;
pub const GETEGID: usize = 108;
pub const PIVOT_ROOT: usize = 155;
pub const MOUNT: usize = 165;
pub const UMOUNT2: usize = 166;
pub const EXIT_GROUP: usize = 231;
pub const OPENAT: usize = 257;
pub const READ: usize = 0;
pub const PIPE2: usize = 293;
pub const IOCTL: usize = 16;
pub const SOCKET: usize = 41;

pub const SIGCHLD: usize = 17;
pub const CLONE_VM: usize = 0x100;
pub const CLONE_VFORK: usize = 0x4000;
/// User, mount, PID, UTS and IPC.
pub const NAMESPACES: usize = 0x1000_0000 | 0x2_0000 | 0x2000_0000 | 0x400_0000 | 0x800_0000;
pub const CLONE_NEWNET: usize = 0x4000_0000;

pub const MS_NOSUID: usize = 2;
pub const MS_NODEV: usize = 4;
pub const MS_NOEXEC: usize = 8;
pub const MS_BIND: usize = 4096;
pub const MNT_DETACH: usize = 2;
pub const O_CREAT_WRONLY: usize = 0o100 | 1;
pub const O_WRONLY: usize = 1;
pub const O_CLOEXEC: usize = 0o2_000_000;
pub const AT_FDCWD: usize = (-100_isize).cast_unsigned();

pub unsafe fn call(number: usize, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let returned;
    unsafe {
        asm!("syscall", inlateout("rax") number => returned, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _);
    }
    returned
}

/// Calls, and leaves with 125 where that fails.
pub unsafe fn must(number: usize, args: [usize; 6]) -> usize {
    match unsafe { call(number, args) } {
        failed if failed < 0 => leave(125),
        returned => returned.cast_unsigned(),
    }
}

pub fn leave(status: usize) -> ! {
    loop {
        unsafe { call(EXIT_GROUP, [status, 0, 0, 0, 0, 0]) };
    }
}

/// vfork(2) and execve(2), both sides in registers alone.
pub unsafe fn spawn(path: usize, argv: usize, envp: usize) -> isize {
    let pid;
    unsafe {
        asm!("syscall",
            "test eax, eax",
            "jnz 2f",
            "mov rdi, r12",
            "mov rsi, r13",
            "mov rdx, r14",
            "mov eax, 59",
            "syscall",
            "mov edi, 127",
            "mov eax, 231",
            "syscall",
            "2:",
            inlateout("rax") CLONE => pid,
            inlateout("rdi") CLONE_VM | CLONE_VFORK | SIGCHLD => _,
            inlateout("rsi") 0_usize => _, inlateout("rdx") 0_usize => _, in("r10") 0, in("r8") 0,
            in("r12") path, in("r13") argv, in("r14") envp, lateout("rcx") _, lateout("r11") _);
    }
    pid
}

/// A text that is put together.
pub struct Text {
    bytes: [u8; 256],
    pub length: usize,
}

impl Text {
    pub fn new() -> Self {
        Self {
            bytes: [0; 256],
            length: 0,
        }
    }

    pub fn byte(&mut self, byte: u8) {
        unsafe { self.bytes.as_mut_ptr().add(self.length & 255).write(byte) };
        self.length += 1;
    }

    pub fn put(mut self, text: &str) -> Self {
        text.bytes().for_each(|byte| self.byte(byte));
        self
    }

    /// A text of the kernel's, up to `end`, which need not come.
    pub fn foreign(mut self, mut from: *const u8, end: u8) -> Self {
        loop {
            match unsafe { from.read() } {
                0 => return self,
                byte if byte == end => return self,
                byte => self.byte(byte),
            }
            from = from.wrapping_add(1);
        }
    }

    pub fn number(mut self, number: usize) -> Self {
        let mut divisor = 1;
        while divisor <= number / 10 {
            divisor *= 10;
        }
        while divisor > 0 {
            self.byte(b'0' + (number / divisor % 10) as u8);
            divisor /= 10;
        }
        self
    }

    pub fn at(&self) -> usize {
        self.bytes.as_ptr() as usize
    }
}
