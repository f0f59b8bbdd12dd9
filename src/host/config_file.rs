//! The configuration file: which one, and its text.

use super::files::read_whole;
use crate::arena::Arena;
use crate::cli::ConfigFile;
use crate::fail::{Doing, Failed, Failure};
use crate::limits::CONFIG_BYTES;
use crate::plan::environment::get;
use crate::sys::exec::Words;
use core::ffi::CStr;
use rustix::io::Errno;

/// A file that was read.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// Its path, as it is printed.
    pub path: &'a CStr,
    /// Its bytes.
    pub text: &'a [u8],
}

/// Reads the file that is meant; `None` when none is, or none of those that husk looks for exists.
pub fn read<'a>(
    file: ConfigFile<'a>,
    envp: Words<'a>,
    arena: &mut Arena<'a>,
) -> Result<Option<Found<'a>>, Failed> {
    match file {
        ConfigFile::None => Ok(None),
        ConfigFile::Named(name) => named(name, envp, arena).map(Some),
        ConfigFile::Search => {
            let own = in_directory(envp, b"config", arena);
            let candidates = [
                Some(c"husk.toml"),
                Some(c".husk.toml"),
                own,
                Some(c"/etc/husk/config.toml"),
            ];
            first(candidates.into_iter().flatten(), arena)
        }
    }
}

/// A path, or else the name of a file in a configuration directory.
fn named<'a>(name: &'a CStr, envp: Words<'a>, arena: &mut Arena<'a>) -> Result<Found<'a>, Failed> {
    let bytes = name.to_bytes();
    let mut candidates = [Some(name), None, None];
    if !bytes.is_empty() && !bytes.contains(&b'/') {
        let system = arena
            .c_string(&[b"/etc/husk/", bytes, b".toml"])
            .ok()
            .flatten();
        candidates = [Some(name), in_directory(envp, bytes, arena), system];
    }
    first(candidates.into_iter().flatten(), arena)?
        .ok_or_else(|| Failure::new(Doing::ReadConfig, bytes, Errno::NOENT))
}

/// NAME.toml of the user's configuration directory (XDG Base Directory Specification).
fn in_directory<'a>(envp: Words<'a>, name: &[u8], arena: &mut Arena<'a>) -> Option<&'a CStr> {
    let absolute = |path: &&CStr| path.to_bytes().first() == Some(&b'/');
    let (directory, below) = match get(envp, b"XDG_CONFIG_HOME").filter(absolute) {
        Some(directory) => (directory, &b"/husk/"[..]),
        None => (get(envp, b"HOME").filter(absolute)?, &b"/.config/husk/"[..]),
    };
    arena
        .c_string(&[directory.to_bytes(), below, name, b".toml"])
        .ok()
        .flatten()
}

fn first<'a>(
    candidates: impl Iterator<Item = &'a CStr>,
    arena: &mut Arena<'a>,
) -> Result<Option<Found<'a>>, Failed> {
    for path in candidates {
        match read_whole(path, CONFIG_BYTES, arena) {
            Ok(text) => return Ok(Some(Found { path, text })),
            Err(Errno::NOENT | Errno::NOTDIR) => (),
            Err(errno) => {
                return Err(Failure::new(Doing::ReadConfig, path.to_bytes(), errno));
            }
        }
    }
    Ok(None)
}
