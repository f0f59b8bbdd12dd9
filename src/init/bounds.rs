//! What the command may not exceed: taken on by its process right before it is executed, so that none
//! of it hinders PID 1.

use crate::plan::Plan;
use crate::plan::rlimit::Limit;
use crate::sys::limit;
use rustix::io::Errno;

/// The bounds of a command.
pub struct Bounds<'a> {
    limits: &'a [Limit],
}

impl<'a> Bounds<'a> {
    /// Those of the plan; `None` where it has none.
    pub const fn of(plan: &Plan<'a>) -> Option<Self> {
        if plan.limits.is_empty() {
            return None;
        }
        Some(Self {
            limits: plan.limits,
        })
    }

    /// Takes them on.
    ///
    /// # Errors
    /// The limit that the kernel refuses, by its name.
    pub fn enter(&self) -> Result<(), (&'static str, Errno)> {
        for limit in self.limits {
            limit::set(limit).map_err(|errno| (limit.name(), errno))?;
        }
        Ok(())
    }
}
