//! The first instructions: from what the kernel leaves on the stack to a safe function of husk's.
//!
//! husk brings its own start-up code. The C library's makes two system calls for thread-local
//! storage that nobody here uses and keeps four pages busy; what is really needed is to relocate
//! the static-pie.

use super::exec::Words;
use core::ffi::c_char;
use linux_raw_sys::auxvec::{AT_EGID, AT_EUID, AT_GID, AT_NULL, AT_UID};
use rustix::fd::BorrowedFd;

/// An entry of the dynamic section (elf(5)).
#[repr(C)]
pub struct Dynamic {
    tag: usize,
    value: usize,
}

/// An entry of the relocation table (elf(5)).
#[repr(C)]
struct Relocation {
    offset: usize,
    info: usize,
    addend: usize,
}

const DT_NULL: usize = 0;
const DT_RELA: usize = 7;
const DT_RELASZ: usize = 8;
/// Relocations in a bitmap (the generic ABI, 2022).
const DT_RELRSZ: usize = 35;
const DT_RELR: usize = 36;

/// Relocates the program, takes the kernel's two lists from the stack, runs `main` and leaves with
/// its value.
///
/// # Safety
/// Only for the program's entry point: `stack` is the stack pointer at that moment, `dynamic` the
/// program's dynamic section and `base` the address at which it was loaded.
pub unsafe fn start(
    stack: *const usize,
    dynamic: *const Dynamic,
    base: usize,
    main: fn(Words<'static>, Words<'static>, Ids) -> u8,
) -> ! {
    // SAFETY: the caller vouches for both.
    unsafe { relocate(dynamic, base) };
    // SAFETY: the kernel puts argc at the stack pointer (the psABI of both architectures).
    let argc = unsafe { stack.read() };
    let argv = stack.wrapping_add(1).cast::<*const c_char>();
    let envp = argv.wrapping_add(argc).wrapping_add(1);
    // SAFETY: argv follows argc, ends in NULL, and stays for the life of the program.
    let argv = unsafe { Words::from_kernel(argv) };
    // SAFETY: envp follows argv's NULL, and ends in one of its own.
    let envp = unsafe { Words::from_kernel(envp) };
    let auxiliary = stack
        .wrapping_add(argc)
        .wrapping_add(envp.len())
        .wrapping_add(3);
    // SAFETY: the auxiliary vector follows envp's NULL, which follows argv's, which follows argc.
    let ids = unsafe { ids(auxiliary.cast()) };
    super::process::exit(main(argv, envp, ids))
}

/// The ids with which husk was started, as the kernel put them into the auxiliary vector: they need
/// not be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The effective uid: the one that the kernel compares a map with.
    pub uid: u32,
    /// The effective gid.
    pub gid: u32,
    /// Whether husk runs with more rights than whoever started it.
    pub raised: Raised,
}

/// A set-user-ID or set-group-ID husk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// Real and effective ids differ.
    Yes,
    /// They are the same, and so are the saved ones, which execve(2) made.
    No,
}

/// An entry of the auxiliary vector (getauxval(3)).
#[repr(C)]
struct Auxiliary {
    kind: usize,
    value: usize,
}

/// Reads the ids, and compares them. Not AT_SECURE, which security modules set too.
///
/// # Safety
/// `entry` must be the first entry of a vector that ends in AT_NULL.
unsafe fn ids(mut entry: *const Auxiliary) -> Ids {
    let (mut real, mut effective) = ([0; 2], [0; 2]);
    loop {
        // SAFETY: the caller vouches for every entry up to AT_NULL, and that one is not passed.
        let Auxiliary { kind, value } = unsafe { entry.read() };
        match u32::try_from(kind).unwrap_or(AT_NULL) {
            AT_NULL => break,
            AT_UID => real[0] = value,
            AT_EUID => effective[0] = value,
            AT_GID => real[1] = value,
            AT_EGID => effective[1] = value,
            _ => (),
        }
        entry = entry.wrapping_add(1);
    }
    // The kernel has 32 bits of them.
    let [uid, gid] = effective.map(|id| u32::try_from(id).unwrap_or(u32::MAX));
    let raised = match real == effective {
        true => Raised::No,
        false => Raised::Yes,
    };
    Ids { uid, gid, raised }
}

/// Adds the load address to every word that holds an address: the relative relocations, the only
/// kind that a static-pie without thread-local storage has. Until it is done nothing may touch such
/// a word.
///
/// # Safety
/// As for [`start`].
unsafe fn relocate(mut dynamic: *const Dynamic, base: usize) {
    let (mut table, mut table_size, mut map, mut map_size) = (0, 0, 0, 0);
    // A target whose static programs are not position-independent has no dynamic section.
    while !dynamic.is_null() {
        // SAFETY: the section ends in a DT_NULL, and that is not passed.
        let entry = unsafe { &*dynamic };
        match entry.tag {
            DT_NULL => break,
            DT_RELA => table = entry.value,
            DT_RELASZ => table_size = entry.value,
            DT_RELR => map = entry.value,
            DT_RELRSZ => map_size = entry.value,
            _ => (),
        }
        dynamic = dynamic.wrapping_add(1);
    }
    let address = |offset: usize| base.wrapping_add(offset);
    let relocations = address(table) as *const Relocation;
    for number in 0..table_size / size_of::<Relocation>() {
        // SAFETY: the linker wrote DT_RELASZ bytes of relocations there.
        let relocation = unsafe { &*relocations.wrapping_add(number) };
        let place = address(relocation.offset) as *mut usize;
        // SAFETY: the linker says that this word of ours holds an address.
        unsafe { place.write(address(relocation.addend)) };
    }
    let words = address(map) as *const usize;
    let mut place = base as *mut usize;
    for number in 0..map_size / size_of::<usize>() {
        // SAFETY: the linker wrote DT_RELRSZ bytes of words there.
        let word = unsafe { words.wrapping_add(number).read() };
        if word & 1 == 0 {
            place = address(word) as *mut usize;
            // SAFETY: an even word is the offset of a word of ours that holds an address.
            unsafe { rebase(place, base) };
            place = place.wrapping_add(1);
            continue;
        }
        // An odd one says which of the next 63 words do.
        let mut left = word >> 1;
        while left != 0 {
            let next = place.wrapping_add(left.trailing_zeros() as usize);
            // SAFETY: the linker says that this word of ours holds an address.
            unsafe { rebase(next, base) };
            left &= left.wrapping_sub(1);
        }
        place = place.wrapping_add(usize::BITS as usize - 1);
    }
}

/// # Safety
/// `place` must be a word of the program that holds an offset.
unsafe fn rebase(place: *mut usize, base: usize) {
    // SAFETY: the caller vouches for `place`.
    let offset = unsafe { place.read() };
    // SAFETY: likewise.
    unsafe { place.write(offset.wrapping_add(base)) };
}

/// The first bytes of husk's own file, as the kernel has mapped them: the ELF header and what of the
/// program headers fits, which are another build's in few of them.
pub fn own_head() -> &'static [u8] {
    unsafe extern "C" {
        // The linker's name for the start of the program.
        static __ehdr_start: [u8; 256];
    }
    // SAFETY: the first segment begins with the ELF header and goes on for pages; nothing writes to it.
    unsafe { &__ehdr_start }
}

/// Standard error.
pub const fn stderr() -> BorrowedFd<'static> {
    // SAFETY: 2 is not -1. husk never closes its standard streams; where it was started without
    // one, whatever is opened first gets the number, and a message to it is lost or refused.
    unsafe { BorrowedFd::borrow_raw(2) }
}

/// Standard output.
pub const fn stdout() -> BorrowedFd<'static> {
    // SAFETY: as for `stderr`.
    unsafe { BorrowedFd::borrow_raw(1) }
}

/// Standard input.
pub const fn stdin() -> BorrowedFd<'static> {
    // SAFETY: as for `stderr`.
    unsafe { BorrowedFd::borrow_raw(0) }
}

/// Makes `$main` the program: its entry point, and a panic handler.
///
/// With `husk_link_proof` (see build.rs) the handler refers to a symbol that does not exist. The
/// optimizer drops it when nothing can panic, and otherwise the program does not link.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        /// The entry point: calls `begin` with the stack, the dynamic section and the load address.
        ///
        /// # Safety
        /// For the kernel alone.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn husk_start() -> ! {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!(
                ".weak _DYNAMIC",
                ".hidden _DYNAMIC",
                ".hidden __ehdr_start",
                "xor ebp, ebp",
                "mov rdi, rsp",
                "lea rsi, [rip + _DYNAMIC]",
                "lea rdx, [rip + __ehdr_start]",
                "and rsp, -16",
                "call {begin}",
                "ud2",
                begin = sym begin,
            );
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!(
                ".weak _DYNAMIC",
                ".hidden _DYNAMIC",
                ".hidden __ehdr_start",
                "mov x29, xzr",
                "mov x30, xzr",
                "mov x0, sp",
                "adrp x1, _DYNAMIC",
                "add x1, x1, :lo12:_DYNAMIC",
                "adrp x2, __ehdr_start",
                "add x2, x2, :lo12:__ehdr_start",
                "bl {begin}",
                "brk #1",
                begin = sym begin,
            );
        }

        unsafe extern "C" fn begin(
            stack: *const usize,
            dynamic: *const $crate::sys::start::Dynamic,
            base: usize,
        ) -> ! {
            // SAFETY: `husk_start` passes what it was started with.
            unsafe { $crate::sys::start::start(stack, dynamic, base, $main) }
        }

        /// What the unoptimized core refers to. Nothing unwinds.
        #[cfg(debug_assertions)]
        #[unsafe(no_mangle)]
        extern "C" fn rust_eh_personality() {}

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            #[cfg(husk_link_proof)]
            {
                unsafe extern "C" {
                    safe fn a_panicking_path_is_left_in_husk() -> !;
                }
                a_panicking_path_is_left_in_husk()
            }
            #[cfg(not(husk_link_proof))]
            $crate::sys::process::exit(125)
        }
    };
}
