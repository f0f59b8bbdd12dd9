//! Flags about what the command may have at most, and of which files.

use super::Found;
use crate::config::amount::{Amount, set_cgroup, set_limit};
use crate::config::{At, Config, keys};
use crate::fail::refusal::{Refused, What};
use crate::plan::cgroup;
use crate::plan::landlock::{Grant, Rule};
use crate::plan::rlimit;
use crate::text::{split_once, words};

impl<'a> Found<'a> {
    /// The flag is named for the key, with `-` for `_`.
    pub(super) fn cgroup(&self, config: &mut Config<'a>) -> Result<(), Refused> {
        let [word, ..] = self.arguments;
        let name = self.word.to_bytes().split(|byte| *byte == b'=').next();
        let name = name.unwrap_or_default().strip_prefix(b"--");
        let name = name.unwrap_or_default();
        let dash = |byte| if byte == b'_' { b'-' } else { byte };
        let key = words(cgroup::KEYS).find(|key| key.bytes().map(dash).eq(name.iter().copied()));
        match key.and_then(cgroup::named) {
            Some(number) => set_cgroup(config, number, Amount::Text(self.word(word)), self.place)
                .or_else(|what| self.refuse(what)),
            None => {
                config.cgroup_parent = Some(self.path(word)?);
                Ok(())
            }
        }
    }

    /// The end of the flag's name is the key.
    pub(super) fn landlock(&self, config: &mut Config<'a>) -> Result<(), Refused> {
        let name = self.word.to_bytes().split(|byte| *byte == b'=').next();
        let name = name.unwrap_or_default().rsplit(|byte| *byte == b'-').next();
        let name = core::str::from_utf8(name.unwrap_or_default()).unwrap_or_default();
        let yes = Some(At::new(true, self.place));
        match Grant::named(name) {
            Some(grant) => {
                let [path, ..] = self.arguments;
                let path = self.path(path)?.value;
                let rule = At::new(Rule { grant, path }, self.place);
                self.push(config.landlock, rule, "paths")?;
            }
            None if name == "scope" => config.landlock_scope = yes,
            None => config.landlock_required = yes,
        }
        Ok(())
    }

    /// `NAME=AMOUNT`, as docker has it.
    pub(super) fn limit(&self, config: &mut Config<'a>) -> Result<(), Refused> {
        let [word, ..] = self.arguments;
        let Some((name, amount)) = split_once(self.word(word), b'=') else {
            return self.refuse(What::Found(
                "must be NAME=SOFT or NAME=SOFT:HARD, not",
                self.word(word),
            ));
        };
        let Some(resource) = rlimit::named(name) else {
            return self.refuse(What::Unknown {
                kind: "limit",
                found: name,
                nearest: keys::nearest(name, rlimit::NAMES),
                allowed: rlimit::NAMES,
            });
        };
        set_limit(config, resource, Amount::Text(amount)).or_else(|what| self.refuse(what))
    }
}
