//! What the command may have at most, and of which files: decided.

use super::landlock::{Lack, Landlock, Rule, Scope};
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
