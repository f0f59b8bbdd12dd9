//! The command line: help, version, and what lies over what.

use crate::husk::Run;
use crate::world::everybody;

#[test]
fn help_is_on_standard_output_and_fits_a_terminal() {
    for who in everybody() {
        for words in [&["--help"][..], &["run", "--help"], &["-h"]] {
            let out = Run::husk(who).words(words).output().succeeds();
            for line in out.lines() {
                assert!(
                    line.chars().count() <= 80,
                    "{} columns: {line}",
                    line.chars().count()
                );
            }
            assert!(out.contains("husk run"), "{out}");
        }
        let out = Run::husk(who).words(["run", "--help"]).output().succeeds();
        assert!(
            out.contains("husk run --root") || out.contains("husk run -"),
            "examples: {out}"
        );
    }
}

#[test]
fn version_is_that_of_the_package() {
    for who in everybody() {
        let out = Run::husk(who).words(["--version"]).output().succeeds();
        assert_eq!(out, format!("husk {}\n", env!("CARGO_PKG_VERSION")));
    }
}

/// Every `--flag` that `husk run --help` names at the start of a line's text.
fn flags_of_the_help() -> Vec<String> {
    let out = Run::new(&everybody()[0])
        .words(["--help"])
        .output()
        .succeeds();
    let words = out.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    let mut flags: Vec<String> = words
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(str::to_owned)
        .collect();
    flags.sort();
    flags.dedup();
    flags
}

#[test]
fn every_flag_of_the_help_is_known() {
    let flags = flags_of_the_help();
    assert!(flags.len() > 40, "{flags:?}");
    for flag in flags {
        // `--unshare-NAME` and the like are families.
        if flag.ends_with('-') || flag.contains(|letter: char| letter.is_ascii_uppercase()) {
            continue;
        }
        let outcome = Run::new(&everybody()[0])
            .words(["--dry-run", &flag])
            .output();
        let unknown = format!("there is no flag \"{flag}\"");
        assert!(!outcome.stderr.contains(&unknown), "{outcome}");
    }
}

#[test]
fn every_flag_of_the_interface_is_in_the_help() {
    let help = Run::new(&everybody()[0])
        .words(["--help"])
        .output()
        .succeeds();
    let flags = "--config --no-config --root --chroot-dir --read-only --overlay --id-map --uid-map --gid-map \
        --uid --gid --namespaces --unshare- --share- --network --bind --ro-bind --dev-bind --tmpfs --proc \
        --dev --dir --symlink --remount-ro --chdir --setenv --unsetenv --clearenv --hostname --domainname \
        --new-session --die-with-parent --as-pid-1 --cap-add --cap-drop --allow-new-privs --dry-run \
        --ulimit --landlock-ro --landlock-rw --landlock-rx --landlock-scope --landlock-required --memory \
        --memory-high --memory-swap --pids-limit --cpus --cpu-weight --io-weight --cgroup-parent \
        --mask --new-keyring --no-new-keyring --preserve-fds --disable-userns --seccomp --seccomp-allow --seccomp-deny";
    for flag in flags.split_whitespace() {
        assert!(help.contains(flag), "{flag} is not in: {help}");
    }
}

#[test]
fn options_end_at_the_first_word_that_is_none() {
    for who in everybody() {
        let run = Run::new(who).words([
            "--setenv",
            "A",
            "b",
            "/bin/echo",
            "--uid",
            "5",
            "--",
            "--help",
        ]);
        assert_eq!(run.output().succeeds(), "--uid 5 -- --help\n");
    }
}

#[test]
fn later_flags_win_over_earlier_ones() {
    for who in everybody() {
        let run = Run::new(who).words(["--hostname", "first", "--hostname", "second"]);
        let out = run.sh("cat /proc/sys/kernel/hostname").output().succeeds();
        assert_eq!(out, "second\n");
    }
}

#[test]
fn a_slip_in_the_name_of_a_namespace_finds_the_namespace() {
    let refused = |word: &str| Run::new(&everybody()[0]).words([word]).output();
    refused("--unshare-nett").refuses(&["there is no namespace \"nett\"", "\"net\""]);
    refused("--share-moun").refuses(&["there is no namespace \"moun\"", "\"mount\""]);
}
