//! `seccomp`: which system calls of the container are answered by a filter instead of by the kernel.

mod assembler;
#[cfg(test)]
#[expect(clippy::disallowed_macros, reason = "tests do not ship")]
mod fuzz;
pub mod policy;
mod program;

use super::namespace::NamespaceSet;
use crate::config::{CallChange, Config};
use crate::fail::refusal::{Refusal, Refused, What};
use crate::limits::PROGRAM;
use crate::sys::seccomp::Instruction;
use core::ffi::CStr;
use heapless::Vec;
use policy::Answers;

/// A filter that is being made.
pub type Program = Vec<Instruction, PROGRAM>;

/// The filter of a container.
#[derive(Clone, Copy)]
pub enum Seccomp<'a> {
    /// None.
    Off,
    /// husk's own, perhaps with changes.
    Own {
        /// What it says to each call.
        answers: &'a Answers,
        /// The same as the kernel takes it.
        program: &'a [Instruction],
        /// Whether somebody relies on it.
        wish: Wish,
    },
    /// The caller's.
    File {
        /// Where it was.
        path: &'a CStr,
        /// What was in there.
        program: &'a [Instruction],
    },
}

/// What becomes of a container whose filter the kernel does not take, since it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is started without: nobody asked for the filter.
    WhereItCanBeHad,
    /// None is made.
    Required,
}

/// The memory of a filter.
pub struct Memory {
    answers: Answers,
    program: Program,
}

impl Memory {
    /// Memory with nothing in it.
    pub const fn new() -> Self {
        Self {
            answers: Answers::new(),
            program: Program::new(),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// The file that is meant, where `seccomp` names one.
pub fn file<'a>(config: &Config<'a>) -> Option<&'a CStr> {
    let path = config.seccomp?.value;
    (path != c"default" && path != c"off").then_some(path)
}

/// Decides. `bytes` are those of [`file`].
///
/// Not inlined: it needs a large frame for a moment.
#[inline(never)]
pub fn new<'a>(
    config: &Config<'a>,
    bytes: &[u8],
    namespaces: NamespaceSet,
    memory: &'a mut Memory,
) -> Result<Seccomp<'a>, Refused> {
    let Memory { answers, program } = memory;
    let asked = config.seccomp.map(|at| at.value.to_bytes());
    let wish = match (config.seccomp, config.calls.first()) {
        (None, None) => Wish::WhereItCanBeHad,
        (None, Some(_)) => Wish::Required,
        _ if asked == Some(b"default") => Wish::Required,
        (Some(_), Some(change)) => {
            let what = What::Excludes("seccomp, but for \"default\": it changes husk's own policy");
            return Err(Refusal::new(change.place, key_of(change.value), what));
        }
        _ if asked == Some(b"off") => return Ok(Seccomp::Off),
        (Some(at), None) => {
            program::read(bytes, program, at.place)?;
            return Ok(Seccomp::File {
                path: at.value,
                program,
            });
        }
    };
    Ok(own(config, namespaces, (answers, program), wish))
}

/// Not inlined: what it works with takes pages of the stack.
#[inline(never)]
fn own<'a>(
    config: &Config<'_>,
    namespaces: NamespaceSet,
    (answers, program): (&'a mut Answers, &'a mut Program),
    wish: Wish,
) -> Seccomp<'a> {
    policy::decide(config, namespaces, answers);
    assembler::assemble(answers, program);
    Seccomp::Own {
        answers,
        program,
        wish,
    }
}

const fn key_of(change: CallChange) -> &'static str {
    match change {
        CallChange::Allow(_) => "seccomp_allow",
        CallChange::Deny(_) => "seccomp_deny",
    }
}
