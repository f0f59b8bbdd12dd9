//! What to do about a refusal: one table of causes.

use super::doing::Doing;
use rustix::io::Errno;

/// The causes of `errno` in this step that can be mended, and how.
pub fn remedy(doing: Doing, errno: Errno) -> Option<&'static str> {
    Some(match (doing, errno) {
        (Doing::CreateNamespaces, Errno::NOSPC | Errno::USERS) => {
            "a limit is reached: as root, sysctl -w user.max_user_namespaces=15000 (or another user.max_*_namespaces); or they are nested more than 32 deep"
        }
        (Doing::CreateNamespaces, Errno::PERM) => {
            "user namespaces are refused here: sysctl kernel.unprivileged_userns_clone=1 on Debian; in a container, run it without its seccomp profile; in a chroot, leave it"
        }
        (Doing::CreateNamespaces, Errno::INVAL) => {
            "this kernel lacks one of these namespaces, or has user namespaces switched off (CentOS 7: sysctl -w user.max_user_namespaces=15000)"
        }
        (Doing::CreateNamespaces, Errno::ACCESS) => {
            "a security module (AppArmor, SELinux) refuses user namespaces to this program"
        }
        (Doing::CreateNamespaces, Errno::NOSYS) => {
            "a time namespace needs clone3(2), which is missing or filtered here: leave \"time\" out"
        }
        (Doing::CreateNamespaces, Errno::AGAIN) => {
            "the limit on processes is reached: see ulimit -u"
        }
        (Doing::WriteMap, Errno::PERM | Errno::ACCESS) => {
            "the kernel lets an ordinary user map its own id only, without CAP_SETUID and CAP_SETGID: see user_namespaces(7)"
        }
        (Doing::WriteMap, Errno::INVAL) => {
            "this kernel takes fewer lines (5 before Linux 4.15) or refuses these ranges: see user_namespaces(7)"
        }
        (Doing::WriteMap, Errno::NOENT) => "husk needs /proc to be mounted",
        (Doing::Mount, Errno::PERM) => {
            "parts of /proc or /sys may be hidden here, or this file system is not for user namespaces: bind the outer one instead (option = \"recursive_bind\")"
        }
        (Doing::Mount | Doing::MountOverlay, Errno::NODEV) => {
            "the kernel has no such file system, or its module is not loaded: as root, modprobe it"
        }
        (Doing::MountOverlay, Errno::INVAL | Errno::PERM) => {
            "overlays in user namespaces need Linux 5.11, and a directory for writes that is not on NFS or an overlay"
        }
        (Doing::OpenTarget, Errno::NOENT) => "create it, or say make_target = true",
        (Doing::OpenTarget | Doing::MakeTarget, Errno::LOOP) => {
            "a symbolic link is on the way: name the directory that is meant"
        }
        (Doing::OpenTarget | Doing::MakeTarget, Errno::NOTDIR) => {
            "a directory goes on a directory and a file on a file, and no symbolic link is followed to make one"
        }
        (Doing::MakeSymlink, Errno::ROFS) => {
            "links are made in a tmpfs or overlay of the container only: mount one there first"
        }
        (Doing::OpenRoot, Errno::NOTDIR) => "a root is a directory",
        (Doing::SetMountFlags | Doing::Remount, Errno::PERM) => {
            "the host has locked the flags of this mount"
        }
        (Doing::ChangeIds, Errno::INVAL) => "this id is not mapped into the container",
        (Doing::Execute, Errno::ACCESS) => {
            "it is not a file with execute permission, or is on a file system mounted noexec"
        }
        (Doing::Execute, Errno::NOENT) => {
            "it is not in the PATH of the command's environment, or not below the root directory"
        }
        (Doing::Execute, Errno::NOEXEC) => "it is neither a program for this machine nor a script",
        (Doing::ExecuteHusk, _) => {
            "inside, it could be read and changed through /proc: copy it to another file to nest it"
        }
        (Doing::ReadConfig, Errno::ISDIR) => "it is a directory",
        (Doing::ReadConfig, Errno::FBIG) => "it is larger than 65536 bytes",
        _ => return None,
    })
}
