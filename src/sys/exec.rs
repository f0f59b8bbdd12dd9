//! execve(2) and the NULL-terminated arrays that it takes.

use super::arch;
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::ptr;
use heapless::Vec;
use linux_raw_sys::general::__NR_execve;
use rustix::io::Errno;

/// A pointer to a C string that lives for `'a`, or NULL.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Word<'a>(*const c_char, PhantomData<&'a CStr>);

// SAFETY: a word is as good as the `&'a CStr` that it was made from, which is `Send`.
unsafe impl Send for Word<'_> {}

impl<'a> Word<'a> {
    const END: Self = Self(ptr::null(), PhantomData);

    const fn letter(self) -> Option<u8> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: as in `text`; a C string has a byte at least, which is its end.
        Some(unsafe { self.0.cast::<u8>().read() })
    }

    const fn text(self) -> Option<&'a CStr> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: a word that is not NULL was made from a `&'a CStr` in `WordList::push`, or is one
        // of the kernel's words for this program (see `Words::from_kernel`).
        Some(unsafe { CStr::from_ptr(self.0) })
    }
}

/// A list of words as execve(2) takes it: the last one is NULL, which the constructors see to.
#[derive(Clone, Copy)]
pub struct Words<'a>(&'a [Word<'a>]);

impl<'a> Words<'a> {
    /// No words.
    pub const EMPTY: Self = Self(&[Word::END]);

    /// The list that starts at `first` and ends at the first NULL.
    ///
    /// # Safety
    /// `first` must be an array of pointers to C strings that ends in NULL, and all of it must live
    /// and stay unchanged for `'a`.
    pub(super) unsafe fn from_kernel(first: *const *const c_char) -> Self {
        let mut length = 0_usize;
        loop {
            // SAFETY: the caller vouches for every word up to the first NULL, and that one is not
            // passed.
            let word = unsafe { first.wrapping_add(length).read() };
            length = length.saturating_add(1);
            if word.is_null() {
                break;
            }
        }
        // SAFETY: `length` words were just read, and `Word` is a transparent pointer.
        Self(unsafe { core::slice::from_raw_parts(first.cast(), length) })
    }

    /// The words.
    pub fn iter(self) -> impl Iterator<Item = &'a CStr> {
        self.0.iter().filter_map(|word| word.text())
    }

    /// The words that begin with one of these letters. Of the others no more is read: an
    /// environment is long, and little of it concerns husk.
    pub fn beginning_with(self, letters: &[u8]) -> impl Iterator<Item = &'a CStr> {
        let begins = |word: &&Word<'a>| word.letter().is_some_and(|found| letters.contains(&found));
        self.0.iter().filter(begins).filter_map(|word| word.text())
    }

    /// The first word.
    pub fn first(self) -> Option<&'a CStr> {
        self.iter().next()
    }

    /// The list without its first `count` words; empty when there are not as many.
    pub fn skip(self, count: usize) -> Self {
        match self.0.get(count..) {
            Some(rest) if !rest.is_empty() => Self(rest),
            _ => Self::EMPTY,
        }
    }

    /// How many words.
    pub fn len(self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A list of up to `N` - 1 words that is being made.
pub struct WordList<'a, const N: usize>(Vec<Word<'a>, N>);

impl<'a, const N: usize> WordList<'a, N> {
    /// An empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a word.
    ///
    /// # Errors
    /// Gives the word back when the list is full.
    pub fn push(&mut self, word: &'a CStr) -> Result<(), &'a CStr> {
        if self.0.len() >= N.saturating_sub(1) {
            return Err(word);
        }
        self.0
            .push(Word(word.as_ptr(), PhantomData))
            .map_err(|_| word)
    }

    /// Removes the words for which `keep` is false.
    pub fn retain(&mut self, mut keep: impl FnMut(&CStr) -> bool) {
        self.0.retain(|word| word.text().is_some_and(&mut keep));
    }

    /// The list, ended.
    pub fn finish(&mut self) -> Words<'_> {
        // `push` leaves room for one.
        match self.0.push(Word::END) {
            Ok(()) => Words(self.0.as_slice()),
            Err(_) => Words::EMPTY,
        }
    }
}

impl<const N: usize> Default for WordList<'_, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// execve(2). Returns only when it was refused.
pub fn execve(path: &CStr, argv: Words<'_>, envp: Words<'_>) -> Errno {
    let args = [
        path.as_ptr() as usize,
        argv.0.as_ptr() as usize,
        envp.0.as_ptr() as usize,
        0,
        0,
        0,
    ];
    // SAFETY: `path` is a C string, and both lists end in NULL (see `Words`); the kernel only reads
    // them.
    let returned = unsafe { arch::syscall(__NR_execve, args) };
    super::check(returned).err().unwrap_or(Errno::NOEXEC)
}
