//! The policy in the language of classic BPF: a search by halves for the number of the call.
//!
//! It is made from its end: jumps lead forwards, so whatever an instruction leads to is there before it, and
//! how far away that is is known. An answer is there once, and is used by all that give it.

use super::Program;
use super::policy::{Answer, Answers};
use crate::plan::calls::COUNT;
use crate::sys::seccomp::{ALLOW, ERRNO, Instruction as I, KILL, NATIVE};
use core::mem::swap;
use heapless::Vec;
use linux_raw_sys::errno::{EAFNOSUPPORT, ENOSYS, EPERM};
use linux_raw_sys::ioctl::{TIOCLINUX, TIOCSTI};
use linux_raw_sys::net::{AF_ALG, AF_VSOCK};

/// An instruction, by how many were made before it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Label(usize);

/// A program, its last instruction first.
struct Assembler<'p>(&'p mut Program);

/// Where the search leads from this number on, up to the next.
type Bound = (u32, Label);

/// Personalities that do no harm (personality(2)): that of a 32-bit Linux, which is about names,
/// UNAME26, which is as well, and ADDR_NO_RANDOMIZE, for debuggers. Others make memory executable, or
/// move it to where the kernel's own mistakes lead.
const HARMLESS: u32 = 0x0008 | 0x0002_0000 | 0x0004_0000;
/// Asks what it is.
const PERSONALITY_QUERY: u32 = 0xffff_ffff;

/// Makes the program for `answers`.
pub fn assemble(answers: &Answers, program: &mut Program) {
    program.clear();
    let mut assembler = Assembler(program);
    let kernels = assembler.push(I::verdict(ALLOW));
    let not_permitted = assembler.push(I::verdict(ERRNO | EPERM));
    let no_such_call = assembler.push(I::verdict(ERRNO | ENOSYS));
    let no_such_family = assembler.push(I::verdict(ERRNO | EAFNOSUPPORT));
    let killed = assembler.push(I::verdict(KILL));
    // These types into a terminal, and that pastes into a console: into the caller's shell, where its
    // terminal is shared (CVE-2017-5226, CVE-2023-28100). Whether it is shared no filter can tell, and nothing
    // in a container needs them. The kernel looks at the lower half of a request alone, and so does a filter
    // (CVE-2019-7303).
    let pasting = assembler.branch(I::equal, TIOCLINUX, not_permitted, kernels);
    assembler.branch(I::equal, TIOCSTI, not_permitted, pasting);
    let no_typing = assembler.push(I::load_argument(1));
    let harmful = assembler.branch(I::any_bit, !HARMLESS, not_permitted, kernels);
    assembler.branch(I::equal, PERSONALITY_QUERY, kernels, harmful);
    let personality = assembler.push(I::load_argument(0));
    // The hypervisor's side, which is of no namespace; and the kernel's ciphers, for which programs have
    // their own.
    let ciphers = assembler.branch(I::equal, AF_ALG, no_such_family, kernels);
    assembler.branch(I::equal, AF_VSOCK, no_such_family, ciphers);
    let family = assembler.push(I::load_argument(0));
    let label = |answer| match answer {
        Answer::Kernels => kernels,
        Answer::NotPermitted => not_permitted,
        Answer::NoSuchCall => no_such_call,
        Answer::NoTyping => no_typing,
        Answer::HarmlessPersonality => personality,
        Answer::NoFamily => family,
    };
    let mut bounds: Vec<Bound, { COUNT + 1 }> = Vec::new();
    // Past the last one nothing exists; with the bit of x32 neither, which is what a kernel without it says.
    let all = answers.all().map(label).chain([no_such_call]);
    for (number, label) in (0_u32..).zip(all) {
        if bounds.last().is_none_or(|(_, last)| *last != label) {
            let _ = bounds.push((number, label));
        }
    }
    let found = assembler.search(&bounds);
    if found != assembler.last() {
        // There was nothing to search.
        let distance = u32::try_from(assembler.distance(found)).unwrap_or(0);
        assembler.push(I::skip(distance));
    }
    assembler.push(I::load_number());
    // Calls of another ABI have other numbers. A kernel without that ABI ends who makes them, by a signal; and
    // so it is clear what happened. (Before 4.14 it is the thread that ends.)
    let native = assembler.last();
    assembler.branch(I::equal, NATIVE, native, killed);
    assembler.push(I::load_abi());
    // Not reverse() of core, which can panic as far as the optimizer sees.
    let mut rest = program.as_mut_slice();
    while let [first, between @ .., last] = rest {
        swap(first, last);
        rest = between;
    }
}

impl Assembler<'_> {
    /// The instruction that was made last: what comes after the next one.
    fn last(&self) -> Label {
        Label(self.0.len().saturating_sub(1))
    }

    fn push(&mut self, instruction: I) -> Label {
        // The most that there can be is less than the room: see the tests.
        let _ = self.0.push(instruction);
        self.last()
    }

    /// How many instructions a new one has to pass over to get to `label`.
    fn distance(&self, label: Label) -> usize {
        self.last().0.saturating_sub(label.0)
    }

    /// A place from which a conditional jump that is made after `more` others gets to where `label` is: its
    /// offset has eight bits.
    fn near(&mut self, label: Label, more: usize) -> Label {
        match u8::try_from(self.distance(label).saturating_add(more)) {
            Ok(_) => label,
            Err(_) => {
                let distance = u32::try_from(self.distance(label)).unwrap_or(0);
                self.push(I::skip(distance))
            }
        }
    }

    /// Compares what is loaded with `value`.
    fn branch(
        &mut self,
        compare: fn(u32, u8, u8) -> I,
        value: u32,
        then: Label,
        otherwise: Label,
    ) -> Label {
        let then = self.near(then, 1);
        let otherwise = self.near(otherwise, 0);
        let offset = |label| u8::try_from(self.distance(label)).unwrap_or(0);
        let instruction = compare(value, offset(then), offset(otherwise));
        self.push(instruction)
    }

    /// The search among these bounds, which begin with the lowest number that can be here.
    fn search(&mut self, bounds: &[Bound]) -> Label {
        match bounds {
            [] => self.last(),
            [(_, label)] => *label,
            // One that differs from those around it takes one comparison.
            [(_, around), (number, label), (next, after)]
                if around == after && number.checked_add(1) == Some(*next) =>
            {
                self.branch(I::equal, *number, *label, *around)
            }
            _ => {
                let (low, high) = bounds
                    .split_at_checked(bounds.len() / 2)
                    .unwrap_or_default();
                let first = high.first().map_or(0, |bound| bound.0);
                let high = self.search(high);
                let low = self.search(low);
                self.branch(I::at_least, first, high, low)
            }
        }
    }
}
