//! `husk check`: what this host allows, what stands in the way, and what mends it.
//!
//! Two answers. The table is of single things, each tried by a process of its own, which may be
//! killed for it. And the whole is tried: the container that the configuration describes is made, as
//! `husk run` would make it, and ends before a command runs in it. Nothing of either outlives the
//! namespaces that it was tried in.

mod probes;

use crate::fail::Status;
use crate::fail::cause::Cause;
use crate::plan::namespace::NamespaceSet;
use crate::plan::operation::{Action, Operation};
use crate::plan::{Access, Init, Plan, Root, Session, Writes};
use crate::sys::clone::{self, Side};
use crate::sys::process::exit;
use crate::text::Text;
use rustix::fd::AsFd;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

/// How the table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// What a probe found.
#[derive(Clone, Copy)]
pub enum Found {
    /// It can be had.
    Yes,
    /// It can be had, and this says how much of it.
    Much(u8),
    /// It cannot, and perhaps it is known why.
    No(Option<Cause>),
}

/// Something that a host may allow.
pub struct Probe {
    /// What.
    pub name: &'static str,
    /// Tries it, in a process of its own.
    pub run: fn(&Plan<'_>) -> Found,
}

/// The plan that is tried: nothing of the host is written to, and no command runs.
pub fn rehearsal<'a>(plan: &Plan<'a>) -> Plan<'a> {
    let own_proc = |operation: &&Operation<'_>| matches!(operation.action, Action::Mount { kind, .. } if kind == c"proc");
    Plan {
        // A missing mount point gets an underlay in a root that may not be written.
        access: Access::ReadOnly,
        writes: match plan.writes {
            Writes::Directory(_) => Writes::Tmpfs,
            writes => writes,
        },
        // On the host's own tree it would be made.
        operations: match plan.root {
            Root::Pivot(_) => plan.operations,
            Root::Host | Root::Chroot(_) => match plan.operations.first().filter(own_proc) {
                Some(_) => plan.operations.get(..1).unwrap_or_default(),
                None => &[],
            },
        },
        init: Init::Nobody,
        session: Session::New,
        ..*plan
    }
}

/// Prints the table. `works` is what came of trying the whole.
pub fn print(plan: &Plan<'_>, works: Works, form: Form, fd: impl AsFd) -> Status {
    let mut text: Text = Text::new();
    if form == Form::Json {
        text.put(match works {
            Works::Yes => "{\"works\":true,\"host\":[",
            Works::No => "{\"works\":false,\"host\":[",
        });
    }
    let mut first = true;
    let mut told = 0_u64;
    for probe in probes::ALL {
        let found = tried(probe, plan);
        match form {
            Form::Table => put_row(&mut text, probe.name, found, &mut told),
            Form::Json => {
                text.put(if first { "\n" } else { ",\n" });
                put_object(&mut text, probe.name, found);
            }
        }
        first = false;
        text.flush_to(&fd);
    }
    text.put(match (form, works) {
        (Form::Json, _) => "]}\n",
        (Form::Table, Works::Yes) => "\nhusk run works here, with this configuration.\n",
        (Form::Table, Works::No) => {
            "\nhusk run does not work here, with this configuration: see above.\n"
        }
    });
    text.flush_to(&fd);
    match works {
        Works::Yes => Status::SUCCESS,
        Works::No => DOES_NOT_WORK,
    }
}

/// The exit status where `husk run` would not work, for whatever reason.
pub const DOES_NOT_WORK: Status = Status(1);

/// Whether the whole was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Works {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// Exit statuses of a probe's process: from 1 the causes, from here amounts.
const AMOUNT: u8 = 100;
const UNKNOWN: u8 = 255;

/// What a probe found, as its process's exit status.
fn status(found: Found) -> u8 {
    match found {
        Found::Yes => 0,
        Found::Much(amount) => amount.saturating_add(AMOUNT),
        Found::No(cause) => cause.map_or(UNKNOWN, Cause::code),
    }
}

/// What the process `pid` found.
fn waited(pid: Pid) -> Found {
    let ended = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    let ended = ended.ok().flatten().map(|(_, status)| status);
    let Some(code) = ended.and_then(WaitStatus::exit_status) else {
        // It was killed, by SIGSYS.
        return Found::No(Some(Cause::Seccomp));
    };
    match u8::try_from(code).unwrap_or(UNKNOWN) {
        0 => Found::Yes,
        UNKNOWN => Found::No(None),
        code => match code.checked_sub(AMOUNT) {
            Some(amount) => Found::Much(amount),
            None => Found::No(Cause::from_code(code)),
        },
    }
}

/// Runs one probe in a process of its own.
fn tried(probe: &Probe, plan: &Plan<'_>) -> Found {
    match clone::into_namespaces(NamespaceSet::NONE) {
        Ok(Side::Child) => exit(status((probe.run)(plan))),
        Ok(Side::Parent(pid)) => waited(pid),
        Err(_) => Found::No(Some(Cause::Processes)),
    }
}

/// Columns of a name.
const NAME: usize = 26;

/// A line, and the remedy on a line of its own where it was not `told` before.
fn put_row(text: &mut Text, name: &str, found: Found, told: &mut u64) {
    text.put(name);
    for _ in name.len()..NAME {
        text.put(" ");
    }
    match found {
        Found::Yes => text.put("yes"),
        Found::Much(amount) => {
            text.put("yes, ");
            text.number(amount);
        }
        Found::No(None) => text.put("no"),
        Found::No(Some(cause)) => {
            text.put("no   ");
            text.put(cause.words());
            let bit = 1_u64 << (cause.code() & 63);
            if *told & bit == 0 {
                *told |= bit;
                text.put("\n");
                for _ in 0..NAME.saturating_add(5) {
                    text.put(" ");
                }
                text.put(cause.remedy());
            }
        }
    }
    text.put("\n");
}

/// The texts are husk's own, without quotation marks.
fn put_object(text: &mut Text, name: &str, found: Found) {
    text.put("{\"name\":\"");
    text.put(name);
    text.put(match found {
        Found::Yes | Found::Much(_) => "\",\"available\":true",
        Found::No(_) => "\",\"available\":false",
    });
    match found {
        Found::Much(amount) => {
            text.put(",\"amount\":");
            text.number(amount);
        }
        Found::No(Some(cause)) => {
            text.put(",\"cause\":\"");
            text.put(cause.words());
            text.put("\",\"remedy\":\"");
            text.put(cause.remedy());
            text.put("\"");
        }
        _ => (),
    }
    text.put("}");
}
