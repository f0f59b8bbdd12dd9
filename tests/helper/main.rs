//! The program that tests run inside of containers, where nothing else may exist: static, std only.
//!
//! `helper WORD ARGUMENT…`; every word prints facts, one a line, and judges nothing.
#![expect(
    clippy::disallowed_macros,
    reason = "a test program with std: core::fmt is welcome here"
)]

mod calls;
mod chown;
mod climb;
mod facts;
mod host;
mod janitor;
mod processes;
mod signals;
mod terminal;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let word = words.next().unwrap_or_default();
    let rest: Vec<OsString> = words.collect();
    match word.to_str() {
        Some("argv") => facts::argv(&rest),
        Some("environ") => facts::environ(),
        Some("fds") => facts::descriptors(),
        Some("stat") => facts::stat(&rest),
        Some("loopback") => facts::loopback(),
        Some("pid-1") => facts::pid_1(),
        Some("climb") => climb::climb(&rest),
        Some("calls") => calls::make(&rest),
        Some("chown") => chown::chown(&rest),
        Some("host") => host::become_program(&rest),
        Some("hold") => processes::hold(),
        Some("spawn") => processes::spawn(&rest),
        Some("on-terminal") => processes::on_terminal(&rest),
        Some("signals") => signals::print(&rest),
        Some("blocked") => signals::blocked(&rest),
        Some("nameless") => signals::nameless(&rest),
        Some("lend-terminal") => terminal::lend(&rest),
        Some("shell-on") => terminal::shell_on(&rest),
        Some("in-foreground") => terminal::in_foreground(&rest),
        Some("janitor") => janitor::wait_and_clean(&rest),
        _ => {
            eprintln!("helper: no such word: {word:?}");
            return ExitCode::from(64);
        }
    }
    .map_or_else(
        |error| {
            eprintln!("helper: {}: {error}", word.display());
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// What the kernel refused, as std says it.
fn refusal(errno: rustix::io::Errno) -> std::io::Error {
    std::io::Error::from_raw_os_error(errno.raw_os_error())
}
