//! Containers that keep the host's tree, wholly or without some of the namespaces.

use crate::husk::Run;
use crate::processes;
use crate::world::{self, everybody};
use rustix::process::Signal;
use std::fs;

#[test]
fn the_command_starts_in_what_was_mounted_over_the_caller_s_directory() {
    for who in everybody() {
        let directory = who.dir("here");
        for flag in [
            &["--ro-bind", directory.text(), directory.text()][..],
            &["--tmpfs", directory.text()],
        ] {
            let run = Run::new(who).within(directory.path()).words(flag);
            let out = run.sh("pwd; touch made 2>/dev/null; exit 0").output();
            assert_eq!(out.succeeds(), format!("{}\n", directory.text()));
            assert_eq!(
                fs::read_dir(directory.path()).unwrap().count(),
                0,
                "{flag:?}"
            );
        }
    }
}

#[test]
fn read_only_is_refused_where_there_is_no_root_to_make_so() {
    for who in everybody() {
        let refused = Run::new(who).words(["--read-only"]).sh("true").output();
        refused.refuses(&["--read-only", "needs a new root"]);
    }
}

#[test]
fn the_last_word_about_the_network_counts() {
    let outer = fs::read_link("/proc/self/ns/net").unwrap();
    let outer = format!("{}\n", outer.display());
    for who in everybody() {
        let net = |words: &[&str]| {
            let run = Run::new(who).words(words).sh("readlink /proc/self/ns/net");
            run.output().succeeds() == outer
        };
        assert!(net(&["--network", "none", "--share-net"]));
        assert!(!net(&["--network", "host", "--unshare-net"]));
        assert!(net(&["--unshare-net", "--network", "host"]));
    }
}

#[test]
fn without_a_pid_namespace_the_command_still_dies_with_husk() {
    for who in everybody() {
        let mark = world::mark();
        let run = Run::new(who)
            .words(["--share-pid", "--"])
            .word(world::helper())
            .words(["hold", &mark]);
        let started = run.start();
        started.wait_for("ready");
        started.signal(Signal::KILL);
        processes::none_left(&mark);
    }
}
