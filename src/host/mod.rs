//! Read-only facts about this machine and the caller. Nothing here changes anything.

pub mod caller;
pub mod cause;
pub mod cgroup;
#[cfg(feature = "toml")]
pub mod config_file;
pub mod extents;
pub mod files;
#[cfg(test)]
mod fuzz;
pub mod getsubids;
pub mod helper;
pub mod ids;
pub mod mountinfo;
pub mod seccomp;
pub mod subid;
