//! Memory while nothing happens.
//!
//! An init waits for days. What it has of the program is then of no use to anybody, and so it is
//! given back: the kernel keeps the file in its cache, and puts the pages into place again as soon
//! as something happens. What is left is the page that waits.

use super::arch;
use super::child::Reaper;
use core::ptr;
use linux_raw_sys::general::{
    __NR_madvise, __NR_rt_sigtimedwait, __NR_wait4, MADV_DONTNEED, MADV_RANDOM, SIGCHLD, WNOHANG,
    WUNTRACED,
};

/// The beginning of the program's first segment, which is its ELF header (elf(5)).
#[repr(C)]
struct Header {
    rest: [u64; 4],
    table_offset: u64,
}

/// An entry of the program header table.
#[repr(C)]
struct Segment {
    kind_and_flags: u64,
    offset: u64,
    address: u64,
    physical: u64,
    file_bytes: usize,
}

unsafe extern "C" {
    /// Where the linker says that the program begins.
    safe static __ehdr_start: Header;
}

/// p_type PT_LOAD and, in the upper half, p_flags PF_R.
const LOAD_READ: u64 = 4 << 32 | 1;
/// The same with PF_X.
const LOAD_READ_EXECUTE: u64 = 5 << 32 | 1;

const PAGE: usize = 4096;
/// Bytes below the stack pointer that may be in use (the psABI of x86_64; none on aarch64).
const RED_ZONE: usize = 128;
/// Bytes of stack that husk may have used before: more than the deepest call chain has.
const STACK: usize = 256 * 1024;

/// How many children are reaped before signals are looked at.
const BATCH: usize = 1024;

/// rt_sigtimedwait(2) with these arguments, and with as little memory as it takes. With a reaper it
/// reaps at SIGCHLD, and returns only when that is of interest.
///
/// In a section of its own, which the linker puts into the program's first page. That page is made a
/// mapping of its own (MADV_RANDOM does that), so that the kernel, when it brings the page back, does
/// not bring its neighbours along. It must call nothing after the memory is gone; what it is given is on
/// the stack above.
///
/// # Safety
/// As for rt_sigtimedwait(2): the pointers among the arguments must be valid for it.
#[inline(never)]
#[unsafe(link_section = ".text.idle")]
pub unsafe fn wait(args: [usize; 6], mut reaper: Option<&mut Reaper>) -> isize {
    let start = &raw const __ehdr_start as usize;
    let length = text_bytes();
    let this_page = (wait as *const () as usize) & !(PAGE - 1);
    let unused = arch::stack_pointer().wrapping_sub(RED_ZONE) & !(PAGE - 1);
    // SAFETY: advice that only says how the page will be read.
    unsafe { advise(this_page, PAGE, MADV_RANDOM) };
    // SAFETY: the stack below this frame, which by the ABI is nobody's; and below the stack nothing,
    // for the kernel keeps a gap of 1 MiB there (stack_guard_gap).
    unsafe { advise(unused.wrapping_sub(STACK), STACK, MADV_DONTNEED) };
    // SAFETY: code and constants, which are never written: they come back from the file as they
    // were.
    unsafe { advise(start, length, MADV_DONTNEED) };
    loop {
        // SAFETY: the caller vouches for the arguments.
        let returned = unsafe { arch::syscall_here(__NR_rt_sigtimedwait, args) };
        match &mut reaper {
            Some(reaper) if returned == SIGCHLD as isize => {
                if reap(reaper) == Left::More {
                    return returned;
                }
            }
            _ => return returned,
        }
    }
}

/// What is left to do.
#[derive(PartialEq, Eq)]
enum Left {
    Nothing,
    /// The child that is asked about, perhaps others, or the news that there is none.
    More,
}

/// Reaps every child that has ended, but for the one that is asked about.
#[inline(always)]
fn reap(reaper: &mut Reaper) -> Left {
    let status: *mut i32 = &raw mut reaper.status;
    let options = (WNOHANG | WUNTRACED) as usize;
    let any = usize::MAX;
    let args = [
        any,
        status as usize,
        options,
        ptr::null::<()>() as usize,
        0,
        0,
    ];
    let mut reaped = 0_usize;
    while reaped < BATCH {
        // SAFETY: the kernel writes the status, an int, into its place, and nothing through NULL.
        let returned = unsafe { arch::syscall_here(__NR_wait4, args) };
        if returned == 0 {
            return Left::Nothing;
        }
        if returned == reaper.asked as isize {
            reaper.pid = reaper.asked;
            return Left::More;
        }
        if returned < 0 {
            return Left::More;
        }
        reaped = reaped.wrapping_add(1);
    }
    Left::More
}

/// madvise(2). Where it is refused, nothing is saved.
///
/// # Safety
/// With MADV_DONTNEED, what was written there must be of no use to anybody.
#[inline(always)]
unsafe fn advise(from: usize, length: usize, advice: u32) {
    let args = [from, length, advice as usize, 0, 0, 0];
    // SAFETY: the caller vouches for the range.
    unsafe { arch::syscall_here(__NR_madvise, args) };
}

/// Bytes of the segment that begins with the ELF header: 0 unless it is one that cannot be written.
#[inline(always)]
fn text_bytes() -> usize {
    let header = &raw const __ehdr_start;
    // SAFETY: the linker says that the header is there; it is mapped, and nobody writes to it.
    let offset = unsafe { (*header).table_offset };
    let Ok(offset) = usize::try_from(offset) else {
        return 0;
    };
    let segment = header.cast::<u8>().wrapping_add(offset).cast::<Segment>();
    // SAFETY: the table follows the header in the same page, and has an entry for that page.
    let segment = unsafe { segment.read_unaligned() };
    match segment.kind_and_flags {
        LOAD_READ | LOAD_READ_EXECUTE => segment.file_bytes,
        _ => 0,
    }
}
