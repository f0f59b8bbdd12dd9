//! The one piece of memory that holds decoded text: bytes taken from the front, never given back.

use core::ffi::CStr;
use core::mem;

/// Bytes that are handed out once.
pub struct Arena<'a> {
    rest: &'a mut [u8],
}

/// The arena is used up: see [`crate::limits::ARENA_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<'a> Arena<'a> {
    /// An arena that hands out `memory`.
    pub const fn new(memory: &'a mut [u8]) -> Self {
        Self { rest: memory }
    }

    /// The first `length` of the bytes that are left.
    pub fn take(&mut self, length: usize) -> Result<&'a mut [u8], Full> {
        if length > self.rest.len() {
            return Err(Full);
        }
        let rest = mem::take(&mut self.rest);
        let (taken, left) = rest.split_at_mut_checked(length).ok_or(Full)?;
        self.rest = left;
        Ok(taken)
    }

    /// A C string of `parts` one after the other. `None` where one holds a NUL.
    pub fn c_string(&mut self, parts: &[&[u8]]) -> Result<Option<&'a CStr>, Full> {
        let length = parts
            .iter()
            .fold(1_usize, |sum, part| sum.saturating_add(part.len()));
        let taken = self.take(length)?;
        let bytes = parts
            .iter()
            .flat_map(|part| part.iter())
            .chain(core::iter::once(&0));
        for (to, from) in taken.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(whole(taken))
    }

    /// What [`Arena::take`] can still give.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Lends all that is left to `write`, and keeps for good as many bytes as that says it used.
    pub fn write_with<E>(
        &mut self,
        write: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Result<&'a [u8], E>, Full> {
        let used = match write(self.rest) {
            Ok(used) => used,
            Err(error) => return Ok(Err(error)),
        };
        self.take(used).map(|taken| Ok(&*taken))
    }
}

/// The C string that fills `bytes`; `None` where there is a NUL before the last byte, or none.
pub fn whole(bytes: &[u8]) -> Option<&CStr> {
    let text = CStr::from_bytes_until_nul(bytes).ok()?;
    (text.count_bytes().saturating_add(1) == bytes.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{Arena, Full};

    #[test]
    fn what_is_taken_is_not_taken_again() {
        let mut memory = [0; 8];
        let mut arena = Arena::new(&mut memory);
        assert_eq!(arena.c_string(&[b"ab", b"c"]).unwrap().unwrap(), c"abc");
        assert_eq!(arena.c_string(&[b"x\0y"]), Ok(None));
        assert_eq!(arena.left(), 0);
        assert_eq!(arena.c_string(&[b""]), Err(Full));
    }
}
