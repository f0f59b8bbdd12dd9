//! Starts with a fault: what every call of a start may fail with, one at a time, and what came of it.

use crate::calls::{Call, Deed, Role};
use crate::cgroup_parent::Parent;
use crate::errnos::{can_fail, errnos_of};
use crate::husk::Run;
use crate::injector::{Traced, trace};
use crate::nothing_left::Before;
use crate::skip;
use crate::world::{self, Dir, Identity};
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// No start takes longer, whatever fails.
const LIMIT: Duration = Duration::from_secs(5);

/// What the command prints.
const WORD: &str = "done\n";
const ENDS: [&str; 2] = ["/bin/echo", "done"];
/// Longer than the limit.
const STAYS: [&str; 2] = ["/bin/sleep", "30"];

/// One way to start husk.
pub struct Scenario<'a> {
    /// For the table.
    pub name: &'a str,
    pub who: &'a Identity,
    pub kind: Kind,
    pub flags: &'a [&'a str],
}

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `husk run --root`.
    Root,
    /// `husk run` on the host's own tree.
    HostTree,
    /// `husk init`.
    Init,
    /// `husk run` on the host's own tree, as a shell's foreground job on a terminal.
    Job,
    /// `husk run` on the host's own tree, with a cgroup for the container.
    Cgroup,
}

/// How a start with a fault ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The command ran as if nothing had been.
    Success,
    /// The same, with a line about what is missing.
    Warned,
    /// 125 and a line.
    Refused,
    /// 126 or 127 and a line about the command.
    NotRun,
    /// 137: the command was killed.
    CommandKilled,
    /// husk was killed, and nothing is left.
    Killed,
    /// The terminal was not given back, because the kernel refused that.
    TerminalKept,
    /// It was not made in this run.
    NotReached,
}

/// Outcomes, counted.
pub type Counts = BTreeMap<Verdict, usize>;

/// A place to run a scenario in.
struct Trial<'a> {
    scenario: &'a Scenario<'a>,
    root: Dir,
    cgroup: Option<Parent>,
}

impl<'a> Trial<'a> {
    fn new(scenario: &'a Scenario<'a>) -> Option<Self> {
        let root = scenario.who.root_dir()?;
        let cgroup = match scenario.kind {
            Kind::Cgroup => Some(Parent::new()?),
            _ => None,
        };
        Some(Self {
            scenario,
            root,
            cgroup,
        })
    }

    /// A command that ends; or one that stays, for who is killed before it is there.
    fn run(&self, command: &[&str]) -> Run {
        let who = self.scenario.who;
        let run = match self.scenario.kind {
            Kind::Root => Run::root(who, &self.root),
            Kind::HostTree | Kind::Job | Kind::Cgroup => Run::new(who),
            Kind::Init => Run::init(who),
        };
        let run = match self.scenario.kind {
            Kind::Job => run.through([world::helper().as_os_str(), OsStr::new("lend-terminal")]),
            _ => run,
        };
        let run = match &self.cgroup {
            Some(parent) => run.words(["--cgroup-parent", parent.text()]),
            None => run,
        };
        run.words(self.scenario.flags).word("--").words(command)
    }

    /// The calls that a start makes.
    fn calls(&self) -> Vec<Call> {
        let watched = trace(&self.run(&ENDS), None, Deed::Watch, LIMIT);
        assert_eq!(watched.outcome.succeeds(), WORD);
        watched.calls
    }

    /// A start with this fault.
    fn with(&self, call: &Call, deed: Deed) -> Result<Verdict, String> {
        let before = Before::of(&[self.root.path()]);
        let command = match deed {
            Deed::KillAll(_) => &STAYS,
            _ => &ENDS,
        };
        let traced = trace(&self.run(command), Some(call), deed, LIMIT);
        before.is_the_same()?;
        // What may not be removed stays, and is for the next husk to remove; and what somebody else has
        // locked is theirs to remove.
        let may_stay = ["unlinkat", "openat", "getdents64", "flock"];
        let kept = may_stay.contains(&call.name.as_str());
        if let Some(parent) = &self.cgroup
            && parent.clear()
            && !kept
        {
            return Err(format!("a cgroup is left: {}", traced.outcome));
        }
        let Traced { hung, left, .. } = &traced;
        let told = judged(&traced, call, deed);
        match (hung.is_empty(), &left[..], told) {
            (false, ..) => Err(format!("it hangs: {hung:#?}: {}", traced.outcome)),
            (true, [], Ok(verdict)) => Ok(verdict),
            (true, [], Err(why)) => Err(format!("{why}: {}", traced.outcome)),
            (true, left, _) => Err(format!("{left:?} are left: {}", traced.outcome)),
        }
    }
}

fn judged(traced: &Traced, call: &Call, deed: Deed) -> Result<Verdict, &'static str> {
    let outcome = &traced.outcome;
    if call.name == "ioctl" && outcome.stderr.contains("terminal: ") {
        // The very call that would have given it back.
        return Ok(Verdict::TerminalKept);
    }
    let success = outcome.status.code() == Some(0) && outcome.stdout == WORD;
    let line = outcome.is_one_line_of_husk();
    let quiet = outcome.stderr.is_empty();
    let running = outcome.stderr.strip_prefix("husk: running ");
    let running = running.map(|rest| rest.strip_prefix("under Landlock ").unwrap_or(rest));
    let of_command = running.is_some_and(|rest| rest.starts_with("/bin/echo"));
    if deed == Deed::Fail(Errno::EINTR) && call.name.starts_with("open") && !success {
        return Err("it is not made again");
    }
    match (outcome.status.code(), deed) {
        _ if !traced.done => match success && quiet {
            true => Ok(Verdict::NotReached),
            false => Err("nothing was done, and yet"),
        },
        _ if success && quiet => Ok(Verdict::Success),
        _ if success && line => Ok(Verdict::Warned),
        (Some(125), Deed::Fail(errno)) if line => {
            let names = [
                format!(": {errno:?} ("),
                format!(": errno {}", errno as i32),
            ];
            let named = names.iter().any(|name| outcome.stderr.contains(name));
            match named || is_indirect(&call.name, errno) {
                true => Ok(Verdict::Refused),
                false => Err("another errno is named"),
            }
        }
        (Some(125), Deed::Kill(Role::Init) | Deed::KillAll(Role::Init)) if line => {
            match outcome.stderr.contains("PID 1 was killed by SIGKILL") {
                true => Ok(Verdict::Refused),
                false => Err("it is not said who was killed"),
            }
        }
        (Some(125), Deed::Kill(Role::Helper(_))) if line => {
            match outcome.stderr.contains("map was killed by SIGKILL") {
                true => Ok(Verdict::Refused),
                false => Err("it is not said who was killed"),
            }
        }
        (Some(126 | 127), _) if line && of_command => Ok(Verdict::NotRun),
        (Some(137), Deed::Kill(Role::Command)) if quiet => Ok(Verdict::CommandKilled),
        (None, Deed::Kill(Role::First) | Deed::KillAll(Role::First)) if quiet => {
            match outcome.status.signal() {
                Some(9) => Ok(Verdict::Killed),
                _ => Err("another signal"),
            }
        }
        _ => Err("undocumented"),
    }
}

/// Errnos that are an answer and no failure: what follows from it fails, and is told with an errno of
/// its own.
const INDIRECT: [(&str, &str, &str); 5] = [
    // (call, errnos, reason)
    (
        "openat",
        "ENOENT",
        "no /proc/PID/setgroups is an old kernel: then gid_map is refused",
    ),
    (
        "mkdirat",
        "EEXIST",
        "somebody else made it: then it is not found",
    ),
    (
        "statx",
        "ENOSYS EPERM",
        "mounts are told apart another way, for good and not for once",
    ),
    (
        "mount",
        "EINVAL",
        "is tried another way, whose errno is told",
    ),
    (
        "openat2",
        "ENOSYS",
        "is tried another way, whose errno is told",
    ),
];

fn is_indirect(call: &str, errno: Errno) -> bool {
    let name = format!("{errno:?}");
    let mut all = INDIRECT.iter();
    all.any(|(other, errnos, _)| *other == call && errnos.split(' ').any(|other| other == name))
}

/// Does every deed at its call, spread over the processors; prints the table, counts the outcomes, and
/// fails with all that broke the promise.
pub fn sweep(
    scenario: &Scenario<'_>,
    deeds: impl Fn(&[Call]) -> Vec<(Call, Deed)>,
) -> Option<Counts> {
    let mut calls = Trial::new(scenario)?.calls();
    if scenario.kind == Kind::Init {
        // Its waits, and its looks at everybody, are many and alike.
        calls.retain(|call| call.nth <= 3);
    }
    let start = Instant::now();
    let work = deeds(&calls);
    let (pairs, work) = (work.len(), Mutex::new(work));
    let results = Mutex::new((Counts::new(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let trial = Trial::new(scenario).unwrap();
                while let Some((call, deed)) = take(&work) {
                    let verdict = trial.with(&call, deed);
                    let mut results = results.lock().unwrap();
                    match verdict {
                        Ok(verdict) => {
                            // Shown with --nocapture: the table of outcomes.
                            let Call { role, name, nth } = call;
                            println!(
                                "{}: {role:?} {name} {nth} {deed:?}: {verdict:?}",
                                scenario.name
                            );
                            *results.0.entry(verdict).or_default() += 1;
                        }
                        Err(broken) => results.1.push(broken),
                    }
                }
            });
        }
    });
    let (counts, broken) = results.into_inner().unwrap();
    let (name, took) = (scenario.name, start.elapsed());
    skip::say(&format!("{name}: {pairs} faults in {took:.1?}: {counts:?}"));
    let count = broken.len();
    assert!(
        broken.is_empty(),
        "{name}: {count} of {pairs}:\n{}",
        broken.join("\n\n")
    );
    Some(counts)
}

fn take(work: &Mutex<Vec<(Call, Deed)>>) -> Option<(Call, Deed)> {
    work.lock().unwrap().pop()
}

/// Every call fails with each errno that it may have.
pub fn failures(calls: &[Call]) -> Vec<(Call, Deed)> {
    // Whoever is not husk any more is not on trial.
    let is_own = |call: &&Call| can_fail(&call.name) && !matches!(call.role, Role::Executed(_));
    let own = calls.iter().filter(is_own);
    let fails = |call: &Call| {
        let errnos = errnos_of(&call.name);
        let errnos = errnos.unwrap_or_else(|| panic!("{} has no line in errnos.rs", call.name));
        let call = call.clone();
        errnos
            .into_iter()
            .map(move |errno| (call.clone(), Deed::Fail(errno)))
    };
    own.flat_map(fails).collect()
}

/// At every call each process that was there in the run without a fault is killed.
pub fn kills(calls: &[Call]) -> Vec<(Call, Deed)> {
    let executed = calls.iter().rposition(|call| call.role == Role::Command);
    let (mut there, mut all) = (BTreeSet::new(), Vec::new());
    for (number, call) in calls.iter().enumerate() {
        there.insert(match call.role {
            Role::Executed(nth) => Role::Helper(nth),
            role => role,
        });
        let deed = |victim: &Role| match victim {
            Role::First | Role::Init if executed >= Some(number) => Deed::KillAll(*victim),
            victim => Deed::Kill(*victim),
        };
        all.extend(there.iter().map(|victim| (call.clone(), deed(victim))));
    }
    all
}
