//! Which errnos each system call of a start may fail with: what ERRORS of its man page in section 2 lists.
//!
//! EPERM and ENOSYS are everywhere, for a seccomp filter may refuse any call with either. EFAULT is
//! nowhere: every pointer is husk's own.

use linux_raw_sys::general as nr;
use nix::errno::Errno;

/// Every call that a start is known to make or may come to make.
const NUMBERS: [(&str, u32); 98] = [
    ("accept4", nr::__NR_accept4),
    ("access", nr::__NR_access),
    ("add_key", nr::__NR_add_key),
    ("bind", nr::__NR_bind),
    ("bpf", nr::__NR_bpf),
    ("capget", nr::__NR_capget),
    ("capset", nr::__NR_capset),
    ("chdir", nr::__NR_chdir),
    ("chroot", nr::__NR_chroot),
    ("clone", nr::__NR_clone),
    ("clone3", nr::__NR_clone3),
    ("close", nr::__NR_close),
    ("close_range", nr::__NR_close_range),
    ("connect", nr::__NR_connect),
    ("dup3", nr::__NR_dup3),
    ("eventfd2", nr::__NR_eventfd2),
    ("execve", nr::__NR_execve),
    ("execveat", nr::__NR_execveat),
    ("exit", nr::__NR_exit),
    ("exit_group", nr::__NR_exit_group),
    ("faccessat", nr::__NR_faccessat),
    ("faccessat2", nr::__NR_faccessat2),
    ("fchdir", nr::__NR_fchdir),
    ("fcntl", nr::__NR_fcntl),
    ("flock", nr::__NR_flock),
    ("fsconfig", nr::__NR_fsconfig),
    ("fsmount", nr::__NR_fsmount),
    ("fsopen", nr::__NR_fsopen),
    ("fstat", nr::__NR_fstat),
    ("fstatfs", nr::__NR_fstatfs),
    ("getdents64", nr::__NR_getdents64),
    ("getegid", nr::__NR_getegid),
    ("geteuid", nr::__NR_geteuid),
    ("getgid", nr::__NR_getgid),
    ("getgroups", nr::__NR_getgroups),
    ("getpgid", nr::__NR_getpgid),
    ("getpid", nr::__NR_getpid),
    ("getppid", nr::__NR_getppid),
    ("getrandom", nr::__NR_getrandom),
    ("getsid", nr::__NR_getsid),
    ("getuid", nr::__NR_getuid),
    ("ioctl", nr::__NR_ioctl),
    ("keyctl", nr::__NR_keyctl),
    ("kill", nr::__NR_kill),
    ("landlock_add_rule", nr::__NR_landlock_add_rule),
    ("landlock_create_ruleset", nr::__NR_landlock_create_ruleset),
    ("landlock_restrict_self", nr::__NR_landlock_restrict_self),
    ("lseek", nr::__NR_lseek),
    ("madvise", nr::__NR_madvise),
    ("memfd_create", nr::__NR_memfd_create),
    ("mkdirat", nr::__NR_mkdirat),
    ("mknodat", nr::__NR_mknodat),
    ("mmap", nr::__NR_mmap),
    ("mount", nr::__NR_mount),
    ("mount_setattr", nr::__NR_mount_setattr),
    ("move_mount", nr::__NR_move_mount),
    ("mprotect", nr::__NR_mprotect),
    ("munmap", nr::__NR_munmap),
    ("nanosleep", nr::__NR_nanosleep),
    ("newfstatat", nr::__NR_newfstatat),
    ("open_tree", nr::__NR_open_tree),
    ("openat", nr::__NR_openat),
    ("openat2", nr::__NR_openat2),
    ("pidfd_open", nr::__NR_pidfd_open),
    ("pidfd_send_signal", nr::__NR_pidfd_send_signal),
    ("pipe2", nr::__NR_pipe2),
    ("pivot_root", nr::__NR_pivot_root),
    ("ppoll", nr::__NR_ppoll),
    ("prctl", nr::__NR_prctl),
    ("pread64", nr::__NR_pread64),
    ("prlimit64", nr::__NR_prlimit64),
    ("read", nr::__NR_read),
    ("readlinkat", nr::__NR_readlinkat),
    ("recvfrom", nr::__NR_recvfrom),
    ("rt_sigaction", nr::__NR_rt_sigaction),
    ("rt_sigprocmask", nr::__NR_rt_sigprocmask),
    ("rt_sigqueueinfo", nr::__NR_rt_sigqueueinfo),
    ("rt_sigreturn", nr::__NR_rt_sigreturn),
    ("rt_sigtimedwait", nr::__NR_rt_sigtimedwait),
    ("seccomp", nr::__NR_seccomp),
    ("sendto", nr::__NR_sendto),
    ("setdomainname", nr::__NR_setdomainname),
    ("setgroups", nr::__NR_setgroups),
    ("sethostname", nr::__NR_sethostname),
    ("setns", nr::__NR_setns),
    ("setpgid", nr::__NR_setpgid),
    ("setresgid", nr::__NR_setresgid),
    ("setresuid", nr::__NR_setresuid),
    ("setsid", nr::__NR_setsid),
    ("socket", nr::__NR_socket),
    ("socketpair", nr::__NR_socketpair),
    ("statfs", nr::__NR_statfs),
    ("statx", nr::__NR_statx),
    ("symlinkat", nr::__NR_symlinkat),
    ("umask", nr::__NR_umask),
    ("umount2", nr::__NR_umount2),
    ("uname", nr::__NR_uname),
    ("unlinkat", nr::__NR_unlinkat),
];

/// The others: an array has a limit of good taste.
const MORE_NUMBERS: [(&str, u32); 16] = [
    ("unshare", nr::__NR_unshare),
    ("wait4", nr::__NR_wait4),
    ("waitid", nr::__NR_waitid),
    ("write", nr::__NR_write),
    ("writev", nr::__NR_writev),
    ("fchmod", nr::__NR_fchmod),
    ("fchmodat", nr::__NR_fchmodat),
    ("fchmodat2", nr::__NR_fchmodat2),
    ("fchown", nr::__NR_fchown),
    ("fchownat", nr::__NR_fchownat),
    ("linkat", nr::__NR_linkat),
    ("renameat2", nr::__NR_renameat2),
    ("utimensat", nr::__NR_utimensat),
    ("clock_gettime", nr::__NR_clock_gettime),
    ("clock_nanosleep", nr::__NR_clock_nanosleep),
    ("dup", nr::__NR_dup),
];

/// Calls, a colon, their errnos. Each call has one line.
const ERRNOS: &str = "\
openat openat2: EACCES EAGAIN EBADF EBUSY EDQUOT EEXIST EFBIG EINTR EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOVERFLOW EROFS ETXTBSY EXDEV E2BIG
mount umount2 move_mount open_tree fsopen fsconfig fsmount mount_setattr: EACCES EAGAIN EBADF EBUSY EINVAL ELOOP EMFILE ENAMETOOLONG ENODEV ENOENT ENOMEM ENOSPC ENOTBLK ENOTDIR ENXIO EROFS
mkdirat mknodat symlinkat linkat renameat2: EACCES EBADF EDQUOT EEXIST EINVAL EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EROFS
flock: EBADF EINTR EINVAL ENOLCK EAGAIN
unlinkat fchmod fchmodat fchmodat2 fchown fchownat utimensat: EACCES EBADF EBUSY EINVAL EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR ENOTEMPTY EROFS
newfstatat fstat statx statfs fstatfs access faccessat faccessat2: EACCES EBADF EINTR EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW EROFS ETXTBSY
readlinkat: EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR
clone clone3: EAGAIN EACCES EEXIST EINVAL ENOMEM ENOSPC EUSERS
unshare setns: EBADF EINVAL ENOMEM ENOSPC EUSERS ESRCH
socket socketpair: EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT EOPNOTSUPP
sendto connect bind accept4: EACCES EAGAIN EBADF ECONNREFUSED ECONNRESET EDESTADDRREQ EINTR EINVAL EISCONN EMSGSIZE ENOBUFS ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE
recvfrom: EAGAIN EBADF ECONNREFUSED EINTR EINVAL ENOMEM ENOTCONN ENOTSOCK
setresuid setresgid setgroups: EAGAIN EINVAL ENOMEM
capget capset: EINVAL ESRCH
chdir fchdir chroot: EACCES EBADF EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR
pivot_root: EBUSY EINVAL ENOTDIR
close: EBADF EINTR EIO ENOSPC EDQUOT
close_range: EINVAL EMFILE ENOMEM
dup dup3 fcntl: EACCES EAGAIN EBADF EBUSY EDEADLK EINTR EINVAL EMFILE ENOLCK
pipe2 eventfd2 memfd_create pidfd_open: EINVAL EMFILE ENFILE ENODEV ENOMEM ESRCH
execve execveat: E2BIG EACCES EAGAIN EINVAL EIO EISDIR ELIBBAD ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOEXEC ENOMEM ENOTDIR ETXTBSY
read pread64: EAGAIN EBADF EINTR EINVAL EIO EISDIR ENXIO EOVERFLOW ESPIPE
write writev: EAGAIN EBADF EDESTADDRREQ EDQUOT EFBIG EINTR EINVAL EIO ENOSPC EPIPE
lseek getdents64: EBADF EINVAL ENOENT ENOTDIR ENXIO EOVERFLOW ESPIPE
ioctl: EBADF EINTR EINVAL EIO ENODEV ENOTTY
mmap mprotect munmap madvise: EACCES EAGAIN EBADF EINVAL EIO ENFILE ENODEV ENOMEM EOVERFLOW
nanosleep clock_nanosleep clock_gettime getrandom ppoll: EAGAIN EINTR EINVAL ENOMEM
prctl: EACCES EBADF EBUSY EINVAL ENODEV ENXIO EOPNOTSUPP EOVERFLOW
prlimit64: EINVAL ESRCH
seccomp bpf: EACCES EBUSY EINVAL ENOMEM ESRCH
landlock_create_ruleset landlock_add_rule landlock_restrict_self: E2BIG EBADF EBADFD EINVAL ENOMSG EOPNOTSUPP
keyctl add_key: EACCES EDQUOT EINVAL EKEYEXPIRED EKEYREVOKED ENOKEY ENOMEM EOPNOTSUPP
sethostname setdomainname: EINVAL ENAMETOOLONG
rt_sigaction rt_sigprocmask: EINVAL
rt_sigtimedwait: EAGAIN EINTR EINVAL
kill rt_sigqueueinfo pidfd_send_signal: EAGAIN EBADF EINVAL ESRCH
setpgid getpgid getsid setsid: EACCES EINVAL ESRCH
wait4 waitid: EAGAIN ECHILD EINTR EINVAL ESRCH
uname getgroups: EINVAL
";

/// Calls that never fail by their man page, and on which callers rely: getuid(2) and its like,
/// umask(2), getpid(2). The others do not return.
const INFALLIBLE: &str =
    "getuid geteuid getgid getegid getpid getppid umask exit exit_group rt_sigreturn";

/// The name of a call; its number where it is not known here.
pub fn name_of(number: u64) -> String {
    let all = NUMBERS.iter().chain(&MORE_NUMBERS);
    let found = all.clone().find(|(_, known)| u64::from(*known) == number);
    found.map_or_else(|| format!("call-{number}"), |(name, _)| (*name).to_owned())
}

/// Whether it can fail at all.
pub fn can_fail(name: &str) -> bool {
    !INFALLIBLE.split(' ').any(|other| other == name)
}

/// What it may fail with. `None` for a call that is in no line.
pub fn errnos_of(name: &str) -> Option<Vec<Errno>> {
    let (_, listed) = ERRNOS
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(names, _)| names.split(' ').any(|other| other == name))?;
    let all = listed.split(' ').chain(["EPERM", "ENOSYS"]);
    Some(all.map(named).collect())
}

fn named(name: &str) -> Errno {
    let all = (1..=133).map(Errno::from_raw);
    all.into_iter()
        .find(|errno| format!("{errno:?}") == name)
        .unwrap_or_else(|| panic!("no errno is called {name}"))
}
