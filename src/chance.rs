//! Chance for tests, and how long they rely on it.
//!
//! Without HUSK_FUZZ_SECONDS a test that looks for trouble makes a fixed number of rounds, the same
//! each time. With it, `HUSK_FUZZ_SECONDS=60 cargo test --release --lib fuzz` looks for that long,
//! somewhere else each time.

use std::fs;
use std::path::Path;
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

/// What stands between two inputs of a corpus.
const SEPARATOR: &[u8] = b"\n%%\n";

/// Inputs that lead everywhere in a reader: tests/corpus/TARGET. libFuzzer found them by the branches
/// that they take, and left out those without which as many are taken.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut rest = &fs::read(directory.join(target)).unwrap()[..];
    let mut inputs = Vec::new();
    let find = |text: &[u8]| text.windows(SEPARATOR.len()).position(|it| it == SEPARATOR);
    while let Some(end) = find(rest) {
        inputs.push(rest[..end].to_vec());
        rest = &rest[end + SEPARATOR.len()..];
    }
    assert!(inputs.len() > 50, "{target}: {}", inputs.len());
    inputs
}

impl Chance {
    /// An input with a few pieces cut out, turned into others, or brought in from its neighbours.
    fn near(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(3) {
            let other = &inputs[self.below(inputs.len())];
            let (from, to) = self.piece(&input);
            let (first, last) = self.piece(other);
            match self.below(4) {
                0 => drop(input.drain(from..to)),
                1 => drop(input.splice(from..to, other[first..last].iter().copied())),
                2 => drop(input.splice(from..from, other[first..last].iter().copied())),
                _ => {
                    let byte = u8::try_from(self.below(256)).unwrap();
                    input
                        .iter_mut()
                        .skip(from)
                        .take(1)
                        .for_each(|it| *it = byte);
                }
            }
        }
        input
    }

    fn piece(&mut self, input: &[u8]) -> (usize, usize) {
        let from = self.below(input.len() + 1);
        let longest = [2, 9, 99][self.below(3)];
        (from, (from + self.below(longest)).min(input.len()))
    }
}

/// Calls `round` with every input of the corpus of `target`, and then with what is near them, as
/// [`for_rounds`] does.
pub fn for_inputs(target: &str, rounds: u64, mut round: impl FnMut(&mut Chance, &[u8])) {
    let inputs = corpus(target);
    for input in &inputs {
        round(&mut Chance(1), input);
    }
    for_rounds(rounds, |chance| {
        let input = chance.near(&inputs);
        round(chance, &input);
    });
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
