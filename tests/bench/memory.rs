//! What the kernel says of a process.

use std::fs;

/// The private memory of a process in KiB, clean and dirty.
pub fn private_memory(pid: u32) -> u64 {
    sum(&format!("/proc/{pid}/smaps_rollup"), "Private_")
}

/// The sum of the numbers in a file's lines that begin like this.
pub fn sum(file: &str, line: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines()
        .filter(|candidate| candidate.starts_with(line))
        .map(|line| line.split_whitespace().nth(1).unwrap())
        .map(|number| number.parse::<u64>().unwrap())
        .sum()
}
