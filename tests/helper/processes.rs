//! Words that are processes of a certain kind.

use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Longer than any test, shorter than anybody's patience with a stray process.
pub const HOLD_SECONDS: u32 = 120;

/// Says `ready` and stays. Its arguments are marks to find it by.
pub fn hold() -> io::Result<()> {
    println!("ready");
    io::stdout().flush()?;
    thread::sleep(Duration::from_secs(HOLD_SECONDS.into()));
    Ok(())
}

/// `COUNT MARK`: starts that many that hold, then holds as well.
pub fn spawn(words: &[OsString]) -> io::Result<()> {
    let count = words
        .first()
        .and_then(|word| word.to_str()?.parse::<u32>().ok())
        .unwrap_or(1);
    for _ in 0..count {
        let mut child = Command::new(env::current_exe()?);
        child.arg("hold").args(words.iter().skip(1));
        child
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
    }
    hold()
}

/// `TTY PROGRAM ARGUMENT…`: becomes the program, as the leader of a session on that terminal.
pub fn on_terminal(words: &[OsString]) -> io::Result<()> {
    let [tty, program, rest @ ..] = words else {
        return Err(io::Error::other("TTY PROGRAM ARGUMENT…"));
    };
    rustix::process::setsid().map_err(super::refusal)?;
    // A session leader without a terminal gets the first that it opens (credentials(7)).
    let terminal = OpenOptions::new().read(true).write(true).open(tty)?;
    Err(Command::new(program)
        .args(rest)
        .stdin(terminal.try_clone()?)
        .stdout(terminal.try_clone()?)
        .stderr(terminal)
        .exec())
}
