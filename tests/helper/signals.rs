//! Words about signals, all 64 of them: the C library keeps some for itself, the kernel does not.

use crate::processes::HOLD_SECONDS;
use husk::sys::clock::Moment;
use husk::sys::exec::{WordList, Words, execve};
use husk::sys::signal::{self, Patience, SignalSet};
use rustix::io::Errno;
use std::env;
use std::ffi::{CString, OsString};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

/// `[LABEL]`: blocks every signal, says `ready`, and prints the number of each that it takes, after
/// the label. SIGKILL ends it.
pub fn print(words: &[OsString]) -> io::Result<()> {
    let label = words
        .first()
        .map_or_else(String::new, |label| format!("{} ", label.to_string_lossy()));
    signal::set_mask(SignalSet::ALL).map_err(super::refusal)?;
    let end = Patience::Until(Moment::in_seconds(HOLD_SECONDS));
    say(&format!("{label}ready"))?;
    loop {
        match signal::wait(end) {
            Ok(Some(received)) => say(&format!("{label}{}", received.signal))?,
            Ok(None) => return Ok(()),
            // It was stopped meanwhile.
            Err(Errno::INTR) => (),
            Err(errno) => return Err(super::refusal(errno)),
        }
    }
}

/// `PROGRAM ARGUMENT…`: becomes the program, with every signal blocked. A `Command` of std's would
/// unblock them.
pub fn blocked(words: &[OsString]) -> io::Result<()> {
    signal::set_mask(SignalSet::ALL).map_err(super::refusal)?;
    say("blocked")?;
    let words = c_strings(words)?;
    let mut argv = WordList::<64>::new();
    for word in &words {
        argv.push(word)
            .map_err(|_| io::ErrorKind::ArgumentListTooLong)?;
    }
    become_program(&words, argv.finish())
}

/// `PROGRAM`: becomes the program without any argument, not even its name. Linux 5.18 and later give
/// it an empty name.
pub fn nameless(words: &[OsString]) -> io::Result<()> {
    become_program(&c_strings(words)?, Words::EMPTY)
}

fn become_program(words: &[CString], argv: Words<'_>) -> io::Result<()> {
    let variables = env::vars_os().map(|(name, value)| {
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).map_err(io::Error::other)
    });
    let variables: Vec<CString> = variables.collect::<io::Result<_>>()?;
    let mut envp = WordList::<64>::new();
    for variable in &variables {
        envp.push(variable)
            .map_err(|_| io::ErrorKind::ArgumentListTooLong)?;
    }
    let program = words.first().ok_or(io::ErrorKind::InvalidInput)?;
    if program.to_bytes().contains(&b'/') {
        return Err(super::refusal(execve(program, argv, envp.finish())));
    }
    let envp = envp.finish();
    for directory in env::var("PATH").unwrap_or_default().split(':') {
        let path = [directory.as_bytes(), b"/", program.to_bytes()].concat();
        execve(&CString::new(path)?, argv, envp);
    }
    Err(io::ErrorKind::NotFound.into())
}

fn c_strings(words: &[OsString]) -> io::Result<Vec<CString>> {
    let words = words.iter().map(|word| CString::new(word.as_bytes()));
    words.map(|word| word.map_err(io::Error::other)).collect()
}

fn say(line: &str) -> io::Result<()> {
    println!("{line}");
    io::stdout().flush()
}
