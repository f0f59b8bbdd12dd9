//! The floors: programs of this directory that rustc builds without a C library, for x86_64 alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

/// The one of `husk init`, which is a static true as well.
pub fn floor() -> &'static Path {
    static FLOOR: OnceLock<PathBuf> = OnceLock::new();
    FLOOR.get_or_init(|| built("floor.rs", "floor"))
}

/// Has rustc build a program of this directory that needs nothing, not even a C library.
pub fn built(source: &str, name: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let new = built.with_extension(process::id().to_string());
    let status = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition=2024", "--target=x86_64-unknown-linux-musl"])
        .args([
            "-Cpanic=abort",
            "-Copt-level=s",
            "-Crelocation-model=static",
            "-Cstrip=symbols",
        ])
        .args([
            "-Clink-self-contained=no",
            "-Clink-args=-nostartfiles -nostdlib -static",
        ])
        .arg("-Clink-args=-Wl,-z,noseparate-code,-z,norelro,--build-id=none")
        .arg(project.join("tests/bench").join(source))
        .arg("-o")
        .arg(&new)
        .current_dir(project)
        .status()
        .unwrap();
    assert!(status.success(), "rustc does not build {source}");
    // The old one may be running.
    fs::rename(&new, &built).unwrap();
    built
}
