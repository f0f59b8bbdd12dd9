//! husk as the /init of a machine, asked on its console.

use crate::machine::{Machine, NO_MACHINE};
use crate::processes::ORPHAN;
use crate::running::Outcome;
use std::thread;
use std::time::Duration;

/// The lines on the console.
fn lines(outcome: &Outcome) -> Vec<&str> {
    outcome.stdout.lines().map(str::trim_end).collect()
}

#[track_caller]
fn has(outcome: &Outcome, line: &str) {
    assert!(
        lines(outcome).contains(&line),
        "no line {line:?}: {outcome}"
    );
}

/// husk's line about the end of its command.
fn last_words(outcome: &Outcome) -> &str {
    let mut lines = outcome.stdout.lines().map(str::trim_end).rev();
    lines
        .find(|line| line.starts_with("husk: "))
        .unwrap_or_else(|| panic!("husk said nothing: {outcome}"))
}

/// No kernel says that its init is gone.
#[track_caller]
fn ended_well(outcome: &Outcome, how: &str) {
    assert!(!outcome.stdout.contains("Kernel panic"), "{outcome}");
    assert!(outcome.stdout.contains(how), "{outcome}");
    assert_eq!(outcome.status.code(), Some(0), "{outcome}");
}

#[test]
fn a_command_has_a_machine_that_is_switched_off_when_it_ends() {
    let script = format!(
        "#!/bin/sh\n\
         test $PPID = 1 && echo child of 1\n\
         for d in proc sysfs devtmpfs; do grep -c \" $d \" /proc/mounts; done\n\
         test -c /dev/null && test -d /sys/class && echo there\n\
         test -t 0 && test -t 1 && test -t 2 && echo terminals\n\
         readlink /proc/1/exe; tr '\\0' ' ' </proc/1/cmdline; echo\n\
         grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status\n\
         echo HOME=$HOME TERM=$TERM\n\
         {ORPHAN}\n\
         echo ask; read answer; echo \"answer $answer\"\n\
         sh -c 'trap \"echo left got TERM; exit\" TERM; while :; do sleep 0.05; done' &\n\
         sleep 1; exit 7\n"
    );
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}").program("script", &script);
    // The kernel makes a variable of a parameter that it does not know.
    let mut started = machine
        .boot("HUSK_INIT_OPTIONS=\"--grace 10\" -- --boot --on-exit=poweroff /bin/sh /script");
    started.wait_for("ask");
    started.say("yes\n");
    let outcome = started.finish();
    ended_well(&outcome, "reboot: Power down");
    for line in [
        "child of 1",
        "there",
        "terminals",
        "/init",
        "adopted",
        "reaped",
        "answer yes",
        "left got TERM",
    ] {
        has(&outcome, line);
    }
    assert_eq!(
        lines(&outcome).iter().filter(|line| **line == "1").count(),
        3,
        "{outcome}"
    );
    has(&outcome, "/init --boot --on-exit=poweroff /bin/sh /script");
    has(&outcome, "HOME=/ TERM=linux");
    assert_eq!(last_words(&outcome), "husk: exit status 7", "{outcome}");
}

#[test]
fn a_machine_without_a_console_gets_it_and_a_crash_is_told() {
    let script = "#!/bin/sh\ntrap 'n=$((n+1)); echo got INT $n; test $n = 2 && kill -SEGV $$' INT\n\
                  test -t 0 && test -t 1 && test -t 2 && echo terminals\n\
                  for d in /proc /sys /dev; do grep -o \" $d .*\" /proc/mounts | cut -d' ' -f2; done\n\
                  echo ready; while :; do sleep 0.1; done\n";
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}");
    let machine = machine.without_a_console().program("script", script);
    // The console is the terminal of the command's session, so that keys reach it.
    let mut started = machine.boot("-- --boot --session --on-exit=reboot /script");
    started.wait_for("ready");
    started.say("\x03");
    started.wait_for("got INT 1");
    started.say("\x03");
    let outcome = started.finish();
    ended_well(&outcome, "reboot: Restarting system");
    for line in ["terminals", "/proc", "/sys", "/dev"] {
        has(&outcome, line);
    }
    assert_eq!(outcome.stdout.matches("got INT").count(), 2, "{outcome}");
    assert_eq!(last_words(&outcome), "husk: exit status 139", "{outcome}");
}

#[test]
fn a_command_that_is_not_there_is_told_and_the_machine_halts() {
    let start = "#!/bin/sh\nmount -t proc proc /proc\nmount -t sysfs sys /sys\nmount -t devtmpfs dev /dev\n\
                 exec /init --boot --on-exit=halt nosuch\n";
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}").program("start", start);
    let machine = machine.directory("proc").directory("sys").directory("dev");
    let started = machine.boot("rdinit=/start");
    started.wait_for("reboot: System halted");
    // It stands still, and is switched off by being dropped.
    thread::sleep(Duration::from_millis(100));
    let console = started.so_far();
    assert!(
        console.contains("nosuch") && console.contains("127"),
        "{console}"
    );
    assert!(!console.contains("Kernel panic"), "{console}");
}

#[test]
fn an_init_that_is_told_to_end_ends_its_command_first() {
    // By the name husk and the word init; nothing is mounted unasked, and PATH is not set.
    let start = "#!/bin/sh\nmount -t devtmpfs dev /dev\nunset PATH\n\
                 exec /bin/husk init --on-exit=poweroff sh /script\n";
    let script = "trap 'echo got TERM; exit 5' TERM\n\
                  test -e /proc/1 || echo no proc\n\
                  (sleep 1; kill -TERM 1) &\n\
                  while :; do sleep 0.1; done\n";
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}").program("start", start);
    let husk = std::fs::read(crate::world::husk()).unwrap();
    let machine = machine.program("script", script).binary("bin/husk", &husk);
    let machine = machine.directory("proc").directory("dev");
    let outcome = machine.boot("rdinit=/start").finish();
    ended_well(&outcome, "reboot: Power down");
    has(&outcome, "no proc");
    has(&outcome, "got TERM");
    assert_eq!(last_words(&outcome), "husk: exit status 5", "{outcome}");
}
