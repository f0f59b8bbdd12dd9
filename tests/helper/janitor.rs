//! Cleans up after a test run that may end in any way.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// `DIRECTORY HUSK`: waits until standard input ends, that is until the tests are over, and
/// removes the directory. husk is in it, and what belongs to subordinate ids only their root can
/// remove: so husk removes all but itself first, where there are such ids.
pub fn wait_and_clean(words: &[OsString]) -> io::Result<()> {
    let [directory, husk] = words else {
        return Err(io::Error::other("DIRECTORY HUSK"));
    };
    io::copy(&mut io::stdin(), &mut io::sink())?;
    if !rustix::process::getuid().is_root() {
        let entries = fs::read_dir(directory)?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut remove = Command::new(husk);
        remove.args([
            "run",
            "--no-config",
            "--id-map",
            "auto",
            "--",
            "/bin/rm",
            "-rf",
        ]);
        remove.args(entries.filter(|path| path != Path::new(husk)));
        remove.stdin(Stdio::null()).stderr(Stdio::null()).status()?;
    }
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
