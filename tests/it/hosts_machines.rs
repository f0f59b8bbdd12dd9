//! Hosts with a kernel of their own, booted: containers on an initramfs, which cannot be pivoted away,
//! and on a mounted root, and what a machine's administrator may forbid.
//!
//! HUSK_TEST_OLD_KERNEL names a second, older vmlinuz.

use crate::guest::{Root, Said, Who, ask};
use crate::machine::{Machine, NO_MACHINE, NO_USER_MODE};
use crate::processes::ORPHAN;
use crate::skip;
use std::env;

/// What the answers depend on.
struct Facts {
    who: Who,
    root: Root,
    /// As uname(2) says it.
    release: (u32, u32),
    has_overlay: bool,
    has_time_namespaces: bool,
    has_debians_switch: bool,
}

/// A script, and what must come of it.
struct Question {
    script: String,
    check: fn(&Facts, &Said),
}

fn question(script: impl Into<String>, check: fn(&Facts, &Said)) -> Question {
    Question {
        script: script.into(),
        check,
    }
}

/// Asked by root before all else.
const FACTS: &str = "uname -r
grep -qw overlay /proc/filesystems; echo $?
test -e /proc/self/ns/time; echo $?
test -e /proc/sys/kernel/unprivileged_userns_clone; echo $?";

fn facts(said: &Said, who: Who, root: Root) -> Facts {
    let lines: Vec<&str> = said.out.lines().collect();
    let mut numbers = lines[0].split('.').map(|text| text.parse().unwrap_or(0));
    Facts {
        who,
        root,
        release: (numbers.next().unwrap(), numbers.next().unwrap()),
        has_overlay: lines[1] == "0",
        has_time_namespaces: lines[2] == "0",
        has_debians_switch: lines[3] == "0",
    }
}

/// Puts every question to the machine, for root and for the user, and the administrator's for root.
fn containers_work(machine: Machine, root: Root) {
    let (common, own) = (questions(), administrators());
    let mut asked = vec![(Who::Root, FACTS.to_owned())];
    for who in [Who::User, Who::Root] {
        asked.extend(common.iter().map(|one| (who, one.script.clone())));
    }
    asked.extend(own.iter().map(|one| (Who::Root, one.script.clone())));
    let machine = machine.with_module("fs/overlayfs/overlay.ko");
    let said = ask(machine, root, &asked);
    let all = common.iter().chain(&common).chain(&own);
    for ((one, (who, _)), said_there) in all.zip(&asked[1..]).zip(&said[1..]) {
        (one.check)(&facts(&said[0], *who, root), said_there);
    }
}

/// The machine with the older kernel, where one is named.
fn older() -> Option<Machine> {
    let Some(path) = env::var_os("HUSK_TEST_OLD_KERNEL") else {
        skip::declined("no older vmlinuz is named in HUSK_TEST_OLD_KERNEL");
        return None;
    };
    let machine = Machine::emulated(path.into());
    if machine.is_none() {
        skip::skipped(NO_MACHINE);
    }
    machine
}

#[test]
fn a_kernel_runs_containers_on_its_initramfs() {
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}");
    containers_work(machine, Root::Initramfs);
}

#[test]
fn a_kernel_runs_containers_on_a_mounted_root() {
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}");
    containers_work(machine, Root::Mounted);
}

#[test]
fn an_older_kernel_runs_containers_on_its_initramfs() {
    if let Some(machine) = older() {
        containers_work(machine, Root::Initramfs);
    }
}

#[test]
fn an_older_kernel_runs_containers_on_a_mounted_root() {
    if let Some(machine) = older() {
        containers_work(machine, Root::Mounted);
    }
}

#[test]
fn a_user_mode_kernel_runs_containers_on_its_initramfs() {
    let machine = or_skip!(Machine::user_mode(), "{NO_USER_MODE}");
    containers_work(machine, Root::Initramfs);
}

#[test]
fn a_user_mode_kernel_runs_containers_on_a_mounted_root() {
    let machine = or_skip!(Machine::user_mode(), "{NO_USER_MODE}");
    containers_work(machine, Root::Mounted);
}

/// Prints source, place and access of these mounts.
const MOUNTS: &str = "while read -r a b c from on options rest; do
    case $on in / | /data | /data/below | /tmp) echo $from $on ${options%%,*} ;; esac
done </proc/self/mountinfo | sort";

/// Waits for a container that prints `up` into $file.
const COMES_UP: &str = "file=/tmp/up.$$; : >$file; n=0
comes_up() { until grep -q up $file || test $n -gt 200; do sleep 0.05; n=$((n+1)); done; }
";

fn questions() -> Vec<Question> {
    let all = [files(), features(), processes()];
    all.into_iter().flatten().collect()
}

/// Root directories and mounts.
fn files() -> Vec<Question> {
    vec![
        question(
            "husk run -- sh -c 'id -u; tr -s \" \" </proc/self/uid_map; echo $$; exit 7'",
            |facts, said| match facts.who {
                Who::User => said.is("0\n 0 1000 1\n2\n", "", 7),
                Who::Root => said.is("0\n 0 0 1\n 1 200000 65536\n2\n", "", 7),
            },
        ),
        question(
            "husk run -- /no/such 2>/dev/null; echo $?
            husk run -- sh -c 'kill -KILL $$'; echo $?",
            |_, said| said.is("127\n137\n", "", 0),
        ),
        question(
            format!(
                "husk run --root /srv/root --ro-bind /srv/data /data --tmpfs /tmp --hostname box -- sh -c '
                hostname; ls / /data; touch /data/x; touch /data/below/x; touch /tmp/x || exit
                test -c /dev/null && test -d /sys/class && test -e /proc/self/status && echo there
                {MOUNTS}'"
            ),
            |_, said| {
                let out = "box\n/:\nbin\ndata\ndev\netc\nproc\nroot\nsys\ntmp\n\n/data:\nbelow\nfile\nthere\n\
                           / /data/below ro\n/ /tmp rw\n/srv/data /data ro\n/srv/root / rw\n";
                let read_only = "Read-only file system\n";
                let err = format!("touch: /data/x: {read_only}touch: /data/below/x: {read_only}");
                said.is(out, &err, 0);
            },
        ),
        question(
            format!(
                "husk run --root /srv/root --read-only --tmpfs /tmp -- sh -c 'touch /x; touch /tmp/x; {MOUNTS}'"
            ),
            |_, said| {
                let err = "touch: /x: Read-only file system\n";
                said.is("/ /tmp rw\n/srv/root / ro\n", err, 0);
            },
        ),
        question(
            "husk run --root /srv/bare -- sh -c 'test -c /dev/null && test -e /proc/1 && ls /'",
            |_, said| said.is("bin\ndev\nproc\nsys\n", "", 0),
        ),
        question(
            "husk run --chroot-dir /srv/root -- sh -c 'id -u; ls /data /srv'",
            |_, said| {
                said.is(
                    "0\n/data:\n",
                    "ls: /srv: No such file or directory\n",
                    1,
                );
            },
        ),
        question(
            "husk run --root /srv/root --overlay tmpfs -- sh -c 'echo new >/new && cat /new'",
            overlay,
        ),
    ]
}

/// Namespaces, ids and filters.
fn features() -> Vec<Question> {
    vec![
        // A root of its own is no chroot(2) to the kernel, which allows no namespaces in one.
        question(
            "husk run --root /srv/root -- unshare -U -r sh -c 'tr -s \" \" </proc/self/uid_map'",
            |_, said| said.is(" 0 0 1\n", "", 0),
        ),
        question("husk run --network none -- helper loopback", |_, said| {
            said.is("loopback says hello\n", "", 0)
        }),
        question("husk run --unshare-time -- echo time", |facts, said| {
            let err = "husk: creating namespaces: user mount pid uts ipc cgroup time: EINVAL (invalid \
                       argument): this kernel lacks one of them: leave it out (more: husk check)\n";
            match facts.has_time_namespaces {
                true => said.is("time\n", "", 0),
                false => said.is("", err, 125),
            }
        }),
        question(
            "husk run --id-map root --fake-chown --root /srv/root --tmpfs /tmp -- sh -c '
            touch /tmp/x; chown 5:5 /tmp/x && stat -c %u /tmp/x'",
            |_, said| said.is("0\n", "", 0),
        ),
        question(
            "husk run --cap-drop ALL -- grep -E '^Cap(Prm|Eff|Bnd)|^NoNew' /proc/self/status",
            |_, said| {
                let none = "0000000000000000\n";
                let out = format!("CapPrm:\t{none}CapEff:\t{none}CapBnd:\t{none}NoNewPrivs:\t1\n");
                said.is(&out, "", 0);
            },
        ),
    ]
}

/// Processes, and the whole.
fn processes() -> Vec<Question> {
    vec![
        question(
            format!("husk run -- sh <<'END'\n{ORPHAN}; grep -l ^State:.Z /proc/[0-9]*/status\nEND"),
            |_, said| said.is("adopted\nreaped\n", "", 1),
        ),
        question(
            format!(
                "{COMES_UP}husk run -- sh -c '
                trap \"echo got TERM; exit 5\" TERM; echo up; while :; do sleep 0.05; done' >$file &
                comes_up; kill -TERM $!; wait $!; echo $?; cat $file; rm $file"
            ),
            |_, said| said.is("5\nup\ngot TERM\n", "", 0),
        ),
        question(
            format!(
                "{COMES_UP}sleeps() {{ grep -lsE '^sleep.777' /proc/[0-9]*/cmdline; }}
                husk run --root /srv/root -- sh -c 'sleep 777 & echo up; wait' >$file &
                comes_up; sleeps >/dev/null && echo sleeps
                kill -KILL $!; wait $! 2>/dev/null; echo $?; rm $file
                n=0; while sleeps >/dev/null && test $n -lt 100; do sleep 0.05; n=$((n+1)); done; sleeps"
            ),
            |_, said| said.is("sleeps\n137\n", "", 1),
        ),
        question(
            "husk run --share-user --root /srv/root -- sh -c 'tr -s \" \" </proc/self/uid_map; ls /data'",
            |facts, said| match facts.who {
                Who::Root => said.is(" 0 0 4294967295\n", "", 0),
                Who::User => {
                    let err = "husk: creating namespaces: mount pid uts ipc cgroup: EPERM (operation not \
                               permitted): without a user namespace only root may do this: leave out \
                               --share-user (more: husk check)\n";
                    said.is("", err, 125);
                },
            },
        ),
        question("husk check", check),
        question("husk check --json | tail -n 1", |_, said| {
            said.is("\"works\":true}\n", "", 0);
        }),
    ]
}

fn overlay(facts: &Facts, said: &Said) {
    let refused = |cause: &str| {
        said.is(
            "",
            &format!("husk: mounting an overlay over /srv/root: {cause}\n"),
            125,
        );
    };
    if !facts.has_overlay {
        refused(
            "ENODEV (no such device or file system): the kernel has no such file system, or not \
             loaded: as root, modprobe it",
        );
    } else if facts.release < (5, 11) {
        refused(
            "EPERM (operation not permitted): overlays need Linux 5.11 here, a root without mounts \
             below it, and a directory for writes that is not on NFS or an overlay",
        );
    } else {
        said.is("new\n", "", 0);
    }
}

fn check(facts: &Facts, said: &Said) {
    assert_eq!(said.status, "0");
    let yes = |name: &str| said.has(&format!("  {name:26}yes"));
    let no = |name: &str, cause: &str| said.has(&format!("  {name:26}no   {cause}"));
    for name in [
        "user namespaces",
        "subordinate ids",
        "mounting proc",
        "openat2",
    ] {
        yes(name);
    }
    no(
        "newuidmap and newgidmap",
        "newuidmap and newgidmap are not installed",
    );
    let older = "this kernel is older, or a filter hides it";
    let since = |version, name| match facts.release >= version {
        true => yes(name),
        false => no(name, older),
    };
    since((5, 12), "mount_setattr");
    match facts.has_time_namespaces {
        true => yes("time namespaces"),
        false => no("time namespaces", &format!("EINVAL   {older}")),
    }
    let errno = if facts.has_overlay { "EPERM" } else { "ENODEV" };
    match facts.has_overlay && facts.release >= (5, 11) {
        true => yes("mounting overlays"),
        false => no(
            "mounting overlays",
            &format!("{errno}   no overlays for users: older than 5.11, or not loaded"),
        ),
    }
    match facts.root {
        Root::Mounted => yes("pivot_root"),
        Root::Initramfs => no(
            "pivot_root",
            "EINVAL   the root is an initramfs, which cannot be pivoted away",
        ),
    }
    said.has("husk run works here, with this configuration.");
}

/// What works while a switch is off, and what is said where not.
fn switched_off(file: &str) -> String {
    format!(
        "test -e {file} || exit 3
        read old <{file}; echo 0 >{file}
        su user -c 'husk run -- echo user'; echo $?
        su user -c 'husk run --root /srv/root -- echo user'; echo $?
        husk run -- echo root; echo $?
        husk run --share-user --root /srv/root -- echo root; echo $?
        su user -c 'husk check' >/out.check; echo $?
        grep -A 1 '^! user namespaces' /out.check; tail -n 1 /out.check
        echo $old >{file}; rm /out.check
        su user -c 'husk run -- echo user'; echo $?"
    )
}

/// The one line of a run, and what `husk check` says, ends with that.
const REFUSED: &str = "husk: creating namespaces: user mount pid uts ipc cgroup: ";
const NONE_ALLOWED: &str = "user.max_user_namespaces is 0";
const RAISE: &str = "sudo sysctl -w user.max_user_namespaces=15000";
const SWITCHED_OFF: &str = "kernel.unprivileged_userns_clone is 0";
const SWITCH_ON: &str = "sudo sysctl -w kernel.unprivileged_userns_clone=1";

fn checked(cause: &str, remedy: &str) -> String {
    let name = "user namespaces";
    format!(
        "1\n! {name:26}no   {cause}\n{:33}{remedy}\n\
         husk run does not work here, with this configuration: see the first line, and what is \
         marked !\nuser\n0\n",
        ""
    )
}

/// What they say of it, the last of them being `husk check`.
fn complaints(runs: usize, line: &str) -> String {
    let hint = format!("{REFUSED}{line} (more: husk check)\n");
    hint.repeat(runs) + &format!("{REFUSED}{line}\n")
}

fn administrators() -> Vec<Question> {
    vec![
        question(
            switched_off("/proc/sys/user/max_user_namespaces"),
            |_, said| {
                let cause = format!("ENOSPC   {NONE_ALLOWED}");
                let out = format!("125\n125\n125\nroot\n0\n{}", checked(&cause, RAISE));
                let line = format!("ENOSPC (no space left on device): {NONE_ALLOWED}: {RAISE}");
                said.is(&out, &complaints(3, &line), 0);
            },
        ),
        question(
            switched_off("/proc/sys/kernel/unprivileged_userns_clone"),
            |facts, said| {
                if !facts.has_debians_switch {
                    return said.is("", "", 3);
                }
                let out = format!(
                    "125\n125\nroot\n0\nroot\n0\n{}",
                    checked(&format!("EPERM   {SWITCHED_OFF}"), SWITCH_ON)
                );
                let line = format!("EPERM (operation not permitted): {SWITCHED_OFF}: {SWITCH_ON}");
                said.is(&out, &complaints(2, &line), 0);
            },
        ),
    ]
}
