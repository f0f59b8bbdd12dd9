//! One probe for each line of the table.

use super::{Found, Probe};
use crate::fail::cause::Cause;
use crate::host::cause;
use crate::parent::id_map;
use crate::plan::Plan;
use crate::plan::id::{Inside, MapLine, Outside};
use crate::plan::id_map::{Map, Maps, Setgroups, Wish, Writer};
use crate::plan::namespace::NamespaceSet;
use crate::plan::{NewPrivileges, Root};
use crate::sys::clone::{self, Side};
use crate::sys::open::{openat, pipe_with};
use crate::sys::process::exit;
use crate::sys::seccomp::{self, ALLOW, Instruction};
use crate::sys::signal::SignalSet;
use crate::sys::support::{self, Call};
use core::ffi::CStr;
use rustix::fs::{
    Access, AtFlags, CWD, Mode, OFlags, StatVfsMountFlags, accessat, statfs, statvfs,
};
use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::mount::{MountFlags, mount};
use rustix::pipe::PipeFlags;
use rustix::process::{WaitOptions, chdir, getegid, geteuid, pivot_root, waitpid};
use rustix::thread::set_no_new_privs;

/// The lines, in order.
pub const ALL: &[Probe] = &[
    probe("user namespaces", |_| namespace(NamespaceSet::NONE)),
    probe("mount namespaces", |_| namespace(NamespaceSet::MOUNT)),
    probe("pid namespaces", |_| namespace(NamespaceSet::PID)),
    probe("uts namespaces", |_| namespace(NamespaceSet::UTS)),
    probe("ipc namespaces", |_| namespace(NamespaceSet::IPC)),
    probe("net namespaces", |_| namespace(NamespaceSet::NET)),
    probe("cgroup namespaces", |_| namespace(NamespaceSet::CGROUP)),
    probe("time namespaces", |_| namespace(NamespaceSet::TIME)),
    probe("a map of one's own id", |_| own_map()),
    probe("newuidmap and newgidmap", helpers),
    probe("subordinate ids", ranges),
    probe("mounting proc", |_| {
        let namespaces = NamespaceSet::MOUNT.with(NamespaceSet::PID);
        inside(namespaces, || mounted(c"proc", c"", Cause::MaskedProc))
    }),
    probe("mounting sysfs", |_| {
        let namespaces = NamespaceSet::MOUNT.with(NamespaceSet::NET);
        inside(namespaces, || mounted(c"sysfs", c"", Cause::MaskedSys))
    }),
    probe("mounting tmpfs", |_| {
        inside(NamespaceSet::MOUNT, || {
            mounted(c"tmpfs", c"", Cause::ApparmorRestricts)
        })
    }),
    probe("mounting devpts", |_| {
        inside(NamespaceSet::MOUNT, || {
            mounted(
                c"devpts",
                c"newinstance,ptmxmode=0666",
                Cause::ApparmorRestricts,
            )
        })
    }),
    probe("mounting overlays", |_| {
        inside(NamespaceSet::MOUNT, || {
            mounted(
                c"overlay",
                c"lowerdir=/etc:/usr,userxattr",
                Cause::NoOverlay,
            )
        })
    }),
    probe("pivot_root", |_| inside(NamespaceSet::MOUNT, pivot)),
    probe("seccomp filters", |_| filter()),
    probe("Landlock, ABI", |_| match support::landlock() {
        Ok(version) => Found::Much(version),
        Err(_) => Found::No(Some(Cause::NoLandlock)),
    }),
    probe("a cgroup of one's own", |_| cgroup()),
    probe("slirp4netns or pasta", |_| network_helper()),
    probe("/dev/net/tun", |_| tun()),
    probe("the root directory", root),
    probe("clone3", |_| call(Call::Clone3)),
    probe("openat2", |_| call(Call::Openat2)),
    probe("close_range", |_| call(Call::CloseRange)),
    probe("pidfd_open", |_| call(Call::PidfdOpen)),
    probe("open_tree, move_mount", |_| {
        inside(NamespaceSet::MOUNT, || call(Call::MoveMount))
    }),
    probe("mount_setattr", |_| {
        inside(NamespaceSet::MOUNT, || call(Call::MountSetattr))
    }),
];

const fn probe(name: &'static str, run: fn(&Plan<'_>) -> Found) -> Probe {
    Probe { name, run }
}

/// A user namespace with a namespace of this kind.
fn namespace(kind: NamespaceSet) -> Found {
    match clone::into_namespaces(NamespaceSet::USER.with(kind)) {
        Ok(Side::Child) => exit(0),
        Ok(Side::Parent(_)) => Found::Yes,
        Err(Errno::INVAL | Errno::NOSYS) if kind != NamespaceSet::NONE => {
            Found::No(Some(Cause::OldKernel))
        }
        Err(errno) => Found::No(cause::of_clone(errno)),
    }
}

fn own_map() -> Found {
    inside(NamespaceSet::NONE, || Found::Yes)
}

/// Tries something as root of a user namespace with these others.
fn inside(namespaces: NamespaceSet, probe: fn() -> Found) -> Found {
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
    };
    mapped(namespaces, &maps, probe)
}

/// The same with these maps.
fn mapped(namespaces: NamespaceSet, maps: &Maps<'_>, probe: fn() -> Found) -> Found {
    let Ok((reader, writer)) = pipe_with(PipeFlags::CLOEXEC) else {
        return Found::No(None);
    };
    match clone::into_namespaces(NamespaceSet::USER.with(namespaces)) {
        Ok(Side::Child) => {
            drop(writer);
            let mut byte = [0_u8];
            match retry_on_intr(|| read(&reader, &mut byte[..])) {
                Ok(1) => exit(super::status(probe())),
                _ => exit(super::status(Found::No(None))),
            }
        }
        Ok(Side::Parent(pid)) => {
            let written = id_map::write(pid, maps, SignalSet::NONE);
            if let Err(failed) = written {
                drop(writer);
                let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
                return Found::No(failed.cause().or_else(cause::of_restriction));
            }
            let _ = retry_on_intr(|| write(&writer, b"g"));
            super::waited(pid)
        }
        Err(errno) => Found::No(cause::of_clone(errno)),
    }
}

/// The helpers do their work, with the ranges of the plan.
fn helpers(plan: &Plan<'_>) -> Found {
    match &plan.maps {
        Some(maps) if maps.uid.writer != Writer::Husk => {
            let maps = Maps {
                ranges: Wish::Required,
                ..*maps
            };
            mapped(NamespaceSet::NONE, &maps, || Found::Yes)
        }
        _ => match crate::host::helper::is_installed(c"newuidmap") {
            true => Found::Yes,
            false => Found::No(Some(Cause::NoHelper)),
        },
    }
}

fn ranges(plan: &Plan<'_>) -> Found {
    match &plan.maps {
        Some(maps) if maps.uid.lines.len() > 1 => Found::Yes,
        _ => Found::No(Some(Cause::NoRanges)),
    }
}

/// On `/`, where nothing is in the way and nobody looks.
fn mounted(kind: &CStr, data: &CStr, cause: Cause) -> Found {
    match mount(kind, c"/", kind, MountFlags::empty(), data) {
        Ok(()) => Found::Yes,
        Err(Errno::ACCESS) => Found::No(cause::of_restriction().or(Some(cause))),
        Err(_) => Found::No(Some(cause)),
    }
}

fn pivot() -> Found {
    let entered = mount(c"tmpfs", c"/", c"tmpfs", MountFlags::empty(), c"")
        .and_then(|()| chdir(c"/.."))
        .and_then(|()| pivot_root(c".", c"."));
    match entered {
        Ok(()) => Found::Yes,
        Err(Errno::INVAL) => Found::No(Some(Cause::Initramfs)),
        Err(_) => Found::No(cause::of_restriction()),
    }
}

fn filter() -> Found {
    let allow = [Instruction::verdict(ALLOW)];
    match set_no_new_privs(true).and_then(|()| seccomp::install(&allow)) {
        Ok(()) => Found::Yes,
        Err(_) => Found::No(Some(Cause::NoSeccomp)),
    }
}

/// Whether the caller may put processes into a cgroup (cgroups(7), version 2).
fn cgroup() -> Found {
    match cause::own_cgroup(|procs| accessat(CWD, procs, Access::WRITE_OK, AtFlags::empty())) {
        Some(Ok(())) => Found::Yes,
        _ => Found::No(Some(Cause::NoCgroup)),
    }
}

fn network_helper() -> Found {
    let found = [c"slirp4netns", c"pasta"]
        .into_iter()
        .any(crate::host::helper::is_installed);
    match found {
        true => Found::Yes,
        false => Found::No(Some(Cause::NoNetworkHelper)),
    }
}

fn tun() -> Found {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match openat(CWD, c"/dev/net/tun", flags, Mode::empty()) {
        Ok(_) => Found::Yes,
        Err(_) => Found::No(Some(Cause::NoTun)),
    }
}

/// Where the root directory is: programs must be able to run there.
fn root(plan: &Plan<'_>) -> Found {
    const NFS: i64 = 0x6969;
    const LUSTRE: i64 = 0x0bd0_0bd0;
    let path = match plan.root {
        Root::Host => c"/",
        Root::Pivot(path) | Root::Chroot(path) => path,
    };
    let Ok(found) = statvfs(path) else {
        return Found::No(None);
    };
    if found.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Found::No(Some(Cause::NoExec));
    }
    if plan.new_privileges == NewPrivileges::Allowed
        && found.f_flag.contains(StatVfsMountFlags::NOSUID)
    {
        return Found::No(Some(Cause::NoSuidRoot));
    }
    match statfs(path).map(|found| found.f_type) {
        Ok(NFS | LUSTRE) => Found::No(Some(Cause::Network)),
        _ => Found::Yes,
    }
}

/// Something newer than Linux 3.10, which husk can do without.
fn call(call: Call) -> Found {
    match support::is_known(call) {
        true => Found::Yes,
        false => Found::No(Some(Cause::OldKernel)),
    }
}
