//! `husk check`: what this host allows, what stands in the way, and what mends it.
//!
//! Two answers. The table is of single things, each tried by a process of its own, which may be
//! killed for it. And the whole is tried: the container that the configuration describes is made, as
//! `husk run` would make it, and ends before a command runs in it. Nothing of either outlives the
//! namespaces that it was tried in.

mod answer;
mod needs;
mod probes;

use crate::config::MissingSource;
use crate::fail::Status;
use crate::fail::cause::Cause;
use crate::fail::{Doing, Failure};
use crate::plan::namespace::NamespaceSet;
use crate::plan::operation::Operation;
use crate::plan::target::Target;
use crate::plan::{Access, Init, Plan, Root, Session, Writes};
use crate::sys::errno::describe;
use crate::sys::open::openat;
use crate::text::Text;
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fs::{Access as Right, AtFlags, CWD, Mode, OFlags, accessat, statat, statfs};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

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
    pub run: fn(&Trial<'_>) -> Found,
}

/// What a probe may know.
pub struct Trial<'p> {
    /// What is asked for.
    pub plan: &'p Plan<'p>,
    /// Whether it was made.
    pub works: Works,
}

/// Whether the container was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Works {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// The plan that is tried: nothing of the host is written to, and no command runs.
fn rehearsal<'a>(plan: &Plan<'a>) -> Plan<'a> {
    let path_is_there = |path: &CStr| statat(CWD, path, AtFlags::empty()).is_ok();
    let is_there = |operation: &&Operation<'_>| match (plan.root, operation.target) {
        (Root::Pivot(_) | Root::Chroot(_), Target::Inside(_)) => true,
        (_, target) => path_is_there(target.path()),
    };
    let count = plan.operations.iter().take_while(is_there).count();
    Plan {
        // A missing mount point gets an underlay in a root that may not be written.
        access: Access::ReadOnly,
        writes: match plan.writes {
            Writes::Directory(_) => Writes::Tmpfs,
            writes => writes,
        },
        // On the host's own tree it would be made, and so what follows one is not tried.
        operations: plan.operations.get(..count).unwrap_or_default(),
        // Making one would change the host's.
        cgroup: None,
        init: Init::Nobody,
        session: Session::New,
        ..*plan
    }
}

/// Whether there is something at the sources of the binds that were not tried; says which is missing.
fn rest_has_sources(plan: &Plan<'_>, rehearsal: &Plan<'_>) -> bool {
    let rest = plan.operations.iter().skip(rehearsal.operations.len());
    for operation in rest {
        if let Some((Target::Outside(path), MissingSource::Error)) = operation.source()
            && let Err(errno) = statat(CWD, path, AtFlags::empty())
        {
            Failure::new(Doing::OpenSource, path.to_bytes(), errno).tell_at_check();
            return false;
        }
    }
    true
}

/// Whether the directory for writes, which was not touched, is one that an overlay may have.
fn takes_writes(writes: Writes<'_>) -> bool {
    let Writes::Directory(path) = writes else {
        return true;
    };
    const NFS: i64 = 0x6969;
    const OVERLAY: i64 = 0x794c_7630;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let usable = openat(CWD, path, flags, Mode::empty())
        .and_then(|_| accessat(CWD, path, Right::WRITE_OK, AtFlags::empty()));
    let (doing, errno) = match (usable, statfs(path).map(|found| found.f_type)) {
        (Err(errno), _) => (Doing::OpenSource, errno),
        (Ok(()), Ok(NFS | OVERLAY)) => (Doing::MountOverlay, Errno::INVAL),
        _ => return true,
    };
    Failure::new(doing, path.to_bytes(), errno).tell_at_check();
    false
}

/// Tries the whole, and everything else, and prints the table.
#[inline(never)]
pub fn check(plan: &Plan<'static>, form: Form, fd: impl AsFd) -> Status {
    // A process whose file its user may not read has a /proc of root's, where no map can be written.
    let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
    let rehearsal = rehearsal(plan);
    let is_whole = plan.cgroup.is_none() && rehearsal.operations.len() == plan.operations.len();
    let tried_ok = answer::rehearse(&rehearsal);
    let mut works =
        tried_ok == Works::Yes && rest_has_sources(plan, &rehearsal) && takes_writes(plan.writes);
    let trial = Trial {
        plan,
        works: tried_ok,
    };
    let mut text: Text = Text::new();
    if form == Form::Json {
        text.put("{\"host\":[");
    }
    let mut told = 0_u64;
    for (number, probe) in probes::ALL.iter().enumerate() {
        let found = tried(probe, &trial);
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
            "\nhusk run does not work here, with this configuration: see what is said above, and what is marked !\n"
        }
    });
    text.flush_to(&fd);
    match works {
        true => Status::SUCCESS,
        false => DOES_NOT_WORK,
    }
}

/// The JSON of a request that is wrong: nothing was tried. Not inlined: the frame of the program's
/// first function is an init's for good.
#[cold]
#[inline(never)]
pub fn print_nothing(fd: impl AsFd) {
    let mut text: Text = Text::new();
    text.put("{\"host\":[],\n\"works\":false}\n");
    text.write_to(fd);
}

/// The exit status where `husk run` would not work, for whatever reason.
pub const DOES_NOT_WORK: Status = Status(1);

/// Runs one probe in a process of its own.
fn tried(probe: &Probe, trial: &Trial<'_>) -> Found {
    let none = (NamespaceSet::NONE, trial.works);
    let found = answer::ask(none, &|_| Ok(()), &|| (probe.run)(trial));
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
