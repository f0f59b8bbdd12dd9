//! Tables of what the command may have at most: `[limits]`, `[cgroup]` and `[landlock]`.

use super::integer;
use super::lex::{Kind, Stop};
use super::value::{STRINGS, Source};
use crate::config::amount::{Amount, set_cgroup, set_limit};
use crate::config::{At, Config};
use crate::fail::refusal::What;
use crate::limits;
use crate::plan::cgroup;
use crate::plan::landlock::{Grant, Rule};
use crate::plan::rlimit;

/// Reads the value of `key`, one of [`rlimit::NAMES`].
pub fn read_limit<'a>(
    source: &mut Source<'_, 'a>,
    config: &mut Config<'a>,
    key: &str,
) -> Result<(), Stop> {
    let amount = amount(source)?;
    match rlimit::named(key) {
        Some(resource) => {
            set_limit(config, resource, amount).map_err(|what| source.cursor.refuse(what))
        }
        None => Ok(()),
    }
}

/// Reads the value of `key`, one of [`cgroup::KEYS`].
pub fn read_cgroup<'a>(
    source: &mut Source<'_, 'a>,
    config: &mut Config<'a>,
    key: &str,
) -> Result<(), Stop> {
    source.cursor.begin();
    let place = source.cursor.place();
    let Some(number) = cgroup::named(key) else {
        config.cgroup_parent = Some(At::new(source.path()?, place));
        return Ok(());
    };
    let amount = match source.cursor.kind()? {
        Kind::Float => Amount::Text(source.cursor.word()),
        _ => amount(source)?,
    };
    set_cgroup(config, number, amount, place).map_err(|what| source.cursor.refuse(what))
}

/// Reads the value of `key`, one of [`crate::plan::landlock::KEYS`].
pub fn read_landlock<'a>(
    source: &mut Source<'_, 'a>,
    config: &mut Config<'a>,
    key: &str,
) -> Result<(), Stop> {
    let Some(grant) = Grant::named(key) else {
        let value = source.boolean()?;
        let value = Some(At::new(value, source.cursor.place()));
        match key {
            "scope" => config.landlock_scope = value,
            _ => config.landlock_required = value,
        }
        return Ok(());
    };
    source.array(STRINGS)?;
    while !source.cursor.closes(b']')? {
        let path = source.path()?;
        let rule = At::new(Rule { grant, path }, source.cursor.place());
        if config.landlock.push(rule).is_err() {
            return Err(source.cursor.too_many(limits::LANDLOCK_RULES, "paths"));
        }
        source.cursor.comma(b']')?;
    }
    Ok(())
}

/// An integer, or a string that spells an amount.
fn amount<'a>(source: &mut Source<'_, 'a>) -> Result<Amount<'a>, Stop> {
    if source.cursor.kind()? == Kind::String {
        return Ok(Amount::Text(source.word()?));
    }
    source
        .cursor
        .expect(Kind::Integer, "a number or a string")?;
    let word = source.cursor.word();
    match integer::parse(word.as_bytes()) {
        // What is below 0 or beyond 64 bits becomes the largest.
        Some(number) if number != u64::MAX => Ok(Amount::Number(number)),
        Some(_) => Err(source.cursor.refuse(What::Found(
            "must be a number of 64 bits without sign, not",
            word,
        ))),
        None => Err(source
            .cursor
            .refuse(What::Found("TOML spells no number like", word))),
    }
}
