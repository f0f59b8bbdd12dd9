//! The command line of `husk init`: it ends where the command begins, and says what it does not
//! understand.

use crate::husk::Run;
use crate::world::{self, everybody};

fn init(words: &[&str]) -> impl Fn(&world::Identity) -> Run {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    move |who| Run::init(who).words(&words)
}

#[test]
fn the_first_word_that_is_no_option_is_the_command() {
    let cases: [(&[&str], &str); 11] = [
        (&["sh", "-c", "echo x"], "x\n"),
        (&["--", "sh", "-c", "echo x"], "x\n"),
        (&["-g", "sh", "-c", "echo x"], "x\n"),
        (
            &["--grace", "3", "echo", "-v", "--", "--grace"],
            "-v -- --grace\n",
        ),
        (&["--grace=3", "echo", "-g", "-e", "4"], "-g -e 4\n"),
        (&["-e143", "echo", "-n1"], "-n1\n"),
        (&["-e", "143", "echo", "1"], "1\n"),
        (&["-sgwe143", "echo", "1"], "1\n"),
        (&["-ge", "143", "echo", "1"], "1\n"),
        (&["-r15:3", "-r", "2:0", "echo", "1"], "1\n"),
        (&["--", "echo", "--", "--help"], "-- --help\n"),
    ];
    for who in everybody() {
        for (words, stdout) in cases {
            assert_eq!(init(words)(who).output().succeeds(), stdout, "{words:?}");
        }
    }
}

#[test]
fn a_command_may_be_named_like_an_option() {
    for who in everybody() {
        let dir = who.dir("named");
        for name in ["-v", "--help", "-", "--"] {
            who.write(&dir.join(name), "#!/bin/sh\necho mine\n", 0o755);
            let run = Run::init(who).words(["--", name]);
            let run = run.variable("PATH", format!("{}:{}", dir.text(), world::PATH));
            assert_eq!(run.output().succeeds(), "mine\n", "{name}");
        }
        // A single dash is no option.
        let run = Run::init(who).word("-");
        let run = run.variable("PATH", format!("{}:{}", dir.text(), world::PATH));
        assert_eq!(run.output().succeeds(), "mine\n");
    }
}

#[test]
fn every_option_is_taken_in_both_spellings() {
    let flags = [
        ("-s", "--subreaper"),
        ("-g", "--group"),
        ("-c", "--single-child"),
        ("-w", "--warn-reaped"),
        ("", "--session"),
        ("", "--all"),
        ("", "--no-tty"),
        ("", "--wait-all"),
    ];
    let values = [
        ("-p", "--pdeathsig", "TERM"),
        ("-p", "--pdeathsig", "SIGKILL"),
        ("-p", "--pdeathsig", "10"),
        ("-r", "--rewrite", "15:3"),
        ("-e", "--remap-exit", "3:4"),
        ("", "--grace", "3"),
        ("", "--drain", "0"),
        ("", "--stop-signal", "QUIT"),
    ];
    for who in everybody() {
        let runs = |words: &[&str]| {
            let out = init(words)(who).words(["echo", "ran"]).output();
            assert_eq!(out.succeeds(), "ran\n", "{words:?}");
        };
        for (short, long) in flags {
            runs(&[long]);
            if !short.is_empty() {
                runs(&[short]);
                runs(&[short, short]);
            }
        }
        for (short, long, value) in values {
            runs(&[long, value]);
            runs(&[&format!("{long}={value}")]);
            if !short.is_empty() {
                runs(&[short, value]);
                runs(&[&format!("{short}{value}")]);
            }
        }
        for verbose in ["-v", "-vv", "-vvv", "--verbose"] {
            let outcome = init(&[verbose, "echo", "ran"])(who).output().ends_with(0);
            assert_eq!(outcome.stdout, "ran\n");
            assert!(
                outcome
                    .stderr
                    .lines()
                    .all(|line| line.starts_with("husk: "))
            );
        }
    }
}

#[test]
fn what_cannot_be_meant_is_one_line_and_125() {
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["command"]),
        (&["--"], &["command"]),
        (&["-g"], &["command"]),
        (&["--nonsense", "true"], &["\"nonsense\""]),
        (&["--grase", "3", "true"], &["\"grase\"", "\"grace\""]),
        (&["--sesion", "true"], &["\"session\""]),
        (&["--waitall", "true"], &["\"wait-all\""]),
        (&["-z", "true"], &["\"z\""]),
        (&["-gz", "true"], &["\"z\""]),
        (&["-e"], &["-e"]),
        (&["--grace"], &["--grace"]),
        (&["-e", "", "true"], &["-e"]),
        (&["--grace", "x", "true"], &["--grace", "x"]),
        (&["--grace", "", "true"], &["--grace"]),
        (&["--grace", "-1", "true"], &["--grace", "-1"]),
        (&["--grace", "99999999999999999999", "true"], &["--grace"]),
        (&["--drain", "1s", "true"], &["--drain", "1s"]),
        (&["--group=1", "true"], &["--group"]),
        (&["--all=", "true"], &["--all"]),
        (&["-g=1", "true"], &["-g=1"]),
        (&["-p", "NO", "true"], &["-p", "NO"]),
        (&["-p", "0", "true"], &["-p", "0"]),
        (&["-p", "65", "true"], &["-p", "65"]),
        (&["--on-exit", "explode", "true"], &["--on-exit", "explode"]),
        (&["-P", "true"], &["pause"]),
        #[cfg(feature = "toml")]
        (&["--config", "/no/such/file", "true"], &["/no/such/file"]),
    ];
    for who in everybody() {
        for (words, fragments) in cases {
            init(words)(who).output().refuses(fragments);
        }
    }
}

#[test]
fn help_version_and_licence_are_on_standard_output() {
    for who in everybody() {
        for (words, fragment) in [
            (["-h"], "--wait-all"),
            (["--help"], "--wait-all"),
            (["-V"], "husk "),
            (["--version"], "husk "),
            (["-l"], "MIT"),
            (["--license"], "MIT"),
        ] {
            let outcome = init(&words)(who).output().ends_with(0);
            assert_eq!(outcome.stderr, "");
            assert!(outcome.stdout.contains(fragment), "{outcome}");
        }
        let help = init(&["--help"])(who).output().succeeds();
        assert!(help.lines().all(|line| line.len() <= 80), "{help}");
    }
}

#[test]
fn no_words_at_all_are_no_crash() {
    for who in everybody() {
        let run = Run::husk(who).through([world::helper().to_str().unwrap(), "nameless"]);
        let outcome = run.output();
        assert!(matches!(outcome.status.code(), Some(0 | 125)), "{outcome}");
    }
}

#[test]
fn the_variable_has_options_which_the_command_line_overrides() {
    for who in everybody() {
        let with = |variable: &str, words: &[&str]| {
            let run = init(words)(who).variable("HUSK_INIT_OPTIONS", variable);
            run.sh("exit 7").output()
        };
        with("-e 7", &[]).ends_with(0);
        with("  -e   7  ", &[]).ends_with(0);
        with("-e7:3", &[]).ends_with(3);
        with("--remap-exit=7:3 --group", &[]).ends_with(3);
        with("-e 7:3", &["-e", "7:4"]).ends_with(4);
        with("-e 7:3", &["-e", "8:4"]).ends_with(3);
        with("", &[]).ends_with(7);
        with("   ", &[]).ends_with(7);
        let told = with("-v", &[]).ends_with(7);
        assert!(told.stderr.contains("husk: "), "{told}");
        // It holds options and nothing else.
        with("--nonsense", &[]).refuses(&["HUSK_INIT_OPTIONS", "nonsense"]);
        with("true", &[]).refuses(&["HUSK_INIT_OPTIONS"]);
        with("-e", &[]).refuses(&["HUSK_INIT_OPTIONS", "N[:M]"]);
    }
}
