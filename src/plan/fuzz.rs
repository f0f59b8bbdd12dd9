//! Any command line, any subuid(5): a plan that the kernel can take, or a refusal.

use super::id::Inside;
use super::id_map::Maps;
use super::{Inputs, Memory};
use crate::arena::Arena;
use crate::chance::{Chance, for_inputs};
use crate::cli::{self, Request};
use crate::config::{Config, Lists};
use crate::host::caller::{Caller, Power};
use crate::host::subid::{Ranges, parse};
use crate::sys::exec::WordList;
use std::ffi::{CStr, CString};
use std::mem::ManuallyDrop;

/// Words that mean something, and some that mean something else.
const WORDS: [&str; 97] = [
    "--ulimit",
    "nofile=1:2",
    "core=unlimited",
    "--landlock-ro",
    "--landlock-rx=/",
    "--landlock-scope",
    "--landlock-required",
    "--memory",
    "--memory-swap",
    "--pids-limit",
    "--cpus",
    "--cgroup-parent",
    "--io-weight",
    "512m",
    "1g",
    "1.5",
    "--config",
    "-c",
    "--no-config",
    "--dry-run",
    "--help",
    "-h",
    "--root",
    "--chroot-dir",
    "--read-only",
    "--overlay",
    "--bind",
    "--ro-bind",
    "--dev-bind",
    "--bind-try",
    "--ro-bind-try",
    "--dev-bind-try",
    "--tmpfs",
    "--proc",
    "--dev",
    "--dir",
    "--symlink",
    "--remount-ro",
    "--id-map",
    "--uid-map",
    "--gid-map",
    "--uid",
    "--gid",
    "--namespaces",
    "--network",
    "--unshare-all",
    "--unshare-net",
    "--unshare-time",
    "--share-user",
    "--share-mount",
    "--share-uts",
    "--share-{KIND}",
    "--chdir",
    "--setenv",
    "--unsetenv",
    "--clearenv",
    "--hostname",
    "--domainname",
    "--cap-add",
    "--cap-drop",
    "--allow-new-privs",
    "--new-session",
    "--seccomp",
    "--seccomp-allow",
    "--seccomp-deny",
    "default",
    "off",
    "keyctl",
    "io_uring_setup",
    "--die-with-parent",
    "--as-pid-1",
    "--",
    "-",
    "--=",
    "--uid=",
    "--root=/x",
    "--chdir=relative",
    "tmpfs",
    "auto",
    "root",
    "self",
    "none",
    "host",
    "user,mount",
    "user,,bogus",
    "ALL",
    "cap_chown",
    "0",
    "1",
    "1000",
    "4294967294",
    "4294967295",
    "-1",
    "/",
    "/a/../b",
    "",
    "\u{fc}\n",
];

/// Pieces of subuid(5).
const PIECES: [&str; 12] = [
    "alice",
    "5000",
    ":",
    ":",
    ":",
    "100000",
    "65536",
    "0",
    "4294967295",
    "#",
    "\n",
    "\r",
];

fn argv(chance: &mut Chance) -> Vec<CString> {
    let mut words = vec![c"husk".to_owned(), c"run".to_owned()];
    for _ in 0..chance.below(12) {
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
fn argv_of(input: &[u8]) -> Vec<CString> {
    let words = input.split(|byte| *byte == b'\n').take(MOST - 3);
    let words = words.filter_map(|word| CString::new(word).ok());
    [c"husk".to_owned(), c"run".to_owned()]
        .into_iter()
        .chain(words)
        .collect()
}

/// Words of a command line.
const MOST: usize = 64;

fn ranges(chance: &mut Chance) -> Ranges {
    let text: String = (0..chance.below(40))
        .map(|_| chance.one_of(&PIECES))
        .collect();
    let mut ranges = Ranges::new();
    for range in text
        .split('\n')
        .filter_map(|line| parse(line.as_bytes(), b"alice", 5000))
    {
        assert!(
            range.count > 0 && range.start.0.checked_add(range.count).is_some(),
            "{text:?}"
        );
        let _ = ranges.push(range);
    }
    ranges
}

/// What the kernel wants of both maps (user_namespaces(7)).
fn check_maps(maps: &Maps<'_>) {
    for map in [&maps.uid, &maps.gid] {
        assert!(!map.lines.is_empty());
        for (number, line) in map.lines.iter().enumerate() {
            assert!(line.fits(), "{:?}", map.lines);
            assert!(
                map.lines[..number]
                    .iter()
                    .all(|other| !other.overlaps(line)),
                "{:?}",
                map.lines
            );
        }
    }
}

#[test]
fn fuzz_any_command_line_makes_a_plan_or_a_refusal() {
    let mut planned = 0_u64;
    for_inputs("argv", 20_000, |chance, input| {
        let made = argv(chance);
        let (subuid, subgid) = (ranges(chance), ranges(chance));
        let helper = |chance: &mut Chance| chance.one_of(&[None, Some(c"/usr/bin/helper")]);
        let power = |chance: &mut Chance| chance.one_of(&[Power::Has, Power::Lacks]);
        let caller = Caller {
            uid: chance.one_of(&[0, 5000]),
            gid: chance.one_of(&[0, 5000]),
            set_uid: power(chance),
            set_gid: power(chance),
        };
        let (newuidmap, newgidmap) = (helper(chance), helper(chance));
        for words in [&made, &argv_of(input)] {
            let subids = (&subuid, &subgid);
            planned += u64::from(plan(words, caller, subids, (newuidmap, newgidmap)));
        }
    });
    assert!(planned > 100, "too few to mean anything");
}

/// Makes a plan, and says whether there is one.
fn plan(
    words: &[CString],
    caller: Caller,
    (subuid, subgid): (&Ranges, &Ranges),
    (newuidmap, newgidmap): (Option<&CStr>, Option<&CStr>),
) -> bool {
    let mut list = WordList::<MOST>::new();
    for word in words {
        list.push(word).unwrap();
    }
    let argv = list.finish();
    let Ok(Request::Run(mut run)) = cli::parse(argv) else {
        return false;
    };
    let mut memory = [0; 4096];
    let mut lists = ManuallyDrop::new(Lists::new());
    let mut config = Config::new(&mut lists);
    if cli::apply(
        argv,
        &mut run.flags,
        &mut config,
        &mut Arena::new(&mut memory),
    )
    .is_err()
    {
        return false;
    }
    let (command, envp) = (run.command, argv);
    let inputs = Inputs {
        config: &config,
        command,
        envp,
        caller,
        subuid,
        subgid,
        uid_extents: &Ranges::new(),
        gid_extents: &Ranges::new(),
        newuidmap,
        newgidmap,
        program: b"",
    };
    let mut memory = ManuallyDrop::new(Box::new(Memory::new()));
    let Ok(plan) = super::new(&inputs, &mut memory) else {
        return false;
    };
    assert!(!plan.argv.is_empty());
    if let Some(maps) = &plan.maps {
        check_maps(maps);
        for (id, map) in [
            (plan.identity.uid, &maps.uid),
            (plan.identity.gid, &maps.gid),
        ] {
            assert!(id.is_none_or(|id| map.covers(Inside(id.0))));
        }
    }
    true
}
