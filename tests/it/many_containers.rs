//! A thousand after another and a hundred at once leave nothing.

use crate::husk::Run;
use crate::nothing_left::Before;
use crate::running::Started;
use crate::world::{self, Identity, NO_BUSYBOX, everybody};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

fn run(who: &Identity, root: &world::Dir, mark: &str) -> Run {
    Run::root(who, root)
        .words(["--unshare-net", "--hostname", "box", "--tmpfs", "/tmp"])
        .words(["--setenv", "MARK", mark])
}

#[test]
fn a_thousand_in_a_loop_leave_nothing() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let run = run(who, &root, &mark).helper(["argv", "41"]);
        // The first makes missing mount points, if it must; the others find them.
        run.output().succeeds();
        let before = Before::of(&[root.path()]);
        let files = open_files();
        let own = fs::read_dir("/proc/self/fd").unwrap().count();
        for _ in 0..1000 {
            assert_eq!(run.output().succeeds(), "34 31\n");
        }
        before.is_as_after(&mark);
        files_are_closed(files + 100);
        // Other tests run beside this one: a few more are theirs.
        assert!(fs::read_dir("/proc/self/fd").unwrap().count() < own + 50);
    }
}

#[test]
fn a_hundred_at_once_leave_nothing() {
    for who in everybody() {
        let root = or_skip!(who.root_dir(), "{NO_BUSYBOX}");
        let mark = world::mark();
        let run = run(who, &root, &mark).listening();
        run.clone().helper(["argv"]).output().succeeds();
        let before = Before::of(&[root.path()]);
        let run = run.sh("echo ready; read word; echo $word");
        let mut all: Vec<Started> = (0..100).map(|_| run.start()).collect();
        for started in &all {
            started.wait_for("ready");
        }
        for (number, started) in all.iter_mut().enumerate() {
            started.say(&format!("word-{number}\n"));
        }
        for (number, started) in all.into_iter().enumerate() {
            assert_eq!(
                started.finish().succeeds(),
                format!("ready\nword-{number}\n")
            );
        }
        before.is_as_after(&mark);
    }
}

/// The machine's open files: /proc/sys/fs/file-nr (proc_sys_fs(5)).
fn open_files() -> u64 {
    let text = fs::read_to_string("/proc/sys/fs/file-nr").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// A leak would be one per container at least. Others use files as well, so it may take a moment.
fn files_are_closed(most: u64) {
    let end = Instant::now() + Duration::from_secs(10);
    while open_files() > most {
        assert!(
            Instant::now() < end,
            "{} open files, there were {most}",
            open_files()
        );
        thread::sleep(Duration::from_millis(50));
    }
}
