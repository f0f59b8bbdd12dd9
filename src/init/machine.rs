//! husk as the init of a machine: what a kernel's first process finds missing, and the end of it
//! all.

use super::voice::Voice;
use crate::fail::{Doing, Failure, Status};
use crate::plan::rules::OnExit;
use crate::sys::open::openat;
use core::ffi::CStr;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, statat, sync};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::setsid;
use rustix::system::{RebootCommand, reboot};

/// What is mounted, where, and with which flags.
const MOUNTS: [(&CStr, &CStr, MountFlags); 3] = [
    (c"proc", c"/proc", INERT),
    (c"sysfs", c"/sys", INERT),
    (
        c"devtmpfs",
        c"/dev",
        MountFlags::NOSUID.union(MountFlags::NOEXEC),
    ),
];

const INERT: MountFlags = MountFlags::NOSUID
    .union(MountFlags::NODEV)
    .union(MountFlags::NOEXEC);

/// Mounts /proc, /sys and /dev where nothing is mounted there, and opens /dev/console where the
/// kernel could not. What cannot be had is said and left.
pub fn boot(voice: Voice) {
    // A kernel's first process is in no session, and only one that leads one can have a terminal.
    let _ = setsid();
    for (kind, target, flags) in MOUNTS {
        if is_mounted(target) {
            continue;
        }
        let _ = mkdirat(CWD, target, Mode::from_raw_mode(0o755));
        if let Err(errno) = mount(kind, target, kind, flags, None::<&CStr>) {
            let (kind, target) = (kind.to_bytes(), target.to_bytes());
            voice.warns(Failure::record(Doing::Mount, kind, target, Some(errno)));
        }
    }
    for _ in 0..3 {
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        match openat(CWD, c"/dev/console", flags, Mode::empty()) {
            // One of the three streams: it stays.
            Ok(console) if console.number() < 3 => core::mem::forget(console),
            _ => break,
        }
    }
}

/// Whether another file system than that of `/` is there.
fn is_mounted(target: &CStr) -> bool {
    let device = |path| statat(CWD, path, AtFlags::empty()).map(|stat| stat.st_dev);
    match (device(c"/"), device(target)) {
        (Ok(root), Ok(target)) => root != target,
        _ => false,
    }
}

/// Says the exit status on the console and ends the machine. Returns where that is refused, which it
/// says as well.
pub fn end(action: OnExit, status: Status, voice: Voice) {
    voice.last_word(status.0);
    sync();
    let command = match action {
        OnExit::PowerOff => RebootCommand::PowerOff,
        OnExit::Reboot => RebootCommand::Restart,
        OnExit::Halt => RebootCommand::Halt,
    };
    let errno = reboot(command).err().unwrap_or(Errno::PERM);
    voice.warns(Failure::new(Doing::EndMachine, b"", errno));
}
