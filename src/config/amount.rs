//! Amounts as the file and the flags spell them, and the limits that are made of them.

use super::{At, Config, Place};
use crate::fail::refusal::What;
use crate::plan::cgroup::{PERIOD, Setting, Unit, unit};
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

/// Sets the limit number `number` of the cgroup.
pub fn set_cgroup<'v>(
    config: &mut Config<'_>,
    number: u8,
    amount: Amount<'v>,
    place: Place,
) -> Result<(), What<'v>> {
    let unit = unit(number);
    let value = match (amount, unit) {
        (Amount::Number(number), Unit::Cpus) => number.checked_mul(PERIOD),
        (Amount::Number(number), _) => Some(number),
        (Amount::Text(text), Unit::Bytes) => bytes(text),
        (Amount::Text(text), Unit::Cpus) => cpus(text),
        (Amount::Text(text), _) => count(text),
    };
    let fits = |value: &u64| match unit {
        Unit::Bytes => true,
        Unit::Number => *value >= 1,
        // A millisecond is the least that the kernel takes.
        Unit::Cpus => *value >= PERIOD / 100,
        Unit::Weight => (1..=10_000).contains(value),
    };
    let Some(value) = value.filter(fits) else {
        let wanted = match unit {
            Unit::Bytes => "must be a number of bytes, as in 512m, or \"unlimited\", not",
            Unit::Number => "must be a number from 1, or \"unlimited\", not",
            Unit::Cpus => "must be a number such as 1.5, from 0.01, or \"unlimited\", not",
            Unit::Weight => "must be a number from 1 to 10000, not",
        };
        return Err(match amount {
            Amount::Text(text) => What::Found(wanted, text),
            Amount::Number(_) => What::Found(wanted, "this"),
        });
    };
    let setting = At::new(Setting { number, value }, place);
    let mut known = config.cgroup.iter_mut();
    match known.find(|known| known.value.number == number) {
        Some(known) => *known = setting,
        // There is room for one of each.
        None => drop(config.cgroup.push(setting)),
    }
    Ok(())
}

/// A number with one of docker's suffixes, of which each is 1024 of the one before.
fn bytes(text: &str) -> Option<u64> {
    let (last, shift) = match text.as_bytes().last()? {
        b'b' | b'B' => (1, 0),
        b'k' | b'K' => (1, 10),
        b'm' | b'M' => (1, 20),
        b'g' | b'G' => (1, 30),
        b't' | b'T' => (1, 40),
        _ => (0, 0),
    };
    if last == 0 {
        return count(text);
    }
    let digits = text.as_bytes().split_last()?.1;
    parse_long(digits)?.checked_mul(1 << shift)
}

/// A decimal number of CPUs, in microseconds of each period.
fn cpus(text: &str) -> Option<u64> {
    let (whole, part) = match split_once(text, b'.') {
        None => {
            return match count(text)? {
                UNLIMITED => Some(UNLIMITED),
                whole => whole.checked_mul(PERIOD),
            };
        }
        Some(parts) => parts,
    };
    let digits = u32::try_from(part.len()).ok()?;
    let unit = PERIOD.checked_div(10_u64.checked_pow(digits)?)?;
    let part = parse_long(part.as_bytes())?.checked_mul(unit.max(1))?;
    let whole = parse_long(whole.as_bytes())?.checked_mul(PERIOD)?;
    match unit {
        0 => None,
        _ => whole.checked_add(part),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_macros, reason = "tests do not ship")]
mod tests {
    use super::{bytes, cpus};

    #[test]
    fn bytes_have_suffixes_of_docker_s() {
        for (text, number) in [
            ("0", 0),
            ("7b", 7),
            ("1k", 1024),
            ("512M", 512 << 20),
            ("2g", 2 << 30),
            ("1t", 1 << 40),
            ("unlimited", u64::MAX),
            ("-1", u64::MAX),
        ] {
            assert_eq!(bytes(text), Some(number), "{text}");
        }
        for bad in ["", "m", "1.5g", "1mb", "-2", "17000000t", "1 k"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn cpus_are_decimal() {
        for (text, number) in [
            ("1", 100_000),
            ("1.5", 150_000),
            ("0.01", 1000),
            ("0.12345", 12_345),
            ("16.0", 1_600_000),
            ("unlimited", u64::MAX),
        ] {
            assert_eq!(cpus(text), Some(number), "{text}");
        }
        for bad in [
            "",
            ".",
            ".5",
            "1.",
            "1.123456",
            "1e3",
            "1,5",
            "-1.5",
            "999999999999999999",
        ] {
            assert_eq!(cpus(bad), None, "{bad}");
        }
    }
}
