//! The names in a directory: getdents64(2), whose records rustix takes apart with indices that may
//! panic.

use super::arch;
use super::check;
use super::fd::Fd;
use core::ffi::CStr;
use linux_raw_sys::general::__NR_getdents64;
use rustix::io::Errno;

/// Bytes of records at a time; the longest one has 280.
const BUFFER: usize = 2048;

/// Where a record has its length and its name (struct linux_dirent64).
const LENGTH: usize = 16;
const NAME: usize = 19;

/// A directory that is being read.
pub struct Directory {
    fd: Fd,
    buffer: [u8; BUFFER],
    at: usize,
    used: usize,
}

impl Directory {
    /// Reads the directory that was opened as `fd`, from where it stands.
    pub const fn new(fd: Fd) -> Self {
        Self {
            fd,
            buffer: [0; BUFFER],
            at: 0,
            used: 0,
        }
    }

    /// The next name but `.` and `..`; `None` at the end.
    pub fn next_name(&mut self) -> Result<Option<&CStr>, Errno> {
        loop {
            if self.at >= self.used {
                self.used = self.fill()?;
                self.at = 0;
                if self.used == 0 {
                    return Ok(None);
                }
            }
            let start = self.at;
            let record = self.buffer.get(start..self.used).unwrap_or_default();
            let [low, high] =
                [record.get(LENGTH), record.get(LENGTH + 1)].map(|b| b.copied().unwrap_or(0));
            let length = usize::from(u16::from_le_bytes([low, high]));
            if length <= NAME || length > record.len() {
                return Err(Errno::IO);
            }
            self.at = start.saturating_add(length);
            let is_link_to_directory = |name: &CStr| name == c"." || name == c"..";
            if !is_link_to_directory(name_in(&self.buffer, start)) {
                return Ok(Some(name_in(&self.buffer, start)));
            }
        }
    }

    fn fill(&mut self) -> Result<usize, Errno> {
        let pointer: *mut u8 = self.buffer.as_mut_ptr();
        let args = [self.fd.number() as usize, pointer as usize, BUFFER, 0, 0, 0];
        // SAFETY: the kernel writes at most BUFFER bytes to `buffer`.
        check(unsafe { arch::syscall(__NR_getdents64, args) })
    }
}

fn name_in(buffer: &[u8; BUFFER], start: usize) -> &CStr {
    let name = buffer.get(start.saturating_add(NAME)..).unwrap_or_default();
    CStr::from_bytes_until_nul(name).unwrap_or_default()
}
