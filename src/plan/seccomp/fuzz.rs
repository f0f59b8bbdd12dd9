//! Any change to the policy: a program that says just that. Any program of the caller's: the kernel's own
//! verdict on it.

use super::policy::{Answer, Answers, decide};
use super::program::read as read_program;
use super::{Memory, Program, assembler};
use crate::chance::{Chance, for_inputs, for_rounds};
use crate::config::{At, CallChange, Config, Lists, Place};
use crate::plan::calls::{COUNT, Call};
use crate::plan::namespace::NamespaceSet;
use crate::sys::clone::{Process, into_namespaces};
use crate::sys::process::exit;
use crate::sys::seccomp::{ALLOW, ERRNO, Instruction as I, KILL, NATIVE, install};
use rustix::io::Errno;
use rustix::process::{WaitOptions, waitpid};
use rustix::thread::set_no_new_privs;
use std::io::{Read as _, Write as _};
use std::mem::ManuallyDrop;

/// struct seccomp_data, as words: number, ABI, two of an address, and the halves of the arguments.
fn data(number: u32, abi: u32, arguments: [u64; 2]) -> [u32; 8] {
    let half = |argument: u64, shift: u32| u32::try_from(argument >> shift & 0xffff_ffff).unwrap();
    let [first, second] = arguments;
    [
        number,
        abi,
        0,
        0,
        half(first, 0),
        half(first, 32),
        half(second, 0),
        half(second, 32),
    ]
}

/// What `program` says, and after how many instructions: those that husk itself makes.
fn verdict(program: &[I], data: [u32; 8]) -> (u32, usize) {
    let (mut at, mut loaded, mut steps) = (0_usize, 0_u32, 0_usize);
    loop {
        let I {
            code,
            if_true,
            if_false,
            value,
        } = program[at];
        let jump = |holds: bool| 1 + usize::from(if holds { if_true } else { if_false });
        steps += 1;
        at += match code {
            0x20 => {
                loaded = data[usize::try_from(value).unwrap() / 4];
                1
            }
            0x05 => 1 + usize::try_from(value).unwrap(),
            0x15 => jump(loaded == value),
            0x35 => jump(loaded >= value),
            0x45 => jump(loaded & value != 0),
            0x06 => return (value, steps),
            _ => panic!("{code:#x} is none of ours"),
        };
    }
}

/// The policy with `changes` to it.
fn made(changes: &[CallChange], memory: &mut Memory) {
    let mut lists = ManuallyDrop::new(Lists::new());
    let config = Config::new(&mut lists);
    for change in changes {
        let _ = config.calls.push(At::new(*change, Place::Nowhere));
    }
    decide(&config, NamespaceSet::DEFAULT, &mut memory.answers);
    assembler::assemble(&memory.answers, &mut memory.program);
}

/// The program says what the answers are.
fn is_said(memory: &Memory) {
    let numbers =
        (0..u32::try_from(COUNT).unwrap() + 3).chain([0x4000_0000, 0x4000_0001, u32::MAX]);
    for number in numbers {
        let answer = memory.answers.of(Call(number));
        let says = |arguments| verdict(&memory.program, data(number, NATIVE, arguments)).0;
        let (harmless, harmful) = match answer {
            Answer::Kernels => ([ALLOW; 2], [ALLOW; 2]),
            Answer::NotPermitted => ([ERRNO | 1; 2], [ERRNO | 1; 2]),
            Answer::NoSuchCall => ([ERRNO | 38; 2], [ERRNO | 38; 2]),
            Answer::NoTyping => ([ALLOW; 2], [ERRNO | 1, ALLOW]),
            Answer::HarmlessPersonality => ([ALLOW; 2], [ALLOW, ERRNO | 1]),
            Answer::NoFamily => ([ALLOW; 2], [ALLOW, ERRNO | 97]),
        };
        // Requests of ioctl(2); and what is a personality as well as a family, harmless or not.
        let arguments = [[0, 0x5401], [8, 0]];
        assert_eq!(arguments.map(says), harmless, "call {number}");
        let arguments = [[0, 0x9_0000_5412], [0x28, 0]];
        assert_eq!(arguments.map(says), harmful, "call {number}");
        assert_eq!(
            verdict(&memory.program, data(number, NATIVE ^ 2, [0; 2])).0,
            KILL
        );
    }
}

#[test]
fn the_policy_is_said_in_few_steps() {
    let mut memory = Box::new(Memory::new());
    made(&[], &mut memory);
    is_said(&memory);
    assert!(memory.program.len() < 64, "{}", memory.program.len());
    let numbers = 0..u32::try_from(COUNT).unwrap();
    let steps = numbers.map(|number| verdict(&memory.program, data(number, NATIVE, [0; 2])).1);
    assert!(steps.max() < Some(15), "a search by halves");
}

#[test]
fn the_largest_policy_fits() {
    let mut memory = Box::new(Memory::new());
    // No two neighbours alike, so that the search is as large as it can be, and jumps are far.
    let all = (0..u32::try_from(COUNT).unwrap()).map(Call);
    let mut answers = Answers::new();
    for call in all.step_by(2) {
        answers.set(call.0, Answer::NotPermitted);
    }
    memory.answers = answers;
    assembler::assemble(&memory.answers, &mut memory.program);
    is_said(&memory);
    assert!(memory.program.len() < 2048, "{}", memory.program.len());
}

#[test]
fn fuzz_any_change_to_the_policy_is_said_by_the_program() {
    let mut memory = Box::new(Memory::new());
    for_rounds(300, |chance| {
        let call = |chance: &mut Chance| Call(u32::try_from(chance.below(COUNT)).unwrap());
        let changes: Vec<CallChange> = (0..chance.below(256))
            .map(|_| match chance.below(4) {
                0 => CallChange::Allow(call(chance)),
                _ => CallChange::Deny(call(chance)),
            })
            .collect();
        *memory = Memory::new();
        made(&changes, &mut memory);
        is_said(&memory);
        let mut last = Memory::new();
        assert_eq!(read(&bytes_of(&memory.program), &mut last.program), Ok(()));
        for change in changes.iter().rev().take(1) {
            let (CallChange::Allow(call) | CallChange::Deny(call)) = change;
            let allowed = memory.answers.of(*call) == Answer::Kernels;
            assert_eq!(allowed, matches!(change, CallChange::Allow(_)));
        }
    });
}

fn bytes_of(program: &[I]) -> Vec<u8> {
    let bytes = |i: &I| {
        let mut bytes = i.code.to_ne_bytes().to_vec();
        bytes.extend([i.if_true, i.if_false]);
        bytes.extend(i.value.to_ne_bytes());
        bytes
    };
    program.iter().flat_map(bytes).collect()
}

fn read(bytes: &[u8], into: &mut Program) -> Result<(), String> {
    read_program(bytes, into, Place::Nowhere).map_err(|refused| format!("{:?}", refused.what))
}

/// Whether the kernel takes each, asked by a process of its own: so all of their verdicts are made to be the
/// same, and what could end in a division by 0, which is the end of whoever runs it, to be something else.
fn kernel_takes(programs: &[Vec<I>]) -> Vec<bool> {
    let harmless = |instruction: &I| match instruction.code {
        0x06 | 0x16 => I::verdict(ALLOW),
        0x3c => I {
            code: 0x1c,
            ..*instruction
        },
        _ => *instruction,
    };
    let harmless = |program: &Vec<I>| program.iter().map(harmless).collect();
    let programs: Vec<Vec<I>> = programs.iter().map(harmless).collect();
    let (mut answers, mut say) = std::io::pipe().unwrap();
    match into_namespaces(NamespaceSet::NONE).unwrap() {
        // Without a word to the allocator, whose lock another thread may have had.
        Process::Child => {
            let _ = set_no_new_privs(true);
            for program in &programs {
                let _ = say.write_all(&[match install(program) {
                    Ok(()) => b'y',
                    Err(Errno::INVAL) => b'n',
                    Err(_) => b'?',
                }]);
            }
            exit(0)
        }
        Process::Parent(pid) => {
            drop(say);
            let mut said = String::new();
            answers.read_to_string(&mut said).unwrap();
            waitpid(Some(pid), WaitOptions::empty()).unwrap();
            assert_eq!(said.len(), programs.len());
            assert!(!said.contains('?'), "{said}");
            said.bytes().map(|answer| answer == b'y').collect()
        }
    }
}

/// Every operation that classic BPF has, and some that it has not.
fn operation(chance: &mut Chance) -> u16 {
    const USUAL: [u16; 14] = [
        0x20, 0x20, 0x15, 0x35, 0x05, 0x06, 0x02, 0x60, 0x61, 0x03, 0x34, 0x64, 0x1d, 0x54,
    ];
    match chance.below(8) {
        0 => u16::try_from(chance.below(0x100)).unwrap(),
        _ => chance.one_of(&USUAL),
    }
}

fn instruction(chance: &mut Chance, left: usize) -> I {
    let small = |chance: &mut Chance| u8::try_from(chance.below(left + 1)).unwrap();
    let value = match chance.below(4) {
        0 => chance.one_of(&[0, 1, 15, 16, 31, 32, 60, 64, 66, u32::MAX]),
        _ => u32::try_from(chance.below(16) * 4 % (left + 17)).unwrap(),
    };
    I {
        code: operation(chance),
        if_true: small(chance),
        if_false: small(chance),
        value,
    }
}

fn program(chance: &mut Chance) -> Vec<I> {
    let length = 1 + chance.below(6);
    let mut program: Vec<I> = (1..length)
        .map(|at| instruction(chance, length - at))
        .collect();
    program.push(match chance.below(8) {
        0 => instruction(chance, 1),
        _ => I::verdict(ALLOW),
    });
    program
}

#[test]
fn fuzz_any_program_is_refused_where_the_kernel_would() {
    let mut memory = Box::new(Memory::new());
    let mut counts = [0_u64; 2];
    for_rounds(20, |chance| {
        let given: Vec<Vec<I>> = (0..200).map(|_| program(chance)).collect();
        for (given, takes) in given.iter().zip(kernel_takes(&given)) {
            let taken = read(&bytes_of(given), &mut memory.program);
            assert_eq!(taken.is_ok(), takes, "{taken:?}: {given:?}");
            assert!(taken.is_err() || memory.program[..] == given[..]);
            counts[usize::from(takes)] += 1;
        }
    });
    println!("{counts:?}");
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
}

/// The kernel's verdicts on all that are `asked` are those that were given.
///
/// A process may have so many filters that it gets no more: 64 of these are far from that.
fn kernel_agrees(asked: &mut Vec<(Vec<I>, bool)>) {
    let (programs, taken): (Vec<Vec<I>>, Vec<bool>) = asked.drain(..).unzip();
    for ((program, taken), takes) in programs.iter().zip(taken).zip(kernel_takes(&programs)) {
        assert_eq!(taken, takes, "{program:?}");
    }
}

#[test]
fn fuzz_any_file_is_refused_where_the_kernel_would() {
    let mut memory = Box::new(Memory::new());
    let mut asked = Vec::new();
    let mut counts = [0_u64; 2];
    for_inputs("bpf", 10_000, |_, input| {
        let (instructions, rest) = input.as_chunks();
        assert!(rest.is_empty() || read(input, &mut memory.program).is_err());
        let program: Vec<I> = instructions.iter().map(|it| I::from_bytes(*it)).collect();
        let taken = read(&bytes_of(&program), &mut memory.program).is_ok();
        assert!(!taken || memory.program[..] == program[..]);
        counts[usize::from(taken)] += 1;
        asked.push((program, taken));
        if asked.len() == 64 {
            kernel_agrees(&mut asked);
        }
    });
    kernel_agrees(&mut asked);
    println!("{counts:?}");
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
}

#[test]
fn fuzz_any_bytes_make_a_program_or_a_refusal() {
    let mut memory = Box::new(Memory::new());
    for_rounds(2_000, |chance| {
        let most = chance.one_of(&[9, 64, 32_800]);
        let length = chance.below(most);
        let bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(chance.below(256)).unwrap())
            .collect();
        let taken = read(&bytes, &mut memory.program);
        let whole = length > 0 && length % 8 == 0 && length <= 32_768;
        assert!(taken.is_err() || whole, "{length} bytes");
    });
}

#[test]
fn a_program_is_of_4096_instructions_at_most() {
    let mut memory = Box::new(Memory::new());
    let most = vec![I::verdict(ALLOW); 4096];
    assert_eq!(read(&bytes_of(&most), &mut memory.program), Ok(()));
    assert_eq!(kernel_takes(&[most]), [true]);
    let more = vec![I::verdict(ALLOW); 4097];
    let refused = read(&bytes_of(&more), &mut memory.program).unwrap_err();
    assert!(refused.contains("4096"), "{refused}");
}
