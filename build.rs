//! Link arguments of the program, which a no_std crate has to ask for itself.

use std::process::Command;

/// The compiler that is known to drop every panicking path: with another one a path that cannot be
/// taken may be left, and the proof is not asked for.
const PROVED_WITH: &str = "rustc 1.95.";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=.cargo/discard.ld");
    println!("cargo:rustc-check-cfg=cfg(husk_link_proof)");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") && is_proved() {
        println!("cargo:rustc-cfg=husk_link_proof");
    }
    for argument in [
        // memcpy and its like; the start-up code is husk's own.
        "-lc",
        "-Wl,-e,husk_start",
        // One mapping for headers, code and constants instead of three: fewer pages, no padding
        // between them.
        "-Wl,-z,noseparate-code",
        // A relocation takes a bit instead of 24 bytes.
        "-Wl,-z,pack-relative-relocs",
        // Nobody would protect it: that is for start-up code to do, and what is in it are
        // references to text.
        "-Wl,-z,norelro",
        "-Wl,--build-id=none",
        concat!("-Wl,-T,", env!("CARGO_MANIFEST_DIR"), "/.cargo/discard.ld"),
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}

fn is_proved() -> bool {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(compiler)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(PROVED_WITH.as_bytes()))
}
