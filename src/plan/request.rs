//! What was asked for, over defaults: how a [`Plan`] is decided.

use super::bounds;
use super::environment::{self, DEFAULT_PATH, Environment, Inherit};
use super::excluded::{names_need_uts, only_for_init};
use super::id::Inside;
use super::id_map::Maps;
use super::identity;
use super::memory::Memory;
use super::namespace::NamespaceSet;
use super::operation::{Dev, Operation, PTS, PTS_OF_NO_GROUP};
use super::rlimit::{self, Limit};
use super::seccomp;
use super::target::{Target, components};
use super::{Access, Init, Plan, Root, Session, Supervisor, Writes, defaults, posture};
use crate::config::{At, Config, IdMap, MountOption, Network, Overlay, Place, Proc};
use crate::fail::refusal::{Refusal, Refused, What};
use crate::host::caller::Caller;
use crate::host::subid::Range;
use crate::limits::{COMMAND_WORDS, ENVIRONMENT, OPERATIONS};
use crate::sys::exec::{WordList, Words};
use core::ffi::CStr;
use heapless::Vec;

/// What a plan is decided from.
pub struct Inputs<'a, 'i> {
    /// What was asked for.
    pub config: &'i Config<'a>,
    /// The command line's command; may be empty.
    pub command: Words<'a>,
    /// The caller's environment.
    pub envp: Words<'a>,
    /// The caller.
    pub caller: Caller,
    /// The caller's subuid(5) ranges, where they were asked for.
    pub subuid: &'i [Range],
    /// The caller's subgid(5) ranges, where they were asked for.
    pub subgid: &'i [Range],
    /// The extents of the caller's own uid_map.
    pub uid_extents: &'i [Range],
    /// Those of its gid_map.
    pub gid_extents: &'i [Range],
    /// newuidmap(1), where it was found.
    pub newuidmap: Option<&'a CStr>,
    /// newgidmap(1), where it was found.
    pub newgidmap: Option<&'a CStr>,
    /// What is in the file that `seccomp` names; else empty.
    pub program: &'a [u8],
}

/// The namespaces that are asked for.
pub fn namespaces(config: &Config<'_>) -> Result<NamespaceSet, Refused> {
    let set = config
        .namespaces
        .map_or(NamespaceSet::DEFAULT, |at| at.value);
    let set = set.with(config.unshare).without(config.share);
    match config.network {
        Some(At {
            value: Network::Loopback,
            ..
        }) => Ok(set.with(NamespaceSet::NET)),
        Some(At { place, .. })
            if config.namespaces.is_some() && set.contains(NamespaceSet::NET) =>
        {
            Err(Refusal::new(
                place,
                "network",
                What::Excludes("the net namespace"),
            ))
        }
        Some(_) => Ok(set.without(NamespaceSet::NET)),
        None => Ok(set),
    }
}

/// Which of the caller's ids are to be mapped, as far as no map says so.
pub fn id_map_kind(config: &Config<'_>) -> IdMap {
    config.id_map.map_or(IdMap::Auto, |at| at.value)
}

/// Decides.
pub fn new<'a>(inputs: &Inputs<'a, '_>, memory: &'a mut Memory<'a>) -> Result<Plan<'a>, Refused> {
    let config = inputs.config;
    let namespaces = namespaces(config)?;
    let root = root(config, namespaces)?;
    let [own_uid, own_gid] = &mut memory.own;
    let lines = [(own_uid, &mut memory.uid), (own_gid, &mut memory.gid)];
    let maps = identity::maps(inputs, namespaces, lines)?;
    operations(
        config,
        root,
        namespaces,
        maps.as_ref(),
        &mut memory.operations,
    )?;
    names_need_uts(config, namespaces)?;
    only_for_init(&config.init)?;
    copy(config.limits, &mut memory.limits);
    let setup = identity::setup(inputs.caller, maps.as_ref());
    let identity = identity::of_command(config, maps.as_ref(), setup)?;
    let envp = envp(inputs, &mut memory.environment)?;
    let dropped = posture::dropped(config);
    let is_set = |key: Option<At<bool>>| key.is_some_and(|at| at.value);
    let value = |key: Option<At<&'a CStr>>| key.map(|at| at.value);
    Ok(Plan {
        namespaces,
        dispensable: dispensable(config),
        maps,
        root,
        access: if is_set(config.read_only) {
            Access::ReadOnly
        } else {
            Access::ReadWrite
        },
        writes: writes(config, root)?,
        proc: proc(config),
        operations: &memory.operations,
        hostname: value(config.hostname),
        domainname: value(config.domainname),
        setup,
        identity,
        dropped,
        mask: posture::mask(config, namespaces, maps.as_ref())?,
        keyring: posture::keyring(config),
        preserved: config.preserve_fds.map_or(0, |at| at.value),
        nesting: posture::nesting(config, namespaces, dropped)?,
        new_privileges: posture::new_privileges(config),
        cgroup: bounds::cgroup(config, &mut memory.cgroup)?,
        landlock: bounds::landlock(config, &mut memory.landlock)?,
        limits: &memory.limits,
        chown: posture::chown(config, namespaces)?,
        seccomp: seccomp::new(config, inputs.program, namespaces, &mut memory.seccomp)?,
        working_dir: working_dir(config, root)?,
        session: if is_set(config.new_session) {
            Session::New
        } else {
            Session::Callers
        },
        supervisor: match is_set(config.die_with_parent) {
            true => Supervisor::DiesWithParent,
            false => Supervisor::LivesOn,
        },
        init: if is_set(config.as_pid_1) {
            Init::Command
        } else {
            Init::Husk
        },
        rules: config.init,
        argv: argv(inputs, &mut memory.command),
        envp,
        path: environment::get(envp, b"PATH").map_or(DEFAULT_PATH, CStr::to_bytes),
    })
}

fn copy(limits: &[Limit], memory: &mut Vec<Limit, { rlimit::COUNT }>) {
    if !limits.is_empty() {
        let _ = memory.extend_from_slice(limits);
    }
}

/// What old kernels lack, and what is not missed much: not the user, mount and PID namespaces.
fn dispensable(config: &Config<'_>) -> NamespaceSet {
    if config.namespaces.is_some() {
        return NamespaceSet::NONE;
    }
    let set = NamespaceSet::CGROUP.with(NamespaceSet::IPC);
    let set = match (config.hostname, config.domainname) {
        (None, None) => set.with(NamespaceSet::UTS),
        _ => set,
    };
    set.without(config.unshare)
}

fn proc(config: &Config<'_>) -> Proc {
    config.proc.map_or(Proc::Auto, |at| at.value)
}

fn root<'a>(config: &Config<'a>, namespaces: NamespaceSet) -> Result<Root<'a>, Refused> {
    let mount = namespaces.contains(NamespaceSet::MOUNT);
    match (config.root, config.chroot_dir) {
        (Some(_), Some(at)) => Err(Refusal::new(at.place, "chroot_dir", What::Excludes("root"))),
        (Some(At { place, .. }), None) if !mount => {
            Err(Refusal::text(place, "root", "needs the mount namespace"))
        }
        (Some(at), None) => Ok(Root::Pivot(at.value)),
        (None, Some(at)) if mount => Ok(Root::Pivot(at.value)),
        (None, Some(at)) => Ok(Root::Chroot(at.value)),
        (None, None) => Ok(Root::Host),
    }
}

/// Where writes to the root go, and whether there are any: both are about a new root's mount.
fn writes<'a>(config: &Config<'a>, root: Root<'a>) -> Result<Writes<'a>, Refused> {
    if !matches!(root, Root::Pivot(_)) {
        let text = "needs a new root and the mount namespace";
        match (config.overlay, config.read_only) {
            (Some(at), _) => return Err(Refusal::text(at.place, "overlay", text)),
            (_, Some(At { value: true, place })) => {
                return Err(Refusal::text(place, "read_only", text));
            }
            _ => (),
        }
    }
    Ok(match config.overlay.map(|at| at.value) {
        None => Writes::Root,
        Some(Overlay::Tmpfs) => Writes::Tmpfs,
        Some(Overlay::Directory(path)) => Writes::Directory(path),
    })
}

fn working_dir<'a>(config: &Config<'a>, root: Root<'a>) -> Result<Option<&'a CStr>, Refused> {
    match config.working_dir {
        Some(At { value, place })
            if root != Root::Host && value.to_bytes().first() != Some(&b'/') =>
        {
            let text = "must be absolute where there is a new root";
            Err(Refusal::text(place, "working_dir", text))
        }
        key => Ok(key.map(|at| at.value)),
    }
}

fn operations<'a>(
    config: &Config<'a>,
    root: Root<'a>,
    namespaces: NamespaceSet,
    maps: Option<&Maps<'a>>,
    operations: &mut Vec<Operation<'a>, OPERATIONS>,
) -> Result<(), Refused> {
    if !namespaces.contains(NamespaceSet::MOUNT) {
        let text = "needs the mount namespace: it would change the host";
        return match config.mounts.first() {
            None => Ok(()),
            Some(at) => Err(Refusal::text(at.place, "mount", text)),
        };
    }
    let dev = Dev {
        pts: match maps.is_none_or(|maps| maps.gid.covers(Inside(5))) {
            true => PTS,
            false => PTS_OF_NO_GROUP,
        },
    };
    let whole = if config.root.is_some() {
        defaults::Tree::New
    } else {
        defaults::Tree::AsItIs
    };
    for operation in defaults::operations(root, whole, namespaces, proc(config), dev) {
        if !is_covered(config, operation.target.path()) {
            let _ = operations.push(operation);
        }
    }
    for At { value, place } in config.mounts.iter() {
        let Some(path) = value.target else {
            return Err(Refusal::text(*place, "mount.target", "is missing"));
        };
        let (target, source) = match root {
            Root::Pivot(directory) if config.root.is_none() => {
                let seen = |path| Target::seen_from_outside(path, directory);
                (seen(path), value.source.map(seen))
            }
            Root::Pivot(_) => (Target::Inside(path), value.source.map(Target::Outside)),
            Root::Host if path.to_bytes().first() == Some(&b'/') => {
                (Target::Inside(path), value.source.map(Target::Outside))
            }
            Root::Host | Root::Chroot(_) => {
                (Target::Outside(path), value.source.map(Target::Outside))
            }
        };
        let _ = operations.push(Operation::new(value, target, source, dev, *place)?);
    }
    Ok(())
}

/// Whether the configuration itself mounts something on `path`.
fn is_covered(config: &Config<'_>, path: &CStr) -> bool {
    config.mounts.iter().any(|at| {
        let mounts = matches!(
            at.value.option,
            Some(
                MountOption::Mount
                    | MountOption::Bind
                    | MountOption::RecursiveBind
                    | MountOption::Relocate
                    | MountOption::Dev
            )
        );
        let target = at.value.target.unwrap_or_default();
        mounts && components(target.to_bytes()).eq(components(path.to_bytes()))
    })
}

fn envp<'a>(
    inputs: &Inputs<'a, '_>,
    environment: &'a mut Environment<'a>,
) -> Result<Words<'a>, Refused> {
    let inherit = match inputs.config.clear_env {
        Some(At { value: true, .. }) => Inherit::Nothing,
        _ => Inherit::All,
    };
    if inherit == Inherit::All && inputs.config.env.is_empty() {
        return Ok(inputs.envp);
    }
    let changes = inputs.config.env.iter().copied();
    environment::build(environment, inputs.envp, inherit, changes).map_err(|_| {
        let limit = u32::try_from(ENVIRONMENT - 1).unwrap_or(u32::MAX);
        let what = What::TooMany {
            limit,
            of: "variables in the environment",
        };
        Refusal::new(Place::Nowhere, "env", what)
    })?;
    Ok(environment.finish())
}

fn argv<'a>(
    inputs: &Inputs<'a, '_>,
    command: &'a mut WordList<'a, { COMMAND_WORDS + 1 }>,
) -> Words<'a> {
    if !inputs.command.is_empty() {
        return inputs.command;
    }
    // There is room for as many words as a configuration has.
    for word in inputs.config.command.iter() {
        let _ = command.push(word);
    }
    if inputs.config.command.is_empty() {
        let _ = command.push(c"/bin/sh");
    }
    command.finish()
}
