//! The program that a file asks for: the one on its #! line, or the dynamic linker of an ELF file.
//!
//! execve(2) says ENOENT about the file when that program is what is missing. Naming it is half of
//! the cure.

use crate::limits::PROC_SUPER_MAGIC;
use crate::sys::fd::Fd;
use crate::sys::open::openat;
use crate::sys::start::own_head;
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags, statat, statfs};
use rustix::io::{Errno, pread, retry_on_intr};

/// A file, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// st_dev.
    pub device: u64,
    /// st_ino.
    pub inode: u64,
}

impl FileId {
    /// What is at `path`, links followed.
    pub fn of(path: &CStr) -> Result<Self, Errno> {
        let stat = retry_on_intr(|| statat(CWD, path, rustix::fs::AtFlags::empty()))?;
        Ok(Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        })
    }
}

/// Bytes of an ELF file in which its headers are.
const HEAD: usize = 4096;

/// Bytes of a #! line that the kernel looks at (BINPRM_BUF_SIZE).
const SHEBANG: usize = 256;

/// p_type of the program header that names the interpreter (elf(5)).
const PT_INTERP: u32 = 3;

fn open(file: &CStr) -> Result<Fd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    openat(CWD, file, flags, Mode::empty())
}

/// The first bytes of `file`.
pub fn head<'m>(file: &CStr, memory: &'m mut [u8]) -> Result<&'m [u8], Errno> {
    let file = open(file)?;
    let length = retry_on_intr(|| pread(&file, &mut *memory, 0));
    file.leave();
    let length = length?;
    Ok(memory.get(..length).unwrap_or_default())
}

/// What `file` asks for; "unknown" when that cannot be told.
pub fn named_by<'m>(file: &CStr, memory: &'m mut [u8; HEAD]) -> &'m [u8] {
    find(file, memory).unwrap_or(b"unknown")
}

/// What a file needs to be run.
pub enum Asked<'m> {
    /// Nothing, as far as can be told.
    Nothing,
    /// This program.
    For(&'m [u8]),
    /// Another machine than this one.
    AnotherMachine,
}

/// What running `file` takes beside the file.
pub fn asked_for<'m>(file: &CStr, memory: &'m mut [u8; HEAD]) -> Asked<'m> {
    /// e_machine of elf(5).
    const MACHINE: [u8; 2] = match cfg!(target_arch = "x86_64") {
        true => [62, 0],
        false => [183, 0],
    };
    /// EM_386, whose programs x86_64 runs as well.
    const I386: [u8; 2] = [3, 0];
    let mut first = [0_u8; 20];
    match head(file, &mut first) {
        Ok([0x7f, b'E', b'L', b'F', .., low, high])
            if [*low, *high] != MACHINE && [*low, *high] != I386 =>
        {
            return Asked::AnotherMachine;
        }
        _ => (),
    }
    find(file, memory).map_or(Asked::Nothing, Asked::For)
}

/// The program on the #! line at the beginning of a file.
fn of_script(head: &[u8]) -> Option<&[u8]> {
    let line = head.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii_start();
    line.split(u8::is_ascii_whitespace).next()
}

/// Scripts that the kernel follows from one to the next (execve(2): 4 since Linux 2.6.28).
const SCRIPTS: usize = 5;

/// husk's own file: who it is can be known beforehand, or asked when it matters.
#[derive(Clone, Copy, Debug)]
pub enum OwnFile {
    /// It is this.
    Is(FileId),
    /// It is what the container's /proc/self/exe leads to: husk has mounted a proc there, and nothing
    /// else leads to a file that is not in the container.
    AsProcSays,
}

impl OwnFile {
    /// Whether it is what is at `path`. Yes where that cannot be told.
    #[cold]
    fn is(self, path: &CStr) -> bool {
        let own = match self {
            Self::Is(own) => Some(own),
            Self::AsProcSays => match statfs(c"/proc/self/stat") {
                Ok(found) if found.f_type == PROC_SUPER_MAGIC => FileId::of(c"/proc/self/exe").ok(),
                _ => None,
            },
        };
        own.is_none_or(|own| FileId::of(path) == Ok(own))
    }
}

/// Whether running `file`, by way of #! lines, comes to run `own`, which is husk's file.
///
/// Most files do not begin as husk does, and are not asked who they are.
pub fn leads_to(file: &CStr, own: OwnFile) -> bool {
    let (mut memory, mut path) = ([0_u8; SHEBANG], [0_u8; SHEBANG]);
    let mut next = file;
    for _ in 0..SCRIPTS {
        let name = match head(next, &mut memory) {
            Ok(head) if head.starts_with(own_head()) => return own.is(next),
            Ok(head) => of_script(head),
            // What may be executed and not be read is no script.
            Err(_) => return own.is(next),
        };
        let Some(name) = name else {
            return false;
        };
        // A longer name than fits is cut by the kernel as well.
        for (to, from) in path
            .iter_mut()
            .zip(name.iter().take(SHEBANG - 1).chain(&[0]))
        {
            *to = *from;
        }
        next = CStr::from_bytes_until_nul(&path).unwrap_or_default();
    }
    false
}

fn find<'m>(file: &CStr, memory: &'m mut [u8; HEAD]) -> Option<&'m [u8]> {
    let mut first = [0_u8; HEAD];
    let first = head(file, &mut first).ok()?;
    if let Some(name) = of_script(first) {
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
