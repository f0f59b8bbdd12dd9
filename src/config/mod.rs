//! What a person may ask for: the words, with their places, before any decision.
//!
//! The file and the command line are two spellings of one [`Config`]: the file is read into it, and
//! the flags are laid over that. Nothing here has a default and nothing does I/O.

pub mod amount;
pub mod init;
pub mod keys;
pub mod place;
pub mod slot;
#[cfg(feature = "toml")]
pub mod toml;

use crate::limits;
use crate::plan::calls::Call;
use crate::plan::capability::CapabilityChange;
use crate::plan::cgroup::{self, Setting};
use crate::plan::id::MapLine;
use crate::plan::landlock::Rule;
use crate::plan::mount::MountFlags;
use crate::plan::namespace::NamespaceSet;
use crate::plan::rlimit::{self, Limit};
use crate::plan::rules::Rules;
use core::ffi::CStr;
use heapless::Vec;
pub use place::{At, Place};

/// One layer of what was asked: a file, or the command line.
pub struct Config<'a> {
    /// Exactly these namespaces (`namespaces`, `--namespaces`).
    pub namespaces: Option<At<NamespaceSet>>,
    /// These as well (`--unshare-net`).
    pub unshare: NamespaceSet,
    /// All but these (`--share-net`).
    pub share: NamespaceSet,
    /// A new root whose mount targets are paths inside it.
    pub root: Option<At<&'a CStr>>,
    /// A new root whose mount targets are paths as seen from outside.
    pub chroot_dir: Option<At<&'a CStr>>,
    /// Where the command starts.
    pub working_dir: Option<At<&'a CStr>>,
    /// sethostname(2).
    pub hostname: Option<At<&'a CStr>>,
    /// setdomainname(2).
    pub domainname: Option<At<&'a CStr>>,
    /// The command's uid inside.
    pub uid: Option<At<u32>>,
    /// The command's gid inside.
    pub gid: Option<At<u32>>,
    /// Which ids are mapped when no map is given.
    pub id_map: Option<At<IdMap>>,
    /// `[[uid_map]]`, one entry a line.
    pub uid_map: &'a mut Vec<At<MapLine>, { limits::MAP_LINES }>,
    /// `[[gid_map]]`, one entry a line.
    pub gid_map: &'a mut Vec<At<MapLine>, { limits::MAP_LINES }>,
    /// `[[mount]]` and the mount flags, in the order in which they were written.
    pub mounts: &'a mut Vec<At<MountRequest<'a>>, { limits::MOUNTS }>,
    /// The new root is read-only.
    pub read_only: Option<At<bool>>,
    /// Where writes to the root go instead of to the root.
    pub overlay: Option<At<Overlay<'a>>>,
    /// `proc`: which one the container sees.
    pub proc: Option<At<Proc>>,
    /// `mask`: which of /proc and /sys is hidden.
    pub mask: Option<At<Mask>>,
    /// `network`: the host's or none.
    pub network: Option<At<Network>>,
    /// `command`; on the command line the words after the options.
    pub command: &'a mut Vec<&'a CStr, { limits::COMMAND_WORDS }>,
    /// Changes to the environment, in order.
    pub env: &'a mut Vec<EnvChange<'a>, { limits::ENV_CHANGES }>,
    /// Start from an empty environment.
    pub clear_env: Option<At<bool>>,
    /// setsid(2) before the command.
    pub new_session: Option<At<bool>>,
    /// husk itself dies with whoever started it.
    pub die_with_parent: Option<At<bool>>,
    /// The command is PID 1 itself: nobody reaps for it.
    pub as_pid_1: Option<At<bool>>,
    /// Changes of owner to ids that are not mapped are said to be made.
    pub fake_chown: Option<At<bool>>,
    /// Whether set-user-ID programs and file capabilities work inside (PR_SET_NO_NEW_PRIVS).
    pub no_new_privs: Option<At<bool>>,
    /// Capabilities added and dropped, in order.
    pub capabilities: &'a mut Vec<CapabilityChange, { limits::ENV_CHANGES }>,
    /// `[limits]`: setrlimit(2); of two for one resource the later one counts.
    pub limits: &'a mut Vec<Limit, { rlimit::COUNT }>,
    /// Limits of `[cgroup]`; of two of one kind the later one counts.
    pub cgroup: &'a mut Vec<At<Setting>, { cgroup::COUNT }>,
    /// Below which cgroup the container's is made.
    pub cgroup_parent: Option<At<&'a CStr>>,
    /// Paths of `[landlock]`, and what may be done below them.
    pub landlock: &'a mut Vec<At<Rule<'a>>, { limits::LANDLOCK_RULES }>,
    /// Whether the kernel must be able to hold all of it.
    pub landlock_required: Option<At<bool>>,
    /// Whether abstract sockets and signals of others are out of reach.
    pub landlock_scope: Option<At<bool>>,
    /// A session keyring of the container's own.
    pub new_keyring: Option<At<bool>>,
    /// How many descriptors from 3 on the command gets.
    pub preserve_fds: Option<At<u32>>,
    /// No user namespaces inside.
    pub disable_userns: Option<At<bool>>,
    /// `seccomp`: `default`, `off`, or the file of a program.
    pub seccomp: Option<At<&'a CStr>>,
    /// Changes to husk's own policy, in order.
    pub calls: &'a mut Vec<At<CallChange>, { limits::ENV_CHANGES }>,
    /// `[init]`: how the command is looked after.
    pub init: Rules,
}

/// The memory behind a [`Config`]'s lists. It lives in .bss, which is why it is apart: an `Option`
/// that is `None` is not always zero, and one byte that is not would put all of this into the file.
/// The shortest come first: whoever looks whether they are empty touches few pages.
#[repr(C)]
pub struct Lists<'a> {
    limits: Vec<Limit, { rlimit::COUNT }>,
    cgroup: Vec<At<Setting>, { cgroup::COUNT }>,
    command: Vec<&'a CStr, { limits::COMMAND_WORDS }>,
    capabilities: Vec<CapabilityChange, { limits::ENV_CHANGES }>,
    env: Vec<EnvChange<'a>, { limits::ENV_CHANGES }>,
    calls: Vec<At<CallChange>, { limits::ENV_CHANGES }>,
    landlock: Vec<At<Rule<'a>>, { limits::LANDLOCK_RULES }>,
    uid_map: Vec<At<MapLine>, { limits::MAP_LINES }>,
    gid_map: Vec<At<MapLine>, { limits::MAP_LINES }>,
    mounts: Vec<At<MountRequest<'a>>, { limits::MOUNTS }>,
}

impl Lists<'_> {
    /// Empty lists.
    pub const fn new() -> Self {
        Self {
            mounts: Vec::new(),
            uid_map: Vec::new(),
            gid_map: Vec::new(),
            command: Vec::new(),
            env: Vec::new(),
            capabilities: Vec::new(),
            limits: Vec::new(),
            cgroup: Vec::new(),
            landlock: Vec::new(),
            calls: Vec::new(),
        }
    }
}

impl Default for Lists<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Config<'a> {
    /// Nothing asked for yet.
    pub const fn new(lists: &'a mut Lists<'a>) -> Self {
        Self {
            namespaces: None,
            unshare: NamespaceSet::NONE,
            share: NamespaceSet::NONE,
            root: None,
            chroot_dir: None,
            working_dir: None,
            hostname: None,
            domainname: None,
            uid: None,
            gid: None,
            id_map: None,
            uid_map: &mut lists.uid_map,
            gid_map: &mut lists.gid_map,
            mounts: &mut lists.mounts,
            read_only: None,
            overlay: None,
            proc: None,
            mask: None,
            network: None,
            command: &mut lists.command,
            env: &mut lists.env,
            clear_env: None,
            new_session: None,
            die_with_parent: None,
            as_pid_1: None,
            fake_chown: None,
            no_new_privs: None,
            capabilities: &mut lists.capabilities,
            limits: &mut lists.limits,
            cgroup: &mut lists.cgroup,
            cgroup_parent: None,
            landlock: &mut lists.landlock,
            landlock_required: None,
            landlock_scope: None,
            new_keyring: None,
            preserve_fds: None,
            disable_userns: None,
            seccomp: None,
            calls: &mut lists.calls,
            init: Rules::DEFAULT,
        }
    }
}

/// `id_map`: which ids are mapped when no map is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdMap {
    /// Root is the caller; the caller's subuid(5) ranges follow where they can be had.
    Auto,
    /// Root is the caller, and nobody else exists.
    Root,
    /// The caller keeps its own ids, and nobody else exists.
    Own,
}

/// `network`: what the command sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The host's.
    Host,
    /// A new net namespace with a loopback interface that is up.
    Loopback,
}

/// `proc`: which /proc the container sees, where husk mounts one by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// Its own; where the kernel refuses that, because parts of the outer one are hidden, the outer
    /// one.
    Auto,
    /// Its own, or nothing starts.
    New,
    /// The outer one.
    Bind,
    /// None.
    None,
}

/// `mask`: whether parts of /proc and /sys are hidden or read-only, as OCI runtimes have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Where the host's root is somebody inside.
    Auto,
    /// They are.
    Oci,
    /// They are not.
    None,
}

/// `overlay`: where writes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay<'a> {
    /// Into memory; gone with the container.
    Tmpfs,
    /// Into `upper` below this local directory, and kept.
    Directory(&'a CStr),
}

/// `seccomp_allow` or `seccomp_deny`: a system call that husk's own policy says something else to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallChange {
    /// It is the kernel's to answer, whatever its arguments.
    Allow(Call),
    /// It is refused.
    Deny(Call),
}

/// One change to the command's environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvChange<'a> {
    /// The whole `NAME=value`.
    Set(&'a CStr),
    /// The name.
    Unset(&'a CStr),
}

/// `option` of a `[[mount]]`, and the operations that only flags spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountOption {
    /// A file system of `filesystem_type`.
    Mount,
    /// Other flags or data for what is mounted there.
    Remount,
    /// MS_SHARED.
    Shared,
    /// MS_PRIVATE.
    Private,
    /// MS_SLAVE.
    Slave,
    /// MS_UNBINDABLE.
    Unbindable,
    /// MS_BIND.
    Bind,
    /// MS_BIND and MS_REC.
    RecursiveBind,
    /// MS_MOVE.
    Relocate,
    /// A small /dev on a tmpfs (`--dev`).
    Dev,
    /// An empty directory (`--dir`).
    Directory,
    /// A symbolic link to `source` (`--symlink`).
    Symlink,
}

/// One `[[mount]]` or mount flag as it was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct MountRequest<'a> {
    /// What to do; the one thing that must be there, with `target`.
    pub option: Option<MountOption>,
    /// A path outside for binds and moves, a mere name for file systems.
    pub source: Option<&'a CStr>,
    /// Where: see [`Config::root`] and [`Config::chroot_dir`].
    pub target: Option<&'a CStr>,
    /// `proc`, `tmpfs`, `sysfs` …
    pub filesystem_type: Option<&'a CStr>,
    /// The file system's own options, comma-separated, as mount(2) takes them.
    pub data: Option<&'a CStr>,
    /// The flags of mount(2).
    pub flags: MountFlags,
    /// Whether a missing target is made, or laid under.
    pub make_target: MakeTarget,
    /// Whether a missing source is passed over (`--bind-try`).
    pub missing_source: MissingSource,
}

/// `make_target`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MakeTarget {
    /// A missing target is an error.
    #[default]
    No,
    /// A missing target becomes an empty mount point, or gets an underlay.
    Yes,
}

/// What happens when a bind's source is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingSource {
    /// An error.
    #[default]
    Error,
    /// The operation is left out.
    Skip,
}
