//! Hosts with limits on namespaces, and callers whose ids are not mapped.

use crate::husk::Run;
use crate::skip;
use crate::world::{self, Identity, everybody};

/// In a user namespace of its own first, whose limits are nobody else's.
fn with_limit(run: Run, kind: &str, limit: u32) -> Run {
    run.after("exec 2>&1").through([
        "unshare",
        "-Ur",
        "/bin/sh",
        "-c",
        &format!("echo {limit} >/proc/sys/user/max_{kind}_namespaces; exec \"$@\""),
        "sh",
    ])
}

/// Whether there is another way into a user namespace than husk.
fn has_unshare() -> bool {
    let has = world::tool("unshare").is_some();
    if !has {
        skip::skipped("no unshare(1)");
    }
    has
}

#[test]
fn a_limit_of_0_is_named() {
    if !has_unshare() {
        return;
    }
    let step = "husk: creating namespaces: user mount pid uts ipc cgroup: ENOSPC (no space left on \
                device): ";
    let none = "user.max_user_namespaces is 0: sudo sysctl -w user.max_user_namespaces=15000";
    for who in everybody() {
        for (kind, end) in [("user", none), ("mnt", LIMIT), ("pid", LIMIT)] {
            let run = with_limit(Run::new(who).sh("true"), kind, 0);
            let outcome = run.output().ends_with(125);
            let line = format!("{step}{end} (more: husk check)\n");
            assert_eq!(outcome.stdout, line, "{kind}");
        }
    }
}

const LIMIT: &str = "a limit on namespaces is reached: sudo sysctl -w user.max_user_namespaces=15000 \
                     (and the other user.max_*_namespaces); 32 levels are the most";

#[test]
fn what_nobody_asked_for_is_left_out_at_a_limit_of_0() {
    if !has_unshare() {
        return;
    }
    for who in everybody() {
        for kind in ["ipc", "uts", "cgroup"] {
            let show = format!("readlink /proc/self/ns/{kind}");
            let run = Run::new(who).sh(&show).after(&show);
            let outcome = with_limit(run, kind, 0).output().ends_with(0);
            let lines: Vec<&str> = outcome.stdout.lines().collect();
            let warning = format!(
                "husk: doing without a namespace: {kind}: ENOSPC (no space left on device): {LIMIT} \
                 (more: husk check)"
            );
            assert_eq!(lines, [lines[0], &warning, lines[0]], "the caller's own");
            let asked = Run::new(who).word(format!("--unshare-{kind}")).sh("true");
            let outcome = with_limit(asked, kind, 0).output().ends_with(125);
            assert!(outcome.stdout.contains(LIMIT), "{outcome}");
        }
    }
}

#[test]
fn a_limit_of_0_on_what_is_not_asked_for_is_none() {
    if !has_unshare() {
        return;
    }
    for who in everybody() {
        for kind in ["net", "time"] {
            let run = with_limit(Run::new(who).sh("echo ran"), kind, 0);
            assert_eq!(run.output().succeeds(), "ran\n", "{kind}");
        }
    }
}

#[test]
fn a_limit_of_1_holds_one_container_after_the_other() {
    if !has_unshare() {
        return;
    }
    // One that has ended is counted for a moment longer.
    let script = "n=0; while [ $n -lt 20 ]; do \"$@\" || exit; n=$((n + 1)); done";
    for who in everybody() {
        for kind in ["user", "pid", "cgroup"] {
            let run = Run::new(who).sh("echo ran");
            let run = run.through(["/bin/sh", "-c", script, "sh"]);
            let out = with_limit(run, kind, 1).output().succeeds();
            assert_eq!(out, "ran\n".repeat(20), "{kind}");
        }
        let inside = Run::new(who).words(["--", world::husk().to_str().unwrap(), "run"]);
        let run = with_limit(inside.sh("true"), "user", 1);
        let outcome = run.output().ends_with(125);
        assert!(outcome.stdout.contains("ENOSPC"), "{outcome}");
    }
}

#[test]
fn a_limit_on_processes_is_named_by_an_init_too() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    or_skip!(world::tool("prlimit"), "no prlimit(1)");
    // Somebody has one process, the init itself.
    let run = Run::husk(who).words(["init", "true"]);
    let run = run.through(["prlimit", "--nproc=1"]);
    let line = run
        .output()
        .ends_with(125)
        .says(&["husk: starting true: EAGAIN"]);
    let end = ": the limit on processes is reached: raise ulimit -u, or the container's pids limit \
               (more: husk check)\n";
    assert!(line.ends_with(end), "{line}");
}

#[test]
fn levels_of_containers_end_with_the_kernels_limit() {
    // The limit is the same for everybody; each level takes its time.
    let who = everybody().last().unwrap();
    let husk = world::husk().to_str().unwrap();
    let mut run = Run::new(who);
    for _ in 0..40 {
        run = run.words(["--id-map", "root", "--", husk, "run"]);
    }
    let outcome = run.sh("true").output().ends_with(125);
    outcome.says(&["creating namespaces: ", "ENOSPC", "32 levels are the most"]);
}

#[test]
fn a_caller_whose_uid_is_not_mapped_is_told_so() {
    if !has_unshare() {
        return;
    }
    let line = "husk: creating namespaces: user mount pid uts ipc cgroup: EPERM (operation not \
                permitted): your uid is not mapped in this user namespace: map it (podman: \
                --userns=keep-id; unshare: --map-root-user) (more: husk check)\n";
    for who in everybody() {
        let run = Run::new(who).sh("true").through(["unshare", "-U"]);
        assert_eq!(run.output().refuses(&[]), line);
        let init = Run::husk(who).words(["init", "--", "/bin/sh", "-c", "exit 5"]);
        init.through(["unshare", "-U"]).output().ends_with(5);
    }
}

#[test]
fn whoever_is_mapped_needs_no_name() {
    let Some(_) = world::root() else {
        return skip::skipped(world::NOT_ROOT);
    };
    for id in [4999, 65534, 4_000_000_000] {
        let nobody = Identity {
            name: id.to_string(),
            uid: id,
            gid: id,
        };
        let run = Run::new(&nobody).sh("id -u; tr -s ' ' </proc/self/uid_map");
        assert_eq!(run.output().succeeds(), format!("0\n 0 {id} 1\n"));
    }
}
