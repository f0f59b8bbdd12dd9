//! The supervisor and PID 1 cannot be had from inside by any call there is, whatever the capabilities.

use crate::husk::Run;
use crate::running::Outcome;
use crate::world::{self, Identity, NOT_ROOT, everybody, tool};
use linux_raw_sys::general as nr;

pub const NO_PERL: &str = "no perl(1), which makes any system call: apt install perl-base";

/// Tries everything on the processes that its words name, and says what came of it.
const PROGRAM: &str = r#"
    my ($ptrace, $readv, $writev, $open, $getfd, @targets) = @ARGV;
    $_ += 0 for $ptrace, $readv, $writev, $open, $getfd;
    sub parent { open(my $file, "<", "/proc/$_[0]/stat") or die; (split / /, <$file>)[3] }
    sub told { print "$_[0] $_[1]: ", ($_[2] ? "ok" : "refused, " . ($! + 0)), "\n" }
    my $bytes = "A" x 8;
    my $local = pack("PQ", $bytes, 8);
    for my $name (@targets) {
        my $pid = $name;
        if ($name eq "child" and not $pid = fork) { sleep 60; exit }
        $pid = getppid if $name eq "parent";
        $pid = parent(getppid) if $name eq "grandparent";
        my $call = sub { my ($what, @words) = @_; told($name, $what, syscall($words[0], @words[1..$#words]) != -1) };
        $call->("process_vm_readv", $readv, $pid, $local, 1, $local, 1, 0);
        $call->("process_vm_writev", $writev, $pid, $local, 1, $local, 1, 0);
        my $fd = syscall($open, $pid, 0);
        print "$name: no pidfd\n" if $fd == -1;
        $call->("pidfd_getfd", $getfd, $fd, 0, 0);
        $call->("PTRACE_SEIZE", $ptrace, 0x4206, $pid, 0, 0);
        $call->("PTRACE_ATTACH", $ptrace, 16, $pid, 0, 0) if $name ne "child";
        for my $link ("exe", "root", "cwd", "fd/0", "ns/mnt", "ns/user") {
            told($name, "readlink $link", defined readlink("/proc/$pid/$link"));
            told($name, "open $link", open(my $file, "<", "/proc/$pid/$link"));
        }
        told($name, "list root", opendir(my $list, "/proc/$pid/root/."));
        for my $way ("+<mem", "<mem", "+<exe", "<maps", "<environ", "<auxv", "<syscall", "+<oom_score_adj") {
            my ($mode, $file) = $way =~ /^(\+?<)(.*)/;
            my $byte;
            my $ok = open(my $handle, $mode, "/proc/$pid/$file");
            $ok = defined sysread($handle, $byte, 1) if $ok and $mode eq "<" and $file ne "mem";
            told($name, $way, $ok);
        }
        if ($name eq "child") { kill "KILL", $pid; waitpid $pid, 0 }
    }
"#;

/// How many lines there are about one that is not the program's own child.
const WAYS: usize = 26;

fn words(targets: &[&str]) -> Vec<String> {
    let numbers = [
        nr::__NR_ptrace,
        nr::__NR_process_vm_readv,
        nr::__NR_process_vm_writev,
        nr::__NR_pidfd_open,
        nr::__NR_pidfd_getfd,
    ];
    let program = ["perl", "-e", PROGRAM].map(str::to_owned);
    let numbers = numbers.iter().map(u32::to_string);
    let targets = targets.iter().map(|word| (*word).to_owned());
    program.into_iter().chain(numbers).chain(targets).collect()
}

fn attacks(run: Run, targets: &[&str]) -> Outcome {
    run.word("--").words(words(targets)).output()
}

/// Nothing was had of `target`, and everything was tried.
fn is_refused(outcome: &Outcome, target: &str) {
    let start = format!("{target} ");
    let lines: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with(&start))
        .collect();
    assert_eq!(lines.len(), WAYS, "{outcome}");
    for line in lines {
        // Every process may set the one of its own user's lower, and it is the host's to see.
        let known = line.ends_with(": ok") && !line.contains("oom_score_adj");
        assert!(!known, "{line}\nin {outcome}");
    }
}

const CAPABILITIES: [&[&str]; 3] = [
    &[],
    &["--cap-add", "ALL"],
    &["--cap-add", "ALL", "--allow-new-privs"],
];

/// What a container may be that has another user namespace than the host.
fn containers(who: &Identity) -> Vec<Run> {
    let new = |flags: &[&str]| Run::new(who).word("--unshare-user").words(flags);
    let mut runs: Vec<Run> = CAPABILITIES.map(new).into();
    runs.push(new(&["--id-map", "self", "--cap-add", "ALL"]));
    runs.push(new(&["--mask", "none", "--cap-add", "ALL"]));
    runs
}

#[test]
fn what_is_tried_works_on_who_is_in_reach() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        let outcome = attacks(Run::new(who), &["child"]).ends_with(0);
        let ok = outcome.stdout.lines().filter(|line| line.ends_with(": ok"));
        assert!(ok.count() >= WAYS - 2, "{outcome}");
    }
}

#[test]
fn pid_1_is_out_of_reach() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        for run in containers(who) {
            is_refused(&attacks(run, &["1"]).ends_with(0), "1");
        }
    }
}

#[test]
fn the_supervisor_is_out_of_reach_where_it_can_be_seen() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        for run in containers(who) {
            let outcome = attacks(run.word("--share-pid"), &["parent", "grandparent"]);
            let outcome = outcome.ends_with(0);
            is_refused(&outcome, "parent");
            is_refused(&outcome, "grandparent");
        }
    }
}

#[test]
fn pid_1_of_a_root_user_s_container_is_out_of_reach_of_the_safe_capabilities() {
    or_skip!(tool("perl"), "{NO_PERL}");
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let run = Run::new(who).word("--share-user");
    is_refused(&attacks(run, &["1"]).ends_with(0), "1");
}

#[test]
fn pid_1_is_out_of_reach_although_the_program_is_root_s_inside() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        let dir = who.dir("own");
        let program = dir.join("husk");
        world::copy_program(world::husk(), &program);
        who.own(&program);
        for flags in CAPABILITIES {
            let run = Run::program(who, &program).words(["run", "--unshare-user"]);
            is_refused(&attacks(run.words(flags), &["1"]).ends_with(0), "1");
        }
    }
}

#[test]
fn pid_1_is_out_of_reach_where_processes_that_changed_their_ids_may_be_dumped() {
    or_skip!(tool("perl"), "{NO_PERL}");
    or_skip!(world::root(), "{NOT_ROOT}");
    // For as long as it takes; this is the only test that changes it.
    let changed = "f=/proc/sys/fs/suid_dumpable; was=$(cat $f); trap 'echo $was >$f' EXIT; \
                   trap 'exit 1' INT TERM; echo 1 >$f; \"$@\"";
    for who in everybody() {
        for flags in CAPABILITIES {
            let run = Run::new(who).word("--unshare-user").words(flags);
            let run = run.through(["setpriv", "--reuid", &who.uid.to_string()]);
            let run = run
                .started_by_root()
                .through(["/bin/sh", "-c", changed, "sh"]);
            is_refused(&attacks(run, &["1"]).ends_with(0), "1");
        }
    }
}

/// A container within one that has these flags.
fn nested(who: &Identity, flags: &[&str]) -> Run {
    let husk = world::husk().to_str().unwrap();
    let run = Run::new(who).words(["--mask", "none"]).words(flags);
    run.words(["--", husk, "run", "--no-config"])
}

#[test]
fn pid_1_of_a_nested_container_is_out_of_reach_from_inside_that() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        for flags in CAPABILITIES {
            for inner in CAPABILITIES {
                let run = nested(who, flags).words(inner);
                is_refused(&attacks(run, &["1"]).ends_with(0), "1");
            }
        }
    }
}

/// The program was executed inside the outer container, whose root owns the memory of what is
/// started there: but to use that takes CAP_SYS_PTRACE.
#[test]
fn pid_1_of_a_nested_container_is_in_reach_of_the_outer_root_that_may_trace_alone() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        for (flags, reached) in [(&[][..], false), (&["--cap-add", "SYS_PTRACE"], true)] {
            let husk = world::husk().display();
            let script = format!(
                "{husk} run --no-config -- sleep 60 & s=$!; i=; \
                 until [ -n \"$i\" ] && [ -n \"$(cat /proc/$i/task/$i/children)\" ]; do \
                 sleep 0.02; i=$(cat /proc/$s/task/$s/children); i=${{i% }}; done; \
                 \"$@\" $i | sed s/^$i/inner/; kill -KILL $s; wait"
            );
            let run = Run::new(who).words(["--mask", "none"]).words(flags);
            let run = run.words(["--", "/bin/sh", "-c", &script, "sh"]);
            let outcome = run.words(words(&[])).output().ends_with(0);
            match reached {
                false => is_refused(&outcome, "inner"),
                true => assert!(outcome.stdout.contains("inner <mem: ok"), "{outcome}"),
            }
        }
    }
}

#[test]
fn the_supervisor_and_pid_1_leave_no_core_file_and_the_command_may() {
    let who = or_skip!(world::user(), "{}", world::no_user());
    use std::os::unix::fs::MetadataExt as _;
    let limit = Run::new(who).sh("ulimit -c").after("ulimit -c 7");
    assert_eq!(limit.output().succeeds(), "7\n");
    let started = Run::new(who).sh("echo ready; exec sleep 20").start();
    started.wait_for("ready");
    let container = crate::processes::Container::of(started.pid());
    // What may not be dumped belongs to root in /proc (proc(5)).
    let owner = |pid| {
        std::fs::metadata(format!("/proc/{pid}/environ"))
            .unwrap()
            .uid()
    };
    assert_eq!(owner(container.supervisor), 0);
    assert_eq!(owner(container.init), 0);
    assert_eq!(owner(container.command), who.uid);
}
