//! Read-only facts about this machine and the caller. Nothing here changes anything.

pub mod caller;
pub mod cause;
#[cfg(feature = "toml")]
pub mod config_file;
pub mod extents;
pub mod files;
pub mod getsubids;
pub mod helper;
pub mod seccomp;
pub mod subid;
