//! Carries out the plan's operations, in order, on the tree that becomes the container's.

use super::bind;
use super::change;
use super::dev::{self, Shared};
use super::here::{mount_on, move_below, move_to};
use super::mask;
use super::mount_point::{self, Kind, Wanted, c_string};
use super::proc_fd::ProcFd;
use super::resolve::{self, Symlinks};
use super::root::{self, Assembled, NewRoot};
use super::sources::{self, Opened, Source};
use super::symlink;
use super::umask::Umask;
use super::underlay::Underlays;
use crate::config::{MakeTarget, Proc};
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::host::cause;
use crate::job::terminal::Terminal;
use crate::limits::PATH_BYTES;
use crate::plan::mount::MountFlags;
use crate::plan::operation::{Action, Dev, Operation};
use crate::plan::target::{Target, components};
use crate::plan::{Init, Plan};
use crate::sys::fd::Fd;
use crate::sys::mount::Reach;
use core::ffi::CStr;
use core::mem;
use rustix::fd::AsFd;
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::mount::{MountFlags as KernelFlags, mount_move};
use rustix::process::fchdir;

/// The tree while it is made.
struct Tree {
    root: NewRoot,
    proc: Proc,
    underlays: Underlays,
    mask: Umask,
    /// What every bind gets beside its own flags.
    binds: MountFlags,
    shared: Shared,
}

/// Makes the new root and mounts everything.
///
/// `terminal` is the caller's, where the command shares it.
pub fn assemble<'a>(
    plan: &Plan<'a>,
    opened: Opened,
    terminal: Option<&Terminal>,
) -> Result<Assembled, Failed> {
    let mut mask = Umask::of_caller();
    let root = root::prepare(plan, (opened.root, opened.home, opened.upper), &mut mask)?;
    let mut tree = Tree {
        root,
        proc: plan.proc,
        underlays: Underlays::new(),
        mask,
        shared: match terminal {
            Some(_) => Shared::Terminal,
            None => Shared::Nothing,
        },
        // Whoever only tries makes nothing in what is the host's.
        binds: match plan.init {
            Init::Nobody => MountFlags::READ_ONLY,
            Init::Husk | Init::Command => MountFlags::NONE,
        },
    };
    for (operation, source) in plan.operations.iter().zip(opened.sources) {
        if let Some(home) = &tree.root.home {
            fchdir(home).doing(Doing::OpenSource, b".")?;
        }
        tree.carry_out(operation, mem::replace(source, Source::None))?;
        if covers_root(operation) {
            tree.root.rise().doing(Doing::OpenRoot, b"/")?;
        }
    }
    mask::apply(plan, |target| tree.again(target))?;
    tree.underlays.finish().doing(Doing::Underlay, b"")?;
    tree.mask.restore();
    Ok(Assembled(tree.root))
}

/// Whether something was mounted on the root itself, and so is the root now.
fn covers_root(operation: &Operation<'_>) -> bool {
    let Target::Inside(path) = operation.target else {
        return false;
    };
    let mounts = matches!(
        operation.action,
        Action::Mount { .. } | Action::Bind { .. } | Action::Move(_)
    );
    mounts && components(path.to_bytes()).next().is_none()
}

impl Tree {
    fn carry_out<'a>(&mut self, operation: &Operation<'a>, source: Source) -> Result<(), Failed> {
        let path = operation.target.path().to_bytes();
        let source = self.ready(source, operation)?;
        match operation.action {
            Action::Mount {
                source: name,
                kind,
                data,
                flags,
            } => {
                let what = (name, kind, data);
                self.mount(operation, what, flags)
            }
            Action::Remount { data, flags } => {
                let target = self.directory(operation, Symlinks::Follow)?;
                change::remount(&target, data, flags).doing(Doing::Remount, path)
            }
            Action::Propagation(propagation) => {
                let target = self.directory(operation, Symlinks::Follow)?;
                change::propagation(&target, propagation).doing(Doing::SetPropagation, path)
            }
            Action::Bind {
                source: from,
                flags,
                reach,
                ..
            } => match source {
                Source::Open(source) => {
                    let flags = MountFlags(flags.0 | self.binds.0);
                    self.bind(operation, from.path(), &source, flags, reach)
                }
                Source::Copy(copy) => {
                    let target = self.directory(operation, Symlinks::Follow)?;
                    let flags = MountFlags(flags.0 | self.binds.0);
                    bind::place(&copy, target.as_fd(), flags, Reach::Recursive).doing_on(
                        Doing::Bind,
                        b"/",
                        path,
                    )
                }
                Source::None | Source::Later => Ok(()),
            },
            Action::Move(from) => {
                let Source::Open(source) = source else {
                    return Ok(());
                };
                let kind = kind_of(&source, from.path())?;
                let target = self.target(operation, kind, Symlinks::Follow)?;
                mount_move(ProcFd::new(&source).path(), ProcFd::new(&target).path()).doing_on(
                    Doing::Move,
                    from.path().to_bytes(),
                    path,
                )
            }
            Action::Dev(wanted) => self.small_dev(operation, wanted),
            Action::Directory => self.directory(operation, Symlinks::Follow).map(drop),
            Action::Symlink(text) => self.symlink(operation, text),
            Action::ResolvConf => match source {
                Source::Open(source) => self.resolv_conf(operation.target, &source),
                _ => Ok(()),
            },
        }
    }

    fn small_dev<'a>(&mut self, operation: &Operation<'a>, wanted: Dev) -> Result<(), Failed> {
        let path = operation.target.path().to_bytes();
        dev::make(wanted, self.shared)?;
        if let Some(name) = operation.target.only_name()
            && move_below(&self.root.fd, name).is_ok()
        {
            return Ok(());
        }
        // Another one is made when there is a place for it.
        dev::discard().doing(Doing::MakeDev, path)?;
        let target = self.directory(operation, Symlinks::Refuse)?;
        dev::make(wanted, self.shared)?;
        move_to(target.as_fd()).doing_on(Doing::Mount, b"tmpfs", path)
    }

    /// Mounts a file system: its name in mountinfo, its type, its options.
    fn mount<'a>(
        &mut self,
        operation: &Operation<'a>,
        (name, kind, data): (&'a CStr, &'a CStr, Option<&'a CStr>),
        flags: MountFlags,
    ) -> Result<(), Failed> {
        let symlinks = if kind == c"proc" {
            Symlinks::Refuse
        } else {
            Symlinks::Follow
        };
        let target = self.directory(operation, symlinks)?;
        let bits = KernelFlags::from_bits_retain(flags.0);
        let path = operation.target.path().to_bytes();
        let Err(errno) = mount_on(&target, name, kind, bits, data) else {
            target.leave();
            return Ok(());
        };
        if errno == Errno::PERM
            && let Some(done) = self.outer(operation, kind, flags, &target)
        {
            return done;
        }
        let cause = match errno {
            Errno::PERM if kind == c"proc" => cause::of_proc(),
            Errno::PERM | Errno::NOENT | Errno::ACCESS => cause::of_mount(errno),
            _ => None,
        };
        let what = [kind.to_bytes(), path];
        Err(Failure::caused(Doing::Mount, what, Some(errno), cause))
    }

    /// The kernel gives a new proc or sysfs only to whom the outer one is whole (user_namespaces(7)
    /// and mount_namespaces(7)): in a container that hides parts of it, the outer one is bound, as it
    /// is. `None` where that is of no use.
    #[cold]
    fn outer<'a>(
        &self,
        operation: &Operation<'a>,
        kind: &CStr,
        flags: MountFlags,
        target: &Fd,
    ) -> Option<Result<(), Failed>> {
        let (place, lost) = match kind.to_bytes() {
            b"proc" if self.proc != Proc::New => (c"/proc", true),
            b"sysfs" => (c"/sys", false),
            _ => return None,
        };
        if lost {
            let path = operation.target.path().to_bytes();
            let errno = Some(Errno::PERM);
            fail::warn(Doing::OuterProc, [path, b""], errno, cause::of_proc());
        }
        let source = resolve::outside(place).ok()?;
        let id = |fd: &Fd| fstat(fd).map(|found| (found.st_dev, found.st_ino));
        if id(&source) == id(target) {
            return Some(Ok(()));
        }
        let again = || self.again(operation.target);
        let bound = bind::bind(
            source.as_fd(),
            target.as_fd(),
            flags,
            Reach::Recursive,
            again,
        );
        Some(bound.doing_on(
            Doing::Bind,
            place.to_bytes(),
            operation.target.path().to_bytes(),
        ))
    }

    /// The source of an operation, opened now where it had to wait for those before.
    fn ready(&self, source: Source, operation: &Operation<'_>) -> Result<Source, Failed> {
        match (source, operation.source()) {
            (Source::Later, Some((Target::Outside(from), missing))) => {
                sources::judge(resolve::outside(from), from, missing)
            }
            (Source::Later, Some((Target::Inside(from), missing))) => {
                let opened = resolve::open(self.root.fd.as_fd(), from, Symlinks::Follow);
                sources::judge(opened, from, missing)
            }
            (source, _) => Ok(source),
        }
    }

    fn target<'a>(
        &mut self,
        operation: &Operation<'a>,
        kind: Kind,
        symlinks: Symlinks,
    ) -> Result<Fd, Failed> {
        let wanted = Wanted {
            kind,
            make: operation.make,
            symlinks,
        };
        self.find(operation.target, wanted)
    }

    fn find<'a>(&mut self, target: Target<'a>, wanted: Wanted) -> Result<Fd, Failed> {
        let memory = (&mut self.underlays, &mut self.mask);
        mount_point::find(&mut self.root, memory, target, wanted)
    }

    fn directory<'a>(
        &mut self,
        operation: &Operation<'a>,
        symlinks: Symlinks,
    ) -> Result<Fd, Failed> {
        self.target(operation, Kind::Directory, symlinks)
    }

    /// What is at the target now.
    fn again(&self, target: Target<'_>) -> Result<Fd, Errno> {
        match target {
            Target::Inside(path) => resolve::open(self.root.fd.as_fd(), path, Symlinks::Follow),
            Target::Outside(path) => resolve::outside(path),
        }
    }

    fn bind<'a>(
        &mut self,
        operation: &Operation<'a>,
        from: &'a CStr,
        source: &Fd,
        flags: MountFlags,
        reach: Reach,
    ) -> Result<(), Failed> {
        let target = self.target(operation, kind_of(source, from)?, Symlinks::Follow)?;
        let again = || self.again(operation.target);
        bind::bind(source.as_fd(), target.as_fd(), flags, reach, again).doing_on(
            Doing::Bind,
            from.to_bytes(),
            operation.target.path().to_bytes(),
        )
    }

    /// Over an existing file only, and read-only: the file is the host's.
    fn resolv_conf<'a>(&self, target: Target<'a>, source: &Fd) -> Result<(), Failed> {
        let path = target.path();
        let find = || resolve::open(self.root.fd.as_fd(), path, Symlinks::Follow);
        let Ok(found) = find() else { return Ok(()) };
        let is_file =
            |fd| fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file());
        if !is_file(&found) || !is_file(source) {
            return Ok(());
        }
        bind::bind(
            source.as_fd(),
            found.as_fd(),
            MountFlags::READ_ONLY,
            Reach::One,
            find,
        )
        .doing_on(Doing::Bind, path.to_bytes(), path.to_bytes())
    }

    /// Not in the root's own file system, where nothing but mount points is made.
    #[inline(never)]
    fn symlink<'a>(&mut self, operation: &Operation<'a>, text: &'a CStr) -> Result<(), Failed> {
        let path = operation.target.path();
        let bytes = path.to_bytes();
        let end = bytes
            .iter()
            .rposition(|byte| *byte != b'/')
            .map_or(0, |last| last.saturating_add(1));
        let trimmed = bytes.get(..end).unwrap_or_default();
        let split = trimmed
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |at| at.saturating_add(1));
        let (parent, name) = trimmed.split_at_checked(split).unwrap_or((b"", trimmed));
        let (mut memory, mut other) = ([0_u8; PATH_BYTES], [0_u8; PATH_BYTES]);
        let name = c_string(&mut memory, name).doing(Doing::MakeSymlink, bytes)?;
        let parent = c_string(&mut other, if parent.is_empty() { b"." } else { parent })
            .doing(Doing::MakeSymlink, bytes)?;
        let target = match operation.target {
            Target::Inside(_) => Target::Inside(parent),
            Target::Outside(_) => Target::Outside(parent),
        };
        let wanted = Wanted {
            kind: Kind::Directory,
            make: MakeTarget::Yes,
            symlinks: Symlinks::Follow,
        };
        let directory = self.find(target, wanted)?;
        symlink::make(&self.root, &directory, name, text).doing_on(
            Doing::MakeSymlink,
            bytes,
            text.to_bytes(),
        )
    }
}

/// What `source`, which is called `name`, goes on.
fn kind_of(source: &Fd, name: &CStr) -> Result<Kind, Failed> {
    let stat = fstat(source).doing(Doing::OpenSource, name.to_bytes())?;
    Ok(match FileType::from_raw_mode(stat.st_mode).is_dir() {
        true => Kind::Directory,
        false => Kind::File,
    })
}
