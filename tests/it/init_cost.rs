//! What `husk init` costs, beside the inits that Debian ships and beside the floor, which is the
//! least that an init can cost (tests/bench/floor.rs). All of it is measured in one go, and what a
//! busy machine may spoil is measured anew: `cargo bench --bench init` prints the figures.

use crate::measure::{self, Idle, Init};
use crate::skip;
use crate::world;

/// KiB of private memory while the command sleeps.
const MEMORY: u64 = 24;

/// System calls until the command is started.
const CALLS: usize = 8;

/// How many times what the floor adds to a start by fork(2) husk may add.
const TO_FLOOR: f64 = 1.3;

/// The same for a peer.
const TO_PEER: f64 = 0.5;

/// What two measurements of the same program may differ by.
const NOISE: f64 = 1.05;

/// How often a measurement is tried.
const ATTEMPTS: usize = 5;

/// Ends the test where the figures would be no figures.
macro_rules! only_of_a_release {
    () => {
        if cfg!(debug_assertions) {
            return skip::declined("the cost is the release build's: cargo test --release");
        }
        if !cfg!(target_arch = "x86_64") {
            return skip::declined("the floor is written for x86_64");
        }
    };
}

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
    let husk = Init::husk().alone(directory.path());
    let Idle { private, wakes } = measure::idle(&[husk])[0];
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

#[test]
fn it_starts_a_command_nearly_as_fast_as_can_be_and_twice_as_fast_as_its_peers() {
    only_of_a_release!();
    let mut inits = vec![Init::bare(), Init::husk(), Init::forking_floor()];
    inits.extend(all_peers!());
    let amiss = amiss(|| {
        // On one processor, and the fast ones: there even a busy machine changes little.
        let times = measure::on_one_processor(|| measure::starts(&inits, 200));
        let extra = |index: usize| times[index].quantile(10) - times[0].quantile(10);
        let most = |index: usize| extra(index) * if index == 2 { TO_FLOOR } else { TO_PEER };
        let faster = (2..inits.len()).filter(|other| extra(1) > most(*other));
        let said = faster.map(|other| {
            let (own, its, name) = (extra(1), extra(other), inits[other].name);
            format!("husk adds {own:.1} us to a start, {name} {its:.1}")
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
        let too_much = medians[0] > best * NOISE;
        let said = format!(
            "{:.2} us for an orphan, the best peer {best:.2}",
            medians[0]
        );
        Some(too_much.then_some(said).into_iter().collect())
    });
    let amiss = or_skip!(amiss, "no PID namespace for unshare(1): run as root");
    assert_eq!(amiss, "");
}
