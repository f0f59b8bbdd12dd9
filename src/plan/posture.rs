//! What a command may not do unless it is asked for.

use super::capability::{CapabilityChange, CapabilitySet};
use super::id::Outside;
use super::id_map::Maps;
use super::namespace::NamespaceSet;
use super::{Chown, Keyring, Nesting, NewPrivileges};
use crate::config::{At, Config, Mask};
use crate::fail::refusal::{Refusal, Refused};
use rustix::thread::CapabilitySet as Kernel;

/// All capabilities but the safe ones, and as `cap_add` and `cap_drop` say one after the other.
pub fn dropped(config: &Config<'_>) -> CapabilitySet {
    let safe = CapabilitySet::ALL.without(CapabilitySet::SAFE);
    let changes = config.capabilities.iter();
    changes.fold(safe, |dropped, change| match change {
        CapabilityChange::Drop(set) => CapabilitySet(dropped.0 | set.0),
        CapabilityChange::Add(set) => dropped.without(*set),
    })
}

/// Where nobody inside is root outside nothing is gained by masks that the kernel does not refuse
/// anyway, and something is lost: a container within could not have a /proc of its own, since the
/// kernel gives a new one only to whom the outer one is whole (user_namespaces(7)). Whether the
/// root outside is the host's is left to be seen.
pub fn mask(
    config: &Config<'_>,
    namespaces: NamespaceSet,
    maps: Option<&Maps<'_>>,
) -> Result<Mask, Refused> {
    let has_mounts = namespaces.contains(NamespaceSet::MOUNT);
    let is_root_inside = maps.is_none_or(|maps| maps.uid.inside_of(Outside(0)).is_some());
    match config.mask {
        Some(At {
            value: Mask::Oci,
            place,
        }) if !has_mounts => Err(Refusal::text(
            place,
            "mask",
            "needs the mount namespace: it would change the host",
        )),
        Some(At {
            value: asked @ (Mask::Oci | Mask::None),
            ..
        }) => Ok(asked),
        _ if has_mounts && is_root_inside => Ok(Mask::Auto),
        _ => Ok(Mask::None),
    }
}

/// Whose keys are found inside.
pub fn keyring(config: &Config<'_>) -> Keyring {
    match config.new_keyring.map(|at| at.value) {
        None => Keyring::Preferred,
        Some(true) => Keyring::Required,
        Some(false) => Keyring::Callers,
    }
}

/// Whether there may be user namespaces inside. Their limit is a file of /proc that who has
/// CAP_SYS_RESOURCE may write (user_namespaces(7)).
pub fn nesting(
    config: &Config<'_>,
    namespaces: NamespaceSet,
    dropped: CapabilitySet,
) -> Result<Nesting, Refused> {
    let Some(At { value: true, place }) = config.disable_userns else {
        return Ok(Nesting::Allowed);
    };
    let resource = CapabilitySet(Kernel::SYS_RESOURCE.bits());
    let text = if !namespaces.contains(NamespaceSet::USER) {
        "needs the user namespace: it would change the host's limit"
    } else if resource.without(dropped) == resource {
        "root inside would take it back: leave CAP_SYS_RESOURCE out of cap_add"
    } else {
        return Ok(Nesting::Forbidden);
    };
    Err(Refusal::text(place, "disable_userns", text))
}

/// Whether programs may gain privileges.
pub fn new_privileges(config: &Config<'_>) -> NewPrivileges {
    match config.no_new_privs {
        Some(At { value: false, .. }) => NewPrivileges::Allowed,
        _ => NewPrivileges::Forbidden,
    }
}

/// What becomes of a change of owner.
pub fn chown(config: &Config<'_>, namespaces: NamespaceSet) -> Result<Chown, Refused> {
    match config.fake_chown {
        Some(At { value: true, place }) if !namespaces.contains(NamespaceSet::USER) => Err(
            Refusal::text(place, "fake_chown", "needs the user namespace"),
        ),
        Some(At { value: true, .. }) => Ok(Chown::Faked),
        _ => Ok(Chown::Refused),
    }
}
