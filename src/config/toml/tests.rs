//! What the reader says, and where it points.

use crate::arena::Arena;
use crate::config::{
    CallChange, Config, EnvChange, IdMap, Lists, MakeTarget, MountOption, Network, Overlay, Place,
    toml::read,
};
use crate::limits;
use crate::plan::calls::Call;
use crate::plan::capability::{CapabilityChange, CapabilitySet};
use crate::plan::id::{Inside, MapLine, Outside};
use crate::plan::mount::MountFlags;
use crate::plan::namespace::NamespaceSet;
use linux_raw_sys::general::{__NR_bpf, __NR_mount};
use std::mem::ManuallyDrop;

// The lists are never dropped: a [`Config`] borrows them for as long as they live.

/// Every key that the original tool has not.
pub const EVERY_KEY: &str = r#"
root = "/r"
read_only = true
overlay = 'upper dir'
domainname = "d"
id_map = "self"
network = "none"
command = ["sh", "-c", "", ]
clear_env = true
new_session = false
die_with_parent = true
as_pid_1 = true
no_new_privs = false
cap_drop = ["all"]
cap_add = ["CAP_CHOWN", "chown"]
seccomp = "default"
seccomp_allow = ["bpf"]
seccomp_deny = ["mount", "bpf"]
uid_map = [{ inside = 0, outside = 0x10, count = 4_294_967_279 }]
[env]
"A B" = "x=y"
C = false
[[mount]]
target = "/t"
option = "mount"
data = ""
"#;

/// Reads `text`, which must be accepted, and shows the result to `look`.
fn accept(text: &str, look: impl FnOnce(&Config<'_>)) {
    let mut memory = vec![0; limits::ARENA_BYTES];
    let mut lists = ManuallyDrop::new(Lists::new());
    let mut config = Config::new(&mut lists);
    let answer = read(text.as_bytes(), &mut config, &mut Arena::new(&mut memory));
    assert_eq!(answer, Ok(()), "{text}");
    look(&config);
}

fn line(inside: u32, outside: u32, count: u32) -> MapLine {
    MapLine {
        inside: Inside(inside),
        outside: Outside(outside),
        count,
    }
}

#[test]
fn the_original_tools_file_reads_as_it_stands() {
    let text = include_str!("../../../tests/it/original.toml");
    accept(text, |config| {
        let wanted = ["user", "mount", "pid", "uts", "ipc"]
            .iter()
            .fold(NamespaceSet::NONE, |set, name| {
                set.with(NamespaceSet::named(name).unwrap())
            });
        assert_eq!(config.namespaces.unwrap().value, wanted);
        let root = config.chroot_dir.unwrap();
        assert_eq!(root.value, c"/srv/roots/debian");
        let Place::File(offset) = root.place else {
            panic!()
        };
        assert!(
            text[usize::try_from(offset).unwrap()..]
                .starts_with("\"/srv/roots/debian\"\nworking_dir")
        );
        assert_eq!(config.working_dir.unwrap().value, c"/root");
        assert_eq!(config.hostname.unwrap().value, c"devbox");
        assert_eq!(
            (config.uid.unwrap().value, config.gid.unwrap().value),
            (0, 0)
        );
        let lines = [
            line(0, 100_000, 1000),
            line(1000, 1000, 1),
            line(2000, 101_000, 1000),
        ];
        assert!(config.uid_map.iter().map(|line| line.value).eq(lines));
        assert!(config.gid_map.iter().map(|line| line.value).eq(lines));
        let options = config
            .mounts
            .iter()
            .map(|mount| mount.value.option.unwrap());
        let [bind, mount] = [MountOption::RecursiveBind, MountOption::Mount];
        assert!(options.eq([bind, bind, mount, mount]));
        assert_eq!(config.mounts[2].value.flags, MountFlags::INERT);
        assert_eq!(config.mounts[2].value.make_target, MakeTarget::No);
        assert_eq!(config.mounts[3].value.source, Some(c"tmpfs"));
        assert_eq!(
            config.mounts[3].value.target,
            Some(c"/srv/roots/debian/tmp")
        );
        assert_eq!(config.mounts[3].value.make_target, MakeTarget::Yes);
    });
}

#[test]
fn every_key_of_husks_own_reads() {
    accept(EVERY_KEY, |config| {
        assert_eq!(config.root.unwrap().value, c"/r");
        assert_eq!(
            config.overlay.unwrap().value,
            Overlay::Directory(c"upper dir")
        );
        assert_eq!(config.id_map.unwrap().value, IdMap::Own);
        assert_eq!(config.network.unwrap().value, Network::Loopback);
        assert_eq!(config.command[..], [c"sh", c"-c", c""]);
        let booleans = [
            config.read_only,
            config.clear_env,
            config.die_with_parent,
            config.as_pid_1,
            config.new_session,
        ];
        assert_eq!(
            booleans.map(|at| at.unwrap().value),
            [true, true, true, true, false]
        );
        assert!(!config.no_new_privs.unwrap().value);
        let chown = CapabilityChange::Add(CapabilitySet(1));
        assert_eq!(
            config.capabilities[..],
            [CapabilityChange::Drop(CapabilitySet::ALL), chown, chown]
        );
        assert_eq!(config.seccomp.unwrap().value, c"default");
        let [bpf, mount] = [__NR_bpf, __NR_mount].map(Call);
        let changes = [
            CallChange::Allow(bpf),
            CallChange::Deny(mount),
            CallChange::Deny(bpf),
        ];
        assert!(config.calls.iter().map(|at| at.value).eq(changes));
        assert_eq!(config.uid_map[0].value, line(0, 16, 4_294_967_279));
        assert_eq!(
            config.env[..],
            [EnvChange::Set(c"A B=x=y"), EnvChange::Unset(c"C")]
        );
        assert_eq!(config.mounts[0].value.data, Some(c""));
    });
    accept("overlay = \"tmpfs\"", |config| {
        assert_eq!(config.overlay.unwrap().value, Overlay::Tmpfs)
    });
    accept("", |config| assert!(config.root.is_none()));
}

#[test]
fn strings_of_all_kinds_decode() {
    for (string, value) in [
        (
            r#""\b\t\n\f\r\"\\\u00fc\U0001F980\x41\e""#,
            "\u{8}\t\n\u{c}\r\"\\ü🦀A\u{1b}",
        ),
        (r"'\n'", r"\n"),
        ("\"\"\"\r\na\r\nb\"\"\"", "a\r\nb"),
        ("\"\"\"a\\  \n\n   b\\\n\"\"\"", "ab"),
        ("\"\"\"\"\"a\"\" \"\"\"\"\"", "\"\"a\"\" \"\""),
        ("'''\n'\\ '''''", "'\\ ''"),
    ] {
        accept(&format!("env.A={string}"), |config| {
            let EnvChange::Set(text) = config.env[0] else {
                panic!()
            };
            assert_eq!(
                text.to_str().unwrap().strip_prefix("A="),
                Some(value),
                "{string}"
            );
        });
    }
}
