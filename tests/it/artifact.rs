//! The binary itself: its size, its shape, and the memory that it holds while a command runs.

use crate::husk::Run;
use crate::measure::switches;
use crate::memory::private_memory;
use crate::processes::Container;
use crate::skip;
use crate::world::{self, NO_BUSYBOX, NOT_ROOT, everybody};
use std::fs;

const BUDGET: usize = 204 * 1024;

/// Kilobytes of private memory of husk's processes together.
const MEMORY_BUDGET: u64 = 64;

fn binary() -> Vec<u8> {
    fs::read(env!("CARGO_BIN_EXE_husk")).unwrap()
}

fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    bytes[at..at + length]
        .iter()
        .rev()
        .fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
}

/// Type, flags, offset and size in the file of every program header (elf(5), 64 bits).
fn segments(bytes: &[u8]) -> Vec<(usize, usize, usize, usize)> {
    let (start, size, count) = (
        number(bytes, 32, 8),
        number(bytes, 54, 2),
        number(bytes, 56, 2),
    );
    (0..count)
        .map(|index| {
            let at = start + index * size;
            let field = |offset, length| number(bytes, at + offset, length);
            (field(0, 4), field(4, 4), field(8, 8), field(32, 8))
        })
        .collect()
}

const PT_LOAD: usize = 1;
const PT_INTERP: usize = 3;
const PT_TLS: usize = 7;
const PT_GNU_STACK: usize = 0x6474_e551;

#[test]
fn it_fits_the_budget() {
    if cfg!(debug_assertions) {
        return skip::declined("the budget is of the release build: cargo test --release");
    }
    let size = binary().len();
    skip::say(&format!("the release binary has {size} bytes of {BUDGET}"));
    assert!(size <= BUDGET, "{size} bytes are more than {BUDGET}");
}

#[test]
fn it_is_a_static_position_independent_executable() {
    let bytes = binary();
    assert_eq!(number(&bytes, 16, 2), 3, "ET_DYN");
    let segments = segments(&bytes);
    let of = |kind: usize| segments.iter().filter(move |segment| segment.0 == kind);
    assert_eq!(of(PT_INTERP).count(), 0, "no loader");
    assert_eq!(of(PT_TLS).count(), 0, "no thread-local storage");
    assert!(
        of(PT_LOAD).all(|segment| segment.1 & 3 != 3),
        "writable and executable: {segments:?}"
    );
    assert!(
        of(PT_GNU_STACK).all(|segment| segment.1 & 1 == 0),
        "an executable stack"
    );
    assert_eq!(
        of(PT_GNU_STACK).count(),
        1,
        "the kernel would make the stack executable"
    );
}

#[test]
fn it_has_no_panic_and_no_formatting_in_it() {
    if cfg!(debug_assertions) {
        return skip::declined("a debug build panics on overflow: cargo test --release");
    }
    let bytes = binary();
    let words: [&[u8]; 9] = [
        b"panicked",
        b"panicking",
        b"core::fmt",
        b"called `Option",
        b"called `Result",
        b"index out of",
        b"out of range for slice",
        b"library/core/src",
        b"attempt to",
    ];
    for word in words {
        let found = bytes.windows(word.len()).any(|window| window == word);
        assert!(!found, "{} is in the binary", String::from_utf8_lossy(word));
    }
}

#[test]
fn while_a_command_runs_it_holds_little_memory() {
    or_skip!(world::root(), "{NOT_ROOT}: PID 1 cannot be looked into");
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let started = Run::root(who, &root).helper(["hold"]).start();
        started.wait_for("ready");
        std::thread::sleep(std::time::Duration::from_millis(600));
        let container = Container::of(started.pid());
        let (supervisor, init) = (
            private_memory(container.supervisor),
            private_memory(container.init),
        );
        let (both, name) = (supervisor + init, &who.name);
        skip::say(&format!(
            "private memory of {name}'s container: {supervisor} kB outside + {init} kB inside = {both} kB"
        ));
        assert!(both > 0 && both <= MEMORY_BUDGET, "{both} kB");
    }
}

#[test]
fn while_a_command_runs_it_sleeps() {
    for who in everybody() {
        let started = Run::new(who).sh("echo ready; exec sleep 20").start();
        started.wait_for("ready");
        let container = Container::of(started.pid());
        // It settles down once, after a moment in which nothing came.
        std::thread::sleep(std::time::Duration::from_millis(600));
        let wakes = || [container.supervisor, container.init].map(switches);
        let before = wakes();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        assert_eq!(wakes(), before, "an idle husk never wakes up");
    }
}

/// The loop with which LLVM touches each page of a large stack frame (`cmp r11, rsp` after a push of the
/// page's first word). It changes r11, also where the function's body was given something in it: LLVM
/// moves the frame's making behind the first instructions, and then husk runs with what is left there.
const PROBES: [u8; 18] = [
    0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00, 0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, 0x4c, 0x39, 0xdc,
];

#[test]
fn no_frame_is_so_large_that_its_pages_are_touched_in_a_loop() {
    let binary = binary();
    let found = binary
        .windows(PROBES.len())
        .position(|bytes| bytes == PROBES);
    assert_eq!(
        found, None,
        "keep a large array out of the frame, or the function out of line"
    );
}
