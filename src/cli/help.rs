//! What `--help` and `--version` print; the flags come from their table.

use super::flags::{Does, Flag, RUN};
use super::init::Ask;
use super::peer;
use crate::config::init::{InitOption, for_run, options};
use crate::fail::persona::Persona;
use crate::text::Text;
use rustix::fd::AsFd;

/// `husk --version`.
pub const VERSION: &str = concat!("husk ", env!("CARGO_PKG_VERSION"), "\n");

/// `husk --help`.
pub const HUSK: &str = "\
husk starts a command in an unprivileged Linux container and is its PID 1.

Usage:
  husk run [OPTIONS] [--] [COMMAND [ARGUMENT...]]
  husk init [OPTIONS] [--] COMMAND [ARGUMENT...]
  husk check [--json] [OPTIONS of husk run]
  husk run --help, husk init --help, husk check --help, husk --version

A first try, with your own files:
  husk run -- sh -c 'id; ps'

In a container of somebody else's, as its PID 1:
  ENTRYPOINT [\"/husk\", \"init\", \"--\"]

Exit status: the command's; 128+N if signal N ended it; 127 if it was not found,
126 if it is not executable, 125 if husk itself failed.
";

const RUN_HEAD: &str = "\
Usage: husk run [OPTIONS] [--] [COMMAND [ARGUMENT...]]

Starts COMMAND (else the file's `command`, else /bin/sh) in new namespaces.
Settings come from the file given by -c, else from the first of ./husk.toml,
./.husk.toml, ~/.config/husk/config.toml, /etc/husk/config.toml; flags override.
";

/// `husk check --help`.
pub const CHECK: &str = "\
Usage: husk check [--json] [OPTIONS of husk run]

Says what this host allows, what stands in the way, and what mends it; needs no
privilege and changes nothing. Then makes the container that the options and the
file describe, without running anything in it: status 0 if that works, else 1.

  husk check                    would `husk run` work here?
  husk check -c box.toml        is the file right, and can this host do it?
  husk check --json             the same for programs
";

const INIT_HEAD: &str = " \
    [OPTIONS] [--] COMMAND [ARGUMENT...]

Runs COMMAND as a child, reaps orphans, passes signals on, and ends with the
command's exit status: an init for containers, by husk.

";

const INIT_TAIL: &str = "
A terminating signal is TERM or INT from a process, or the HUP of a terminal
that hangs up; a second one ends the grace. Signals: numbers, TERM, RTMIN+1.
Options may stand in HUSK_INIT_OPTIONS too; tini's and dumb-init's variables
work as theirs do, and so does a link to husk named tini or dumb-init.
";

const RUN_TAIL: &str = "
Examples:
  husk run --root ~/debian                                a shell in there
  husk run --root /nfs/debian --overlay tmpfs -- make     leaves it unchanged
  husk run --cap-drop ALL --ro-bind / / --network none -- ./untrusted
  husk run -c box.toml --dry-run                          what would be done
";

/// Columns that the flags and their arguments take.
const LEFT: usize = 28;

/// Adds `husk run --help` to `text`.
pub fn put_run(text: &mut Text) {
    text.put(RUN_HEAD);
    for flag in RUN {
        match flag.does {
            Does::Heading => {
                text.put("\n");
                text.put(flag.name());
                text.put(":\n");
            }
            _ => put_flag(text, flag),
        }
    }
    text.put("\nPID 1:\n");
    for option in for_run() {
        put_option(text, option, Letter::Left);
    }
    text.put(RUN_TAIL);
}

fn put_flag(text: &mut Text, flag: &Flag) {
    let letter = [b'-', flag.short];
    let letter = if flag.short == 0 { &[] } else { &letter[..] };
    put_line(
        text,
        letter,
        ["", flag.name()],
        flag.arguments(),
        flag.help(),
    );
}

/// Whether an option's letter is worth a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Shown,
    Left,
}

fn put_option(text: &mut Text, option: InitOption, shown: Letter) {
    let letter = [b'-', option.letter];
    let letter = match shown {
        Letter::Shown if option.letter != b'-' => &letter[..],
        _ => &[],
    };
    put_line(
        text,
        letter,
        ["--", option.name],
        option.argument,
        option.help,
    );
}

/// One line: a letter, a name in two parts, its arguments, and what it is for.
#[inline(never)]
fn put_line(text: &mut Text, letter: &[u8], name: [&str; 2], arguments: &str, help: &str) {
    let before = text.bytes().len();
    text.put("  ");
    text.foreign(letter);
    if !letter.is_empty() && name != ["", ""] {
        text.put(", ");
    }
    for part in name {
        text.put(part);
    }
    if !arguments.is_empty() {
        text.put(" ");
        text.put(arguments);
    }
    if !help.is_empty() {
        let used = text.bytes().len().saturating_sub(before);
        for _ in used..LEFT.max(used.saturating_add(2)) {
            text.put(" ");
        }
        text.put(help);
    }
    text.put("\n");
}

/// What `husk init`, or the program that it stands in for, prints about itself.
#[inline(never)]
pub fn print_init(persona: Persona, ask: Ask, fd: impl AsFd) {
    let mut text = Text::new();
    match ask {
        Ask::License => text.put("husk: MIT OR Apache-2.0, at your choice.\n"),
        Ask::Version => {
            text.put(persona.version());
            text.put(env!("CARGO_PKG_VERSION"));
            text.put(if persona == Persona::Husk {
                "\n"
            } else {
                "_husk\n"
            });
        }
        Ask::Help | Ask::Run => {
            text.put("Usage: ");
            text.put(persona.name());
            text.put(INIT_HEAD);
            for option in options() {
                let long = peer::has_long(persona, option);
                if peer::has(persona, option.letter) && long {
                    put_option(&mut text, option, Letter::Shown);
                } else if peer::has(persona, option.letter) {
                    let letter = [b'-', option.letter];
                    put_line(&mut text, &letter, ["", ""], option.argument, option.help);
                }
            }
            if persona == Persona::Husk {
                text.put(INIT_TAIL);
            }
        }
    }
    text.write_to(fd);
}
