//! What stands in the way on a host, and the command that mends it: the one table, for what fails at
//! run time and for `husk check`.

use crate::text::{line, split_once};

/// Defines [`Cause`] together with its table.
macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident: $line:literal,)*) => {
        /// A cause.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause { $($(#[$doc])* $name,)* }

        const ALL: &[Cause] = &[$(Cause::$name,)*];

        /// The cause and, after a `|`, the remedy, a line each.
        const TABLE: &str = concat!($($line, "\n",)*);
    };
}

causes! {
    /// kernel.unprivileged_userns_clone, of Debian and others.
    UsernsClone: "kernel.unprivileged_userns_clone is 0|sudo sysctl -w kernel.unprivileged_userns_clone=1",
    /// user.max_user_namespaces (namespaces(7)).
    NoUsernsAllowed: "user.max_user_namespaces is 0|sudo sysctl -w user.max_user_namespaces=15000",
    /// Another limit of namespaces(7), or the nesting.
    NamespaceLimit: "a limit on namespaces is reached|sudo sysctl -w user.max_user_namespaces=15000 (and the other user.max_*_namespaces); 32 levels are the most",
    /// The process's root is not a mount (user_namespaces(7), EPERM).
    Chroot: "husk runs in a chroot, where the kernel forbids it|run husk outside of it, or enter the tree with pivot_root",
    /// The caller's ids are not mapped (user_namespaces(7), EPERM).
    UnmappedCaller: "your uid is not mapped in this user namespace|map it (podman: --userns=keep-id; unshare: --map-root-user)",
    /// CentOS 7.4 and 7.5.
    El7Unprivileged: "CentOS 7 forbids it to users|sudo grubby --args=namespace.unpriv_enable=1 --update-kernel=ALL; reboot",
    /// No CONFIG_USER_NS.
    NoUserNamespaces: "this kernel has no user namespaces, or has them switched off|CentOS 7: sudo grubby --args=user_namespace.enable=1 --update-kernel=ALL; reboot",
    /// The other kinds need CAP_SYS_ADMIN (namespaces(7)).
    NoUserNamespace: "without a user namespace only root may do this|leave out --share-user",
    /// A kind of namespace that is younger than the kernel.
    NoSuchNamespace: "this kernel lacks one of them|leave it out",
    /// A container's seccomp profile.
    Seccomp: "a seccomp filter forbids it|docker, podman: --security-opt seccomp=unconfined (docker also: --security-opt systempaths=unconfined); Kubernetes: seccompProfile: {type: Unconfined}",
    /// The class user_namespace of SELinux.
    Selinux: "SELinux forbids it to this program|sudo ausearch -m avc -c husk, and allow user_namespace { create }",
    /// AppArmor 4.
    Apparmor: "AppArmor forbids it to this program|add the rule userns, to its profile",
    /// Another one.
    SecurityModule: "a security module forbids it|sudo dmesg, or the log of the module: it says which",
    /// Ubuntu since 23.10.
    ApparmorRestricts: "AppArmor takes the rights of user namespaces away|sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or a profile for husk with the rule userns,",
    /// RLIMIT_NPROC or pids.max.
    Processes: "the limit on processes is reached|raise ulimit -u, or the container's pids limit",
    /// newuidmap(1) is not there.
    NoHelper: "newuidmap and newgidmap are not installed|Debian: sudo apt install uidmap; Fedora, CentOS: sudo dnf install shadow-utils; Alpine: sudo apk add shadow-uidmap; or --id-map root, with --fake-chown for a package manager",
    /// no_new_privs(7).
    NoNewPrivs: "no_new_privs is set, so that newuidmap has no rights|start husk without it (Kubernetes: allowPrivilegeEscalation: true), or --id-map root",
    /// ptrace(2).
    Traced: "husk is being traced, so that newuidmap has no rights|trace as root (strace -u USER), or --id-map root",
    /// The set-user-ID bit or the file capability was lost.
    NoBits: "newuidmap has lost its set-user-ID bit|sudo chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap (Fedora, CentOS: sudo rpm --setcaps shadow-utils)",
    /// mount(8).
    NosuidMount: "newuidmap is on a nosuid mount|sudo mount -o remount,suid it, or --id-map root",
    /// The owner of newuidmap is not mapped here.
    UnmappedHelper: "newuidmap belongs to a user who is not mapped here|use the image's own copy, or --id-map root",
    /// CAP_SETUID is not in the bounding set.
    BoundingSet: "CAP_SETUID or CAP_SETGID is not in the bounding set|Kubernetes: capabilities: {add: [SETUID, SETGID]}, or --id-map root",
    /// subuid(5).
    NoRanges: "you have no ids in /etc/subuid and /etc/subgid|sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 YOU; or --fake-chown for a package manager",
    /// Others of subuid(5).
    OtherRanges: "these ids are not yours in /etc/subuid and /etc/subgid|getsubids YOU, getsubids -g YOU: say which are",
    /// passwd(5).
    NoName: "your uid has no line in /etc/passwd|add one, or --id-map root",
    /// The caller's gid is not the one of passwd(5).
    OtherGroup: "your group is not the one in /etc/passwd|leave newgrp or sg, or GRANT_AUX_GROUP_SUBIDS yes in /etc/login.defs",
    /// A symbolic link is not followed.
    LinkedSubuid: "/etc/subuid is a symbolic link, which newuidmap does not follow|make it a file",
    /// Mounts over parts of /proc.
    MaskedProc: "parts of /proc are hidden, so that there is no new one|husk: --mask none; podman: --security-opt unmask=ALL; docker: --security-opt systempaths=unconfined; Kubernetes: procMount: Unmasked",
    /// Mounts over parts of /sys, or another user namespace's network.
    MaskedSys: "a new sysfs needs a net namespace and a whole /sys|the outer one is bound",
    /// The module is not loaded, or old.
    NoOverlay: "no overlays for users: older than 5.11, or not loaded|sudo modprobe overlay",
    /// An initramfs.
    Initramfs: "the root is an initramfs, which cannot be pivoted away|husk uses chroot(2) instead",
    /// No /proc.
    NoProc: "/proc is not mounted|mount -t proc proc /proc",
    /// Old or without CONFIG_SECCOMP_FILTER.
    NoSeccomp: "this kernel has no seccomp filters, or hides them|use another kernel: --fake-chown needs them, --seccomp off does not",
    /// Before 5.13, or not in the list of LSMs.
    NoLandlock: "this kernel has no Landlock|Linux 5.13 or later, with lsm=landlock,...",
    /// Before 6.10, or 6.12.
    OldLandlock: "this kernel's Landlock cannot hold all of it|Linux 6.10 (6.12 for scope), or without `required` as much of it as there is",
    /// Version 1, or not delegated.
    NoCgroup: "no cgroup is delegated to you|systemd-run --user --scope -p Delegate=yes husk ...",
    /// Version 1, alone or with the controllers.
    NoCgroup2: "there is no cgroup hierarchy of version 2, or it has no controllers|boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 none /sys/fs/cgroup",
    /// The controllers belong to version 1, or the cgroup above has not handed them down.
    NoController: "the cgroup above does not hand that controller down|in /etc/systemd/system/user@.service.d/delegate.conf: [Service] Delegate=cpu cpuset io memory pids",
    /// No internal processes.
    BusyCgroup: "other processes are in that cgroup, so that it cannot be divided|systemd-run --user --scope -p Delegate=yes husk ..., or --cgroup-parent with one that has none",
    /// slirp4netns(1), pasta(1).
    NoNetworkHelper: "neither slirp4netns nor pasta is installed|Debian: sudo apt install slirp4netns; Fedora, CentOS: sudo dnf install slirp4netns",
    /// /dev/net/tun.
    NoTun: "/dev/net/tun cannot be opened|sudo modprobe tun; sudo chmod 666 /dev/net/tun; docker: --device /dev/net/tun",
    /// A program of the caller's that PID 1 is under as well.
    OwnProgram: "the seccomp program forbids what PID 1 does|let it do clone, rt_sigtimedwait, wait4, kill, close_range and exit_group (strace -f: the rest), or --as-pid-1",
    /// Where the root directory is.
    NoExec: "it is on a noexec mount|mount it without, or use another directory",
    /// mount(8).
    NoSuidRoot: "it is on a nosuid mount, so that no_new_privs = false is of no use|mount it without",
    /// A file system that other machines know nothing of subordinate ids on.
    Network: "it is on a network file system, whose server may refuse subordinate ids|--overlay tmpfs, or a local directory",
    /// The kernel is older.
    OldKernel: "this kernel is older, or a filter hides it|husk does it another way",
}

impl Cause {
    fn parts(self) -> (&'static str, &'static str) {
        split_once(line(TABLE, self as usize), b'|').unwrap_or_default()
    }

    /// What stands in the way.
    pub fn words(self) -> &'static str {
        self.parts().0
    }

    /// What mends it, to be pasted.
    pub fn remedy(self) -> &'static str {
        self.parts().1
    }

    /// A number that stands for it on the way out of the container; 0 is none.
    pub const fn code(self) -> u8 {
        (self as u8).wrapping_add(1)
    }

    /// The cause with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}
