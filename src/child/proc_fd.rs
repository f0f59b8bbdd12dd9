//! /proc/self/fd/N: how mount(2), which knows paths only, is told about exactly the file that was
//! opened.

use crate::text::Decimal;
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fd::AsRawFd;

const PREFIX: &[u8; 14] = b"/proc/self/fd/";

/// The path of a descriptor in /proc.
pub struct ProcFd([u8; PREFIX.len() + Decimal::MOST + 1]);

impl ProcFd {
    /// The path of `fd`.
    pub fn new(fd: impl AsFd) -> Self {
        Self::of_number(fd.as_fd().as_raw_fd().unsigned_abs())
    }

    #[inline(never)]
    fn of_number(number: u32) -> Self {
        let mut path = [0_u8; PREFIX.len() + Decimal::MOST + 1];
        let number = Decimal::new(number);
        for (to, from) in path.iter_mut().zip(PREFIX.iter().chain(number.bytes())) {
            *to = *from;
        }
        Self(path)
    }

    /// As mount(2) takes it.
    pub fn path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }

    /// Without its NUL.
    pub fn bytes(&self) -> &[u8] {
        self.path().to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::ProcFd;

    #[test]
    fn the_number_is_written_in_full() {
        for number in [0, 9, 10, 4_294_967_295] {
            let path = ProcFd::of_number(number);
            let wanted = String::from("/proc/self/fd/") + &number.to_string();
            assert_eq!(path.bytes(), wanted.as_bytes());
        }
    }
}
