//! What is mounted without being asked for.

use super::Root;
use super::mount::MountFlags;
use super::namespace::NamespaceSet;
use super::operation::{Action, Dev, Operation};
use super::target::Target;
use crate::config::{MakeTarget, MissingSource, Proc};
use crate::sys::mount::Reach;
use core::ffi::CStr;

/// What a new root is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// `root`: files, which husk makes a whole system of.
    New,
    /// `chroot_dir`: taken as it is.
    AsItIs,
}

/// husk's own operations: /proc, /dev, /sys and resolv.conf in a `root`; a /proc of its own PID
/// namespace over the host's where the host's tree is kept; nothing in a `chroot_dir`.
pub fn operations<'a>(
    root: Root<'a>,
    tree: Tree,
    namespaces: NamespaceSet,
    wanted: Proc,
    dev: Dev,
) -> impl Iterator<Item = Operation<'a>> {
    let own_pids = namespaces.contains(NamespaceSet::PID);
    let own_net = namespaces.contains(NamespaceSet::NET);
    let proc = Action::Mount {
        source: c"proc",
        kind: c"proc",
        data: None,
        flags: MountFlags::INERT,
    };
    let inert_read_only = MountFlags::INERT.with(MountFlags::READ_ONLY);
    let list = match root {
        Root::Pivot(_) if tree == Tree::New => [
            match wanted {
                Proc::None => None,
                Proc::Auto | Proc::New if own_pids => Some((c"/proc", proc)),
                _ => Some((c"/proc", outer(c"/proc", MountFlags::INERT))),
            },
            Some((c"/dev", Action::Dev(dev))),
            // sysfs shows the net namespace that it is mounted in, and so can be had with one's own
            // only.
            Some((
                c"/sys",
                match own_net {
                    true => Action::Mount {
                        source: c"sysfs",
                        kind: c"sysfs",
                        data: None,
                        flags: inert_read_only,
                    },
                    false => outer(c"/sys", inert_read_only),
                },
            )),
            (!own_net).then_some((c"/etc/resolv.conf", Action::ResolvConf)),
        ],
        Root::Host if own_pids && matches!(wanted, Proc::Auto | Proc::New) => {
            [Some((c"/proc", proc)), None, None, None]
        }
        _ => [None; 4],
    };
    list.into_iter()
        .flatten()
        .map(move |(path, action)| Operation {
            target: Target::Inside(path),
            make: match action {
                Action::ResolvConf => MakeTarget::No,
                _ => MakeTarget::Yes,
            },
            action,
        })
}

/// A recursive bind of the outer `path` onto itself.
const fn outer<'a>(path: &'static CStr, flags: MountFlags) -> Action<'a> {
    Action::Bind {
        source: Target::Outside(path),
        flags,
        reach: Reach::Recursive,
        missing: MissingSource::Error,
    }
}
