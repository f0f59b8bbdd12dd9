//! Every process below husk, where it is not PID 1 and kill(2) has no word for them.

use crate::sys::directory::Directory;
use crate::sys::open::openat;
use crate::sys::signal::{self, Target};
use crate::text::{Decimal, parse_number};
use core::ffi::CStr;
use heapless::Vec;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{pread, retry_on_intr};
use rustix::process::Pid;

/// Generations between husk and a process; deeper ones come up to husk when those between have
/// ended.
const GENERATIONS: usize = 64;

/// Bytes of /proc/PID/stat up to the parent's pid: two numbers, a name of 64 bytes at most, a state.
const STAT: usize = 128;

/// Whether there was anybody to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There was.
    Somebody,
    /// /proc is missing, or another PID namespace's.
    Nobody,
}

/// How many processes are found before the first of them is signalled: what they start in answer is
/// theirs.
const AT_ONCE: usize = 2048;

/// Sends `signal` to all processes that descend from `own`, as far as /proc shows them. As husk is
/// the subreaper they do for as long as they live.
///
/// A pid may become somebody else's between being read and being signalled, as with kill(1).
#[inline(never)]
pub fn signal(own: Pid, signal: i32) -> Seen {
    let own = own.as_raw_nonzero().get();
    // A /proc of another PID namespace has other numbers.
    if read(b"self").is_none_or(|found| found.pid != own) {
        return Seen::Nobody;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let Ok(proc) = openat(CWD, c"/proc", flags, Mode::empty()) else {
        return Seen::Nobody;
    };
    let mut directory = Directory::new(proc);
    let mut found: Vec<Pid, AT_ONCE> = Vec::new();
    loop {
        let name = directory.next_name();
        let Ok(Some(name)) = name else { break };
        let Some(process) = parse_number(name.to_bytes()).and_then(|_| read(name.to_bytes()))
        else {
            continue;
        };
        if !descends(process, own) {
            continue;
        }
        if let Some(Err(pid)) = Pid::from_raw(process.pid).map(|pid| found.push(pid)) {
            tell(&found, signal);
            found.clear();
            let _ = found.push(pid);
        }
    }
    tell(&found, signal);
    Seen::Somebody
}

fn tell(processes: &[Pid], signal: i32) {
    for pid in processes {
        let _ = signal::send(Target::Process(*pid), signal);
    }
}

fn descends(process: Process, from: i32) -> bool {
    let mut parent = process.parent;
    for _ in 0..GENERATIONS {
        if parent == from {
            return true;
        }
        let number = Decimal::new(parent.unsigned_abs());
        match read(number.bytes()) {
            Some(process) if process.parent > 0 => parent = process.parent,
            _ => return false,
        }
    }
    false
}

/// Two fields of proc_pid_stat(5).
#[derive(Clone, Copy)]
struct Process {
    pid: i32,
    parent: i32,
}

/// What /proc says of the process `name`.
#[inline(never)]
fn read(name: &[u8]) -> Option<Process> {
    let mut path = [0_u8; 24];
    let text = b"/proc/".iter().chain(name).chain(b"/stat");
    for (to, from) in path.iter_mut().zip(text) {
        *to = *from;
    }
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut stat = [0_u8; STAT];
    let length = retry_on_intr(|| pread(&file, &mut stat[..], 0)).ok()?;
    let stat = stat.get(..length)?;
    let number = |text: Option<&[u8]>| i32::try_from(parse_number(text?)?).ok();
    let blank = |byte: &u8| *byte == b' ';
    // The name may hold anything, a parenthesis too.
    let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
    Some(Process {
        pid: number(stat.split(blank).next())?,
        parent: number(stat.get(name_ends..)?.split(blank).nth(2))?,
    })
}
