//! What a plan cannot do without: the lines of the table that stand in its way.

use crate::config::Proc;
use crate::plan::Chown;
use crate::plan::Plan;
use crate::plan::id_map::{Wish, Writer};
use crate::plan::landlock::Lack;
use crate::plan::namespace::NamespaceSet;
use crate::plan::operation::Action;
use crate::plan::seccomp::{self, Seccomp};
use core::ffi::CStr;

/// Whether a namespace of this kind cannot be left out.
pub fn needs(plan: &Plan<'_>, kind: NamespaceSet) -> bool {
    plan.namespaces.contains(kind) && !plan.dispensable.contains(kind)
}

pub const fn always(_: &Plan<'_>) -> bool {
    true
}

/// What husk can do without.
pub const fn never(_: &Plan<'_>) -> bool {
    false
}

/// Whether the caller's own id alone will do.
pub fn needs_own_map(plan: &Plan<'_>) -> bool {
    plan.maps.is_some() && !needs_ranges(plan)
}

pub fn needs_ranges(plan: &Plan<'_>) -> bool {
    plan.maps.as_ref().is_some_and(|maps| {
        let by_helper = [maps.uid, maps.gid]
            .iter()
            .any(|map| map.writer != Writer::Husk);
        by_helper && maps.ranges == Wish::Required
    })
}

pub fn needs_landlock(plan: &Plan<'_>) -> bool {
    plan.landlock
        .is_some_and(|landlock| landlock.lack == Lack::Refused)
}

pub fn needs_proc(plan: &Plan<'_>) -> bool {
    plan.proc == Proc::New && mounts(plan, c"proc")
}

/// Whether somebody relies on a filter.
pub fn needs_filter(plan: &Plan<'_>) -> bool {
    let asked = match plan.seccomp {
        Seccomp::Off => false,
        Seccomp::File { .. } => true,
        Seccomp::Own { wish, .. } => wish == seccomp::Wish::Required,
    };
    asked || plan.chown == Chown::Faked
}

/// Whether it has a file system of this kind.
#[inline(never)]
pub fn mounts(plan: &Plan<'_>, wanted: &CStr) -> bool {
    plan.operations
        .iter()
        .any(|operation| match operation.action {
            Action::Mount { kind, .. } => kind == wanted,
            Action::Dev(_) => wanted == c"tmpfs" || wanted == c"devpts",
            _ => false,
        })
}
