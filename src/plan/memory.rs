//! Where the lists of a plan are.

use super::cgroup::{self, Setting};
use super::environment::Environment;
use super::id::MapLine;
use super::id_map::Lines;
use super::landlock::Rule;
use super::operation::Operation;
use super::rlimit::{self, Limit};
use super::seccomp;
use crate::limits::{COMMAND_WORDS, LANDLOCK_RULES, OPERATIONS};
use crate::sys::exec::WordList;
use heapless::Vec;

/// The memory of a plan's lists. What most plans need comes first, in one page.
#[repr(C)]
pub struct Memory<'a> {
    pub(super) own: [MapLine; 2],
    pub(super) limits: Vec<Limit, { rlimit::COUNT }>,
    pub(super) cgroup: Vec<Setting, { cgroup::COUNT }>,
    pub(super) operations: Vec<Operation<'a>, OPERATIONS>,
    pub(super) landlock: Vec<Rule<'a>, LANDLOCK_RULES>,
    pub(super) uid: Lines,
    pub(super) gid: Lines,
    pub(super) seccomp: seccomp::Memory,
    pub(super) environment: Environment<'a>,
    pub(super) command: WordList<'a, { COMMAND_WORDS + 1 }>,
}

impl Memory<'_> {
    /// Memory with nothing in it.
    pub const fn new() -> Self {
        Self {
            own: [MapLine::NONE; 2],
            operations: Vec::new(),
            seccomp: seccomp::Memory::new(),
            limits: Vec::new(),
            cgroup: Vec::new(),
            landlock: Vec::new(),
            uid: Lines::new(),
            gid: Lines::new(),
            environment: Environment::new(),
            command: WordList::new(),
        }
    }
}

impl Default for Memory<'_> {
    fn default() -> Self {
        Self::new()
    }
}
