//! The launchers that are compared, each asked for the same container: user, mount, PID, UTS and IPC
//! namespaces; a root directory that is pivoted to; a proc, a tmpfs on /tmp, a tmpfs on /dev with the six
//! nodes, the links and a devpts. Who does less than that says so in its name.

use crate::floors;
use rustix::process::{geteuid, getuid};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the container is like, and who starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// An ordinary user with its own id alone.
    OneId,
    /// The same with a net namespace, whose loopback is up.
    Net,
    /// An ordinary user with ranges of ids, by newuidmap(1) and newgidmap(1).
    Ranges,
    /// Root with its own id alone.
    Root,
}

/// A user who starts containers.
#[derive(Clone, Copy, Debug)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Who runs this.
    pub fn current() -> Self {
        Self {
            uid: getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
        }
    }

    /// An ordinary one: who runs this, or `husktest` where that is root.
    pub fn ordinary() -> Option<Self> {
        if !geteuid().is_root() {
            return Some(Self::current());
        }
        let text = fs::read_to_string("/etc/passwd").ok()?;
        let line = text.lines().find(|line| line.starts_with("husktest:"))?;
        let mut fields = line.split(':').skip(2);
        let (uid, gid) = (fields.next()?, fields.next()?);
        Some(Self {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
        })
    }

    /// The first range of subuid(5), as START:COUNT.
    fn range(self) -> Option<String> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let id = self.uid.to_string();
        let mut names = passwd.lines().map(|line| line.split(':'));
        let name = names.find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1) == Some(&id)).then(|| name.to_owned())
        })?;
        let ranges = fs::read_to_string("/etc/subuid").ok()?;
        let line = ranges
            .lines()
            .find(|line| line.split(':').next() == Some(&name))?;
        Some(line.split_once(':')?.1.to_owned())
    }
}

/// A directory with the root directory and the programs, as installed ones are; gone at the end.
pub struct Place(PathBuf);

impl Place {
    /// Makes it.
    pub fn new(husk: &Path) -> Self {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("/var/tmp/husk-bench.{}.{number}", process::id());
        let place = Self(PathBuf::from(name));
        let directories = ["bin", "dev", "etc", "home", "mnt", "proc", "sys", "tmp"];
        for directory in directories {
            fs::create_dir_all(place.root().join(directory)).unwrap();
        }
        for number in 0..100 {
            fs::create_dir(place.root().join(format!("mnt/{number}"))).unwrap();
        }
        for file in ["etc/passwd", "etc/group"] {
            fs::write(place.root().join(file), "").unwrap();
        }
        static FLOOR: OnceLock<PathBuf> = OnceLock::new();
        let floor = FLOOR.get_or_init(|| floors::built("container/main.rs", "container-floor"));
        for (from, to) in [
            (floors::floor(), "root/bin/true"),
            (floor, "floor"),
            (husk, "husk"),
            (husk, "root/bin/pause"),
        ] {
            // In another process, lest a thread's child inherits a descriptor to write with (ETXTBSY).
            let copy = place.0.join(to);
            let copied = Command::new("cp").arg(from).arg(&copy).status().unwrap();
            assert!(copied.success(), "{}", copy.display());
        }
        let state = place.0.join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o1777)).unwrap();
        place
    }

    /// The root directory.
    pub fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    /// A file of it.
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// What an OCI runtime reads of the container in which `command` runs.
    fn bundle(&self, setup: Setup, user: User, command: &[&str]) -> String {
        let net = match setup {
            Setup::Net => r#",{"type":"network"}"#,
            _ => "",
        };
        let directory = self.file(&format!("bundle.{setup:?}.{}", command.len()));
        fs::create_dir_all(&directory).unwrap();
        let root = self.root();
        let text = format!(
            r#"{{"ociVersion":"1.0.0","process":{{"terminal":false,"user":{{"uid":0,"gid":0}},"args":{command:?},
            "env":["PATH=/bin"],"cwd":"/","noNewPrivileges":true}},"root":{{"path":{root:?}}},"mounts":[
            {{"destination":"/proc","type":"proc","source":"proc"}},{{"destination":"/tmp","type":"tmpfs","source":"tmpfs"}},
            {{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755"]}},
            {{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620"]}}],
            "linux":{{"namespaces":[{{"type":"user"}},{{"type":"mount"}},{{"type":"pid"}},{{"type":"uts"}},{{"type":"ipc"}}{net}],
            "uidMappings":[{{"containerID":0,"hostID":{},"size":1}}],"gidMappings":[{{"containerID":0,"hostID":{},"size":1}}]}}}}"#,
            user.uid, user.gid
        );
        fs::write(Path::new(&directory).join("config.json"), text).unwrap();
        directory
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A way to start a command in a container.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Its name, and what it leaves out.
    pub name: &'static str,
    /// The program's file.
    pub file: PathBuf,
    /// The words after it.
    pub words: Vec<String>,
    user: User,
}

impl Launcher {
    /// The command that starts the container.
    pub fn command(&self) -> Command {
        self.through(&[])
    }

    /// The same by way of another program.
    pub fn through(&self, program: &[&str]) -> Command {
        let own = self.file.to_str().unwrap();
        let mut words = program.iter().copied().chain([own]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(&self.words).env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        // ch-run insists on one.
        command.env("USER", "somebody");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.current_dir("/");
        if geteuid().is_root() {
            command.gid(self.user.gid).uid(self.user.uid);
        }
        command
    }
}

/// The words of husk for the work that all are asked for.
pub fn husk_words(setup: Setup, root: &str) -> Vec<String> {
    let mut words: Vec<String> = ["run", "--no-config", "--share-cgroup"]
        .map(Into::into)
        .into();
    match setup {
        Setup::OneId | Setup::Root => words.extend(["--id-map", "root"].map(Into::into)),
        Setup::Net => words.extend(["--id-map", "root", "--network", "none"].map(Into::into)),
        Setup::Ranges => (),
    }
    // What the others do not do, or do not do unasked.
    words.extend(
        [
            "--cap-add",
            "ALL",
            "--mask",
            "none",
            "--no-new-keyring",
            "--seccomp",
            "off",
        ]
        .map(Into::into),
    );
    let pairs = [
        ("--chroot-dir", String::new()),
        ("--proc", "/proc".into()),
        ("--tmpfs", "/tmp".into()),
        ("--dev", "/dev".into()),
    ];
    for (flag, place) in pairs {
        words.extend([flag.to_owned(), format!("{root}{place}")]);
    }
    words
}

/// The launchers for a set-up, husk and the floor first; or why one of them is missing.
pub fn all(setup: Setup, place: &Place, command: &[&str]) -> Vec<Result<Launcher, String>> {
    let user = match setup {
        Setup::Root => geteuid().is_root().then(User::current),
        _ => User::ordinary(),
    };
    let Some(user) = user else {
        return vec![Err(format!(
            "{setup:?}: as root, with an ordinary user husktest"
        ))];
    };
    let root = place.file("root");
    let own = |words: &[&str]| -> Vec<String> {
        words
            .iter()
            .chain(command)
            .map(|word| (*word).to_owned())
            .collect()
    };
    let range = user.range().unwrap_or_else(|| "-".to_owned());
    let mode = match setup {
        Setup::OneId | Setup::Root => ["-", "-"],
        Setup::Net => ["n", "-"],
        Setup::Ranges => ["h", range.as_str()],
    };
    if setup == Setup::Ranges && range == "-" {
        return vec![Err("ranges: a line of the user's in /etc/subuid".to_owned())];
    }
    let mut husk = husk_words(setup, &root);
    husk.extend(own(&["--"]));
    let make = |name, file: String, words| Launcher {
        name,
        file: file.into(),
        words,
        user,
    };
    let mut found = vec![
        Ok(make(
            "floor",
            place.file("floor"),
            own(&[mode[0], &root, "0", mode[1]]),
        )),
        Ok(make("husk", place.file("husk"), husk)),
    ];
    for (name, program, words) in peers(setup, place, user, command) {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut files = env::split_paths(&path).map(|directory| directory.join(program));
        found.push(match files.find(|file| file.exists()) {
            Some(file) => Ok(Launcher {
                name,
                file,
                words,
                user,
            }),
            None => Err(format!("{program} is not installed")),
        });
    }
    found
}

type Peer = (&'static str, &'static str, Vec<String>);

/// Name, program and words of the others.
fn peers(setup: Setup, place: &Place, user: User, command: &[&str]) -> Vec<Peer> {
    let root = place.file("root");
    let with = |words: &[&str]| -> Vec<String> {
        words
            .iter()
            .chain(command)
            .map(|word| (*word).to_owned())
            .collect()
    };
    let unshare = [&format!("--root={root}"), "--mount-proc=/proc"];
    if setup == Setup::Ranges {
        let words = [&["-Umpfiu", "--map-root-user", "--map-auto"][..], &unshare].concat();
        return vec![("unshare (chroot, proc)", "unshare", with(&words))];
    }
    let net: &[&str] = if setup == Setup::Net {
        &["--unshare-net"]
    } else {
        &[]
    };
    let bwrap = [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
    ];
    let mounts = [
        "--bind", &root, "/", "--proc", "/proc", "--tmpfs", "/tmp", "--dev", "/dev",
    ];
    let namespaces = if setup == Setup::Net {
        "-Urmpfiun"
    } else {
        "-Urmpfiu"
    };
    let [crun, runc] = oci(setup, place, user, command);
    vec![
        ("bwrap", "bwrap", with(&[&bwrap[..], net, &mounts].concat())),
        (
            "unshare (chroot, proc)",
            "unshare",
            with(&[&[namespaces], &unshare[..]].concat()),
        ),
        (
            "ch-run (user, mount)",
            "ch-run",
            with(&["--no-passwd", &root, "--"]),
        ),
        ("crun", "crun", crun),
        ("runc", "runc", runc),
        (
            "nsjail",
            "nsjail",
            with(&["-Q", "-Mo", "--chroot", &root, "--"]),
        ),
        (
            "minijail0",
            "minijail0",
            with(&["-U", "-m", "-M", "-p", "-v", "-C", &root]),
        ),
    ]
}

/// The words of crun(1) and runc(8), which read the rest from a file.
fn oci(setup: Setup, place: &Place, user: User, command: &[&str]) -> [Vec<String>; 2] {
    let bundle = place.bundle(setup, user, command);
    let id = format!("husk-bench-{}-{setup:?}", process::id());
    let state = place.file("state");
    let crun = [
        "--cgroup-manager=disabled",
        "--root",
        &state,
        "run",
        "-b",
        &bundle,
        &id,
    ];
    let runc = ["--root", &state, "run", "-b", &bundle, &id];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    [words(&crun), words(&runc)]
}
