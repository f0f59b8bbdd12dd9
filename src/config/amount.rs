//! Amounts as the file and the flags spell them, and the limits that are made of them.

use super::Config;
use crate::fail::refusal::What;
use crate::plan::rlimit::{Limit, UNLIMITED};
use crate::text::{parse_long, split_once};

/// An amount as it was written.
#[derive(Clone, Copy, Debug)]
pub enum Amount<'v> {
    /// An integer of the file.
    Number(u64),
    /// Anything of the command line, or a string of the file.
    Text(&'v str),
}

/// `unlimited`, or -1 as docker has it, or a number.
fn count(text: &str) -> Option<u64> {
    match text {
        "unlimited" | "-1" => Some(UNLIMITED),
        text => parse_long(text.as_bytes()),
    }
}

/// Sets the limit on resource number `resource`: one amount for both limits, or `SOFT:HARD`.
pub fn set_limit<'v>(
    config: &mut Config<'_>,
    resource: u8,
    amount: Amount<'v>,
) -> Result<(), What<'v>> {
    let (soft, hard) = match amount {
        Amount::Number(number) => (number, number),
        Amount::Text(text) => {
            let (soft, hard) = split_once(text, b':').unwrap_or((text, text));
            match (count(soft), count(hard)) {
                (Some(soft), Some(hard)) => (soft, hard),
                _ => {
                    let wanted = "must be a number, \"unlimited\" or \"SOFT:HARD\", not";
                    return Err(What::Found(wanted, text));
                }
            }
        }
    };
    if soft > hard {
        return Err(What::Text("has a soft limit above its hard limit"));
    }
    let limit = Limit {
        resource,
        soft,
        hard,
    };
    match config
        .limits
        .iter_mut()
        .find(|known| known.resource == resource)
    {
        Some(known) => *known = limit,
        // There is room for one of each.
        None => drop(config.limits.push(limit)),
    }
    Ok(())
}
