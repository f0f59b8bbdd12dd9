//! seccomp(2): a filter of system calls, in the language of classic BPF.

use super::arch;
use super::check;
use core::ptr;
#[cfg(target_arch = "x86_64")]
use linux_raw_sys::general::{__NR_chown, __NR_lchown};
use linux_raw_sys::general::{__NR_fchown, __NR_fchownat, __NR_prctl, __NR_seccomp};
use linux_raw_sys::prctl::PR_SET_SECCOMP;
use rustix::io::Errno;

/// One instruction: struct sock_filter (linux/filter.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// The operation (linux/bpf_common.h).
    pub code: u16,
    /// How many instructions are skipped where a comparison holds.
    pub if_true: u8,
    /// And where it does not.
    pub if_false: u8,
    /// The operand.
    pub value: u32,
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
/// Ends the process by SIGSYS (4.14; before, the thread).
pub const KILL: u32 = 0x8000_0000;

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

    /// One as it lies in memory, and in a file.
    pub const fn from_bytes([c, d, t, f, bytes @ ..]: [u8; 8]) -> Self {
        let value = u32::from_ne_bytes(bytes);
        Self::new(u16::from_ne_bytes([c, d]), t, f, value)
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

/// Where the second operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The instruction.
    Value,
    /// The other register.
    Register,
}

/// What an instruction does, as far as it matters to whether it may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Loads a word of struct seccomp_data.
    LoadData,
    /// Loads a cell.
    LoadCell,
    /// Fills a cell.
    Store,
    /// Jumps.
    Jump,
    /// Compares and jumps.
    Compare,
    /// Ends with a verdict.
    Return,
    /// Divides.
    Divide(Source),
    /// Shifts.
    Shift(Source),
    /// Something else that is always allowed.
    Other,
}

/// What an instruction is; `None` for one that no filter of system calls may have (seccomp_check_filter in
/// the kernel's kernel/seccomp.c).
pub const fn decode(instruction: &Instruction) -> Option<Code> {
    // A class in three bits; then the size and the mode of a load, or an operation and its source.
    let code = instruction.code;
    let source = match code & 0x08 {
        0 => Source::Value,
        _ => Source::Register,
    };
    Some(match code {
        BPF_LD_W_ABS => Code::LoadData,
        // BPF_LD and BPF_LDX of a cell; of a value and of the length.
        BPF_LD_MEM | 0x61 => Code::LoadCell,
        0x00 | 0x01 | 0x80 | 0x81 => Code::Other,
        BPF_ST | 0x03 => Code::Store,
        BPF_JA => Code::Jump,
        // BPF_JEQ, BPF_JGT, BPF_JGE and BPF_JSET of either source.
        BPF_JEQ | 0x1d | 0x25 | 0x2d | BPF_JGE | 0x3d | BPF_JSET | 0x4d => Code::Compare,
        // Of a value and of the accumulator.
        BPF_RET | 0x16 => Code::Return,
        // BPF_ADD, BPF_SUB and BPF_MUL; BPF_OR, BPF_AND and BPF_XOR; BPF_NEG.
        0x04 | 0x0c | 0x14 | 0x1c | 0x24 | 0x2c => Code::Other,
        0x44 | 0x4c | 0x54 | 0x5c | 0xa4 | 0xac | 0x84 => Code::Other,
        0x34 | 0x3c => Code::Divide(source),
        // BPF_LSH and BPF_RSH.
        0x64 | 0x6c | 0x74 | 0x7c => Code::Shift(source),
        // BPF_TAX and BPF_TXA.
        0x07 | 0x87 => Code::Other,
        _ => return None,
    })
}

/// SECCOMP_SET_MODE_FILTER of seccomp(2).
const SET_MODE_FILTER: usize = 1;
/// SECCOMP_FILTER_FLAG_SPEC_ALLOW (4.17).
const SPEC_ALLOW: usize = 1 << 2;

/// Installs `program` for this process and all that come from it.
///
/// From 4.17 to 5.15 a filter also switched protection against speculation on (Spectre 4, and between
/// processes), which is meant for programs that run other people's code in their own memory and costs all
/// others time; since 5.16 it does not. Here the border is between processes, whose memory is apart, and a
/// program shall not be slower inside than outside: it is left as it is. Who wants it asks for it by
/// PR_SET_SPECULATION_CTRL of prctl(2).
///
/// Where seccomp(2) is not there (before 3.17), or does not know that flag, or is refused by somebody else's
/// filter, PR_SET_SECCOMP of prctl(2) does it, which Linux has had since 3.5.
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
    let args = [SET_MODE_FILTER, SPEC_ALLOW, pointer as usize, 0, 0, 0];
    // SAFETY: the program and its header live through the call, which copies them.
    match check(unsafe { arch::syscall(__NR_seccomp, args) }) {
        Err(Errno::NOSYS | Errno::INVAL | Errno::PERM) => (),
        done => return done.map(drop),
    }
    let args = [
        PR_SET_SECCOMP as usize,
        SECCOMP_MODE_FILTER as usize,
        pointer as usize,
        0,
        0,
        0,
    ];
    // SAFETY: as above.
    check(unsafe { arch::syscall(__NR_prctl, args) }).map(drop)
}
