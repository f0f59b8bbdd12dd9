//! husk's own policy: what it says to each system call.
//!
//! # A list of what is refused, closed at its end
//! docker's policy is a list of what is allowed, and so are those that were written after it. It is the
//! safer kind where one knows the programs, or updates the list with the kernel. husk knows neither: it is a
//! file that somebody copied onto a host years ago, and inside there are package managers, debuggers,
//! other containers and whatever their users compile. What an allow list gives beside that is that calls
//! which nobody has heard of are closed; and this list gives it as well, for whatever is past the last
//! call that husk has a name for does not exist (ENOSYS). That is what programs hear on an older kernel,
//! and so what they are ready for. So each call that there was when husk was built has been decided about,
//! and no other one is let through.
//!
//! # What is refused
//! What is there to administer the one kernel that all containers share, or has no use in a container but
//! to attack it. What capabilities over the container's own namespaces are for stays, since Debians are
//! made and containers are nested in here: mount(2), pivot_root(2), unshare(2), setns(2), mknod(2),
//! chroot(2), sethostname(2), quotactl(2). So does what debuggers need: ptrace(2), process_vm_readv(2),
//! kcmp(2), and personality(2) as far as it takes randomness from one's own addresses. Before Linux 4.8 a
//! tracer could change a call after the filter had seen it; there it keeps nobody out who may trace.
//!
//! # Which answer
//! EPERM where a kernel says that to those who lack the right, for which programs are ready: perf(1) and
//! libbpf say that one needs privileges. ENOSYS where programs look for a call and do without: libuv and
//! its like without io_uring, runc(8) without a keyring of its own (EPERM is its end). clone3(2) is not looked
//! into, so that nothing has to say ENOSYS to it.
//!
//! # What the kernel makes of it
//! A search by halves: six or seven comparisons, where a list takes thirty. Since 5.11 the kernel asks a
//! new filter once about each call that there is, and never again about one that is allowed whatever its
//! arguments are. So it is the start for which it has to be short: on the machine that it was written on, a
//! list takes 50 us to install and this 25, of which a filter of one instruction takes 12. Then any filter
//! costs each call 30 ns, and this one another 20 for ioctl(2), socket(2) and personality(2).

use crate::config::{CallChange, Config};
use crate::plan::calls::{COUNT, Call, YOUNG};
use crate::plan::namespace::NamespaceSet;
use linux_raw_sys::general as nr;

/// What a call hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// The kernel's answer.
    #[default]
    Kernels,
    /// EPERM.
    NotPermitted,
    /// ENOSYS.
    NoSuchCall,
    /// EPERM to two requests of ioctl(2), else the kernel's answer.
    NoTyping,
    /// EPERM to what personality(2) can do harm with.
    HarmlessPersonality,
    /// EAFNOSUPPORT to some families of socket(2).
    NoFamily,
}

/// What each call hears.
pub struct Answers([Answer; COUNT]);

/// What administers the kernel, or sees it from behind. The kernel itself looks for capabilities over
/// the whole machine in most of it; a container of root's that has no user namespace has those.
const NOT_PERMITTED: &[u32] = &[
    // The clock of the machine. adjtimex(2) and clock_adjtime(2) are also how it is read, and what is meant
    // stands in memory, where no filter sees it: the kernel has to decide.
    nr::__NR_settimeofday,
    nr::__NR_clock_settime,
    nr::__NR_acct,
    nr::__NR_swapon,
    nr::__NR_swapoff,
    nr::__NR_init_module,
    nr::__NR_finit_module,
    nr::__NR_delete_module,
    nr::__NR_kexec_load,
    nr::__NR_kexec_file_load,
    // Ports of the machine.
    #[cfg(target_arch = "x86_64")]
    nr::__NR_iopl,
    #[cfg(target_arch = "x86_64")]
    nr::__NR_ioperm,
    // The kernel's log, with addresses of its own and news of everybody. Not syslog(3).
    nr::__NR_syslog,
    // Any file of a file system by its number, wherever one's root is.
    nr::__NR_open_by_handle_at,
    // Large, fond of CVEs, and off for users on many hosts, where they say EPERM as well.
    nr::__NR_bpf,
    nr::__NR_perf_event_open,
    // Stops the kernel where one likes in the middle of a copy, which is what exploits want it for.
    nr::__NR_userfaultfd,
];

/// What programs do without where it is missing, or what nobody calls any more.
const NO_SUCH_CALL: &[u32] = &[
    // Keys are not of a namespace: the session's are the caller's. request_key(2) has root run a program.
    nr::__NR_add_key,
    nr::__NR_request_key,
    nr::__NR_keyctl,
    // Makes calls of which a filter learns nothing, and is where most of the holes of its years were; docker
    // and Android have it closed. Whoever uses it has another way, for kernels before 5.1.
    nr::__NR_io_uring_setup,
    nr::__NR_io_uring_enter,
    nr::__NR_io_uring_register,
    // Gone since 6.7 and 5.5. Those that went before 3.10 (nfsservctl(2), create_module(2) and its like, and
    // vm86(2) and uselib(2), which 64 bits never had) hear it from every kernel.
    nr::__NR_lookup_dcookie,
    #[cfg(target_arch = "x86_64")]
    nr::__NR__sysctl,
];

impl Answers {
    /// Nothing is refused.
    pub const fn new() -> Self {
        Self([Answer::Kernels; COUNT])
    }

    /// What each call hears, from number 0.
    pub fn all(&self) -> impl Iterator<Item = Answer> {
        self.0.iter().copied()
    }

    /// What this one hears.
    pub fn of(&self, call: Call) -> Answer {
        let found = usize::try_from(call.0).ok().and_then(|at| self.0.get(at));
        found.copied().unwrap_or(Answer::NoSuchCall)
    }

    /// Says something else to one.
    pub fn set(&mut self, number: u32, answer: Answer) {
        if let Some(known) = usize::try_from(number)
            .ok()
            .and_then(|at| self.0.get_mut(at))
        {
            *known = answer;
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

/// Decides about each call: the policy, and the changes to it in their order.
pub fn decide(config: &Config<'_>, namespaces: NamespaceSet, answers: &mut Answers) {
    for number in NOT_PERMITTED {
        answers.set(*number, Answer::NotPermitted);
    }
    for number in NO_SUCH_CALL {
        answers.set(*number, Answer::NoSuchCall);
    }
    // In a PID namespace it ends that; otherwise the machine.
    if !namespaces.contains(NamespaceSet::PID) {
        answers.set(nr::__NR_reboot, Answer::NotPermitted);
    }
    answers.set(nr::__NR_ioctl, Answer::NoTyping);
    answers.set(nr::__NR_personality, Answer::HarmlessPersonality);
    answers.set(nr::__NR_socket, Answer::NoFamily);
    for change in config.calls.iter() {
        match change.value {
            CallChange::Allow(call) => answers.set(call.0, Answer::Kernels),
            CallChange::Deny(call) => answers.set(call.0, refusal(call)),
        }
    }
}

/// What whoever makes `call` expects to hear where it is refused: the C library goes another way when a
/// call is missing, and only then.
const fn refusal(call: Call) -> Answer {
    match call.0 < YOUNG {
        true => Answer::NotPermitted,
        false => Answer::NoSuchCall,
    }
}
