//! Words about a terminal: a person's shell, which lends it to a job and looks how it comes back.

use husk::sys::start::stdin;
use husk::sys::terminal::{set_foreground, take_control};
use rustix::fd::AsRawFd as _;
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

/// `PROGRAM ARGUMENT…`: the program as the foreground job of a session on a new terminal, which is its
/// standard input and output. Prints what it says there, and leaves with its status. A line on standard
/// error where the terminal is not as it was.
pub fn lend(words: &[OsString]) -> io::Result<()> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).map_err(super::refusal)?;
    grantpt(&master).map_err(super::refusal)?;
    unlockpt(&master).map_err(super::refusal)?;
    let peer = ioctl_tiocgptpeer(&master, flags).map_err(super::refusal)?;
    let name = fs::read_link(format!("/proc/self/fd/{}", peer.as_raw_fd()))?;
    let mut shell = Command::new(env::current_exe()?);
    shell.arg("shell-on").args(words);
    let terminal = File::options().read(true).write(true).open(name)?;
    let status = shell.stdin(terminal).status()?;
    drop((shell, peer));
    let mut said = [0; 4096];
    // EIO is how it ends: nobody has it open any more.
    while let Ok(length @ 1..) = rustix::io::read(&master, &mut said[..]) {
        let said = said.get(..length).unwrap_or_default();
        io::stdout().write_all(said)?;
    }
    process::exit(status.code().unwrap_or(1))
}

/// `PROGRAM ARGUMENT…`: the shell of [`lend`], on the terminal that is its standard input.
pub fn shell_on(program: &[OsString]) -> io::Result<()> {
    rustix::process::setsid().map_err(super::refusal)?;
    take_control(stdin()).map_err(super::refusal)?;
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    stty(&terminal, &["raw", "-echo"])?;
    let before = stty(&terminal, &["-g"])?;
    let mut job = Command::new(env::current_exe()?);
    job.arg("in-foreground").args(program).process_group(0);
    job.stdin(terminal.try_clone()?)
        .stdout(terminal.try_clone()?);
    let mut job = job.spawn()?;
    let group = i32::try_from(job.id()).ok().and_then(Pid::from_raw);
    let group = group.ok_or(io::ErrorKind::InvalidData)?;
    set_foreground(stdin(), group).map_err(super::refusal)?;
    let status = job.wait()?;
    if foreground()? != job.id().to_string() {
        eprintln!("terminal: the foreground is another's");
    }
    if stty(&terminal, &["-g"])? != before {
        eprintln!("terminal: its modes are others");
    }
    let signal = status.signal().map(|signal| 128 + signal);
    process::exit(status.code().or(signal).unwrap_or(1))
}

/// `PROGRAM ARGUMENT…`: waits until its process group is in the foreground, and becomes the program.
pub fn in_foreground(words: &[OsString]) -> io::Result<()> {
    while foreground()? != process::id().to_string() {
        thread::sleep(Duration::from_micros(200));
    }
    let [program, rest @ ..] = words else {
        return Err(io::Error::other("PROGRAM ARGUMENT…"));
    };
    Err(Command::new(program).args(rest).exec())
}

fn stty(terminal: &File, words: &[&str]) -> io::Result<Vec<u8>> {
    let mut stty = Command::new("stty");
    Ok(stty
        .args(words)
        .stdin(terminal.try_clone()?)
        .output()?
        .stdout)
}

/// The foreground process group of this session's terminal: tpgid of proc_pid_stat(5).
fn foreground() -> io::Result<String> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    Ok(fields
        .split_whitespace()
        .nth(5)
        .unwrap_or_default()
        .to_owned())
}
