//! What the command may have at most, and of which files: decided.

use super::cgroup::{self, Cgroup, MEMORY, SWAP, Setting};
use super::landlock::{Lack, Landlock, Rule, Scope};
use super::rlimit::UNLIMITED;
use crate::config::{At, Config};
use crate::fail::refusal::{Refusal, Refused};
use crate::limits::LANDLOCK_RULES;
use heapless::Vec;

/// What Landlock is to do, where there is a path or a scope.
pub fn landlock<'a>(
    config: &Config<'a>,
    rules: &'a mut Vec<Rule<'a>, LANDLOCK_RULES>,
) -> Result<Option<Landlock<'a>>, Refused> {
    for At { value, place } in config.landlock.iter() {
        if value.path.to_bytes().first() != Some(&b'/') {
            let text = "must be absolute: a path as seen inside";
            return Err(Refusal::text(*place, "landlock", text));
        }
        let _ = rules.push(*value);
    }
    let is_set = |key: Option<At<bool>>| key.is_some_and(|at| at.value);
    let scope = match is_set(config.landlock_scope) {
        true => Scope::Closed,
        false => Scope::Open,
    };
    if rules.is_empty() && scope == Scope::Open {
        return Ok(None);
    }
    Ok(Some(Landlock {
        rules,
        lack: match is_set(config.landlock_required) {
            true => Lack::Refused,
            false => Lack::Borne,
        },
        scope,
    }))
}

/// The container's cgroup, where there is a limit, or a place for it.
pub fn cgroup<'a>(
    config: &Config<'a>,
    settings: &'a mut Vec<Setting, { cgroup::COUNT }>,
) -> Result<Option<Cgroup<'a>>, Refused> {
    let given = |number| {
        let mut all = config.cgroup.iter();
        all.find(|at| at.value.number == number).copied()
    };
    for At { mut value, place } in config.cgroup.iter().copied() {
        if value.number == SWAP && value.value != UNLIMITED {
            // As docker counts it, memory is a part of it; the kernel counts it apart.
            let memory = given(MEMORY).map(|at| at.value.value);
            let Some(swap) = memory.and_then(|memory| value.value.checked_sub(memory)) else {
                let text = "is memory and swap together: it needs `memory`, and is at least that";
                return Err(Refusal::text(place, "cgroup.memory_swap", text));
            };
            value.value = swap;
        }
        let _ = settings.push(value);
    }
    let parent = match config.cgroup_parent {
        Some(At { value, place }) if value.to_bytes().first() != Some(&b'/') => {
            let text = "must be absolute: a directory below /sys/fs/cgroup";
            return Err(Refusal::text(place, "cgroup.parent", text));
        }
        parent => parent.map(|at| at.value),
    };
    if settings.is_empty() && parent.is_none() {
        return Ok(None);
    }
    Ok(Some(Cgroup { parent, settings }))
}
