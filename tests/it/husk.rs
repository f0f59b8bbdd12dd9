//! Runs the built binary as somebody, under a limit, and keeps what it said.

use crate::running::{Outcome, Started};
use crate::world::{self, Dir, Identity};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// One run of husk, being described.
#[derive(Clone)]
pub struct Run {
    who: Identity,
    before: Vec<OsString>,
    program: OsString,
    words: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    directory: PathBuf,
    stdin: Input,
    limit: Duration,
}

#[derive(Clone, Copy)]
enum Input {
    Null,
    Pipe,
}

impl Run {
    /// `husk` alone, started by `who` in an empty directory.
    pub fn husk(who: &Identity) -> Self {
        Self::program(who, world::husk())
    }

    /// Another program in husk's place: a peer, or husk by another name.
    pub fn program(who: &Identity, program: &Path) -> Self {
        Self {
            who: who.clone(),
            before: Vec::new(),
            program: program.into(),
            words: Vec::new(),
            variables: vec![
                ("PATH".into(), world::PATH.into()),
                ("HOME".into(), world::nowhere().into()),
            ],
            directory: world::nowhere().to_owned(),
            stdin: Input::Null,
            limit: Duration::from_secs(30),
        }
    }

    /// `husk run`.
    pub fn new(who: &Identity) -> Self {
        Self::husk(who).words(["run"])
    }

    /// `husk run --root DIR`.
    pub fn root(who: &Identity, root: &Dir) -> Self {
        Self::new(who).words(["--root", root.text()])
    }

    /// `husk run -c FILE`, the file being written into a directory of its own.
    pub fn config(who: &Identity, directory: &Dir, text: &str) -> Self {
        let file = directory.join("box.toml");
        who.write(&file, text, 0o644);
        Self::new(who).words(["-c"]).word(&file)
    }

    /// More words, after those that are there.
    #[must_use]
    pub fn words<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words
            .extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Words right after `run`, wherever the command starts.
    #[must_use]
    pub fn first<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        self.words.splice(1..1, words);
        self
    }

    /// One more word.
    #[must_use]
    pub fn word(self, word: impl AsRef<OsStr>) -> Self {
        self.words([word])
    }

    /// `-- /bin/sh -c SCRIPT`.
    #[must_use]
    pub fn sh(self, script: &str) -> Self {
        self.words(["--", "/bin/sh", "-c", script])
    }

    /// `-- helper WORD…`, the helper of the root directory.
    #[must_use]
    pub fn helper<W: AsRef<OsStr>>(self, words: impl IntoIterator<Item = W>) -> Self {
        self.words(["--", "/bin/helper"]).words(words)
    }

    /// A variable in husk's own environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.into(), value.as_ref().into()));
        self
    }

    /// The directory to start in.
    #[must_use]
    pub fn within(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// A standard input that [`Started::say`] writes to.
    #[must_use]
    pub const fn listening(mut self) -> Self {
        self.stdin = Input::Pipe;
        self
    }

    /// How long it may take before it is killed and the test fails.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Words of a program that becomes husk: `env --default-signal=INT`, `strace -f` …
    #[must_use]
    pub fn through<W: AsRef<OsStr>>(mut self, program: impl IntoIterator<Item = W>) -> Self {
        let words = program.into_iter().map(|word| word.as_ref().to_owned());
        self.before.splice(0..0, words);
        self
    }

    /// Runs a shell first whose last act is to become husk: `exec "$@"`.
    #[must_use]
    pub fn after(self, script: &str) -> Self {
        self.through(["/bin/sh", "-c", &format!("{script}\nexec \"$@\""), "sh"])
    }

    /// Root's script in a mount namespace of its own first, then husk as whoever this run is of.
    #[must_use]
    pub fn with_mounts(self, script: &str) -> Self {
        let (uid, gid) = (self.who.uid.to_string(), self.who.gid.to_string());
        let mut run = self.through([
            "setpriv",
            "--reuid",
            &uid,
            "--regid",
            &gid,
            "--clear-groups",
        ]);
        run.who = world::myself().clone();
        run.with_mounts_as_root(script)
    }

    /// Root's script in a mount namespace of its own first; who comes after is up to the run.
    #[must_use]
    pub fn with_mounts_as_root(self, script: &str) -> Self {
        let script = format!("set -e\n{script}\nexec \"$@\"");
        self.through([
            "unshare",
            "-m",
            "--propagation",
            "private",
            "/bin/sh",
            "-c",
            &script,
            "sh",
        ])
    }

    /// Started by root, who becomes the user by what comes before husk.
    #[must_use]
    pub fn started_by_root(mut self) -> Self {
        self.who = world::myself().clone();
        self
    }

    /// On a host that is as these words of `helper host` say. Set-user-ID programs work there if root
    /// runs the tests; else the container does without.
    #[must_use]
    pub fn on_host<W: AsRef<OsStr>>(self, words: impl IntoIterator<Item = W>) -> Self {
        let mut all: Vec<OsString> = vec![world::helper().into(), "host".into()];
        all.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        let mut run = self;
        if !world::myself().is_root() && run.words.first().is_some_and(|word| word == "run") {
            run = run.first(["--id-map", "root"]);
        }
        if world::myself().is_root() && !run.who.is_root() {
            let ids = format!("{}:{}", run.who.uid, run.who.gid);
            all.extend(["--as".into(), ids.into()]);
            run.who = world::myself().clone();
        }
        all.push("--".into());
        run.through(all)
    }

    /// Under strace, which writes to `log`. Root traces the user with set-user-ID programs intact.
    #[must_use]
    pub fn traced<W: AsRef<OsStr>>(self, log: &Path, options: impl IntoIterator<Item = W>) -> Self {
        let mut words: Vec<OsString> = vec!["strace".into(), "-o".into(), log.into()];
        words.extend(options.into_iter().map(|word| word.as_ref().to_owned()));
        let mut run = self;
        if world::myself().is_root() && !run.who.is_root() {
            words.extend(["-u".into(), run.who.name.clone().into()]);
            run.who = world::myself().clone();
        }
        words.push("--".into());
        run.through(words)
    }

    /// Starts it, and leaves it running.
    pub fn start(&self) -> Started {
        let mut command = self.command();
        command.stdin(match self.stdin {
            Input::Null => Stdio::null(),
            Input::Pipe => Stdio::piped(),
        });
        Started::new(command, self.limit)
    }

    /// Runs it to its end.
    pub fn output(&self) -> Outcome {
        let mut started = self.start();
        started.close_stdin();
        started.finish()
    }

    /// What [`crate::terminal`] types.
    pub fn typed(&self) -> String {
        let quoted = |word: &OsString| format!("'{}'", word.to_str().unwrap());
        let words = self.before.iter().cloned();
        let words = words
            .chain([self.program.clone()])
            .chain(self.words.iter().cloned());
        words
            .map(|word| quoted(&word))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// What starts it; its streams are whoever's who asks.
    pub fn command(&self) -> Command {
        let program = [&self.program];
        let mut words = self.before.iter().chain(program).chain(&self.words);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env_clear().current_dir(&self.directory);
        // Whoever runs the tests may be in an orphaned process group, which nothing stops.
        command.process_group(0);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if world::myself().is_root() && !self.who.is_root() {
            command.gid(self.who.gid).uid(self.who.uid);
        }
        command
    }
}
