//! Questions to a [`Machine`]: scripts that root and an ordinary user of it run, one boot for all of
//! them, and what came of each.

use crate::machine::Machine;
use crate::running::Outcome;

/// What the machine's root file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// What the kernel started with, which pivot_root(2) cannot leave.
    Initramfs,
    /// A tmpfs with the same in it, in the initramfs's place.
    Mounted,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Root,
    User,
}

/// What came of a script.
pub struct Said {
    pub out: String,
    pub err: String,
    pub status: String,
    /// The whole console, for those who read that it is not what it should be.
    console: String,
}

impl Said {
    /// It said this and nothing else.
    #[track_caller]
    pub fn is(&self, out: &str, err: &str, status: u8) {
        let said = (&*self.out, &*self.err, &*self.status);
        assert_eq!(said, (out, err, &*status.to_string()), "{}", self.console);
    }

    /// One of the lines that it printed is this.
    #[track_caller]
    pub fn has(&self, line: &str) {
        let found = self.out.lines().any(|found| found == line);
        assert!(found, "no {line:?} in {}\n{}", self.out, self.console);
    }
}

/// What the answers depend on.
pub struct Facts {
    pub who: Who,
    pub root: Root,
    /// As uname(2) says it.
    pub release: (u32, u32),
    pub has_overlay: bool,
    pub has_time_namespaces: bool,
    pub has_debians_switch: bool,
}

/// A script, and what must come of it.
pub struct Question {
    pub script: String,
    pub check: fn(&Facts, &Said),
}

pub fn question(script: impl Into<String>, check: fn(&Facts, &Said)) -> Question {
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

/// Makes the users and the directories that the scripts know of.
const PREPARE: &str = "export PATH=/bin
/bin/busybox --install -s /bin 2>/dev/null
chmod 1777 /tmp
echo 'root:x:0:0::/:/bin/sh' >/etc/passwd
echo 'user:x:1000:1000::/:/bin/sh' >>/etc/passwd
echo 'root:x:0:' >/etc/group
echo 'user:x:1000:' >>/etc/group
echo 'user:100000:65536' >/etc/subuid
echo 'root:200000:65536' >>/etc/subuid
cp /etc/subuid /etc/subgid
ln -s /init /bin/husk
mkdir -p /srv/root/etc /srv/bare /srv/data/below
for name in data dev proc root sys tmp; do mkdir /srv/root/$name; done
: >/srv/root/etc/resolv.conf
: >/srv/data/file
cp -a /bin /srv/root
cp -a /bin /srv/bare
mount -t tmpfs below /srv/data/below
if test -e /module.ko; then insmod /module.ko; fi
";

/// The mounts, the files that containers are made of, and every process that is not the kernel's.
const ALL: &str = "all() {
    cat /proc/mounts
    ls -lR /srv/root /srv/data
    for stat in /proc/[0-9]*/stat; do
        read -r pid name state parent rest <$stat || continue
        test $pid = 2 || test $parent = 2 || echo $pid $name
    done
} 2>/dev/null
";

/// Runs one script, and prints what it said with its number before each line.
const ASK: &str = "ask() {
    case $2 in
        Root) sh /ask/$1 ;;
        User) su user -c \"exec sh /ask/$1\" ;;
    esac >/out 2>/err </dev/null
    status=$?
    sed \"s/^/@$1 out /\" /out
    sed \"s/^/@$1 err /\" /err
    echo \"@$1 status $status\"
}
";

const COMPARE: &str = "n=0
while all >/after; ! cmp -s /before /after && test $n -lt 100; do sleep 0.05; n=$((n+1)); done
diff /before /after && echo '@ nothing left'
";

/// Goes on with a tmpfs as root.
const SWITCH: &str = "#!/bin/sh
/bin/busybox mkdir /new
/bin/busybox mount -t tmpfs root /new
for name in /*; do
    case $name in /new | /dev | /proc | /sys) ;; *) /bin/busybox cp -a $name /new ;; esac
done
exec /bin/busybox switch_root /new /init \"$@\"
";

/// Boots it, has each of these ask, and checks what came of it.
pub fn ask(machine: Machine, root: Root, questions: &[(Who, &Question)]) {
    let mut script = format!("{PREPARE}{ALL}{ASK}all >/before\n");
    let mut machine = machine
        .directory("ask")
        .program("start", SWITCH)
        .program("ask/facts", FACTS);
    script.push_str("ask facts Root\n");
    for (number, (who, question)) in questions.iter().enumerate() {
        let text = format!("cd /\n{}\n", question.script);
        machine = machine.program(&format!("ask/{number}"), &text);
        script.push_str(&format!("ask {number} {who:?}\n"));
    }
    script.push_str(COMPARE);
    let init = match root {
        Root::Initramfs => "rdinit=/init",
        Root::Mounted => "rdinit=/start",
    };
    let words = format!("{init} -- --boot --on-exit=poweroff /bin/sh /script");
    let outcome = machine.program("script", &script).boot(&words).finish();
    let console = outcome.stdout.replace('\r', "");
    ended_well(&outcome, &console);
    let told = said(&console, "facts");
    for (number, (who, question)) in questions.iter().enumerate() {
        let said = said(&console, &number.to_string());
        (question.check)(&facts(&told, *who, root), &said);
    }
}

/// husk was its init to the end, and the scripts have left it as it was.
#[track_caller]
fn ended_well(outcome: &Outcome, console: &str) {
    let switched_off = ["reboot: Power down", "reboot: System halted"];
    assert!(
        switched_off.iter().any(|line| console.contains(line)),
        "{outcome}"
    );
    assert!(!console.contains("Kernel panic"), "{outcome}");
    for line in ["@ nothing left", "husk: exit status 0"] {
        assert!(console.lines().any(|found| found == line), "{outcome}");
    }
}

fn said(console: &str, number: &str) -> Said {
    let of = |stream: &str| {
        let mark = format!("@{number} {stream} ");
        let lines = console.lines().filter_map(|line| line.strip_prefix(&mark));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    Said {
        out: of("out"),
        err: of("err"),
        status: of("status").trim_end().to_owned(),
        console: console.to_owned(),
    }
}
