//! Whose call it is, and what is done there.

use nix::errno::Errno;

/// One of husk's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The one that the caller started.
    First,
    /// The clone of it: PID 1.
    Init,
    /// The nth that the first one starts to become newuidmap(1) or newgidmap(1).
    Helper(usize),
    /// The same, once it is that.
    Executed(usize),
    /// What PID 1, or the first where it is the init, starts: the command to be.
    Command,
}

/// The nth call of a name in a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub role: Role,
    pub name: String,
    pub nth: usize,
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Nothing: who looks for calls.
    Watch,
    /// The call is not made, and fails.
    Fail(Errno),
    /// SIGKILL for this one, which need not be the one that makes the call.
    Kill(Role),
    /// The same, and nobody must outlive it.
    KillAll(Role),
}
