//! A cgroup of the container's own (cgroups(7)), made below one that is the caller's to divide.
//!
//! A cgroup that hands controllers down to its children has no processes of its own ("no internal
//! processes"), unless it is the topmost. So below the caller's own cgroup the supervisor makes room:
//! where it is the only process in it, as `systemd-run --scope` starts it, it moves into a child of
//! that cgroup, and back at the end. Other processes are never moved.
//!
//! The container is one level below the cgroup that has its limits. Root inside, whose files these are,
//! may mount the hierarchy of its own cgroup namespace: that begins below the limits, and so does not
//! show them, with the mount option nsdelegate and without.

mod directory;

use crate::fail::cause::Cause;
use crate::fail::{self, Doing, Explain, Failed, Failure};
use crate::host::cgroup::{CGROUP2_SUPER_MAGIC, is_alone, own};
use crate::limits::PATH_BYTES;
use crate::plan::cgroup::{Cgroup, Setting};
use crate::sys::clock;
use crate::sys::fd::Fd;
use crate::sys::open::openat;
use crate::text::{Decimal, Text};
use core::ffi::CStr;
use directory::{CONTAINER, Group, has_word, read, remove_stale, write};
use heapless::Vec;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, fstatfs, mkdirat};
use rustix::io::Errno;
use rustix::process::{Pid, getpid, getppid};

/// How often the removal is tried again of what has still a process that was just killed, and
/// milliseconds between.
const RETRIES: u32 = 100;
const PAUSE: u32 = 10;

/// The controllers that there may be to enable.
const CONTROLLERS: usize = 4;

/// The cgroup with the container's limits. Dropped, it is removed, with every process that is left in it.
pub struct Leaf {
    group: Group,
    parent: Parent,
}

impl Leaf {
    /// Makes it with its limits, and nobody in it.
    ///
    /// # Errors
    /// With the cgroup that is not the caller's to divide, and why not.
    pub fn make(wanted: &Cgroup<'_>) -> Result<Self, Failed> {
        let mut memory = [0_u8; PATH_BYTES];
        let path = match wanted.parent {
            Some(path) => path,
            None => own(&mut memory).ok_or_else(|| {
                let cause = Some(Cause::NoCgroup2);
                Failure::caused(Doing::FindCgroup, [b"", b""], None, cause)
            })?,
        };
        let mut parent = Parent {
            fd: open(path)?,
            aside: None,
            enabled: Vec::new(),
        };
        for setting in wanted.settings {
            let controller = setting.controller();
            parent.hand_down(controller).map_err(|errno| {
                refused(Doing::EnableController, controller.as_bytes(), path, errno)
            })?;
        }
        remove_stale(&parent.fd);
        let group = Group::make(&parent.fd, b"")
            .map_err(|errno| refused(Doing::MakeCgroup, b"", path, errno))?;
        let leaf = Self { group, parent };
        mkdirat(leaf.group.fd(), CONTAINER, Mode::from_raw_mode(0o755))
            .map_err(|errno| refused(Doing::MakeCgroup, b"", path, errno))?;
        for setting in wanted.settings {
            leaf.limit(setting, path)?;
        }
        Ok(leaf)
    }

    fn limit(&self, setting: &Setting, path: &CStr) -> Result<(), Failed> {
        let mut words = Text::<64>::new();
        setting.put_value(&mut words);
        let mut name = [0_u8; 24];
        for (to, from) in name.iter_mut().zip(setting.file().bytes()) {
            *to = from;
        }
        let file = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        let written = write(self.group.fd(), file, words.bytes());
        written.map_err(|errno| {
            let mut words = Text::<64>::new();
            setting.put(&mut words);
            refused(Doing::SetCgroup, words.bytes(), path, errno)
        })
    }

    /// Moves the process `pid` into it.
    pub fn place(&self, pid: Pid) -> Result<(), Failed> {
        let pid = Decimal::new(pid.as_raw_nonzero().get().unsigned_abs());
        let name = self.group.name().to_bytes();
        write(self.group.fd(), c"container/cgroup.procs", pid.bytes())
            .doing(Doing::EnterCgroup, name)
    }

    /// Removes it, and ends what is left in it, which can only be something without a PID namespace.
    fn remove(&self) {
        for retry in 0..RETRIES {
            match self.group.remove_from(&self.parent.fd) {
                Err(Errno::BUSY) => (),
                _ => return,
            }
            // Since Linux 5.14.
            if retry == 0 && write(self.group.fd(), c"cgroup.kill", b"1").is_err() {
                return;
            }
            clock::sleep(PAUSE);
        }
    }

    /// Whether the kernel has killed something in it for want of memory.
    fn was_out_of_memory(&self) -> bool {
        let mut memory = [0_u8; 256];
        read(self.group.fd(), c"memory.events", &mut memory).is_ok_and(|text| {
            let mut lines = text.split(|byte| *byte == b'\n');
            lines.any(|line| line.starts_with(b"oom_kill ") && line != b"oom_kill 0")
        })
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if self.was_out_of_memory() {
            fail::warn(Doing::OutOfMemory, [b"", b""], None, None);
        }
        self.remove();
    }
}

/// The cgroup that is divided, and what was changed for it. Dropped, it is put back.
struct Parent {
    fd: Fd,
    /// Where the supervisor went.
    aside: Option<Group>,
    /// What it has handed down since.
    enabled: Vec<&'static str, CONTROLLERS>,
}

impl Parent {
    /// Makes it hand down the controller; and steps aside for that where need be.
    ///
    /// The kernel lets a cgroup with processes hand down controllers for threads (pids, cpu), but then
    /// takes no process into its children (EOPNOTSUPP): so husk looks first.
    fn hand_down(&mut self, controller: &'static str) -> Result<(), Errno> {
        if has_word(&self.fd, c"cgroup.subtree_control", controller) {
            return Ok(());
        }
        if self.aside.is_none() && !is_topmost(&self.fd) && !has_only(&self.fd, [None; 2]) {
            if !has_only(&self.fd, [Some(getpid()), None]) {
                return Err(Errno::BUSY);
            }
            self.step_aside()?;
        }
        self.switch(b"+", controller)?;
        let _ = self.enabled.push(controller);
        Ok(())
    }

    fn switch(&self, sign: &[u8], controller: &str) -> Result<(), Errno> {
        let mut word: Vec<u8, 16> = Vec::new();
        let fits = word
            .extend_from_slice(sign)
            .and_then(|()| word.extend_from_slice(controller.as_bytes()));
        fits.map_err(|_| Errno::INVAL)?;
        write(&self.fd, c"cgroup.subtree_control", &word)
    }

    fn step_aside(&mut self) -> Result<(), Errno> {
        let group = Group::make(&self.fd, b".supervisor")?;
        let moved = write(group.fd(), c"cgroup.procs", b"0");
        if moved.is_err() {
            let _ = group.remove_from(&self.fd);
        } else {
            self.aside = Some(group);
        }
        moved
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // What it hands down stays where it may be of use to others by now.
        if let Some(aside) = &self.aside
            && directory::count(&self.fd) == 1
        {
            for controller in &self.enabled {
                let _ = self.switch(b"-", controller);
            }
            let _ = write(&self.fd, c"cgroup.procs", b"0");
            let _ = aside.remove_from(&self.fd);
        }
    }
}

fn open(path: &CStr) -> Result<Fd, Failed> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = openat(CWD, path, flags, Mode::empty()).doing(Doing::OpenCgroup, path.to_bytes())?;
    let found = fstatfs(&fd).doing(Doing::OpenCgroup, path.to_bytes())?;
    if found.f_type == CGROUP2_SUPER_MAGIC {
        return Ok(fd);
    }
    let cause = Some(Cause::NoCgroup2);
    let objects = [path.to_bytes(), b""];
    Err(Failure::caused(Doing::OpenCgroup, objects, None, cause))
}

/// Whether it is the topmost, which alone has no type.
fn is_topmost(group: &Fd) -> bool {
    accessat(group, c"cgroup.type", Access::EXISTS, AtFlags::empty()).is_err()
}

/// Whether there are no processes in the cgroup but these.
fn has_only(group: &Fd, allowed: [Option<Pid>; 2]) -> bool {
    let mut memory = [0_u8; 128];
    let is_allowed = |line: &[u8]| {
        let mut allowed = allowed.iter().flatten();
        line.is_empty()
            || allowed
                .any(|pid| Decimal::new(pid.as_raw_nonzero().get().unsigned_abs()).bytes() == line)
    };
    read(group, c"cgroup.procs", &mut memory)
        .is_ok_and(|text| text.split(|byte| *byte == b'\n').all(is_allowed))
}

#[cold]
fn of_missing_controller() -> Cause {
    match is_alone() {
        true => Cause::NoController,
        false => Cause::NoCgroup2,
    }
}

/// The failure with what stands behind it.
#[cold]
fn refused(doing: Doing, object: &[u8], path: &CStr, errno: Errno) -> Failed {
    let cause = match (doing, errno) {
        (_, Errno::ACCESS | Errno::PERM | Errno::ROFS) => Some(Cause::NoCgroup),
        (Doing::EnableController, Errno::BUSY) => Some(Cause::BusyCgroup),
        (Doing::EnableController, Errno::NOENT) => Some(of_missing_controller()),
        _ => None,
    };
    let objects = match object {
        b"" => [path.to_bytes(), object],
        object => [object, path.to_bytes()],
    };
    Failure::caused(doing, objects, Some(errno), cause)
}

/// Why limits with `wanted` could not be had, without trying: for `husk check`.
pub fn obstacle(wanted: Option<&Cgroup<'_>>) -> Result<(), (Cause, Option<Errno>)> {
    let mut memory = [0_u8; PATH_BYTES];
    let path = match wanted.and_then(|wanted| wanted.parent) {
        Some(path) => path,
        None => own(&mut memory).ok_or((Cause::NoCgroup2, None))?,
    };
    let parent = open(path).map_err(|failed| {
        let cause = failed.cause().unwrap_or(Cause::NoCgroup2);
        (cause, failed.errno())
    })?;
    for name in [c"cgroup.procs", c"."] {
        accessat(&parent, name, Access::WRITE_OK, AtFlags::empty())
            .map_err(|errno| (Cause::NoCgroup, Some(errno)))?;
    }
    let settings = wanted.map_or(&[][..], |wanted| wanted.settings);
    let mut needed = settings.iter().map(Setting::controller);
    let is_there = |controller| has_word(&parent, c"cgroup.controllers", controller);
    let is_handed_down = match settings {
        // Whichever: limits can be had.
        [] => ["memory", "pids", "cpu", "io"].into_iter().any(is_there),
        _ => needed.all(is_there),
    };
    if !is_handed_down {
        return Err((of_missing_controller(), None));
    }
    let mut needed = settings.iter().map(Setting::controller);
    let divided = needed.all(|controller| has_word(&parent, c"cgroup.subtree_control", controller));
    // The topmost has no type.
    let is_topmost = accessat(&parent, c"cgroup.type", Access::EXISTS, AtFlags::empty()).is_err();
    match divided && !settings.is_empty()
        || is_topmost
        || has_only(&parent, [Some(getpid()), getppid()])
    {
        true => Ok(()),
        false => Err((Cause::BusyCgroup, None)),
    }
}
