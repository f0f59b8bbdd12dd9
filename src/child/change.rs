//! Changes to what is mounted already.

use super::mount_flags;
use super::proc_fd::ProcFd;
use crate::plan::mount::MountFlags;
use crate::plan::operation::Propagation;
use crate::sys::fd::Fd;
use crate::sys::mount::Reach;
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::mount::{
    MountFlags as KernelFlags, MountPropagationFlags, mount_change, mount_remount,
};

/// Gives the mount at `target` other flags, and its file system other options.
pub fn remount(target: &Fd, data: Option<&CStr>, flags: MountFlags) -> Result<(), Errno> {
    if flags.contains(MountFlags::BIND) {
        return mount_flags::set(target.as_fd(), flags, Reach::One);
    }
    let bits = KernelFlags::from_bits_retain(flags.0);
    mount_remount(ProcFd::new(target).path(), bits, data.unwrap_or_default())
}

/// Changes the propagation of the mount at `target`.
pub fn propagation(target: &Fd, propagation: Propagation) -> Result<(), Errno> {
    mount_change(ProcFd::new(target).path(), propagation_flags(propagation))
}

const fn propagation_flags(propagation: Propagation) -> MountPropagationFlags {
    match propagation {
        Propagation::Shared => MountPropagationFlags::SHARED,
        Propagation::Private => MountPropagationFlags::PRIVATE,
        Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
        Propagation::Unbindable => MountPropagationFlags::UNBINDABLE,
    }
}
