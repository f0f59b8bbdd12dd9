//! Who is who: the maps, the ids that the file system is made with, the ids of the command.

use super::Identity;
use super::id::{Inside, MapLine, Outside};
use super::id_map::{self, Lines, Map, Maps, Setgroups, Side, Wish, Writer};
use super::namespace::NamespaceSet;
use super::request::{Inputs, id_map_kind};
use crate::config::{At, Config, IdMap, Place};
use crate::fail::refusal::{Refusal, Refused, What};
use crate::host::caller::{Caller, Power};
use crate::host::subid::Range;
use core::ffi::CStr;

const MISSING_HELPER: &str = "needs newuidmap and newgidmap in PATH, /usr/bin or /bin: apt install uidmap, dnf install shadow-utils; or map your own id alone";

/// One of the two maps, as far as it is not decided.
struct Asked<'a, 'i> {
    subject: &'static str,
    lines: &'i [At<MapLine>],
    own: u32,
    power: Power,
    ranges: &'i [Range],
    extents: &'i [Range],
    helper: Option<&'a CStr>,
}

impl<'a> Asked<'a, '_> {
    fn decide(
        &self,
        inputs: &Inputs<'a, '_>,
        ranges: &[Range],
        (own, lines): (&'a mut MapLine, &'a mut Lines),
    ) -> Result<Map<'a>, Refused> {
        let kind = id_map_kind(inputs.config);
        let lines = match self.lines {
            [] if ranges.is_empty() || kind != IdMap::Auto => {
                *own = id_map::own(kind, self.own);
                core::slice::from_ref(own)
            }
            [] => {
                id_map::made(kind, self.own, ranges, lines);
                id_map::split(lines, self.extents);
                lines
            }
            given => {
                id_map::given(given, self.subject, lines)?;
                id_map::split(lines, self.extents);
                lines
            }
        };
        let writer = match self.helper {
            _ if id_map::direct(lines, self.own, self.power) => Writer::Husk,
            Some(helper) => Writer::Helper(helper),
            None => {
                let place = self.lines.first().map_or(Place::Nowhere, |at| at.place);
                return Err(Refusal::text(place, self.subject, MISSING_HELPER));
            }
        };
        Ok(Map { lines, writer })
    }

    /// Whether the caller's ranges can be had for it.
    fn has_ranges(&self) -> bool {
        !self.ranges.is_empty() && (self.power == Power::Has || self.helper.is_some())
    }
}

/// The maps, where there is a user namespace.
pub fn maps<'a>(
    inputs: &Inputs<'a, '_>,
    namespaces: NamespaceSet,
    [uid_lines, gid_lines]: [(&'a mut MapLine, &'a mut Lines); 2],
) -> Result<Option<Maps<'a>>, Refused> {
    let (config, caller) = (inputs.config, inputs.caller);
    let uid = Asked {
        subject: "uid_map",
        lines: config.uid_map,
        own: caller.uid,
        power: caller.set_uid,
        ranges: inputs.subuid,
        extents: inputs.uid_extents,
        helper: inputs.newuidmap,
    };
    let gid = Asked {
        subject: "gid_map",
        lines: config.gid_map,
        own: caller.gid,
        power: caller.set_gid,
        ranges: inputs.subgid,
        extents: inputs.gid_extents,
        helper: inputs.newgidmap,
    };
    if !namespaces.contains(NamespaceSet::USER) {
        return match (uid.lines.first(), gid.lines.first()) {
            (Some(at), _) => Err(Refusal::text(
                at.place,
                uid.subject,
                "needs the user namespace",
            )),
            (_, Some(at)) => Err(Refusal::text(
                at.place,
                gid.subject,
                "needs the user namespace",
            )),
            (None, None) => Ok(None),
        };
    }
    // Ids of one kind without the other would be of little use: files have both.
    let (subuid, subgid) = match uid.has_ranges() && gid.has_ranges() {
        true => (uid.ranges, gid.ranges),
        false => (&[][..], &[][..]),
    };
    let uid = uid.decide(inputs, subuid, uid_lines)?;
    let gid = gid.decide(inputs, subgid, gid_lines)?;
    let setgroups = match (gid.writer, caller.set_gid) {
        (Writer::Husk, Power::Lacks) => Setgroups::Deny,
        _ => Setgroups::Leave,
    };
    let own = |map: &Map<'_>, own| id_map::direct(map.lines, own, Power::Lacks);
    let identity = Identity {
        uid: uid.inside_of(Outside(caller.uid)),
        gid: gid.inside_of(Outside(caller.gid)),
    };
    Ok(Some(Maps {
        from: match own(&uid, caller.uid) && own(&gid, caller.gid) {
            // Without "deny" the kernel asks for CAP_SETGID outside.
            true if setgroups == Setgroups::Deny => Side::Inside,
            _ => Side::Outside,
        },
        caller: identity,
        uid,
        gid,
        setgroups,
        ranges: match config.uid_map.is_empty()
            && config.gid_map.is_empty()
            && config.id_map.is_none()
        {
            true => Wish::WhereTheyCanBeHad,
            false => Wish::Required,
        },
    }))
}

/// The ids that the file system is made with: root's inside where there is one; else the caller's
/// inside, which it has already; else the first that there is.
pub fn setup(caller: Caller, maps: Option<&Maps<'_>>) -> Identity {
    let pick = |map: &Map<'_>, own| {
        if map.covers(Inside(0)) {
            return Some(Inside(0));
        }
        match map.inside_of(Outside(own)) {
            Some(_) => None,
            None => map.lines.first().map(|line| line.inside),
        }
    };
    Identity {
        uid: maps.and_then(|maps| pick(&maps.uid, caller.uid)),
        gid: maps.and_then(|maps| pick(&maps.gid, caller.gid)),
    }
}

/// The command's ids: those that are asked for, else those of [`setup`].
pub fn of_command(
    config: &Config<'_>,
    maps: Option<&Maps<'_>>,
    setup: Identity,
) -> Result<Identity, Refused> {
    if let Some(maps) = maps {
        for (id, map, subject) in [
            (config.uid, &maps.uid, "uid"),
            (config.gid, &maps.gid, "gid"),
        ] {
            if let Some(At { value, place }) = id
                && !map.covers(Inside(value))
            {
                return Err(Refusal::new(place, subject, What::Unmapped(value)));
            }
        }
    }
    let choose = |asked: Option<At<u32>>, default| asked.map(|at| Inside(at.value)).or(default);
    Ok(Identity {
        uid: choose(config.uid, setup.uid),
        gid: choose(config.gid, setup.gid),
    })
}
