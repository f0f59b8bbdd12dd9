//! The small /dev: a tmpfs with the six nodes that every program expects, pts, shm and the links.
//!
//! It is made on `/`, where nobody else can reach it, and moved to its place when it is complete.
//! Nodes are the host's, bound: mknod(2) makes none in a user namespace. Each is looked at where it
//! was bound, before anybody else can see it (CVE-2025-31133, CVE-2025-52565).

use super::proc_fd::ProcFd;
use super::resolve::{outside, read_link};
use super::stack::TOPMOST;
use crate::fail::{Doing, Explain, Failed};
use crate::limits::PATH_BYTES;
use crate::plan::operation::{Dev, PTS, PTS_OF_NO_GROUP};
use crate::sys::start::{stdin, stdout};
use crate::sys::terminal::is_terminal;
use core::ffi::CStr;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, chmodat, fstat, major, minor, mkdirat, mknodat, statat, symlinkat,
};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};
use rustix::process::chdir;

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

/// What of the caller's the command shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Its terminal.
    Terminal,
    /// Nothing that is known of.
    Nothing,
}

/// Makes a small /dev, on top of everything, and goes there: it is to be moved to its place.
pub fn make(wanted: Dev, shared: Shared) -> Result<(), Failed> {
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount(c"tmpfs", c"/", c"tmpfs", flags, c"mode=0755").doing_on(
        Doing::Mount,
        b"tmpfs",
        b"/dev",
    )?;
    chdir(TOPMOST).doing(Doing::MakeDev, b"/dev")?;
    for node in &NODES {
        bind_node(node).doing(Doing::MakeDev, node.path.to_bytes())?;
    }
    for (name, text) in LINKS {
        symlinkat(text, CWD, name).doing(Doing::MakeDev, name.to_bytes())?;
    }
    terminals(wanted.pts).doing_on(Doing::Mount, b"devpts", b"/dev/pts")?;
    shm().doing(Doing::MakeDev, b"/dev/shm")?;
    if shared == Shared::Terminal {
        console().doing(Doing::MakeDev, b"/dev/console")?;
    }
    Ok(())
}

/// Takes the one away that was just made, and has no place.
pub fn discard() -> Result<(), Errno> {
    unmount(c".", UnmountFlags::DETACH)
}

/// Binds the host's node, and looks at what it got.
fn bind_node(node: &Node) -> Result<(), Errno> {
    bind_on_new_file(node.path, node.name)?;
    let stat = statat(CWD, node.name, AtFlags::SYMLINK_NOFOLLOW)?;
    let device = (major(stat.st_rdev), minor(stat.st_rdev));
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice if device == (node.major, node.minor) => Ok(()),
        _ => Err(Errno::NODEV),
    }
}

/// In the working directory, which nobody else can reach: a name there is as good as a descriptor.
fn bind_on_new_file(source: &CStr, name: &CStr) -> Result<(), Errno> {
    mknodat(
        CWD,
        name,
        FileType::RegularFile,
        Mode::from_raw_mode(0o644),
        0,
    )?;
    mount_bind(source, name)
}

fn terminals(options: &CStr) -> Result<(), Errno> {
    mkdirat(CWD, c"pts", Mode::from_raw_mode(0o755))?;
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    match mount(c"devpts", c"pts", c"devpts", flags, options) {
        // The group of terminals is not mapped after all: newgidmap(1) was refused.
        Err(Errno::INVAL) if options == PTS => {
            mount(c"devpts", c"pts", c"devpts", flags, PTS_OF_NO_GROUP)
        }
        done => done,
    }
}

/// A directory like any other: another tmpfs would be made and taken down for it at every start.
fn shm() -> Result<(), Errno> {
    mkdirat(CWD, c"shm", Mode::empty())?;
    chmodat(CWD, c"shm", Mode::from_raw_mode(0o1777), AtFlags::empty())
}

/// /dev/console is the pseudo-terminal that the command talks to, if it does: so ttyname(3) finds
/// it inside.
#[inline(never)]
fn console() -> Result<(), Errno> {
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
    bind_on_new_file(ProcFd::new(&source).path(), c"console")
}
