//! Any command line of an init, by any name: rules that hold together, or a refusal.

use super::init::{command, parse};
use crate::chance::{Chance, for_rounds};
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

#[test]
fn fuzz_any_command_line_of_an_init_makes_rules_or_a_refusal() {
    let mut ruled = 0_u64;
    for_rounds(20_000, |chance| {
        let given = words(chance);
        let mut list = WordList::<16>::new();
        for word in &given {
            list.push(word).unwrap();
        }
        let words = list.finish();
        let persona = chance.one_of(&[
            Persona::Husk,
            Persona::Tini,
            Persona::DumbInit,
            Persona::Catatonit,
        ]);
        let mut rules = Rules::DEFAULT;
        let environment = words;
        let empty = words.skip(given.len());
        let Ok(asked) = parse(persona, [empty, words], 1, environment, &mut rules) else {
            return;
        };
        let left = asked.command.iter().count();
        assert!(
            asked
                .command
                .iter()
                .eq(words.skip(given.len() - left).iter())
        );
        for signal in 1..=64 {
            assert!(
                rules
                    .rewritten(signal)
                    .is_none_or(|other| (1..=64).contains(&other))
            );
        }
        ruled += u64::from(command(&asked, &rules).is_ok());
    });
    assert!(ruled > 100, "too few to mean anything");
}
