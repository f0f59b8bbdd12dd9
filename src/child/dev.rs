//! The small /dev: a tmpfs with the six nodes that every program expects, pts, shm and the links.
//!
//! It is made on `/`, where nobody else can reach it, and moved to its place when it is complete.
//! Nodes are the host's, bound: mknod(2) is not for user namespaces. Each source is opened once and
//! looked at before it is bound (CVE-2025-31133, CVE-2025-52565).

use super::proc_fd::ProcFd;
use super::resolve::{component_of, outside, read_link};
use super::stack::topmost;
use super::underlay::new_file;
use crate::fail::{Doing, Explain, Failed};
use crate::limits::PATH_BYTES;
use crate::plan::operation::{Dev, PTS, PTS_OF_NO_GROUP};
use crate::sys::fd::Fd;
use crate::sys::start::{stdin, stdout};
use crate::sys::terminal::is_terminal;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, FileType, Mode, fstat, major, minor, mkdirat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_bind, mount_move};

/// A node of /dev (null(4), full(4), random(4), tty(4)).
struct Node {
    name: &'static CStr,
    path: &'static CStr,
    major: u32,
    minor: u32,
}

const fn node(name: &'static CStr, path: &'static CStr, major: u32, minor: u32) -> Node {
    Node {
        name,
        path,
        major,
        minor,
    }
}

const NODES: [Node; 6] = [
    node(c"null", c"/dev/null", 1, 3),
    node(c"zero", c"/dev/zero", 1, 5),
    node(c"full", c"/dev/full", 1, 7),
    node(c"random", c"/dev/random", 1, 8),
    node(c"urandom", c"/dev/urandom", 1, 9),
    node(c"tty", c"/dev/tty", 5, 0),
];

const LINKS: [(&CStr, &CStr); 5] = [
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"ptmx", c"pts/ptmx"),
];

/// Pseudo-terminals have the majors 136 to 143 (devices.txt of the kernel).
const PTS_MAJORS: core::ops::RangeInclusive<u32> = 136..=143;

/// Makes a small /dev and mounts it on `target`.
pub fn make(target: BorrowedFd<'_>, wanted: Dev) -> Result<(), Failed> {
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount(c"tmpfs", c"/", c"tmpfs", flags, c"mode=0755").doing_on(
        Doing::Mount,
        b"tmpfs",
        b"/dev",
    )?;
    let dev = topmost().doing(Doing::MakeDev, b"/dev")?;
    for node in &NODES {
        bind_node(&dev, node).doing(Doing::MakeDev, node.path.to_bytes())?;
    }
    for (name, text) in LINKS {
        symlinkat(text, &dev, name).doing(Doing::MakeDev, name.to_bytes())?;
    }
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_below(&dev, c"pts", c"devpts", flags, wanted.pts).doing_on(
        Doing::Mount,
        b"devpts",
        b"/dev/pts",
    )?;
    mount_below(
        &dev,
        c"shm",
        c"tmpfs",
        flags | MountFlags::NODEV,
        c"mode=1777",
    )
    .doing_on(Doing::Mount, b"tmpfs", b"/dev/shm")?;
    console(&dev).doing(Doing::MakeDev, b"/dev/console")?;
    mount_move(ProcFd::new(&dev).path(), ProcFd::new(target).path()).doing_on(
        Doing::Mount,
        b"tmpfs",
        b"/dev",
    )
}

fn bind_node(dev: &Fd, node: &Node) -> Result<(), Errno> {
    let source = outside(node.path)?;
    let stat = fstat(&source)?;
    let device = (major(stat.st_rdev), minor(stat.st_rdev));
    if !FileType::from_raw_mode(stat.st_mode).is_char_device() || device != (node.major, node.minor)
    {
        return Err(Errno::NODEV);
    }
    bind_on_new_file(dev, source.as_fd(), node.name)
}

fn bind_on_new_file(dev: &Fd, source: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    let place = new_file(dev.as_fd(), name)?;
    mount_bind(ProcFd::new(source).path(), ProcFd::new(&place).path())
}

fn mount_below(
    dev: &Fd,
    name: &CStr,
    kind: &CStr,
    flags: MountFlags,
    data: &CStr,
) -> Result<(), Errno> {
    mkdirat(dev, name, Mode::from_raw_mode(0o755))?;
    let place = component_of(dev.as_fd(), name)?;
    match mount(kind, ProcFd::new(&place).path(), kind, flags, data) {
        // The group of terminals is not mapped after all: newgidmap(1) was refused.
        Err(Errno::INVAL) if data == PTS => mount(
            kind,
            ProcFd::new(&place).path(),
            kind,
            flags,
            PTS_OF_NO_GROUP,
        ),
        done => done,
    }
}

/// /dev/console is the pseudo-terminal that the command talks to, if it does: so ttyname(3) finds
/// it inside.
fn console(dev: &Fd) -> Result<(), Errno> {
    let Some(terminal) = [stdin(), stdout()].into_iter().find(|fd| is_terminal(fd)) else {
        return Ok(());
    };
    let device = fstat(terminal)?.st_rdev;
    if !PTS_MAJORS.contains(&major(device)) {
        return Ok(());
    }
    let mut memory = [0_u8; PATH_BYTES];
    let Ok(path) = read_link(CWD, ProcFd::new(terminal).path(), &mut memory) else {
        return Ok(());
    };
    // The descriptor itself belongs to the host's mount namespace: its path is opened in ours, and
    // compared.
    let Ok(source) = outside(path) else {
        return Ok(());
    };
    let stat = fstat(&source)?;
    if !FileType::from_raw_mode(stat.st_mode).is_char_device() || stat.st_rdev != device {
        return Ok(());
    }
    bind_on_new_file(dev, source.as_fd(), c"console")
}
