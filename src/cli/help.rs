//! What `--help` and `--version` print; the flags come from their table.

use super::flags::{Does, Flag, RUN};
use crate::text::Text;

/// `husk --version`.
pub const VERSION: &str = concat!("husk ", env!("CARGO_PKG_VERSION"), "\n");

/// `husk --help`.
pub const HUSK: &str = "\
husk starts a command in an unprivileged Linux container and is its PID 1.

Usage:
  husk run [OPTIONS] [--] [COMMAND [ARGUMENT...]]
  husk run --help
  husk --version

A first try, with your own files:
  husk run -- sh -c 'id; ps'

Exit status: the command's; 128+N if signal N ended it; 127 if it was not found,
126 if it is not executable, 125 if husk itself failed.
";

const RUN_HEAD: &str = "\
Usage: husk run [OPTIONS] [--] [COMMAND [ARGUMENT...]]

Starts COMMAND (else the file's `command`, else /bin/sh) in new namespaces.
Settings come from the file given by -c, else from the first of ./husk.toml,
./.husk.toml, ~/.config/husk/config.toml, /etc/husk/config.toml; flags override.
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
    text.put(RUN_TAIL);
}

fn put_flag(text: &mut Text, flag: &Flag) {
    let before = text.bytes().len();
    text.put("  ");
    if flag.short != 0 {
        text.foreign(&[b'-', flag.short]);
        text.put(", ");
    }
    text.put(flag.name());
    if !flag.arguments().is_empty() {
        text.put(" ");
        text.put(flag.arguments());
    }
    if !flag.help().is_empty() {
        let used = text.bytes().len().saturating_sub(before);
        for _ in used..LEFT.max(used.saturating_add(2)) {
            text.put(" ");
        }
        text.put(flag.help());
    }
    text.put("\n");
}
