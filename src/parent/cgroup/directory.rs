//! Directories of cgroups, and their files.

use crate::arena::Arena;
use crate::sys::directory::Directory;
use crate::sys::fd::Fd;
use crate::sys::open::openat;
use crate::text::Decimal;
use core::ffi::CStr;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, mkdirat, unlinkat};
use rustix::io::{Errno, read as read_fd, retry_on_intr, write as write_fd};
use rustix::process::getpid;

/// The cgroup below it in which the container is.
pub const CONTAINER: &CStr = c"container";

/// What the names of husk's cgroups begin with.
const PREFIX: &[u8] = b"husk-";

/// Bytes of the longest name.
const NAME: usize = 48;

/// How many names are tried.
const NAMES: u32 = 64;

/// A cgroup that this husk has made. As long as it lives its directory is locked (flock(2)), so that no
/// other husk takes it for one that was left behind.
pub struct Group {
    name: [u8; NAME],
    fd: Fd,
}

impl Group {
    /// Makes `husk-PID.N` below `parent`, `end` behind it.
    pub fn make(parent: &Fd, end: &[u8]) -> Result<Self, Errno> {
        let pid = Decimal::new(getpid().as_raw_nonzero().get().unsigned_abs());
        for number in 0..NAMES {
            let (mut name, number) = ([0_u8; NAME], Decimal::new(number));
            let parts: [&[u8]; 5] = [PREFIX, pid.bytes(), b".", number.bytes(), end];
            let text = Arena::new(&mut name).c_string(&parts).ok().flatten();
            let text = text.ok_or(Errno::NAMETOOLONG)?;
            match mkdirat(parent, text, Mode::from_raw_mode(0o755)) {
                Ok(()) => (),
                // Another PID namespace has the same pid.
                Err(Errno::EXIST) => continue,
                Err(errno) => return Err(errno),
            }
            match locked(parent, text) {
                Ok(fd) => return Ok(Self { name, fd }),
                // Another husk has found it empty meanwhile.
                Err(Errno::AGAIN | Errno::NOENT | Errno::NODEV) => (),
                Err(errno) => {
                    let _ = unlinkat(parent, text, AtFlags::REMOVEDIR);
                    return Err(errno);
                }
            }
        }
        Err(Errno::EXIST)
    }

    /// Its name.
    pub fn name(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.name).unwrap_or_default()
    }

    /// Its directory.
    pub const fn fd(&self) -> &Fd {
        &self.fd
    }

    /// Removes it with all that is below it: EBUSY while there is a process in it.
    pub fn remove_from(&self, parent: &Fd) -> Result<(), Errno> {
        remove(parent, self.name())
    }
}

/// How many cgroups are removed below one: a container may make as many as it likes.
const BELOW: usize = 4096;

/// Removes a cgroup of `parent`, and those that were made below it.
fn remove(parent: &Fd, name: &CStr) -> Result<(), Errno> {
    for _ in 0..BELOW {
        match unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Err(Errno::BUSY | Errno::NOTEMPTY) => (),
            done => return done,
        }
        let mut at = open_child(parent, name)?;
        // Down to one that has none below it.
        loop {
            let mut child = [0_u8; 256];
            let child = first_child(&at, &mut child).ok_or(Errno::BUSY)?;
            if unlinkat(&at, child, AtFlags::REMOVEDIR).is_ok() {
                break;
            }
            at = open_child(&at, child)?;
        }
    }
    Err(Errno::BUSY)
}

fn open_child(parent: &Fd, name: &CStr) -> Result<Fd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// The name of the first cgroup right below `parent`.
fn first_child<'m>(parent: &Fd, memory: &'m mut [u8; 256]) -> Option<&'m CStr> {
    let mut found = false;
    for_each(parent, &mut |name| {
        if !found && open_child(parent, name).is_ok() {
            found = true;
            for (to, from) in memory.iter_mut().zip(name.to_bytes_with_nul()) {
                *to = *from;
            }
        }
    });
    CStr::from_bytes_until_nul(memory).ok().filter(|_| found)
}

/// Opens and locks the directory of a cgroup.
///
/// # Errors
/// EAGAIN where somebody has locked it; ENOENT and ENODEV where somebody has removed it.
fn locked(parent: &Fd, name: &CStr) -> Result<Fd, Errno> {
    let fd = open_child(parent, name)?;
    flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
    let procs = OFlags::PATH | OFlags::CLOEXEC;
    openat(&fd, c"cgroup.procs", procs, Mode::empty()).map(|_| fd)
}

fn for_each(parent: &Fd, each: &mut dyn FnMut(&CStr)) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(list) = openat(parent, c".", flags, Mode::empty()) else {
        return;
    };
    let mut directory = Directory::new(list);
    while let Ok(Some(name)) = directory.next_name() {
        each(name);
    }
}

/// Removes what husks have left here that were killed. What is not empty stays.
pub fn remove_stale(parent: &Fd) {
    for_each(parent, &mut |name| {
        if name.to_bytes().starts_with(PREFIX)
            && let Ok(_lock) = locked(parent, name)
        {
            let _ = remove(parent, name);
        }
    });
}

/// How many cgroups there are right below `parent`.
pub fn count(parent: &Fd) -> usize {
    let mut found = 0_usize;
    for_each(parent, &mut |name| {
        found = found.saturating_add(open_child(parent, name).is_ok().into());
    });
    found
}

/// Writes one word to a file of a cgroup.
pub fn write(group: &Fd, file: &CStr, word: &[u8]) -> Result<(), Errno> {
    let file = openat(group, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    retry_on_intr(|| write_fd(&file, word)).map(drop)
}

/// The beginning of a file.
pub fn read<'m>(group: &Fd, file: &CStr, memory: &'m mut [u8]) -> Result<&'m [u8], Errno> {
    let file = openat(group, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let length = retry_on_intr(|| read_fd(&file, &mut *memory))?;
    Ok(memory.get(..length).unwrap_or_default())
}

/// Whether one of the words in a file is this.
pub fn has_word(group: &Fd, file: &CStr, word: &str) -> bool {
    let mut memory = [0_u8; 256];
    read(group, file, &mut memory).is_ok_and(|text| {
        let mut words = text.trim_ascii_end().split(|byte| *byte == b' ');
        words.any(|found| found == word.as_bytes())
    })
}
