//! As whom husk speaks: itself, or one of the programs that it stands in for when it is called by
//! their names. Their exit statuses, and the look of their messages.

use super::status::Status;
use crate::text::Text;
use rustix::process::getpid;

/// As whom husk speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// Itself.
    Husk,
    /// tini(1), which Docker calls docker-init.
    Tini,
    /// dumb-init(1).
    DumbInit,
    /// catatonit(1), which podman calls podman-init.
    Catatonit,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The end.
    Fatal,
    /// Something is not as it should be.
    Warning,
    /// What was asked to be told.
    Told,
}

impl Persona {
    /// Whose options follow the program's name at once: those of the program of that name, or of a
    /// machine's `init`.
    pub fn named(path: &[u8]) -> Option<Self> {
        match path.rsplit(|byte| *byte == b'/').next()? {
            b"tini" | b"tini-static" | b"docker-init" => Some(Self::Tini),
            b"dumb-init" => Some(Self::DumbInit),
            b"catatonit" | b"podman-init" => Some(Self::Catatonit),
            b"init" => Some(Self::Husk),
            _ => None,
        }
    }

    /// Its name in usage and version.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Husk => "husk init",
            Self::Tini => "tini",
            Self::DumbInit => "dumb-init",
            Self::Catatonit => "catatonit",
        }
    }

    /// What it prints for `--version`, before husk's own version. Docker and podman read tini's.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Husk => "husk ",
            Self::DumbInit => "dumb-init v",
            Self::Tini | Self::Catatonit => "tini version ",
        }
    }

    /// The exit status that it has for what is `status` for husk.
    pub fn status(self, status: Status) -> Status {
        match (self, status) {
            (Self::Husk, status)
            | (Self::Tini, status @ (Status::NOT_FOUND | Status::NOT_EXECUTABLE)) => status,
            (Self::DumbInit, Status::NOT_FOUND | Status::NOT_EXECUTABLE) => Status(2),
            _ => Status(1),
        }
    }

    /// The beginning of a line.
    pub fn begin(self, line: &mut Text, level: Level) {
        let number = u64::from(getpid().as_raw_nonzero().get().unsigned_abs());
        match self {
            Self::Husk => line.put("husk: "),
            Self::DumbInit => line.put("[dumb-init] "),
            Self::Tini => {
                line.put(match level {
                    Level::Fatal => "[FATAL tini (",
                    Level::Warning => "[WARN  tini (",
                    Level::Told => "[INFO  tini (",
                });
                line.number(number);
                line.put(")] ");
            }
            Self::Catatonit => {
                line.put(match level {
                    Level::Fatal => "ERROR (catatonit:",
                    Level::Warning => "WARN (catatonit:",
                    Level::Told => "DEBUG (catatonit:",
                });
                line.number(number);
                line.put("): ");
            }
        }
    }
}
