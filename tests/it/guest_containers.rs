//! What every machine is asked of its containers: by root and by an ordinary user of it, who may ask
//! nobody for more ids, for it has no newuidmap(1).

use crate::guest::{Facts, Question, Root, Said, Who, question};
use crate::processes::ORPHAN;

/// All of it.
pub fn questions() -> Vec<Question> {
    let mut all = roots();
    all.extend(rights());
    all.extend(ends());
    all.push(question("husk check", check));
    all
}

/// Prints source, place and access of these mounts.
const MOUNTS: &str = "while read -r a b c from on options rest; do
    case $on in / | /data | /data/below | /tmp) echo $from $on ${options%%,*} ;; esac
done </proc/self/mountinfo | sort";

/// Waits for a container that prints `up` into $file.
const COMES_UP: &str = "file=/tmp/up.$$; : >$file; n=0
comes_up() { until grep -q up $file || test $n -gt 200; do sleep 0.05; n=$((n+1)); done; }
";

fn roots() -> Vec<Question> {
    vec![
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

fn overlay(facts: &Facts, said: &Said) {
    let refused = |cause: &str| {
        said.is(
            "",
            &format!("husk: mounting an overlay over /srv/root: {cause} (more: husk check)\n"),
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

fn rights() -> Vec<Question> {
    vec![
        question(
            "husk run -- sh -c 'id -u; tr -s \" \" </proc/self/uid_map; echo $$; exit 7'",
            |facts, said| match facts.who {
                Who::User => said.is("0\n 0 1000 1\n2\n", "", 7),
                Who::Root => said.is("0\n 0 0 1\n 1 200000 65536\n2\n", "", 7),
            },
        ),
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
        question(
            "husk run --share-user --root /srv/root -- sh -c 'tr -s \" \" </proc/self/uid_map; ls /data'",
            |facts, said| match facts.who {
                Who::Root => said.is(" 0 0 4294967295\n", "", 0),
                Who::User => {
                    let err = "husk: creating namespaces: mount pid uts ipc cgroup: EPERM (operation not \
                               permitted): without a user namespace only root may do this: leave out \
                               --share-user (more: husk check)\n";
                    said.is("", err, 125);
                }
            },
        ),
    ]
}

fn ends() -> Vec<Question> {
    vec![
        question(
            "husk run -- /no/such 2>/dev/null; echo $?
            husk run -- sh -c 'kill -KILL $$'; echo $?",
            |_, said| said.is("127\n137\n", "", 0),
        ),
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
    ]
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
        false => no("time namespaces", "EINVAL   this kernel lacks one of them"),
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
