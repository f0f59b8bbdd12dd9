//! The names of a UTS namespace.

use crate::fail::{Doing, Failed, Failure};
use crate::host::cause;
use crate::plan::Plan;
use rustix::io::Errno;
use rustix::system::{setdomainname, sethostname};

/// sethostname(2) and setdomainname(2).
pub fn set_names<'a>(plan: &Plan<'a>) -> Result<(), Failed> {
    if let Some(name) = plan.hostname {
        sethostname(name.to_bytes()).map_err(|errno| refused(name.to_bytes(), errno))?;
    }
    match plan.domainname {
        Some(name) => {
            setdomainname(name.to_bytes()).map_err(|errno| refused(name.to_bytes(), errno))
        }
        None => Ok(()),
    }
}

fn refused(name: &[u8], errno: Errno) -> Failed {
    let cause = cause::of_mount(errno);
    Failure::caused(Doing::SetName, [name, b""], Some(errno), cause)
}
