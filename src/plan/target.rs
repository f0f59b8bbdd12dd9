//! Targets of mounts: seen from inside a new root, or from outside.

use core::ffi::CStr;

/// Where a mount goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Below the new root, or the host's where that is kept, however many symbolic links and `..`
    /// are on the way.
    Inside(&'a CStr),
    /// On the host's tree, as the container's mount namespace has it before a new root is entered.
    Outside(&'a CStr),
}

impl<'a> Target<'a> {
    /// The name of a place that is in the new root directory itself.
    pub fn only_name(self) -> Option<&'a CStr> {
        let Self::Inside(path) = self else {
            return None;
        };
        let name = path.to_bytes_with_nul().strip_prefix(b"/")?;
        let name = CStr::from_bytes_with_nul(name).ok()?;
        let other =
            name.to_bytes().contains(&b'/') || matches!(name.to_bytes(), b"" | b"." | b"..");
        (!other).then_some(name)
    }

    /// The path.
    pub const fn path(self) -> &'a CStr {
        match self {
            Self::Inside(path) | Self::Outside(path) => path,
        }
    }

    /// A target as seen from outside, for the new root `chroot_dir`: what lies below that, spelled
    /// the same way, is inside. A path with `..` in it is left to the kernel.
    pub fn seen_from_outside(path: &'a CStr, chroot_dir: &CStr) -> Self {
        below(path, chroot_dir).map_or(Self::Outside(path), Self::Inside)
    }
}

/// `path` without its beginning `directory`; doubled and trailing slashes count for nothing.
pub fn below<'a>(path: &'a CStr, directory: &CStr) -> Option<&'a CStr> {
    let starts_at_root = |path: &CStr| path.to_bytes().first() == Some(&b'/');
    if starts_at_root(path) != starts_at_root(directory) {
        return None;
    }
    let mut rest = path.to_bytes_with_nul();
    for wanted in components(directory.to_bytes()) {
        let (found, after) = next_component(rest)?;
        if found != wanted {
            return None;
        }
        rest = after;
    }
    if components(path.to_bytes()).any(|name| name == b"..") {
        return None;
    }
    CStr::from_bytes_until_nul(rest).ok()
}

/// The names in a path, without empty ones and `.`.
pub fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
}

/// The first name in a path that ends in a NUL, and what follows it.
fn next_component(mut path: &[u8]) -> Option<(&[u8], &[u8])> {
    loop {
        let end = path.iter().position(|byte| *byte == b'/' || *byte == 0)?;
        let (name, rest) = path.split_at_checked(end)?;
        if !name.is_empty() && name != b"." {
            return Some((name, rest));
        }
        path = rest.strip_prefix(b"/")?;
    }
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn a_path_below_a_directory_is_found_however_it_is_spelled() {
        assert_eq!(below(c"/srv/root/proc", c"/srv/root"), Some(c"/proc"));
        assert_eq!(
            below(c"/srv//root/./proc/x", c"/srv/./root//"),
            Some(c"/./proc/x")
        );
        assert_eq!(below(c"root/proc", c"./root"), Some(c"/proc"));
        assert_eq!(below(c"/srv/root", c"/srv/root"), Some(c""));
        assert_eq!(below(c"/proc", c"/"), Some(c"/proc"));
    }

    #[test]
    fn what_only_looks_like_it_is_left_to_the_kernel() {
        assert_eq!(below(c"/srv/rootproc", c"/srv/root"), None);
        assert_eq!(below(c"/srv/root/../x", c"/srv/root"), None);
        assert_eq!(below(c"/srv", c"/srv/root"), None);
        assert_eq!(below(c"srv/root/x", c"/srv/root"), None);
    }
}
