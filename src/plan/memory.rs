//! Where the lists of a plan are.

use super::environment::Environment;
use super::id::MapLine;
use super::id_map::Lines;
use super::operation::Operation;
use crate::limits::{COMMAND_WORDS, OPERATIONS};
use crate::sys::exec::WordList;
use heapless::Vec;

/// The memory of a plan's lists. What most plans need comes first, in one page.
#[repr(C)]
pub struct Memory<'a> {
    pub(super) own: [MapLine; 2],
    pub(super) operations: Vec<Operation<'a>, OPERATIONS>,
    pub(super) uid: Lines,
    pub(super) gid: Lines,
    pub(super) environment: Environment<'a>,
    pub(super) command: WordList<'a, { COMMAND_WORDS + 1 }>,
}

impl Memory<'_> {
    /// Memory with nothing in it.
    pub const fn new() -> Self {
        Self {
            own: [MapLine::NONE; 2],
            operations: Vec::new(),
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
