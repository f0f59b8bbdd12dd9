//! The new root: put on top of the old one (see [`super::stack`]), and entered.

use super::here::stack;
use super::mount_flags;
use super::proc_fd::ProcFd;
use super::resolve::{self, Symlinks, TMPFS_MAGIC, read_link};
use super::sources::Base;
use super::stack::topmost;
use super::umask::Umask;
use crate::arena::Arena;
use crate::fail::{Doing, Explain, Failed, Failure};
use crate::host::cause;
use crate::limits::PATH_BYTES;
use crate::plan::mount::MountFlags;
use crate::plan::namespace::NamespaceSet;
use crate::plan::{Access, Plan, Root, Writes};
use crate::sys::fd::Fd;
use crate::sys::mount::{MountId, Reach};
use crate::sys::open::openat;
use core::ffi::CStr;
use core::mem;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags, fchmod, fstat, mkdirat, statfs};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags as KernelFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind,
    mount_bind_recursive, mount_change, unmount,
};
use rustix::process::{chdir, chroot, fchdir, pivot_root};

/// Where the container's `/` is while it is made.
pub struct NewRoot {
    /// The topmost mount of it.
    pub fd: Fd,
    /// The directory that was asked for, where that is not `fd`: below all that husk mounts over it.
    directory: Option<Fd>,
    /// The caller's working directory, where it is still needed.
    pub home: Option<Fd>,
    /// Whether it is a mount on `/`, to be entered at the end.
    pub place: Place,
    /// How many of husk's mounts are between the old root and this one.
    pub below: usize,
    /// Whether a mount may be where it was not meant to.
    pub strays: Strays,
}

/// Mounts of husk's that a link of a hostile root has led on top of the root itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strays {
    /// There are none: no link was followed.
    None,
    /// There may be some.
    Possible,
}

impl NewRoot {
    /// Makes the mount that was just put on top of everything the root.
    pub fn rise(&mut self) -> Result<(), Errno> {
        let covered = mem::replace(&mut self.fd, topmost()?);
        self.directory.get_or_insert(covered);
        if self.place == Place::Stacked {
            self.below = self.below.saturating_add(1);
        }
        self.place = Place::Stacked;
        Ok(())
    }

    /// The directory that was asked for.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_ref().unwrap_or(&self.fd).as_fd()
    }
}

/// A root with everything mounted, ready to be entered: made by [`super::mounts::assemble`] alone.
pub struct Assembled(pub(super) NewRoot);

/// Whether there is something to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The process is in it.
    Current,
    /// It is stacked on `/`.
    Stacked,
}

/// Binds `source` on `target`: plainly, so that no automount is touched; recursively where the
/// kernel insists because the host locked what is mounted below (EINVAL, mount_namespaces(7)).
pub fn bind(source: BorrowedFd<'_>, target: &CStr) -> Result<Reach, Errno> {
    let source = ProcFd::new(source);
    match mount_bind(source.path(), target) {
        Ok(()) => Ok(Reach::One),
        Err(Errno::INVAL) => mount_bind_recursive(source.path(), target).map(|()| Reach::Recursive),
        Err(errno) => Err(errno),
    }
}

/// Mounts the new root where there is one, and cuts what would lead mounts to the host.
pub fn prepare<'a>(
    plan: &Plan<'a>,
    (base, home, upper): (Base, Option<Fd>, Option<Fd>),
    mask: &mut Umask,
) -> Result<NewRoot, Failed> {
    let path = match plan.root {
        Root::Pivot(path) => path,
        Root::Host | Root::Chroot(_) => return current(plan, directory(base, c"/")?, home),
    };
    cut_propagation(plan)?;
    let (path, name) = (path.to_bytes(), path);
    let read_only = |fd: &Fd, reach| match plan.access {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly => mount_flags::set(fd.as_fd(), MountFlags::READ_ONLY, reach)
            .doing(Doing::SetMountFlags, path),
    };
    let base = match base {
        Base::Copy(tree) if stack(&tree).is_ok() => {
            read_only(&tree, Reach::One)?;
            return Ok(NewRoot {
                fd: tree,
                directory: None,
                home,
                place: Place::Stacked,
                below: 0,
                strays: Strays::None,
            });
        }
        base => base,
    };
    let root = directory(base, name)?;
    let fd = match plan.writes {
        Writes::Root => {
            let reach = bind(root.as_fd(), c"/").map_err(|e| refused(Doing::BindRoot, path, e))?;
            let fd = topmost().doing(Doing::BindRoot, path)?;
            read_only(&fd, reach)?;
            fd
        }
        Writes::Tmpfs | Writes::Directory(_) => {
            mask.clear();
            let fd = overlay(plan, &root, upper).doing(Doing::MountOverlay, path)?;
            read_only(&fd, Reach::One)?;
            fd
        }
    };
    let below = usize::from(plan.writes == Writes::Tmpfs);
    Ok(NewRoot {
        fd,
        directory: Some(root),
        home,
        place: Place::Stacked,
        below,
        strays: Strays::None,
    })
}

/// What could not be mounted as a copy (a seccomp filter that does not know move_mount(2)) is opened
/// as a directory after all.
fn directory(base: Base, path: &CStr) -> Result<Fd, Failed> {
    match base {
        Base::Directory(directory) => Ok(directory),
        Base::Copy(_) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            openat(CWD, path, flags, Mode::empty()).doing(Doing::OpenRoot, path.to_bytes())
        }
    }
}

fn current<'a>(plan: &Plan<'a>, root: Fd, home: Option<Fd>) -> Result<NewRoot, Failed> {
    if plan.namespaces.contains(NamespaceSet::MOUNT) {
        cut_propagation(plan)?;
    }
    Ok(NewRoot {
        fd: root,
        directory: None,
        home,
        place: Place::Current,
        below: 0,
        strays: Strays::None,
    })
}

/// A mount namespace of another user namespace starts with slave mounts (mount_namespaces(7)); one
/// of the same, as root has it with `--share-user`, starts with the host's peer groups.
fn cut_propagation<'a>(plan: &Plan<'a>) -> Result<(), Failed> {
    if plan.namespaces.contains(NamespaceSet::USER) {
        return Ok(());
    }
    let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change(c"/", slave).map_err(|errno| refused(Doing::MakeSlave, b"/", errno))
}

fn refused(doing: Doing, path: &[u8], errno: Errno) -> Failed {
    Failure::caused(doing, [path, b""], Some(errno), cause::of_mount(errno))
}

/// An overlay with `root` below and a tmpfs or the directory `upper` above.
fn overlay(plan: &Plan<'_>, root: &Fd, upper: Option<Fd>) -> Result<Fd, Errno> {
    let scratch = match upper {
        Some(upper) => upper,
        None => {
            mount(
                c"tmpfs",
                c"/",
                c"tmpfs",
                KernelFlags::NOSUID | KernelFlags::NODEV,
                c"mode=0700",
            )?;
            topmost()?
        }
    };
    for name in [c"upper", c"work"] {
        match mkdirat(&scratch, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => (),
            Err(errno) => return Err(errno),
        }
    }
    // The overlay's root directory has the upper one's mode.
    if plan.writes == Writes::Tmpfs {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let upper = openat(&scratch, c"upper", flags, Mode::empty())?;
        fchmod(&upper, Mode::from_raw_mode(fstat(root)?.st_mode & 0o7777))?;
    }
    let (lower, scratch) = (ProcFd::new(root), ProcFd::new(&scratch));
    let mount_with = |attributes: &[u8]| {
        let mut memory = [0_u8; 256];
        let parts: [&[u8]; 8] = [
            b"lowerdir=",
            lower.bytes(),
            b",upperdir=",
            scratch.bytes(),
            b"/upper,workdir=",
            scratch.bytes(),
            b"/work",
            attributes,
        ];
        let data = Arena::new(&mut memory).c_string(&parts).ok().flatten();
        let data = data.ok_or(Errno::NAMETOOLONG)?;
        mount(c"overlay", c"/", c"overlay", KernelFlags::empty(), data)
    };
    // Without trusted.* attributes, which only the host's root has (5.11).
    let own_user = plan.namespaces.contains(NamespaceSet::USER);
    match mount_with(if own_user { b",userxattr" } else { b"" }) {
        // Debian and Ubuntu let users mount overlays before there was that option.
        Err(Errno::INVAL) if own_user => mount_with(b"")?,
        done => done?,
    }
    topmost()
}

/// Makes the new root `/`, and the old one unreachable.
pub fn enter<'a>(plan: &Plan<'a>, assembled: Assembled) -> Result<(), Failed> {
    let path: &[u8] = match plan.root {
        Root::Host => b"/",
        Root::Pivot(path) | Root::Chroot(path) => path.to_bytes(),
    };
    let Assembled(root) = assembled;
    if let Root::Chroot(_) = plan.root {
        fchdir(&root.fd).doing(Doing::EnterRoot, path)?;
        chroot(c".").doing(Doing::EnterRoot, path)?;
    }
    let enter = |root: &NewRoot| match root.place {
        Place::Current => Ok(()),
        Place::Stacked => fchdir(&root.fd).and_then(|()| pivot(root)),
    };
    let entered = match plan.root {
        // husk's own /proc covers nobody's directory.
        Root::Host if root.place == Place::Current && plan.operations.len() <= 1 => {
            root.home.as_ref().map_or(Ok(()), fchdir)
        }
        Root::Host => and_come_back(&root, enter),
        // It is where the process is.
        Root::Pivot(_) | Root::Chroot(_) => enter(&root),
    };
    mem::forget(root);
    entered.doing(Doing::EnterRoot, path)
}

/// The host's tree, with mounts over it: the caller's directory is found again by its path, or else
/// is what was there before, and is nothing for the command.
#[inline(never)]
fn and_come_back(
    root: &NewRoot,
    enter: impl FnOnce(&NewRoot) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut memory = [0_u8; PATH_BYTES];
    let home = root.home.as_ref().map(ProcFd::new);
    let back = home
        .as_ref()
        .and_then(|home| read_link(CWD, home.path(), &mut memory).ok())
        .unwrap_or(c"/");
    enter(root)?;
    chdir(back).or_else(|_| chdir(c"/"))
}

/// pivot_root(2) into the working directory, and the old root taken away.
///
/// EINVAL means that the new root is a shared mount (`option = "shared"`), which it is made again
/// afterwards; or that the old one is an initramfs, which cannot be pivoted away. That one stays
/// below the new root, as switch_root(8) leaves it, and root inside could come back to it by
/// unmounting what is above, unless it lacks CAP_SYS_ADMIN.
fn pivot(root: &NewRoot) -> Result<(), Errno> {
    match pivot_root(c".", c".") {
        Err(Errno::INVAL) => (),
        done => return done.and_then(|()| detach_old(root)),
    }
    mount_change(c".", MountPropagationFlags::PRIVATE)?;
    match pivot_root(c".", c".") {
        Ok(()) => {
            detach_old(root)?;
            mount_change(c"/", MountPropagationFlags::SHARED)
        }
        Err(Errno::INVAL) if is_initramfs()? => chroot(c"."),
        refused => refused,
    }
}

/// Whether the process's root is of a kind that an initramfs is.
fn is_initramfs() -> Result<bool, Errno> {
    const RAMFS_MAGIC: i64 = 0x8584_58f6;
    let kind = statfs(c"/")?.f_type;
    Ok(kind == RAMFS_MAGIC || kind == TMPFS_MAGIC)
}

/// How many strays are taken away.
const STRAYS: usize = 64;

/// Takes the old root away. After pivot_root(2) it is on top of the new one, and on it are the
/// mounts that were between the two; each goes by itself, from the top, until the new root is.
fn detach_old(root: &NewRoot) -> Result<(), Errno> {
    for _ in 0..=root.below {
        unmount(c".", UnmountFlags::DETACH)?;
    }
    if root.strays == Strays::None {
        return Ok(());
    }
    let wanted = MountId::of(root.fd.as_fd())?;
    for _ in 0..STRAYS {
        if MountId::of(topmost()?.as_fd())? == wanted {
            return Ok(());
        }
        unmount(c".", UnmountFlags::DETACH)?;
    }
    Err(Errno::BUSY)
}

/// The command's working directory. In a new root it is resolved there, for its links may be
/// hostile as well.
pub fn change_directory(plan: &Plan<'_>) -> Result<(), Failed> {
    let Some(path) = plan.working_dir else {
        return Ok(());
    };
    let changed = match plan.root {
        Root::Host => chdir(path),
        Root::Pivot(_) | Root::Chroot(_) => resolve::outside(c"/")
            .and_then(|root| resolve::open(root.as_fd(), path, Symlinks::Follow))
            .and_then(fchdir),
    };
    changed.doing(Doing::ChangeDirectory, path.to_bytes())
}
