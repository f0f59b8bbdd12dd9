//! Where the tests run: whom they can be, and directories that vanish when they end.

use crate::skip;
use std::env;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A search path that has everything on the machine.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Somebody whom the tests can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As in /etc/passwd.
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Identity {
    pub const fn is_root(&self) -> bool {
        self.uid == 0
    }

    fn named(name: &str) -> Option<Self> {
        Self::found(|fields| fields.first() == Some(&name))
    }

    fn with_uid(uid: u32) -> Option<Self> {
        Self::found(|fields| fields.get(2).and_then(|text| text.parse().ok()) == Some(uid))
    }

    fn found(wanted: impl Fn(&[&str]) -> bool) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|line| wanted(line))
            .map(|fields| Self {
                name: fields[0].to_owned(),
                uid: fields[2].parse().unwrap(),
                gid: fields[3].parse().unwrap(),
            })
    }

    /// The first of the ids that subuid(5) and subgid(5) give this user, and how many in one range.
    pub fn subordinate_ids(&self) -> Option<(u32, u32)> {
        let range = |file: &str| {
            let text = fs::read_to_string(file).ok()?;
            let line = text
                .lines()
                .find(|line| line.split(':').next() == Some(&self.name))?;
            let mut fields = line.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let users: (u32, u32) = range("/etc/subuid")?;
        (Some(users) == range("/etc/subgid")).then_some(users)
    }

    /// A new empty directory of this user's.
    pub fn dir(&self, label: &str) -> Dir {
        let path = base().path.join(format!("{label}.{}", next()));
        make_dir(&path);
        self.own(&path);
        Dir { path }
    }

    /// Makes the file or directory this user's.
    pub fn own(&self, path: &Path) {
        if myself().is_root() {
            lchown(path, Some(self.uid), Some(self.gid)).unwrap();
        }
    }

    /// Writes a file that belongs to this user.
    pub fn write(&self, path: &Path, text: &str, mode: u32) {
        write_program(path, text);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        self.own(path);
    }

    /// Makes a directory, and those above it, that belong to this user.
    pub fn mkdir(&self, path: &Path) {
        if !path.exists() {
            self.mkdir(path.parent().unwrap());
            make_dir(path);
            self.own(path);
        }
    }

    /// A root directory of this user's with busybox and the helper in it, and empty mount points.
    /// `None` where this machine has no static busybox.
    pub fn root_dir(&self) -> Option<Dir> {
        let busybox = base().busybox.as_ref()?;
        let root = self.dir("root");
        for name in ["bin", "etc", "root", "tmp", "proc", "dev", "sys", "data"] {
            self.mkdir(&root.join(name));
        }
        fs::set_permissions(root.join("tmp"), Permissions::from_mode(0o1777)).unwrap();
        fs::hard_link(busybox, root.join("bin/busybox")).unwrap();
        fs::hard_link(helper(), root.join("bin/helper")).unwrap();
        for applet in APPLETS.split_whitespace() {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        self.write(
            &root.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\n",
            0o644,
        );
        self.write(&root.join("etc/group"), "root:x:0:\n", 0o644);
        self.write(&root.join("etc/resolv.conf"), "", 0o644);
        Some(root)
    }
}

/// Writes a file that may be executed. Another process does it: one that another test starts
/// meanwhile would inherit our descriptor, and a file that somebody can write is not executed
/// (ETXTBSY).
pub fn write_program(path: &Path, text: &str) {
    let mut cat = Command::new("/bin/sh")
        .args(["-c", "exec cat >\"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    cat.stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(cat.wait().unwrap().success());
}

/// Copies a program; see [`write_program`].
pub fn copy_program(from: &Path, to: &Path) {
    assert!(
        Command::new("cp")
            .arg(from)
            .arg(to)
            .status()
            .unwrap()
            .success()
    );
}

const APPLETS: &str = "sh cat ls id hostname mount umount sleep echo true false touch chown chmod \
    mkdir rm rmdir mv ln readlink stat ps env pwd kill stty tty dd head wc grep sort seq find cut \
    printf sed tail test dnsdomainname nproc tr uname mknod od cmp mountpoint";

/// Whoever runs the tests.
pub fn myself() -> &'static Identity {
    static MYSELF: OnceLock<Identity> = OnceLock::new();
    MYSELF.get_or_init(|| {
        let uid = rustix::process::getuid().as_raw();
        let gid = rustix::process::getgid().as_raw();
        Identity::with_uid(uid).unwrap_or_else(|| Identity {
            name: uid.to_string(),
            uid,
            gid,
        })
    })
}

/// Everybody for whom a promise must hold: root and an ordinary user where the tests run as root,
/// else whoever runs them.
pub fn everybody() -> &'static [Identity] {
    static EVERYBODY: OnceLock<Vec<Identity>> = OnceLock::new();
    let everybody = EVERYBODY.get_or_init(|| {
        let mut all = vec![myself().clone()];
        if myself().is_root() {
            all.extend(Identity::named(&user_name()));
        }
        all
    });
    if myself().is_root() && everybody.len() == 1 {
        skip::skipped(&no_user());
    }
    everybody
}

/// The ordinary user.
pub fn user() -> Option<&'static Identity> {
    everybody().iter().find(|who| !who.is_root())
}

/// Root, where the tests run as root.
pub fn root() -> Option<&'static Identity> {
    myself().is_root().then(myself)
}

/// Why there is no [`user`].
pub fn no_user() -> String {
    format!(
        "no user {}: useradd -m it, or name another in HUSK_TEST_USER",
        user_name()
    )
}

/// Why there is no [`root`].
pub const NOT_ROOT: &str = "only root can do this";

/// Why there is no [`Identity::root_dir`].
pub const NO_BUSYBOX: &str = "no static busybox at /bin/busybox: apt install busybox-static";

fn user_name() -> String {
    env::var("HUSK_TEST_USER").unwrap_or_else(|_| "husktest".to_owned())
}

/// A directory that is removed when this is dropped.
pub struct Dir {
    path: PathBuf,
}

impl Dir {
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // What cannot be removed here belongs to subordinate ids: the janitor's work.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// The built binary, where everybody may read it.
pub fn husk() -> &'static Path {
    &base().husk
}

/// The helper, where everybody may read it.
pub fn helper() -> &'static Path {
    &base().helper
}

/// A directory with nothing in it that husk would read, to start in.
pub fn nowhere() -> &'static Path {
    &base().nowhere
}

/// A word that no other process has in its arguments.
pub fn mark() -> String {
    format!("husk-mark-{}-{}-", process::id(), next())
}

fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

struct Base {
    path: PathBuf,
    husk: PathBuf,
    helper: PathBuf,
    nowhere: PathBuf,
    busybox: Option<PathBuf>,
    /// Waits for the end of this process, which closes its standard input.
    _janitor: Child,
}

const HELPER_IS_MISSING: &str =
    "cargo test builds the helper, cargo test --test it does not: cargo build --examples";

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let built = Path::new(env!("CARGO_BIN_EXE_husk"));
        let helper = built.parent().unwrap().join("examples/helper");
        assert!(helper.exists(), "{HELPER_IS_MISSING}");
        let path = Path::new("/var/tmp").join(format!("husk-tests.{}", process::id()));
        make_dir(&path);
        let husk = copied(built, &path.join("husk"));
        let helper = copied(&helper, &path.join("helper"));
        let static_busybox = Path::new("/bin/busybox");
        let busybox =
            is_static(static_busybox).then(|| copied(static_busybox, &path.join("busybox")));
        let nowhere = path.join("nowhere");
        make_dir(&nowhere);
        let janitor = Command::new(&helper)
            .arg("janitor")
            .args([&path, &husk])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Base {
            path,
            husk,
            helper,
            nowhere,
            busybox,
            _janitor: janitor,
        }
    })
}

/// One that everybody may look into, whatever the umask.
fn make_dir(path: &Path) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn copied(from: &Path, to: &Path) -> PathBuf {
    copy_program(from, to);
    fs::set_permissions(to, Permissions::from_mode(0o755)).unwrap();
    to.to_owned()
}

/// Whether it is an ELF file that names no interpreter.
fn is_static(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| {
        let start = &bytes[..bytes.len().min(4096)];
        !start
            .windows(8)
            .any(|window| window == b"/lib64/l" || window == b"/lib/ld-")
    })
}

/// A tool of the host's, where it has it.
pub fn tool(name: &str) -> Option<PathBuf> {
    PATH.split(':')
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.exists())
}

/// A directory of the user's into which everybody may write, as mapped ids need.
pub fn open_to_all(dir: &Dir) {
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
}
