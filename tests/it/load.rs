//! Where something runs short: memory, room on a disk, processes; and where there is too much: signals and
//! orphans. A start ends with success or with a line, in bounded time, and leaves nothing.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::running::Outcome;
use crate::skip;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, NOT_ROOT, everybody, tool};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// No start takes longer.
const LIMIT: Duration = Duration::from_secs(10);

fn run(who: &Identity, root: &Dir, mark: &str) -> Run {
    Run::root(who, root)
        .words(["--tmpfs", "/tmp", "--setenv", "MARK", mark])
        .limit(LIMIT)
}

/// Success; or a line, and a status that goes with it; or the end of a process that the kernel ended, where
/// `killed` says that it may.
fn is_documented(outcome: &Outcome, killed: Killed) -> bool {
    let line = outcome.is_one_line_of_husk();
    match outcome.status.code() {
        Some(0) => outcome.stdout == "done\n",
        Some(125..=127) => line && outcome.stdout.is_empty(),
        // The command, which has as little.
        Some(1 | 137 | 139) => killed == Killed::Perhaps,
        None => killed == Killed::Perhaps,
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Killed {
    Perhaps,
    No,
}

/// How many ended how.
type Statuses = BTreeMap<Option<i32>, usize>;

fn count(statuses: &mut Statuses, outcome: &Outcome, killed: Killed) {
    assert!(is_documented(outcome, killed), "{outcome}");
    *statuses.entry(outcome.status.code()).or_default() += 1;
}

#[test]
fn with_any_limit_on_the_address_space_it_starts_or_says_why_not() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let before = Before::of(&[root.path()]);
        let mut statuses = Statuses::new();
        for kilobytes in (256..6000).step_by(128) {
            let run = run(who, &root, &mark).after(&format!("ulimit -v {kilobytes}"));
            let outcome = run.words(["--", "/bin/echo", "done"]).output();
            count(&mut statuses, &outcome, Killed::Perhaps);
        }
        before.is_as_after(&mark);
        skip::say(&format!("little memory, {}: {statuses:?}", who.name));
        assert!(
            statuses.contains_key(&Some(0)) && statuses.len() > 1,
            "{statuses:?}"
        );
    }
}

/// A cgroup of the tests' own, of either version, with a limit.
struct Cgroup(PathBuf);

impl Cgroup {
    /// `None` where the tests may not make it.
    fn with(controller: &str, old: &str, new: &str, limit: &str) -> Option<Self> {
        let name = format!("husk-tests-{}", world::mark());
        let version_1 = Path::new("/sys/fs/cgroup").join(controller);
        let (directory, file) = match version_1.is_dir() {
            true => (version_1.join(name), old),
            false => (Path::new("/sys/fs/cgroup").join(name), new),
        };
        fs::create_dir(&directory).ok()?;
        let made = Self(directory);
        fs::write(made.0.join(file), limit).ok()?;
        Some(made)
    }

    /// Started in it.
    fn holds(&self, run: Run) -> Run {
        run.after(&format!("echo $$ >{}/cgroup.procs", self.0.display()))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Whoever was killed in it is gone a moment later.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn in_a_small_memory_cgroup_it_starts_or_is_killed_and_leaves_nothing() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
    let mark = world::mark();
    let before = Before::of(&[root.path()]);
    let mut statuses = Statuses::new();
    for kilobytes in [256, 384, 512, 640, 768, 1024, 1536, 2048, 4096] {
        let limit = (kilobytes * 1024).to_string();
        let files = ("memory.limit_in_bytes", "memory.max");
        let Some(cgroup) = Cgroup::with("memory", files.0, files.1, &limit) else {
            return skip::declined("no memory cgroup can be made");
        };
        let run = cgroup.holds(run(who, &root, &mark));
        let outcome = run.words(["--", "/bin/echo", "done"]).output();
        count(&mut statuses, &outcome, Killed::Perhaps);
    }
    before.is_as_after(&mark);
    skip::say(&format!("small cgroups: {statuses:?}"));
    assert!(statuses.contains_key(&Some(0)), "{statuses:?}");
}

#[test]
fn in_a_pids_cgroup_that_is_full_it_says_what_is_reached() {
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
    let mark = world::mark();
    let before = Before::of(&[root.path()]);
    for (most, said) in [
        (1, "creating namespaces"),
        (2, "starting /bin/echo"),
        (3, ""),
    ] {
        let Some(cgroup) = Cgroup::with("pids", "pids.max", "pids.max", &format!("{most}")) else {
            return skip::declined("no pids cgroup can be made");
        };
        let run = cgroup.holds(run(who, &root, &mark));
        let outcome = run.words(["--", "/bin/echo", "done"]).output();
        match said {
            "" => assert_eq!(outcome.succeeds(), "done\n"),
            said => drop(outcome.refuses(&[said, "EAGAIN", "the limit on processes is reached"])),
        }
    }
    before.is_as_after(&mark);
}

#[test]
fn with_any_limit_on_processes_a_user_starts_or_is_told() {
    or_skip!(world::root(), "{NOT_ROOT}");
    or_skip!(tool("prlimit"), "no prlimit(1)");
    // One who has no other processes: the limit counts them all.
    let who = Identity {
        name: "nobody in particular".to_owned(),
        uid: 54_321,
        gid: 54_321,
    };
    let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
    let mark = world::mark();
    let mut statuses = Statuses::new();
    for most in 1..=4 {
        let run = run(&who, &root, &mark).through(["prlimit", &format!("--nproc={most}"), "--"]);
        let outcome = run.words(["--", "/bin/echo", "done"]).output();
        let told = outcome.stderr.contains("the limit on processes is reached");
        assert!(outcome.status.code() == Some(0) || told, "{outcome}");
        count(&mut statuses, &outcome, Killed::No);
    }
    assert_eq!(statuses, Statuses::from([(Some(125), 2), (Some(0), 2)]));
}

/// A copy of the root on a tmpfs where no byte and no inode is left.
const FULL: &str = "mount -t tmpfs -o mode=755,size=8m none \"$R\"
    cp -a \"$S/.\" \"$R\"
    dd if=/dev/zero of=\"$R/fill\" bs=4k 2>/dev/null || :
    i=0; while mkdir \"$R/tmp/$i\" 2>/dev/null && test $i -lt 100; do i=$((i+1)); done
    mount -o remount,nr_inodes=$(($(df --output=iused \"$R\" | tail -n 1)+0)) \"$R\"";

#[test]
fn on_a_full_disk_it_says_so_or_writes_elsewhere() {
    or_skip!(world::root(), "{NOT_ROOT}");
    for who in everybody() {
        let full = who.dir("full");
        let source = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let before = Before::of(&[source.path(), full.path()]);
        let upper = full.join("tmp");
        let script = format!("R={}; S={}\n{FULL}", full.text(), source.text());
        let start = |flags: &[&str]| {
            run(who, &full, &mark)
                .words(flags)
                .words(["--", "/bin/echo", "done"])
                .with_mounts(&script)
                .output()
        };
        let missing = ["--tmpfs", "/missing/there"];
        start(&missing).refuses(&["making the mount point /missing/there: ENOSPC"]);
        let upper = ["--overlay", upper.to_str().unwrap()];
        start(&upper).refuses(&["mounting an overlay over", "ENOSPC"]);
        // Where nothing has to be made, or nothing may, there is room enough.
        assert_eq!(start(&[]).succeeds(), "done\n");
        let flags = [&missing[..], &["--read-only"]].concat();
        assert_eq!(start(&flags).succeeds(), "done\n");
        let flags = [&missing[..], &["--overlay", "tmpfs"]].concat();
        assert_eq!(start(&flags).succeeds(), "done\n");
        before.is_as_after(&mark);
    }
}

/// Each may come; TERM is the end.
const STORM: [Signal; 8] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
];

/// The same, as a shell calls them.
const NAMES: [&str; 8] = [
    "HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF",
];

/// Makes orphans without end, looks after a child of its own in between, and says once of each signal that
/// it has come.
const STORMY: &str = "for s in HUP INT QUIT USR1 USR2 ALRM VTALRM PROF; do
        trap \"test -n \\\"\\$got_$s\\\" || { got_$s=1; echo got $s; }\" $s; done
    trap 'echo orphans $n; exit 43' TERM; echo ready; n=0
    while :; do (: &) ; n=$((n+1)); (exit 7); status=$?; test $status = 7 || { echo lost $status; exit 99; }; done";

/// Signals of the storm.
const MANY: usize = 100_000;
/// Between which the storm takes a breath, or it were over before there is an orphan.
const BATCHES: usize = 200;

#[test]
fn in_a_storm_of_signals_and_orphans_nothing_is_lost() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let env = or_skip!(tool("env"), "no env(1)");
        let run = run(who, &root, &mark)
            .limit(Duration::from_secs(60))
            .sh(STORMY);
        let started = run
            .through([env.to_str().unwrap(), "--default-signal"])
            .start();
        started.wait_for("ready");
        let husk = Pid::from_raw(started.pid().try_into().unwrap()).unwrap();
        let start = Instant::now();
        for _ in 0..BATCHES {
            for signal in STORM.iter().cycle().take(MANY / BATCHES) {
                kill_process(husk, *signal).unwrap();
            }
            thread::sleep(Duration::from_millis(10));
        }
        let sent = start.elapsed();
        // A child of the shell may take one for it and say it once more.
        let has = |got: &str, name: &str| got.contains(&format!("got {name}\n"));
        let all = |got: &str| NAMES.iter().all(|name| has(got, name));
        assert!(started.wait_until(all), "{}", started.so_far());
        started.signal(Signal::TERM);
        let outcome = started.finish().ends_with(43);
        let took = start.elapsed();
        skip::say(&format!(
            "{MANY} signals to {}: sent in {sent:?}, done in {took:?}",
            who.name
        ));
        assert!(!outcome.stdout.contains("lost"), "{outcome}");
        let mut lines = outcome.stdout.lines();
        let orphans = lines.find_map(|line| line.strip_prefix("orphans ")?.parse().ok());
        assert!(orphans > Some(100_u32), "{outcome}");
        crate::processes::none_left(&mark);
    }
}

#[test]
fn real_time_signals_queue_through_both_and_all_arrive_in_order() {
    const EACH: usize = 200;
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let started = run(who, &root, &mark).helper(["signals"]).start();
        started.wait_for("ready");
        let mut wanted = String::from("ready\n");
        for round in 0..5 {
            for number in [34, 50, 64] {
                for _ in 0..EACH {
                    crate::init::send(started.pid(), number);
                }
                wanted.push_str(&format!("{number}\n").repeat(EACH));
                let arrived = |got: &str| got.len() >= wanted.len();
                assert!(
                    started.wait_until(arrived),
                    "round {round}: {}",
                    started.so_far()
                );
            }
        }
        assert_eq!(started.so_far(), wanted);
        started.signal(Signal::KILL);
        started.finish();
        crate::processes::none_left(&mark);
    }
}
