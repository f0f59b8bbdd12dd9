//! Limits that need a kernel of one's own: its cgroup controllers are free, its root may raise limits,
//! and its Landlock is older.

use crate::guest::{Facts, Question, Root, Said, Who, ask, question};
use crate::machine::{Machine, NO_MACHINE};

/// The hierarchy, and a part of it that is the user's, with room for processes and without.
const BEGIN: &str = "C=/sys/fs/cgroup
mount -t cgroup2 none $C || exit
mkdir $C/d $C/d/room $C/d/start
for dir in $C/d $C/d/room $C/d/start; do
    chown user $dir $dir/cgroup.procs $dir/cgroup.subtree_control
done
as_user_in() { sh -c 'echo $$ >$0/cgroup.procs; exec su user -c \"exec $1\"' $1 \"$2\"; }
";

const END: &str = "
echo \"left:\" $(cd $C; ls -d husk* d/husk* d/*/husk* 2>/dev/null)
rmdir $C/d/room $C/d/start $C/d
umount $C";

fn in_cgroups(script: &str, check: fn(&Facts, &Said)) -> Question {
    question(format!("{BEGIN}{script}{END}"), check)
}

/// Prints the limits of the one container that is below $1.
const LIMITS: &str = "sh -c 'cd '$1'/husk-*.0 || exit
for file in memory.max memory.high memory.swap.max pids.max cpu.max cpu.weight io.weight; do
    echo $file $(cat $file 2>&1)
done
grep -c . container/cgroup.procs; cat /proc/self/cgroup'";

fn limits(below: &str) -> String {
    LIMITS.replace("'$1'", below)
}

fn limits_hold() -> Vec<Question> {
    let flags = "--memory 64m --memory-high 48m --memory-swap 80m --pids-limit 20 --cpus 0.5 --cpu-weight 50 --io-weight 60";
    vec![
        in_cgroups(
            &format!("husk run {flags} -- {}", limits("/sys/fs/cgroup")),
            |_, said| said.is(&all_limits("3"), "", 0),
        ),
        in_cgroups(
            "husk run --memory 24m -- sh -c 'a=xxxxxxxx; while :; do a=$a$a; done'; echo $?",
            |_, said| {
                let line = "husk: the container was at its memory limit, and the kernel has killed a process of it\n";
                said.is("137\nleft:\n", line, 0);
            },
        ),
        in_cgroups(
            "husk run --pids-limit 4 -- sh -c 'for i in 1 2 3 4; do sleep 1 & done' 2>/dev/null; echo $?",
            |_, said| said.is("2\nleft:\n", "", 0),
        ),
        // Its root can mount what is below the limits, and nothing above.
        in_cgroups(
            "husk run --cap-add SYS_ADMIN --memory 64m --pids-limit 9 -- sh -c 'mount -t cgroup2 none /tmp && cd /tmp && ls memory.max pids.max
            echo +memory >cgroup.subtree_control; mkdir a && echo $$ >a/cgroup.procs && cat /proc/self/cgroup; ls -d ../tmp/husk*'; echo $?
            cat $C/cgroup.procs | grep -c .",
            |_, said| {
                let err = "ls: memory.max: No such file or directory\nls: pids.max: No such file or directory\n\
                           sh: write error: No such file or directory\nls: ../tmp/husk*: No such file or directory\n";
                assert_eq!(said.err, err);
                said.has("0::/a");
                said.has("left:");
            },
        ),
        // A fifth of one.
        in_cgroups(
            "husk run --cpus 0.2 --pids-limit 9 -- sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done
            grep -q \"^nr_throttled [1-9]\" /sys/fs/cgroup/husk-*/cpu.stat && echo throttled'",
            |_, said| said.is("throttled\nleft:\n", "", 0),
        ),
    ]
}

/// What a user does with a cgroup that was given to them.
fn delegation() -> Vec<Question> {
    vec![
        // Alone in a cgroup, the supervisor makes room and comes back.
        in_cgroups(
            "show() { echo \"handed down: $(cat $C/d/room/cgroup.subtree_control)\" $(ls -d $C/d/room/*/ 2>/dev/null); }
            cat >/tmp/look <<'END'
cd /sys/fs/cgroup/d/room; ls -d husk* | sed 's/-[0-9]*/-PID/'; cat husk*.0/pids.max; grep ^0: /proc/self/cgroup
END
            echo '+pids' >$C/cgroup.subtree_control; echo '+pids' >$C/d/cgroup.subtree_control
            as_user_in $C/d/room 'husk run --pids-limit 7 -- sh /tmp/look'; echo $?
            show; rm /tmp/look
            as_user_in $C/d/room 'husk run --pids-limit 7 -- echo again'; show
            as_user_in $C/d/room 'husk run --pids-limit 7 --memory 9m -- echo again'; show
            echo '-pids' >$C/d/cgroup.subtree_control; echo '-pids' >$C/cgroup.subtree_control",
            |_, said| {
                let out = "husk-PID.0\nhusk-PID.0.supervisor\n7\n0::/\n0\nhanded down: \nagain\nhanded down: \nhanded down: \nleft:\n";
                let err = "husk: handing down the controller memory in /sys/fs/cgroup/d/room: ENOENT (no such file \
                           or directory): the cgroup above does not hand that controller down: in \
                           /etc/systemd/system/user@.service.d/delegate.conf: [Service] Delegate=cpu cpuset io \
                           memory pids (more: husk check)\n";
                said.is(out, err, 0);
            },
        ),
        // Others are not moved.
        in_cgroups(
            "echo '+pids' >$C/cgroup.subtree_control; echo '+pids' >$C/d/cgroup.subtree_control
            echo $$ >$C/d/room/cgroup.procs
            su user -c 'exec husk run --pids-limit 7 -- true'; echo $?
            su user -c 'exec husk run --pids-limit 7 --cgroup-parent /sys/fs/cgroup/d -- cat /proc/self/cgroup'; echo $?
            su user -c 'exec husk check --pids-limit 7' | grep -A1 'cgroup of'
            su user -c 'exec husk check --pids-limit 7 --cgroup-parent /sys/fs/cgroup/d' | grep 'cgroup of'
            echo $$ >$C/cgroup.procs
            echo '-pids' >$C/d/cgroup.subtree_control; echo '-pids' >$C/cgroup.subtree_control",
            |_, said| {
                let busy = "other processes are in that cgroup, so that it cannot be divided";
                let remedy = "systemd-run --user --scope -p Delegate=yes husk ..., or --cgroup-parent with one that has none";
                let out = format!(
                    "125\n0::/\n0\n! a cgroup of one's own     no   {busy}\n{:33}{remedy}\n  \
                     a cgroup of one's own     yes\nleft:\n", ""
                );
                let err = format!(
                    "husk: handing down the controller pids in /sys/fs/cgroup/d/room: EBUSY (device or \
                     resource busy): {busy}: {remedy} (more: husk check)\n"
                );
                said.is(&out, &err, 0);
            },
        ),
    ]
}

fn others() -> Vec<Question> {
    vec![
        question(
            "husk run --ulimit nofile=100:1000000 --ulimit nice=30 -- sh -c 'ulimit -n; ulimit -Hn; ulimit -e'
            su user -c 'exec husk run --ulimit nice=30 -- true'; echo $?",
            |_, said| {
                let err = "husk: setting the limit nice=30: the hard limit here is 0: EPERM (operation not permitted): \
                           only the host's root can raise that (CAP_SYS_RESOURCE; nofile up to fs.nr_open): ask for \
                           no more, or raise it where you come from: limits.conf(5), LimitNOFILE= of systemd, docker \
                           run --ulimit\n";
                said.is("100\n1000000\n30\n125\n", err, 0);
            },
        ),
        question(
            "ask_for() { su user -c \"exec husk run $* -- sh -c 'echo x >/tmp/file; cat /etc/passwd'\"; echo $?; }
            echo old >/tmp/file; chmod 666 /tmp/file
            ask_for --landlock-rx /bin --landlock-ro /tmp
            ask_for --landlock-rx /bin --landlock-required
            ask_for --landlock-scope; cat /tmp/file; rm /tmp/file",
            old_landlock,
        ),
    ]
}

fn all_limits(processes: &str) -> String {
    format!(
        "memory.max 67108864\nmemory.high 50331648\nmemory.swap.max 16777216\npids.max 20\n\
         cpu.max 50000 100000\ncpu.weight 50\nio.weight default 60\n{processes}\n0::/\nleft:\n"
    )
}

/// Version 1 or 2, which files can be emptied under; and 6.12 has it all.
fn old_landlock(facts: &Facts, said: &Said) {
    if facts.release >= (6, 10) || facts.release < (5, 13) {
        return;
    }
    let lacks = "this kernel's Landlock cannot hold all of it: Linux 6.10 (6.12 for scope), or without `required` \
                 as much of it as there is (more: husk check)\n";
    assert!(
        said.err
            .contains(&format!("confining the command with Landlock: {lacks}")),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains(&format!("doing without Landlock: {lacks}")),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("can't create /tmp/file: Permission denied"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("/etc/passwd': Permission denied"),
        "{}",
        said.err
    );
    said.has("125");
    said.has("x");
}

#[test]
fn a_kernel_holds_its_containers_to_their_limits() {
    let machine = or_skip!(Machine::new(), "{NO_MACHINE}");
    let all = [limits_hold(), delegation(), others()];
    let all: Vec<_> = all.iter().flatten().map(|one| (Who::Root, one)).collect();
    ask(machine, Root::Initramfs, &all);
}
