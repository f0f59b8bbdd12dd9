//! strace as an injector of faults: which calls a start makes, and one start with one call failing.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::processes;
use crate::running::{Outcome, Started};
use crate::world::{self, Dir, Identity};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// No start takes longer, whatever fails.
pub const LIMIT: Duration = Duration::from_secs(5);

/// The nth call of a name in whichever of the traced processes makes that many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub name: String,
    pub nth: usize,
}

/// Which of husk's processes are traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// The one outside.
    Supervisor,
    /// PID 1, from the gate on, where it waits for its id maps.
    Init,
    /// All, up to the execve of the command.
    All,
}

/// One way to start a container.
pub struct Scenario<'a> {
    pub who: &'a Identity,
    pub traced: Traced,
    pub flags: Vec<String>,
}

/// One start: its root directory, its mark, its log.
pub struct Trial<'a> {
    scenario: &'a Scenario<'a>,
    root: Dir,
    scratch: Dir,
    mark: String,
}

/// How a start with a fault went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The command ran as if nothing had been.
    Success,
    /// 125 and one line.
    Refused,
    /// The call was not made.
    NotReached,
}

impl<'a> Trial<'a> {
    pub fn new(scenario: &'a Scenario<'a>) -> Option<Self> {
        let root = scenario.who.root_dir()?;
        let scratch = scenario.who.dir("faults");
        let trial = Self {
            scenario,
            root,
            scratch,
            mark: world::mark(),
        };
        trial.hold_helpers();
        Some(trial)
    }

    fn log(&self) -> PathBuf {
        self.scratch.join("log")
    }

    fn run(&self) -> Run {
        Run::root(self.scenario.who, &self.root)
            .words(&self.scenario.flags)
            .words(["--setenv", "MARK", &self.mark, "--", "/bin/echo", "done"])
            .limit(LIMIT)
    }

    /// The calls that a start makes until the command is executed.
    pub fn calls(&self) -> Vec<Call> {
        assert_eq!(self.start(None).succeeds(), "done\n");
        calls_in(
            &fs::read_to_string(self.log()).unwrap(),
            self.scenario.traced,
        )
    }

    /// A start in which this call fails.
    pub fn with_fault(&self, call: &Call, errno: &str) -> Result<Verdict, String> {
        let before = Before::of(&[self.root.path()]);
        let outcome = self.start(Some(&format!(
            "inject={}:error={errno}:when={}",
            call.name, call.nth
        )));
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        before.is_as_after(&self.mark);
        judged(&outcome, &log)
            .ok_or_else(|| format!("{call:?} {errno}: {outcome}\n{}", last_lines(&log)))
    }

    fn start(&self, inject: Option<&str>) -> Outcome {
        let mut options = vec!["-qq".to_owned()];
        options.extend(
            inject
                .into_iter()
                .flat_map(|inject| ["-e".to_owned(), inject.to_owned()]),
        );
        match self.scenario.traced {
            Traced::Supervisor => {
                finish(self.run().traced(&self.log(), &options).start(), &self.mark)
            }
            Traced::All => {
                options.extend(["-f", "-b", "execve"].map(str::to_owned));
                finish(self.run().traced(&self.log(), &options).start(), &self.mark)
            }
            Traced::Init => self.start_attached(&options),
        }
    }

    /// Scripts in front of newuidmap(1) and newgidmap(1) that wait as long as a file is there.
    fn hold_helpers(&self) {
        for name in ["newuidmap", "newgidmap"] {
            let real = world::tool(name).unwrap_or_default();
            let text = format!(
                "#!/bin/sh\nwhile test -e {}; do /bin/sleep 0.005; done\nexec {} \"$@\"\n",
                self.hold().display(),
                real.display()
            );
            self.scenario
                .who
                .write(&self.scratch.join(name), &text, 0o755);
        }
    }

    fn hold(&self) -> PathBuf {
        self.scratch.join("hold")
    }

    /// A newuidmap that waits holds PID 1 at the gate until strace is attached to it.
    fn start_attached(&self, options: &[String]) -> Outcome {
        fs::write(self.hold(), "").unwrap();
        let path = format!("{}:{}", self.scratch.text(), world::PATH);
        let husk = self.run().variable("PATH", path).start();
        let init = init_of(&husk);
        let mut attach = Command::new("strace");
        attach
            .args(["-f", "-b", "execve", "-o"])
            .arg(self.log())
            .args(["-p", &init.to_string()]);
        // Without -q it says when it is attached.
        attach.args(options.iter().filter(|option| *option != "-qq"));
        let strace = Started::new(attach, LIMIT * 2);
        let end = Instant::now() + LIMIT;
        while !strace.complaints().contains("attached") {
            assert!(Instant::now() < end, "strace: {}", strace.complaints());
            thread::sleep(Duration::from_millis(1));
        }
        fs::remove_file(self.hold()).unwrap();
        let outcome = finish(husk, &self.mark);
        drop(strace.finish());
        outcome
    }
}

/// The first child of the supervisor: it is cloned before the helpers are started.
fn init_of(husk: &Started) -> u32 {
    let end = Instant::now() + LIMIT;
    loop {
        let all = processes::all().into_iter();
        let children = all.filter(|process| process.parent == husk.pid());
        if let Some(init) = children.map(|process| process.pid).min() {
            return init;
        }
        assert!(Instant::now() < end, "no PID 1: {}", husk.complaints());
        thread::sleep(Duration::from_millis(1));
    }
}

/// Past the limit everything with the mark is killed and the start counts as one that hangs.
fn finish(started: Started, mark: &str) -> Outcome {
    started.finish_or(|| processes::kill_marked(mark))
}

fn judged(outcome: &Outcome, log: &str) -> Option<Verdict> {
    let success = outcome.status.code() == Some(0) && outcome.stdout == "done\n";
    let quiet = outcome.stderr.is_empty() || outcome.is_one_line_of_husk();
    // 126: the call was one that looks at the command's file.
    let looked = outcome.stderr.starts_with("husk: running /bin/echo: ");
    let refused = match outcome.status.code() {
        Some(125) => true,
        Some(126) => looked,
        _ => false,
    };
    match faults_in(log) {
        0 if success => Some(Verdict::NotReached),
        _ if success && quiet => Some(Verdict::Success),
        _ if refused && outcome.is_one_line_of_husk() => Some(Verdict::Refused),
        // Both sides made the call and both failed: then nobody may be left to say a word.
        2.. if refused => Some(Verdict::Refused),
        _ => None,
    }
}

/// In how many processes a call failed.
fn faults_in(log: &str) -> usize {
    let injected = log.lines().filter(|line| line.contains("(INJECTED)"));
    let mut processes: Vec<&str> = injected.filter_map(|line| line.split(' ').next()).collect();
    processes.sort_unstable();
    processes.dedup();
    processes.len()
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Every (name, nth) that some process of the log makes before the command is executed.
fn calls_in(log: &str, traced: Traced) -> Vec<Call> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in log.lines() {
        let (process, call) = if traced == Traced::Supervisor {
            ("", line)
        } else {
            line.split_once(' ').unwrap_or(("", line))
        };
        let Some((name, _)) = call.trim_start().split_once('(') else {
            continue;
        };
        if name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            *counts
                .entry((name.to_owned(), process.to_owned()))
                .or_default() += 1;
        }
    }
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for ((name, _), count) in counts {
        let known = most.entry(name).or_default();
        *known = count.max(*known);
    }
    most.into_iter()
        .filter(|(name, _)| !NOT_TO_FAIL.contains(&name.as_str()))
        .flat_map(|(name, most)| {
            (1..=most).map(move |nth| Call {
                name: name.clone(),
                nth,
            })
        })
        .collect()
}

/// strace itself needs the first; three do not return; getuid(2), umask(2) and their like cannot fail,
/// and callers rely on it.
const NOT_TO_FAIL: [&str; 9] = [
    "execve",
    "exit",
    "exit_group",
    "rt_sigreturn",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "umask",
];

/// Every call with every errno, spread over the processors; what broke the promise, and the counts.
pub fn sweep(scenario: &Scenario<'_>) -> Option<(Vec<String>, BTreeMap<Verdict, usize>)> {
    let calls = Trial::new(scenario)?.calls();
    let work: Vec<(Call, &str)> = calls
        .into_iter()
        .flat_map(|call| ["EPERM", "ENOSYS"].map(|errno| (call.clone(), errno)))
        .collect();
    let work = Mutex::new(work);
    let results = Mutex::new((Vec::new(), BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let trial = Trial::new(scenario).unwrap();
                loop {
                    let Some((call, errno)) = work.lock().unwrap().pop() else {
                        return;
                    };
                    let verdict = trial.with_fault(&call, errno);
                    let mut results = results.lock().unwrap();
                    match verdict {
                        Ok(verdict) => {
                            // Shown with --nocapture: the table of outcomes.
                            println!("{} {} {errno}: {verdict:?}", call.name, call.nth);
                            *results.1.entry(verdict).or_default() += 1;
                        }
                        Err(broken) => results.0.push(broken),
                    }
                }
            });
        }
    });
    Some(results.into_inner().unwrap())
}
