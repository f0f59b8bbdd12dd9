//! What `husk run` costs, beside the launchers that there are and the floor below all of them.
//!
//!     cargo bench --bench run -- [--rounds N] [--json FILE]
//!
//! As root it measures everything, ordinary users' containers with the user `husktest`; as an ordinary
//! user, what that can.
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
mod footprint;
mod growth;
mod launchers;
mod memory;
mod rounds;
mod table;

use launchers::{Launcher, Place, Setup};
use rounds::Times;
use rustix::mount::{MountFlags, mount};
use rustix::process::geteuid;
use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use table::{Options, Table};

fn main() {
    let options = Options::read(300);
    if geteuid().is_root() {
        leave_mounts();
    }
    let place = Place::new(Path::new(env!("CARGO_BIN_EXE_husk")));
    let mut tables = Vec::new();
    for (setup, name, title) in [
        (Setup::OneId, "one_id", "an ordinary user, one id"),
        (Setup::Net, "net", "the same with a net namespace"),
        (Setup::Ranges, "ranges", "an ordinary user, ranges of ids"),
        (Setup::Root, "root", "root, one id"),
    ] {
        let (launchers, missing): (Vec<_>, Vec<_>) = launchers::all(setup, &place, &["/bin/true"])
            .into_iter()
            .partition(Result::is_ok);
        for reason in missing.into_iter().filter_map(Result::err) {
            println!("missing: {reason}");
        }
        let launchers = working(launchers.into_iter().flatten());
        if launchers.is_empty() {
            continue;
        }
        let (slow, fast): (Vec<Launcher>, Vec<Launcher>) = launchers
            .into_iter()
            .partition(|launcher| launcher.name == "runc");
        let mut times = starts(&fast, options.rounds);
        // Ten times as slow as the next: it is not kept waiting for.
        times.extend(starts(&slow, options.rounds / 10));
        let launchers: Vec<Launcher> = fast.into_iter().chain(slow).collect();
        let table = compared(name, title, &launchers, &times);
        table.print();
        tables.push(table);
    }
    let table = footprints(&place);
    table.print();
    tables.push(table);
    for table in growth::all(&place, options.rounds) {
        table.print();
        tables.push(table);
    }
    options.write(&tables);
}

/// A mount namespace of the bench's own, where crun finds cgroups as it wants them: by unshare(1), which
/// executes the bench again.
fn leave_mounts() {
    const INSIDE: &str = "HUSK_BENCH_INSIDE";
    if env::var_os(INSIDE).is_none() {
        let mut again = Command::new("unshare");
        again.args(["-m", "--propagation", "private"]);
        again
            .arg(env::current_exe().unwrap())
            .args(env::args_os().skip(1));
        panic!("unshare(1): {}", again.env(INSIDE, "yes").exec());
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if !Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
        && let Err(errno) = mount("cgroup2", "/sys/fs/cgroup", "cgroup2", flags, None)
    {
        println!("no cgroup2, which crun wants: {errno}");
    }
}

fn starts(launchers: &[Launcher], rounds: usize) -> Vec<Times> {
    let mut commands: Vec<_> = launchers.iter().map(Launcher::command).collect();
    rounds::interleaved(&mut commands, rounds)
}

/// Those that work here; the others are named.
fn working(launchers: impl Iterator<Item = Launcher>) -> Vec<Launcher> {
    let works = |launcher: &Launcher| {
        let output = launcher.command().output().unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            println!("does not work here: {}: {}", launcher.name, said.trim());
        }
        output.status.success()
    };
    launchers.filter(works).collect()
}

/// The times, and how they compare.
fn compared(name: &'static str, title: &str, launchers: &[Launcher], times: &[Times]) -> Table {
    let of = |name| launchers.iter().position(|launcher| launcher.name == name);
    let row = |(launcher, own): (&Launcher, &Times)| {
        let ratio = |other: Option<usize>, share| {
            other.map(|other| own.quantile(share) / times[other].quantile(share))
        };
        let (floor, bwrap) = (of("floor"), of("bwrap"));
        let figures = vec![
            Some(own.quantile(10)),
            Some(own.quantile(50)),
            ratio(floor, 10),
            ratio(floor, 50),
            ratio(bwrap, 10),
            ratio(bwrap, 50),
        ];
        (launcher.name, figures)
    };
    Table {
        name,
        title: format!("Start of a static true, microseconds: {title}"),
        columns: &[
            "p10",
            "median",
            "p10/floor",
            "median/floor",
            "p10/bwrap",
            "median/bwrap",
        ],
        rows: table::named(launchers.iter().zip(times).map(row)),
    }
}

/// What else a start takes, and what stays while the command runs.
fn footprints(place: &Place) -> Table {
    let found = |command| {
        launchers::all(Setup::OneId, place, command)
            .into_iter()
            .flatten()
    };
    let starting = working(found(&["/bin/true"]));
    let staying = found(&["/bin/pause", "init", "--pause"]);
    let row = |launcher: &Launcher| {
        let traced = footprint::traced(launcher, Path::new(&place.file("state/strace")));
        let pausing = staying
            .clone()
            .find(|staying| staying.name == launcher.name);
        let memory = pausing.and_then(|launcher| footprint::resident(&launcher));
        let size = fs::metadata(&launcher.file).unwrap().len();
        let figures = vec![
            traced.as_ref().map(|traced| traced.calls as f64),
            traced.map(|traced| traced.processes as f64),
            memory.map(|memory| memory as f64),
            Some(size as f64),
        ];
        (launcher.name, figures)
    };
    Table {
        name: "footprint",
        title:
            "System calls and processes of a start, true's included; KiB of private memory of the \
                launcher's processes while a command runs; bytes of the program's file"
                .to_owned(),
        columns: &["calls", "processes", "private", "file"],
        rows: table::named(starting.iter().map(row)),
    }
}
