//! A word that climbs out of a chroot, as chroot(2) says that root can.

use crate::refusal;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{chdir, chroot, fchdir};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

/// `DIRECTORY`, a path outside: changes the root to a directory below it, goes back to a descriptor of the
/// old one, and up from there as far as it goes; says whether the directory is there now.
pub fn climb(words: &[OsString]) -> io::Result<()> {
    let wanted = words.first().ok_or_else(|| io::Error::other("DIRECTORY"))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let above = open("/", flags, Mode::empty()).map_err(refusal)?;
    fs::create_dir_all("/tmp/below")?;
    chroot("/tmp/below").map_err(refusal)?;
    println!("chroot ok");
    fchdir(&above).map_err(refusal)?;
    for _ in 0..64 {
        chdir("..").map_err(refusal)?;
    }
    chroot(".").map_err(refusal)?;
    match Path::new(wanted).exists() {
        true => println!("out: {}", wanted.display()),
        false => println!("nothing"),
    }
    Ok(())
}
