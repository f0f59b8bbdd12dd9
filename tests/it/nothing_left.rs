//! What a container must leave as it found it: processes, mounts, files.

use crate::processes;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The state of the host before.
pub struct Before {
    mounts: String,
    trees: Vec<(PathBuf, Tree)>,
}

impl Before {
    /// Remembers the host's mounts and everything below these directories.
    pub fn of(directories: &[&Path]) -> Self {
        let trees = directories
            .iter()
            .map(|path| ((*path).to_owned(), tree(path)))
            .collect();
        Self {
            mounts: host_mounts(),
            trees,
        }
    }

    /// Compares: what is not as it was.
    pub fn is_the_same(&self) -> Result<(), String> {
        let mounts = host_mounts();
        if mounts != self.mounts {
            return Err(format!("the host's mounts have changed: {mounts}"));
        }
        let changed = self
            .trees
            .iter()
            .find(|(path, before)| tree(path) != *before);
        changed.map_or(Ok(()), |(path, _)| {
            Err(format!("{} has changed", path.display()))
        })
    }

    /// Compares, once no process has the mark any more.
    pub fn is_as_after(&self, mark: &str) {
        processes::none_left(mark);
        assert_eq!(host_mounts(), self.mounts, "the host's mounts have changed");
        for (path, before) in &self.trees {
            assert_same(path, before, &tree(path));
        }
    }
}

fn assert_same(path: &Path, before: &Tree, after: &Tree) {
    for (name, facts) in before {
        assert_eq!(
            after.get(name),
            Some(facts),
            "{} below {}",
            name.display(),
            path.display()
        );
    }
    for name in after.keys() {
        assert!(
            before.contains_key(name),
            "{} is new below {}",
            name.display(),
            path.display()
        );
    }
}

/// The mounts of the tests' own namespace.
pub fn host_mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// Path below the top → everything that a change would change.
pub type Tree = BTreeMap<PathBuf, String>;

/// Everything below a directory, and the directory itself.
pub fn tree(top: &Path) -> Tree {
    let mut found = Tree::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(data) = fs::symlink_metadata(&path) else {
            continue;
        };
        let facts = format!(
            "ino {} mode {:o} owner {}:{} size {} mtime {}.{} -> {:?}",
            data.ino(),
            data.mode(),
            data.uid(),
            data.gid(),
            data.size(),
            data.mtime(),
            data.mtime_nsec(),
            fs::read_link(&path).ok(),
        );
        found.insert(path.strip_prefix(top).unwrap().to_owned(), facts);
        if data.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten();
            waiting.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    found
}
