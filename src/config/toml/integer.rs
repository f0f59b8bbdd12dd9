//! Words without quotes: which kind of value one is, and the number that it spells.

use super::lex::Kind;

/// `word` without its sign.
fn unsigned(word: &[u8]) -> &[u8] {
    match word {
        [b'+' | b'-', rest @ ..] => rest,
        _ => word,
    }
}

/// What `word` is, well enough to say so; `None` where it is no value.
pub fn kind(word: &[u8]) -> Option<Kind> {
    let number = unsigned(word);
    let is_float = |byte: &u8| matches!(byte, b'.' | b'e' | b'E');
    let digits = number
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    match (word, number) {
        (b"true" | b"false", _) => Some(Kind::Boolean),
        (_, b"inf" | b"nan") => Some(Kind::Float),
        _ if digits == 0 => None,
        (_, [_, _, _, _, b'-', ..]) if digits == 4 => Some(Kind::Date),
        (_, [_, _, b':', ..]) if digits == 2 => Some(Kind::Date),
        (_, [b'0', b'x', ..]) => Some(Kind::Integer),
        _ if number.iter().any(is_float) => Some(Kind::Float),
        _ => Some(Kind::Integer),
    }
}

/// The number that `word` spells, anything outside of `u64` becoming its largest. `None` where TOML
/// does not allow the spelling.
pub fn parse(word: &[u8]) -> Option<u64> {
    let (radix, digits) = match word {
        [b'0', b'x', digits @ ..] => (16, digits),
        [b'0', b'o', digits @ ..] => (8, digits),
        [b'0', b'b', digits @ ..] => (2, digits),
        _ => (10, unsigned(word)),
    };
    if radix == 10 && matches!(digits, [b'0', _, ..]) {
        return None;
    }
    let mut number = 0_u64;
    let mut after_digit = false;
    for byte in digits {
        if *byte == b'_' && after_digit {
            after_digit = false;
        } else {
            let digit = char::from(*byte).to_digit(radix)?;
            number = number
                .saturating_mul(u64::from(radix))
                .saturating_add(u64::from(digit));
            after_digit = true;
        }
    }
    if word.first() == Some(&b'-') && number > 0 {
        number = u64::MAX;
    }
    after_digit.then_some(number)
}

#[cfg(test)]
#[expect(clippy::disallowed_macros, reason = "tests do not ship")]
mod tests {
    use super::{Kind, kind, parse};

    #[test]
    fn a_number_is_spelled_as_toml_has_it() {
        for (word, number) in [
            ("0", 0),
            ("+0", 0),
            ("-0", 0),
            ("1_000", 1000),
            ("0xFf", 255),
            ("0x00_1", 1),
            ("0o17", 15),
            ("0b101", 5),
            ("4294967296", 4_294_967_296),
            ("99999999999999999999", u64::MAX),
            ("-1", u64::MAX),
        ] {
            assert_eq!(parse(word.as_bytes()), Some(number), "{word}");
        }
        for bad in [
            "", "+", "01", "0_0", "_1", "1_", "1__0", "0x", "0x_1", "+0x1", "0X1", "0b2", "1a",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn floats_and_dates_are_told_from_integers() {
        for float in ["1.5", "-1e3", "1_0.0", "+inf", "nan", "6.626e-34", "1E9"] {
            assert_eq!(kind(float.as_bytes()), Some(Kind::Float), "{float}");
        }
        for date in ["1979-05-27", "07:32:00.999", "1979-05-27T07:32:00Z"] {
            assert_eq!(kind(date.as_bytes()), Some(Kind::Date), "{date}");
        }
        for integer in ["1", "0xe", "0xdead.beef", "-17", "1_0"] {
            assert_eq!(kind(integer.as_bytes()), Some(Kind::Integer), "{integer}");
        }
        assert_eq!(kind(b"True"), None);
    }
}
