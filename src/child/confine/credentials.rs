//! Ids: the ones that the file system is made with, and then the command's.

use crate::fail::{Doing, Explain, Failed};
use crate::plan::Identity;
use crate::plan::id_map::{Maps, Setgroups};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Becomes `identity`, groups first: without CAP_SETGID, which a change of uid takes away, they
/// stay.
///
/// Supplementary groups are dropped where the kernel lets them be: not where setgroups is denied,
/// by us or by newgidmap(1), nor without the capability.
pub fn become_identity(identity: Identity, maps: Option<&Maps<'_>>) -> Result<(), Failed> {
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
    if let Some(gid) = identity.gid {
        let gid = Gid::from_raw(gid.0);
        set_thread_res_gid(gid, gid, gid).doing(Doing::ChangeIds, b"the group")?;
    }
    if let Some(uid) = identity.uid {
        let uid = Uid::from_raw(uid.0);
        set_thread_res_uid(uid, uid, uid).doing(Doing::ChangeIds, b"the user")?;
    }
    Ok(())
}
