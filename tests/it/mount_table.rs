//! /proc/PID/mountinfo, read (proc_pid_mountinfo(5)).

/// One mount.
#[derive(Clone, Debug)]
pub struct Mount {
    pub place: String,
    /// Of the mount: `ro`, `nosuid` …
    pub flags: Vec<String>,
    /// `shared:1`, `master:1`, `unbindable` …
    pub propagation: Vec<String>,
    pub kind: String,
    pub source: String,
    /// Of the file system: `rw`, `size=64k` …
    pub options: Vec<String>,
}

/// Every mount, in the order of the kernel's.
#[derive(Clone, Debug)]
pub struct MountTable(pub Vec<Mount>);

impl MountTable {
    /// Reads what follows a line `mountinfo` in a program's output.
    pub fn after_mark(out: &str) -> Self {
        let (_, table) = out
            .split_once("mountinfo\n")
            .unwrap_or_else(|| panic!("no table: {out}"));
        Self::read(table)
    }

    pub fn read(text: &str) -> Self {
        Self(
            text.lines()
                .filter(|line| line.contains(" - "))
                .map(mount)
                .collect(),
        )
    }

    /// The topmost mount on a place.
    #[track_caller]
    pub fn on(&self, place: &str) -> &Mount {
        self.find(place)
            .unwrap_or_else(|| panic!("nothing on {place}: {:#?}", self.places()))
    }

    pub fn find(&self, place: &str) -> Option<&Mount> {
        self.0.iter().rev().find(|mount| mount.place == place)
    }

    pub fn places(&self) -> Vec<&str> {
        self.0.iter().map(|mount| mount.place.as_str()).collect()
    }
}

impl Mount {
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }

    #[track_caller]
    pub fn has_all(&self, flags: &[&str]) {
        for flag in flags {
            assert!(self.has(flag), "no {flag}: {self:?}");
        }
    }
}

fn mount(line: &str) -> Mount {
    let (front, back) = line.split_once(" - ").unwrap();
    let front: Vec<&str> = front.split(' ').collect();
    let back: Vec<&str> = back.split(' ').collect();
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    Mount {
        place: front[4].to_owned(),
        flags: list(front[5]),
        propagation: front[6..].iter().map(|text| (*text).to_owned()).collect(),
        kind: back[0].to_owned(),
        source: back[1].to_owned(),
        options: list(back[2]),
    }
}
