//! `husk check`: what it says is true, and `husk run` agrees.

use crate::husk::Run;
use crate::running::Outcome;
use crate::skip;
use crate::world::{self, Dir, Identity, NO_BUSYBOX, NOT_ROOT, everybody};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

const WORKS: &str = "husk run works here, with this configuration.";
const DOES_NOT: &str = "husk run does not work here, with this configuration: see what is said \
                        above, and what is marked !";

/// `husk check` or `husk run`, with these words.
pub fn of(command: &str, who: &Identity, words: &[&str]) -> Run {
    Run::husk(who).word(command).words(words)
}

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    pub in_the_way: bool,
    pub name: String,
    /// From yes or no on.
    pub found: String,
}

/// The table of a run that said what its status is.
pub fn table(outcome: &Outcome) -> Vec<Row> {
    let verdict = match outcome.status.code() {
        Some(0) => WORKS,
        Some(1) => DOES_NOT,
        other => panic!("status {other:?}: {outcome}"),
    };
    let (table, last) = outcome.stdout.split_once("\n\n").unwrap();
    assert_eq!(last.trim_end(), verdict, "{outcome}");
    let mut rows: Vec<Row> = Vec::new();
    for line in table.lines() {
        match (line.split_at(2), rows.last_mut()) {
            // A remedy.
            (("  ", rest), Some(row)) if rest.starts_with(' ') => {
                row.found += &format!(": {}", rest.trim());
            }
            ((mark, rest), _) => {
                let (name, found) = rest.split_at(26);
                rows.push(Row {
                    in_the_way: mark == "! ",
                    name: name.trim().to_owned(),
                    found: found.to_owned(),
                });
            }
        }
    }
    rows
}

#[track_caller]
pub fn row<'r>(rows: &'r [Row], name: &str) -> &'r Row {
    let found: Vec<&Row> = rows.iter().filter(|row| row.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {rows:#?}");
    found[0]
}

pub fn in_the_way(rows: &[Row]) -> Vec<&str> {
    let rows = rows.iter().filter(|row| row.in_the_way);
    rows.map(|row| row.name.as_str()).collect()
}

#[test]
fn on_this_machine_it_says_what_the_kernel_has() {
    for who in everybody() {
        let outcome = of("check", who, &[]).output().ends_with(0);
        assert_eq!(outcome.stderr, "");
        let rows = table(&outcome);
        assert_eq!(in_the_way(&rows), Vec::<&str>::new());
        for kind in ["mnt", "pid", "uts", "ipc", "net", "cgroup", "time", "user"] {
            let here = fs::exists(format!("/proc/self/ns/{kind}")).unwrap();
            let kind = kind.replace("mnt", "mount");
            let found = &row(&rows, &format!("{kind} namespaces")).found;
            assert_eq!(found == "yes", here, "{kind}: {found}");
        }
        let ids = who.subordinate_ids().is_some();
        assert_eq!(row(&rows, "subordinate ids").found == "yes", ids);
        let tun = who.is_root() && fs::File::open("/dev/net/tun").is_ok();
        assert!(!tun || row(&rows, "/dev/net/tun").found == "yes");
        of("run", who, &[]).sh("true").output().succeeds();
    }
}

#[test]
fn it_is_over_in_a_tenth_of_a_second() {
    for who in everybody() {
        let times = (0..10).map(|_| {
            let start = Instant::now();
            of("check", who, &[]).output().ends_with(0);
            start.elapsed()
        });
        let fastest = times.min().unwrap();
        skip::say(&format!("{}: husk check takes {fastest:?}", who.name));
        assert!(fastest < Duration::from_millis(100), "{fastest:?}");
    }
}

#[test]
fn it_leaves_no_process_behind() {
    or_skip!(world::tool("strace"), "no strace(1): apt install strace");
    for who in everybody() {
        let dir = who.dir("children");
        let log = dir.join("log");
        let strace = ["-qq", "-e", "trace=clone,clone3,fork,vfork,wait4"];
        of("check", who, &[])
            .traced(&log, strace)
            .output()
            .ends_with(0);
        let log = fs::read_to_string(log).unwrap();
        // Those that the kernel gave a pid, and those that were waited for.
        let came_of = |call: &str| {
            let lines = log.lines().filter(|line| line.starts_with(call));
            let number = |line: &str| line.rsplit(' ').next()?.parse::<u32>().ok();
            lines.filter_map(number).filter(|pid| *pid > 0).count()
        };
        assert!(came_of("clone(") > 20, "{log}");
        assert_eq!(came_of("clone("), came_of("wait4("), "{log}");
    }
}

#[test]
fn as_json_it_says_the_same() {
    for who in everybody() {
        for words in [&["--json"][..], &["--hostname", "box", "--json"]] {
            let rows = table(&of("check", who, &words[..words.len() - 1]).output());
            let json = of("check", who, words).output().succeeds();
            let json: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["works"], Value::Bool(true));
            let host = json["host"].as_array().unwrap();
            assert_eq!(host.len(), rows.len());
            for (row, object) in rows.iter().zip(host) {
                assert_eq!(object["name"], row.name);
                assert_eq!(object["available"], row.found.starts_with("yes"));
                if let Some(cause) = object["cause"].as_str() {
                    assert!(row.found.contains(cause), "{row:?}");
                    assert!(object["remedy"].is_string(), "{object}");
                }
            }
            let needed = |name: &str| {
                let mut objects = host.iter();
                objects.find(|object| object["name"] == name).unwrap()["needed"] == true
            };
            assert_eq!(needed("uts namespaces"), words.len() > 1);
            assert!(needed("user namespaces") && !needed("time namespaces"));
        }
    }
}

#[cfg(feature = "toml")]
#[test]
fn a_file_is_read_and_what_is_wrong_with_it_is_told_with_its_place() {
    for who in everybody() {
        let dir = who.dir("check");
        let file = dir.join("box.toml");
        let file_name = file.to_str().unwrap();
        who.write(&file, "hostname = \"box\"\nread_only = 3\n", 0o644);
        let outcome = of("check", who, &["-c", file_name]).output().ends_with(1);
        let line = outcome.says(&[&format!("{file_name}:2:13: "), "read_only"]);
        assert!(line.starts_with("husk: "), "{line}");
        who.write(
            &file,
            "command = [\"true\"]\nnamespaces = [\"user\", \"mount\", \"time\"]\n",
            0o644,
        );
        let words = ["-c", file_name, "--json"];
        let run = of("check", who, &words);
        run.clone().output().succeeds();
        let json = run.on_host(["-k", "3.10"]).output().ends_with(1);
        let json: Value = serde_json::from_str(&json.stdout).unwrap();
        let needed = |object: &&Value| object["needed"] == true && object["available"] == false;
        let host = json["host"].as_array().unwrap();
        let missing: Vec<&Value> = host
            .iter()
            .filter(needed)
            .map(|object| &object["name"])
            .collect();
        assert_eq!(missing, ["time namespaces", "clone3"], "{json}");
    }
}

#[test]
fn wrong_words_are_its_status_too() {
    for who in everybody() {
        for words in [&["--nonsense"][..], &["--root"], &["-c", "/no/such/file"]] {
            let outcome = of("check", who, words).output().ends_with(1);
            assert!(outcome.is_one_line_of_husk(), "{outcome}");
        }
        let json = of("check", who, &["--nonsense", "--json"]).output();
        let json: Value = serde_json::from_str(&json.ends_with(1).stdout).unwrap();
        assert_eq!(json["works"], false);
        of("run", who, &["--json"])
            .output()
            .refuses(&["--json", "husk check"]);
        let help = of("check", who, &["--help"]).output().succeeds();
        assert!(help.starts_with("Usage: husk check"), "{help}");
    }
}

#[test]
fn a_command_that_could_not_run_is_told() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        who.write(&root.join("bin/text"), "text", 0o644);
        who.write(&root.join("bin/badint"), "#!/nosuch -x\n", 0o755);
        who.write(
            &root.join("bin/arm"),
            "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x28\0",
            0o755,
        );
        world::copy_program(world::husk(), &root.join("bin/own"));
        for (command, errno) in [
            ("badint", "ENOENT"),
            ("arm", "ENOEXEC"),
            ("/bin", "EACCES"),
            ("/bin/nosuch", "ENOENT"),
            ("nosuch", "ENOENT"),
            ("text", "EACCES"),
        ] {
            let run = of("check", who, &["--root", root.text(), command]);
            let line = run.output().ends_with(1).says(&[command, errno]);
            assert!(line.starts_with("husk: running "), "{line}");
        }
        let noexec = format!(
            "mount --bind {0} {0}; mount -o remount,bind,noexec {0}",
            root.text()
        );
        or_skip!(world::root(), "{NOT_ROOT}");
        let run = of("check", who, &["--root", root.text(), "sh"]).with_mounts(&noexec);
        let rows = table(&run.output().ends_with(1));
        assert_eq!(in_the_way(&rows), ["programs in the root"]);
        let found = &row(&rows, "programs in the root").found;
        assert!(found.starts_with("no   it is on a noexec mount"), "{found}");
    }
}

/// All that is in a directory, with its times.
fn contents(dir: &Dir) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            format!(
                "{:?} {:?}",
                entry.path(),
                entry.metadata().unwrap().modified().unwrap()
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn it_changes_nothing() {
    for who in everybody() {
        // Without the mount points that a container needs.
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        for name in ["proc", "dev", "sys"] {
            fs::remove_dir(root.join(name)).unwrap();
        }
        let upper = who.dir("upper");
        let before = [contents(&root), contents(&upper)];
        let words = [
            "--root",
            root.text(),
            "--tmpfs",
            "/new",
            "--overlay",
            upper.text(),
            "sh",
        ];
        of("check", who, &words).output().ends_with(0);
        of("check", who, &words[..4]).output().ends_with(0);
        // Nor in what is bound.
        let bound = ["--root", root.text(), "--bind", upper.text(), "/mnt"];
        for more in [
            &["--dir", "/mnt/new"][..],
            &["--tmpfs", "/mnt/new"],
            &["--bind", "/etc/passwd", "/mnt/new"],
        ] {
            let words = [&bound[..], more, &["sh"]].concat();
            of("check", who, &words).output().ends_with(0);
        }
        let (dir, below) = (who.dir("host"), who.dir("source"));
        who.mkdir(&dir.join("c"));
        let place = dir.join("c");
        let words = [
            "--bind",
            below.text(),
            dir.text(),
            "--dir",
            place.to_str().unwrap(),
        ];
        of("check", who, &words).output().ends_with(0);
        assert_eq!(contents(&below), Vec::<String>::new());
        assert_eq!([contents(&root), contents(&upper)], before);
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(root.text()), "{mounts}");
    }
}
