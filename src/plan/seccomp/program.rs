//! A program of the caller's: an array of struct sock_filter (linux/filter.h), as bubblewrap's --seccomp
//! takes it and seccomp_export_bpf(3) writes it.
//!
//! The kernel says EINVAL to a wrong one, when half a container is made. So it is checked here, by the
//! kernel's rules, which have been the same since there are filters (Linux 3.5): `fuzz` asks the kernel.

use super::Program;
use crate::config::Place;
use crate::fail::refusal::{Refusal, Refused, What};
use crate::limits::PROGRAM;
use crate::sys::seccomp::{Code, Instruction, Source, decode};

/// Cells of a program's memory, a bit each.
type Cells = u16;

/// What is wrong with an instruction.
type Wrong = &'static str;

const UNKNOWN: Wrong = "is none of those that a seccomp filter can have";
const TOO_FAR: Wrong = "leads past the end of the program";
const OPERAND: Wrong = "divides by 0, or shifts by 32 or more";
const DATA: Wrong = "loads what is not a word of struct seccomp_data";
const CELL: Wrong = "is about a cell that there is not, 0 to 15 being all";
const EMPTY: Wrong = "loads a cell that has not been filled on each way there";
const END: Wrong = "is the last and does not return";

/// Reads the program in `bytes`, which is named at `place`.
#[inline(never)]
pub fn read(bytes: &[u8], program: &mut Program, place: Place) -> Result<(), Refused> {
    program.clear();
    let (instructions, rest) = bytes.as_chunks();
    if !rest.is_empty() || instructions.is_empty() {
        let text =
            "the file must hold instructions of 8 bytes each (struct sock_filter), one at least";
        return Err(Refusal::text(place, "seccomp", text));
    }
    for bytes in instructions {
        if program.push(Instruction::from_bytes(*bytes)).is_err() {
            let limit = u32::try_from(PROGRAM).unwrap_or(u32::MAX);
            let of = "instructions: the kernel takes no more";
            return Err(Refusal::new(place, "seccomp", What::TooMany { limit, of }));
        }
    }
    check(program).map_err(|(number, wrong)| {
        let what = What::Instruction(number, wrong);
        Refusal::new(place, "seccomp", what)
    })
}

/// The kernel's bpf_check_classic, check_load_and_stores (net/core/filter.c) and seccomp_check_filter
/// (kernel/seccomp.c).
fn check(program: &[Instruction]) -> Result<(), (u32, Wrong)> {
    // The cells that are filled on each way to an instruction which jumps lead to.
    let mut filled_at = [Cells::MAX; PROGRAM];
    let mut filled: Cells = 0;
    let last = program.len().saturating_sub(1);
    for (at, (number, instruction)) in (0_u32..).zip(program).enumerate() {
        filled &= filled_at.get(at).copied().unwrap_or(0);
        let wrong = |wrong| Err((number, wrong));
        let mut lead = |by: u32| -> Result<(), (u32, Wrong)> {
            let by = usize::try_from(by).unwrap_or(usize::MAX);
            let target = at.saturating_add(1).saturating_add(by);
            match filled_at.get_mut(target) {
                Some(cells) if target <= last => *cells &= filled,
                _ => return Err((number, TOO_FAR)),
            }
            Ok(())
        };
        let value = instruction.value;
        let cell = u32::checked_shl(1, value).and_then(|bit| Cells::try_from(bit).ok());
        match decode(instruction) {
            None => return wrong(UNKNOWN),
            Some(Code::LoadData) if value % 4 != 0 || value >= SECCOMP_DATA => return wrong(DATA),
            Some(Code::Divide(Source::Value)) if value == 0 => return wrong(OPERAND),
            Some(Code::Shift(Source::Value)) if value >= u32::BITS => return wrong(OPERAND),
            Some(Code::LoadCell | Code::Store) if cell.is_none() => return wrong(CELL),
            Some(Code::LoadCell) if filled & cell.unwrap_or(0) == 0 => return wrong(EMPTY),
            Some(Code::Store) => filled |= cell.unwrap_or(0),
            Some(Code::Jump) => {
                lead(value)?;
                filled = Cells::MAX;
            }
            Some(Code::Compare) => {
                lead(instruction.if_true.into())?;
                lead(instruction.if_false.into())?;
                filled = Cells::MAX;
            }
            Some(Code::Return) => continue,
            Some(_) => (),
        }
        if at == last {
            return wrong(END);
        }
    }
    Ok(())
}

/// Bytes of struct seccomp_data.
const SECCOMP_DATA: u32 = 64;
