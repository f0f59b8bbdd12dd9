//! What will be done: the flags laid over the file, checked against the facts, and nothing left
//! open.
//!
//! Nothing here changes the system, and nothing after it reads a configuration. The plan is made
//! once, by the supervisor; PID 1 finds it in its own copy of the memory.

mod bounds;
pub mod calls;
pub mod capability;
pub mod cgroup;
pub mod defaults;
pub mod describe;
pub mod environment;
mod excluded;
pub mod fake_chown;
#[cfg(test)]
mod fuzz;
pub mod id;
pub mod id_map;
mod identity;
pub mod landlock;
mod memory;
pub mod mount;
pub mod namespace;
pub mod operation;
mod posture;
mod request;
pub mod rlimit;
pub mod rules;
pub mod seccomp;
pub mod signal;
pub mod target;

use crate::config::{Mask, Proc};
use crate::sys::exec::Words;
use capability::CapabilitySet;
use cgroup::Cgroup;
use core::ffi::CStr;
use id::Inside;
use id_map::Maps;
use landlock::Landlock;
pub use memory::Memory;
use namespace::NamespaceSet;
use operation::Operation;
pub use request::{Inputs, id_map_kind, namespaces, new};
use rlimit::Limit;
use rules::Rules;
use seccomp::Seccomp;

/// Everything that a container is made from.
pub struct Plan<'a> {
    /// The namespaces, all made by one clone.
    pub namespaces: NamespaceSet,
    /// Those of them that nobody asked for by name, and that nothing in the plan needs.
    pub dispensable: NamespaceSet,
    /// Its uid_map, gid_map and setgroups; `None` without a user namespace.
    pub maps: Option<Maps<'a>>,
    /// Where `/` is.
    pub root: Root<'a>,
    /// Whether the new root can be written.
    pub access: Access,
    /// Where writes to the new root go.
    pub writes: Writes<'a>,
    /// What a /proc of the container's own may be replaced by.
    pub proc: Proc,
    /// The mounts, in order.
    pub operations: &'a [Operation<'a>],
    /// sethostname(2).
    pub hostname: Option<&'a CStr>,
    /// setdomainname(2).
    pub domainname: Option<&'a CStr>,
    /// The ids while the file system is made: root's, where there is one inside.
    pub setup: Identity,
    /// The ids of the command.
    pub identity: Identity,
    /// Capabilities that are taken from the command and all that it starts.
    pub dropped: CapabilitySet,
    /// Which parts of /proc and /sys are hidden or read-only.
    pub mask: Mask,
    /// Which session keyring the command has.
    pub keyring: Keyring,
    /// How many descriptors from 3 on stay open for the command.
    pub preserved: u32,
    /// Whether there may be user namespaces inside.
    pub nesting: Nesting,
    /// PR_SET_NO_NEW_PRIVS.
    pub new_privileges: NewPrivileges,
    /// What Landlock leaves of the files; `None` leaves them alone.
    pub landlock: Option<Landlock<'a>>,
    /// The container's own cgroup; `None` stays in the caller's.
    pub cgroup: Option<Cgroup<'a>>,
    /// setrlimit(2), for the command.
    pub limits: &'a [Limit],
    /// Which system calls a filter answers.
    pub seccomp: Seccomp<'a>,
    /// Whether a change of owner to an id that is not mapped is only said to be made.
    pub chown: Chown,
    /// Where the command starts; `None` is the caller's directory, or `/` of a new root.
    pub working_dir: Option<&'a CStr>,
    /// Whether the command gets a session of its own.
    pub session: Session,
    /// Whether husk dies with its parent.
    pub supervisor: Supervisor,
    /// Who is PID 1.
    pub init: Init,
    /// What PID 1 does with signals, orphans and the end.
    pub rules: Rules,
    /// The command and its arguments; at least one word.
    pub argv: Words<'a>,
    /// Its environment.
    pub envp: Words<'a>,
    /// The directories in which it is looked for.
    pub path: &'a [u8],
}

impl Plan<'_> {
    /// Whether PID 1 waits for something that the supervisor does: ids are mapped from outside, or
    /// limits are set.
    pub fn waits(&self) -> bool {
        let from_outside = |maps: &Maps<'_>| maps.from == id_map::Side::Outside;
        self.cgroup.is_some() || self.maps.as_ref().is_some_and(from_outside)
    }
}

/// Where `/` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root<'a> {
    /// Where it was.
    Host,
    /// In this directory, entered with pivot_root(2).
    Pivot(&'a CStr),
    /// In this directory, entered with chroot(2): there is no mount namespace.
    Chroot(&'a CStr),
}

/// Whether something can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It can.
    ReadWrite,
    /// It cannot.
    ReadOnly,
}

/// Where writes to the new root go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes<'a> {
    /// Into it.
    Root,
    /// Into a tmpfs over it.
    Tmpfs,
    /// Into `upper` of this directory, over it.
    Directory(&'a CStr),
}

/// Ids to become; `None` keeps what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Real, effective and saved uid.
    pub uid: Option<Inside>,
    /// Real, effective and saved gid.
    pub gid: Option<Inside>,
}

impl Identity {
    /// Nothing to become.
    pub const UNCHANGED: Self = Self {
        uid: None,
        gid: None,
    };
}

/// Whether programs may gain privileges (PR_SET_NO_NEW_PRIVS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPrivileges {
    /// They may not.
    Forbidden,
    /// They may.
    Allowed,
}

/// Which session keyring a command has (session-keyring(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// The caller's.
    Callers,
    /// A new one; where the caller may have no more keys, the caller's.
    Preferred,
    /// A new one.
    Required,
}

/// Whether there may be user namespaces inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// There may.
    Allowed,
    /// There may not.
    Forbidden,
}

/// What becomes of a change of owner (chown(2)) to an id that is not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chown {
    /// The kernel refuses it.
    Refused,
    /// It is said to be made.
    Faked,
}

/// Whose session the command is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// The caller's, with its terminal, in a process group of its own.
    Callers,
    /// Its own, without one.
    New,
    /// Its own, with the terminal that husk had.
    Taking,
    /// husk's own, and its process group as well.
    Husks,
}

/// What ends the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervisor {
    /// The command's end.
    LivesOn,
    /// The end of its parent as well.
    DiesWithParent,
}

/// Who is PID 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// husk, which reaps and passes signals on.
    Husk,
    /// The command.
    Command,
    /// Nobody: everything is made, and nothing is run (`husk check`).
    Nobody,
}
