//! What an init says: one line at a time on standard error, in the way of whom it stands in for.

use crate::fail::persona::{Level, Persona};
use crate::fail::{Failure, put_failure};
use crate::plan::rules::Rules;
use crate::plan::signal::name;
use crate::sys::child::WaitStatus;
use crate::sys::errno::describe;
use crate::sys::start::stderr;
use crate::text::Text;
use core::ffi::CStr;
use rustix::io::Errno;
use rustix::process::Pid;

/// How much is to be said for orphans to be mentioned.
const ORPHANS: u8 = 2;

/// Who speaks, and how much.
#[derive(Clone, Copy)]
pub struct Voice {
    /// As whom.
    pub persona: Persona,
    /// 1: the life of the command; 2: every process.
    verbosity: u8,
    warn_reaped: bool,
}

impl Voice {
    /// husk's own.
    pub const fn of_husk(rules: &Rules) -> Self {
        Self::of(Persona::Husk, rules)
    }

    /// That of `persona`.
    pub const fn of(persona: Persona, rules: &Rules) -> Self {
        Self {
            persona,
            verbosity: rules.verbosity,
            warn_reaped: rules.warn_reaped,
        }
    }

    /// A line, where it is wanted. Not inlined: a line is larger than all the stack that an init
    /// needs while it waits.
    #[inline(never)]
    fn tell(self, verbosity: u8, level: Level, put: &dyn Fn(&mut Text)) {
        if self.verbosity < verbosity {
            return;
        }
        let mut line = Text::new();
        self.persona.begin(&mut line, level);
        put(&mut line);
        line.put("\n");
        line.write_to(stderr());
    }

    /// The command runs.
    pub fn started(self, command: &CStr, pid: Pid) {
        self.tell(1, Level::Told, &|line| {
            line.put("started ");
            line.foreign(command.to_bytes());
            put_pid(line, " as process ", pid);
        });
    }

    /// The command has ended.
    pub fn ended(self, status: WaitStatus) {
        self.tell(1, Level::Told, &|line| {
            line.put("the command");
            put_status(line, status);
        });
    }

    /// The command stands still.
    pub fn stopped(self, signal: i32) {
        self.tell(1, Level::Told, &|line| {
            line.put("the command was stopped by ");
            put_signal(line, signal);
        });
    }

    /// Whether nobody is told of orphans.
    pub const fn is_silent_about_orphans(self) -> bool {
        self.verbosity < ORPHANS && !self.warn_reaped
    }

    /// An orphan has ended.
    pub fn reaped(self, pid: Pid, status: WaitStatus) {
        if status.stopping_signal().is_some() {
            return;
        }
        let (verbosity, level) = match self.warn_reaped {
            true => (0, Level::Warning),
            false => (ORPHANS, Level::Told),
        };
        self.tell(verbosity, level, &|line| {
            put_pid(line, "reaped orphan ", pid);
            line.put(", which");
            put_status(line, status);
        });
    }

    /// A signal went to the command, or, where the pid is 0, to all there is.
    pub fn passed_on(self, signal: i32, pid: i32) {
        self.tell(1, Level::Told, &|line| {
            line.put("sent ");
            put_signal(line, signal);
            line.put(" to ");
            match Pid::from_raw(pid) {
                Some(pid) => put_pid(line, "", pid),
                None => line.put("every process"),
            }
        });
    }

    /// A signal went nowhere.
    pub fn dropped(self, signal: i32) {
        self.tell(1, Level::Told, &|line| {
            put_signal(line, signal);
            line.put(" is not passed on");
        });
    }

    /// A signal could not be sent.
    pub fn cannot_pass_on(self, signal: i32, errno: Errno) {
        self.tell(1, Level::Warning, &|line| {
            line.put("sending ");
            put_signal(line, signal);
            put_errno(line, errno);
        });
    }

    /// A signal waits.
    pub fn holds_back(self, signal: i32, seconds: u32) {
        self.tell(1, Level::Told, &|line| {
            put_signal(line, signal);
            line.put(" is held back for ");
            line.number(seconds);
            line.put(" s");
        });
    }

    /// The grace is over.
    pub fn kills(self, command: Option<Pid>) {
        self.tell(1, Level::Told, &|line| {
            line.put("the grace is over: killing ");
            line.put(if command.is_some() {
                "the command"
            } else {
                "what is left"
            });
        });
    }

    /// Something is not to be had, and husk goes on without it.
    pub fn warns(self, failure: &Failure) {
        self.tell(0, Level::Warning, &|line| put_failure(line, failure));
    }

    /// What a machine's console shows at the end.
    pub fn last_word(self, status: u8) {
        self.tell(0, Level::Told, &|line| {
            line.put("exit status ");
            line.number(status);
        });
    }

    /// The end.
    pub fn failed(self, failure: &Failure) {
        self.tell(0, Level::Fatal, &|line| put_failure(line, failure));
    }
}

fn put_pid(line: &mut Text, before: &str, pid: Pid) {
    line.put(before);
    line.number(u64::from(pid.as_raw_nonzero().get().unsigned_abs()));
}

fn put_signal(line: &mut Text, signal: i32) {
    match name(signal) {
        Some(name) => {
            line.put("SIG");
            line.put(name);
        }
        None => {
            line.put("signal ");
            line.number(u64::from(signal.unsigned_abs()));
        }
    }
}

fn put_status(line: &mut Text, status: WaitStatus) {
    match status.terminating_signal() {
        Some(signal) => {
            line.put(" was ended by ");
            put_signal(line, signal);
        }
        None => {
            line.put(" ended with status ");
            line.number(u64::from(status.exit_status().unwrap_or(0).unsigned_abs()));
        }
    }
}

fn put_errno(line: &mut Text, errno: Errno) {
    line.put(": ");
    line.put(describe(errno).map_or("refused", |(name, _)| name));
}
