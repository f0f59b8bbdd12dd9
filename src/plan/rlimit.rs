//! Limits of setrlimit(2) by its names in small letters.

use crate::text::{Text, words};

/// Names, in the order of their numbers (asm-generic/resource.h, which both architectures have). One
/// text, since every reference costs a relocation.
pub const NAMES: &str = "\
    cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, as, locks, sigpending, \
    msgqueue, nice, rtprio, rttime";

/// How many there are.
pub const COUNT: usize = 16;

/// RLIM64_INFINITY.
pub const UNLIMITED: u64 = u64::MAX;

/// A limit on one resource, in the units of setrlimit(2): seconds for cpu, microseconds for rttime,
/// bytes for as, core, data, fsize, memlock, msgqueue, rss and stack, numbers for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The resource, by its place in [`NAMES`].
    pub resource: u8,
    /// What is enforced.
    pub soft: u64,
    /// What the soft limit may be raised to; at least that.
    pub hard: u64,
}

/// The number of the resource of that name.
pub fn named(name: &str) -> Option<u8> {
    let number = words(NAMES).position(|known| known == name)?;
    u8::try_from(number).ok()
}

impl Limit {
    /// The resource's name.
    pub fn name(&self) -> &'static str {
        words(NAMES).nth(usize::from(self.resource)).unwrap_or("?")
    }

    /// Adds it as the command line spells it: `nofile=1024:4096`.
    pub fn put<const N: usize>(&self, text: &mut Text<N>) {
        text.put(self.name());
        text.put("=");
        put_amount(text, self.soft);
        if self.hard != self.soft {
            text.put(":");
            put_amount(text, self.hard);
        }
    }
}

/// Adds a number, or that there is none.
pub fn put_amount<const N: usize>(text: &mut Text<N>, amount: u64) {
    match amount {
        UNLIMITED => text.put("unlimited"),
        amount => text.number(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNT, NAMES, named};
    use crate::text::words;

    #[test]
    fn names_have_the_kernel_s_numbers() {
        assert_eq!(words(NAMES).count(), COUNT);
        assert_eq!(
            ["cpu", "nofile", "as", "rttime"].map(named),
            [0, 7, 9, 15].map(Some)
        );
        assert_eq!(named("NOFILE"), None);
    }
}
