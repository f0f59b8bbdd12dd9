//! One probe for each line of the table.

use super::needs::{
    always, mounts, needs, needs_filter, needs_landlock, needs_own_map, needs_proc, needs_ranges,
    never,
};
use super::{Found, Probe, Trial, Works, answer};
use crate::fail::cause::Cause;
use crate::host::caller::Caller;
use crate::host::cause;
use crate::host::helper;
use crate::host::subid::{self, Ranges};
use crate::id_map;
use crate::parent::cgroup::obstacle;
use crate::plan::Identity;
use crate::plan::Plan;
use crate::plan::id::{Inside, MapLine, Outside};
use crate::plan::id_map::{Map, Maps, Setgroups, Side, Wish, Writer};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{NewPrivileges, Root, Writes};
use crate::sys::open::openat;
use crate::sys::seccomp::{self, ALLOW, Instruction};
use crate::sys::signal::SignalSet;
use crate::sys::support::{self, Call};
use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags, mkdirat, statfs, statvfs};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, chdir, getegid, geteuid, pivot_root};
use rustix::thread::set_no_new_privs;

/// The lines, in order.
pub const ALL: &[Probe] = &[
    probe(
        "user namespaces",
        |plan| needs(plan, NamespaceSet::USER),
        |trial| namespace(trial, NamespaceSet::NONE),
    ),
    probe(
        "mount namespaces",
        |plan| needs(plan, NamespaceSet::MOUNT),
        |trial| namespace(trial, NamespaceSet::MOUNT),
    ),
    probe(
        "pid namespaces",
        |plan| needs(plan, NamespaceSet::PID),
        |trial| namespace(trial, NamespaceSet::PID),
    ),
    probe(
        "uts namespaces",
        |plan| needs(plan, NamespaceSet::UTS),
        |trial| namespace(trial, NamespaceSet::UTS),
    ),
    probe(
        "ipc namespaces",
        |plan| needs(plan, NamespaceSet::IPC),
        |trial| namespace(trial, NamespaceSet::IPC),
    ),
    probe(
        "net namespaces",
        |plan| needs(plan, NamespaceSet::NET),
        |trial| namespace(trial, NamespaceSet::NET),
    ),
    probe(
        "cgroup namespaces",
        |plan| needs(plan, NamespaceSet::CGROUP),
        |trial| namespace(trial, NamespaceSet::CGROUP),
    ),
    probe(
        "time namespaces",
        |plan| needs(plan, NamespaceSet::TIME),
        |trial| namespace(trial, NamespaceSet::TIME),
    ),
    probe("a map of one's own id", needs_own_map, own_map),
    probe("newuidmap and newgidmap", needs_ranges, helpers),
    probe("subordinate ids", needs_ranges, ranges),
    probe("mounting proc", needs_proc, |trial| {
        let namespaces = NamespaceSet::MOUNT.with(NamespaceSet::PID);
        inside(trial, namespaces, || {
            mounted(c"proc", c"", cause::of_proc())
        })
    }),
    // Without one the outer one is bound.
    probe("mounting sysfs", never, |trial| {
        let namespaces = NamespaceSet::MOUNT.with(NamespaceSet::NET);
        inside(trial, namespaces, || {
            mounted(
                c"sysfs",
                c"",
                cause::of_restriction().or(Some(Cause::MaskedSys)),
            )
        })
    }),
    probe(
        "mounting tmpfs",
        |plan| mounts(plan, c"tmpfs") || plan.writes == Writes::Tmpfs,
        |trial| inside(trial, NamespaceSet::MOUNT, || mounted(c"tmpfs", c"", None)),
    ),
    probe(
        "mounting devpts",
        |plan| mounts(plan, c"devpts"),
        |trial| {
            inside(trial, NamespaceSet::MOUNT, || {
                mounted(c"devpts", c"newinstance,ptmxmode=0666", None)
            })
        },
    ),
    probe(
        "mounting overlays",
        |plan| plan.writes != Writes::Root,
        |trial| inside(trial, NamespaceSet::MOUNT, overlay),
    ),
    probe(
        "pivot_root",
        |plan| matches!(plan.root, Root::Pivot(_)),
        |trial| inside(trial, NamespaceSet::MOUNT, pivot),
    ),
    probe("seccomp filters", needs_filter, |_| filter()),
    probe(
        "Landlock, ABI",
        needs_landlock,
        |_| match support::landlock() {
            Ok(version) => Found::Much(version),
            Err(errno) => no(Cause::NoLandlock, errno),
        },
    ),
    probe(
        "a cgroup of one's own",
        |plan| plan.cgroup.is_some(),
        |trial| match obstacle(trial.plan.cgroup.as_ref()) {
            Ok(()) => Found::Yes,
            Err((cause, errno)) => Found::No(Some(cause), errno),
        },
    ),
    probe("slirp4netns or pasta", never, |_| network_helper()),
    probe("/dev/net/tun", never, |_| tun()),
    probe("programs in the root", always, executable),
    probe("the root's file system", never, file_system),
    probe(
        "clone3",
        |plan| needs(plan, NamespaceSet::TIME),
        |_| call(Call::Clone3),
    ),
    probe("openat2", never, |_| call(Call::Openat2)),
    probe("close_range", never, |_| call(Call::CloseRange)),
    probe("pidfd_open", never, |_| call(Call::PidfdOpen)),
    probe("open_tree, move_mount", never, |trial| {
        inside(trial, NamespaceSet::MOUNT, || call(Call::MoveMount))
    }),
    probe("mount_setattr", never, |trial| {
        inside(trial, NamespaceSet::MOUNT, || call(Call::MountSetattr))
    }),
];

const fn probe(
    name: &'static str,
    needed: fn(&Plan<'_>) -> bool,
    run: fn(&Trial<'_>) -> Found,
) -> Probe {
    Probe { name, needed, run }
}

const fn no(cause: Cause, errno: Errno) -> Found {
    Found::No(Some(cause), Some(errno))
}

/// A user namespace with a namespace of this kind.
#[inline(never)]
fn namespace(trial: &Trial<'_>, kind: NamespaceSet) -> Found {
    let namespaces = (NamespaceSet::USER.with(kind), trial.works);
    match answer::ask(namespaces, &|_| Ok(()), &|| Found::Yes) {
        Ok(found) => found,
        Err(errno @ (Errno::INVAL | Errno::NOSYS)) if kind != NamespaceSet::NONE => {
            no(Cause::NoSuchNamespace, errno)
        }
        Err(errno) => Found::No(cause::of_clone(errno), Some(errno)),
    }
}

fn own_map(trial: &Trial<'_>) -> Found {
    inside(trial, NamespaceSet::NONE, || Found::Yes)
}

/// Tries something as root of a user namespace with these others.
#[inline(never)]
fn inside(trial: &Trial<'_>, namespaces: NamespaceSet, probe: fn() -> Found) -> Found {
    let id = |own: u32| [MapLine::one(Inside(0), Outside(own))];
    let (uid, gid) = (id(geteuid().as_raw()), id(getegid().as_raw()));
    let writer = Writer::Husk;
    let maps = Maps {
        uid: Map {
            lines: &uid,
            writer,
        },
        gid: Map {
            lines: &gid,
            writer,
        },
        setgroups: Setgroups::Deny,
        ranges: Wish::Required,
        from: Side::Outside,
        caller: Identity::UNCHANGED,
    };
    mapped((namespaces, trial.works), &maps, probe)
}

/// The same with these maps.
fn mapped(
    (namespaces, works): (NamespaceSet, Works),
    maps: &Maps<'_>,
    probe: fn() -> Found,
) -> Found {
    let write = |pid: Pid| {
        id_map::write(pid, maps, SignalSet::NONE).map_err(|failed| {
            let cause = failed.cause().or_else(cause::of_restriction);
            Found::No(cause, failed.errno())
        })
    };
    let found = answer::ask((NamespaceSet::USER.with(namespaces), works), &write, &probe);
    found.unwrap_or_else(|errno| Found::No(cause::of_clone(errno), Some(errno)))
}

/// The helpers do their work, with the ranges of the plan.
fn helpers(trial: &Trial<'_>) -> Found {
    match &trial.plan.maps {
        Some(maps) if maps.uid.writer != Writer::Husk => {
            let maps = Maps {
                ranges: Wish::Required,
                ..*maps
            };
            mapped((NamespaceSet::NONE, trial.works), &maps, || Found::Yes)
        }
        _ => match [c"newuidmap", c"newgidmap"]
            .into_iter()
            .all(helper::is_installed)
        {
            true => Found::Yes,
            false => Found::No(Some(Cause::NoHelper), None),
        },
    }
}

/// Those of the plan's map, else of the files: the plan leaves them out where nobody can map them.
fn ranges(trial: &Trial<'_>) -> Found {
    if trial
        .plan
        .maps
        .as_ref()
        .is_some_and(|maps| maps.uid.lines.len() > 1)
    {
        return Found::Yes;
    }
    let (mut subuid, mut subgid) = (Ranges::new(), Ranges::new());
    subid::of_caller(&Caller::current(), b"", &mut subuid, &mut subgid);
    match subuid.is_empty() || subgid.is_empty() {
        true => Found::No(Some(Cause::NoRanges), None),
        false => Found::Yes,
    }
}

/// On `/`, where nothing is in the way and nobody looks.
#[inline(never)]
fn mounted(kind: &CStr, data: &CStr, cause: Option<Cause>) -> Found {
    match mount(kind, c"/", kind, MountFlags::empty(), data) {
        Ok(()) => Found::Yes,
        Err(errno @ Errno::ACCESS) => Found::No(cause::of_restriction().or(cause), Some(errno)),
        Err(errno) => Found::No(cause.or_else(cause::of_restriction), Some(errno)),
    }
}

/// A tmpfs on top of `/`, entered.
fn on_tmpfs() -> Result<(), Errno> {
    mount(c"tmpfs", c"/", c"tmpfs", MountFlags::empty(), c"").and_then(|()| chdir(c"/.."))
}

/// Of two directories made for it: an initramfs may have no others.
fn overlay() -> Found {
    let mode = Mode::from_raw_mode(0o755);
    let made = on_tmpfs()
        .and_then(|()| mkdirat(CWD, c"a", mode))
        .and_then(|()| mkdirat(CWD, c"b", mode));
    match made {
        Ok(()) => mounted(
            c"overlay",
            c"lowerdir=a:b,userxattr",
            Some(Cause::NoOverlay),
        ),
        Err(errno) => Found::No(cause::of_restriction(), Some(errno)),
    }
}

fn pivot() -> Found {
    match on_tmpfs().and_then(|()| pivot_root(c".", c".")) {
        Ok(()) => Found::Yes,
        Err(errno @ Errno::INVAL) => no(Cause::Initramfs, errno),
        Err(errno) => Found::No(cause::of_restriction(), Some(errno)),
    }
}

fn filter() -> Found {
    let allow = [Instruction::verdict(ALLOW)];
    match set_no_new_privs(true).and_then(|()| seccomp::install(&allow)) {
        Ok(()) => Found::Yes,
        Err(errno) => no(Cause::NoSeccomp, errno),
    }
}

fn network_helper() -> Found {
    let found = [c"slirp4netns", c"pasta"]
        .into_iter()
        .any(helper::is_installed);
    match found {
        true => Found::Yes,
        false => Found::No(Some(Cause::NoNetworkHelper), None),
    }
}

fn tun() -> Found {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match openat(CWD, c"/dev/net/tun", flags, Mode::empty()) {
        Ok(_) => Found::Yes,
        Err(errno) => no(Cause::NoTun, errno),
    }
}

const fn path_of_root<'a>(plan: &Plan<'a>) -> &'a CStr {
    match plan.root {
        Root::Host => c"/",
        Root::Pivot(path) | Root::Chroot(path) => path,
    }
}

fn executable(trial: &Trial<'_>) -> Found {
    match statvfs(path_of_root(trial.plan)) {
        Ok(found) if found.f_flag.contains(StatVfsMountFlags::NOEXEC) => {
            Found::No(Some(Cause::NoExec), None)
        }
        Ok(_) => Found::Yes,
        Err(errno) => Found::No(None, Some(errno)),
    }
}

fn file_system(trial: &Trial<'_>) -> Found {
    let plan = trial.plan;
    const NFS: i64 = 0x6969;
    const LUSTRE: i64 = 0x0bd0_0bd0;
    let path = path_of_root(plan);
    let nosuid = statvfs(path).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::NOSUID));
    match statfs(path).map(|found| found.f_type) {
        Ok(NFS | LUSTRE) => Found::No(Some(Cause::Network), None),
        Ok(_) if nosuid && plan.new_privileges == NewPrivileges::Allowed => {
            Found::No(Some(Cause::NoSuidRoot), None)
        }
        Ok(_) => Found::Yes,
        Err(errno) => Found::No(None, Some(errno)),
    }
}

/// Something newer than Linux 3.10, which husk can do without.
fn call(call: Call) -> Found {
    match support::is_known(call) {
        true => Found::Yes,
        false => Found::No(Some(Cause::OldKernel), None),
    }
}
