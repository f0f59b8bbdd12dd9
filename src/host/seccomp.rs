//! The file of a seccomp program, read as the caller and before anything is started.

use super::files::{read_descriptor, read_whole};
use crate::arena::Arena;
use crate::fail::{Doing, Explain, Failed};
use crate::limits::PROGRAM;
use crate::text::parse_number;
use core::ffi::CStr;

/// Bytes of the longest program.
const MOST: usize = PROGRAM * 8;

/// What is in `file`; a number is a descriptor, as for bubblewrap's flag of that name, and may be a pipe.
pub fn read<'a>(file: &CStr, arena: &mut Arena<'a>) -> Result<&'a [u8], Failed> {
    let bytes = match parse_number(file.to_bytes()) {
        Some(number) => read_descriptor(number, MOST, arena),
        None => read_whole(file, MOST, arena),
    };
    bytes.doing(Doing::ReadProgram, file.to_bytes())
}
