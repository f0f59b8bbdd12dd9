//! What a user reads when husk cannot go on: one line, and a status that says whose fault it is.

pub mod cause;
pub mod doing;
pub mod persona;
pub mod refusal;
pub mod remedy;
pub mod status;

use crate::arena::Arena;
use crate::config::place::Place;
use crate::config::place::line_and_column;
use crate::limits::PATH_BYTES;
use crate::sys::errno;
use crate::sys::exec::Words;
use crate::sys::storage::Storage;
use crate::text::Text;
use cause::Cause;
pub use doing::Doing;
use heapless::Vec;
use persona::{Level, Persona};
use refusal::{Refusal, Refused, What};
use rustix::io::Errno;
pub use status::Status;

/// A step that failed: what husk was doing, to which object, and why not.
///
/// It is kept in static memory and passed about as a reference ([`Failed`]): a hundred calls can
/// fail, and an error of one word makes every one of them smaller.
pub struct Failure {
    doing: Doing,
    errno: Option<Errno>,
    object: &'static [u8],
    second: &'static [u8],
    cause: Option<Cause>,
}

/// A failure on its way to the user.
pub type Failed = &'static Failure;

/// A failure is the end; but while its consequences are tidied up others may come, and they are
/// told apart. Two helpers may fail as well, and the container be made without them.
const MOST: usize = 8;
static RECORDS: [Storage<Vec<Failure, 1>>; MOST] = [const { Storage::new(Vec::new()) }; MOST];
/// The text of their objects, apart because it is all zero and takes no room in the file.
static TEXTS: [Storage<[u8; 2 * PATH_BYTES]>; MOST] =
    [const { Storage::new([0; 2 * PATH_BYTES]) }; MOST];

/// What is left to say when even that is not enough.
static UNTOLD: Failure = Failure::EMPTY;

impl Failure {
    const EMPTY: Self = Self {
        doing: Doing::ReadConfig,
        errno: None,
        object: b"",
        second: b"",
        cause: None,
    };

    /// Records a failure with up to two objects, which are copied; longer ones than a path are cut,
    /// for they are shown and not used.
    pub fn record(doing: Doing, object: &[u8], second: &[u8], errno: Option<Errno>) -> Failed {
        Self::caused(doing, [object, second], errno, None)
    }

    /// The same where the cause is known.
    #[cold]
    #[inline(never)]
    pub fn caused(
        doing: Doing,
        [object, second]: [&[u8]; 2],
        errno: Option<Errno>,
        cause: Option<Cause>,
    ) -> Failed {
        let memory = (
            RECORDS.iter().find_map(Storage::take),
            TEXTS.iter().find_map(Storage::take),
        );
        let (Some(record), Some(text)) = memory else {
            return &UNTOLD;
        };
        let mut arena = Arena::new(text);
        let mut keep = |bytes: &[u8]| -> &'static [u8] {
            let bytes = bytes.get(..PATH_BYTES).unwrap_or(bytes);
            let Ok(kept) = arena.take(bytes.len()) else {
                return b"";
            };
            for (to, from) in kept.iter_mut().zip(bytes) {
                *to = *from;
            }
            kept
        };
        let failure = Self {
            doing,
            errno,
            object: keep(object),
            second: keep(second),
            cause,
        };
        let _ = record.push(failure);
        record.first().unwrap_or(&UNTOLD)
    }

    /// A failure with an errno.
    pub fn new(doing: Doing, object: &[u8], errno: Errno) -> Failed {
        Self::record(doing, object, b"", Some(errno))
    }

    /// Its parts, for the way out of the container.
    pub fn parts(&self) -> (Doing, &[u8], &[u8], Option<Errno>) {
        (self.doing, self.object, self.second, self.errno)
    }

    /// What stands behind it, where that is known.
    pub const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Why the kernel refused it.
    pub const fn errno(&self) -> Option<Errno> {
        self.errno
    }

    /// Tells it to who is reading what `husk check` finds.
    pub fn tell_at_check(&self) {
        let mut line: Text = Text::new();
        line.put("husk: ");
        put_failure(&mut line, self);
        line.put("\n");
        line.write_to(crate::sys::start::stderr());
    }

    /// The exit status that goes with it.
    pub fn status(&self) -> Status {
        self.doing.status(self.errno)
    }
}

/// Tells a failure that is none: husk goes on without. It takes no record.
#[cold]
#[inline(never)]
pub fn warn(doing: Doing, objects: [&[u8]; 2], errno: Option<Errno>, cause: Option<Cause>) {
    let mut line: Text = Text::new();
    line.put("husk: ");
    put_parts(&mut line, doing, objects, errno, cause);
    put_more(&mut line, doing, cause);
    line.put("\n");
    line.write_to(crate::sys::start::stderr());
}

/// Says what a call was for, where its errno would be lost otherwise.
pub trait Explain<T> {
    /// What husk was doing, and to what.
    fn doing(self, doing: Doing, object: &[u8]) -> Result<T, Failed>;
    /// The same for steps with two objects: a source and a target.
    fn doing_on(self, doing: Doing, object: &[u8], second: &[u8]) -> Result<T, Failed>;
}

impl<T> Explain<T> for Result<T, Errno> {
    fn doing(self, doing: Doing, object: &[u8]) -> Result<T, Failed> {
        self.map_err(|errno| Failure::new(doing, object, errno))
    }

    fn doing_on(self, doing: Doing, object: &[u8], second: &[u8]) -> Result<T, Failed> {
        self.map_err(|errno| Failure::record(doing, object, second, Some(errno)))
    }
}

/// Why husk cannot go on.
pub enum Error {
    /// The request is wrong; nothing was started.
    Refused(Refused),
    /// A step failed.
    Failed(Failed),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// What the places in errors refer to.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The command line.
    pub argv: Words<'a>,
    /// The configuration file's name; empty when there is none.
    pub file: &'a [u8],
    /// Its text.
    pub text: &'a [u8],
    /// As whom husk speaks.
    pub persona: Persona,
}

impl Error {
    /// Prints the line on standard error and says with which status to leave.
    #[cold]
    #[inline(never)]
    pub fn report(&self, sources: Sources<'_>) -> Status {
        let mut line: Text = Text::new();
        sources.persona.begin(&mut line, Level::Fatal);
        let status = match self {
            Self::Refused(refusal) => {
                put_refusal(&mut line, refusal, sources);
                Status::HUSK_FAILED
            }
            Self::Failed(failure) => {
                put_failure(&mut line, failure);
                put_more(&mut line, failure.doing, failure.cause);
                failure.status()
            }
        };
        line.put("\n");
        line.write_to(crate::sys::start::stderr());
        sources.persona.status(status)
    }
}

/// Where the host is the cause, says who knows more of the host.
fn put_more(line: &mut Text, doing: Doing, cause: Option<Cause>) {
    if cause.is_some() || doing.is_the_hosts_to_allow() {
        line.put(" (more: husk check)");
    }
}

/// Adds the failure in words.
pub fn put_failure(line: &mut Text, failure: &Failure) {
    let objects = [failure.object, failure.second];
    put_parts(line, failure.doing, objects, failure.errno, failure.cause);
}

fn put_parts(
    line: &mut Text,
    doing: Doing,
    [object, second]: [&[u8]; 2],
    errno: Option<Errno>,
    cause: Option<Cause>,
) {
    line.put(doing.words());
    if !object.is_empty() {
        line.put(" ");
        line.foreign(object);
    }
    if !second.is_empty() {
        line.put(doing.joint());
        line.foreign(second);
    }
    if let Some(errno) = errno {
        line.put(": ");
        match errno::describe(errno) {
            Some((name, words)) => {
                line.put(name);
                line.put(" (");
                line.put(words);
                line.put(")");
            }
            None => {
                line.put("errno ");
                line.number(errno.raw_os_error().unsigned_abs());
            }
        }
    }
    if let Some(cause) = cause {
        line.put(": ");
        line.put(cause.words());
        line.put(": ");
        line.put(cause.remedy());
    } else if let Some(remedy) = remedy::remedy(doing, errno) {
        line.put(": ");
        line.put(remedy);
    }
}

fn put_refusal(line: &mut Text, refusal: &Refusal, sources: Sources<'_>) {
    put_place(line, refusal.place, sources);
    // A flag is its own subject.
    if !refusal.subject.is_empty() && !matches!(refusal.place, Place::Argument(_)) {
        line.foreign(refusal.subject.as_bytes());
        line.put(": ");
    }
    match refusal.what {
        What::Text(text) => line.put(text),
        What::Found(text, found) => {
            line.put(text);
            line.put(" \"");
            line.foreign(found.as_bytes());
            line.put("\"");
        }
        What::Unknown {
            kind,
            found,
            nearest,
            allowed,
        } => {
            put_unknown(line, kind, found, nearest, allowed);
        }
        What::Instruction(number, text) => {
            line.put("instruction ");
            line.number(number);
            line.put(" of the program, counted from 0, ");
            line.put(text);
        }
        What::WrongType { wanted, found } => {
            line.put("must be ");
            line.put(wanted);
            line.put(", not ");
            line.put(found);
        }
        What::OutOfRange { found, least, most } => {
            line.foreign(found.as_bytes());
            line.put(" is not a number from ");
            line.number(least);
            line.put(" to ");
            line.number(most);
        }
        What::TooMany { limit, of } => {
            line.put("more than ");
            line.number(limit);
            line.put(" ");
            line.put(of);
        }
        What::Excludes(other) => {
            line.put("cannot be given together with ");
            line.put(other);
        }
        What::Unmapped(id) => {
            line.put("id ");
            line.number(id);
            line.put(" is not mapped into the container: add a map line that covers it");
        }
        What::Overlaps(other) => {
            line.put("maps an id that another line maps as well: ");
            put_place(line, other, sources);
            line.put("see user_namespaces(7)");
        }
    }
}

fn put_unknown(line: &mut Text, kind: &str, found: &str, nearest: Option<&str>, allowed: &str) {
    line.put("there is no ");
    line.put(kind);
    line.put(" \"");
    line.foreign(found.as_bytes());
    line.put("\"");
    if let Some(nearest) = nearest {
        line.put("; did you mean \"");
        line.put(nearest);
        line.put("\"?");
    } else if !allowed.is_empty() {
        line.put("; allowed: ");
        line.put(allowed);
    }
}

/// `FILE:LINE:COLUMN: `, or the flag as it was written.
fn put_place(line: &mut Text, place: Place, sources: Sources<'_>) {
    match place {
        Place::Nowhere => return,
        Place::Argument(index) => {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let word = sources.argv.skip(index).first().unwrap_or_default();
            line.foreign(word.to_bytes());
        }
        Place::File(offset) => {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            let (row, column) = line_and_column(sources.text, offset);
            line.foreign(sources.file);
            line.put(":");
            line.number(u64::try_from(row).unwrap_or(u64::MAX));
            line.put(":");
            line.number(u64::try_from(column).unwrap_or(u64::MAX));
        }
    }
    line.put(": ");
}
