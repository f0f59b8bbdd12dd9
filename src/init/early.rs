//! What the terminal sends to husk's process group while the command is being born into it.
//!
//! The kernel gives a signal for a group that comes during clone(2) to both processes, and one that
//! comes before it to husk alone. Afterwards husk cannot tell them apart: so it takes those that are
//! there right before the clone for the command, and asks about those that are there right after it.

use crate::host::files::for_each_line;
use crate::plan::Session;
use crate::plan::rules::Rules;
use crate::sys::signal::{self, Origin, Patience, SignalSet, Target};
use crate::text::Decimal;
use core::ffi::CStr;
use heapless::Vec;
use rustix::process::{Pid, Signal, getpid};

/// Signals that were the command's, had it been there.
pub struct Early(List);

/// As many as there are to take.
type List = Vec<i32, 3>;

impl Early {
    /// What is there before the command is. What a process sent stays where it is: the rules say what
    /// becomes of it.
    pub fn before(rules: &Rules) -> Self {
        Self(match rules.session {
            Session::Husks => taken(),
            _ => Vec::new(),
        })
    }

    /// Sends them to the command, which was just started; with them what came between
    /// [`Early::before`] and the clone. Whether the command is about to be stopped.
    pub fn pass_on(self, rules: &Rules, command: Pid) -> bool {
        if rules.session != Session::Husks {
            return false;
        }
        let since = taken();
        let missed = since.iter().filter(|signal| !catches(command, **signal));
        for signal in self.0.iter().chain(missed) {
            let _ = signal::send(Target::Process(command), *signal);
        }
        let mut all = self.0.iter().chain(&since);
        all.any(|signal| *signal == Signal::TSTP.as_raw())
    }
}

/// Takes the signals of the terminal that wait.
fn taken() -> List {
    let set = SignalSet::of(&[Signal::INT, Signal::QUIT, Signal::TSTP]);
    let (mut of_terminal, mut of_others) = (List::new(), List::new());
    while let Ok(Some(received)) = signal::take(set, Patience::None) {
        let list = match received.origin {
            Origin::Process => &mut of_others,
            Origin::Kernel | Origin::Terminal => &mut of_terminal,
        };
        if list.push(received.signal).is_err() {
            break;
        }
    }
    for signal in of_others {
        let _ = signal::send(Target::Process(getpid()), signal);
    }
    of_terminal
}

/// Whether the command has a handler for the signal: SigCgt of proc_pid_status(5). Then it has got
/// this one, and would count a second. Who has none ends by the signal, or stops, or ignores it: that
/// is the same once or twice.
#[cold]
fn catches(command: Pid, signal: i32) -> bool {
    let number = Decimal::new(command.as_raw_nonzero().get().unsigned_abs());
    let mut path = [0_u8; 24];
    let text = b"/proc/".iter().chain(number.bytes()).chain(b"/status");
    for (to, from) in path.iter_mut().zip(text) {
        *to = *from;
    }
    let mut caught = 0_u64;
    for_each_line(
        CStr::from_bytes_until_nul(&path).unwrap_or_default(),
        &mut |line| {
            if let Some(set) = line.strip_prefix(b"SigCgt:") {
                let digits = core::str::from_utf8(set.trim_ascii()).unwrap_or_default();
                caught = u64::from_str_radix(digits, 16).unwrap_or(0);
            }
        },
    );
    caught >> signal.saturating_sub(1).clamp(0, 63) & 1 == 1
}
