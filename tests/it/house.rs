//! The house rules that no compiler checks, and what the README promises.

use crate::husk::Run;
use crate::world::everybody;
use std::fs;
use std::path::{Path, PathBuf};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below these directories of the project, with its text.
fn rust_files(directories: &[&str]) -> Vec<(PathBuf, String)> {
    let mut waiting: Vec<PathBuf> = directories
        .iter()
        .map(|name| project().join(name))
        .collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(project()).unwrap().to_owned(), text));
        }
    }
    found
}

/// The line without what a comment or a lint's name may say.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[test]
fn unsafe_code_is_in_one_place() {
    let files = rust_files(&["src", "tests"]);
    assert!(files.len() > 40, "{}", files.len());
    for (path, text) in files {
        // The floor has no more to it than system calls.
        let is_below = path.starts_with("src/sys") || path.starts_with("tests/bench/container");
        if is_below || path.ends_with("house.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let word =
                code(line).split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            let found = word.into_iter().any(|word| word == "unsafe");
            assert!(!found, "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

#[test]
fn a_file_can_be_read_at_one_sitting() {
    for (path, text) in rust_files(&["src", "tests", "fuzz"]) {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
        let documented = text.starts_with("//!") || text.starts_with("#!");
        assert!(documented, "{} does not say what it is", path.display());
    }
}

#[test]
fn nothing_is_allowed_without_a_reason_and_nothing_is_left_to_do() {
    let marks = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "XX".to_owned() + "X",
    ];
    for (path, text) in rust_files(&["src", "tests"]) {
        assert!(
            !text.contains(&format!("#[{}(", "allow")),
            "{}",
            path.display()
        );
        assert!(
            !text.contains(&format!("#[{}", "ignore")),
            "{}",
            path.display()
        );
        for mark in &marks {
            assert!(
                !text.contains(mark.as_str()),
                "{mark} in {}",
                path.display()
            );
        }
    }
}

fn readme() -> String {
    fs::read_to_string(project().join("README.md")).unwrap()
}

#[test]
fn the_readme_says_how_to_build_and_test() {
    let readme = readme();
    for command in ["cargo build --release", "cargo test --release"] {
        assert!(readme.contains(command), "{command}");
    }
}

#[test]
fn every_flag_and_path_of_the_readme_exists() {
    let help = Run::new(&everybody()[0])
        .words(["--help"])
        .output()
        .succeeds();
    for line in readme()
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("husk run"))
    {
        let Some((_, words)) = line.split_once("husk run") else {
            continue;
        };
        let own = words.split(" -- ").next().unwrap_or_default();
        for word in own
            .split_whitespace()
            .filter(|word| word.starts_with("--") && word.len() > 2)
        {
            let word = word.trim_end_matches([',', '.', '`', ')', ':', ';']);
            let family = word.starts_with("--unshare-") || word.starts_with("--share-");
            assert!(family || help.contains(word), "{word} in: {line}");
        }
    }
}

#[test]
fn the_licence_is_both() {
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(project().join(name).exists(), "{name}");
    }
}
