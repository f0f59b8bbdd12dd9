//! newuidmap(1) and newgidmap(1), which have the right to map the caller's ranges.

use super::digits;
use crate::arena::Arena;
use crate::fail::{Doing, Explain, Failed, Failure};
use crate::host::cause;
use crate::plan::id::MapLine;
use crate::plan::id_map::{Map, Writer};
use crate::plan::signal::name as name_of_signal;
use crate::sys::clone;
use crate::sys::exec::{WordList, Words, execve};
use crate::sys::fd::{Fd, become_stream};
use crate::sys::open::pipe_with;
use crate::sys::signal::{self, SignalSet};
use core::ffi::CStr;
use heapless::Vec;
use rustix::io::{Errno, read, retry_on_intr};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

/// One of them at work.
pub struct Helper<'a> {
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
    pub fn start(pid: Pid, map: &Map<'a>, mask: SignalSet) -> Result<Option<Self>, Failed> {
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
    pub fn finish(self) -> Result<(), Failed> {
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
            return Err(Failure::caused(
                Doing::HelperKilled,
                [name, signal],
                None,
                None,
            ));
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
