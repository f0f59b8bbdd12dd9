//! From the C start-up code, which relocates the static-pie, to a safe function of husk's.

use super::exec::Words;
use core::ffi::{c_char, c_int};
use rustix::fd::BorrowedFd;

/// Turns what the C start-up code passes to `main` into two lists and runs `main`.
///
/// # Safety
/// `argv` and `envp` must be what the kernel laid out for this program: NULL-terminated, and
/// changed by nobody.
pub unsafe fn start(
    argv: *const *const c_char,
    envp: *const *const c_char,
    main: fn(Words<'static>, Words<'static>) -> u8,
) -> c_int {
    // SAFETY: the caller vouches for `argv`.
    let argv = unsafe { Words::from_kernel(argv) };
    // SAFETY: the caller vouches for `envp`.
    let envp = unsafe { Words::from_kernel(envp) };
    // Past exit(3) of the C library: husk has nothing registered there.
    super::process::exit(main(argv, envp))
}

/// Standard error.
pub const fn stderr() -> BorrowedFd<'static> {
    // SAFETY: 2 is not -1. husk never closes its standard streams; where it was started without one,
    // whatever is opened first gets the number, and a message to it is lost or refused.
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

/// Makes `$main` the program: `main` for the C start-up code, and a panic handler.
///
/// In a release build the handler refers to a symbol that does not exist. The optimizer drops it when
/// nothing can panic, and otherwise the program does not link.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // SAFETY: the C start-up code calls `main` once, with the kernel's argv and envp.
        #[unsafe(no_mangle)]
        extern "C" fn main(
            _argc: core::ffi::c_int,
            argv: *const *const core::ffi::c_char,
            envp: *const *const core::ffi::c_char,
        ) -> core::ffi::c_int {
            // SAFETY: see above.
            unsafe { $crate::sys::start::start(argv, envp, $main) }
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            #[cfg(not(debug_assertions))]
            {
                unsafe extern "C" {
                    safe fn a_panicking_path_is_left_in_husk() -> !;
                }
                a_panicking_path_is_left_in_husk()
            }
            #[cfg(debug_assertions)]
            $crate::sys::process::exit(125)
        }
    };
}
