//! A word that is another host: its kernel is older, or a seccomp profile or a security module is in
//! force there.

use husk::sys::seccomp::{ALLOW, ERRNO, Instruction as I, NATIVE, install};
use linux_raw_sys::general as nr;
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// `[-k VERSION] [--clone ERRNO] [--mount ERRNO] [--pivot ERRNO] [--call NUMBER=ERRNO] [--kill NUMBER]
/// [--docker] [--no-filters] [--no-new-privs] [--as UID:GID] -- PROGRAM ARGUMENT…`: becomes the program on that host.
///
/// Root's filter does without no_new_privs, so that set-user-ID programs work for whom it becomes.
pub fn become_program(words: &[OsString]) -> io::Result<()> {
    let mut filter = vec![I::load_abi(), I::equal(NATIVE, 1, 0), I::verdict(ALLOW)];
    filter.push(I::load_number());
    let (mut ids, mut privileges) = (None, true);
    let mut words = words.iter();
    while let Some(word) = words.next().and_then(|word| word.to_str()) {
        let mut value = || words.next().and_then(|word| word.to_str());
        match word {
            "-k" => kernel(&mut filter, value().ok_or_else(wrong)?),
            "--clone" => no_namespaces(&mut filter, nr::CLONE_NEWUSER, errno(value())?),
            "--mount" => refuse(&mut filter, &MOUNTS, errno(value())?),
            "--pivot" => refuse(&mut filter, &[nr::__NR_pivot_root], errno(value())?),
            "--call" => {
                let (number, name) = value()
                    .and_then(|text| text.split_once('='))
                    .ok_or_else(wrong)?;
                refuse(
                    &mut filter,
                    &[number.parse().map_err(|_| wrong())?],
                    errno(Some(name))?,
                );
            }
            "--kill" => {
                let number = value().and_then(|text| text.parse().ok());
                filter.push(I::equal(number.ok_or_else(wrong)?, 0, 1));
                filter.push(I::verdict(KILL_PROCESS));
            }
            "--docker" => {
                no_namespaces(&mut filter, ANY_NAMESPACE, Errno::PERM);
                refuse(&mut filter, &MOUNTS, Errno::PERM);
                refuse(&mut filter, &PRIVILEGED, Errno::PERM);
            }
            "--no-filters" => {
                refuse(&mut filter, &[nr::__NR_seccomp], Errno::INVAL);
                let set_seccomp = I::equal(PR_SET_SECCOMP, 0, 1);
                filter.extend(for_first_argument(
                    nr::__NR_prctl,
                    set_seccomp,
                    Errno::INVAL,
                ));
            }
            "--no-new-privs" => privileges = false,
            "--as" => ids = Some(pair(value()).ok_or_else(wrong)?),
            "--" => break,
            _ => return Err(wrong()),
        }
    }
    filter.push(I::verdict(ALLOW));
    if !privileges || !rustix::process::geteuid().is_root() {
        set_no_new_privs(true).map_err(system)?;
    }
    install(&filter).map_err(system)?;
    if let Some((uid, gid)) = ids {
        set_thread_groups(&[]).map_err(system)?;
        set_thread_res_gid(gid, gid, gid).map_err(system)?;
        set_thread_res_uid(uid, uid, uid).map_err(system)?;
    }
    let program = words.next().ok_or_else(wrong)?;
    Err(Command::new(program).args(words).exec())
}

/// rustix knows nothing of std here.
pub fn system(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.raw_os_error())
}

fn wrong() -> io::Error {
    io::Error::other("[-k VERSION] [--clone ERRNO] … -- PROGRAM")
}

fn pair(text: Option<&str>) -> Option<(Uid, Gid)> {
    let (uid, gid) = text?.split_once(':')?;
    Some((
        Uid::from_raw(uid.parse().ok()?),
        Gid::from_raw(gid.parse().ok()?),
    ))
}

fn errno(name: Option<&str>) -> io::Result<Errno> {
    Ok(match name {
        Some("EPERM") => Errno::PERM,
        Some("EACCES") => Errno::ACCESS,
        Some("EINVAL") => Errno::INVAL,
        Some("ENOSPC") => Errno::NOSPC,
        Some("EUSERS") => Errno::USERS,
        Some("EAGAIN") => Errno::AGAIN,
        Some("ENOSYS") => Errno::NOSYS,
        Some("ENODEV") => Errno::NODEV,
        _ => return Err(wrong()),
    })
}

/// SECCOMP_RET_KILL_PROCESS.
const KILL_PROCESS: u32 = 0x8000_0000;

/// Calls of mount(2) and of the mount API.
const MOUNTS: [u32; 10] = [
    nr::__NR_mount,
    nr::__NR_umount2,
    nr::__NR_pivot_root,
    nr::__NR_open_tree,
    nr::__NR_move_mount,
    nr::__NR_fsopen,
    nr::__NR_fsconfig,
    nr::__NR_fsmount,
    nr::__NR_fspick,
    nr::__NR_mount_setattr,
];

/// What else docker's profile lets nobody do without CAP_SYS_ADMIN and its like.
const PRIVILEGED: [u32; 16] = [
    nr::__NR_unshare,
    nr::__NR_setns,
    nr::__NR_sethostname,
    nr::__NR_setdomainname,
    nr::__NR_keyctl,
    nr::__NR_add_key,
    nr::__NR_request_key,
    nr::__NR_bpf,
    nr::__NR_perf_event_open,
    nr::__NR_quotactl,
    nr::__NR_swapon,
    nr::__NR_swapoff,
    nr::__NR_reboot,
    nr::__NR_syslog,
    nr::__NR_settimeofday,
    nr::__NR_fanotify_init,
];

const ANY_NAMESPACE: u32 = nr::CLONE_NEWUSER
    | nr::CLONE_NEWNS
    | nr::CLONE_NEWPID
    | nr::CLONE_NEWUTS
    | nr::CLONE_NEWIPC
    | nr::CLONE_NEWNET
    | nr::CLONE_NEWCGROUP;

/// PR_SET_SECCOMP (prctl(2)).
const PR_SET_SECCOMP: u32 = 22;

/// PR_CAP_AMBIENT (prctl(2)).
const PR_CAP_AMBIENT: u32 = 47;

const EL7: u8 = 1;
const EL8: u8 = 2;
const BOTH: u8 = EL7 | EL8;

/// Calls, the first and the last; the version that has them, 5.10 being 510; and whose older kernels
/// have them as well. What Red Hat's have beyond their documents is a guess.
const CALLS: [(u32, u32, u32, u8); 22] = [
    (nr::__NR_sched_setattr, nr::__NR_sched_getattr, 314, BOTH),
    (nr::__NR_renameat2, nr::__NR_renameat2, 315, BOTH),
    (nr::__NR_seccomp, nr::__NR_memfd_create, 317, BOTH),
    (nr::__NR_bpf, nr::__NR_bpf, 318, BOTH),
    (nr::__NR_execveat, nr::__NR_execveat, 319, EL8),
    (nr::__NR_userfaultfd, nr::__NR_userfaultfd, 403, BOTH),
    (nr::__NR_membarrier, nr::__NR_membarrier, 403, BOTH),
    (nr::__NR_mlock2, nr::__NR_mlock2, 404, BOTH),
    (
        nr::__NR_copy_file_range,
        nr::__NR_copy_file_range,
        405,
        BOTH,
    ),
    (nr::__NR_preadv2, nr::__NR_pwritev2, 406, EL8),
    (nr::__NR_statx, nr::__NR_statx, 411, EL8),
    (424, 427, 501, EL8),
    (428, 433, 502, EL8),
    (434, 435, 503, EL8),
    (436, 436, 509, EL8),
    (437, 438, 506, 0),
    (439, 439, 508, EL8),
    (440, 440, 510, 0),
    (441, 441, 511, 0),
    (442, 442, 512, 0),
    (443, 447, 514, 0),
    (448, 999, 515, 0),
];

/// What a kernel of that version has not.
fn kernel(filter: &mut Vec<I>, version: &str) {
    let (number, backports) = match version {
        "el7" => (310, EL7),
        "el8" => (418, EL8),
        version => {
            let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
            let number = |text: &str| text.parse::<u32>().unwrap_or(0);
            (number(major) * 100 + number(minor), 0)
        }
    };
    for (first, last, since, backported) in CALLS {
        if since > number && backported & backports == 0 {
            filter.extend([
                I::at_least(first, 0, 2),
                I::at_least(last + 1, 1, 0),
                verdict(Errno::NOSYS),
            ]);
        }
    }
    for call in [nr::__NR_clone, nr::__NR_unshare] {
        if number < 406 {
            filter.extend(for_first_argument(
                call,
                I::any_bit(nr::CLONE_NEWCGROUP, 0, 1),
                Errno::INVAL,
            ));
        }
    }
    if number < 506 && backports != EL8 {
        let time = I::any_bit(nr::CLONE_NEWTIME, 0, 1);
        filter.extend(for_first_argument(nr::__NR_unshare, time, Errno::INVAL));
    }
    if number < 403 && backports != EL7 {
        let ambient = I::equal(PR_CAP_AMBIENT, 0, 1);
        filter.extend(for_first_argument(nr::__NR_prctl, ambient, Errno::INVAL));
    }
}

/// clone3(2) is missing where clone(2) is looked at: no filter sees what it is asked for.
fn no_namespaces(filter: &mut Vec<I>, flags: u32, errno: Errno) {
    for call in [nr::__NR_clone, nr::__NR_unshare] {
        filter.extend(for_first_argument(call, I::any_bit(flags, 0, 1), errno));
    }
    refuse(filter, &[nr::__NR_clone3], Errno::NOSYS);
}

fn refuse(filter: &mut Vec<I>, calls: &[u32], errno: Errno) {
    for call in calls {
        filter.extend([I::equal(*call, 0, 1), verdict(errno)]);
    }
}

/// Refuses the call where `test` of its first argument goes on after itself.
fn for_first_argument(call: u32, test: I, errno: Errno) -> [I; 5] {
    [
        I::equal(call, 0, 4),
        I::load_argument(0),
        test,
        verdict(errno),
        I::load_number(),
    ]
}

fn verdict(errno: Errno) -> I {
    I::verdict(ERRNO | errno.raw_os_error().unsigned_abs())
}
