//! `husk check`: what this host allows, what stands in the way, and what mends it.
//!
//! Two answers. The table is of single things, each tried by a process of its own, which may be
//! killed for it. And the whole is tried: the container that the configuration describes is made, as
//! `husk run` would make it, and ends before a command runs in it. Nothing of either outlives the
//! namespaces that it was tried in.

mod answer;
mod probes;

use crate::fail::Status;
use crate::fail::cause::Cause;
use crate::parent;
use crate::plan::namespace::NamespaceSet;
use crate::plan::operation::Operation;
use crate::plan::{Access, Init, Plan, Root, Session, Writes};
use crate::sys::errno::describe;
use crate::text::Text;
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, CWD, statat};
use rustix::io::Errno;

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
    /// It cannot, and perhaps it is known why, or what the kernel said.
    No(Option<Cause>, Option<Errno>),
}

/// Something that a host may allow.
pub struct Probe {
    /// What.
    pub name: &'static str,
    /// Whether the plan cannot do without.
    pub needed: fn(&Plan<'_>) -> bool,
    /// Tries it, in a process of its own.
    pub run: fn(&Plan<'_>) -> Found,
}

/// The plan that is tried: nothing of the host is written to, and no command runs.
fn rehearsal<'a>(plan: &Plan<'a>) -> Plan<'a> {
    let is_there =
        |operation: &&Operation<'_>| statat(CWD, operation.target.path(), AtFlags::empty()).is_ok();
    Plan {
        // A missing mount point gets an underlay in a root that may not be written.
        access: Access::ReadOnly,
        writes: match plan.writes {
            Writes::Directory(_) => Writes::Tmpfs,
            writes => writes,
        },
        // On the host's own tree it would be made, and so what follows one is not tried.
        operations: match plan.root {
            Root::Pivot(_) | Root::Chroot(_) => plan.operations,
            Root::Host => {
                let count = plan.operations.iter().take_while(is_there).count();
                plan.operations.get(..count).unwrap_or_default()
            }
        },
        init: Init::Nobody,
        session: Session::New,
        ..*plan
    }
}

/// Tries the whole, and everything else, and prints the table.
pub fn check(plan: &Plan<'_>, form: Form, fd: impl AsFd) -> Status {
    let rehearsal = rehearsal(plan);
    let is_whole = rehearsal.operations.len() == plan.operations.len();
    let mut works = match parent::run(&rehearsal) {
        Ok(status) => status == Status::SUCCESS,
        Err(failed) => {
            failed.tell_at_check();
            false
        }
    };
    let mut text: Text = Text::new();
    if form == Form::Json {
        text.put("{\"host\":[");
    }
    let mut told = 0_u64;
    for (number, probe) in probes::ALL.iter().enumerate() {
        let found = tried(probe, plan);
        let needed = (probe.needed)(plan);
        // Where the whole was tried it knows better.
        let in_the_way = needed && matches!(found, Found::No(..)) && !(works && is_whole);
        works &= !in_the_way;
        match form {
            Form::Table => {
                text.put(if in_the_way { "! " } else { "  " });
                put_row(&mut text, probe.name, found, &mut told);
            }
            Form::Json => {
                text.put(if number == 0 { "\n" } else { ",\n" });
                put_object(&mut text, probe.name, found, needed);
            }
        }
        text.flush_to(&fd);
    }
    text.put(match (form, works) {
        (Form::Json, true) => "],\n\"works\":true}\n",
        (Form::Json, false) => "],\n\"works\":false}\n",
        (Form::Table, true) => "\nhusk run works here, with this configuration.\n",
        (Form::Table, false) => {
            "\nhusk run does not work here, with this configuration: see the first line, and what is marked !\n"
        }
    });
    text.flush_to(&fd);
    match works {
        true => Status::SUCCESS,
        false => DOES_NOT_WORK,
    }
}

/// The exit status where `husk run` would not work, for whatever reason.
pub const DOES_NOT_WORK: Status = Status(1);

/// Runs one probe in a process of its own.
fn tried(probe: &Probe, plan: &Plan<'_>) -> Found {
    let found = answer::ask(NamespaceSet::NONE, &|_| Ok(()), &|| (probe.run)(plan));
    found.unwrap_or_else(|errno| Found::No(Some(Cause::Processes), Some(errno)))
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
        Found::No(cause, errno) => {
            text.put("no");
            if let Some((name, _)) = errno.and_then(describe) {
                text.put("   ");
                text.put(name);
            }
            if let Some(cause) = cause {
                put_cause(text, cause, told);
            }
        }
    }
    text.put("\n");
}

fn put_cause(text: &mut Text, cause: Cause, told: &mut u64) {
    text.put("   ");
    text.put(cause.words());
    let bit = 1_u64 << (cause.code() & 63);
    if *told & bit != 0 {
        return;
    }
    *told |= bit;
    text.put("\n");
    for _ in 0..NAME.saturating_add(7) {
        text.put(" ");
    }
    text.put(cause.remedy());
}

/// The texts are husk's own, without quotation marks.
fn put_object(text: &mut Text, name: &str, found: Found, needed: bool) {
    text.put("{\"name\":\"");
    text.put(name);
    text.put(match needed {
        true => "\",\"needed\":true",
        false => "\",\"needed\":false",
    });
    text.put(match found {
        Found::Yes | Found::Much(_) => ",\"available\":true",
        Found::No(..) => ",\"available\":false",
    });
    match found {
        Found::Yes => (),
        Found::Much(amount) => {
            text.put(",\"amount\":");
            text.number(amount);
        }
        Found::No(cause, errno) => {
            let errno = errno.and_then(describe).map(|(name, _)| name);
            let fields = [
                (",\"errno\":\"", errno),
                (",\"cause\":\"", cause.map(Cause::words)),
                (",\"remedy\":\"", cause.map(Cause::remedy)),
            ];
            for (key, value) in fields {
                if let Some(value) = value {
                    text.put(key);
                    text.put(value);
                    text.put("\"");
                }
            }
        }
    }
    text.put("}");
}
