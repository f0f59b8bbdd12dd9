//! The reader against the `toml` crate, on documents that chance made from real ones.
//!
//! See [`crate::chance`] for how to look longer.

use super::tests::EVERY_KEY;
use crate::arena::Arena;
use crate::chance::{Chance, for_inputs};
use crate::config::{At, Config, EnvChange, Lists, MakeTarget, Place, toml::read};
use crate::fail::refusal::{Refusal, What};
use crate::plan::id::MapLine;
use crate::plan::namespace::NamespaceSet;
use ::toml::{Table, Value};
use std::ffi::CStr;
use std::mem::ManuallyDrop;

/// Where chance begins.
const DOCUMENTS: [&str; 6] = [
    include_str!("../../../tests/it/original.toml"),
    EVERY_KEY,
    "env.A = \"\"\"\r\na\\\r\n  b\"\"\"\nenv.'B C'='''x'y''z'''\nuid=0x1f\ngid=+0 # end",
    "# c\n[ env ]\nA='\\'\n\"\\u0041B\" = \"\\U0001F980\\t\"\nC=false\n\n[[ \"mount\" ]]\noption='bind'\ntarget=\"/t\"",
    "mount = [ { option = \"bind\", target = \"/a\", flags = [ 'no_suid', ] }, # c\n {target='/b',option='private'} ]",
    "uid_map=[{inside=0,outside=1_000,count=0b1}]\ncommand=[\n'a' # b\n,\"c\"\n]\nhostname = \"ü\"\r\nroot='r'",
];

/// What chance puts in.
const PIECES: [&str; 64] = [
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u00e9",
    "\\U0010ffff",
    "\\ud800",
    "\\x41",
    "\\e",
    "\\\n",
    "\\ \r\n\t",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "#",
    "# c\n",
    "\0",
    "\x01",
    "\x7f",
    "\u{80}",
    "ü",
    "\u{feff}",
    "=",
    ".",
    ",",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "[]",
    "{}",
    "0",
    "_",
    "-",
    "+",
    "0x",
    "1_0",
    "01",
    "4294967295",
    "99999999999999999999",
    "1.5",
    "1e3",
    "inf",
    "nan",
    "1979-05-27",
    "07:32:00",
    "true",
    "false",
    "env",
    "uid",
    "read_only=true\n",
    "uid=1\n",
    "[env]\n",
    "[[mount]]\n",
    "env.X='x'\n",
    "env={A='x'}\n",
    "command=['a']\n",
    "root=\"a\"\n",
    "gid = -0\n",
];

impl Chance {
    /// A range of `text`, mostly short, sometimes whole lines.
    fn range(&mut self, text: &str) -> (usize, usize) {
        let from = self.boundary(text);
        let longest = [1, 3, 9, 99][self.below(4)];
        let mut to = (from + self.below(longest) + 1).min(text.len());
        if self.below(4) == 0 {
            let line = text[..from].rfind('\n').map_or(0, |at| at + 1);
            return (
                line,
                text[from..]
                    .find('\n')
                    .map_or(text.len(), |at| from + at + 1),
            );
        }
        while !text.is_char_boundary(to) {
            to += 1;
        }
        (from, to)
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn document(&mut self) -> String {
        let mut text = DOCUMENTS[self.below(DOCUMENTS.len())].to_owned();
        for _ in 0..=self.below(3) {
            let (from, to) = self.range(&text);
            let at = self.boundary(&text);
            match self.below(5) {
                0 => text.replace_range(from..to, ""),
                1 => text.insert_str(at, PIECES[self.below(PIECES.len())]),
                2 => text.replace_range(from..to, PIECES[self.below(PIECES.len())]),
                3 => text.insert_str(at, &text.clone()[from..to]),
                _ => {
                    let other = DOCUMENTS[self.below(DOCUMENTS.len())];
                    let (start, end) = self.range(other);
                    text.insert_str(at, &other[start..end]);
                }
            }
        }
        text
    }
}

#[test]
fn fuzz_what_husk_accepts_the_toml_crate_accepts_and_means_the_same() {
    let (mut accepted, mut rounds) = (0_u64, 0_u64);
    for_inputs("toml", 5000, |chance, input| {
        rounds += 2;
        accepted += u64::from(compare(&chance.document()));
        accepted += match str::from_utf8(input) {
            Ok(text) => u64::from(compare(text)),
            Err(_) => u64::from(accepts(input)),
        };
    });
    println!("{accepted} of {rounds} documents accepted");
    assert!(accepted > rounds / 50, "too few to mean anything");
}

/// Whether husk accepts bytes that are no text: it must not.
fn accepts(bytes: &[u8]) -> bool {
    let mut memory = [0; 16384];
    let mut lists = ManuallyDrop::new(Lists::new());
    let mut config = Config::new(&mut lists);
    let read = read(bytes, &mut config, &mut Arena::new(&mut memory));
    assert!(read.is_err(), "{bytes:?}");
    false
}

/// Whether husk accepts `text`, after looking for anything that the `toml` crate sees otherwise.
fn compare(text: &str) -> bool {
    let mut memory = [0; 16384];
    let mut lists = ManuallyDrop::new(Lists::new());
    let mut config = Config::new(&mut lists);
    let ours = read(text.as_bytes(), &mut config, &mut Arena::new(&mut memory));
    match (ours, text.parse::<Table>()) {
        (Ok(()), Ok(table)) => assert!(agree(&config, &table), "{text}\n{table:?}"),
        (Ok(()), Err(theirs)) => panic!("husk alone accepts:\n{text}\n{text:?}\n{theirs}"),
        (Err(ours), Ok(table)) => assert!(
            !is_wrong(ours, text, &table),
            "husk alone refuses:\n{text}\n{text:?}\n{ours:?}"
        ),
        (Err(_), Err(_)) => return false,
    }
    ours.is_ok()
}

/// Whether `refusal` says something of a good document that is not so.
fn is_wrong(refusal: &Refusal, text: &str, table: &Table) -> bool {
    let is_string = |value: &Value| value.as_str().is_some_and(|text| !text.contains('\0'));
    let value = table.get(refusal.subject);
    match (refusal.what, refusal.subject) {
        (What::Text(_), "") if is_between_key_and_value(refusal.place, text) => false,
        // What TOML allows in a name and the environment does not.
        (What::Text(words), _) if words.contains("NUL") || words.contains("variable's name") => {
            false
        }
        // Values of `[init]` have a form of their own.
        (What::Found(..), subject) if subject.starts_with("init.") => false,
        (What::Found(..) | What::Text("is given twice"), _) | (What::Text(_), "") => true,
        (_, "uid" | "gid") => value
            .unwrap()
            .as_integer()
            .is_some_and(|id| (0..0xffff_ffff).contains(&id)),
        (_, "read_only" | "clear_env" | "as_pid_1") => value.unwrap().is_bool(),
        (_, "root" | "overlay") => is_string(value.unwrap()) && value.unwrap().as_str() != Some(""),
        (_, "command") => value.unwrap().as_array().is_some_and(|words| {
            words.iter().all(is_string)
                && words.first().is_some_and(|word| word.as_str() != Some(""))
        }),
        (What::WrongType { .. }, "mount.option") => {
            let mounts = value_of(table, "mount").as_array().unwrap();
            mounts
                .iter()
                .all(|mount| mount.get("option").is_some_and(is_string))
        }
        _ => false,
    }
}

/// Whether a line ends at `place` between a key and its value: the `toml` crate allows that in an
/// inline table, TOML 1.1 does not (keyval-sep).
fn is_between_key_and_value(place: Place, text: &str) -> bool {
    let Place::File(offset) = place else {
        return false;
    };
    let (before, after) = text.split_at(usize::try_from(offset).unwrap());
    before.contains('{') && after.starts_with(['\n', '\r', '#'])
}

fn value_of<'t>(table: &'t Table, key: &str) -> &'t Value {
    table.get(key).unwrap()
}

/// Whether `config` is what `table` says.
fn agree(config: &Config<'_>, table: &Table) -> bool {
    let strings = [
        (config.root, "root"),
        (config.chroot_dir, "chroot_dir"),
        (config.working_dir, "working_dir"),
        (config.hostname, "hostname"),
        (config.domainname, "domainname"),
        (config.seccomp, "seccomp"),
    ];
    let booleans = [
        (config.read_only, "read_only"),
        (config.clear_env, "clear_env"),
        (config.new_session, "new_session"),
        (config.die_with_parent, "die_with_parent"),
        (config.as_pid_1, "as_pid_1"),
        (config.no_new_privs, "no_new_privs"),
    ];
    let words = config.command.iter().map(|word| word.to_str().unwrap());
    let namespaces = table.get("namespaces").map(|names| {
        let names = names
            .as_array()
            .unwrap()
            .iter()
            .map(|name| NamespaceSet::named(name.as_str().unwrap()).unwrap());
        names.fold(NamespaceSet::NONE, NamespaceSet::with)
    });
    strings
        .iter()
        .all(|(ours, key)| text(ours.map(|at| at.value)) == table.get(*key).and_then(Value::as_str))
        && booleans
            .iter()
            .all(|(ours, key)| ours.map(|at| at.value) == table.get(*key).and_then(Value::as_bool))
        && config.uid.map(|at| i64::from(at.value)) == table.get("uid").and_then(Value::as_integer)
        && config.gid.map(|at| i64::from(at.value)) == table.get("gid").and_then(Value::as_integer)
        && config.namespaces.map(|at| at.value) == namespaces
        && words.eq(list(table, "command")
            .iter()
            .map(|word| word.as_str().unwrap()))
        && list(table, "cap_add").len() + list(table, "cap_drop").len() == config.capabilities.len()
        && list(table, "seccomp_allow").len() + list(table, "seccomp_deny").len()
            == config.calls.len()
        && lines_agree(config.uid_map, list(table, "uid_map"))
        && lines_agree(config.gid_map, list(table, "gid_map"))
        && mounts_agree(config, list(table, "mount"))
        && environments_agree(config, table)
}

fn text(string: Option<&CStr>) -> Option<&str> {
    string.map(|string| string.to_str().unwrap())
}

fn list<'t>(table: &'t Table, key: &str) -> &'t [Value] {
    table.get(key).map_or(&[], |list| list.as_array().unwrap())
}

fn lines_agree(ours: &[At<MapLine>], theirs: &[Value]) -> bool {
    ours.iter()
        .map(|line| [line.value.inside.0, line.value.outside.0, line.value.count].map(i64::from))
        .eq(theirs
            .iter()
            .map(|line| ["inside", "outside", "count"].map(|key| line[key].as_integer().unwrap())))
}

fn mounts_agree(config: &Config<'_>, theirs: &[Value]) -> bool {
    let ours = config.mounts.iter().map(|mount| mount.value);
    ours.len() == theirs.len()
        && ours.zip(theirs).all(|(ours, theirs)| {
            let theirs = theirs.as_table().unwrap();
            let string = |key| theirs.get(key).and_then(Value::as_str);
            text(ours.source) == string("source")
                && text(ours.target) == string("target")
                && text(ours.filesystem_type) == string("filesystem_type")
                && text(ours.data) == string("data")
                && ours.flags.names().all(|name| {
                    list(theirs, "flags")
                        .iter()
                        .any(|flag| flag.as_str() == Some(name))
                })
                && (ours.make_target == MakeTarget::Yes)
                    == theirs
                        .get("make_target")
                        .is_some_and(|make| make.as_bool().unwrap())
        })
}

fn environments_agree(config: &Config<'_>, table: &Table) -> bool {
    let theirs = table
        .get("env")
        .map_or(0, |env| env.as_table().unwrap().len());
    theirs == config.env.len()
        && config.env.iter().all(|change| match change {
            EnvChange::Set(pair) => {
                let (name, value) = pair.to_str().unwrap().split_once('=').unwrap();
                table["env"][name].as_str() == Some(value)
            }
            EnvChange::Unset(name) => table["env"][name.to_str().unwrap()].as_bool() == Some(false),
        })
}
