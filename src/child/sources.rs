//! The root and the sources of binds, opened as the caller before anything is mounted.
//!
//! Opened once: what is bound later is what was found now, wherever its path leads by then
//! (CVE-2024-42472). And opened before the ids change: a caller's own files are often closed to the
//! ids of a container.

use super::resolve;
use crate::config::MissingSource;
use crate::fail::{Doing, Explain, Failed, Failure};
use crate::limits::OPERATIONS;
use crate::plan::namespace::NamespaceSet;
use crate::plan::operation::Operation;
use crate::plan::target::Target;
use crate::plan::{Plan, Root, Writes};
use crate::sys::fd::Fd;
use crate::sys::open::{open_tree, open_tree_at, openat};
use crate::sys::storage::Storage;
use core::ffi::CStr;
use heapless::Vec;
use rustix::fs::{CWD, Mode, OFlags, Stat, fstat, stat};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;

/// What was opened.
pub struct Opened {
    /// The new root, or the host's.
    pub root: Base,
    /// The caller's working directory, where what is named from there is looked up later, or where the
    /// command starts.
    pub home: Option<Fd>,
    /// The local directory for writes.
    pub upper: Option<Fd>,
    /// One place for each operation.
    pub sources: &'static mut Vec<Source, OPERATIONS>,
}

static SOURCES: Storage<Vec<Source, OPERATIONS>> = Storage::new(Vec::new());

/// What becomes the root.
pub enum Base {
    /// This directory.
    Directory(Fd),
    /// A copy of its mount, which is mounted nowhere yet.
    Copy(Fd),
}

/// The source of one operation.
pub enum Source {
    /// There is none, or it may be missing and is.
    None,
    /// This.
    Open(Fd),
    /// A copy of all mounts of the host, for a bind of `/`.
    Copy(Fd),
    /// It is opened when its turn comes: an earlier operation may put it there.
    Later,
}

/// Opens them.
pub fn open<'a>(plan: &Plan<'a>) -> Result<Opened, Failed> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let path = match plan.root {
        Root::Host => c"/",
        Root::Pivot(path) | Root::Chroot(path) => path,
    };
    let open = |path| openat(CWD, path, directory, Mode::empty());
    let root = match copy_of_root(plan, path) {
        Some(tree) => Base::Copy(tree),
        None => Base::Directory(open(path).doing(Doing::OpenRoot, path.to_bytes())?),
    };
    let home = match plan.root == Root::Host || plan.operations.iter().any(is_relative) {
        true => Some(open(c".").doing(Doing::OpenSource, b".")?),
        false => None,
    };
    let upper = match plan.writes {
        Writes::Directory(path) => Some(open(path).doing(Doing::OpenSource, path.to_bytes())?),
        Writes::Root | Writes::Tmpfs => None,
    };
    // PID 1 opens them once.
    let taken = SOURCES.take().ok_or(Errno::NOMEM);
    let sources = taken.doing(Doing::OpenSource, path.to_bytes())?;
    let mut outside_changed = false;
    for operation in plan.operations {
        let source = match operation.source() {
            None => Source::None,
            Some(_) if outside_changed => Source::Later,
            Some((Target::Inside(_), _)) => Source::Later,
            Some((Target::Outside(path), missing)) => {
                copied(plan, judge(resolve::outside(path), path, missing)?)
            }
        };
        let _ = sources.push(source);
        outside_changed |=
            plan.root == Root::Host || matches!(operation.target, Target::Outside(_));
    }
    Ok(Opened {
        root,
        home,
        upper,
        sources,
    })
}

/// Whether it names something from the caller's working directory after husk has left that.
fn is_relative(operation: &Operation<'_>) -> bool {
    let source = operation.source().map(|(source, _)| source);
    [Some(operation.target), source]
        .into_iter()
        .flatten()
        .any(|path| match path {
            Target::Outside(path) => path.to_bytes().first() != Some(&b'/'),
            Target::Inside(_) => false,
        })
}

/// The root's mount, where nothing but that is wanted of the directory: one call less. Not where the
/// kernel lacks open_tree(2) (before 5.2), insists on what is mounted below (EINVAL), or where the
/// mounts of this namespace are not slaves yet.
fn copy_of_root(plan: &Plan<'_>, path: &CStr) -> Option<Fd> {
    let is_outside = |operation: &Operation<'_>| matches!(operation.target, Target::Outside(_));
    let is_plain = matches!(plan.root, Root::Pivot(_))
        && plan.writes == Writes::Root
        && plan.namespaces.contains(NamespaceSet::USER)
        && !plan.operations.iter().any(is_outside);
    let copy = OpenTreeFlags::OPEN_TREE_CLONE;
    is_plain
        .then(|| open_tree_at(CWD, path, copy).ok())
        .flatten()
}

/// Where the source is `/` itself and there will be a new root, a copy of its mounts: the new root
/// is put on top of it, and would be bound along. Kernels without open_tree(2) (before 5.2) do
/// without.
fn copied(plan: &Plan<'_>, source: Source) -> Source {
    let Source::Open(fd) = &source else {
        return source;
    };
    let id = |found: Stat| (found.st_dev, found.st_ino);
    if plan.root == Root::Host || fstat(fd).map(id) != stat(c"/").map(id) {
        return source;
    }
    let copy = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE;
    open_tree(fd, copy).map_or(source, Source::Copy)
}

/// What an attempt to open the source `path` came to.
pub fn judge(
    opened: Result<Fd, Errno>,
    path: &CStr,
    missing: MissingSource,
) -> Result<Source, Failed> {
    match opened {
        Ok(source) => Ok(Source::Open(source)),
        Err(Errno::NOENT | Errno::NOTDIR) if missing == MissingSource::Skip => Ok(Source::None),
        Err(errno) => Err(Failure::new(Doing::OpenSource, path.to_bytes(), errno)),
    }
}
