//! What was asked and cannot be: words, before anything was started.

use crate::config::place::Place;

/// Why a request is refused, and where it was made. Kept in static memory like [`super::Failure`].
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it was written.
    pub place: Place,
    /// The key or flag that it is about; empty where the place says enough.
    pub subject: &'static str,
    /// What is wrong.
    pub what: What<'static>,
}

/// A refusal on its way to the user.
pub type Refused = &'static Refusal;

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// A sentence that says what good ones look like.
    Text(&'static str),
    /// A sentence that ends in what was found.
    Found(&'static str, &'a str),
    /// No such key, flag, word; perhaps another was meant; else these exist.
    Unknown {
        /// "key", "flag", "namespace" …
        kind: &'static str,
        /// As it was written.
        found: &'a str,
        /// The nearest that exists, when one is near.
        nearest: Option<&'a str>,
        /// What exists, when that fits a line.
        allowed: &'static str,
    },
    /// `found` is there, `wanted` was expected.
    WrongType {
        /// "a string", "an integer" …
        wanted: &'static str,
        /// "a boolean" …
        found: &'static str,
    },
    /// A number outside of its range.
    OutOfRange {
        /// As it was written.
        found: &'a str,
        /// The lowest that is allowed.
        least: u32,
        /// The highest that is allowed.
        most: u32,
    },
    /// An instruction of a program, from 0, and what is wrong with it.
    Instruction(u32, &'static str),
    /// More than fit.
    TooMany {
        /// The number that fits.
        limit: u32,
        /// "lines; user_namespaces(7) allows no more" …
        of: &'static str,
    },
    /// Two things that exclude each other.
    Excludes(&'static str),
    /// An id that is needed inside and that no map line covers.
    Unmapped(u32),
    /// Two map lines that overlap; the other one stands on this line of the file.
    Overlaps(Place),
}

impl Refusal {
    /// A refusal of what stands at `place`. What was found there is copied.
    #[cold]
    #[inline(never)]
    pub fn new(place: Place, subject: &str, what: What<'_>) -> Refused {
        let mut memory = memory::Text::new();
        let mut kept = |text: &str| {
            memory.keep(
                text.get(..text.floor_char_boundary(SHOWN))
                    .unwrap_or_default(),
            )
        };
        let subject = kept(subject);
        let what = match what {
            What::Unknown {
                kind,
                found,
                nearest,
                allowed,
            } => What::Unknown {
                kind,
                found: kept(found),
                nearest: nearest.map(&mut kept),
                allowed,
            },
            What::OutOfRange { found, least, most } => What::OutOfRange {
                found: kept(found),
                least,
                most,
            },
            What::Found(text, found) => What::Found(text, kept(found)),
            What::Text(text) => What::Text(text),
            What::Instruction(number, text) => What::Instruction(number, text),
            What::WrongType { wanted, found } => What::WrongType { wanted, found },
            What::TooMany { limit, of } => What::TooMany { limit, of },
            What::Excludes(other) => What::Excludes(other),
            What::Unmapped(id) => What::Unmapped(id),
            What::Overlaps(other) => What::Overlaps(other),
        };
        memory::keep(Self {
            place,
            subject,
            what,
        })
    }

    /// A refusal that is one sentence.
    #[cold]
    #[inline(never)]
    pub fn text(place: Place, subject: &str, text: &'static str) -> Refused {
        Self::new(place, subject, What::Text(text))
    }
}

/// Bytes of a wrong word that are shown.
const SHOWN: usize = 256;

#[cfg(not(test))]
mod memory {
    //! There is one refusal in the life of a husk.

    use super::{Refusal, Refused, SHOWN};
    use crate::arena::Arena;
    use crate::config::place::Place;
    use crate::sys::storage::Storage;
    use heapless::Vec;

    static RECORD: Storage<Vec<Refusal, 1>> = Storage::new(Vec::new());
    static TEXT: Storage<[u8; 3 * SHOWN]> = Storage::new([0; 3 * SHOWN]);
    static UNTOLD: Refusal = Refusal {
        place: Place::Nowhere,
        subject: "",
        what: super::What::Text("refused"),
    };

    pub fn keep(refusal: Refusal) -> Refused {
        let Some(record) = RECORD.take() else {
            return &UNTOLD;
        };
        let _ = record.push(refusal);
        record.first().unwrap_or(&UNTOLD)
    }

    /// Copies of the texts of a refusal.
    pub struct Text(Arena<'static>);

    impl Text {
        pub fn new() -> Self {
            Self(Arena::new(
                TEXT.take().map_or(&mut [], |memory| &mut memory[..]),
            ))
        }

        pub fn keep(&mut self, text: &str) -> &'static str {
            let Ok(kept) = self.0.take(text.len()) else {
                return "";
            };
            for (to, from) in kept.iter_mut().zip(text.as_bytes()) {
                *to = *from;
            }
            core::str::from_utf8(kept).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod memory {
    //! In a test there are many.

    use super::{Refusal, Refused};
    use std::borrow::ToOwned;
    use std::boxed::Box;

    pub fn keep(refusal: Refusal) -> Refused {
        Box::leak(Box::new(refusal))
    }

    pub struct Text;

    impl Text {
        pub const fn new() -> Self {
            Self
        }

        pub fn keep(&mut self, text: &str) -> &'static str {
            Box::leak(text.to_owned().into_boxed_str())
        }
    }
}
