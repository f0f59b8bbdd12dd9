//! Hard limits that have to rise: inside a user namespace nobody may raise one, not even the host's
//! root.

use crate::fail::{Doing, Explain, Failed, Failure};
use crate::plan::rlimit::{Limit, put_amount};
use crate::sys::limit;
use crate::text::Text;
use rustix::io::Errno;

/// Room for a name and two numbers.
type Words = Text<64>;

/// Raises the hard limits of this process, and so of what it will clone, to what `limits` ask for,
/// and leaves what is enforced as it is: that is for the command alone.
///
/// # Errors
/// EPERM without CAP_SYS_RESOURCE: nothing was started yet.
pub fn raise(limits: &[Limit]) -> Result<(), Failed> {
    for asked in limits {
        let mut words = Words::new();
        asked.put(&mut words);
        let has = limit::get(asked).doing(Doing::SetLimit, words.bytes())?;
        if asked.hard > has.hard {
            let raised = Limit {
                hard: asked.hard,
                ..has
            };
            limit::set(&raised).map_err(|errno| refused(words.bytes(), has, errno))?;
        }
    }
    Ok(())
}

#[cold]
fn refused(asked: &[u8], has: Limit, errno: Errno) -> Failed {
    let mut hard = Words::new();
    put_amount(&mut hard, has.hard);
    Failure::record(Doing::SetLimit, asked, hard.bytes(), Some(errno))
}
