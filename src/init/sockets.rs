//! Sockets that were handed to husk and are meant for the command: sd_listen_fds(3) believes in them
//! only when LISTEN_PID is its own pid.

use crate::config::EnvChange;
use crate::plan::environment::{Environment, Inherit, build, get};
use crate::sys::exec::Words;
use crate::sys::storage::Storage;
use crate::text::{Decimal, parse_number};
use core::ffi::CStr;
use rustix::process::Pid;

/// The environment with LISTEN_PID to be filled in, by the one who knows its pid.
pub struct Sockets {
    environment: Environment<'static>,
    variable: [u8; NAME.len() + Decimal::MOST + 1],
}

const NAME: &[u8] = b"LISTEN_PID=";
static SOCKETS: Storage<Sockets> = Storage::new(Sockets {
    environment: Environment::new(),
    variable: [0; NAME.len() + Decimal::MOST + 1],
});

impl Sockets {
    /// Where LISTEN_PID names this process, `own_pid`: the rest of the environment.
    pub fn of(envp: Words<'static>, own_pid: Pid) -> Option<&'static mut Self> {
        let named = parse_number(get(envp, b"LISTEN_PID")?.to_bytes())?;
        if named != own_pid.as_raw_nonzero().get().unsigned_abs() {
            return None;
        }
        let sockets = SOCKETS.take()?;
        let without = [EnvChange::Unset(c"LISTEN_PID")].into_iter();
        let built = build(&mut sockets.environment, envp, Inherit::All, without);
        built.ok().map(|()| sockets)
    }

    /// The environment of process `pid`.
    pub fn of_process(&'static mut self, pid: Pid) -> Words<'static> {
        let number = Decimal::new(pid.as_raw_nonzero().get().unsigned_abs());
        let text = NAME.iter().chain(number.bytes());
        for (to, from) in self.variable.iter_mut().zip(text) {
            *to = *from;
        }
        let variable = CStr::from_bytes_until_nul(&self.variable).unwrap_or_default();
        let _ = self.environment.push(variable);
        self.environment.finish()
    }
}
