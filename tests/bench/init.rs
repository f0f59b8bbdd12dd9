//! What `husk init` costs, beside the inits that Debian ships and the floor below all of them.
//!
//!     cargo bench --bench init -- [--rounds N] [--json FILE]
#![expect(
    clippy::disallowed_macros,
    reason = "a bench has std: core::fmt is welcome here"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking"
)]

mod floors;
mod measure;
mod memory;
mod rounds;
mod table;

use measure::{Idle, Init};
use rounds::Times;
use std::path::Path;
use table::{Options, Table};

fn main() {
    let options = Options::read(500);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    // As an installed one is.
    let husk = Init::husk().alone(&directory);
    let mut inits = vec![Init::floor(), Init::forking_floor(), husk];
    for peer in measure::peers() {
        match peer {
            Ok(peer) => inits.push(peer),
            Err(package) => println!("a peer is missing: apt install {package}"),
        }
    }
    let bare_too: Vec<Init> = [Init::bare()].iter().chain(&inits).cloned().collect();
    let times = || measure::starts(&bare_too, options.rounds);
    let any = starts("start", "any processor", &bare_too, &times());
    any.print();
    let pinned = measure::on_one_processor(times);
    let one = starts("start_pinned", "one processor", &bare_too, &pinned);
    one.print();
    let idle = idle(&inits, &directory);
    idle.print();
    let orphans = orphans(&inits);
    orphans.print();
    options.write(&[any, one, idle, orphans]);
}

/// How long a command takes, what of that is the init's, and how much more it is than the floor's.
/// The first of the inits is none, and the second is the floor.
fn starts(name: &'static str, processors: &str, inits: &[Init], times: &[Times]) -> Table {
    let extra = |own: &Times, share| own.quantile(share) - times[0].quantile(share);
    let row = |(init, own): (&Init, &Times)| {
        let figures = [10, 50].into_iter().flat_map(|share| {
            let (extra, floor) = (extra(own, share), extra(&times[1], share));
            let some = |figure| (extra > 0.0).then_some(figure);
            [Some(own.quantile(share)), some(extra), some(extra / floor)]
        });
        (init.name, figures.collect())
    };
    Table {
        name,
        title: format!("Start of a static true on {processors}, microseconds"),
        columns: &[
            "p10",
            "p10 extra",
            "p10 ratio",
            "median",
            "median extra",
            "median ratio",
        ],
        rows: table::named(inits.iter().zip(times).map(row)),
    }
}

/// What it takes to start, and what to stay.
fn idle(inits: &[Init], directory: &Path) -> Table {
    let idle = directory.join("idle");
    let alone: Vec<Init> = inits.iter().map(|init| init.alone(&idle)).collect();
    let row = |(init, idle): (&Init, Idle)| {
        let calls = measure::calls_until_spawn(init, &directory.join("strace"));
        let calls = calls.map(|calls| calls.len() as f64);
        let figures = [Some(idle.private as f64), Some(idle.wakes as f64), calls];
        (init.name, figures.into())
    };
    Table {
        name: "idle",
        title: "Private memory in KiB, wake-ups in 3 s, system calls until the spawn".to_owned(),
        columns: &["private", "wakes", "calls"],
        rows: table::named(inits.iter().zip(measure::idle(&alone)).map(row)),
    }
}

/// What an orphan costs.
fn orphans(inits: &[Init]) -> Table {
    let (rounds, count) = (10, 2000);
    let times = measure::on_one_processor(|| measure::reaping(inits, rounds, count));
    let row = |(init, times): (&Init, Times)| {
        let figures = [0, 50].map(|share| Some(times.quantile(share)));
        (init.name, figures.into())
    };
    let title = format!("Processor time for an orphan, microseconds, {rounds} rounds of {count}");
    Table {
        name: "orphans",
        title,
        columns: &["min", "median"],
        rows: table::named(inits.iter().zip(times.into_iter().flatten()).map(row)),
    }
}
