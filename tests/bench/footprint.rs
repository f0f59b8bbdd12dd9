//! What a start takes beside time, and what stays while the command runs.

use crate::launchers::Launcher;
use crate::memory::private_memory;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// What strace(1) counts of a start.
pub struct Traced {
    /// System calls of all processes, from the launcher's execve(2) on.
    pub calls: usize,
    /// Processes, the command among them.
    pub processes: usize,
}

/// Counts. `None` without strace(1), or where the launcher does not work under it.
pub fn traced(launcher: &Launcher, log: &Path) -> Option<Traced> {
    let through = ["strace", "-f", "-qq", "-o", log.to_str()?];
    let status = launcher.through(&through).stderr(Stdio::null()).status();
    let text = fs::read_to_string(log).ok()?;
    fs::remove_file(log).unwrap();
    if !status.ok()?.success() {
        return None;
    }
    let mut pids: Vec<&str> = Vec::new();
    let mut calls = 0;
    for line in text.lines() {
        let (pid, rest) = line.split_once(' ')?;
        if !pids.contains(&pid) {
            pids.push(pid);
        }
        let rest = rest.trim_start();
        // A call that another process interrupts has two lines.
        let is_call = rest.starts_with(|letter: char| letter.is_ascii_lowercase());
        calls += usize::from(is_call);
    }
    let processes = pids.len();
    Some(Traced { calls, processes })
}

/// KiB of private memory of all processes of a launcher, without the command, while that waits:
/// `husk init --pause`, called `pause`.
pub fn resident(launcher: &Launcher) -> Option<u64> {
    let mut child = launcher.command().stderr(Stdio::null()).spawn().ok()?;
    thread::sleep(Duration::from_millis(1500));
    let mut tree = vec![child.id()];
    let mut next = 0;
    while let Some(pid) = tree.get(next) {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        tree.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
        next += 1;
    }
    let is_command = |pid: &&u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "pause\n")
    };
    let found = tree.iter().any(|pid| is_command(&pid));
    // A helper of the launcher's may end meanwhile.
    let lives = |pid: &&u32| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).is_ok();
    let own = tree.iter().filter(|pid| lives(pid) && !is_command(pid));
    let sum = own.map(|pid| private_memory(*pid)).sum();
    for pid in tree.iter().rev() {
        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
            // Some of them have ended with others.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    child.wait().unwrap();
    found.then_some(sum)
}
