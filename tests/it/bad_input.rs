//! A configuration that cannot be meant: one line with file, line and column, 125, nothing started.

use crate::husk::Run;
use crate::world::{Dir, Identity, everybody, tool};
use std::fs;
use std::path::Path;

/// A file's text, where the error is, and what is said of it.
type Case = (&'static str, &'static str, &'static [&'static str]);

const KEYS: &[Case] = &[
    ("hostnme = \"x\"\n", "1:1", &["hostnme", "hostname"]),
    (
        "uid = 0\ngid = 0\n[[mount]]\noptoin = \"bind\"\n",
        "4:1",
        &["optoin", "option"],
    ),
    (
        "[[uid_map]]\ninside = 0\noutsde = 0\ncount = 1\n",
        "3:1",
        &["outsde", "outside"],
    ),
    (
        "[[mounts]]\noption = \"bind\"\n",
        "1:",
        &["mounts", "mount"],
    ),
    ("[volumes]\na = 1\n", "1:", &["volumes"]),
    ("hostname = \"a\"\nhostname = \"b\"\n", "2:1", &["hostname"]),
    ("uid = 0\n\nuid.x = 0\n", "3:", &["uid"]),
];

const TYPES: &[Case] = &[
    ("hostname = 7\n", "1:12", &["hostname", "string", "integer"]),
    ("uid = \"0\"\n", "1:7", &["uid", "integer", "string"]),
    ("uid = 1.5\n", "1:7", &["uid", "integer"]),
    ("read_only = 1\n", "1:13", &["read_only", "true or false"]),
    ("namespaces = \"user\"\n", "1:14", &["namespaces", "array"]),
    (
        "namespaces = [\"user\", 7]\n",
        "1:23",
        &["namespaces", "string"],
    ),
    ("uid_map = 7\n", "1:", &["uid_map"]),
    ("mount = [ 1 ]\n", "1:", &["mount"]),
    ("command = [\"a\", true]\n", "1:17", &["command", "string"]),
    ("env = [\"A=1\"]\n", "1:", &["env"]),
    (
        "chroot_dir = 1979-05-27\n",
        "1:14",
        &["chroot_dir", "string"],
    ),
    ("[hostname]\n", "1:", &["hostname"]),
    ("[[hostname]]\n", "1:", &["hostname"]),
];

const VALUES: &[Case] = &[
    ("uid = -1\n", "1:7", &["uid", "-1"]),
    ("uid = 4294967295\n", "1:7", &["uid", "4294967295"]),
    ("uid = 99999999999999999999\n", "1:7", &["uid"]),
    (
        "[[uid_map]]\ninside = 0\noutside = 0\ncount = 0\n",
        "4:9",
        &["count"],
    ),
    (
        "[[uid_map]]\ninside = 4294967290\noutside = 0\ncount = 10\n",
        "",
        &["uid_map"],
    ),
    (
        "[[uid_map]]\ninside = 0\noutside = 0\n",
        "1:",
        &["uid_map", "count"],
    ),
    (
        "namespaces = [\"user\", \"nett\"]\n",
        "1:23",
        &["nett", "net"],
    ),
    (
        "namespaces = [\"user\", \"filesystem\"]\n",
        "1:23",
        &["filesystem", "mount, pid"],
    ),
    (
        "id_map = \"all\"\n",
        "1:10",
        &["all", "auto", "self", "root"],
    ),
    (
        "network = \"bridge\"\n",
        "1:11",
        &["bridge", "host", "none"],
    ),
    ("cap_drop = [\"CAP_CHWON\"]\n", "1:13", &["CAP_CHWON"]),
    ("[[mount]]\noption = \"bnid\"\n", "2:10", &["bnid", "bind"]),
    (
        "[[mount]]\noption = \"bind\"\nsource = \"/\"\ntarget = \"/x\"\nflags = [\"readonly\"]\n",
        "5:10",
        &["readonly", "read_only"],
    ),
    (
        "[[mount]]\noption = \"bind\"\ntarget = \"/x\"\n",
        "1:",
        &["source"],
    ),
    (
        "[[mount]]\noption = \"bind\"\nsource = \"/x\"\n",
        "1:",
        &["target"],
    ),
    (
        "[[mount]]\nsource = \"/x\"\ntarget = \"/y\"\n",
        "1:",
        &["option"],
    ),
    (
        "[[mount]]\noption = \"mount\"\nsource = \"x\"\ntarget = \"/y\"\n",
        "1:",
        &["filesystem_type"],
    ),
    ("hostname = \"\"\n", "1:12", &["hostname"]),
    ("command = []\n", "1:11", &["command"]),
    ("env = { \"A=B\" = \"x\" }\n", "1:", &["A=B"]),
    (
        "root = \"/a\"\nchroot_dir = \"/b\"\n",
        "2:",
        &["root", "chroot_dir"],
    ),
    ("root = \"\"\n", "1:8", &["root"]),
];

const SYNTAX: &[Case] = &[
    ("hostname = \"x\n", "1:", &[]),
    ("hostname \"x\"\n", "1:", &[]),
    ("hostname = x\n", "1:12", &[]),
    ("uid = 0 gid = 0\n", "1:", &[]),
    ("[[mount]\n", "1:", &[]),
    ("namespaces = [\"user\"\n", "", &[]),
    ("hostname = \"a\\qb\"\n", "1:", &[]),
    ("uid = 0x\n", "1:", &[]),
    ("uid = 00\n", "1:", &[]),
    ("hostname = \"a\u{1}b\"\n", "1:", &[]),
    ("\u{1}\n", "1:1", &[]),
    ("= 1\n", "1:1", &[]),
];

fn all_refused(cases: &[Case]) {
    for who in everybody() {
        let dir = who.dir("config");
        for (text, place, fragments) in cases {
            let run = Run::config(who, &dir, text).sh("echo ran");
            let line = run.output().refuses(fragments);
            assert!(
                line.contains(&format!("box.toml:{place}")),
                "not at {place}: {line}{text}"
            );
        }
    }
}

#[test]
fn a_key_that_does_not_exist_is_named_with_the_nearest_one() {
    all_refused(KEYS);
}

#[test]
fn a_value_of_the_wrong_type_says_what_is_wanted() {
    all_refused(TYPES);
}

#[test]
fn a_value_that_cannot_be_says_what_can() {
    all_refused(VALUES);
}

#[test]
fn what_is_not_toml_is_refused_at_its_place() {
    all_refused(SYNTAX);
}

fn raw(who: &Identity, dir: &Dir, bytes: &[u8]) -> Run {
    let file = dir.join("raw.toml");
    fs::write(&file, bytes).unwrap();
    who.own(&file);
    Run::new(who).words(["-c"]).word(&file).sh("echo ran")
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_at_their_place() {
    for who in everybody() {
        let dir = who.dir("config");
        let line = raw(who, &dir, b"uid = 0\nhostname = \"a\xffb\"\n")
            .output()
            .refuses(&["UTF-8"]);
        assert!(line.contains("raw.toml:2:"), "{line}");
        raw(who, &dir, b"# \xc3\n")
            .output()
            .refuses(&["UTF-8", "raw.toml:1:"]);
        raw(who, &dir, b"uid = 0 # \xc3")
            .output()
            .refuses(&["UTF-8", "raw.toml:1:"]);
    }
}

#[test]
fn a_nul_in_a_string_is_refused_at_its_place() {
    for who in everybody() {
        let dir = who.dir("config");
        for text in ["hostname = \"a\\u0000b\"\n", "root = \"\\U00000000\"\n"] {
            let line = raw(who, &dir, text.as_bytes()).output().refuses(&["NUL"]);
            assert!(line.contains("raw.toml:1:"), "{line}");
        }
        raw(who, &dir, b"hostname = \"a\0b\"\n")
            .output()
            .refuses(&["raw.toml:1:"]);
    }
}

#[test]
fn a_file_of_ten_megabytes_is_refused_by_its_size() {
    for who in everybody() {
        let dir = who.dir("config");
        let bytes = "# a comment that goes on and on\n".repeat(330_000);
        assert!(bytes.len() > 10_000_000);
        raw(who, &dir, bytes.as_bytes())
            .output()
            .refuses(&["raw.toml", "65536"]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for who in everybody() {
        let dir = who.dir("config");
        let read = |path: &Path| {
            Run::new(who)
                .words(["-c"])
                .word(path)
                .sh("echo ran")
                .output()
        };
        read(dir.path()).refuses(&[dir.text(), "EISDIR"]);
        read(&dir.join("gone.toml")).refuses(&["gone.toml", "ENOENT"]);
        who.write(&dir.join("secret.toml"), "", 0o000);
        if who.is_root() {
            read(&dir.join("secret.toml")).ends_with(0);
        } else {
            read(&dir.join("secret.toml")).refuses(&["secret.toml", "EACCES"]);
        }
    }
}

fn repeated(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn more_than_fits_is_an_error_with_the_number() {
    for who in everybody() {
        let dir = who.dir("config");
        let refuses = |text: &str, fragments: &[&str]| {
            raw(who, &dir, text.as_bytes()).output().refuses(fragments);
        };
        let map = |number| format!("[[uid_map]]\ninside={number}\noutside={number}\ncount=1\n");
        refuses(&repeated(341, map), &["uid_map", "340"]);
        let mount = |_| "[[mount]]\noption=\"bind\"\nsource=\"/\"\ntarget=\"/x\"\n".to_owned();
        refuses(&repeated(257, mount), &["mount", "256"]);
        let words = repeated(257, |_| "\"a\",".to_owned());
        refuses(&format!("command = [{words}]\n"), &["command", "256"]);
        let variables = repeated(257, |number| format!("V{number} = \"x\"\n"));
        refuses(&format!("[env]\n{variables}"), &["env", "256"]);
        let capabilities = "\"CAP_CHOWN\",".repeat(257);
        refuses(
            &format!("cap_drop = [{capabilities}]\n"),
            &["cap_drop", "256"],
        );
        refuses(
            &format!("hostname = \"{}\"\n", "h".repeat(65)),
            &["hostname", "64"],
        );
        refuses(
            &format!("root = \"/{}\"\n", "r".repeat(4096)),
            &["root", "4095"],
        );
        refuses(
            &format!("namespaces = [{}]\n", "[".repeat(300)),
            &["raw.toml:1:"],
        );
        refuses(&format!("a{} = 1\n", ".a".repeat(1000)), &["raw.toml:1:"]);
    }
}

#[test]
fn nothing_is_started_before_the_whole_file_is_understood() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("config");
        let log = dir.join("log");
        let text = "uid = 0\n[[mount]]\noption = \"mount\"\nhostnme = \"late\"\n";
        let run = Run::config(who, &dir, text).sh("echo ran");
        let calls = [
            "-f",
            "-e",
            "trace=clone,clone3,fork,vfork,execve,mount,unshare,mkdir,mkdirat",
        ];
        run.traced(&log, calls).output().refuses(&["hostnme"]);
        let log = fs::read_to_string(&log).unwrap();
        let calls = log.lines().filter(|line| line.contains('(')).count();
        assert_eq!(calls, 1, "only the execve of husk itself: {log}");
    }
}
