//! What an init costs, asked of the kernel: the bench prints it, and the tests judge it.

use crate::floors::floor;
use crate::memory::{private_memory, sum};
use crate::rounds::{self, Times};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A program that starts a command: its file, and the words before the command's.
#[derive(Clone, Debug)]
pub struct Init {
    pub name: &'static str,
    words: Vec<PathBuf>,
}

impl Init {
    fn new(name: &'static str, file: &Path, words: &[&str]) -> Self {
        let words = words.iter().map(PathBuf::from);
        Self {
            name,
            words: [file.to_owned()].into_iter().chain(words).collect(),
        }
    }

    /// None at all: the command is started as it is.
    pub fn bare() -> Self {
        Self {
            name: "bare",
            words: Vec::new(),
        }
    }

    /// The least that there can be.
    pub fn floor() -> Self {
        Self::new("floor", floor(), &["init"])
    }

    /// The same for who has to have a copy of itself.
    pub fn forking_floor() -> Self {
        Self::new("floor, fork", floor(), &["fork"])
    }

    /// The built binary's.
    pub fn husk() -> Self {
        let built = Path::new(env!("CARGO_BIN_EXE_husk"));
        Self::new("husk", built, &["init", "--"])
    }

    /// The same from a file of its own: nobody else who runs it shares its pages.
    #[must_use]
    pub fn alone(&self, directory: &Path) -> Self {
        let mut alone = self.clone();
        let file = &mut alone.words[0];
        let directory = directory.join(self.name);
        fs::create_dir_all(&directory).unwrap();
        let copy = directory.join(file.file_name().unwrap());
        // In another process: a program that one of our threads starts meanwhile would inherit the
        // descriptor, and a file that somebody can write is not executed (ETXTBSY).
        let copied = Command::new("cp").arg(&file).arg(&copy).status().unwrap();
        assert!(copied.success(), "{}", file.display());
        *file = copy;
        alone
    }

    /// The same where the command stays in its session. The scheduler shares processors among
    /// sessions (autogroups in sched(7)), and who has one to itself reaps several at a time: that
    /// is no merit of an init.
    fn in_one_session(&self) -> Self {
        let mut init = self.clone();
        if init.name == "dumb-init" {
            init.words.insert(1, "--single-child".into());
        }
        init
    }

    /// `THROUGH... INIT COMMAND...`, without a terminal.
    fn command(&self, through: &[&str], command: &[&str]) -> Command {
        let through = through.iter().map(PathBuf::from);
        let words = through.chain(self.words.iter().cloned());
        let mut words = words.chain(command.iter().map(PathBuf::from));
        let mut start = Command::new(words.next().unwrap());
        let path = env::var_os("PATH").unwrap_or_default();
        start.args(words).env_clear().env("PATH", path);
        start.stdin(Stdio::null()).stdout(Stdio::null());
        start
    }
}

/// The inits that Debian ships, or the package that has the missing one.
pub fn peers() -> Vec<Result<Init, &'static str>> {
    let peers: [(&str, &[&str], &str); 4] = [
        ("tini", &["-s", "--"], "tini"),
        ("tini-static", &["-s", "--"], "tini"),
        ("dumb-init", &["--"], "dumb-init"),
        ("catatonit", &["--"], "catatonit"),
    ];
    let path = env::var_os("PATH").unwrap_or_default();
    peers
        .into_iter()
        .map(|(name, words, package)| {
            let mut files = env::split_paths(&path).map(|directory| directory.join(name));
            let file = files.find(|file| file.exists()).ok_or(package)?;
            Ok(Init::new(name, &file, words))
        })
        .collect()
}

/// How long each of the inits takes for a static true.
pub fn starts(inits: &[Init], rounds: usize) -> Vec<Times> {
    let command = [floor().to_str().unwrap()];
    let mut commands: Vec<Command> = inits
        .iter()
        .map(|init| init.command(&[], &command))
        .collect();
    rounds::interleaved(&mut commands, rounds)
}

/// Does this on the processor that we are on, where nobody waits for another one to wake up: what
/// is left is what the programs do.
pub fn on_one_processor<T>(work: impl FnOnce() -> T) -> T {
    let all = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set(sched_getcpu());
    sched_setaffinity(None, &one).unwrap();
    let value = work();
    sched_setaffinity(None, &all).unwrap();
    value
}

/// What an init does while its command sleeps.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// Its private memory in KiB.
    pub private: u64,
    /// How often it woke up in three seconds.
    pub wakes: u64,
}

/// Watches all of these at once, a while after their start.
pub fn idle(inits: &[Init]) -> Vec<Idle> {
    let start = |init: &Init| Running(init.command(&[], &["/bin/sleep", "60"]).spawn().unwrap());
    let running: Vec<Running> = inits.iter().map(start).collect();
    let pids = || running.iter().map(|running| running.0.id());
    thread::sleep(Duration::from_millis(1500));
    let memory: Vec<u64> = pids().map(private_memory).collect();
    let before: Vec<u64> = pids().map(switches).collect();
    thread::sleep(Duration::from_secs(3));
    let wakes = pids().map(switches).zip(before);
    memory
        .into_iter()
        .zip(wakes)
        .map(|(private, (after, before))| Idle {
            private,
            wakes: after - before,
        })
        .collect()
}

/// How often a process has waited for something.
pub fn switches(pid: u32) -> u64 {
    sum(&format!("/proc/{pid}/status"), "voluntary_ctxt_switches")
}

/// A process that has one child; dropped, both are killed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // The child may have ended, and its parent with it.
        if let Some(child) = child_of(self.0.id()) {
            let _ = kill_process(child, Signal::KILL);
        }
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The only child of a process.
fn child_of(pid: u32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    Pid::from_raw(children.trim().parse().ok()?)
}

/// The system calls from an init's own exec to the one that makes the command, that included, as
/// leader of a session without a terminal. `None` without strace(1).
pub fn calls_until_spawn(init: &Init, log: &Path) -> Option<Vec<String>> {
    const SPAWNS: [&str; 4] = ["clone", "clone3", "fork", "vfork"];
    let through = ["setsid", "--wait", "strace", "-qq", "-o", log.to_str()?];
    let status = init.command(&through, &[floor().to_str()?]).status().ok()?;
    let log = fs::read_to_string(log).ok()?;
    assert!(status.success(), "{init:?}: {status}\n{log}");
    let mut calls = log.lines().filter_map(|line| line.split_once('('));
    assert_eq!(calls.next()?.0, "execve");
    let mut spawned = false;
    let calls = calls.map(|(call, _)| call.to_owned()).take_while(|call| {
        let before = !spawned;
        spawned |= SPAWNS.contains(&call.as_str());
        before
    });
    Some(calls.collect())
}

/// The processor time that an init takes for each of `count` orphans that it reaps as PID 1, in
/// rounds of all of them. `None` where unshare(1) may not make a PID namespace.
pub fn reaping(inits: &[Init], rounds: usize, count: u32) -> Option<Vec<Times>> {
    let allowed = Init::bare()
        .command(&in_pid_namespace(), &["/bin/true"])
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut times = vec![Vec::with_capacity(rounds); inits.len()];
    for _ in 0..rounds {
        for (init, times) in inits.iter().zip(&mut times) {
            times.push(reaped(init, count) / count);
        }
    }
    Some(times.into_iter().map(Times::new).collect())
}

fn in_pid_namespace() -> [&'static str; 4] {
    let namespaces = if geteuid().is_root() { "-pf" } else { "-Urpf" };
    ["unshare", namespaces, "--kill-child", "--mount-proc"]
}

fn reaped(init: &Init, count: u32) -> Duration {
    let maker = [floor().to_str().unwrap(), "orphans", &count.to_string()];
    let mut start = init.in_one_session().command(&in_pid_namespace(), &maker);
    start.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut unshare = start.spawn().unwrap();
    let mut input = unshare.stdin.take().unwrap();
    let mut output = unshare.stdout.take().unwrap();
    let mut said = [0];
    output.read_exact(&mut said).unwrap();
    let pid = child_of(unshare.id()).unwrap();
    let before = settled_time(pid);
    input.write_all(b"!").unwrap();
    output.read_exact(&mut said).unwrap();
    let time = settled_time(pid) - before;
    // It takes the others along.
    unshare.kill().unwrap();
    unshare.wait().unwrap();
    time
}

/// The processor time of a process that has nothing left to do.
fn settled_time(pid: Pid) -> Duration {
    // Nanoseconds that it ran, that it waited for a processor, and how often it got one.
    let file = format!("/proc/{}/schedstat", pid.as_raw_nonzero());
    let read = || fs::read_to_string(&file).unwrap();
    let mut before = String::new();
    loop {
        let now = read();
        if now == before {
            let ran = now.split_whitespace().next().unwrap();
            return Duration::from_nanos(ran.parse().unwrap());
        }
        before = now;
        thread::sleep(Duration::from_millis(20));
    }
}
