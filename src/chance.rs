//! Chance for tests, and how long they rely on it.
//!
//! Without HUSK_FUZZ_SECONDS a test that looks for trouble makes a fixed number of rounds, the same
//! each time. With it, `HUSK_FUZZ_SECONDS=60 cargo test --release --lib fuzz` looks for that long,
//! somewhere else each time.

use std::time::{Duration, Instant, SystemTime};

/// A generator of numbers (xorshift).
pub struct Chance(u64);

impl Chance {
    /// A number below `limit`, or 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    /// One of `all`.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Calls `round` `rounds` times, or for as long as the environment says.
pub fn for_rounds(rounds: u64, mut round: impl FnMut(&mut Chance)) {
    let seconds = std::env::var("HUSK_FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let seed = end.map_or(1, |_| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos());
    let mut chance = Chance(u64::try_from(seed).unwrap() | 1);
    let mut made = 0_u64;
    while end.map_or(made < rounds, |end| Instant::now() < end) {
        made += 1;
        round(&mut chance);
    }
    println!("{made} rounds");
}
