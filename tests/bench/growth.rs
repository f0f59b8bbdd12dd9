//! How the cost of a start grows with the work, husk's beside the floor's.

use crate::launchers::{self, Launcher, Place, Setup};
use crate::rounds::{self, Times};
use crate::table::{Row, Table};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use rustix::process::geteuid;
use std::fs;
use std::process::Child;

/// The floor, and husk.
type Pair = [Launcher; 2];

/// All that grows.
pub fn all(place: &Place, rounds: usize) -> Vec<Table> {
    let mut tables = vec![mounts(place, rounds), at_once(place, rounds)];
    if geteuid().is_root() {
        tables.push(map_lines(place, rounds));
        tables.push(host_mounts(place, rounds));
    } else {
        println!("missing: map lines, mounts of the host: as root");
    }
    tables.into_iter().flatten().collect()
}

/// Both, asked for a container that is as they find it.
fn plain(place: &Place, setup: Setup) -> Option<Pair> {
    let found = launchers::all(setup, place, &["/bin/true"])
        .into_iter()
        .flatten();
    let both: Vec<Launcher> = found.take(2).collect();
    both.try_into().ok()
}

/// A row for each amount: the times of both, and what one more costs each of them.
fn table(
    (name, title): (&'static str, &str),
    amounts: &[usize],
    mut measure: impl FnMut(usize) -> [Times; 2],
) -> Option<Table> {
    let mut first: Option<(usize, [f64; 2])> = None;
    let row = |amount: usize| -> Row {
        let [floor, husk] = measure(amount);
        let fast = [floor.quantile(10), husk.quantile(10)];
        let (least, start) = *first.get_or_insert((amount, fast));
        let more = amount - least;
        let each = |which: usize| {
            let added: f64 = fast[which] - start[which];
            (more > 0).then(|| added / f64::from(u32::try_from(more).unwrap()))
        };
        let figures = vec![
            Some(fast[0]),
            Some(fast[1]),
            Some(fast[1] / fast[0]),
            Some(husk.quantile(50) / floor.quantile(50)),
            each(0),
            each(1),
        ];
        (amount.to_string(), figures)
    };
    Some(Table {
        name,
        title: format!("{title}: microseconds, p10, and what one more adds"),
        columns: &[
            "floor",
            "husk",
            "p10 ratio",
            "median ratio",
            "floor's each",
            "husk's each",
        ],
        rows: amounts.iter().copied().map(row).collect(),
    })
}

fn pair_of(times: Vec<Times>) -> [Times; 2] {
    let pair: Result<[Times; 2], _> = times.try_into();
    pair.ok().unwrap()
}

fn starts(pair: &Pair, rounds: usize) -> [Times; 2] {
    let mut commands: Vec<_> = pair.iter().map(Launcher::command).collect();
    pair_of(rounds::interleaved(&mut commands, rounds))
}

/// Binds beside what every container has.
fn mounts(place: &Place, rounds: usize) -> Option<Table> {
    let pair = plain(place, Setup::OneId)?;
    let root = place.file("root");
    table(("mounts", "Further binds"), &[0, 1, 10, 100], |amount| {
        let mut pair = pair.clone();
        pair[0].words[2] = amount.to_string();
        let binds = (0..amount).flat_map(|number| {
            [
                "--bind".to_owned(),
                format!("{root}/bin"),
                format!("{root}/mnt/{number}"),
            ]
        });
        let binds: Vec<String> = binds.collect();
        let words = &mut pair[1].words;
        let end = words.iter().position(|word| word == "--").unwrap();
        words.splice(end..end, binds);
        starts(&pair, rounds)
    })
}

/// Lines of both maps, one id each, out of a file.
fn map_lines(place: &Place, rounds: usize) -> Option<Table> {
    let pair = plain(place, Setup::Root)?;
    table(
        ("map_lines", "Lines of each map"),
        &[1, 10, 100, 340],
        |amount| {
            let lines = (0..amount).map(|id| format!("{id} {id} 1\n"));
            let map: String = lines.collect();
            let tables = (0..amount).map(|id| {
                let line = format!("inside = {id}\noutside = {id}\ncount = 1\n");
                format!("[[uid_map]]\n{line}[[gid_map]]\n{line}")
            });
            let file = place.file("maps.toml");
            fs::write(&file, tables.collect::<String>()).unwrap();
            let mut pair = pair.clone();
            pair[0].words[0] = "m".to_owned();
            pair[0].words[3] = map;
            let words = &mut pair[1].words;
            words.retain(|word| word != "--id-map" && word != "root" && word != "--no-config");
            words.splice(1..1, ["-c".to_owned(), file]);
            starts(&pair, rounds)
        },
    )
}

/// Mounts that the host has, in the namespace of the bench.
fn host_mounts(place: &Place, rounds: usize) -> Option<Table> {
    let pair = plain(place, Setup::Root)?;
    let mut mounted = 0;
    let target = |number: usize| place.file(&format!("state/{number}"));
    let made = table(
        ("host_mounts", "Further mounts of the host"),
        &[10, 100, 1000],
        |amount| {
            while mounted < amount {
                let target = target(mounted);
                fs::create_dir_all(&target).unwrap();
                mount_bind(place.file("root/bin").as_str(), target.as_str()).unwrap();
                mounted += 1;
            }
            starts(&pair, rounds)
        },
    );
    (0..mounted)
        .for_each(|number| unmount(target(number).as_str(), UnmountFlags::empty()).unwrap());
    made
}

/// Containers that start together: until the last of them has ended.
fn at_once(place: &Place, rounds: usize) -> Option<Table> {
    let pair = plain(place, Setup::OneId)?;
    table(("at_once", "Containers at once"), &[1, 10, 100], |amount| {
        let all_of = |launcher: &Launcher| {
            let launcher = launcher.clone();
            let work = move || {
                let start = |_| launcher.command().spawn().unwrap();
                let children: Vec<Child> = (0..amount).map(start).collect();
                for mut child in children {
                    assert!(child.wait().unwrap().success());
                }
            };
            Box::new(work) as Box<dyn FnMut()>
        };
        let mut works: Vec<_> = pair.iter().map(all_of).collect();
        pair_of(rounds::interleaved_works(
            &mut works,
            (rounds / amount).max(5),
        ))
    })
}
