//! A pseudoterminal with an interactive shell on it, as a person has, or with any other program.

use crate::processes;
use crate::running::Stream;
use crate::world::{self, Dir, Identity};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Line editing would change the terminal's attributes between commands.
const OPTIONS: [&str; 4] = ["--norc", "--noprofile", "--noediting", "-i"];

/// Why there is no [`Terminal::of`].
pub const NO_BASH: &str = "no bash(1)";

const PATIENCE: Duration = Duration::from_secs(20);

/// The person's side of it; dropped, the session's leader is killed and the terminal hangs up.
pub struct Terminal {
    // `None` once it has hung up.
    master: Option<Arc<OwnedFd>>,
    over: Arc<AtomicBool>,
    // Held open so that what the last process wrote can still be read.
    peer: OwnedFd,
    name: PathBuf,
    screen: Stream,
    leader: Child,
    seen: usize,
    rows: u32,
}

/// What the screen reads. Another descriptor of the same file would keep the terminal from hanging
/// up, and so would a read(2) that waits.
struct Master {
    fd: Arc<OwnedFd>,
    over: Arc<AtomicBool>,
}

impl Read for Master {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = rustix::io::read(&*self.fd, buffer).map_err(|_| io::ErrorKind::Other)?;
        Ok(match self.over.load(Ordering::SeqCst) {
            true => 0,
            false => read,
        })
    }
}

impl Terminal {
    /// An interactive bash(1) of `who`'s that prompts with `$ `. `None` without bash.
    pub fn of(who: &Identity) -> Option<Self> {
        let bash = world::tool("bash")?;
        let mut words = vec![bash.to_str()?];
        words.extend(OPTIONS);
        let mut terminal = Self::led_by(who, &words);
        terminal.wait_for("$ ");
        Some(terminal)
    }

    /// A program of `who`'s as the leader of the session on it, as `docker run -t` has it.
    pub fn led_by<W: AsRef<OsStr>>(who: &Identity, words: &[W]) -> Self {
        Self::led_through(who, &[], words)
    }

    /// The same, started by a program that is no part of the session: unshare(1), env(1) …
    pub fn led_through<W: AsRef<OsStr>>(who: &Identity, before: &[&str], words: &[W]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let peer = ioctl_tiocgptpeer(&master, flags).unwrap();
        let name = fs::read_link(format!("/proc/self/fd/{}", peer.as_raw_fd())).unwrap();
        who.own(&name);
        let master = Arc::new(master);
        let over = Arc::new(AtomicBool::new(false));
        let screen = Stream::of(Master {
            fd: Arc::clone(&master),
            over: Arc::clone(&over),
        });
        let mut on_terminal: Vec<&OsStr> = before.iter().map(OsStr::new).collect();
        on_terminal.extend([world::helper().as_os_str(), OsStr::new("on-terminal")]);
        on_terminal.push(name.as_os_str());
        on_terminal.extend(words.iter().map(AsRef::as_ref));
        let leader = started(who, &on_terminal);
        Self {
            master: Some(master),
            over,
            peer,
            name,
            screen,
            leader,
            seen: 0,
            rows: 24,
        }
    }

    /// The pid of the session's leader, or of what was to start it.
    pub fn leader(&self) -> u32 {
        self.leader.id()
    }

    /// Waits for the end of the session's leader.
    pub fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.leader.try_wait().unwrap() {
                return status;
            }
            let screen = &self.screen.text()[self.seen..];
            assert!(Instant::now() < end, "it does not end; screen: {screen}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Hangs up, as when the window is closed or the connection is lost.
    pub fn hang_up(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the screen, which lets go of its half.
        rustix::io::write(&self.peer, b".").unwrap();
        assert!(self.screen.wait_for_end(), "the screen goes on");
        self.master = None;
    }

    /// Types this, as a person would.
    pub fn enter(&self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let master = self.master.as_deref().unwrap();
            let written = rustix::io::write(master, rest).unwrap();
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

    /// Presses Ctrl-Z until it has an effect. A key that comes while something starts, or changes
    /// hands, may be lost, as with any program; the next is not.
    pub fn suspend(&mut self) {
        self.enter("\x1a");
        if !self.comes_soon("Stopped") {
            self.enter("\x1a");
            self.wait_for("Stopped");
        }
    }

    /// Whether this appears within a second, after what was waited for before.
    fn comes_soon(&mut self, text: &str) -> bool {
        let seen = self.seen;
        let comes = self
            .screen
            .wait_until(Duration::from_secs(1), |got| got[seen..].contains(text));
        if comes {
            self.wait_for(text);
        }
        comes
    }

    /// Waits until all of these have appeared, in any order; gives what came up to the last.
    pub fn wait_for_all<T: AsRef<str>>(&mut self, texts: &[T]) -> String {
        let seen = self.seen;
        let end_of = |got: &str, text: &str| Some(got.find(text)? + text.len());
        let found = self.screen.wait_until(PATIENCE, |got| {
            let all = |text: &T| end_of(&got[seen..], text.as_ref()).is_some();
            texts.iter().all(all)
        });
        let got = self.screen.text();
        let got = &got[seen..];
        let texts = texts.iter().map(AsRef::as_ref);
        let ends = texts.clone().filter_map(|text| end_of(got, text));
        assert!(
            found,
            "waited for {:?}; screen: {got}",
            texts.collect::<Vec<_>>()
        );
        let end = ends.max().unwrap_or(0);
        self.seen = seen + end;
        got[..end].to_owned()
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
            let ours = processes::foreground_of(self.leader()) == Some(self.leader());
            if ours || Instant::now() > end {
                return ours;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn started(who: &Identity, words: &[&OsStr]) -> Child {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
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
        drop(self.leader.kill());
        drop(self.leader.wait());
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
