//! The rules of Landlock, made while the paths can still be opened; the command enters them.

use crate::child::resolve::{self, Symlinks};
use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::plan::Plan;
use crate::plan::landlock::{
    Lack, Landlock, OF_FILES, Rule, Scope, VERSION_OF_RIGHTS, VERSION_OF_SCOPES, known,
};
use crate::sys::landlock::{Ruleset, SCOPES};
use crate::sys::support;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

/// The rules that the plan asks for, as far as this kernel knows their rights. The process's root is
/// the container's.
pub fn ruleset(plan: &Plan<'_>) -> Result<Option<Ruleset>, Failed> {
    let Some(wanted) = &plan.landlock else {
        return Ok(None);
    };
    let version = match support::landlock() {
        Ok(version) => version,
        Err(errno) => return without(wanted, Cause::NoLandlock, Some(errno)),
    };
    let needed = match wanted.scope {
        Scope::Closed => VERSION_OF_SCOPES,
        Scope::Open => VERSION_OF_RIGHTS,
    };
    if wanted.lack == Lack::Refused && version < needed {
        return without(wanted, Cause::OldLandlock, None);
    }
    let rights = match wanted.rules {
        [] => 0,
        _ => known(version),
    };
    let scopes = match wanted.scope {
        Scope::Closed if version >= VERSION_OF_SCOPES => SCOPES,
        _ => 0,
    };
    if rights | scopes == 0 {
        return without(wanted, Cause::OldLandlock, None);
    }
    let ruleset = Ruleset::new(rights, scopes).doing(Doing::Confine, b"")?;
    let root = resolve::outside(c"/").doing(Doing::Confine, b"/")?;
    for rule in wanted.rules {
        allow(&ruleset, root.as_fd(), rule, rights)?;
    }
    Ok(Some(ruleset))
}

fn allow(
    ruleset: &Ruleset,
    root: BorrowedFd<'_>,
    rule: &Rule<'_>,
    rights: u32,
) -> Result<(), Failed> {
    let path = rule.path.to_bytes();
    let file = resolve::open(root, rule.path, Symlinks::Follow).doing(Doing::OpenRule, path)?;
    let mode = fstat(&file).doing(Doing::OpenRule, path)?.st_mode;
    let rights = match FileType::from_raw_mode(mode) {
        FileType::Directory => rights,
        _ => rights & OF_FILES,
    };
    ruleset
        .allow(&file, rule.grant.rights() & rights)
        .doing(Doing::Confine, path)
}

/// Goes on without a domain, and says so, where nobody insists on one.
#[cold]
fn without(
    wanted: &Landlock<'_>,
    cause: Cause,
    errno: Option<Errno>,
) -> Result<Option<Ruleset>, Failed> {
    let (none, cause) = ([&b""[..]; 2], Some(cause));
    match wanted.lack {
        Lack::Refused => Err(Failure::caused(Doing::Confine, none, errno, cause)),
        Lack::Borne => {
            fail::warn(Doing::LackLandlock, none, errno, cause);
            Ok(None)
        }
    }
}
