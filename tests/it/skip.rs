//! Skips that nobody overlooks.
//!
//! A test that cannot run here says so on the real standard error (libtest hides what passing tests
//! print), and where HUSK_TESTS_MUST_RUN=1 it fails: CI sets that.

use std::env;
use std::io::{self, Write as _};
use std::thread;

/// Ends the test as skipped, for a reason that names the remedy.
macro_rules! skip {
    ($($reason:tt)*) => {{
        $crate::skip::skipped(&format!($($reason)*));
        return;
    }};
}

/// The value, or the end of the test as skipped.
macro_rules! or_skip {
    ($value:expr, $($reason:tt)*) => {
        match $value {
            Some(value) => value,
            None => skip!($($reason)*),
        }
    };
}

/// Ends a test of costs where the figures would be no figures.
macro_rules! only_of_a_release {
    () => {
        if cfg!(debug_assertions) {
            return $crate::skip::declined("the cost is the release build's: cargo test --release");
        }
        if !cfg!(target_arch = "x86_64") {
            return $crate::skip::declined("the floor is written for x86_64");
        }
    };
}

/// Says that this test, or a part of it, did not run.
pub fn skipped(reason: &str) {
    say(&format!("skipped: {}: {reason}", test_name()));
    assert!(
        env::var_os("HUSK_TESTS_MUST_RUN").is_none_or(|value| value != "1"),
        "HUSK_TESTS_MUST_RUN=1 and a test was skipped: {reason}"
    );
}

/// Says that somebody asked for this test not to run.
pub fn declined(reason: &str) {
    say(&format!("skipped: {}: {reason}", test_name()));
}

/// A line that is seen although the test passes.
pub fn say(line: &str) {
    // One write, so that lines of several tests do not mix; nothing to be done if it fails.
    drop(io::stderr().write_all(format!("{line}\n").as_bytes()));
}

fn test_name() -> String {
    thread::current().name().unwrap_or("?").to_owned()
}
