//! The keys at the top of the file that have plain values.

use super::lex::Stop;
use super::value::{STRINGS, Source};
use crate::config::slot::{Slot, slot};
use crate::config::{At, CallChange, Config, IdMap, Mask, Network, Overlay, Proc};
use crate::limits;
use crate::plan::calls::{self, Call};
use crate::plan::capability::{self, CapabilityChange, CapabilitySet};
use crate::plan::id::INVALID;
use crate::plan::namespace::{NAMES, NamespaceSet};
use crate::text::words;

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
        Slot::Proc => config.proc = Some(At::new(proc(source)?, place)),
        Slot::Count(slot) => *slot = Some(At::new(source.number(0, limits::PRESERVED)?, place)),
        Slot::Mask => config.mask = Some(At::new(mask(source)?, place)),
        Slot::Network => config.network = Some(At::new(network(source)?, place)),
        Slot::Overlay => {
            config.overlay = Some(At::new(Overlay::at(source.path()?), place));
        }
        Slot::Command => command(source, config)?,
        Slot::Capabilities(change) => capabilities(source, config, change)?,
        Slot::Calls(change) => system_calls(source, config, change)?,
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
    let word = source.word()?;
    let allowed = IdMap::NAMES;
    IdMap::named(word).ok_or_else(|| source.unknown("id map", word, &mut words(allowed), allowed))
}

/// `proc`.
fn proc(source: &mut Source<'_, '_>) -> Result<Proc, Stop> {
    let word = source.word()?;
    let allowed = Proc::NAMES;
    Proc::named(word).ok_or_else(|| source.unknown("proc", word, &mut words(allowed), allowed))
}

/// `mask`.
fn mask(source: &mut Source<'_, '_>) -> Result<Mask, Stop> {
    let word = source.word()?;
    let allowed = Mask::NAMES;
    Mask::named(word).ok_or_else(|| source.unknown("mask", word, &mut words(allowed), allowed))
}

/// `network`.
fn network(source: &mut Source<'_, '_>) -> Result<Network, Stop> {
    let word = source.word()?;
    let allowed = Network::NAMES;
    Network::named(word)
        .ok_or_else(|| source.unknown("network", word, &mut words(allowed), allowed))
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

/// `seccomp_allow` or `seccomp_deny`.
fn system_calls<'a>(
    source: &mut Source<'_, 'a>,
    config: &mut Config<'a>,
    change: fn(Call) -> CallChange,
) -> Result<(), Stop> {
    source.array(STRINGS)?;
    while let Some(found) = source.next_word()? {
        let call = match calls::named(found) {
            Ok(call) => call,
            Err(near) => return Err(source.no_call(found, near)),
        };
        let change = At::new(change(call), source.cursor.place());
        if config.calls.push(change).is_err() {
            return Err(source.cursor.too_many(limits::ENV_CHANGES, "system calls"));
        }
    }
    Ok(())
}
