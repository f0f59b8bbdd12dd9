//! Every key of the file: one table, which the reader, its suggestions and the README's test use.

use crate::text::words;

/// Keys at the top of the file.
pub const TOP: &str = "\
    namespaces, chroot_dir, root, read_only, overlay, working_dir, hostname, domainname, \
    uid, gid, id_map, uid_map, gid_map, mount, proc, network, command, env, clear_env, \
    new_session, die_with_parent, as_pid_1, fake_chown, no_new_privs, cap_add, cap_drop, mask, \
    new_keyring, preserve_fds, disable_userns, seccomp, seccomp_allow, seccomp_deny, init, limits, \
    landlock, cgroup";

/// Keys of a `[[uid_map]]` or `[[gid_map]]`.
pub const MAP: &str = "\
    inside, outside, count";

/// Keys of a `[[mount]]`.
pub const MOUNT: &str = "\
    option, source, target, filesystem_type, flags, data, make_target";

/// Keys of `[init]`: the options of `husk init` that are not about the command line itself.
pub const INIT: &str = "\
    group, all, rewrite, stop_signal, drain, grace, wait_all, remap_exit, warn_reaped, verbose, \
    subreaper, pdeathsig, single_child, no_tty, session, pause, boot, on_exit";

/// Words of a mount's `option`.
pub const OPTIONS: &str = "\
    mount, remount, shared, private, slave, unbindable, bind, recursive_bind, relocate";

/// The one of `known` that `found` is a slip of the pen for: at most a third of its letters differ.
pub fn nearest(found: &str, known: &'static str) -> Option<&'static str> {
    nearest_of(found, &mut words(known))
}

/// The same for words that do not stand in one list.
pub fn nearest_of(
    found: &str,
    known: &mut dyn Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let near = |name: &&'static str| distance(found.as_bytes(), name.as_bytes());
    let best = known.min_by_key(near)?;
    let allowed = best.len().max(found.len()).div_ceil(3);
    (near(&best) <= allowed).then_some(best)
}

/// The Levenshtein distance, for words of up to 63 bytes; longer ones are far from everything.
pub fn distance(left: &[u8], right: &[u8]) -> usize {
    const LONGEST: usize = 64;
    if left.len() >= LONGEST || right.len() >= LONGEST {
        return LONGEST;
    }
    let mut row = [0_usize; LONGEST];
    for (number, cell) in row.iter_mut().enumerate() {
        *cell = number;
    }
    for (number, letter) in left.iter().enumerate() {
        let mut diagonal = number;
        let mut before = number.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(right) {
            let replaced = diagonal.saturating_add(usize::from(letter != other));
            diagonal = *cell;
            *cell = replaced
                .min(before.saturating_add(1))
                .min(cell.saturating_add(1));
            before = *cell;
        }
    }
    row.get(right.len()).copied().unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{TOP, distance, nearest};

    #[test]
    fn a_slip_of_the_pen_finds_its_word() {
        assert_eq!(nearest("hostnme", TOP), Some("hostname"));
        assert_eq!(nearest("chrootdir", TOP), Some("chroot_dir"));
        assert_eq!(nearest("namespace", TOP), Some("namespaces"));
        assert_eq!(nearest("volumes", TOP), None);
    }

    #[test]
    fn a_distance_counts_letters() {
        assert_eq!(distance(b"kitten", b"sitting"), 3);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b"abc"), 0);
    }
}
