//! getsubids(1): the ranges of users whom a directory knows (subid of nsswitch.conf(5), shadow 4.9). A
//! static program has no other way to ask.

use super::files::for_each_line;
use super::helper;
use super::subid::{Range, Ranges, range};
use crate::arena::Arena;
use crate::limits::PATH_BYTES;
use crate::sys::clone;
use crate::sys::exec::{WordList, Words, execve};
use crate::sys::fd::{Fd, become_stream};
use crate::sys::open::{openat, pipe_with};
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags, fcntl_setfl};
use rustix::io::{read, retry_on_intr};
use rustix::pipe::PipeFlags;
use rustix::process::{WaitOptions, WaitStatus, waitpid};

/// Whether nsswitch.conf names another source than the files.
pub fn is_wanted() -> bool {
    let mut other = false;
    for_each_line(c"/etc/nsswitch.conf", &mut |line| {
        if let Some(sources) = line.trim_ascii().strip_prefix(b"subid:") {
            other = !sources.trim_ascii().starts_with(b"files");
        }
    });
    other
}

/// Of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// subuid(5).
    Uid,
    /// subgid(5).
    Gid,
}

/// What the process that becomes getsubids works with.
struct Start<'a> {
    program: &'a CStr,
    argv: Words<'a>,
    words: &'a Fd,
    nothing: &'a Fd,
}

/// Asks for the ranges of the user `name`. `None` where nobody can be asked.
pub fn ask(name: &CStr, kind: Kind, ranges: &mut Ranges) -> Option<()> {
    let mut memory = [0_u8; PATH_BYTES];
    let program = helper::installed(c"getsubids", &mut Arena::new(&mut memory))?;
    let mut argv = WordList::<4>::new();
    let group = (kind == Kind::Gid).then_some(c"-g");
    for word in [Some(program), group, Some(name)].into_iter().flatten() {
        argv.push(word).ok()?;
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).ok()?;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let nothing = openat(CWD, c"/dev/null", flags, Mode::empty()).ok()?;
    let mut start = Start {
        program,
        argv: argv.finish(),
        words: &writer,
        nothing: &nothing,
    };
    let pid = clone::borrowing(become_getsubids, &mut start).ok()?;
    drop(writer);
    let ended = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    let status = ended.ok().flatten().map(|(_, status)| status);
    if status.and_then(WaitStatus::exit_status) != Some(0) {
        // It knows of none, and says so in words of its own.
        return Some(());
    }
    // What it leaves running may hold its end open.
    fcntl_setfl(&reader, OFlags::NONBLOCK).ok()?;
    let mut said = [0_u8; PATH_BYTES];
    let mut used = 0_usize;
    while let Some(rest) = said.get_mut(used..).filter(|rest| !rest.is_empty()) {
        match retry_on_intr(|| read(&reader, &mut *rest)) {
            Ok(length @ 1..) => used = used.saturating_add(length),
            _ => break,
        }
    }
    let lines = said.get(..used).unwrap_or_default();
    for found in lines.split(|byte| *byte == b'\n').filter_map(parse) {
        // More than a map has lines for are of no use.
        let _ = ranges.push(found);
    }
    Some(())
}

/// The range in a line such as `0: alice 100000 65536`.
pub(super) fn parse(line: &[u8]) -> Option<Range> {
    let mut fields = line
        .split(|byte| *byte == b' ')
        .filter(|field| !field.is_empty());
    range(fields.nth(2)?, fields.next()?)
}

fn become_getsubids(start: &mut Start<'_>) -> u8 {
    // The command's input is not for it, and what it complains of is not for the user.
    let streams = [(start.nothing, 0), (start.words, 1), (start.nothing, 2)];
    let ready = |(fd, number): (&Fd, usize)| become_stream(fd, number).is_ok();
    if streams.into_iter().all(ready) {
        execve(start.program, start.argv, Words::EMPTY);
    }
    127
}
