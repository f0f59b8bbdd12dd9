//! A pseudoterminal with an interactive shell on it, as a person has.

use crate::processes;
use crate::running::Stream;
use crate::world::{self, Dir, Identity};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Line editing would change the terminal's attributes between commands.
const OPTIONS: [&str; 4] = ["--norc", "--noprofile", "--noediting", "-i"];

const PATIENCE: Duration = Duration::from_secs(20);

/// The person's side of it; dropped, the shell is killed and the terminal hangs up.
pub struct Terminal {
    master: Arc<OwnedFd>,
    // Held open so that what the last process wrote can still be read.
    _peer: OwnedFd,
    name: PathBuf,
    screen: Stream,
    shell: Child,
    seen: usize,
    rows: u32,
}

struct Master(Arc<OwnedFd>);

impl Read for Master {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustix::io::read(&*self.0, buffer).map_err(|_| io::ErrorKind::Other.into())
    }
}

impl Terminal {
    /// An interactive bash(1) of `who`'s that prompts with `$ `. `None` without bash.
    pub fn of(who: &Identity) -> Option<Self> {
        let bash = world::tool("bash")?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let peer = ioctl_tiocgptpeer(&master, flags).unwrap();
        let name = fs::read_link(format!("/proc/self/fd/{}", peer.as_raw_fd())).unwrap();
        who.own(&name);
        let master = Arc::new(master);
        let screen = Stream::of(Master(Arc::clone(&master)));
        let shell = shell(who, &name, &bash);
        let mut terminal = Self {
            master,
            _peer: peer,
            name,
            screen,
            shell,
            seen: 0,
            rows: 24,
        };
        terminal.wait_for("$ ");
        Some(terminal)
    }

    /// Types this, as a person would.
    pub fn enter(&self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = rustix::io::write(&*self.master, rest).unwrap();
            rest = &rest[written..];
        }
    }

    /// Types a line.
    pub fn line(&self, text: &str) {
        self.enter(&format!("{text}\r"));
    }

    /// Waits until this appears after what was waited for before; gives what came in between.
    pub fn wait_for(&mut self, text: &str) -> String {
        let seen = self.seen;
        let found = self
            .screen
            .wait_until(PATIENCE, |got| got[seen..].contains(text));
        let got = self.screen.text();
        assert!(found, "waited for {text:?}; screen: {}", &got[seen..]);
        let start = got[seen..].find(text).unwrap();
        self.seen = seen + start + text.len();
        got[seen..seen + start].to_owned()
    }

    /// Everything that appeared since, after a moment in which more might.
    pub fn after_a_moment(&self) -> String {
        thread::sleep(Duration::from_millis(300));
        self.screen.text()[self.seen..].to_owned()
    }

    /// All that stty(1) can change, in its own words.
    pub fn attributes(&self) -> String {
        let stty = Command::new("stty")
            .arg("-F")
            .arg(&self.name)
            .arg("-g")
            .output()
            .unwrap();
        assert!(stty.status.success(), "{stty:?}");
        String::from_utf8(stty.stdout).unwrap()
    }

    /// Makes it one row taller, as a window that is drawn larger.
    pub fn resize(&mut self) {
        self.rows += 1;
        let rows = self.rows.to_string();
        let mut stty = Command::new("stty");
        stty.arg("-F").arg(&self.name).args(["rows", &rows]);
        assert!(stty.status().unwrap().success());
    }

    /// Whether the shell's process group is in the foreground, within a moment.
    pub fn shell_is_in_the_foreground(&self) -> bool {
        let end = Instant::now() + Duration::from_secs(3);
        loop {
            let ours = processes::foreground_of(self.shell.id()) == Some(self.shell.id());
            if ours || Instant::now() > end {
                return ours;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn shell(who: &Identity, terminal: &PathBuf, bash: &PathBuf) -> Child {
    let mut command = Command::new(world::helper());
    command
        .arg("on-terminal")
        .arg(terminal)
        .arg(bash)
        .args(OPTIONS);
    command
        .env_clear()
        .env("PATH", world::PATH)
        .env("PS1", "$ ")
        .env("TERM", "dumb");
    command
        .env("HOME", world::nowhere())
        .env("HISTFILE", "")
        .current_dir(world::nowhere());
    if world::myself().is_root() && !who.is_root() {
        command.gid(who.gid).uid(who.uid);
    }
    command.stdin(Stdio::null()).spawn().unwrap()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}

/// Puts a script where a terminal's shell can name it without spelling what it prints.
pub fn script(who: &Identity, root: &Dir, text: &str) -> &'static str {
    who.write(
        &root.join("bin/script"),
        &format!("#!/bin/sh\n{text}\n"),
        0o755,
    );
    "/bin/script"
}
