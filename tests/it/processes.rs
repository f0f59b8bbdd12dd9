//! What /proc says of processes, seen from the host.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// A process that is not a zombie.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: u32,
    pub parent: u32,
    /// Its arguments, separated by spaces.
    pub arguments: String,
}

/// Every process of the machine that is not a zombie.
pub fn all() -> Vec<Process> {
    numbers().filter_map(read).collect()
}

fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn read(pid: u32) -> Option<Process> {
    let fields = stat(pid)?;
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
    let alive = fields[0] != "Z" && fields[0] != "X";
    alive.then(|| Process {
        pid,
        parent: fields[1].parse().unwrap(),
        arguments,
    })
}

/// State, parent, group, session, terminal, the terminal's foreground group, … (proc_pid_stat(5)).
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(str::to_owned).collect())
}

/// The process group that has the terminal of this process.
pub fn foreground_of(pid: u32) -> Option<u32> {
    stat(pid)?.get(5)?.parse().ok()
}

/// Its process group and its session.
pub fn group_and_session_of(pid: u32) -> (u32, u32) {
    let fields = stat(pid).unwrap();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}

/// The zombies that this process has not reaped.
pub fn zombies_of(parent: u32) -> Vec<u32> {
    let is_one = |pid: &u32| {
        stat(*pid).is_some_and(|fields| fields[0] == "Z" && fields[1] == parent.to_string())
    };
    numbers().filter(is_one).collect()
}

/// The letter of its state: `T` is stopped, `Z` a zombie. `None` when it is gone.
pub fn state_of(pid: u32) -> Option<char> {
    stat(pid)?[0].chars().next()
}

/// Waits until it is in this state, or gone where that is `None`.
pub fn wait_for_state(pid: u32, state: Option<char>) {
    let end = Instant::now() + Duration::from_secs(5);
    while state_of(pid) != state {
        let now = state_of(pid);
        assert!(Instant::now() < end, "{pid} is {now:?}, and not {state:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The only child of a process, within a moment.
pub fn soon_only_child(parent: u32) -> u32 {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let children: Vec<Process> = all()
            .into_iter()
            .filter(|process| process.parent == parent)
            .collect();
        if let [child] = &children[..] {
            return child.pid;
        }
        assert!(Instant::now() < end, "children of {parent}: {children:#?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The processes that have the mark in their arguments.
pub fn marked(mark: &str) -> Vec<Process> {
    all()
        .into_iter()
        .filter(|process| process.arguments.contains(mark))
        .collect()
}

/// Waits until no process has the mark any more; whoever still has it is a failure.
pub fn none_left(mark: &str) {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "still running: {left:#?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until some process has the mark, and a moment more.
pub fn some_are_there(mark: &str) {
    let end = Instant::now() + Duration::from_secs(5);
    while marked(mark).is_empty() {
        assert!(Instant::now() < end, "nothing was started");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
}

/// Kills every process that has the mark: the tests started it, and it does not end.
pub fn kill_marked(mark: &str) {
    for process in marked(mark) {
        let pid = Pid::from_raw(process.pid.try_into().unwrap()).unwrap();
        // It may be gone by now.
        let _gone = kill_process(pid, Signal::KILL);
    }
}

/// Kills every process that this one started, and those that they did.
pub fn kill_descendants(pid: u32) {
    for process in all() {
        if process.parent == pid {
            kill_descendants(process.pid);
            let pid = Pid::from_raw(process.pid.try_into().unwrap()).unwrap();
            let _gone = kill_process(pid, Signal::KILL);
        }
    }
}

/// The processes of one container, as the host numbers them.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    pub supervisor: u32,
    pub init: u32,
    pub command: u32,
}

impl Container {
    /// The container that a running husk supervises.
    pub fn of(supervisor: u32) -> Self {
        let init = only_child(supervisor);
        Self {
            supervisor,
            init,
            command: only_child(init),
        }
    }

    /// A file of the command's in /proc.
    pub fn proc(&self, name: &str) -> String {
        let path = PathBuf::from(format!("/proc/{}/{name}", self.command));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

fn only_child(parent: u32) -> u32 {
    let children: Vec<Process> = all()
        .into_iter()
        .filter(|process| process.parent == parent)
        .collect();
    assert_eq!(children.len(), 1, "children of {parent}: {children:#?}");
    children[0].pid
}

/// A shell's script, the shell being the init's child: makes an orphan, says `adopted` if the init is
/// its parent now, and `reaped` if nothing is left of it once it has ended.
pub const ORPHAN: &str = "orphan=$(sh -c 'sleep 1 >/dev/null & echo $!'); \
    grep -qx \"PPid:.$PPID\" /proc/$orphan/status && echo adopted; \
    n=0; while test -e /proc/$orphan && test $n -lt 100; do sleep 0.05; n=$((n+1)); done; \
    test -e /proc/$orphan || echo reaped";

/// The value of a field in a text like /proc/PID/status.
pub fn field(status: &str, name: &str) -> String {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in: {status}"))
        .trim()
        .to_owned()
}
