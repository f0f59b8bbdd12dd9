//! The command's environment: the caller's, changed by the file and then by the flags.

use crate::config::EnvChange;
use crate::limits::ENVIRONMENT;
use crate::sys::exec::{WordList, Words};
use core::ffi::CStr;

/// The environment while it is made.
pub type Environment<'a> = WordList<'a, ENVIRONMENT>;

/// Whether the caller's variables are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// They are.
    All,
    /// They are not.
    Nothing,
}

/// There are more than [`ENVIRONMENT`] variables.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// Where programs are looked for when the environment has no PATH: everywhere that a distribution
/// puts them, sbin first, since uid 0 inside is the usual case.
pub const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Applies `changes` in order to `caller`'s variables or to none.
pub fn build<'a>(
    environment: &mut Environment<'a>,
    caller: Words<'a>,
    inherit: Inherit,
    changes: impl Iterator<Item = EnvChange<'a>>,
) -> Result<(), TooMany> {
    if inherit == Inherit::All {
        for variable in caller.iter() {
            environment.push(variable).map_err(|_| TooMany)?;
        }
    }
    for change in changes {
        let (EnvChange::Set(word) | EnvChange::Unset(word)) = change;
        let name = name(word.to_bytes());
        environment.retain(|variable| value_of(variable.to_bytes(), name).is_none());
        if let EnvChange::Set(variable) = change {
            environment.push(variable).map_err(|_| TooMany)?;
        }
    }
    Ok(())
}

/// The value of the variable `name`.
pub fn get<'a>(environment: Words<'a>, name: &[u8]) -> Option<&'a CStr> {
    let letters = name.get(..1)?;
    environment.beginning_with(letters).find_map(|variable| {
        let start = value_of(variable.to_bytes(), name)?;
        CStr::from_bytes_until_nul(variable.to_bytes_with_nul().get(start..)?).ok()
    })
}

fn name(variable: &[u8]) -> &[u8] {
    variable
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or(variable)
}

/// Where the value of `variable` starts, when its name is `name`.
fn value_of(variable: &[u8], name: &[u8]) -> Option<usize> {
    let rest = variable.strip_prefix(name)?;
    (rest.first() == Some(&b'=')).then_some(name.len().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::{Environment, Inherit, build, get};
    use crate::config::EnvChange::{Set, Unset};
    use crate::sys::exec::Words;

    #[test]
    fn the_last_change_of_a_variable_counts() {
        let changes = [
            Set(c"A=1"),
            Set(c"AB=2"),
            Unset(c"AB"),
            Set(c"A=3"),
            Set(c"C="),
        ];
        let mut environment = Environment::new();
        build(
            &mut environment,
            Words::EMPTY,
            Inherit::Nothing,
            changes.into_iter(),
        )
        .unwrap();
        let words = environment.finish();
        assert_eq!(words.iter().collect::<Vec<_>>(), [c"A=3", c"C="]);
        assert_eq!(get(words, b"A"), Some(c"3"));
        assert_eq!(get(words, b"C"), Some(c""));
        assert_eq!(get(words, b"AB"), None);
    }
}
