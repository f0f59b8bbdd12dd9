//! uid_map, setgroups and gid_map of the new user namespace.
//!
//! Whoever maps nothing but its own ids does so from inside, and the supervisor has nothing to do
//! for which PID 1 would have to wait. All else takes a capability outside, or who has it.

mod helper;

use crate::arena::Arena;
use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::limits::MAP_BYTES;
use crate::plan::id::MapLine;
use crate::plan::id_map::{Maps, Setgroups, Wish, Writer};
use crate::sys::open::openat;
use crate::sys::signal::SignalSet;
use core::ffi::CStr;
use core::mem;
use heapless::Vec;
use helper::Helper;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr, write as write_fd};
use rustix::process::{DumpableBehavior, Pid, set_dumpable_behavior};

/// Whose maps.
#[derive(Clone, Copy)]
enum Of {
    /// This process's own.
    Own,
    /// Those of the process with that pid.
    Process(Pid),
}

/// Writes both maps of this process, the first one in the new user namespace.
pub fn write_own<'a>(maps: &Maps<'a>) -> Result<(), Failed> {
    write_direct(Of::Own, maps)
}

/// Writes both maps of the process `pid`, which is in the new user namespace.
///
/// Directly where the kernel allows it; else by newuidmap(1) and newgidmap(1), both at once. A map
/// is one write(2): the kernel takes no second one.
pub fn write<'a>(pid: Pid, maps: &Maps<'a>, caller_mask: SignalSet) -> Result<(), Failed> {
    let uid = Helper::start(pid, &maps.uid, caller_mask);
    let gid = Helper::start(pid, &maps.gid, caller_mask);
    let direct = write_direct(Of::Process(pid), maps);
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
            write_first_lines(Of::Process(pid), maps, [uid, gid].map(|done| done.is_ok()))
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
fn write_first_lines<'a>(of: Of, maps: &Maps<'a>, written: [bool; 2]) -> Result<(), Failed> {
    let [uid, gid] = [maps.uid.lines, maps.gid.lines].map(|lines| lines.get(..1).unwrap_or(lines));
    if written != [true, false] {
        put_map(of, c"uid_map", uid)?;
    }
    if written != [false, true] {
        deny_setgroups(of)?;
        put_map(of, c"gid_map", gid)?;
    }
    Ok(())
}

fn deny_setgroups(of: Of) -> Result<(), Failed> {
    match put(of, c"setgroups", b"deny") {
        // Linux before 3.19, and then the kernel does not ask for it.
        Err(Errno::NOENT) => Ok(()),
        done => done.doing(Doing::WriteMap, b"setgroups"),
    }
}

fn write_direct<'a>(of: Of, maps: &Maps<'a>) -> Result<(), Failed> {
    if maps.uid.writer == Writer::Husk {
        put_map(of, c"uid_map", maps.uid.lines)?;
    }
    if maps.setgroups == Setgroups::Deny {
        deny_setgroups(of)?;
    }
    if maps.gid.writer == Writer::Husk {
        put_map(of, c"gid_map", maps.gid.lines)?;
    }
    Ok(())
}

/// Bytes of a map that fits the page of the stack that is in use.
const SHORT: usize = 256;

fn put_map(of: Of, name: &'static CStr, lines: &[MapLine]) -> Result<(), Failed> {
    // Three numbers of ten digits to a line.
    match lines.len() <= SHORT / 33 {
        true => put_text::<SHORT>(of, name, lines),
        false => put_text::<MAP_BYTES>(of, name, lines),
    }
}

#[inline(never)]
fn put_text<const N: usize>(of: Of, name: &'static CStr, lines: &[MapLine]) -> Result<(), Failed> {
    let mut text: Vec<u8, N> = Vec::new();
    let fits = lines.iter().try_for_each(|line| {
        digits(&mut text, line.inside.0)?;
        text.push(b' ')?;
        digits(&mut text, line.outside.0)?;
        text.push(b' ')?;
        digits(&mut text, line.count)?;
        text.push(b'\n')
    });
    fits.map_err(|_| Errno::TOOBIG)
        .and_then(|()| put(of, name, &text))
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

fn put(of: Of, name: &CStr, text: &[u8]) -> Result<(), Errno> {
    let (mut memory, mut number) = ([0_u8; PROC_PATH], Vec::<u8, 10>::new());
    let process: &[u8] = match of {
        Of::Own => b"self",
        Of::Process(pid) => {
            let _ = digits(&mut number, pid.as_raw_nonzero().get().unsigned_abs());
            &number
        }
    };
    let path = Arena::new(&mut memory).c_string(&[b"/proc/", process, b"/", name.to_bytes()]);
    let path = path.ok().flatten().ok_or(Errno::NAMETOOLONG)?;
    let open = || openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    let file = match (open(), of) {
        // A process whose file its user may not read has a /proc of root's.
        (Err(Errno::ACCESS), Of::Own) => {
            let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
            open()
        }
        (opened, _) => opened,
    }?;
    let written = retry_on_intr(|| write_fd(&file, text))?;
    if let Of::Own = of {
        // PID 1 closes everything at once.
        mem::forget(file);
    }
    match written {
        written if written == text.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}
