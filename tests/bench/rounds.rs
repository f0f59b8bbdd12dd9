//! Times of whole processes, side by side: rounds of all of them, each round in an order of its own.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Times, the shortest first.
pub struct Times(Vec<Duration>);

impl Times {
    /// Of so many runs.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// The microseconds that so many hundredths of them do not pass: 50 is the median.
    pub fn quantile(&self, hundredths: usize) -> f64 {
        self.0[(self.0.len() - 1) * hundredths / 100].as_secs_f64() * 1e6
    }
}

/// How often each is run before it counts.
const WARM_UP: usize = 20;

/// How long each of these takes until it has been waited for. All have to succeed.
pub fn interleaved(commands: &mut [Command], rounds: usize) -> Vec<Times> {
    let run = |command: &mut Command| {
        let status = command.status().unwrap();
        assert!(status.success(), "{command:?}: {status}");
    };
    let mut works: Vec<Box<dyn FnMut() + '_>> = Vec::new();
    for command in commands {
        works.push(Box::new(move || run(command)));
    }
    interleaved_works(&mut works, rounds)
}

/// The same for anything.
pub fn interleaved_works(works: &mut [Box<dyn FnMut() + '_>], rounds: usize) -> Vec<Times> {
    let mut times = vec![Vec::with_capacity(rounds); works.len()];
    let mut order: Vec<usize> = (0..works.len()).collect();
    let mut chance = Chance::new();
    let warm_up = WARM_UP.min(rounds);
    for round in 0..warm_up + rounds {
        chance.shuffle(&mut order);
        for index in &order {
            let begin = Instant::now();
            works[*index]();
            let time = begin.elapsed();
            if round >= warm_up {
                times[*index].push(time);
            }
        }
    }
    times.into_iter().map(Times::new).collect()
}

/// Numbers that nobody depends on: xorshift, seeded by the clock.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Self(u64::from(now.subsec_nanos()) | 1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            items.swap(last, usize::try_from(self.0 >> 1).unwrap() % (last + 1));
        }
    }
}
