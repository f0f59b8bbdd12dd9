//! Link arguments of the program, which a no_std crate has to ask for itself.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for argument in [
        // The C start-up code relocates the static-pie.
        "-lc",
        // One mapping for headers, code and constants instead of three: fewer pages, no padding between them.
        "-Wl,-z,noseparate-code",
        // A relocation takes a bit instead of 24 bytes; musl's start-up code understands it since 1.2.4.
        "-Wl,-z,pack-relative-relocs",
        "-Wl,--build-id=none",
        "-Wl,-T,.cargo/discard.ld",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
