//! Every process below husk, where it is not PID 1 and kill(2) has no word for them.

use crate::sys::directory::Directory;
use crate::sys::fd::Fd;
use crate::sys::open::openat;
use crate::sys::signal::{self, Target};
use crate::text::{Text, parse_number};
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{pread, retry_on_intr};
use rustix::process::Pid;

/// Generations between husk and a process; deeper ones come up to husk when those between have
/// ended.
const GENERATIONS: usize = 64;

/// Bytes of /proc/PID/stat up to the parent's pid: two numbers, a name of 64 bytes at most, a state.
const STAT: usize = 128;

/// Sends `signal` to all processes that descend from `own`, as far as /proc shows them. As husk is
/// the subreaper they do for as long as they live.
///
/// A pid may become somebody else's between being read and being signalled, as with kill(1).
#[inline(never)]
pub fn signal(own: Pid, signal: i32) {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let Ok(proc) = openat(CWD, c"/proc", flags, Mode::empty()) else {
        return;
    };
    let own = own.as_raw_nonzero().get();
    let mut directory = Directory::new(proc);
    while let Ok(Some(name)) = directory.next_name() {
        let Some(pid) = parse_number(name.to_bytes()).and_then(|pid| i32::try_from(pid).ok())
        else {
            continue;
        };
        if descends(pid, own)
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = signal::send(Target::Process(pid), signal);
        }
    }
}

fn descends(pid: i32, from: i32) -> bool {
    let mut pid = pid;
    for _ in 0..GENERATIONS {
        match parent(pid) {
            Some(parent) if parent == from => return true,
            Some(parent) if parent > 1 => pid = parent,
            _ => return false,
        }
    }
    false
}

/// The parent of `pid` in proc_pid_stat(5).
#[inline(never)]
fn parent(pid: i32) -> Option<i32> {
    let mut path: Text = Text::new();
    path.put("/proc/");
    path.number(pid.unsigned_abs());
    path.put("/stat\0");
    let path = CStr::from_bytes_until_nul(path.bytes()).ok()?;
    let file: Fd = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut stat = [0_u8; STAT];
    let length = retry_on_intr(|| pread(&file, &mut stat[..], 0)).ok()?;
    let stat = stat.get(..length)?;
    // The name may hold anything, a parenthesis too.
    let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = stat.get(name_ends..)?.split(|byte| *byte == b' ').skip(2);
    i32::try_from(parse_number(fields.next()?)?).ok()
}
