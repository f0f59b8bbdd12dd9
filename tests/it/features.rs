//! The build without the feature `toml`, and where the file is looked for in the build with it.

use crate::husk::Run;
use crate::world::everybody;
#[cfg(feature = "toml")]
use crate::world::tool;
#[cfg(feature = "toml")]
use std::path::Path;

#[cfg(not(feature = "toml"))]
#[test]
fn without_toml_a_file_is_refused_in_clear_words() {
    for who in everybody() {
        let dir = who.dir("config");
        let outcome = Run::config(who, &dir, "hostname = \"box\"\n")
            .sh("true")
            .output();
        outcome.refuses(&["toml", "without"]);
    }
}

#[cfg(not(feature = "toml"))]
#[test]
fn without_toml_nothing_is_looked_for() {
    for who in everybody() {
        let dir = who.dir("config");
        who.write(&dir.join("husk.toml"), "this is no TOML", 0o644);
        assert_eq!(
            Run::new(who)
                .within(dir.path())
                .sh("echo fine")
                .output()
                .succeeds(),
            "fine\n"
        );
    }
}

#[cfg(feature = "toml")]
fn hostname(run: Run) -> String {
    run.sh("cat /proc/sys/kernel/hostname")
        .output()
        .succeeds()
        .trim()
        .to_owned()
}

#[cfg(feature = "toml")]
#[test]
fn the_file_is_read_once_and_husk_executed_once() {
    or_skip!(tool("strace"), "no strace(1)");
    for who in everybody() {
        let dir = who.dir("config");
        let log = dir.join("log");
        let options = "-f -s 4096 -e trace=execve,execveat,open,openat,openat2";
        let run = Run::config(who, &dir, "hostname = \"box\"\n").sh("exit 0");
        let traced = run.traced(&log, options.split(' '));
        traced.output().succeeds();
        let log = std::fs::read_to_string(log).unwrap();
        // The path is the first string of a call.
        let calls = |name: &str, path: &str| {
            let on = |line: &&str| line.split('"').nth(1).is_some_and(|on| on.ends_with(path));
            log.lines()
                .filter(|line| line.contains(name))
                .filter(on)
                .count()
        };
        assert_eq!(calls(" open", "/box.toml"), 1, "{log}");
        assert_eq!(calls(" execve", "/husk"), 1, "{log}");
        assert_eq!(calls(" execve", "/bin/sh"), 1, "{log}");
        assert_eq!(calls(" execve", "/proc/self/exe"), 0, "{log}");
    }
}

#[cfg(feature = "toml")]
#[test]
fn the_file_is_found_where_the_manual_says() {
    for who in everybody() {
        let home = who.dir("home");
        let here = who.dir("here");
        let place = |path: &Path, name: &str| {
            who.mkdir(path.parent().unwrap());
            who.write(path, &format!("hostname = \"{name}\"\n"), 0o644);
        };
        let run = Run::new(who)
            .variable("HOME", home.path())
            .within(here.path());
        place(&home.join(".config/husk/config.toml"), "from-home");
        assert_eq!(hostname(run.clone()), "from-home");
        place(&home.join("xdg/husk/config.toml"), "from-xdg");
        let run = run.variable("XDG_CONFIG_HOME", home.join("xdg"));
        assert_eq!(hostname(run.clone()), "from-xdg");
        place(&here.join(".husk.toml"), "from-hidden");
        assert_eq!(hostname(run.clone()), "from-hidden");
        place(&here.join("husk.toml"), "from-here");
        assert_eq!(hostname(run.clone()), "from-here");
        place(&home.join("xdg/husk/named.toml"), "from-name");
        assert_eq!(hostname(run.clone().words(["-c", "named"])), "from-name");
        place(&home.join("any.toml"), "from-file");
        assert_eq!(
            hostname(run.clone().words(["--config"]).word(home.join("any.toml"))),
            "from-file"
        );
        let none = hostname(run.clone().word("--no-config"));
        assert!(!none.starts_with("from-"), "{none}");
        // Flags lie over the file.
        assert_eq!(
            hostname(run.clone().words(["--hostname", "from-flag"])),
            "from-flag"
        );
        run.words(["-c", "no-such-name"])
            .sh("true")
            .output()
            .refuses(&["no-such-name"]);
    }
}

#[cfg(feature = "toml")]
#[test]
fn everything_of_the_file_arrives() {
    for who in everybody() {
        let dir = who.dir("config");
        let text = "namespaces = [\"user\", \"mount\", \"pid\", \"uts\"]\nhostname = \"box\"\n\
                    domainname = \"example.org\"\nid_map = \"root\"\nworking_dir = \"/etc\"\n\
                    clear_env = true\nenv = { PATH = \"/usr/bin:/bin\", \"GIVEN\" = \"ü x\" }\n\
                    cap_drop = [\"ALL\"]\nno_new_privs = true\n\
                    command = [\"sh\", \"-c\", '''\nid -u; pwd; echo $GIVEN; echo ${HOME-none}\n\
                    cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname\n\
                    grep CapBnd /proc/self/status | tr -d '\\t '\n''']\n";
        let out = Run::config(who, &dir, text).output().succeeds();
        assert_eq!(
            out,
            "0\n/etc\nü x\nnone\nbox\nexample.org\nCapBnd:0000000000000000\n"
        );
        // A command of the command line replaces that of the file.
        let other = Run::config(who, &dir, text).words(["--", "echo", "other"]);
        assert_eq!(other.output().succeeds(), "other\n");
    }
}

#[cfg(feature = "toml")]
#[test]
fn toml_is_read_in_every_spelling() {
    for who in everybody() {
        let dir = who.dir("config");
        let text = "\u{feff}# comment\r\n\"hostname\" = 'a-b' # more\r\nuid = 0x0\r\ngid = 0b0\r\n\
                    env.A = \"\"\"\\\r\n   \\u0041\\t\\\"\"\"\"\r\nenv.'B' = '''\r\nb'''\r\n\
                    command = [\r\n  'sh', # one\r\n  \"-c\",\r\n  'echo \"$A$B\"; cat /proc/sys/kernel/hostname',\r\n]\r\n";
        let text = text.strip_prefix('\u{feff}').unwrap();
        let out = Run::config(who, &dir, text).output().succeeds();
        assert_eq!(out, "A\t\"b\na-b\n");
    }
}
