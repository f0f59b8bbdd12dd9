//! Ends the processes of a traced run that do not end by themselves, and says where they stood.

use crate::errnos::name_of;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Looks after processes until it is asked what it found.
pub struct Watchdog(Arc<Mutex<Watch>>);

struct Watch {
    until: Instant,
    pids: BTreeSet<Pid>,
    /// Who was there when the time was up.
    found: Vec<String>,
    over: bool,
}

impl Watchdog {
    /// One that has patience for so long.
    pub fn new(limit: Duration) -> Self {
        let watch = Arc::new(Mutex::new(Watch {
            until: Instant::now() + limit,
            pids: BTreeSet::new(),
            found: Vec::new(),
            over: false,
        }));
        let own = Arc::clone(&watch);
        thread::spawn(move || end_in_time(&own));
        Self(watch)
    }

    /// One more process.
    pub fn add(&self, pid: Pid) {
        self.0.lock().unwrap().pids.insert(pid);
    }

    /// One that has ended: its number may be another's.
    pub fn remove(&self, pid: Pid) {
        self.0.lock().unwrap().pids.remove(&pid);
    }

    /// Ends its watch: whom it had to end, and where they were.
    pub fn found(&self) -> Vec<String> {
        let mut watch = self.0.lock().unwrap();
        watch.over = true;
        watch.found.clone()
    }
}

fn end_in_time(watch: &Mutex<Watch>) {
    loop {
        thread::sleep(Duration::from_millis(20));
        let mut watch = watch.lock().unwrap();
        if watch.over {
            return;
        }
        if Instant::now() > watch.until {
            let Watch { pids, found, .. } = &mut *watch;
            for pid in pids.iter() {
                found.extend(where_it_is(*pid));
                let _gone = kill(*pid, Signal::SIGKILL);
            }
        }
    }
}

/// Its state, and the call that it is in (proc_pid_syscall(5)).
fn where_it_is(pid: Pid) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let word = call.split(' ').next().unwrap_or_default();
    let name = word.trim_end().parse().map(name_of);
    Some(format!("{stat:.40} in {name:?} {call}"))
}
