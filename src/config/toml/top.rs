//! The keys at the top of the file that have plain values.

use super::lex::Stop;
use super::value::{STRINGS, Source};
use crate::config::{At, Config, IdMap, Network, Overlay};
use crate::limits;
use crate::plan::capability::{self, CapabilityChange, CapabilitySet};
use crate::plan::id::INVALID;
use crate::plan::namespace::{NAMES, NamespaceSet};
use crate::text::words;
use core::ffi::CStr;
use core::iter;

/// What a key takes, and where that goes.
enum Slot<'c, 'a> {
    /// A path.
    Path(&'c mut Option<At<&'a CStr>>),
    /// For sethostname(2) and setdomainname(2).
    HostName(&'c mut Option<At<&'a CStr>>),
    /// A uid or gid.
    Id(&'c mut Option<At<u32>>),
    /// `true` or `false`.
    Boolean(&'c mut Option<At<bool>>),
    /// Names of namespaces.
    Namespaces,
    /// A word.
    IdMap,
    /// A word.
    Network,
    /// `tmpfs` or a path.
    Overlay,
    /// Words.
    Command,
    /// Names of capabilities, and what becomes of them.
    Capabilities(fn(CapabilitySet) -> CapabilityChange),
}

/// What `key` takes.
fn slot<'c, 'a>(config: &'c mut Config<'a>, key: &str) -> Slot<'c, 'a> {
    match key {
        "namespaces" => Slot::Namespaces,
        "chroot_dir" => Slot::Path(&mut config.chroot_dir),
        "root" => Slot::Path(&mut config.root),
        "working_dir" => Slot::Path(&mut config.working_dir),
        "hostname" => Slot::HostName(&mut config.hostname),
        "domainname" => Slot::HostName(&mut config.domainname),
        "uid" => Slot::Id(&mut config.uid),
        "gid" => Slot::Id(&mut config.gid),
        "id_map" => Slot::IdMap,
        "network" => Slot::Network,
        "overlay" => Slot::Overlay,
        "command" => Slot::Command,
        "read_only" => Slot::Boolean(&mut config.read_only),
        "clear_env" => Slot::Boolean(&mut config.clear_env),
        "new_session" => Slot::Boolean(&mut config.new_session),
        "die_with_parent" => Slot::Boolean(&mut config.die_with_parent),
        "as_pid_1" => Slot::Boolean(&mut config.as_pid_1),
        "no_new_privs" => Slot::Boolean(&mut config.no_new_privs),
        "cap_add" => Slot::Capabilities(CapabilityChange::Add),
        _ => Slot::Capabilities(CapabilityChange::Drop),
    }
}

/// Reads the value of `key` into `config`.
pub fn read_value<'a>(
    source: &mut Source<'_, 'a>,
    config: &mut Config<'a>,
    key: &str,
) -> Result<(), Stop> {
    source.cursor.begin();
    let place = source.cursor.place();
    match slot(config, key) {
        Slot::Path(slot) => *slot = Some(At::new(source.path()?, place)),
        Slot::HostName(slot) => *slot = Some(At::new(source.host_name()?, place)),
        Slot::Id(slot) => *slot = Some(At::new(source.number(0, INVALID - 1)?, place)),
        Slot::Boolean(slot) => *slot = Some(At::new(source.boolean()?, place)),
        Slot::Namespaces => config.namespaces = Some(At::new(namespaces(source)?, place)),
        Slot::IdMap => config.id_map = Some(At::new(id_map(source)?, place)),
        Slot::Network => config.network = Some(At::new(network(source)?, place)),
        Slot::Overlay => {
            let path = source.path()?;
            let overlay = if path == c"tmpfs" {
                Overlay::Tmpfs
            } else {
                Overlay::Directory(path)
            };
            config.overlay = Some(At::new(overlay, place));
        }
        Slot::Command => command(source, config)?,
        Slot::Capabilities(change) => capabilities(source, config, change)?,
    }
    Ok(())
}

/// `namespaces`.
fn namespaces(source: &mut Source<'_, '_>) -> Result<NamespaceSet, Stop> {
    let mut set = NamespaceSet::NONE;
    source.array(STRINGS)?;
    while let Some(word) = source.next_word()? {
        match NamespaceSet::named(word) {
            Some(kind) => set = set.with(kind),
            None => {
                let known = &mut words(NAMES);
                return Err(source.unknown("namespace", word, known, NAMES));
            }
        }
    }
    Ok(set)
}

/// `id_map`.
fn id_map(source: &mut Source<'_, '_>) -> Result<IdMap, Stop> {
    match source.word()? {
        "auto" => Ok(IdMap::Auto),
        "root" => Ok(IdMap::Root),
        "self" => Ok(IdMap::Own),
        word => Err(source.unknown("id map", word, &mut iter::empty(), "auto, root, self")),
    }
}

/// `network`.
fn network(source: &mut Source<'_, '_>) -> Result<Network, Stop> {
    match source.word()? {
        "host" => Ok(Network::Host),
        "none" => Ok(Network::Loopback),
        word => Err(source.unknown("network", word, &mut iter::empty(), "host, none")),
    }
}

/// `command`.
fn command<'a>(source: &mut Source<'_, 'a>, config: &mut Config<'a>) -> Result<(), Stop> {
    source.array("an array with a string for each word, as in [\"sh\", \"-c\", \"id\"]")?;
    while let Some(word) = source.next_string()? {
        if config.command.is_empty() && word.is_empty() {
            return Err(source.cursor.wrong("must not be empty"));
        }
        if config.command.push(word).is_err() {
            return Err(source.cursor.too_many(limits::COMMAND_WORDS, "words"));
        }
    }
    if config.command.is_empty() {
        return Err(source.cursor.wrong("must have at least one word"));
    }
    Ok(())
}

/// `cap_add` or `cap_drop`.
fn capabilities<'a>(
    source: &mut Source<'_, 'a>,
    config: &mut Config<'a>,
    change: fn(CapabilitySet) -> CapabilityChange,
) -> Result<(), Stop> {
    source.array(STRINGS)?;
    while let Some(found) = source.next_word()? {
        let Some(set) = CapabilitySet::named(found) else {
            let known = &mut capability::names();
            return Err(source.unknown(
                "capability",
                found,
                known,
                "ALL and the names in capabilities(7)",
            ));
        };
        if config.capabilities.push(change(set)).is_err() {
            return Err(source.cursor.too_many(limits::ENV_CHANGES, "capabilities"));
        }
    }
    Ok(())
}
