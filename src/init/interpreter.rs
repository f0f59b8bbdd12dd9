//! The program that a file asks for: the one on its #! line, or the dynamic linker of an ELF file.
//!
//! execve(2) says ENOENT about the file when that program is what is missing. Naming it is half of
//! the cure.

use crate::sys::fd::Fd;
use crate::sys::open::openat;
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, pread, retry_on_intr};

/// Bytes of a #! line that the kernel looks at (execve(2)), and of the headers of an ELF file.
const HEAD: usize = 4096;

/// p_type of the program header that names the interpreter (elf(5)).
const PT_INTERP: u32 = 3;

fn open(file: &CStr) -> Result<Fd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    openat(CWD, file, flags, Mode::empty())
}

/// The first bytes of `file`.
pub fn head<'m>(file: &CStr, memory: &'m mut [u8]) -> Result<&'m [u8], Errno> {
    let file = open(file)?;
    let length = retry_on_intr(|| pread(&file, &mut *memory, 0))?;
    Ok(memory.get(..length).unwrap_or_default())
}

/// What `file` asks for; "unknown" when that cannot be told.
pub fn named_by<'m>(file: &CStr, memory: &'m mut [u8; HEAD]) -> &'m [u8] {
    find(file, memory).unwrap_or(b"unknown")
}

fn find<'m>(file: &CStr, memory: &'m mut [u8; HEAD]) -> Option<&'m [u8]> {
    let mut first = [0_u8; HEAD];
    let first = head(file, &mut first).ok()?;
    if let Some(line) = first.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii_start();
        let name = line.split(u8::is_ascii_whitespace).next()?;
        let place = memory.get_mut(..name.len())?;
        place.copy_from_slice(name);
        return Some(place);
    }
    let (offset, size) = elf_interpreter(first)?;
    let place = memory.get_mut(..usize::try_from(size).ok()?)?;
    let file = open(file).ok()?;
    let length = retry_on_intr(|| pread(&file, &mut *place, offset)).ok()?;
    let text = place.get(..length)?;
    text.split(|byte| *byte == 0).next()
}

/// Offset and size of the interpreter's name in a 64-bit little-endian ELF file.
fn elf_interpreter(head: &[u8]) -> Option<(u64, u64)> {
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let table = usize::try_from(long(head, 32)?).ok()?;
    let entry = usize::from(u16::from_le_bytes(head.get(54..56)?.try_into().ok()?));
    let count = usize::from(u16::from_le_bytes(head.get(56..58)?.try_into().ok()?));
    (0..count).find_map(|number| {
        let header = head.get(table.checked_add(number.checked_mul(entry)?)?..)?;
        let kind = u32::from_le_bytes(header.get(..4)?.try_into().ok()?);
        if kind != PT_INTERP {
            return None;
        }
        Some((long(header, 8)?, long(header, 32)?))
    })
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let end = at.checked_add(8)?;
    Some(u64::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}
