//! Signals: blocked, waited for in one place, passed on with a word about where they came from.

use super::arch;
use super::check;
use super::child::Reaper;
use super::clock::Moment;
use super::idle;
use core::ptr;
use linux_raw_sys::general::{
    __NR_kill, __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigqueueinfo, __NR_rt_sigtimedwait,
    SIG_SETMASK, SIGCHLD, timespec,
};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

/// A set of signals, bit n - 1 being signal n, as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalSet(u64);

/// Bytes of the kernel's signal set: it has 64 signals.
pub(super) const SET_BYTES: usize = size_of::<u64>();

impl SignalSet {
    /// All 64. SIGKILL and SIGSTOP cannot be blocked; the kernel passes over them.
    pub const ALL: Self = Self(u64::MAX);
    /// None.
    pub const NONE: Self = Self(0);

    /// These.
    pub fn of(signals: &[Signal]) -> Self {
        let bit =
            |signal: &Signal| 1_u64 << (signal.as_raw().unsigned_abs().saturating_sub(1) & 63);
        Self(signals.iter().map(bit).fold(0, |set, bit| set | bit))
    }
}

/// Makes `set` the signal mask of this process and returns the old one: rt_sigprocmask(2).
pub fn set_mask(set: SignalSet) -> Result<SignalSet, Errno> {
    let mut old = 0_u64;
    let new: *const u64 = &raw const set.0;
    let place: *mut u64 = &raw mut old;
    let args = [
        SIG_SETMASK as usize,
        new as usize,
        place as usize,
        SET_BYTES,
        0,
        0,
    ];
    // SAFETY: both point to a set of the size that is given; the kernel reads one and writes the
    // other.
    check(unsafe { arch::syscall(__NR_rt_sigprocmask, args) })?;
    Ok(SignalSet(old))
}

/// Where a signal came from, as far as husk must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The kernel: the terminal, a descriptor, a fault.
    Kernel,
    /// husk's supervisor, about a signal that the terminal had sent to husk's own process group.
    Terminal,
    /// Some process.
    Process,
}

/// A signal that was waiting.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Its number, 1 to 64.
    pub signal: i32,
    /// Who sent it.
    pub origin: Origin,
    /// The pid of the process that sent it; 0 where that is outside of husk's PID namespace.
    pub sender: i32,
}

/// The fields of siginfo_t that are used, in their places (asm-generic/siginfo.h, 64 bits).
#[repr(C, align(8))]
struct Info {
    signal: i32,
    errno: i32,
    code: i32,
    padding: i32,
    pid: i32,
    uid: u32,
    value: usize,
    rest: [u64; 12],
}

impl Info {
    const fn new(signal: i32, code: i32, value: usize) -> Self {
        Self {
            signal,
            errno: 0,
            code,
            padding: 0,
            pid: 0,
            uid: 0,
            value,
            rest: [0; 12],
        }
    }
}

const SI_QUEUE: i32 = -1;
/// What the supervisor writes into si_value: "hsk" and a T.
const FROM_TERMINAL: usize = 0x6873_6b54;

/// Milliseconds without a signal after which husk is idle.
const SETTLED: u64 = 200;

/// For how long [`wait`] waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Only for what is there already.
    None,
    /// Until then.
    Until(Moment),
    /// For ever.
    Endless,
}

/// Waits for any signal: rt_sigtimedwait(2). Every signal must be blocked. `None` when the time is
/// up.
///
/// Whoever waits in vain for a moment gives back memory (see [`idle`]) and then sleeps in one call:
/// there are no further wake-ups.
pub fn wait(patience: Patience) -> Result<Option<Received>, Errno> {
    take(SignalSet::ALL, patience)
}

/// The same for the signals of `set` alone.
pub fn take(set: SignalSet, patience: Patience) -> Result<Option<Received>, Errno> {
    let left = match patience {
        Patience::None => 0,
        Patience::Until(moment) => moment.left(),
        Patience::Endless => u64::MAX,
    };
    let first = timed_wait(set, Some(left.min(SETTLED)), Memory::Kept);
    let received = match (first, patience) {
        (Err(Errno::AGAIN), Patience::Endless) => timed_wait(set, None, Memory::GivenBack(None)),
        (Err(Errno::AGAIN), Patience::Until(moment)) if left > SETTLED => {
            timed_wait(set, Some(moment.left()), Memory::GivenBack(None))
        }
        (first, _) => first,
    };
    in_time(received)
}

/// The same as [`wait`] without end, for who is woken by nothing but orphans: `reaper` sees to those.
/// At `once` it does so from the start.
pub fn wait_reaping(reaper: &mut Reaper, once: bool) -> Result<Option<Received>, Errno> {
    let first = match once {
        true => Err(Errno::AGAIN),
        false => timed_wait(SignalSet::ALL, Some(SETTLED), Memory::Kept),
    };
    let received = match first {
        Err(Errno::AGAIN) => timed_wait(SignalSet::ALL, None, Memory::GivenBack(Some(reaper))),
        first => first,
    };
    in_time(received)
}

fn in_time(received: Result<Received, Errno>) -> Result<Option<Received>, Errno> {
    match received {
        Ok(received) => Ok(Some(received)),
        Err(Errno::AGAIN) => Ok(None),
        Err(errno) => Err(errno),
    }
}

enum Memory<'a> {
    Kept,
    GivenBack(Option<&'a mut Reaper>),
}

#[inline(never)]
fn timed_wait(
    set: SignalSet,
    milliseconds: Option<u64>,
    memory: Memory<'_>,
) -> Result<Received, Errno> {
    let mut info = Info::new(0, 0, 0);
    let set: *const u64 = &raw const set.0;
    let place: *mut Info = &raw mut info;
    let milliseconds_left = milliseconds.unwrap_or(0);
    let time = timespec {
        tv_sec: i64::try_from(milliseconds_left / 1000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(milliseconds_left % 1000 * 1_000_000).unwrap_or(0),
    };
    let time: *const timespec = match milliseconds {
        Some(_) => &raw const time,
        None => ptr::null(),
    };
    let args = [set as usize, place as usize, time as usize, SET_BYTES, 0, 0];
    let returned = match memory {
        // SAFETY: the set has the size that is given, `Info` the 128 bytes of a siginfo_t, and the
        // time is a struct timespec or NULL.
        Memory::Kept => unsafe { arch::syscall(__NR_rt_sigtimedwait, args) },
        // SAFETY: likewise.
        Memory::GivenBack(reaper) => unsafe { idle::wait(args, reaper) },
    };
    check(returned)?;
    let origin = match info.code {
        SI_QUEUE if info.value == FROM_TERMINAL => Origin::Terminal,
        code if code > 0 => Origin::Kernel,
        _ => Origin::Process,
    };
    Ok(Received {
        signal: info.signal,
        origin,
        sender: info.pid,
    })
}

/// Sends `signal` to the child `pid` as one that the terminal had sent: rt_sigqueueinfo(2).
pub fn pass_on_from_terminal(pid: Pid, signal: i32) -> Result<(), Errno> {
    let info = Info::new(signal, SI_QUEUE, FROM_TERMINAL);
    let pointer: *const Info = &raw const info;
    let args = [
        number(pid),
        usize::try_from(signal).unwrap_or(0),
        pointer as usize,
        0,
        0,
        0,
    ];
    // SAFETY: `Info` has the 128 bytes of a siginfo_t, which the kernel reads.
    check(unsafe { arch::syscall(__NR_rt_sigqueueinfo, args) }).map(drop)
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// One process.
    Process(Pid),
    /// The process group that it leads.
    Group(Pid),
    /// husk's own process group.
    OwnGroup,
    /// Every process that may be signalled, but for husk and PID 1: for PID 1 alone.
    All,
}

/// Sends `signal`, a number up to 64 that may be a real-time one: kill(2).
pub fn send(target: Target, signal: i32) -> Result<(), Errno> {
    let whom = match target {
        Target::Process(pid) => number(pid),
        Target::Group(pid) => number(pid).wrapping_neg(),
        Target::OwnGroup => 0,
        Target::All => usize::MAX,
    };
    // SAFETY: no pointer is passed.
    let returned = unsafe {
        arch::syscall(
            __NR_kill,
            [whom, usize::try_from(signal).unwrap_or(0), 0, 0, 0, 0],
        )
    };
    check(returned).map(drop)
}

/// Stops as the terminal would: by `signal`, SIGTSTP, SIGTTIN or SIGTTOU, let through for a moment.
/// Whether somebody continued it: the kernel does not stop whom nobody could continue (an orphaned
/// process group).
pub fn stop(target: Target, signal: Signal) -> bool {
    let number = signal.as_raw();
    let continued = || {
        matches!(
            take(SignalSet::of(&[Signal::CONT]), Patience::None),
            Ok(Some(_))
        )
    };
    // A SIGCONT that is there already was meant for this stop; the kernel would forget it.
    if continued() {
        return true;
    }
    let _ = send(target, number);
    let _ = set_mask(SignalSet(!(1 << number.saturating_sub(1))));
    let _ = set_mask(SignalSet::ALL);
    // The SIGCONT that ended it has done its work: passed on, it would undo what comes after it.
    continued()
}

fn number(pid: Pid) -> usize {
    usize::try_from(pid.as_raw_nonzero().get()).unwrap_or(0)
}

/// struct sigaction as the kernel has it on x86_64 (with sa_restorer) and, a word longer than
/// needed, on aarch64: handler, flags, restorer or mask, mask.
#[repr(C)]
pub(super) struct Action(pub(super) [usize; 4]);

/// Gives SIGCHLD its default disposition: whoever starts husk may have it ignored, and then the
/// kernel would reap for us and keep the exit status to itself.
pub fn default_child_signal() -> Result<(), Errno> {
    let action = Action([0; 4]);
    let pointer: *const Action = &raw const action;
    let args = [SIGCHLD as usize, pointer as usize, 0, SET_BYTES, 0, 0];
    // SAFETY: `Action` is as long as the kernel's struct or longer, and all zero: SIG_DFL, no
    // flags, no restorer, an empty mask.
    check(unsafe { arch::syscall(__NR_rt_sigaction, args) }).map(drop)
}
