//! Limits of a cgroup of version 2 (cgroups(7) and the kernel's cgroup-v2.rst).

use super::rlimit::UNLIMITED;
use crate::text::{Text, split_once, words};
use core::ffi::CStr;

/// Keys of `[cgroup]`: where, and then what, in the order of [`FILES`].
pub const KEYS: &str = "\
    parent, memory, memory_high, memory_swap, pids_limit, cpus, cpu_weight, io_weight";

/// The file of each.
const FILES: &str = "\
    memory.max, memory.high, memory.swap.max, pids.max, cpu.max, cpu.weight, io.weight";

/// How many there are.
pub const COUNT: usize = 7;

/// memory.max.
pub const MEMORY: u8 = 0;
/// memory.swap.max.
pub const SWAP: u8 = 2;
const CPUS: u8 = 4;

/// Microseconds of the period for which cpu.max has a quota: the kernel's default.
pub const PERIOD: u64 = 100_000;

/// What one limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Processes.
    Number,
    /// Microseconds of each [`PERIOD`].
    Cpus,
    /// 1 to 10000, 100 being everybody's.
    Weight,
}

/// The container's cgroup.
#[derive(Clone, Copy)]
pub struct Cgroup<'a> {
    /// The directory below which it is made; `None` for the caller's own.
    pub parent: Option<&'a CStr>,
    /// Its limits.
    pub settings: &'a [Setting],
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which, by its place among the files.
    pub number: u8,
    /// How much, in its [`Unit`], or [`UNLIMITED`].
    pub value: u64,
}

/// The place of the key among the files; `None` for `parent`.
pub fn named(key: &str) -> Option<u8> {
    let number = words(KEYS).skip(1).position(|known| known == key)?;
    u8::try_from(number).ok()
}

/// What the limit with that place counts.
pub const fn unit(number: u8) -> Unit {
    match number {
        MEMORY..=SWAP => Unit::Bytes,
        CPUS => Unit::Cpus,
        3 => Unit::Number,
        _ => Unit::Weight,
    }
}

impl Setting {
    /// Its file.
    pub fn file(&self) -> &'static str {
        words(FILES).nth(usize::from(self.number)).unwrap_or("")
    }

    /// The controller that it belongs to.
    pub fn controller(&self) -> &'static str {
        split_once(self.file(), b'.').map_or("", |parts| parts.0)
    }

    /// Adds what is written to the file.
    pub fn put_value<const N: usize>(&self, text: &mut Text<N>) {
        match self.value {
            UNLIMITED => text.put("max"),
            value => text.number(value),
        }
        if self.number == CPUS {
            text.put(" ");
            text.number(PERIOD);
        }
    }

    /// Adds all of it: `memory.max=65536`.
    pub fn put<const N: usize>(&self, text: &mut Text<N>) {
        text.put(self.file());
        text.put("=");
        self.put_value(text);
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNT, FILES, KEYS, PERIOD, Setting, named};
    use crate::text::{Text, words};

    #[test]
    fn every_key_but_the_parent_has_a_file() {
        assert_eq!(words(KEYS).count(), COUNT + 1);
        assert_eq!(words(FILES).count(), COUNT);
        assert_eq!(named("parent"), None);
        let setting = |key: &str| Setting {
            number: named(key).unwrap(),
            value: 3 * PERIOD / 2,
        };
        for (key, file, controller) in [
            ("memory_swap", "memory.swap.max", "memory"),
            ("pids_limit", "pids.max", "pids"),
            ("cpus", "cpu.max", "cpu"),
            ("io_weight", "io.weight", "io"),
        ] {
            let setting = setting(key);
            assert_eq!((setting.file(), setting.controller()), (file, controller));
        }
        let mut text = Text::<64>::new();
        setting("cpus").put(&mut text);
        assert_eq!(text.bytes(), b"cpu.max=150000 100000");
    }
}
