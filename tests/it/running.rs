//! A started program that cannot hang the tests, and what came of it.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A program that runs; dropped, it is killed.
pub struct Started {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Stream,
    err: Stream,
    limit: Duration,
    described: String,
}

impl Started {
    pub fn new(mut command: Command, limit: Duration) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let described = format!("{command:?}");
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {described}: {error}"));
        let out = Stream::of(child.stdout.take().unwrap());
        let err = Stream::of(child.stderr.take().unwrap());
        Self {
            stdin: child.stdin.take(),
            child,
            out,
            err,
            limit,
            described,
        }
    }

    /// Its pid: husk's own, where nothing came before it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has printed this.
    pub fn wait_for(&self, text: &str) {
        let found = self.out.wait_until(self.limit, |got| got.contains(text));
        assert!(
            found,
            "waited for {text:?} of {}\nstdout: {}\nstderr: {}",
            self.described,
            self.out.text(),
            self.err.text()
        );
    }

    /// Waits until what it has printed is so, or its limit.
    pub fn wait_until(&self, condition: impl Fn(&str) -> bool) -> bool {
        self.out.wait_until(self.limit, condition)
    }

    /// What it has printed so far.
    pub fn so_far(&self) -> String {
        self.out.text()
    }

    /// What it has printed on standard error so far.
    pub fn complaints(&self) -> String {
        self.err.text()
    }

    /// Writes to its standard input.
    pub fn say(&mut self, text: &str) {
        self.stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(pid_of(&self.child), signal).unwrap();
    }

    /// Waits for its end; past its limit it is killed and the test fails.
    pub fn finish(mut self) -> Outcome {
        let status = self.wait().unwrap_or_else(|| {
            drop(self.child.kill());
            panic!(
                "still running after {:?}: {}\nstdout: {}\nstderr: {}",
                self.limit,
                self.described,
                self.out.text(),
                self.err.text()
            )
        });
        self.ended(status)
    }

    /// Waits for its end; past its limit, ends it by these means and by SIGKILL.
    pub fn finish_or(mut self, end_it: impl FnOnce()) -> Outcome {
        let status = self.wait().unwrap_or_else(|| {
            end_it();
            drop(self.child.kill());
            self.child.wait().unwrap()
        });
        self.ended(status)
    }

    fn ended(&self, status: ExitStatus) -> Outcome {
        let closed = self.out.wait_for_end() && self.err.wait_for_end();
        assert!(
            closed,
            "something holds its output open: {}",
            self.described
        );
        Outcome {
            status,
            stdout: self.out.text(),
            stderr: self.err.text(),
            described: self.described.clone(),
        }
    }

    /// Its status, or `None` past its limit.
    fn wait(&mut self) -> Option<ExitStatus> {
        let end = Instant::now() + self.limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > end {
                return None;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap()).unwrap()
}

/// What a program wrote, as it writes it.
pub struct Stream {
    shared: Arc<(Mutex<Got>, Condvar)>,
}

#[derive(Default)]
struct Got {
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    /// Reads in the background until the end.
    pub fn of(mut source: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Got::default()), Condvar::new()));
        let writer = Arc::clone(&shared);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let read = source.read(&mut buffer).unwrap_or(0);
                let mut got = writer.0.lock().unwrap();
                got.bytes.extend_from_slice(&buffer[..read]);
                got.ended = read == 0;
                writer.1.notify_all();
                if got.ended {
                    return;
                }
            }
        });
        Self { shared }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().unwrap().bytes).into_owned()
    }

    /// Whether what has come satisfies the condition within the limit.
    pub fn wait_until(&self, limit: Duration, condition: impl Fn(&str) -> bool) -> bool {
        let satisfied = |got: &Got| condition(&String::from_utf8_lossy(&got.bytes));
        let got = self.shared.0.lock().unwrap();
        let waited = self
            .shared
            .1
            .wait_timeout_while(got, limit, |got| !got.ended && !satisfied(got))
            .unwrap();
        satisfied(&waited.0)
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.shared.0.lock().unwrap().ended
    }

    /// Whether it ends within a few seconds.
    pub fn wait_for_end(&self) -> bool {
        let got = self.shared.0.lock().unwrap();
        let limit = Duration::from_secs(5);
        self.shared
            .1
            .wait_timeout_while(got, limit, |got| !got.ended)
            .unwrap()
            .0
            .ended
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub described: String,
}

impl Outcome {
    /// It left with this status.
    #[track_caller]
    pub fn ends_with(self, status: i32) -> Self {
        assert_eq!(self.status.code(), Some(status), "{self}");
        self
    }

    /// It left with status 0, and husk said nothing.
    #[track_caller]
    pub fn succeeds(self) -> String {
        assert_eq!(self.status.code(), Some(0), "{self}");
        assert!(!self.stderr.contains("husk: "), "{self}");
        self.stdout
    }

    /// husk itself failed: 125, and one line with these fragments.
    #[track_caller]
    pub fn refuses(self, fragments: &[&str]) -> String {
        assert_eq!(self.status.code(), Some(125), "{self}");
        assert_eq!(self.stdout, "", "{self}");
        self.says(fragments)
    }

    /// husk said one line, which has these fragments.
    #[track_caller]
    pub fn says(self, fragments: &[&str]) -> String {
        assert!(self.is_one_line_of_husk(), "not one line of husk's: {self}");
        for fragment in fragments {
            assert!(self.stderr.contains(fragment), "no {fragment:?} in: {self}");
        }
        self.stderr
    }

    /// Whether standard error is exactly one line of husk's.
    pub fn is_one_line_of_husk(&self) -> bool {
        self.stderr.starts_with("husk: ")
            && self.stderr.ends_with('\n')
            && self.stderr.lines().count() == 1
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let signal = self.status.signal();
        writeln!(
            out,
            "{}\nstatus: {:?} signal: {signal:?}",
            self.described,
            self.status.code()
        )?;
        write!(out, "stdout: {}\nstderr: {}", self.stdout, self.stderr)
    }
}
