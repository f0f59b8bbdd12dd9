//! What `husk init` costs, beside the inits that Debian ships and beside the floor, which is the
//! least that an init can cost (tests/bench/floor.rs). All of it is measured in one go, and what a
//! busy machine may spoil is measured anew: `cargo bench --bench init` prints the figures.

use crate::measure::{self, Idle, Init};
use crate::skip;
use crate::world::{self, Dir};

/// KiB of private memory while the command sleeps.
const MEMORY: u64 = 24;

/// System calls until the command is started.
const CALLS: usize = 8;

/// How many times what the floor adds to a start by fork(2) husk may add.
const TO_FLOOR: f64 = 1.3;

/// The same for a peer.
const TO_PEER: f64 = 0.5;

/// How often a measurement is tried.
const ATTEMPTS: usize = 5;

/// The peers, or the end of the test as skipped.
macro_rules! all_peers {
    () => {{
        let peers: Result<Vec<Init>, &str> = measure::peers().into_iter().collect();
        match peers {
            Ok(peers) => peers,
            Err(package) => skip!("a peer is missing: apt install {package}"),
        }
    }};
}

/// What is amiss with the last of some measurements: nothing, once one is as it should be.
fn amiss(mut measurement: impl FnMut() -> Option<Vec<String>>) -> Option<String> {
    let mut amiss = Vec::new();
    for _ in 0..ATTEMPTS {
        amiss = measurement()?;
        if amiss.is_empty() {
            break;
        }
    }
    Some(amiss.join("; "))
}

#[test]
fn while_its_command_sleeps_it_never_wakes_up_and_holds_next_to_nothing() {
    only_of_a_release!();
    let directory = world::myself().dir("alone");
    let Idle { private, wakes } = measure::idle(&[installed(&directory)])[0];
    skip::say(&format!(
        "private memory of husk init: {private} KiB of {MEMORY}"
    ));
    assert!(private > 0 && private <= MEMORY, "{private} KiB");
    assert_eq!(wakes, 0, "wake-ups in three seconds");
}

#[test]
fn it_makes_few_system_calls_before_its_command_runs() {
    only_of_a_release!();
    let directory = world::myself().dir("calls");
    let calls = measure::calls_until_spawn(&Init::husk(), &directory.join("log"));
    let calls = or_skip!(calls, "no strace(1): apt install strace");
    assert!(calls.len() <= CALLS, "{}: {calls:?}", calls.len());
}

/// How many microseconds each of these adds to the start of a command: on one processor, and the
/// tenth fastest. There even a busy machine changes little.
fn added(inits: &[Init]) -> Vec<f64> {
    let all: Vec<Init> = [Init::bare()].iter().chain(inits).cloned().collect();
    let times = measure::on_one_processor(|| measure::starts(&all, 500));
    let fast: Vec<f64> = times.iter().map(|times| times.quantile(10)).collect();
    fast[1..].iter().map(|time| time - fast[0]).collect()
}

/// husk from a file of its own, as an installed one is.
fn installed(directory: &Dir) -> Init {
    Init::husk().alone(directory.path())
}

#[test]
fn it_starts_a_command_nearly_as_fast_as_can_be() {
    only_of_a_release!();
    let directory = world::myself().dir("floor");
    // Without the peers: a large program leaves cold caches to the next one.
    let inits = [installed(&directory), Init::floor(), Init::forking_floor()];
    let amiss = amiss(|| {
        let added = added(&inits);
        let (husk, by_vfork, by_fork) = (added[0], added[1], added[2]);
        let said = format!(
            "husk init adds {husk:.0} us to a start; the floor {by_vfork:.0} by vfork(2), {by_fork:.0} by fork(2)"
        );
        skip::say(&said);
        let too_slow = husk > by_fork * TO_FLOOR;
        Some(too_slow.then_some(said).into_iter().collect())
    });
    assert_eq!(amiss.as_deref(), Some(""));
}

#[test]
fn it_starts_a_command_twice_as_fast_as_its_peers() {
    only_of_a_release!();
    let directory = world::myself().dir("peers");
    let mut inits = vec![installed(&directory)];
    inits.extend(all_peers!());
    let amiss = amiss(|| {
        let added = added(&inits);
        let faster = (1..inits.len()).filter(|peer| added[0] > added[*peer] * TO_PEER);
        let said = faster.map(|peer| {
            let (own, its, name) = (added[0], added[peer], inits[peer].name);
            format!("husk init adds {own:.0} us to a start, {name} {its:.0}")
        });
        Some(said.collect())
    });
    assert_eq!(amiss.as_deref(), Some(""));
}

#[test]
fn an_orphan_costs_it_no_more_than_the_best_of_its_peers() {
    only_of_a_release!();
    let mut inits = vec![Init::husk()];
    inits.extend(all_peers!());
    let amiss = amiss(|| {
        let times = measure::on_one_processor(|| measure::reaping(&inits, 9, 1000))?;
        let medians: Vec<f64> = times.iter().map(|times| times.quantile(50)).collect();
        let best = medians[1..].iter().copied().fold(f64::INFINITY, f64::min);
        let too_much = medians[0] > best;
        let said = format!(
            "{:.2} us for an orphan, the best peer {best:.2}",
            medians[0]
        );
        Some(too_much.then_some(said).into_iter().collect())
    });
    let amiss = or_skip!(amiss, "no PID namespace for unshare(1): run as root");
    assert_eq!(amiss, "");
}
