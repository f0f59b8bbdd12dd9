//! Whole files into the arena.

use crate::arena::Arena;
use crate::limits::PATH_BYTES;
use crate::sys::fd::inherited;
use crate::sys::open::openat;
use core::ffi::CStr;
use heapless::Vec;
use rustix::fd::AsFd;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat};
use rustix::io::{Errno, read, retry_on_intr};

/// Reads the regular file `path` of at most `most` bytes.
///
/// # Errors
/// Those of open(2) and read(2); EISDIR for a directory, EINVAL for other things that are not
/// files, FBIG for a larger file.
pub fn read_whole<'a>(path: &CStr, most: usize, arena: &mut Arena<'a>) -> Result<&'a [u8], Errno> {
    // Without O_NONBLOCK a fifo would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat(CWD, path, flags, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => (),
        FileType::Directory => return Err(Errno::ISDIR),
        _ => return Err(Errno::INVAL),
    }
    arena
        .write_with(|memory| fill(file.as_fd(), most, memory))
        .unwrap_or(Err(Errno::FBIG))
}

/// Reads at most `most` bytes from what descriptor `number` is, to its end.
///
/// # Errors
/// Those of read(2); FBIG for more.
pub fn read_descriptor<'a>(
    number: u32,
    most: usize,
    arena: &mut Arena<'a>,
) -> Result<&'a [u8], Errno> {
    let file = inherited(number)?;
    arena
        .write_with(|memory| fill(file, most, memory))
        .unwrap_or(Err(Errno::FBIG))
}

fn fill(file: impl AsFd, most: usize, memory: &mut [u8]) -> Result<usize, Errno> {
    let room = memory.len().min(most.saturating_add(1));
    let mut used = 0_usize;
    while let Some(rest) = memory.get_mut(used..room).filter(|rest| !rest.is_empty()) {
        match retry_on_intr(|| read(&file, &mut *rest))? {
            0 => return Ok(used),
            count => used = used.saturating_add(count),
        }
    }
    Err(Errno::FBIG)
}

/// Bytes of a line that are looked at: two paths.
const LINE: usize = 2 * PATH_BYTES;

/// Hands every line of `path` to `each`, without its newline; of one longer than two paths the
/// beginning. Where the file cannot be read there are none.
pub fn for_each_line(path: &CStr, each: &mut dyn FnMut(&[u8])) {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let Ok(file) = openat(CWD, path, flags, Mode::empty()) else {
        return;
    };
    let mut line: Vec<u8, LINE> = Vec::new();
    let mut buffer = [0_u8; 1024];
    while let Ok(length @ 1..) = retry_on_intr(|| read(&file, &mut buffer[..])) {
        for byte in buffer.iter().take(length) {
            if *byte != b'\n' {
                let _ = line.push(*byte);
                continue;
            }
            each(&line);
            line.clear();
        }
    }
    if !line.is_empty() {
        each(&line);
    }
}
