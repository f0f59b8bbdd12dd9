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

mod measure;

use measure::{Idle, Init, Times};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What may be asked for.
struct Options {
    rounds: usize,
    json: Option<PathBuf>,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            rounds: 500,
            json: None,
        };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} what?"));
            match word.as_str() {
                "--rounds" => options.rounds = value().parse().unwrap(),
                "--json" => options.json = Some(value().into()),
                // cargo says this to every bench.
                "--bench" => (),
                _ => panic!("not an option: {word}: there are --rounds N and --json FILE"),
            }
        }
        options
    }
}

/// Figures, a line for each init.
struct Table {
    /// Its key in the JSON file.
    name: &'static str,
    title: String,
    columns: &'static [&'static str],
    rows: Vec<(&'static str, Vec<Option<f64>>)>,
}

impl Table {
    fn print(&self) {
        println!("\n{}\n{:12}", self.title, "");
        for column in self.columns {
            print!("{column:>16}");
        }
        println!();
        for (name, figures) in &self.rows {
            print!("{name:12}");
            for figure in figures {
                match figure {
                    Some(figure) => print!("{:>16}", shown(*figure)),
                    None => print!("{:>16}", "-"),
                }
            }
            println!();
        }
    }

    fn json(&self) -> String {
        let rows = self.rows.iter().map(|(name, figures)| {
            let figures = self.columns.iter().zip(figures).map(|(column, figure)| {
                let figure = figure.map_or_else(|| "null".to_owned(), shown);
                format!("\"{column}\": {figure}")
            });
            let figures: Vec<String> = figures.collect();
            format!("    \"{name}\": {{{}}}", figures.join(", "))
        });
        let rows: Vec<String> = rows.collect();
        format!("  \"{}\": {{\n{}\n  }}", self.name, rows.join(",\n"))
    }
}

/// Whole numbers as such, the others with two places.
fn shown(figure: f64) -> String {
    if figure.fract() == 0.0 {
        format!("{figure}")
    } else {
        format!("{figure:.2}")
    }
}

fn main() {
    let options = Options::read();
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
    if let Some(file) = options.json {
        let tables = [any, one, idle, orphans].map(|table| table.json());
        fs::write(file, format!("{{\n{}\n}}\n", tables.join(",\n"))).unwrap();
    }
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
        rows: inits.iter().zip(times).map(row).collect(),
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
        rows: inits.iter().zip(measure::idle(&alone)).map(row).collect(),
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
        rows: inits
            .iter()
            .zip(times.into_iter().flatten())
            .map(row)
            .collect(),
    }
}
