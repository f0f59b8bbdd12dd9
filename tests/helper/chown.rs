//! A word that changes owners, by each call that can.

use crate::host::system;
use rustix::fs::{AtFlags, CWD, Gid, Uid, chownat};
use std::ffi::OsString;
use std::fs::{File, symlink_metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, chown as by_path, fchown, lchown};
use std::path::Path;

/// `FILE UID:GID…`: `CALL UID:GID ANSWER OWNERS` for each call and pair; -1 leaves one as it is.
pub fn chown(words: &[OsString]) -> io::Result<()> {
    let [file, pairs @ ..] = words else {
        return Err(io::Error::other("FILE UID:GID…"));
    };
    let path = Path::new(file);
    for pair in pairs.iter().filter_map(|pair| pair.to_str()) {
        let (uid, gid) = pair.split_once(':').unwrap_or((pair, "-1"));
        let (uid, gid) = (uid.parse().ok(), gid.parse().ok());
        let file = File::open(path)?;
        let at = || {
            let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
            chownat(CWD, path.as_os_str().as_bytes(), uid, gid, AtFlags::empty()).map_err(system)
        };
        report("chown", pair, path, || by_path(path, uid, gid))?;
        report("fchown", pair, path, || fchown(&file, uid, gid))?;
        report("lchown", pair, path, || lchown(path, uid, gid))?;
        report("fchownat", pair, path, at)?;
    }
    Ok(())
}

fn report(
    name: &str,
    pair: &str,
    path: &Path,
    call: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let answer = match call() {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("errno {}", error.raw_os_error().unwrap_or(0)),
    };
    let found = symlink_metadata(path)?;
    println!("{name} {pair} {answer} {}:{}", found.uid(), found.gid());
    Ok(())
}
