//! Any command line of an init, by any name: rules that hold together, or a refusal.

use super::init::{command, parse};
use crate::chance::{Chance, for_inputs};
use crate::fail::persona::Persona;
use crate::plan::rules::Rules;
use crate::sys::exec::WordList;
use std::ffi::CString;

/// Words that mean something, and some that mean something else.
const WORDS: [&str; 46] = [
    "-s",
    "-p",
    "-g",
    "-c",
    "-r",
    "-e",
    "-w",
    "-v",
    "-P",
    "-l",
    "-L",
    "-V",
    "-h",
    "-vvg",
    "-e143",
    "-pTERM",
    "-r15:3",
    "--subreaper",
    "--pdeathsig",
    "--group",
    "--single-child",
    "--session",
    "--rewrite",
    "--remap-exit=143:1",
    "--grace",
    "--drain=2",
    "--wait-all",
    "--stop-signal",
    "--all",
    "--no-tty",
    "--boot",
    "--on-exit",
    "--config",
    "--version",
    "--",
    "-",
    "--=",
    "TERM",
    "RTMIN+1",
    "15:0",
    "TERM:USR1",
    "64",
    "143",
    "poweroff",
    "sh",
    "",
];

fn words(chance: &mut Chance) -> Vec<CString> {
    let mut words = Vec::new();
    for _ in 0..chance.below(8) {
        let mut word = chance.one_of(&WORDS).as_bytes().to_vec();
        if chance.below(8) == 0 && !word.is_empty() {
            let at = chance.below(word.len());
            word[at] = 1 + u8::try_from(chance.below(255)).unwrap();
        }
        words.push(CString::new(word).unwrap());
    }
    words
}

/// A word on each line.
fn words_of(input: &[u8]) -> Vec<CString> {
    let words = input.split(|byte| *byte == b'\n').take(MOST - 1);
    words.filter_map(|word| CString::new(word).ok()).collect()
}

/// Words of a command line.
const MOST: usize = 64;

const PERSONAS: [Persona; 4] = [
    Persona::Husk,
    Persona::Tini,
    Persona::DumbInit,
    Persona::Catatonit,
];

#[test]
fn fuzz_any_command_line_of_an_init_makes_rules_or_a_refusal() {
    let mut ruled = 0_u64;
    for_inputs("init", 20_000, |chance, input| {
        let persona = chance.one_of(&PERSONAS);
        ruled += u64::from(rules(&words(chance), persona));
        for persona in PERSONAS {
            ruled += u64::from(rules(&words_of(input), persona));
        }
    });
    assert!(ruled > 100, "too few to mean anything");
}

/// Makes rules, and says whether there are any, and a command.
fn rules(given: &[CString], persona: Persona) -> bool {
    let mut list = WordList::<MOST>::new();
    for word in given {
        list.push(word).unwrap();
    }
    let words = list.finish();
    let mut rules = Rules::DEFAULT;
    let (empty, environment) = (words.skip(given.len()), words);
    let Ok(asked) = parse(persona, [empty, words], 1, environment, &mut rules) else {
        return false;
    };
    let left = words.skip(given.len() - asked.command.iter().count());
    assert!(asked.command.iter().eq(left.iter()));
    for signal in 1..=64 {
        let rewritten = rules.rewritten(signal);
        assert!(rewritten.is_none_or(|other| (1..=64).contains(&other)));
    }
    command(&asked, &rules).is_ok()
}
