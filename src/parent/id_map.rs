//! uid_map, setgroups and gid_map of the new user namespace.

use crate::arena::Arena;
use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::host::cause;
use crate::limits::MAP_BYTES;
use crate::plan::id::MapLine;
use crate::plan::id_map::{Map, Maps, Setgroups, Wish, Writer};
use crate::plan::signal::name as name_of_signal;
use crate::sys::clone;
use crate::sys::exec::{WordList, Words, execve};
use crate::sys::fd::{Fd, become_stream};
use crate::sys::open::{openat, pipe_with};
use crate::sys::signal::{self, SignalSet};
use core::ffi::CStr;
use heapless::Vec;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, read, retry_on_intr, write as write_fd};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

/// Writes both maps of the process `pid`, which is in the new user namespace.
///
/// Directly where the kernel allows it; else by newuidmap(1) and newgidmap(1), both at once. A map
/// is one write(2): the kernel takes no second one.
pub fn write<'a>(pid: Pid, maps: &Maps<'a>, caller_mask: SignalSet) -> Result<(), Failed> {
    let uid = Helper::start(pid, &maps.uid, caller_mask);
    let gid = Helper::start(pid, &maps.gid, caller_mask);
    let direct = write_direct(pid, maps);
    let finish = |helper: Result<Option<Helper<'a>>, Failed>| match helper {
        Ok(Some(helper)) => helper.finish(),
        Ok(None) => Ok(()),
        Err(failed) => Err(failed),
    };
    let (uid, gid) = (finish(uid), finish(gid));
    let refused = uid.and(gid).err();
    match (refused, maps.ranges) {
        // Nobody asked for the ranges: the caller's own ids can be mapped without help.
        (Some(failed), Wish::WhereTheyCanBeHad) if is_refusal(failed) => {
            let (_, path, said, errno) = failed.parts();
            let words = if said.is_empty() { path } else { said };
            fail::warn(Doing::LackRanges, [b"", words], errno, failed.cause());
            write_own(pid, maps, [uid, gid].map(|done| done.is_ok()))
        }
        (Some(failed), _) => Err(failed),
        (None, _) => direct,
    }
}

/// Whether a helper could not be run, or had no right to do its work: then nothing was written.
fn is_refusal(failed: Failed) -> bool {
    matches!(failed.parts().0, Doing::RunHelper | Doing::HelperRefused)
        // One's own ids cannot be mapped without it either.
        && failed.cause() != Some(Cause::NoProc)
}

/// The first line of each map that is not written yet.
fn write_own<'a>(pid: Pid, maps: &Maps<'a>, written: [bool; 2]) -> Result<(), Failed> {
    let [uid, gid] = [maps.uid.lines, maps.gid.lines].map(|lines| lines.get(..1).unwrap_or(lines));
    if written != [true, false] {
        put_map(pid, c"uid_map", uid)?;
    }
    if written != [false, true] {
        deny_setgroups(pid)?;
        put_map(pid, c"gid_map", gid)?;
    }
    Ok(())
}

fn deny_setgroups(pid: Pid) -> Result<(), Failed> {
    match put(pid, c"setgroups", b"deny") {
        // Linux before 3.19, and then the kernel does not ask for it.
        Err(Errno::NOENT) => Ok(()),
        done => done.doing(Doing::WriteMap, b"setgroups"),
    }
}

fn write_direct<'a>(pid: Pid, maps: &Maps<'a>) -> Result<(), Failed> {
    if maps.uid.writer == Writer::Husk {
        put_map(pid, c"uid_map", maps.uid.lines)?;
    }
    if maps.setgroups == Setgroups::Deny {
        deny_setgroups(pid)?;
    }
    if maps.gid.writer == Writer::Husk {
        put_map(pid, c"gid_map", maps.gid.lines)?;
    }
    Ok(())
}

fn put_map(pid: Pid, name: &'static CStr, lines: &[MapLine]) -> Result<(), Failed> {
    let mut text: Vec<u8, MAP_BYTES> = Vec::new();
    let fits = lines.iter().try_for_each(|line| {
        digits(&mut text, line.inside.0)?;
        text.push(b' ')?;
        digits(&mut text, line.outside.0)?;
        text.push(b' ')?;
        digits(&mut text, line.count)?;
        text.push(b'\n')
    });
    fits.map_err(|_| Errno::TOOBIG)
        .and_then(|()| put(pid, name, &text))
        .map_err(|errno| {
            let cause = (errno == Errno::NOENT).then_some(Cause::NoProc);
            Failure::caused(Doing::WriteMap, [name.to_bytes(), b""], Some(errno), cause)
        })
}

fn digits<const N: usize>(text: &mut Vec<u8, N>, number: u32) -> Result<(), u8> {
    let mut divisor = 1_000_000_000_u32;
    while divisor > 1 && divisor > number {
        divisor /= 10;
    }
    while divisor > 0 {
        let [digit, ..] = ((number / divisor) % 10).to_le_bytes();
        text.push(b'0'.wrapping_add(digit))?;
        divisor /= 10;
    }
    Ok(())
}

/// "/proc/", a pid, "/setgroups", NUL.
const PROC_PATH: usize = 32;

fn put(pid: Pid, name: &CStr, text: &[u8]) -> Result<(), Errno> {
    let (mut memory, mut number) = ([0_u8; PROC_PATH], Vec::<u8, 10>::new());
    let _ = digits(&mut number, pid.as_raw_nonzero().get().unsigned_abs());
    let path = Arena::new(&mut memory).c_string(&[b"/proc/", &number, b"/", name.to_bytes()]);
    let path = path.ok().flatten().ok_or(Errno::NAMETOOLONG)?;
    let file = openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    match retry_on_intr(|| write_fd(&file, text))? {
        written if written == text.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}

/// newuidmap(1) or newgidmap(1) at work.
struct Helper<'a> {
    path: &'a CStr,
    pid: Pid,
    /// What it says on standard error. Neither end blocks: a helper that says more than a pipe
    /// holds must not wait for us, who wait for it.
    words: Fd,
}

/// A helper's argument vector: its name, the pid, three numbers a line, NULL.
const ARGUMENTS: usize = 3 + 3 * crate::limits::MAP_LINES;
/// Its digits.
const DIGITS: usize = ARGUMENTS * 11;

/// What the process that becomes a helper needs.
struct Start<'a> {
    path: &'a CStr,
    argv: Words<'a>,
    words: &'a Fd,
    mask: SignalSet,
    errno: Option<Errno>,
}

impl<'a> Helper<'a> {
    /// Starts the helper of `map`, where it has one. It gets an empty environment: it is
    /// set-user-ID, and nothing of the caller's is its business.
    fn start(pid: Pid, map: &Map<'a>, mask: SignalSet) -> Result<Option<Self>, Failed> {
        let Writer::Helper(path) = map.writer else {
            return Ok(None);
        };
        let name = path.to_bytes();
        let mut numbers = [0_u8; DIGITS];
        let mut argv = WordList::<ARGUMENTS>::new();
        fill(&mut argv, &mut numbers, path, pid, map.lines).doing(Doing::RunHelper, name)?;
        let (reader, writer) =
            pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).doing(Doing::RunHelper, name)?;
        let mut start = Start {
            path,
            argv: argv.finish(),
            words: &writer,
            mask,
            errno: None,
        };
        let child = clone::borrowing(become_helper, &mut start).doing(Doing::RunHelper, name)?;
        if let Some(errno) = start.errno {
            let _ = retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()));
            let cause = cause::of_helper(path);
            let what = [name, b""];
            return Err(Failure::caused(Doing::RunHelper, what, Some(errno), cause));
        }
        Ok(Some(Self {
            path,
            pid: child,
            words: reader,
        }))
    }

    /// Waits for its end.
    fn finish(self) -> Result<(), Failed> {
        let name = self.path.to_bytes();
        let ended = retry_on_intr(|| waitpid(Some(self.pid), WaitOptions::empty()));
        let status = ended
            .doing(Doing::WaitForHelper, name)?
            .map(|(_, status)| status);
        if status.and_then(WaitStatus::exit_status) == Some(0) {
            return Ok(());
        }
        if let Some(signal) = status.and_then(WaitStatus::terminating_signal) {
            let signal = name_of_signal(signal).unwrap_or("RT").as_bytes();
            return Err(Failure::record(Doing::HelperKilled, name, signal, None));
        }
        let mut memory = [0_u8; WORDS];
        let words = [name, self.read_words(&mut memory)];
        let cause = cause::of_helper(self.path).or_else(cause::of_ranges);
        Err(Failure::caused(Doing::HelperRefused, words, None, cause))
    }

    /// What it said, in one line.
    fn read_words<'m>(&self, memory: &'m mut [u8; WORDS]) -> &'m [u8] {
        let length = retry_on_intr(|| read(&self.words, &mut memory[..])).unwrap_or(0);
        let said = memory.get_mut(..length).unwrap_or_default();
        for byte in said.iter_mut().filter(|byte| **byte == b'\n') {
            *byte = b' ';
        }
        match said.trim_ascii() {
            b"" => b"it ended without a word; run it by hand to see why",
            said => said,
        }
    }
}

/// Bytes of a helper's words that are shown.
const WORDS: usize = 1024;

fn fill<'n>(
    argv: &mut WordList<'n, ARGUMENTS>,
    numbers: &'n mut [u8],
    path: &'n CStr,
    pid: Pid,
    lines: &[MapLine],
) -> Result<(), Errno> {
    let mut arena = Arena::new(numbers);
    let mut word = |number: u32| -> Result<&'n CStr, Errno> {
        let mut text: Vec<u8, 10> = Vec::new();
        digits(&mut text, number).map_err(|_| Errno::TOOBIG)?;
        arena.c_string(&[&text]).ok().flatten().ok_or(Errno::TOOBIG)
    };
    let numbers = lines
        .iter()
        .flat_map(|line| [line.inside.0, line.outside.0, line.count]);
    argv.push(path).map_err(|_| Errno::TOOBIG)?;
    for number in core::iter::once(pid.as_raw_nonzero().get().unsigned_abs()).chain(numbers) {
        argv.push(word(number)?).map_err(|_| Errno::TOOBIG)?;
    }
    Ok(())
}

/// Runs on the supervisor's memory until execve(2).
fn become_helper(start: &mut Start<'_>) -> u8 {
    if let Err(errno) = become_stream(start.words, 2) {
        start.errno = Some(errno);
        return 127;
    }
    let _ = signal::set_mask(start.mask);
    start.errno = Some(execve(start.path, start.argv, Words::EMPTY));
    127
}
