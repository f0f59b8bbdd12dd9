//! Signals by name, as kill(1) has them.

use crate::text::{parse_number, words};

/// The names of 1 to 31 (signal(7)), the same on x86_64 and aarch64.
const NAMES: &str = "HUP, INT, QUIT, ILL, TRAP, ABRT, BUS, FPE, KILL, USR1, SEGV, USR2, PIPE, ALRM, \
    TERM, STKFLT, CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, XCPU, XFSZ, VTALRM, PROF, WINCH, IO, PWR, SYS";

/// The last signal.
pub const LAST: u8 = 64;

/// The first real-time signal that a C library leaves to programs (signal(7)).
const RTMIN: u8 = 34;

/// The number of `word`: 0 to 64, `TERM`, `SIGTERM`, `RTMIN+3`, `RTMAX-1`; in small letters as well,
/// as kill(1) has it.
pub fn number(word: &str) -> Option<u8> {
    let word = after("SIG", word).unwrap_or(word);
    let number = if let Some(rest) = after("RTMIN", word) {
        RTMIN.checked_add(offset(rest, "+")?)
    } else if let Some(rest) = after("RTMAX", word) {
        LAST.checked_sub(offset(rest, "-")?)
    } else if let Some(place) = words(NAMES).position(|name| name.eq_ignore_ascii_case(word)) {
        return u8::try_from(place.saturating_add(1)).ok();
    } else {
        u8::try_from(parse_number(word.as_bytes())?).ok()
    };
    let real_time = after("RT", word).is_some();
    number.filter(|number| *number <= LAST && (*number >= RTMIN || !real_time))
}

/// What follows `prefix`, in letters of either size.
fn after<'w>(prefix: &str, word: &'w str) -> Option<&'w str> {
    let (beginning, rest) = word.split_at_checked(prefix.len())?;
    beginning.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn offset(rest: &str, sign: &str) -> Option<u8> {
    match rest {
        "" => Some(0),
        rest => u8::try_from(parse_number(rest.strip_prefix(sign)?.as_bytes())?).ok(),
    }
}

/// The name of signal `number` without SIG; `None` for a real-time one.
pub fn name(number: i32) -> Option<&'static str> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    words(NAMES).nth(place)
}

#[cfg(test)]
mod tests {
    use super::{name, number};

    #[test]
    fn a_signal_has_a_name_and_a_number() {
        for (word, wanted) in [
            ("TERM", 15),
            ("SIGTERM", 15),
            ("sigterm", 15),
            ("Usr1", 10),
            ("rtmin+1", 35),
            ("15", 15),
            ("SYS", 31),
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("RTMAX-1", 63),
            ("64", 64),
            ("0", 0),
        ] {
            assert_eq!(number(word), Some(wanted));
        }
        for word in [
            "", "65", "SIG", "TERMS", "RTMIN+31", "RTMAX-31", "RTMIN-1", "-1", "RTMAX+1",
        ] {
            assert_eq!(number(word), None);
        }
        assert_eq!(
            (name(1), name(31), name(34)),
            (Some("HUP"), Some("SYS"), None)
        );
    }
}
