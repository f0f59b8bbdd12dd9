//! What the reader refuses, in which words, and where it points.

use crate::arena::Arena;
use crate::config::{Config, Lists, Place, place::line_and_column, toml::read};
use crate::fail::refusal::What;
use crate::limits;
use std::mem::ManuallyDrop;

/// `LINE:COLUMN: SUBJECT: WORDS`, as a user reads it.
fn refusal(text: impl AsRef<[u8]>) -> String {
    let text = text.as_ref();
    let mut memory = vec![0; limits::ARENA_BYTES];
    let mut lists = ManuallyDrop::new(Lists::new());
    let mut config = Config::new(&mut lists);
    let refusal = read(text, &mut config, &mut Arena::new(&mut memory)).unwrap_err();
    let Place::File(offset) = refusal.place else {
        panic!("{:?}", refusal.place)
    };
    let (line, column) = line_and_column(text, usize::try_from(offset).unwrap());
    let words = match refusal.what {
        What::Text(text) => text.to_owned(),
        What::Found(text, found) => format!("{text} {found}"),
        What::Unknown {
            kind,
            found,
            nearest,
            allowed,
        } => match nearest {
            Some(nearest) => format!("no {kind} {found}, perhaps {nearest}"),
            None => format!("no {kind} {found}, but {allowed}"),
        },
        What::WrongType { wanted, found } => format!("{wanted}, not {found}"),
        What::OutOfRange { found, least, most } => format!("{found} is not in {least}..={most}"),
        What::TooMany { limit, of } => format!("more than {limit} {of}"),
        other => panic!("{other:?}"),
    };
    format!("{line}:{column}: {}: {words}", refusal.subject)
}

macro_rules! refuses {
    ($($text:expr => $words:expr,)+) => { $(assert_eq!(refusal($text), $words);)+ };
}

#[test]
fn a_refusal_points_at_the_value() {
    refuses! {
        "uid = 0\ngid = -1" => "2:7: gid: -1 is not in 0..=4294967294",
        "uid = 4294967295" => "1:7: uid: 4294967295 is not in 0..=4294967294",
        "uid = 1.0" => "1:7: uid: an integer, not a float",
        "uid = 1979-05-27 07:32:00" => "1:7: uid: an integer, not a date",
        "uid = 01" => "1:7: uid: TOML spells no number like 01",
        "root = yes" => "1:8: root: is no value: a string stands in quotes, unlike yes",
        "root = ''" => "1:8: root: must not be empty",
        "read_only = 'yes'" => "1:13: read_only: true or false, not a string",
        "[init]\ngrace = true" => "2:9: init.grace: a string or a number, not a boolean",
        "[init]\nwait_all = 1" => "2:12: init.wait_all: true or false, not an integer",
        "[init]\ndrain = 99999999" => "2:9: init.drain: this is not in 0..=31536000",
        "[init]\nremap_exit = ['1', '300']" => "2:20: init.remap_exit: 300 is not in 0..=255",
        "[limits]\nnofile = '2:1'" => "2:10: limits.nofile: has a soft limit above its hard limit",
        "[limits]\nnofile = 18446744073709551615" => "2:10: limits.nofile: must be a number of 64 bits without sign, not 18446744073709551615",
        "[cgroup]\ncpus = 1.234567" => "2:8: cgroup.cpus: must be a number such as 1.5, from 0.01, or \"unlimited\", not 1.234567",
        "[cgroup]\nparent = ''" => "2:10: cgroup.parent: must not be empty",
        "[landlock]\nexecute = '/'" => "2:11: landlock.execute: an array of strings, not a string",
        "[landlock]\nexecute = ['/', '']" => "2:17: landlock.execute: must not be empty",
        "command = 'ls'" => r#"1:11: command: an array with a string for each word, as in ["sh", "-c", "id"], not a string"#,
        "command = []" => "1:11: command: must have at least one word",
        "command = ['']" => "1:12: command: must not be empty",
        "command = ['a',\n # b\n [[[[" => "3:2: command: a string, not an array",
        format!("hostname = '{}'", "h".repeat(65)) => "1:12: hostname: must have 1 to 64 bytes (sethostname(2))",
        format!("root = '/{}'", "r".repeat(4095)) => "1:8: root: more than 4095 bytes in a path",
        "root = '''/\n\\''' # no\nroot = \"a\\u0000\"" => "3:1: root: is given twice",
        "root = \"a\\u0000\"" => "1:8: root: must not contain a NUL character",
        "env.A = true" => "1:9: env.A: a string, or false to unset it, not true",
        "[[mount]]\nflags = ['no_suid', 5]" => "2:21: mount.flags: a string, not an integer",
    }
}

#[test]
fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
    refuses! {
        "hostnme = 'a'" => "1:1: : no key hostnme, perhaps hostname",
        "[[mont]]" => "1:3: : no key mont, perhaps mount",
        "[[mount]]\n\ttraget = 'a'" => "2:2: mount: no key traget, perhaps target",
        "[[uid_map]]\nhostname = 'a'" => "2:1: uid_map: no key hostname, but ",
        "namespaces = ['pid',\n 'usr']" => "2:2: namespaces: no namespace usr, perhaps user",
        "namespaces = ['network']" => "1:15: namespaces: no namespace network, but user, mount, pid, uts, ipc, net, cgroup, time",
        "[[mount]]\noption='binds'" => "2:8: mount.option: no mount option binds, perhaps bind",
        "[[mount]]\nflags=['nosuid']" => "2:8: mount.flags: no mount flag nosuid, perhaps no_suid",
        "cap_add=['SYS_ADMN']" => "1:10: cap_add: no capability SYS_ADMN, perhaps SYS_ADMIN",
        "id_map='x'" => "1:8: id_map: no id map x, but auto, root, self",
        "[init]\ngrce = 1" => "2:1: init: no key grce, perhaps grace",
        "init = {stop_signal = 'TREM'}" => "1:23: init.stop_signal: no signal TREM, but 1 to 64, and names such as TERM and RTMIN+1",
        "[init]\non_exit = 'halted'" => "2:11: init.on_exit: no action halted, perhaps halt",
        "[limits]\nnfile = 1" => "2:1: limits: no key nfile, perhaps nofile",
        "cgroup.memory = 1" => "1:1: cgroup: has no keys of its own",
        "network='net'" => "1:9: network: no network net, but host, none",
    }
}

#[test]
fn what_a_table_lacks_is_missed_at_its_header() {
    refuses! {
        "[[mount]]\noption = 'mount'\n" => "1:1: mount.target: is missing",
        "\n  [[mount]]\n[env]" => "2:3: mount.option: is missing",
        "uid_map = [{inside=0,\noutside=0}]" => "1:12: uid_map.count: is missing",
        "[[gid_map]]\ncount = 1\noutside=0" => "1:1: gid_map.inside: is missing",
        "[[gid_map]]\ncount = 0" => "2:9: gid_map.count: 0 is not in 1..=4294967295",
        "gid_map = [{inside=2,outside=0,count=4294967294}]" => "1:12: gid_map: the range goes beyond the last id, 4294967294",
    }
}

#[test]
fn nothing_is_given_twice() {
    refuses! {
        "uid = 1\n\"uid\" = 1" => "2:1: uid: is given twice",
        "[env]\n[env]" => "2:2: env: is given twice",
        "env.A = 'x'\n[env]" => "2:2: env: is given twice",
        "env = {}\nenv.A = 'x'" => "2:1: env: is given twice",
        "env.A = 'x'\nenv.AB = 'y'\nenv.A = false" => "3:5: env.A: is given twice",
        "mount = []\n[[mount]]" => "2:3: mount: is given twice",
        "[[mount]]\noption='bind'\noption='bind'" => "3:1: mount.option: is given twice",
    }
}

#[test]
fn tables_are_where_tables_belong() {
    refuses! {
        "[mount]" => "1:2: mount: an array of tables, not a table",
        "[[env]]" => "1:3: env: a table, not an array of tables",
        "[uid]" => "1:2: uid: a plain value, not a table",
        "[env.A]" => "1:2: env: has no tables below it",
        "mount.target = 'a'" => "1:1: mount: has no keys of its own",
        "env.A.B = 'a'" => "1:5: env.A: has no keys of its own",
        "env = 'A=B'" => "1:7: env: a table, not a string",
        "mount = {}" => "1:9: mount: an array of tables, not a table",
        "env.\"a=b\" = 'a'" => "1:5: env.a=b: a variable's name must not be empty or contain =",
    }
}

#[test]
fn what_is_no_toml_is_refused_where_it_stops_being_toml() {
    refuses! {
        b"root = '\xff'" => "1:9: : is not UTF-8, which a TOML file must be",
        "root = 'a' b" => "1:12: : nothing but a comment may follow on this line",
        "root 'a'" => "1:6: : after a key come = and its value",
        "root = \n'a'" => "1:8: : a value is missing",
        "root = 'a\n'" => "1:10: : a string's closing quote is missing",
        "root = '''a" => "1:12: : a string's closing quote is missing",
        "= 1" => "1:1: : a key is missing: a line has KEY = VALUE or [TABLE]",
        "[env] A=1" => "1:7: : nothing but a comment may follow on this line",
        "[env\n" => "1:5: : a table's name ends in as many ] as it began with [",
        "command = ['a' 'b']" => "1:16: : a comma or the closing bracket is missing",
    }
    assert!(refusal("root = \"\\q\"").contains("no such escape"));
    assert!(refusal("root = \"\\ud800\"").contains("no such escape"));
    assert!(refusal("root = '\x01'").contains("control characters"));
    refuses! {
        "# \x01" => "1:3: : a key is missing: a line has KEY = VALUE or [TABLE]",
    }
}

#[test]
fn more_than_fits_is_refused_with_the_number_that_fits() {
    let map = "[[uid_map]]\ninside=0\noutside=0\ncount=1\n".repeat(limits::MAP_LINES + 1);
    refuses! {
        map => "1361:1: uid_map: more than 340 lines: user_namespaces(7) allows no more",
    }
    let mount = "[[mount]]\noption='bind'\ntarget='a'\n".repeat(limits::MOUNTS + 1);
    refuses! {
        mount => "769:1: mount: more than 256 mounts",
    }
    let words = format!("command=[{}]", "'a',".repeat(limits::COMMAND_WORDS + 1));
    assert!(refusal(words).ends_with("command: more than 256 words"));
    let text = format!(
        "env.A='{}'\nenv.B = '{0}'",
        "a".repeat(limits::ARENA_BYTES / 2)
    );
    assert_eq!(
        refusal(text),
        format!(
            "2:9: env.B: more than {} bytes of text",
            limits::ARENA_BYTES
        )
    );
}
