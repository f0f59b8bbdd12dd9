//! The calls that return a descriptor, each as rustix names it.
//!
//! rustix has all of them; but its `OwnedFd` asserts that a new descriptor is not -1, and again
//! whenever it is lent, and those are panicking paths that no optimizer can see through. [`Fd`]
//! knows it by construction.

use super::arch;
use super::check;
use super::fd::Fd;
use core::ffi::CStr;
use linux_raw_sys::general::{
    __NR_fcntl, __NR_open_tree, __NR_openat, __NR_openat2, __NR_pipe2, __NR_socket,
    __NR_socketpair, F_DUPFD_CLOEXEC, open_how,
};
use rustix::fd::{AsFd, AsRawFd};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;
use rustix::pipe::PipeFlags;

/// A descriptor as an argument; the kernel takes its low 32 bits, and AT_FDCWD is negative.
fn word(fd: impl AsFd) -> usize {
    fd.as_fd().as_raw_fd().cast_unsigned() as usize
}

/// Two descriptors where the kernel writes them.
fn pair(fds: [i32; 2]) -> Result<(Fd, Fd), Errno> {
    let [first, second] = fds.map(|fd| {
        usize::try_from(fd)
            .map_err(|_| Errno::BADF)
            .and_then(Fd::new)
    });
    Ok((first?, second?))
}

/// openat(2), made again where it was interrupted, as one on a file system in user space or over a network
/// may be.
pub fn openat(directory: impl AsFd, path: &CStr, flags: OFlags, mode: Mode) -> Result<Fd, Errno> {
    openat_word(word(directory), path, flags, mode)
}

#[inline(never)]
fn openat_word(directory: usize, path: &CStr, flags: OFlags, mode: Mode) -> Result<Fd, Errno> {
    // O_LARGEFILE is nothing on 64 bits.
    let flags = flags.bits() as usize;
    let args = [
        directory,
        path.as_ptr() as usize,
        flags,
        mode.bits() as usize,
        0,
        0,
    ];
    loop {
        // SAFETY: `path` is a C string, which the kernel reads.
        match check(unsafe { arch::syscall(__NR_openat, args) }) {
            Err(Errno::INTR) => (),
            done => return done.and_then(Fd::new),
        }
    }
}

/// openat2(2), since Linux 5.6.
pub fn openat2(
    directory: impl AsFd,
    path: &CStr,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<Fd, Errno> {
    let how = open_how {
        flags: u64::from(flags.bits()),
        mode: 0,
        resolve: resolve.bits(),
    };
    let pointer: *const open_how = &raw const how;
    let args = [
        word(directory),
        path.as_ptr() as usize,
        pointer as usize,
        size_of::<open_how>(),
        0,
        0,
    ];
    // SAFETY: `path` is a C string and `how` lives through the call, with its size; the kernel
    // reads both.
    check(unsafe { arch::syscall(__NR_openat2, args) }).and_then(Fd::new)
}

/// F_DUPFD_CLOEXEC of fcntl(2), above the standard streams.
pub fn duplicate(fd: impl AsFd) -> Result<Fd, Errno> {
    let args = [word(fd), F_DUPFD_CLOEXEC as usize, 3, 0, 0, 0];
    // SAFETY: no pointer is passed.
    check(unsafe { arch::syscall(__NR_fcntl, args) }).and_then(Fd::new)
}

/// open_tree(2) of `fd` itself, since Linux 5.2.
pub fn open_tree(fd: impl AsFd, flags: OpenTreeFlags) -> Result<Fd, Errno> {
    open_tree_at(fd, c"", flags | OpenTreeFlags::AT_EMPTY_PATH)
}

/// open_tree(2), since Linux 5.2.
pub fn open_tree_at(fd: impl AsFd, path: &CStr, flags: OpenTreeFlags) -> Result<Fd, Errno> {
    let flags = flags | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let args = [
        word(fd),
        path.as_ptr() as usize,
        flags.bits() as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the path is a C string, which the kernel reads.
    check(unsafe { arch::syscall(__NR_open_tree, args) }).and_then(Fd::new)
}

/// pipe2(2): the end to read from, the end to write to.
pub fn pipe_with(flags: PipeFlags) -> Result<(Fd, Fd), Errno> {
    let mut fds = [-1_i32; 2];
    let args = [(&raw mut fds) as usize, flags.bits() as usize, 0, 0, 0, 0];
    // SAFETY: the kernel writes two ints to `fds`.
    check(unsafe { arch::syscall(__NR_pipe2, args) })?;
    pair(fds)
}

const AF_UNIX: usize = 1;
const AF_INET: usize = 2;
const SOCK_DGRAM: usize = 2;
const SOCK_SEQPACKET: usize = 5;
const SOCK_CLOEXEC: usize = 0o2_000_000;

/// socketpair(2) of UNIX sockets that keep records whole (SOCK_SEQPACKET), closed by execve(2).
pub fn socketpair() -> Result<(Fd, Fd), Errno> {
    let mut fds = [-1_i32; 2];
    let args = [
        AF_UNIX,
        SOCK_SEQPACKET | SOCK_CLOEXEC,
        0,
        (&raw mut fds) as usize,
        0,
        0,
    ];
    // SAFETY: the kernel writes two ints to `fds`.
    check(unsafe { arch::syscall(__NR_socketpair, args) })?;
    pair(fds)
}

/// socket(2) for the ioctls of netdevice(7).
pub fn inet_socket() -> Result<Fd, Errno> {
    let args = [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0];
    // SAFETY: no pointer is passed.
    check(unsafe { arch::syscall(__NR_socket, args) }).and_then(Fd::new)
}
