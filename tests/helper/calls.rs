//! A word that makes system calls and says what they return.

use husk::plan::calls::named;
use husk::sys::probe::{self, Typing};
use husk::sys::start::stdin;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use std::ffi::OsString;
use std::io;

/// `CALL…`: `CALL ok` or `CALL errno N` for each. A call is a name or a number, which is called with all
/// arguments -1; `i386` and `x32` are getpid(2) there; `personality=N`, `socket=FAMILY`; `sti=HIGH` types a Q
/// into standard input, `linux=HIGH` asks TIOCLINUX, both with that upper half of the request.
pub fn make(words: &[OsString]) -> io::Result<()> {
    for word in words.iter().filter_map(|word| word.to_str()) {
        match called(word).ok_or_else(|| io::Error::other(word.to_owned()))? {
            Ok(_) => println!("{word} ok"),
            Err(errno) => println!("{word} errno {}", errno.raw_os_error()),
        }
    }
    Ok(())
}

fn called(word: &str) -> Option<Result<usize, Errno>> {
    if let Some((what, number)) = word.split_once('=') {
        let number = number.parse::<u32>().ok()?;
        return Some(match what {
            "personality" => probe::personality(number),
            "socket" => {
                let family = AddressFamily::from_raw(number.try_into().ok()?);
                socket(family, SocketType::STREAM, None).map(|_| 0)
            }
            "sti" => probe::type_into(stdin(), Typing::Sti, b'Q', number),
            "linux" => probe::type_into(stdin(), Typing::Linux, 0xff, number),
            _ => return None,
        });
    }
    match word {
        #[cfg(target_arch = "x86_64")]
        "i386" => Some(probe::i386_getpid()),
        #[cfg(target_arch = "x86_64")]
        "x32" => Some(probe::x32_getpid()),
        word => match word.parse() {
            Ok(number) => probe::idle(number),
            Err(_) => probe::idle(named(word).ok()?.0),
        },
    }
}
