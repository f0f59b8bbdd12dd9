//! What the command may do: signals, privileges, capabilities, sessions.

use crate::husk::Run;
use crate::processes::field;
use crate::world::{self, Identity, NOT_ROOT, everybody, tool};
use std::process::Command;

fn status(run: Run) -> String {
    run.words(["--", "/bin/cat", "/proc/self/status"])
        .output()
        .succeeds()
}

#[test]
fn signal_mask_and_ignored_signals_are_the_caller_s() {
    let env = or_skip!(tool("env"), "no env(1)");
    for who in everybody() {
        let asked = [
            "--block-signal=USR2",
            "--ignore-signal=PIPE",
            "--default-signal=TERM",
        ];
        for options in [&asked[..], &["--default-signal"]] {
            let program = || {
                [env.to_str().unwrap()]
                    .into_iter()
                    .chain(options.iter().copied())
            };
            let cat = ["/bin/cat", "/proc/self/status"];
            let outside = Command::new(env.as_os_str())
                .args(program().skip(1))
                .args(cat)
                .output();
            let outside = String::from_utf8(outside.unwrap().stdout).unwrap();
            let inside = status(Run::new(who).through(program()));
            for set in ["SigBlk", "SigIgn", "SigCgt"] {
                assert_eq!(
                    field(&inside, set),
                    field(&outside, set),
                    "{set} of {}",
                    who.name
                );
            }
        }
    }
}

#[test]
fn no_new_privileges_is_on_unless_it_is_waived() {
    for who in everybody() {
        assert_eq!(field(&status(Run::new(who)), "NoNewPrivs"), "1");
        let waived = Run::new(who).word("--allow-new-privs");
        assert_eq!(field(&status(waived), "NoNewPrivs"), "0");
    }
}

#[test]
fn dropped_capabilities_are_gone_from_every_set() {
    for who in everybody() {
        let all = status(Run::new(who).words(["--cap-add", "ALL", "--cap-drop", "ALL"]));
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(
                field(&all, set),
                "0000000000000000",
                "{set} of {}",
                who.name
            );
        }
        let but_one = Run::new(who).words(["--cap-drop", "ALL", "--cap-add", "CAP_KILL"]);
        assert_eq!(
            field(&status(but_one.clone()), "CapEff"),
            "0000000000000020"
        );
        assert_eq!(field(&status(but_one), "CapBnd"), "0000000000000020");
        let one = Run::new(who).words(["--cap-add", "ALL", "--cap-drop", "cap_net_raw"]);
        let one = status(one);
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            let has = u64::from_str_radix(&field(&one, set), 16).unwrap();
            assert_eq!(has & (1 << 13), 0, "{set}: {has:x}");
            assert_eq!(has & 1, 1, "{set}: {has:x}");
        }
    }
}

/// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, SYS_CHROOT, SETFCAP.
const SAFE: &str = "00000000800405fb";

#[test]
fn root_inside_has_the_safe_capabilities_and_no_other() {
    for who in everybody() {
        let mut runs = vec![
            Run::new(who),
            Run::new(who).words(["--id-map", "root"]),
            Run::new(who).word("--allow-new-privs"),
        ];
        if who.is_root() {
            runs.push(Run::new(who).word("--share-user"));
        }
        for run in runs {
            let inside = status(run);
            for (set, expected) in [("CapInh", NONE), ("CapPrm", SAFE), ("CapEff", SAFE)] {
                assert_eq!(field(&inside, set), expected, "{set} of {}", who.name);
            }
            assert_eq!(field(&inside, "CapBnd"), SAFE);
            assert_eq!(field(&inside, "CapAmb"), NONE);
        }
    }
}

const NONE: &str = "0000000000000000";

#[test]
fn who_is_not_root_inside_has_no_capability_and_cannot_get_another() {
    for who in everybody() {
        let mut runs = vec![Run::new(who).words(["--unshare-user", "--id-map", "self"])];
        if who.is_root() {
            runs = vec![Run::new(who).words(["--share-user", "--uid", "5", "--gid", "5"])];
        }
        for run in runs {
            let inside = status(run);
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(field(&inside, set), NONE, "{set} of {}", who.name);
            }
            assert_eq!(field(&inside, "CapBnd"), SAFE);
        }
    }
}

#[test]
fn capabilities_are_added_to_the_safe_ones_and_dropped_in_order() {
    for who in everybody() {
        let bounding = |words: &[&str]| field(&status(Run::new(who).words(words)), "CapBnd");
        let one_more = bounding(&["--cap-add", "SYS_ADMIN"]);
        assert_eq!(one_more, "00000000802405fb");
        assert_eq!(bounding(&["--cap-drop", "chown"]), "00000000800405fa");
        let order = ["--cap-add", "ALL", "--cap-drop", "ALL", "--cap-add", "KILL"];
        assert_eq!(bounding(&order), "0000000000000020");
        let all = u64::from_str_radix(&bounding(&["--cap-add", "ALL"]), 16).unwrap();
        assert_eq!(all & 0x1ff_ffff_ffff, 0x1ff_ffff_ffff, "{all:x}");
    }
}

#[test]
fn what_is_read_only_stays_so_for_root_inside() {
    or_skip!(tool("unshare"), "no unshare(1)");
    for who in everybody() {
        let dir = who.dir("kept");
        let path = dir.text();
        let opens = format!(
            "umount -l {path}; mount -o remount,bind,rw {path}; mount --bind /tmp {path}; \
             mount -t tmpfs t {path}; touch {path}/x && echo written"
        );
        let script =
            format!("({opens}; unshare -rm sh -c '{opens}') 2>/dev/null; ls {path}; echo done");
        let run = Run::new(who).words(["--ro-bind", path, path]);
        // A namespace of its own has mounts of its own: there it covers what it likes for itself.
        let out = run.clone().sh(&script).output().succeeds();
        assert!(out == "done\n" || out == "written\ndone\n", "{out}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let first = format!("({opens}) 2>/dev/null; echo done");
        assert_eq!(run.clone().sh(&first).output().succeeds(), "done\n");
        // With the capability it would have been covered.
        let more = run.words(["--cap-add", "SYS_ADMIN"]).sh(&first);
        assert_eq!(more.output().succeeds(), "written\ndone\n");
    }
}

#[test]
fn a_new_session_is_led_by_the_command() {
    for who in everybody() {
        let script = "cut -d' ' -f1,6 /proc/self/stat; echo $$";
        let out = Run::new(who)
            .word("--new-session")
            .sh(script)
            .output()
            .succeeds();
        let words: Vec<&str> = out.split_whitespace().collect();
        assert_eq!(words[1], words[2], "the session is the shell's: {out}");
    }
}

#[test]
fn the_command_is_pid_2_or_pid_1_as_asked() {
    for who in everybody() {
        assert_eq!(Run::new(who).sh("echo $$").output().succeeds(), "2\n");
        let first = Run::new(who).word("--as-pid-1");
        assert_eq!(first.clone().sh("echo $$").output().succeeds(), "1\n");
        first.clone().sh("exit 9").output().ends_with(9);
        first
            .words(["--", "no-such-program"])
            .output()
            .ends_with(127)
            .says(&["no-such-program"]);
    }
}

#[test]
fn orphans_are_reaped_as_they_die() {
    for who in everybody() {
        // Forty grandchildren whose parents are gone; afterwards there is no zombie.
        let script = "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.1 & sleep 0.1 & sleep 0.1 & \
                      sleep 0.1 &) ; done; sleep 0.5; cat /proc/[0-9]*/stat | grep -c ') Z '";
        let out = Run::new(who).sh(script).output().ends_with(1).stdout;
        assert_eq!(out, "0\n");
    }
}

#[test]
fn what_the_command_leaves_running_ends_with_it() {
    for who in everybody() {
        let mark = world::mark();
        let root = or_skip!(who.root_dir(), "{}", world::NO_BUSYBOX);
        let script = format!("/bin/helper hold {mark} >/dev/null & exit 4");
        Run::root(who, &root).sh(&script).output().ends_with(4);
        crate::processes::none_left(&mark);
    }
}

#[test]
fn with_die_with_parent_it_does() {
    for who in everybody() {
        let mark = world::mark();
        let root = or_skip!(who.root_dir(), "{}", world::NO_BUSYBOX);
        let run = Run::root(who, &root)
            .word("--die-with-parent")
            .helper(["hold", &mark]);
        // The shell stays the parent: it does not become husk.
        let shell = run
            .through(["/bin/sh", "-c", "\"$@\" & wait", "sh"])
            .start();
        shell.wait_for("ready");
        assert!(!crate::processes::marked(&mark).is_empty());
        shell.signal(rustix::process::Signal::KILL);
        crate::processes::none_left(&mark);
    }
}

#[test]
fn supplementary_groups_of_root_are_dropped() {
    let who: &Identity = or_skip!(world::root(), "{NOT_ROOT}");
    let ids = ["--uid", "5", "--gid", "5"];
    for flags in [
        &["--namespaces", "user,mount,pid"][..],
        &["--namespaces", "mount,pid"],
    ] {
        let asked = if flags[1].contains("user") {
            &[][..]
        } else {
            &ids
        };
        let run = Run::new(who)
            .words(flags)
            .words(asked)
            .through(["setpriv", "--groups", "4,24,27"]);
        assert_eq!(field(&status(run), "Groups"), "", "{flags:?}");
    }
}
