//! Which of several causes an errno has here: the kernel says EPERM for many.

use super::caller::Caller;
use super::files::for_each_line;
use super::mountinfo::Entry;
use super::subid::{self, Ranges};
use crate::fail::cause::Cause;
use crate::plan::namespace::NamespaceSet;
use crate::text::parse_number;
use core::ffi::CStr;
use rustix::fs::{
    AtFlags, CWD, StatVfsMountFlags, StatxAttributes, StatxFlags, getxattr, statat, statvfs, statx,
};
use rustix::io::Errno;
use rustix::process::{getgid, getuid};
use rustix::system::uname;

/// The number in a file of /proc or /sys.
pub fn number_in(path: &CStr) -> Option<u32> {
    let mut number = None;
    for_each_line(path, &mut |line| {
        number = number.or(parse_number(line.trim_ascii()));
    });
    number
}

/// The value of a field of /proc/self/status (proc_pid_status(5)), handed to `read`.
fn with_status<T>(name: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let mut found = None;
    for_each_line(c"/proc/self/status", &mut |line| {
        if let Some(value) = line.strip_prefix(name) {
            found = read(value.trim_ascii());
        }
    });
    found
}

/// Why clone(2) with CLONE_NEWUSER was refused.
pub fn of_clone(errno: Errno) -> Option<Cause> {
    let none_allowed = || number_in(c"/proc/sys/user/max_user_namespaces") == Some(0);
    match errno {
        Errno::PERM if is_chroot() => Some(Cause::Chroot),
        Errno::PERM if !is_mapped(getuid().as_raw()) => Some(Cause::UnmappedCaller),
        Errno::PERM if number_in(c"/proc/sys/kernel/unprivileged_userns_clone") == Some(0) => {
            Some(Cause::UsernsClone)
        }
        Errno::PERM if is_filtered() => Some(Cause::Seccomp),
        Errno::PERM => is_el7().then_some(Cause::El7Unprivileged),
        Errno::INVAL | Errno::NOSPC | Errno::USERS if none_allowed() => {
            Some(Cause::NoUsernsAllowed)
        }
        Errno::INVAL if is_el7() || is_missing(c"/proc/self/ns/user") => {
            Some(Cause::NoUserNamespaces)
        }
        Errno::INVAL => Some(Cause::NoSuchNamespace),
        Errno::NOSPC | Errno::USERS => Some(Cause::NamespaceLimit),
        Errno::ACCESS if number_in(c"/sys/fs/selinux/enforce") == Some(1) => Some(Cause::Selinux),
        Errno::ACCESS if is_missing(c"/sys/module/apparmor") => Some(Cause::SecurityModule),
        Errno::ACCESS => Some(Cause::Apparmor),
        Errno::AGAIN => Some(Cause::Processes),
        _ => None,
    }
}

/// Whether a limit of 0 forbids one of these kinds (namespaces(7), 4.9).
pub fn is_forbidden(namespaces: NamespaceSet) -> bool {
    const LIMITS: [(NamespaceSet, &CStr); 8] = [
        (NamespaceSet::USER, c"/proc/sys/user/max_user_namespaces"),
        (NamespaceSet::MOUNT, c"/proc/sys/user/max_mnt_namespaces"),
        (NamespaceSet::PID, c"/proc/sys/user/max_pid_namespaces"),
        (NamespaceSet::UTS, c"/proc/sys/user/max_uts_namespaces"),
        (NamespaceSet::IPC, c"/proc/sys/user/max_ipc_namespaces"),
        (NamespaceSet::NET, c"/proc/sys/user/max_net_namespaces"),
        (
            NamespaceSet::CGROUP,
            c"/proc/sys/user/max_cgroup_namespaces",
        ),
        (NamespaceSet::TIME, c"/proc/sys/user/max_time_namespaces"),
    ];
    let mut limits = LIMITS.iter().filter(|(kind, _)| namespaces.contains(*kind));
    limits.any(|(_, limit)| number_in(limit) == Some(0))
}

/// Why a map of one's own id, or the first mount, was refused.
pub fn of_restriction() -> Option<Cause> {
    let restricted = c"/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    if number_in(restricted) == Some(1) {
        return Some(Cause::ApparmorRestricts);
    }
    is_filtered().then_some(Cause::Seccomp)
}

/// Why mount(2) on the way to the root, or another call that needs no more than a namespace, was
/// refused.
#[cold]
pub fn of_mount(errno: Errno) -> Option<Cause> {
    match errno {
        Errno::NOENT => lacks_proc().then_some(Cause::NoProc),
        Errno::INVAL => is_chroot().then_some(Cause::Chroot),
        Errno::PERM | Errno::ACCESS => of_restriction(),
        _ => None,
    }
}

/// Why a proc of its own was refused: mounts over parts of the one that is there (mount_too_revealing
/// in the kernel's fs/namespace.c), or else a filter.
#[cold]
pub fn of_proc() -> Option<Cause> {
    let mut covered = 0_u32;
    for_each_line(c"/proc/self/mountinfo", &mut |line| {
        let point = Entry::of(line).map_or(&b""[..], |entry| entry.point);
        // That one is on every host, and on an empty directory, which hides nothing.
        let harmless = point == b"/proc/sys/fs/binfmt_misc";
        covered |= u32::from(point.starts_with(b"/proc/") && !harmless);
    });
    match covered {
        0 => of_restriction().or(Some(Cause::MaskedProc)),
        _ => Some(Cause::MaskedProc),
    }
}

/// Whether there is no /proc.
fn lacks_proc() -> bool {
    is_missing(c"/proc/self")
}

fn is_missing(path: &CStr) -> bool {
    statat(CWD, path, AtFlags::empty()).is_err()
}

/// Why newuidmap(1) at `helper` refuses, where it says no more than "Operation not permitted".
pub fn of_helper(helper: &CStr) -> Option<Cause> {
    if lacks_proc() {
        return Some(Cause::NoProc);
    }
    if with_status(b"NoNewPrivs:", parse_number) == Some(1) {
        return Some(Cause::NoNewPrivs);
    }
    if with_status(b"TracerPid:", parse_number).is_some_and(|tracer| tracer != 0) {
        return Some(Cause::Traced);
    }
    let stat = statat(CWD, helper, AtFlags::empty()).ok()?;
    let set_user_id = stat.st_mode & 0o4000 != 0;
    let mut value = [0_u8; 32];
    if !set_user_id && getxattr(helper, c"security.capability", &mut value[..]).is_err() {
        return Some(Cause::NoBits);
    }
    if statvfs(helper).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::NOSUID)) {
        return Some(Cause::NosuidMount);
    }
    if stat.st_uid == UNMAPPED {
        return Some(Cause::UnmappedHelper);
    }
    let bounding = with_status(b"CapBnd:", hexadecimal).unwrap_or(u64::MAX);
    if bounding & SETUID_AND_SETGID != SETUID_AND_SETGID {
        return Some(Cause::BoundingSet);
    }
    of_passwd()
}

/// Why newuidmap(1) refuses where it has every right: the ids are not the caller's.
#[cold]
pub fn of_ranges() -> Option<Cause> {
    let (mut subuid, mut subgid) = (Ranges::new(), Ranges::new());
    subid::of_caller(&Caller::current(), b"", &mut subuid, &mut subgid);
    Some(match subuid.is_empty() || subgid.is_empty() {
        true => Cause::NoRanges,
        false => Cause::OtherRanges,
    })
}

/// The overflow uid (proc_sys_kernel(5)).
const UNMAPPED: u32 = 65534;
/// CAP_SETGID and CAP_SETUID, 6 and 7 (capabilities(7)).
const SETUID_AND_SETGID: u64 = 0b1100_0000;

/// What newuidmap(1) asks of passwd(5) and subuid(5).
fn of_passwd() -> Option<Cause> {
    let mut group = None;
    for_each_line(c"/etc/passwd", &mut |line| {
        let mut fields = line.split(|byte| *byte == b':').skip(2);
        let uid = fields.next().and_then(parse_number);
        if group.is_none() && uid == Some(getuid().as_raw()) {
            group = fields.next().and_then(parse_number);
        }
    });
    let is_link = |path| {
        statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| stat.st_mode & 0o170_000 == 0o120_000)
    };
    match group {
        None => Some(Cause::NoName),
        Some(gid) if gid != getgid().as_raw() => Some(Cause::OtherGroup),
        Some(_) if is_link(c"/etc/subuid") || is_link(c"/etc/subgid") => Some(Cause::LinkedSubuid),
        Some(_) => None,
    }
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(number << 4 | u64::from(digit))
    })
}

/// Whether a seccomp filter is in force.
pub fn is_filtered() -> bool {
    with_status(b"Seccomp:", parse_number) == Some(2)
}

/// Whether no mount is the process's root: then it is in a chroot, or on an initramfs. Without /proc
/// statx(2) tells (5.8).
fn is_chroot() -> bool {
    let (mut lines, mut root) = (0_u32, 0_u32);
    for_each_line(c"/proc/self/mountinfo", &mut |line| {
        lines = lines.saturating_add(1);
        root |= u32::from(Entry::of(line).is_some_and(|entry| entry.point == b"/"));
    });
    if lines > 0 {
        return root == 0;
    }
    let told = statx(CWD, c"/", AtFlags::empty(), StatxFlags::empty()).map(|found| {
        let root = StatxAttributes::MOUNT_ROOT;
        found.stx_attributes_mask.contains(root) && !found.stx_attributes.contains(root)
    });
    told.unwrap_or(false)
}

/// Whether uid_map of this process's namespace has the id.
fn is_mapped(id: u32) -> bool {
    let (mut lines, mut mapped) = (0_u32, 0_u32);
    for_each_line(c"/proc/self/uid_map", &mut |line| {
        let mut fields = line
            .split(|byte| *byte == b' ')
            .filter(|field| !field.is_empty())
            .filter_map(parse_number);
        let (Some(first), Some(count)) = (fields.next(), fields.nth(1)) else {
            return;
        };
        lines = lines.saturating_add(1);
        mapped |= u32::from(id >= first && id - first < count);
    });
    mapped != 0 || (lines == 0 && id != UNMAPPED)
}

fn is_el7() -> bool {
    let name = uname();
    let release = name.release().to_bytes();
    release.windows(4).any(|window| window == b".el7")
}
