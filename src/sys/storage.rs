//! Static memory that is handed out once.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value in .bss or .data that one owner may take for the life of the program.
///
/// In this order: the value may be as large as it likes, and its first page alone is touched for a
/// short list in it.
#[repr(C)]
pub struct Storage<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through `take` alone, which gives it to one caller only; `T: Send`
// lets that caller be any thread.
unsafe impl<T: Send> Sync for Storage<T> {}

impl<T> Storage<T> {
    /// Storage that holds `value`.
    pub const fn new(value: T) -> Self {
        Self {
            value: UnsafeCell::new(value),
            taken: AtomicBool::new(false),
        }
    }

    /// The value, to the first who asks.
    #[expect(
        clippy::mut_from_ref,
        reason = "it is given away once, which `taken` sees to"
    )]
    pub fn take(&'static self) -> Option<&'static mut T> {
        if self.taken.swap(true, Ordering::Relaxed) {
            return None;
        }
        // SAFETY: `taken` was false, so this is the first call, and there is no other way to the
        // value.
        Some(unsafe { &mut *self.value.get() })
    }
}
