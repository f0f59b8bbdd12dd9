//! The names of a UTS namespace.

use crate::fail::{Doing, Explain, Failed};
use crate::plan::Plan;
use rustix::system::{setdomainname, sethostname};

/// sethostname(2) and setdomainname(2).
pub fn set_names<'a>(plan: &Plan<'a>) -> Result<(), Failed> {
    if let Some(name) = plan.hostname {
        sethostname(name.to_bytes()).doing(Doing::SetName, name.to_bytes())?;
    }
    match plan.domainname {
        Some(name) => setdomainname(name.to_bytes()).doing(Doing::SetName, name.to_bytes()),
        None => Ok(()),
    }
}
