//! Terminals: the ioctls of ioctl_tty(2) that husk needs, without taking termios apart.

use super::arch;
use super::check;
use linux_raw_sys::general::{__NR_ioctl, __NR_read};
use linux_raw_sys::ioctl::{TCGETS, TCSETSW, TIOCNOTTY, TIOCSCTTY, TIOCSPGRP};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::io::Errno;
use rustix::process::Pid;

/// The modes of a terminal: the kernel's struct termios, which has 36 or 44 bytes.
#[derive(Clone, Copy)]
pub struct Modes(#[expect(dead_code, reason = "only the kernel looks inside")] [u64; 8]);

#[inline(never)]
fn ioctl<T>(fd: BorrowedFd<'_>, request: u32, argument: &mut T) -> Result<usize, Errno> {
    let fd = fd.as_raw_fd().cast_unsigned() as usize;
    let pointer: *mut T = argument;
    let args = [fd, request as usize, pointer as usize, 0, 0, 0];
    // SAFETY: the kernel reads or writes what the request says, which fits `T`: a termios fits
    // `Modes` and a pid_t an i32, and the others take nothing.
    check(unsafe { arch::syscall(__NR_ioctl, args) })
}

/// Its modes: TCGETS. ENOTTY where `fd` is no terminal.
pub fn modes(fd: impl AsFd) -> Result<Modes, Errno> {
    let mut modes = Modes([0; 8]);
    ioctl(fd.as_fd(), TCGETS, &mut modes)?;
    Ok(modes)
}

/// Gives it `modes` when all output is out: TCSETSW.
pub fn set_modes(fd: impl AsFd, mut modes: Modes) -> Result<(), Errno> {
    ioctl(fd.as_fd(), TCSETSW, &mut modes).map(drop)
}

/// Whether `fd` is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    modes(fd).is_ok()
}

/// Whether husk's own process group is in the foreground of its controlling terminal. SIGTTIN must
/// be blocked: then the kernel answers a read from the background with EIO, and one of no bytes from
/// the foreground with nothing. TIOCGPGRP would tell a number, which a group outside of the PID
/// namespace does not have.
pub fn is_in_foreground(fd: impl AsFd) -> bool {
    let fd = fd.as_fd().as_raw_fd().cast_unsigned() as usize;
    // SAFETY: no bytes are read, so the pointer is not used.
    let read = check(unsafe { arch::syscall(__NR_read, [fd, 0, 0, 0, 0, 0]) });
    // EAGAIN where somebody else reads; that is asked after the foreground.
    matches!(read, Ok(_) | Err(Errno::AGAIN))
}

/// Makes it the controlling terminal of this session, which this process leads: TIOCSCTTY.
pub fn take_control(fd: impl AsFd) -> Result<(), Errno> {
    ioctl(fd.as_fd(), TIOCSCTTY, &mut 0_i32).map(drop)
}

/// Gives it up as the controlling terminal: TIOCNOTTY. From the leader of the session the kernel
/// sends SIGHUP and SIGCONT to the foreground.
pub fn give_up_control(fd: impl AsFd) -> Result<(), Errno> {
    ioctl(fd.as_fd(), TIOCNOTTY, &mut 0_i32).map(drop)
}

/// Puts a process group of this session into its foreground: TIOCSPGRP. From the background with
/// SIGTTOU blocked.
pub fn set_foreground(fd: impl AsFd, group: Pid) -> Result<(), Errno> {
    let mut group = group.as_raw_nonzero().get();
    ioctl(fd.as_fd(), TIOCSPGRP, &mut group).map(drop)
}
