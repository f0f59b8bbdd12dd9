//! seccomp(2): a filter of system calls, in the language of classic BPF.

use super::arch;
use super::check;
use core::ptr;
#[cfg(target_arch = "x86_64")]
use linux_raw_sys::general::{__NR_chown, __NR_lchown};
use linux_raw_sys::general::{__NR_fchown, __NR_fchownat, __NR_prctl};
use linux_raw_sys::prctl::PR_SET_SECCOMP;
use rustix::io::Errno;

/// One instruction: struct sock_filter (linux/filter.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    value: u32,
}

/// struct sock_fprog.
#[repr(C)]
struct Program {
    length: u16,
    first: *const Instruction,
}

/// Filters, not strict mode.
const SECCOMP_MODE_FILTER: u32 = 2;

const BPF_LD_W_ABS: u16 = 0x20;
const BPF_LD_MEM: u16 = 0x60;
const BPF_ST: u16 = 0x02;
const BPF_JA: u16 = 0x05;
const BPF_JEQ: u16 = 0x15;
const BPF_JGE: u16 = 0x35;
const BPF_JSET: u16 = 0x45;
const BPF_RET: u16 = 0x06;

/// Where struct seccomp_data has the number of the call, the ABI, and the first argument.
const NUMBER: u32 = 0;
const ABI: u32 = 4;
const ARGUMENTS: u32 = 16;

/// Lets the call be made.
pub const ALLOW: u32 = 0x7fff_0000;
/// Returns an errno, 0 for success, instead of making the call.
pub const ERRNO: u32 = 0x0005_0000;

/// The native ABI (AUDIT_ARCH_*).
#[cfg(target_arch = "x86_64")]
pub const NATIVE: u32 = 0xc000_003e;
/// The native ABI (AUDIT_ARCH_*).
#[cfg(target_arch = "aarch64")]
pub const NATIVE: u32 = 0xc000_00b7;

/// The calls that change owners, and which argument is the uid; the gid is the next.
#[cfg(target_arch = "x86_64")]
pub const CHOWNS: [(u32, u32); 4] = [
    (__NR_chown, 1),
    (__NR_fchown, 1),
    (__NR_lchown, 1),
    (__NR_fchownat, 2),
];
/// The calls that change owners, and which argument is the uid; the gid is the next.
#[cfg(target_arch = "aarch64")]
pub const CHOWNS: [(u32, u32); 2] = [(__NR_fchown, 1), (__NR_fchownat, 2)];

impl Instruction {
    const fn new(code: u16, if_true: u8, if_false: u8, value: u32) -> Self {
        Self {
            code,
            if_true,
            if_false,
            value,
        }
    }

    /// Loads the number of the call.
    pub const fn load_number() -> Self {
        Self::new(BPF_LD_W_ABS, 0, 0, NUMBER)
    }

    /// Loads the ABI.
    pub const fn load_abi() -> Self {
        Self::new(BPF_LD_W_ABS, 0, 0, ABI)
    }

    /// Loads the lower half of an argument, from 0: both architectures are little-endian.
    pub const fn load_argument(number: u32) -> Self {
        Self::new(
            BPF_LD_W_ABS,
            0,
            0,
            ARGUMENTS.saturating_add(number.saturating_mul(8)),
        )
    }

    /// Keeps what was loaded in cell 0 to 15.
    pub const fn store(cell: u32) -> Self {
        Self::new(BPF_ST, 0, 0, cell)
    }

    /// Loads a cell.
    pub const fn load(cell: u32) -> Self {
        Self::new(BPF_LD_MEM, 0, 0, cell)
    }

    /// Skips so many.
    pub const fn skip(count: u32) -> Self {
        Self::new(BPF_JA, 0, 0, count)
    }

    /// Skips so many, whether what was loaded is `value` or not.
    pub const fn equal(value: u32, then: u8, otherwise: u8) -> Self {
        Self::new(BPF_JEQ, then, otherwise, value)
    }

    /// The same for `value` and all above.
    pub const fn at_least(value: u32, then: u8, otherwise: u8) -> Self {
        Self::new(BPF_JGE, then, otherwise, value)
    }

    /// The same for what has any of the bits of `mask`.
    pub const fn any_bit(mask: u32, then: u8, otherwise: u8) -> Self {
        Self::new(BPF_JSET, then, otherwise, mask)
    }

    /// Ends with a verdict.
    pub const fn verdict(verdict: u32) -> Self {
        Self::new(BPF_RET, 0, 0, verdict)
    }
}

/// Installs `program` for this process and all that come from it: PR_SET_SECCOMP of prctl(2), which
/// Linux has had since 3.5.
///
/// # Errors
/// EACCES without no_new_privs and CAP_SYS_ADMIN; EINVAL where the kernel has no filters, or for a
/// program that it does not take; ENOMEM for more than 4096 instructions.
pub fn install(program: &[Instruction]) -> Result<(), Errno> {
    let program = Program {
        length: u16::try_from(program.len()).map_err(|_| Errno::NOMEM)?,
        first: program.as_ptr(),
    };
    let pointer: *const Program = ptr::from_ref(&program);
    let args = [
        PR_SET_SECCOMP as usize,
        SECCOMP_MODE_FILTER as usize,
        pointer as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the program and its header live through the call, which copies them.
    check(unsafe { arch::syscall(__NR_prctl, args) }).map(drop)
}
