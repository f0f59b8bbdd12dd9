//! Exit statuses: 125, 126, 127, 128 + n and the command's own, as env(1), docker(1) and podman(1)
//! have them.

/// An exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// It worked.
    pub const SUCCESS: Self = Self(0);
    /// husk itself failed; nothing of the command ran.
    pub const HUSK_FAILED: Self = Self(125);
    /// The command was found and is not executable.
    pub const NOT_EXECUTABLE: Self = Self(126);
    /// The command, or the interpreter that it names, was not found.
    pub const NOT_FOUND: Self = Self(127);

    /// Whether a process that ended with `code`, or by a signal, may have failed on husk's behalf.
    pub const fn is_of_failure(code: Option<i32>) -> bool {
        matches!(code, None | Some(125..=127))
    }

    /// 128 and the number of the signal that ended the command, real-time signals included.
    pub const fn killed_by(signal: i32) -> Self {
        let [low, ..] = signal.to_le_bytes();
        Self(low.wrapping_add(128))
    }

    /// What a process that ended with `code` gave to exit(3).
    pub const fn exited(code: i32) -> Self {
        let [low, ..] = code.to_le_bytes();
        Self(low)
    }
}
