//! Ids: the ones that the file system is made with, and then the command's.

use crate::fail::{Doing, Explain, Failed};
use crate::plan::Identity;
use crate::plan::id_map::{Maps, Setgroups};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Becomes `identity` where it is another than `own`, groups first: without CAP_SETGID, which a
/// change of uid takes away, they stay. Whether an id was changed.
///
/// Supplementary groups are dropped where the kernel lets them be: not where setgroups is denied,
/// by us or by newgidmap(1), nor without the capability.
pub fn become_identity(
    own: Identity,
    identity: Identity,
    maps: Option<&Maps<'_>>,
) -> Result<Ids, Failed> {
    if maps.is_none_or(|maps| maps.setgroups == Setgroups::Leave) {
        match set_thread_groups(&[]) {
            Err(Errno::PERM) => (),
            done => done.doing_on(
                Doing::ChangeIds,
                b"a process",
                b"without supplementary groups",
            )?,
        }
    }
    let mut ids = Ids::Kept;
    if let Some(gid) = identity.gid
        && identity.gid != own.gid
    {
        let gid = Gid::from_raw(gid.0);
        set_thread_res_gid(gid, gid, gid).doing(Doing::ChangeIds, b"the group")?;
        ids = Ids::Changed;
    }
    if let Some(uid) = identity.uid
        && identity.uid != own.uid
    {
        let uid = Uid::from_raw(uid.0);
        set_thread_res_uid(uid, uid, uid).doing(Doing::ChangeIds, b"the user")?;
        ids = Ids::Changed;
    }
    Ok(ids)
}

/// What became of the ids. A change of theirs makes the kernel forget what prctl(2) has set: the
/// signal of a parent's death, and what may be dumped.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Ids {
    /// They are what they were.
    Kept,
    /// They are others.
    Changed,
}
