//! The ways in which `husk init` shares a terminal, and commands that tell what reaches them.

use crate::processes;
use crate::terminal::Terminal;
use crate::world::{self, Dir, Identity};
use rustix::fs::{CWD, FileType, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::symlink;
use std::path::Path;

/// One way to run it.
pub struct Way {
    /// The program's name, and its options.
    pub words: &'static [&'static str],
    pub place: Place,
    pub reach: Reach,
}

/// Where the command is, when husk leads no session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a process group of its own, which husk lends the terminal to.
    OwnGroup,
    /// In husk's process group.
    HusksGroup,
    /// In a session that has no terminal.
    OwnSession,
}

/// What a signal reaches that a process sends to husk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Command,
    Everybody,
}

const fn way(words: &'static [&'static str], place: Place, reach: Reach) -> Way {
    Way {
        words,
        place,
        reach,
    }
}

const WAYS: [Way; 10] = [
    way(&["husk", "init"], Place::OwnGroup, Reach::Command),
    way(&["husk", "init", "-g"], Place::OwnGroup, Reach::Everybody),
    way(
        &["husk", "init", "--all"],
        Place::OwnGroup,
        Reach::Everybody,
    ),
    way(&["husk", "init", "-c"], Place::HusksGroup, Reach::Command),
    way(
        &["husk", "init", "--no-tty"],
        Place::HusksGroup,
        Reach::Command,
    ),
    way(
        &["husk", "init", "--session"],
        Place::OwnSession,
        Reach::Everybody,
    ),
    way(&["tini", "-s"], Place::OwnGroup, Reach::Command),
    way(&["catatonit"], Place::OwnGroup, Reach::Command),
    way(&["dumb-init"], Place::OwnSession, Reach::Everybody),
    way(&["dumb-init", "-c"], Place::HusksGroup, Reach::Command),
];

/// Every way. A failure shows the one that it happened in.
pub fn ways() -> impl Iterator<Item = &'static Way> {
    WAYS.iter()
        .inspect(|way| println!("way: {}", way.words.join(" ")))
}

/// What promises the same, where it is installed.
pub fn peers() -> impl Iterator<Item = &'static Way> {
    const PEERS: [Way; 3] = [
        way(&["/usr/bin/tini", "-s"], Place::OwnGroup, Reach::Command),
        way(&["/usr/bin/dumb-init"], Place::OwnSession, Reach::Everybody),
        way(&["/usr/bin/catatonit"], Place::OwnGroup, Reach::Command),
    ];
    let installed = |way: &&Way| Path::new(way.words[0]).exists();
    let ways = PEERS.iter().filter(installed);
    ways.inspect(|way| println!("way: {}", way.words.join(" ")))
}

/// The ways in which the command keeps the terminal of a session that somebody else leads.
pub fn with_the_terminal() -> impl Iterator<Item = &'static Way> {
    ways().filter(|way| way.place != Place::OwnSession)
}

/// The ways in which husk lends its terminal, and takes it back.
pub fn that_lend_it() -> impl Iterator<Item = &'static Way> {
    ways().filter(|way| way.place == Place::OwnGroup)
}

/// Perl, because a shell's trap does not tell two signals from one, if they come together.
const COUNT: &str = r#"
$| = 1;
alarm 60;
my ($name, %seen) = "command";
for my $signal (qw(HUP INT QUIT USR1 CONT WINCH)) {
    $SIG{$signal} = sub { print "$name: $signal ", ++$seen{$signal}, "\n" };
}
my $command = $$;
my $child = fork // die;
if ($child == 0) {
    alarm 60;
    $name = "child";
    print "child: ready\n";
    while (getppid == $command) { sleep 1 }
    exit;
}
$SIG{TERM} = sub { kill "KILL", $child; exit 3 };
print "command: ready\n";
sleep 1 while 1;
"#;

pub const NO_PERL: &str = "no perl(1): apt install perl-base";

/// A directory of somebody's that has husk under its other names, and what it is to run.
pub struct Bench {
    dir: Dir,
    who: Identity,
}

impl Bench {
    pub fn of(who: &Identity) -> Self {
        let dir = who.dir("init");
        for name in ["tini", "catatonit"] {
            symlink(world::husk(), dir.join(name)).unwrap();
        }
        world::copy_program(world::husk(), &dir.join("dumb-init"));
        let who = who.clone();
        Self { dir, who }
    }

    /// A program that says `command: INT 1` at the first SIGINT, as does its child, and that ends
    /// with status 3 at SIGTERM. `None` without perl.
    pub fn count(&self) -> Option<String> {
        let perl = world::tool("perl")?;
        Some(self.program("count", &format!("#!{}\n{COUNT}", perl.display())))
    }

    /// A script, named so that what it prints is not what is typed.
    pub fn script(&self, text: &str) -> String {
        self.program("script", &format!("#!/bin/sh\n{text}\n"))
    }

    pub fn program(&self, name: &str, text: &str) -> String {
        let path = self.dir.join(name);
        self.who.write(&path, text, 0o755);
        path.to_str().unwrap().to_owned()
    }

    /// A new named pipe.
    pub fn fifo(&self, name: &str) -> String {
        let path = self.path(name);
        mknodat(CWD, path.as_str(), FileType::Fifo, 0o600.into(), 0).unwrap();
        self.who.own(Path::new(&path));
        path
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    /// The words that run a command this way.
    pub fn words(&self, way: &Way, command: &[&str]) -> Vec<String> {
        let program = match way.words[0] {
            "husk" => world::husk().to_str().unwrap().to_owned(),
            name if name.starts_with('/') => name.to_owned(),
            name => self.path(name),
        };
        let options = way.words[1..].iter().chain(&["--"]).chain(command);
        let options = options.map(|word| (*word).to_owned());
        [program].into_iter().chain(options).collect()
    }

    /// The same as [`Terminal::line`] takes it.
    pub fn typed(&self, way: &Way, command: &[&str]) -> String {
        quoted(&self.words(way, command))
    }
}

/// Words as a shell takes them.
pub fn quoted(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    quoted.join(" ")
}

/// The husk whose command has this mark.
pub fn husk_of(mark: &str) -> u32 {
    let marked = processes::marked(mark);
    let husk = marked.iter().find(|process| {
        let children = |parent: u32| marked.iter().filter(move |child| child.parent == parent);
        let program = process.arguments.split(' ').next().unwrap();
        let name = program.rsplit('/').next().unwrap();
        ["husk", "tini", "dumb-init", "catatonit"].contains(&name)
            && children(process.pid).count() > 0
    });
    husk.unwrap_or_else(|| panic!("no husk: {marked:#?}")).pid
}

/// Sends a signal as another process does.
pub fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Presses keys, resizes, and sends signals to husk, while the count runs: each comes once. Then
/// ends it.
pub fn each_comes_once(terminal: &mut Terminal, way: &Way, husk: u32) {
    let everybody = &["command", "child"][..];
    for round in 1..=ROUNDS {
        for (name, key) in [("INT", "\x03"), ("QUIT", "\x1c"), ("WINCH", "")] {
            match key {
                "" => terminal.resize(),
                _ => terminal.enter(key),
            }
            // What a terminal sends reaches everybody in every way, as it does without husk.
            exactly(terminal, everybody, &format!("{name} {round}"));
        }
    }
    let reached = match way.reach {
        Reach::Command => &everybody[..1],
        Reach::Everybody => everybody,
    };
    for (name, signal) in SENT {
        kill(husk, signal);
        let count = match name {
            "INT" | "QUIT" | "WINCH" => ROUNDS + 1,
            _ => 1,
        };
        exactly(terminal, reached, &format!("{name} {count}"));
    }
    // SIGCONT is the job's, and so it may reach everybody in every way.
    kill(husk, Signal::CONT);
    let first = terminal.wait_for("command: CONT 1\r\n");
    let more = first + &terminal.after_a_moment();
    let more = more.replacen("child: CONT 1\r\n", "", 1);
    assert!(!more.contains(": "), "more came: {more}");
    kill(husk, Signal::TERM);
}

/// A second signal that comes right after the first may be lost in it: so more than one round.
const ROUNDS: u32 = 4;

/// The first HUP is one of those that somebody could take for the terminal's.
const SENT: [(&str, Signal); 5] = [
    ("HUP", Signal::HUP),
    ("USR1", Signal::USR1),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("WINCH", Signal::WINCH),
];

fn exactly(terminal: &mut Terminal, reached: &[&str], what: &str) {
    let lines: Vec<String> = reached
        .iter()
        .map(|who| format!("{who}: {what}\r\n"))
        .collect();
    let got = terminal.wait_for_all(&lines);
    let came = got.matches(": ").count();
    assert_eq!(came, lines.len(), "{what}: {got}");
}
