//! What the command may not exceed: taken on by its process right before it is executed, so that none
//! of it hinders PID 1.

use crate::fail::Doing;
use crate::plan::Plan;
use crate::plan::rlimit::Limit;
use crate::sys::landlock::Ruleset;
use crate::sys::limit;
use rustix::io::Errno;

/// The bounds of a command.
pub struct Bounds<'a> {
    limits: &'a [Limit],
    ruleset: Option<Ruleset>,
}

impl<'a> Bounds<'a> {
    /// Those of the plan; `None` where it has none.
    pub fn of(plan: &Plan<'a>, ruleset: Option<Ruleset>) -> Option<Self> {
        let limits = plan.limits;
        let any = !limits.is_empty() || ruleset.is_some();
        any.then_some(Self { limits, ruleset })
    }

    /// Whether the command's files are only those that rules of Landlock allow.
    pub const fn has_ruleset(&self) -> bool {
        self.ruleset.is_some()
    }

    /// Takes them on.
    ///
    /// # Errors
    /// The step that the kernel refuses, and the limit's name.
    pub fn enter(&self) -> Result<(), (Doing, &'static str, Errno)> {
        for limit in self.limits {
            limit::set(limit).map_err(|errno| (Doing::SetLimit, limit.name(), errno))?;
        }
        match &self.ruleset {
            Some(ruleset) => ruleset.enter().map_err(|errno| (Doing::Confine, "", errno)),
            None => Ok(()),
        }
    }
}
