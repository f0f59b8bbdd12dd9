//! A cgroup of cgroup v2 in which containers get theirs, for tests that look at nothing but what is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Gone at the end.
pub struct Parent(PathBuf);

impl Parent {
    /// Makes it: as root, where there is cgroup v2.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let tops = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
        let top = tops
            .into_iter()
            .find(|top| top.join("cgroup.controllers").exists())?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = top.join(format!("husk-faults.{}.{number}", process::id()));
        fs::create_dir(&path).ok()?;
        Some(Self(path))
    }

    /// Its path.
    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Removes the cgroups that are left in it. Whether there were any.
    pub fn clear(&self) -> bool {
        let left = below(&self.0);
        for group in &left {
            for inner in below(group) {
                drop(fs::remove_dir(inner));
            }
            drop(fs::remove_dir(group));
        }
        !left.is_empty()
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        self.clear();
        drop(fs::remove_dir(&self.0));
    }
}

fn below(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}
