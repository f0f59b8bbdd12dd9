//! An init where it is PID 1 and where it is not, and the processes that it looks after.
//!
//! HUSK_TESTS_INIT="tini -s --" puts another one in the place of `husk init`: so one sees which
//! promises it breaks, and that a test can fail.

use crate::husk::Run;
use crate::processes;
use crate::running::{Outcome, Started};
use crate::skip;
use crate::world::{self, Identity, everybody, tool};
use ::husk::sys::signal::{self, Target};
use rustix::process::Pid;
use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the processes of the machine: it must be a subreaper.
    Host,
    /// As PID 1, in a PID namespace of its own.
    Pid1,
}

/// Everything here is over in a few seconds.
const LIMIT: Duration = Duration::from_secs(15);

const UNSHARE: [&str; 4] = ["unshare", "-Urpf", "--kill-child", "--mount-proc"];

/// Everybody in every place.
pub fn everywhere() -> Vec<(&'static Identity, Place)> {
    let mut all: Vec<_> = everybody().iter().map(|who| (who, Place::Host)).collect();
    if namespaces_work() {
        all.extend(everybody().iter().map(|who| (who, Place::Pid1)));
    } else {
        skip::skipped("unshare(1) cannot make a PID namespace here");
    }
    all
}

fn namespaces_work() -> bool {
    let works = |who: &Identity| {
        let run = Run::program(who, Path::new("/bin/true")).through(UNSHARE);
        run.output().status.success()
    };
    everybody().iter().all(works)
}

impl Run {
    /// `husk init`, or its stand-in.
    pub fn init(who: &Identity) -> Self {
        let Ok(other) = env::var("HUSK_TESTS_INIT") else {
            return Self::husk(who).word("init").limit(LIMIT);
        };
        let mut words = other.split_whitespace();
        let name = words.next().unwrap_or_default();
        let program = tool(name).unwrap_or_else(|| name.into());
        Self::program(who, &program).words(words).limit(LIMIT)
    }

    /// In this place. To be said last: what it is run through is run inside.
    #[must_use]
    pub fn in_place(self, place: Place) -> Self {
        match place {
            Place::Host => self,
            Place::Pid1 => self.through(UNSHARE),
        }
    }

    /// The helper of the host.
    #[must_use]
    pub fn host_helper<W: AsRef<std::ffi::OsStr>>(
        self,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        self.word("--").word(world::helper()).words(words)
    }
}

/// One that runs; dropped, it is killed, and those below it.
pub struct Init {
    pub pid: u32,
    kin: Kin,
    pub started: Started,
}

/// The processes below one, which a test that fails must not leave behind.
struct Kin(Option<u32>);

impl Drop for Kin {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            processes::kill_descendants(pid);
        }
    }
}

impl Init {
    /// Starts it in this place, and looks for it there.
    pub fn start(run: Run, place: Place) -> Self {
        let started = run.in_place(place).start();
        let pid = match place {
            Place::Host => started.pid(),
            Place::Pid1 => processes::soon_only_child(started.pid()),
        };
        Self::of(started, pid)
    }

    /// The one with this pid.
    pub const fn of(started: Started, pid: u32) -> Self {
        let kin = Kin(Some(pid));
        Self { pid, kin, started }
    }

    /// Starts it, and waits until its command says `ready`.
    pub fn ready(run: Run, place: Place) -> Self {
        let init = Self::start(run, place);
        init.started.wait_for("ready");
        init
    }

    /// Starts it, and waits until its command is ready and itself too.
    pub fn settled(run: Run, place: Place) -> Self {
        let init = Self::ready(run, place);
        wait_until_it_settles(init.pid);
        init
    }

    /// Its command, where it has no other child.
    pub fn command(&self) -> u32 {
        processes::soon_only_child(self.pid)
    }

    /// Sends it a signal, 1 to 64.
    pub fn send(&self, number: i32) {
        send(self.pid, number);
    }

    /// Waits until exactly these lines have been printed.
    #[track_caller]
    pub fn prints(&self, lines: &str) {
        self.started.wait_until(|got| got.len() >= lines.len());
        assert_eq!(self.started.so_far(), lines);
    }

    /// Waits until these lines have been printed in any order, and a moment for one too many.
    #[track_caller]
    pub fn prints_in_any_order(&self, lines: &[&str]) {
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let expected = sorted(&lines.join("\n"));
        self.started
            .wait_until(|got| got.lines().count() >= expected.len());
        thread::sleep(MOMENT);
        assert_eq!(sorted(&self.started.so_far()), expected);
    }

    /// Waits for its end; past its limit it is killed, and the outcome says so.
    pub fn finish(mut self) -> Outcome {
        let pid = self.pid;
        let outcome = self.started.finish_or(|| processes::kill_descendants(pid));
        self.kin.0 = None;
        outcome
    }

    /// Waits for its end; how long that took since `start`.
    pub fn finish_timed(self, start: Instant) -> (Outcome, Duration) {
        let outcome = self.finish();
        (outcome, start.elapsed())
    }

    /// Kills its command, which is how `helper signals` ends.
    pub fn kill_command(self) -> Outcome {
        send(self.command(), KILL);
        self.finish()
    }
}

/// Every way to choose whom signals are for.
pub const MODES: [&[&str]; 6] = [
    &[],
    &["-g"],
    &["-c"],
    &["--session"],
    &["--all"],
    &["--no-tty"],
];

/// Long enough for what should not come to come.
pub const MOMENT: Duration = Duration::from_millis(100);

pub const HUP: i32 = 1;
pub const INT: i32 = 2;
pub const QUIT: i32 = 3;
pub const KILL: i32 = 9;
pub const USR1: i32 = 10;
pub const USR2: i32 = 12;
pub const TERM: i32 = 15;
pub const CHLD: i32 = 17;
pub const CONT: i32 = 18;
pub const STOP: i32 = 19;
pub const TSTP: i32 = 20;
pub const TTIN: i32 = 21;
pub const TTOU: i32 = 22;

/// Sends a process of the tests' a signal, 1 to 64.
pub fn send(pid: u32, number: i32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    signal::send(Target::Process(pid), number).unwrap();
}

/// Waits until it has every signal blocked: before that one ends it as it ends any program.
pub fn wait_until_it_blocks(pid: u32) {
    let end = Instant::now() + Duration::from_secs(5);
    let read = |path: String| fs::read_to_string(path).unwrap_or_default();
    // While it waits for them the kernel says that it blocks none: but then it has a child.
    let blocked = || {
        read(format!("/proc/{pid}/status")).contains("SigBlk:\tfffffffffffbfeff")
            || !read(format!("/proc/{pid}/task/{pid}/children")).is_empty()
    };
    while !blocked() {
        assert!(Instant::now() < end, "it never blocks signals");
    }
}

/// Waits until it has let go of what it does not need, which is after the command's start.
pub fn wait_until_it_settles(pid: u32) {
    let end = Instant::now() + Duration::from_secs(5);
    let husk = || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|at| at == Path::new("/"));
    while !(husk() && processes::state_of(pid) == Some('S')) {
        assert!(Instant::now() < end, "it never settles down");
    }
}

/// Runs that take a while, all of them at once.
pub fn at_once<T: Sync>(all: &[T], check: impl Fn(&T) + Sync) {
    let name = thread::current().name().unwrap_or("?").to_owned();
    thread::scope(|scope| {
        for one in all {
            let check = &check;
            let named = thread::Builder::new().name(name.clone());
            named.spawn_scoped(scope, move || check(one)).unwrap();
        }
    });
}

/// A shell cannot trap what was ignored when it started, and the tests may run under nohup(1).
pub fn defaults(run: Run) -> Run {
    run.through(["env", "--default-signal"])
}
