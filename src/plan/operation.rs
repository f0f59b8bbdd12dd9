//! The mounts as one ordered list of operations, whatever spelled them.

use super::mount::MountFlags;
use super::target::Target;
use crate::config::{MakeTarget, MissingSource, MountOption, MountRequest, Place};
use crate::fail::refusal::{Refusal, Refused};
use crate::sys::mount::Reach;
use core::ffi::CStr;

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Where.
    pub target: Target<'a>,
    /// Whether a missing target is made.
    pub make: MakeTarget,
    /// What.
    pub action: Action<'a>,
}

/// What is done at a target.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Mounts a file system.
    Mount {
        /// Its name in mountinfo.
        source: &'a CStr,
        /// Its type.
        kind: &'a CStr,
        /// Its options.
        data: Option<&'a CStr>,
        /// Its flags.
        flags: MountFlags,
    },
    /// Remounts what is there.
    Remount {
        /// Its options.
        data: Option<&'a CStr>,
        /// Its flags.
        flags: MountFlags,
    },
    /// Changes the propagation of what is there.
    Propagation(Propagation),
    /// Binds a path.
    Bind {
        /// The path.
        source: Target<'a>,
        /// Its flags, which really take effect.
        flags: MountFlags,
        /// With what is mounted below it, or without.
        reach: Reach,
        /// What if it is not there.
        missing: MissingSource,
    },
    /// Moves a mount.
    Move(Target<'a>),
    /// Makes a small /dev.
    Dev(Dev),
    /// Makes sure that there is a directory.
    Directory,
    /// Makes a symbolic link with this text.
    Symlink(&'a CStr),
    /// Binds the host's resolv.conf, read-only, over an existing file; else does nothing.
    ResolvConf,
}

/// The kinds of propagation (mount_namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// MS_SHARED.
    Shared,
    /// MS_PRIVATE.
    Private,
    /// MS_SLAVE.
    Slave,
    /// MS_UNBINDABLE.
    Unbindable,
}

/// Options of a pts whose terminals belong to the group tty, 5 everywhere.
pub const PTS: &CStr = c"newinstance,ptmxmode=0666,mode=0620,gid=5";

/// The same where there is no such group.
pub const PTS_OF_NO_GROUP: &CStr = c"newinstance,ptmxmode=0666,mode=0620";

/// What a small /dev needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dev {
    /// The options of its pts: gid 5 (tty) where that is mapped.
    pub pts: &'static CStr,
}

impl<'a> Operation<'a> {
    /// What `request` asks for at `target`. `source` is the place of its source.
    pub fn new(
        request: &MountRequest<'a>,
        target: Target<'a>,
        source: Option<Target<'a>>,
        dev: Dev,
        place: Place,
    ) -> Result<Self, Refused> {
        let source = || {
            let text = "is missing: a path to bind or move";
            source.ok_or_else(|| Refusal::text(place, "mount.source", text))
        };
        let flags = request.flags;
        let bind = |reach| -> Result<Action<'a>, Refused> {
            Ok(Action::Bind {
                source: source()?,
                flags,
                reach,
                missing: request.missing_source,
            })
        };
        let action = match request.option {
            None => return Err(Refusal::text(place, "mount.option", "is missing")),
            // As mount(2) understands MS_BIND.
            Some(MountOption::Mount) if flags.contains(MountFlags::BIND) => bind(Reach::One)?,
            Some(MountOption::Mount) => Action::Mount {
                source: request
                    .source
                    .or(request.filesystem_type)
                    .unwrap_or(c"none"),
                kind: match request.filesystem_type {
                    Some(kind) => kind,
                    None => {
                        let text = "is missing: \"proc\", \"tmpfs\", \"sysfs\" …";
                        return Err(Refusal::text(place, "mount.filesystem_type", text));
                    }
                },
                data: request.data,
                flags,
            },
            Some(MountOption::Remount) => Action::Remount {
                data: request.data,
                flags,
            },
            Some(MountOption::Shared) => Action::Propagation(Propagation::Shared),
            Some(MountOption::Private) => Action::Propagation(Propagation::Private),
            Some(MountOption::Slave) => Action::Propagation(Propagation::Slave),
            Some(MountOption::Unbindable) => Action::Propagation(Propagation::Unbindable),
            Some(MountOption::Bind) => bind(Reach::One)?,
            Some(MountOption::RecursiveBind) => bind(Reach::Recursive)?,
            Some(MountOption::Relocate) => Action::Move(source()?),
            Some(MountOption::Dev) => Action::Dev(dev),
            Some(MountOption::Directory) => Action::Directory,
            Some(MountOption::Symlink) => Action::Symlink(request.source.unwrap_or_default()),
        };
        Ok(Self {
            target,
            make: request.make_target,
            action,
        })
    }

    /// The path that must be opened before it, with what to do when there is none.
    pub const fn source(&self) -> Option<(Target<'a>, MissingSource)> {
        match self.action {
            Action::Bind {
                source, missing, ..
            } => Some((source, missing)),
            Action::Move(source) => Some((source, MissingSource::Error)),
            Action::ResolvConf => Some((Target::Outside(c"/etc/resolv.conf"), MissingSource::Skip)),
            _ => None,
        }
    }
}
