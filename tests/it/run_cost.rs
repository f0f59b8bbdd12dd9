//! What `husk run` costs beside its floor, the least program that makes such a container
//! (tests/bench/container): `cargo bench --bench run` prints the figures.

use crate::footprint;
use crate::launchers::{self, Launcher, Place, Setup};
use crate::measure::{self, Init};
use crate::rounds;
use crate::skip;
use crate::world;

/// System calls more than the floor makes.
const CALLS: usize = 20;

/// How many times the floor's time a start may take: the tenth fastest of each. The bench holds it to
/// 1.15 on a quiet machine; this is for a busy one.
const TO_FLOOR: f64 = 1.4;

/// How often a measurement is tried.
const ATTEMPTS: usize = 5;

/// The floor and husk in a set-up; none where it cannot be had.
fn pair(setup: Setup, place: &Place, command: &[&str]) -> Option<[Launcher; 2]> {
    let found = launchers::all(setup, place, command).into_iter().flatten();
    found.take(2).collect::<Vec<Launcher>>().try_into().ok()
}

#[test]
fn it_makes_few_system_calls_more_than_the_floor() {
    only_of_a_release!();
    let place = Place::new(world::husk());
    for setup in [Setup::OneId, Setup::Root] {
        let [floor, husk] = or_skip!(
            pair(setup, &place, &["/bin/true"]),
            "as root, with husktest"
        );
        let log = place.file("state/strace");
        let traced = |launcher: &Launcher| footprint::traced(launcher, log.as_ref());
        let both = traced(&floor).zip(traced(&husk));
        let (floor, husk) = or_skip!(both, "no strace(1): apt install strace");
        let said = format!(
            "{setup:?}: husk makes {} system calls, the floor {}",
            husk.calls, floor.calls
        );
        skip::say(&said);
        assert!(husk.calls <= floor.calls + CALLS, "{said}");
        assert_eq!(husk.processes, floor.processes, "{setup:?}");
    }
}

#[test]
fn both_its_processes_together_hold_no_more_memory_than_tini_alone() {
    only_of_a_release!();
    let place = Place::new(world::husk());
    let peers = measure::peers().into_iter().flatten();
    let tini: Vec<Init> = peers.filter(|init| init.name == "tini").collect();
    let tini = or_skip!(tini.first(), "a peer is missing: apt install tini");
    let most = measure::idle(std::slice::from_ref(tini))[0].private;
    let pause = ["/bin/pause", "init", "--pause"];
    let [_, husk] = or_skip!(
        pair(Setup::OneId, &place, &pause),
        "no ordinary user husktest"
    );
    let husk = footprint::resident(&husk).expect("the command runs");
    skip::say(&format!(
        "private memory of husk run: {husk} KiB; tini's: {most}"
    ));
    assert!(husk > 0 && husk <= most, "{husk} KiB, tini {most}");
}

#[test]
fn it_starts_a_container_nearly_as_fast_as_can_be() {
    only_of_a_release!();
    let place = Place::new(world::husk());
    for setup in [Setup::OneId, Setup::Net, Setup::Ranges, Setup::Root] {
        let pair = or_skip!(
            pair(setup, &place, &["/bin/true"]),
            "as root, with husktest and its ranges"
        );
        let mut ratio = f64::INFINITY;
        for _ in 0..ATTEMPTS {
            let mut commands = pair.clone().map(|launcher| launcher.command());
            let times = rounds::interleaved(&mut commands, 100);
            ratio = times[1].quantile(10) / times[0].quantile(10);
            skip::say(&format!(
                "{setup:?}: {} takes {ratio:.2} of the floor's time",
                pair[1].name
            ));
            if ratio <= TO_FLOOR {
                break;
            }
        }
        assert!(ratio <= TO_FLOOR, "{setup:?}: {ratio:.2}");
    }
}
