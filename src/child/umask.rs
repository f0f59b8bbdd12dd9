//! The caller's file mode creation mask, which is for the command and not for what husk makes.

use rustix::fs::Mode;
use rustix::process::umask;

/// It is taken away when something is made for the first time, which is seldom.
pub struct Umask(Option<Mode>);

impl Umask {
    /// The caller's.
    pub const fn of_caller() -> Self {
        Self(None)
    }

    /// What is made from now on gets the mode that it is made with.
    pub fn clear(&mut self) {
        self.0.get_or_insert_with(|| umask(Mode::empty()));
    }

    /// Gives it back.
    pub fn restore(self) {
        if let Some(mask) = self.0 {
            umask(mask);
        }
    }
}
