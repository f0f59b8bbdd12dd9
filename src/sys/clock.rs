//! Time that passes, whatever the clock on the wall says.

use super::arch;
use super::check;
use linux_raw_sys::general::{__NR_clock_gettime, __NR_nanosleep, CLOCK_MONOTONIC, timespec};

/// Sleeps so many milliseconds, less than a thousand: nanosleep(2).
pub fn sleep(milliseconds: u32) {
    let time = timespec {
        tv_sec: 0,
        tv_nsec: i64::from(milliseconds % 1000) * 1_000_000,
    };
    let pointer: *const timespec = &raw const time;
    // SAFETY: the kernel reads a struct timespec, and is given no place to write to.
    let _ = check(unsafe { arch::syscall(__NR_nanosleep, [pointer as usize, 0, 0, 0, 0, 0]) });
}

/// Milliseconds since some moment: CLOCK_MONOTONIC of clock_gettime(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Now.
    pub fn now() -> Self {
        let mut time = timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let place: *mut timespec = &raw mut time;
        let args = [CLOCK_MONOTONIC as usize, place as usize, 0, 0, 0, 0];
        // SAFETY: the kernel writes a struct timespec to `time`. This clock exists everywhere.
        let _ = check(unsafe { arch::syscall(__NR_clock_gettime, args) });
        let milliseconds = time
            .tv_sec
            .saturating_mul(1000)
            .saturating_add(time.tv_nsec / 1_000_000);
        Self(milliseconds.unsigned_abs())
    }

    /// So many seconds from now.
    pub fn in_seconds(seconds: u32) -> Self {
        Self(
            Self::now()
                .0
                .saturating_add(u64::from(seconds).saturating_mul(1000)),
        )
    }

    /// Milliseconds until then.
    pub fn left(self) -> u64 {
        self.0.saturating_sub(Self::now().0)
    }
}
