//! What to do about a refusal, where nobody looks for its cause on the host (see [`Cause`]).
//!
//! [`Cause`]: super::cause::Cause

use super::doing::Doing;
use rustix::io::Errno;

/// The causes of `errno` in this step that can be mended, and how.
pub fn remedy(doing: Doing, errno: Option<Errno>) -> Option<&'static str> {
    Some(match (doing, errno?) {
        (Doing::CreateNamespaces, Errno::PERM) => {
            "a security module refuses, or the kernel is patched: see its log"
        }
        (Doing::CreateNamespaces, Errno::NOSYS) => {
            "a time namespace needs clone3(2), which is missing or filtered here: leave \"time\" out"
        }
        (Doing::SetLimit, Errno::PERM) => {
            "only the host's root can raise that (CAP_SYS_RESOURCE; nofile up to fs.nr_open): ask for no more, or raise it where you come from: limits.conf(5), LimitNOFILE= of systemd, docker run --ulimit"
        }
        (Doing::WriteMap, Errno::PERM | Errno::ACCESS) => {
            "without CAP_SETUID and CAP_SETGID only one's own id can be mapped: user_namespaces(7)"
        }
        (Doing::WriteMap, Errno::INVAL) => {
            "too many lines for this kernel (5 before 4.15), or ranges that it refuses: user_namespaces(7)"
        }
        (Doing::LackNamespace, _) => "this kernel does not have it",
        (Doing::Mount, Errno::PERM) => {
            "parts of /proc or /sys are hidden here, or it is not for user namespaces: bind the outer one (\"recursive_bind\")"
        }
        (Doing::Mount | Doing::MountOverlay, Errno::NODEV) => {
            "the kernel has no such file system, or not loaded: as root, modprobe it"
        }
        (Doing::MountOverlay, Errno::INVAL | Errno::PERM) => {
            "overlays need Linux 5.11 here, a root without mounts below it, and a directory for writes that is not on NFS or an overlay"
        }
        (Doing::OpenTarget, Errno::NOENT) => "create it, or say make_target = true",
        (Doing::OpenTarget | Doing::MakeTarget, Errno::LOOP) => {
            "a symbolic link is on the way: name the directory that is meant"
        }
        (Doing::OpenTarget | Doing::MakeTarget, Errno::NOTDIR) => {
            "a directory goes on a directory, a file on a file, and none is made through a link"
        }
        (Doing::MakeSymlink, Errno::ROFS) => {
            "links are made in a tmpfs or overlay only: mount one there first"
        }
        (Doing::WriteMap, Errno::TOOBIG) => "a map has less than 4096 bytes: user_namespaces(7)",
        (Doing::Underlay, Errno::MFILE) => "husk lays 16 of them at most",
        (Doing::SetMountFlags | Doing::Remount, Errno::PERM) => {
            "the host has locked the flags of this mount"
        }
        (Doing::ChangeIds, Errno::INVAL) => {
            "this id is not mapped into the container: --id-map auto, or --fake-chown"
        }
        (Doing::Execute, Errno::ACCESS) => "it has no execute permission, or is on a noexec mount",
        (Doing::Execute, Errno::NOENT) => {
            "it is not in the command's PATH, or not below the root directory"
        }
        (Doing::Execute, Errno::NOEXEC) => "it is neither a program for this machine nor a script",
        (Doing::ExecuteHusk, _) => "inside, it could be changed through /proc: copy it to nest it",
        (Doing::AdoptOrphans, _) => "they go to the next subreaper or to PID 1",
        (Doing::EndMachine, Errno::PERM) => "it needs CAP_SYS_BOOT",
        (Doing::InstallFilter | Doing::FakeChown, Errno::ACCESS) => {
            "without no_new_privs it takes CAP_SYS_ADMIN: leave out --allow-new-privs, or --seccomp off"
        }
        (Doing::ReadProgram, Errno::FBIG) => "it is larger than 4096 instructions of 8 bytes",
        (Doing::ReadProgram, Errno::INVAL) => "it must be a file, or the number of a descriptor",
        (Doing::ReadConfig, Errno::FBIG) => "it is larger than 65536 bytes",
        (doing, errno) => return of_confinement(doing, errno),
    })
}

/// Those in steps that confine the command.
fn of_confinement(doing: Doing, errno: Errno) -> Option<&'static str> {
    Some(match (doing, errno) {
        (Doing::EnterCgroup, Errno::ACCESS) => {
            "start husk in the subtree that is delegated to you: systemd-run --user --scope -p Delegate=yes husk ..."
        }
        (Doing::EnterCgroup, Errno::OPNOTSUPP) => {
            "the cgroup above has processes of its own, or threads: name another with --cgroup-parent"
        }
        (Doing::SetCgroup, Errno::NOENT) => "this kernel is built without it",
        (Doing::OpenRule, Errno::NOENT) => "paths are as the container has them",
        (Doing::Confine, Errno::PERM) => "Landlock needs no_new_privs",
        (Doing::Confine, Errno::TOOBIG) => "16 domains of Landlock in each other are the most",
        (Doing::ExecuteConfined, _) => {
            "it, what its #! line names, its dynamic linker and its libraries must all be below paths of `execute` (--landlock-rx)"
        }
        (Doing::DropCapabilities, Errno::PERM) => "it needs CAP_SETPCAP; or --cap-add ALL",
        (Doing::PreserveFd, Errno::BADF) => {
            "it is not open: --preserve-fds N is for those from 3 to N+2"
        }
        (Doing::JoinKeyring | Doing::LackKeyring, Errno::DQUOT) => {
            "you have as many keys as /proc/sys/kernel/keys/maxkeys allows"
        }
        _ => return None,
    })
}
