//! Everything that husk does and the kernel may refuse: the first half of a line.

use super::status::Status;
use crate::text::line;
use rustix::io::Errno;

/// Defines [`Doing`] together with the words that are printed for each.
macro_rules! doings {
    ($($(#[$doc:meta])* $name:ident: $words:literal,)*) => {
        /// What husk was doing when the kernel said no.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Doing { $($(#[$doc])* $name,)* }

        const ALL: &[Doing] = &[$(Doing::$name,)*];

        /// The words of all, a line each.
        const WORDS: &str = concat!($($words, "\n",)*);
    };
}

doings! {
    /// open(2) or read(2) of the configuration file.
    ReadConfig: "reading",
    /// rt_sigprocmask(2), rt_sigaction(2).
    BlockSignals: "blocking signals",
    /// prctl(2).
    DieWithParent: "asking to die with the parent process",
    /// socketpair(2).
    Connect: "connecting the supervisor and PID 1",
    /// /proc/self/cgroup.
    FindCgroup: "finding a cgroup for the container's",
    /// open(2) of the directory of one.
    OpenCgroup: "opening the cgroup",
    /// mkdir(2) of one.
    MakeCgroup: "making a cgroup in",
    /// cgroup.subtree_control.
    EnableController: "handing down the controller",
    /// Its files.
    SetCgroup: "setting the limit",
    /// cgroup.procs.
    EnterCgroup: "moving PID 1 to the cgroup",
    /// memory.events.
    OutOfMemory: "the container was at its memory limit, and the kernel has killed a process of it",
    /// setrlimit(2).
    SetLimit: "setting the limit",
    /// clone(2).
    CreateNamespaces: "creating namespaces:",
    /// The process in which `husk check` tries it was killed.
    Rehearse: "trying to make the container: killed by",
    /// setgroups, uid_map or gid_map of /proc/PID.
    WriteMap: "writing",
    /// execve(2) or waitpid(2) of newuidmap(1) or newgidmap(1).
    RunHelper: "running",
    /// waitpid(2) for one of them.
    WaitForHelper: "waiting for",
    /// newuidmap(1) or newgidmap(1) said no, in its own words.
    HelperRefused: "the id map was refused by",
    /// newuidmap(1) or newgidmap(1) was killed, and nobody knows what it has written.
    HelperKilled: "writing the id map:",
    /// newuidmap(1) or newgidmap(1), which nobody insisted on.
    LackRanges: "doing without your subordinate ids",
    /// write(2) to PID 1.
    OpenGate: "telling PID 1 to go on",
    /// read(2) from the supervisor.
    WaitAtGate: "waiting for the supervisor",
    /// waitpid(2) for PID 1.
    WaitForInit: "waiting for PID 1",
    /// wait4(2) for the command.
    WaitForCommand: "waiting for the command",
    /// PID 1 was killed, by the kernel's memory killer for example.
    InitKilled: "the container's PID 1 was killed by",
    /// setresuid(2), setresgid(2), setgroups(2).
    ChangeIds: "becoming",
    /// open(2) of the new root.
    OpenRoot: "opening the root directory",
    /// open(2) of the source of a bind or a move.
    OpenSource: "opening the source",
    /// openat2(2) of a mount point.
    OpenTarget: "opening the mount point",
    /// mkdirat(2) or openat(2) of a mount point.
    MakeTarget: "making the mount point",
    /// The tmpfs over the parent of a mount point that cannot be made.
    Underlay: "laying a tmpfs under the missing mount point",
    /// mount(2) that takes propagation off the host's mounts.
    MakeSlave: "cutting the propagation of mounts to the host",
    /// mount(2) of the root onto itself.
    BindRoot: "binding the root directory",
    /// mount(2) of an overlay.
    MountOverlay: "mounting an overlay over",
    /// mount(2) of a proc, which may be replaced.
    OuterProc: "doing with the outer processes in",
    /// clone(2) into a kind of namespace that may be left out.
    LackNamespace: "doing without a namespace:",
    /// mount(2) of a file system.
    Mount: "mounting",
    /// mount(2) with MS_BIND.
    Bind: "binding",
    /// mount(2) with MS_REMOUNT.
    Remount: "remounting",
    /// mount(2) with MS_SHARED and its like.
    SetPropagation: "changing the propagation of",
    /// mount(2) with MS_MOVE.
    Move: "moving",
    /// mount_setattr(2), or mount(2) with MS_REMOUNT and MS_BIND.
    SetMountFlags: "setting mount flags on",
    /// symlinkat(2).
    MakeSymlink: "making the symbolic link",
    /// Everything in a small /dev.
    MakeDev: "making the device",
    /// pivot_root(2) or chroot(2).
    EnterRoot: "entering the root directory",
    /// sethostname(2), setdomainname(2).
    SetName: "setting the host name",
    /// The ioctls of netdevice(7).
    RaiseLoopback: "bringing the loopback interface up",
    /// chdir(2).
    ChangeDirectory: "changing to the working directory",
    /// prctl(2) and capset(2).
    DropCapabilities: "dropping capabilities",
    /// fcntl(2) of one that `preserve_fds` names.
    PreserveFd: "keeping open descriptor",
    /// mount(2) over a part of /proc or /sys.
    Mask: "hiding",
    /// keyctl(2).
    JoinKeyring: "making a session keyring",
    /// keyctl(2), which nobody insisted on.
    LackKeyring: "doing with the caller's session keyring",
    /// open(2) or write(2) of a limit of namespaces(7).
    ForbidNesting: "forbidding user namespaces inside, in",
    /// prctl(2).
    SetNoNewPrivs: "setting no_new_privs",
    /// open(2) of a path that Landlock is to leave open.
    OpenRule: "opening for Landlock",
    /// The calls of landlock(7).
    Confine: "confining the command with Landlock",
    /// The same, where nobody insisted on it.
    LackLandlock: "doing without Landlock",
    /// open(2) or read(2) of a program for seccomp(2).
    ReadProgram: "reading the seccomp program",
    /// seccomp(2).
    InstallFilter: "installing the seccomp filter",
    /// seccomp(2) for the filter that nobody asked for.
    LackFilter: "doing without a seccomp filter",
    /// seccomp(2).
    FakeChown: "installing the filter of fake_chown",
    /// prctl(2).
    HideMemory: "hiding PID 1 from the container",
    /// clone(2) for the command.
    Spawn: "starting",
    /// prctl(2).
    AdoptOrphans: "becoming the parent of orphans",
    /// reboot(2).
    EndMachine: "ending the machine",
    /// execve(2).
    Execute: "running",
    /// execve(2) said ENOENT about a file that is there: its interpreter is not.
    FindInterpreter: "running",
    /// execve(2) under Landlock.
    ExecuteConfined: "running under Landlock",
    /// The command is husk's own file.
    ExecuteHusk: "running husk's own file",
}

impl Doing {
    /// Whether a refusal is about what this host allows at all.
    pub const fn is_the_hosts_to_allow(self) -> bool {
        matches!(
            self,
            Self::CreateNamespaces
                | Self::WriteMap
                | Self::LackNamespace
                | Self::Mount
                | Self::MountOverlay
                | Self::InitKilled
        )
    }

    /// The words.
    pub fn words(self) -> &'static str {
        line(WORDS, usize::from(self.code()))
    }

    /// What stands between two objects.
    pub const fn joint(self) -> &'static str {
        match self {
            Self::FindInterpreter => ": its interpreter is missing: ",
            Self::HelperRefused | Self::LackRanges => ": ",
            Self::HelperKilled => " was killed by SIG",
            Self::MakeSymlink | Self::Move => " to ",
            Self::EnableController | Self::SetCgroup => " in ",
            Self::SetLimit => ": the hard limit here is ",
            Self::ChangeIds => " ",
            _ => " on ",
        }
    }

    /// A number that stands for it on the way out of the container.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The step with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        ALL.get(usize::from(code)).copied()
    }

    /// The exit status when it is refused.
    pub fn status(self, errno: Option<Errno>) -> Status {
        match (self, errno) {
            (Self::Execute | Self::FindInterpreter, Some(Errno::NOENT)) => Status::NOT_FOUND,
            (
                Self::Execute | Self::ExecuteConfined | Self::FindInterpreter | Self::ExecuteHusk,
                _,
            ) => Status::NOT_EXECUTABLE,
            _ => Status::HUSK_FAILED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Doing, WORDS};

    #[test]
    fn every_step_survives_the_way_out_of_the_container() {
        for doing in ALL {
            assert_eq!(Doing::from_code(doing.code()), Some(*doing));
            assert_ne!(doing.words(), "");
        }
        assert_eq!(WORDS.lines().count(), ALL.len());
        assert_eq!(Doing::from_code(255), None);
    }
}
