//! What of /proc and /sys a container's root shall not see or change, as OCI runtimes have it.
//!
//! Where that root is nobody outside, the kernel refuses all of it already: these files belong to the
//! host's root, or ask for a capability over the first user namespace. They are for a root who is the
//! host's: who writes to /proc/sys there, writes to the host.
//!
//! Nothing is told by its name alone. What is covered is resolved from the root directory of a file
//! system that is a proc, or a sysfs, without symbolic links (CVE-2019-19921, CVE-2023-28642). What covers
//! it is an empty file or directory that husk has just made, where others take the /dev/null that they
//! find (CVE-2025-31133); or the thing itself, read-only.

use super::bind;
use super::mount_flags;
use super::mount_point::c_string;
use super::resolve::{self, Symlinks, component_of};
use super::stack::topmost;
use super::underlay::new_file;
use crate::config::Mask;
use crate::fail::{Doing, Explain, Failed};
use crate::limits::PATH_BYTES;
use crate::limits::PROC_SUPER_MAGIC;
use crate::plan::Plan;
use crate::plan::mount::MountFlags;
use crate::plan::operation::Action;
use crate::plan::target::{Target, components};
use crate::sys::fd::Fd;
use crate::sys::mount::Reach;
use crate::text::words;
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, FileType, fstat, fstatfs, unlinkat};
use rustix::io::Errno;
use rustix::mount::{MountFlags as KernelFlags, UnmountFlags, mount, unmount};

/// A file system with parts to cover: runc's defaults.
struct Covered {
    kind: &'static CStr,
    place: &'static CStr,
    /// f_type (statfs(2)).
    magic: i64,
    hidden: &'static str,
    read_only: &'static str,
}

const PROC: Covered = Covered {
    kind: c"proc",
    place: c"/proc",
    magic: PROC_SUPER_MAGIC,
    hidden: "acpi, asound, kcore, keys, latency_stats, timer_list, timer_stats, sched_debug, scsi",
    read_only: "bus, fs, irq, sys, sysrq-trigger",
};

const SYS: Covered = Covered {
    kind: c"sysfs",
    place: c"/sys",
    magic: 0x6265_6572,
    hidden: "firmware, devices/virtual/powercap",
    read_only: "",
};

/// The uid of an owner who is not mapped (user_namespaces(7)).
const OVERFLOW_UID: u32 = 65534;

/// Covers what is to be covered in every proc and sysfs that husk has mounted, and in /proc and /sys.
/// `open` opens a place of the tree.
pub fn apply(
    plan: &Plan<'_>,
    open: impl Fn(Target<'_>) -> Result<Fd, Errno>,
) -> Result<(), Failed> {
    if plan.mask == Mask::None {
        return Ok(());
    }
    let mut nothing = None;
    for covered in [&PROC, &SYS] {
        let mounted = plan
            .operations
            .iter()
            .filter_map(|operation| match operation.action {
                Action::Mount { kind, .. } if kind == covered.kind => Some(operation.target),
                _ => None,
            })
            .filter(|target| !is_same(target.path(), covered.place));
        for target in core::iter::once(Target::Inside(covered.place)).chain(mounted) {
            // A root without one has nothing to cover.
            if let Ok(top) = open(target) {
                cover(&top, covered, plan.mask, &mut nothing)?;
            }
        }
    }
    match nothing {
        Some(nothing) => nothing.finish().doing(Doing::Mask, b"/proc"),
        None => Ok(()),
    }
}

fn is_same(left: &CStr, right: &CStr) -> bool {
    components(left.to_bytes()).eq(components(right.to_bytes()))
}

fn cover(
    top: &Fd,
    covered: &Covered,
    wanted: Mask,
    nothing: &mut Option<Nothing>,
) -> Result<(), Failed> {
    /// The inode of the root of a proc, and of a sysfs.
    const ROOT: u64 = 1;
    let path = covered.place.to_bytes();
    let stat = fstat(top).doing(Doing::Mask, path)?;
    let kind = fstatfs(top).doing(Doing::Mask, path)?.f_type;
    // Everything in it is the host's root's, whom nobody here may be.
    let foreign = wanted == Mask::Auto && stat.st_uid == OVERFLOW_UID;
    if kind != covered.magic || stat.st_ino != ROOT || foreign {
        return Ok(());
    }
    let nothing = match nothing {
        Some(made) => made,
        None => nothing.insert(Nothing::make().doing(Doing::Mask, path)?),
    };
    let mut memory = [0_u8; PATH_BYTES];
    let mut each = |list: &'static str, cover: &mut dyn FnMut(Part<'_>) -> Result<(), Errno>| {
        for name in words(list) {
            let done =
                c_string(&mut memory, name.as_bytes()).and_then(|path| {
                    match resolve::open(top.as_fd(), path, Symlinks::Refuse) {
                        Err(Errno::NOENT) => Ok(()),
                        found => cover(Part {
                            top,
                            path,
                            found: found?,
                        }),
                    }
                });
            done.doing(Doing::Mask, name.as_bytes())?;
        }
        Ok(())
    };
    each(covered.read_only, &mut |part| {
        part.put(&part.found, MountFlags::READ_ONLY, Reach::Recursive)
    })?;
    each(covered.hidden, &mut |part| nothing.hide(part))
}

/// A part of a file system.
struct Part<'p> {
    top: &'p Fd,
    path: &'p CStr,
    found: Fd,
}

impl Part<'_> {
    /// Binds `source` on it.
    fn put(&self, source: &Fd, flags: MountFlags, reach: Reach) -> Result<(), Errno> {
        let again = || resolve::open(self.top.as_fd(), self.path, Symlinks::Refuse);
        bind::bind(source.as_fd(), self.found.as_fd(), flags, reach, again)
    }
}

/// What stands where something is hidden: an empty directory, and an empty file in it for as long as it
/// takes to bind that.
struct Nothing {
    directory: Fd,
    file: Fd,
    /// The last directory to be hidden.
    last: Option<Fd>,
}

impl Nothing {
    const FLAGS: MountFlags = MountFlags::INERT.with(MountFlags::READ_ONLY);
    const FILE: &CStr = c"file";

    /// Makes both: a tmpfs on `/`, where nobody else can reach it.
    fn make() -> Result<Self, Errno> {
        let flags = KernelFlags::NOSUID | KernelFlags::NODEV | KernelFlags::NOEXEC;
        mount(c"tmpfs", c"/", c"tmpfs", flags, c"mode=0555")?;
        let directory = topmost()?;
        drop(new_file(directory.as_fd(), Self::FILE)?);
        Ok(Self {
            file: component_of(directory.as_fd(), Self::FILE)?,
            directory,
            last: None,
        })
    }

    fn hide(&mut self, part: Part<'_>) -> Result<(), Errno> {
        let stat = fstat(&part.found)?;
        if !FileType::from_raw_mode(stat.st_mode).is_dir() {
            // What a husk around this one has put there has no name any more, and nothing goes on it.
            if stat.st_nlink == 0 {
                return Ok(());
            }
            return part.put(&self.file, Self::FLAGS, Reach::One);
        }
        match self.last.replace(part.found) {
            None => Ok(()),
            Some(one) => bind::bind(
                self.directory.as_fd(),
                one.as_fd(),
                Self::FLAGS,
                Reach::One,
                || Err(Errno::NOENT),
            ),
        }
    }

    /// Hides the last directory behind the tmpfs itself: to move it away from `/` is cheaper than to
    /// unmount it, for which the kernel waits (synchronize_rcu_expedited).
    fn finish(self) -> Result<(), Errno> {
        unlinkat(&self.directory, Self::FILE, AtFlags::empty())?;
        match self.last {
            Some(last) => {
                mount_flags::set(self.directory.as_fd(), Self::FLAGS, Reach::One)?;
                bind::relocate(&self.directory, last.as_fd())
            }
            None => unmount(c"/..", UnmountFlags::DETACH),
        }
    }
}
