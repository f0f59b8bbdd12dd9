//! `[[mount]]`: every option and flag of the file, in the kernel's words.

use crate::husk::Run;
use crate::mount_table::{Mount, MountTable};
use crate::world::{self, Dir, Identity, NO_BUSYBOX, everybody};

/// A `[[mount]]` of these lines on /data of the root, `chroot_dir` or `root` being set as well.
struct Fixture {
    root: Dir,
    config: Dir,
    source: Dir,
}

impl Fixture {
    fn new(who: &Identity) -> Option<Self> {
        let source = who.dir("source");
        who.write(&source.join("file"), "text\n", 0o755);
        who.mkdir(&source.join("dir"));
        Some(Self {
            root: who.root_dir()?,
            config: who.dir("config"),
            source,
        })
    }

    /// ROOT and SOURCE in the text are replaced; /proc is mounted so that the mounts can be read.
    fn run(&self, who: &Identity, text: &str) -> Run {
        let head = "chroot_dir = \"ROOT\"\n[[mount]]\noption = \"mount\"\nsource = \"proc\"\n\
                    target = \"ROOT/proc\"\nfilesystem_type = \"proc\"\n";
        let text = format!("{head}{text}");
        let text = text
            .replace("ROOT", self.root.text())
            .replace("SOURCE", self.source.text());
        Run::config(who, &self.config, &text)
    }

    fn table(&self, who: &Identity, text: &str) -> MountTable {
        let run = self.run(who, text);
        let out = run
            .sh("echo mountinfo; cat /proc/self/mountinfo")
            .output()
            .succeeds();
        MountTable::after_mark(&out)
    }
}

const BIND: &str = "[[mount]]\noption = \"bind\"\nsource = \"SOURCE\"\ntarget = \"ROOT/data\"\n";
const TMPFS: &str = "[[mount]]\noption = \"mount\"\nsource = \"name\"\ntarget = \"ROOT/data\"\n\
                     filesystem_type = \"tmpfs\"\n";

fn change(option: &str, more: &str) -> String {
    format!("[[mount]]\noption = \"{option}\"\ntarget = \"ROOT/data\"\n{more}")
}

#[test]
fn a_file_system_is_mounted_with_its_source_flags_and_data() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        let flags = "flags = [\"no_suid\", \"no_devices\", \"no_execute\"]\n";
        let data = "data = \"size=64k,mode=0711\"\n";
        let table = made.table(who, &format!("{TMPFS}{flags}{data}"));
        let mount = table.on("/data");
        assert_eq!(
            (mount.kind.as_str(), mount.source.as_str()),
            ("tmpfs", "name")
        );
        mount.has_all(&["nosuid", "nodev", "noexec", "rw"]);
        for option in ["size=64k", "mode=711"] {
            assert!(
                mount.options.iter().any(|found| found == option),
                "{mount:?}"
            );
        }
    }
}

/// The words of `flags`, and what mountinfo shows of them: in the mount's column or the file system's.
const FLAGS: [(&str, &str); 12] = [
    ("read_only", "ro"),
    ("no_suid", "nosuid"),
    ("no_devices", "nodev"),
    ("no_execute", "noexec"),
    ("no_access_time", "noatime"),
    ("no_directory_access_time", "nodiratime"),
    ("relative_access_time", "relatime"),
    ("synchronous", "sync"),
    ("synchronous_directories", "dirsync"),
    ("lazy_access_time", "lazytime"),
    ("mandatory_lock", "mand"),
    ("silent", ""),
];

fn shows(mount: &Mount, word: &str) -> bool {
    mount
        .flags
        .iter()
        .chain(&mount.options)
        .any(|found| found == word)
}

#[test]
fn every_flag_takes_effect_on_a_file_system() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        for (flag, shown) in FLAGS {
            // The kernel has ignored it since 5.15 (mount(2)), and it needs CAP_SYS_ADMIN before.
            if flag == "mandatory_lock" {
                continue;
            }
            let table = made.table(who, &format!("{TMPFS}flags = [\"{flag}\"]\n"));
            assert!(
                shown.is_empty() || shows(table.on("/data"), shown),
                "{flag}: {:?}",
                table.on("/data")
            );
        }
        let strict = made.table(who, &format!("{TMPFS}flags = [\"strict_access_time\"]\n"));
        assert!(
            !shows(strict.on("/data"), "relatime"),
            "{:?}",
            strict.on("/data")
        );
    }
}

#[test]
fn every_flag_of_the_mount_takes_effect_on_a_bind() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        for option in ["bind", "recursive_bind"] {
            let bind = BIND.replace("\"bind\"", &format!("\"{option}\""));
            // How the host keeps access times is locked for a user namespace (mount_namespaces(7)).
            for (flag, shown) in &FLAGS[..4] {
                let table = made.table(who, &format!("{bind}flags = [\"{flag}\"]\n"));
                let mount = table.on("/data");
                assert!(mount.has(shown), "{option} {flag}: {mount:?}");
            }
            let all = "flags = [\"read_only\", \"no_suid\", \"no_devices\", \"no_execute\"]\n";
            let table = made.table(who, &format!("{bind}{all}"));
            table
                .on("/data")
                .has_all(&["ro", "nosuid", "nodev", "noexec"]);
        }
    }
}

#[test]
fn without_a_user_namespace_access_times_of_a_bind_are_root_s_to_choose() {
    let who = or_skip!(world::root(), "{}", world::NOT_ROOT);
    let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
    for (flag, shown) in &FLAGS[..7] {
        let text = format!("{BIND}flags = [\"{flag}\"]\n");
        let run = made.run(who, &text).words(["--share-user"]);
        let out = run
            .sh("echo mountinfo; cat /proc/self/mountinfo")
            .output()
            .succeeds();
        let table = MountTable::after_mark(&out);
        assert!(
            table.on("/data").has(shown),
            "{flag}: {:?}",
            table.on("/data")
        );
    }
}

#[test]
fn flags_of_a_bind_are_no_words_only() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        who.write(&made.source.join("program"), "#!/bin/sh\necho ran\n", 0o755);
        let run = made.run(
            who,
            &format!("{BIND}flags = [\"no_execute\", \"read_only\"]\n"),
        );
        let script = "/data/program; echo $?; echo x >/data/x; cat /data/file";
        let outcome = run.sh(script).output().ends_with(0);
        assert_eq!(outcome.stdout, "126\ntext\n", "{outcome}");
        assert!(outcome.stderr.contains("Permission denied"), "{outcome}");
        assert!(outcome.stderr.contains("Read-only"), "{outcome}");
    }
}

#[test]
fn remount_changes_flags_and_data() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        let text = format!(
            "{TMPFS}{}",
            change("remount", "flags = [\"read_only\"]\ndata = \"size=128k\"\n")
        );
        let table = made.table(who, &text);
        assert!(shows(table.on("/data"), "ro"), "{:?}", table.on("/data"));
        assert!(
            shows(table.on("/data"), "size=128k"),
            "{:?}",
            table.on("/data")
        );
        let bound = format!(
            "{BIND}{}",
            change("remount", "flags = [\"bind\", \"read_only\"]\n")
        );
        made.table(who, &bound).on("/data").has_all(&["ro"]);
    }
}

#[test]
fn propagation_is_what_was_asked_for() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        let propagation = |options: &[&str]| {
            let changes = options.iter().map(|option| change(option, ""));
            let text = format!("{TMPFS}{}", changes.collect::<String>());
            made.table(who, &text).on("/data").propagation.join(" ")
        };
        assert!(propagation(&["shared"]).starts_with("shared:"));
        assert_eq!(propagation(&["private"]), "");
        assert_eq!(propagation(&["shared", "private"]), "");
        assert_eq!(propagation(&["unbindable"]), "unbindable");
        assert_eq!(propagation(&["slave"]), "");
    }
}

#[test]
fn relocate_moves_a_mount() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        // One that is below the root already, and one that was mounted outside first.
        for place in ["ROOT/data", "SOURCE"] {
            let mount = TMPFS.replace("ROOT/data", place);
            let text = format!(
                "{mount}[[mount]]\noption = \"relocate\"\nsource = \"{place}\"\n\
                 target = \"ROOT/tmp\"\n"
            );
            let table = made.table(who, &text);
            assert_eq!(table.on("/tmp").source, "name");
            assert!(table.find("/data").is_none(), "{:?}", table.places());
        }
    }
}

#[test]
fn a_source_below_the_root_is_what_was_mounted_there_before() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        for option in ["bind", "recursive_bind"] {
            let text = format!(
                "{TMPFS}[[mount]]\noption = \"{option}\"\nsource = \"ROOT/data\"\n\
                 target = \"ROOT/tmp\"\n"
            );
            assert_eq!(made.table(who, &text).on("/tmp").source, "name");
        }
    }
}

#[test]
fn make_target_makes_a_directory_or_a_file_as_the_source_is() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        let bind = |source: &str, target: &str| {
            format!(
                "[[mount]]\noption = \"bind\"\nsource = \"{source}\"\ntarget = \"ROOT{target}\"\n\
                 make_target = true\n"
            )
        };
        let text = [bind("SOURCE", "/new/dir"), bind("SOURCE/file", "/new/file")].concat();
        let out = made
            .run(who, &text)
            .sh("ls -F /new /new/dir; cat /new/file")
            .output()
            .succeeds();
        assert!(out.ends_with("text\n"), "{out}");
        let missing = made
            .run(who, &bind("SOURCE", "/gone").replace("true", "false"))
            .sh("true");
        missing.output().refuses(&["/gone", "ENOENT"]);
        let kind = made.run(who, &bind("SOURCE/file", "/data")).sh("true");
        kind.output().refuses(&["/data"]);
    }
}

#[test]
fn targets_of_root_are_paths_inside() {
    for who in everybody() {
        let made = or_skip!(Fixture::new(who), "{NO_BUSYBOX}");
        let text = format!(
            "root = \"{}\"\n[[mount]]\noption = \"bind\"\nsource = \"{}\"\ntarget = \"/data\"\n",
            made.root.text(),
            made.source.text()
        );
        let run = Run::config(who, &made.config, &text);
        assert_eq!(run.sh("cat /data/file").output().succeeds(), "text\n");
    }
}
