//! The flags of `husk run`: one table, which the parser, --help and the tests read.

use crate::config::init::Name;
use crate::plan::namespace::NamespaceSet;
use crate::text::split_once;

/// A flag.
pub struct Flag {
    /// Its name with dashes, the names of its arguments, and what it does for --help, with a `|`
    /// between: one text, since every reference costs a relocation.
    text: &'static str,
    /// One letter for it, or 0.
    pub short: u8,
    /// What it does, for husk.
    pub does: Does,
}

impl Flag {
    /// With its dashes.
    pub fn name(&self) -> &'static str {
        split_once(self.text, b'|').map_or("", |parts| parts.0)
    }

    /// Names of its arguments, separated by blanks.
    pub fn arguments(&self) -> &'static str {
        self.rest().0
    }

    /// What it does, for --help.
    pub fn help(&self) -> &'static str {
        self.rest().1
    }

    /// Whether `word` is it.
    fn is_named(&self, word: &[u8]) -> bool {
        match self.does {
            Does::Unshare => word
                .strip_prefix(b"--unshare-")
                .is_some_and(names_namespaces),
            Does::Share => word.strip_prefix(b"--share-").is_some_and(names_namespaces),
            // Few names are as long.
            _ => {
                let text = self.text.as_bytes();
                text.get(word.len()) == Some(&b'|') && text.starts_with(word)
            }
        }
    }

    fn rest(&self) -> (&'static str, &'static str) {
        split_once(self.text, b'|')
            .and_then(|parts| split_once(parts.1, b'|'))
            .unwrap_or(("", ""))
    }
}

/// What a flag does.
#[derive(Clone, Copy)]
pub enum Does {
    /// Nothing: a heading of --help.
    Heading,
    /// Prints the usage.
    Help,
    /// Prints the plan and starts nothing.
    DryRun,
    /// `husk check` for programs.
    Json,
    /// Names the configuration file.
    ConfigFile,
    /// Reads none.
    NoConfig,
    /// Sets the key of that name, with `_` for `-`.
    Key,
    /// A line of `uid_map`.
    UidMap,
    /// A line of `gid_map`.
    GidMap,
    /// Adds to the namespaces; the flag's name ends in theirs.
    Unshare,
    /// Takes from the namespaces.
    Share,
    /// A recursive bind; the flag's name says of what kind.
    Bind,
    /// A tmpfs.
    Tmpfs,
    /// A proc.
    Proc,
    /// A small /dev.
    Dev,
    /// An empty directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Makes a mount read-only.
    RemountReadOnly,
    /// `working_dir`.
    Chdir,
    /// Sets a variable.
    SetEnv,
    /// Unsets a variable.
    UnsetEnv,
    /// `clear_env`.
    ClearEnv,
    /// `new_keyring = false`.
    NoNewKeyring,
    /// `no_new_privs = false`.
    AllowNewPrivs,
    /// A limit of setrlimit(2).
    Limit,
    /// A key of `[cgroup]`.
    Cgroup,
    /// A key of `[landlock]`; the flag's name says which.
    Landlock,
    /// The option of that name of `husk init`.
    Init(Name),
}

const fn flag(text: &'static str, does: Does) -> Flag {
    Flag {
        text,
        short: 0,
        does,
    }
}

const fn heading(text: &'static str) -> Flag {
    flag(text, Does::Heading)
}

const fn short(letter: u8, flag: Flag) -> Flag {
    Flag {
        short: letter,
        ..flag
    }
}

/// Every flag of `husk run`, in the order of --help and under its headings.
pub const RUN: &[Flag] = &[
    heading("Configuration||"),
    short(
        b'c',
        flag(
            "--config|FILE|read FILE, or NAME.toml of ~/.config/husk",
            Does::ConfigFile,
        ),
    ),
    flag(
        "--no-config||read no file, not even ./husk.toml",
        Does::NoConfig,
    ),
    flag(
        "--dry-run||print what would be done; start nothing",
        Does::DryRun,
    ),
    flag("--json||husk check: for programs", Does::Json),
    short(b'h', flag("--help||print this", Does::Help)),
    heading("Root directory||"),
    flag(
        "--root|DIR|new root with its own /proc, /dev and /sys",
        Does::Key,
    ),
    flag(
        "--chroot-dir|DIR|new root as it is; targets seen from outside",
        Does::Key,
    ),
    flag("--read-only||nothing in the root can be written", Does::Key),
    flag(
        "--overlay|WHERE|writes go to tmpfs, or into a local directory",
        Does::Key,
    ),
    heading("Mounts, in the order given (a missing DEST is made)||"),
    flag(
        "--bind|SRC DEST|SRC, and what is mounted below it",
        Does::Bind,
    ),
    flag("--ro-bind|SRC DEST|the same, read-only", Does::Bind),
    flag("--dev-bind|SRC DEST|the same, devices usable", Does::Bind),
    flag("--bind-try|SRC DEST|--bind where SRC exists", Does::Bind),
    flag(
        "--ro-bind-try|SRC DEST|--ro-bind where SRC exists",
        Does::Bind,
    ),
    flag(
        "--dev-bind-try|SRC DEST|--dev-bind where SRC exists",
        Does::Bind,
    ),
    flag("--tmpfs|DEST|an empty tmpfs", Does::Tmpfs),
    flag(
        "--proc|DEST|a new proc; or KIND: auto, new, bind, none",
        Does::Proc,
    ),
    flag("--dev|DEST|a small /dev", Does::Dev),
    flag("--dir|DEST|an empty directory", Does::Directory),
    flag(
        "--symlink|TEXT DEST|a symbolic link, in a tmpfs or overlay",
        Does::Symlink,
    ),
    flag(
        "--remount-ro|DEST|make what is mounted there read-only",
        Does::RemountReadOnly,
    ),
    heading("Ids||"),
    flag(
        "--id-map|KIND|auto (root = you, and your subuids), root, self",
        Does::Key,
    ),
    flag("--uid-map|IN OUT COUNT|a line of uid_map", Does::UidMap),
    flag("--gid-map|IN OUT COUNT|a line of gid_map", Does::GidMap),
    flag("--uid|UID|the command's uid inside", Does::Key),
    flag("--gid|GID|the command's gid inside", Does::Key),
    flag(
        "--fake-chown||say yes to chown(2) to ids that are not mapped",
        Does::Key,
    ),
    heading("Namespaces (default: user,mount,pid,uts,ipc,cgroup)||"),
    flag(
        "--namespaces|LIST|exactly these, separated by commas",
        Does::Key,
    ),
    flag(
        "--network|KIND|host, or none: a loopback interface alone",
        Does::Key,
    ),
    flag(
        "--unshare-{KIND}||add one, or all of them but time",
        Does::Unshare,
    ),
    flag("--share-{KIND}||leave one out", Does::Share),
    heading("A cgroup of its own (needs a delegated one of version 2)||"),
    flag(
        "--memory|BYTES|memory.max, with a suffix k, m, g or t",
        Does::Cgroup,
    ),
    flag(
        "--memory-high|BYTES|memory.high: slowed down above it",
        Does::Cgroup,
    ),
    flag("--memory-swap|BYTES|memory and swap together", Does::Cgroup),
    flag(
        "--pids-limit|N|pids.max: processes and threads, PID 1 included",
        Does::Cgroup,
    ),
    flag("--cpus|N|cpu.max: so many of them, as in 1.5", Does::Cgroup),
    flag(
        "--cpu-weight|N|cpu.weight: 1 to 10000, others have 100",
        Does::Cgroup,
    ),
    flag("--io-weight|N|io.weight: the same", Does::Cgroup),
    flag(
        "--cgroup-parent|DIR|make it below DIR, not below husk's own",
        Does::Cgroup,
    ),
    heading("Landlock (what is below none of these is closed)||"),
    flag(
        "--landlock-ro|PATH|files are read, directories listed",
        Does::Landlock,
    ),
    flag(
        "--landlock-rw|PATH|the same, and written, but not executed",
        Does::Landlock,
    ),
    flag(
        "--landlock-rx|PATH|files are read and executed",
        Does::Landlock,
    ),
    flag(
        "--landlock-scope||no abstract sockets, no signals to others",
        Does::Landlock,
    ),
    flag(
        "--landlock-required||fail where the kernel cannot hold all of it",
        Does::Landlock,
    ),
    heading("Command||"),
    flag("--chdir|DIR|where it starts", Does::Chdir),
    flag("--setenv|NAME VALUE|set a variable", Does::SetEnv),
    flag("--unsetenv|NAME|unset a variable", Does::UnsetEnv),
    flag(
        "--clearenv||start from an empty environment",
        Does::ClearEnv,
    ),
    flag("--hostname|NAME|the host's name inside", Does::Key),
    flag("--domainname|NAME|the NIS domain's name inside", Does::Key),
    flag(
        "--cap-add|CAP|keep a capability, or ALL; who mounts: SYS_ADMIN",
        Does::Key,
    ),
    flag("--cap-drop|CAP|drop a capability, or ALL", Does::Key),
    flag(
        "--allow-new-privs||let set-user-ID programs gain privileges",
        Does::AllowNewPrivs,
    ),
    flag("--disable-userns||no user namespaces inside", Does::Key),
    flag(
        "--mask|KIND|of /proc and /sys: auto (as root), oci, none",
        Does::Key,
    ),
    flag(
        "--new-keyring||insist on a session keyring of its own",
        Does::Key,
    ),
    flag("--no-new-keyring||keep the caller's", Does::NoNewKeyring),
    flag(
        "--preserve-fds|N|descriptors 3 to N+2 stay open for it",
        Does::Key,
    ),
    flag(
        "--ulimit|NAME=SOFT[:HARD]|limit a resource: nofile, nproc, as ...",
        Does::Limit,
    ),
    flag(
        "--seccomp|WHAT|refuse system calls: default, off, or by BPF of FILE",
        Does::Key,
    ),
    flag(
        "--seccomp-allow|CALL|do not refuse this one by default",
        Does::Key,
    ),
    flag("--seccomp-deny|CALL|refuse this one as well", Does::Key),
    flag(
        "--new-session||no controlling terminal: setsid(2)",
        Does::Key,
    ),
    flag(
        "--die-with-parent||die when whoever started husk dies",
        Does::Key,
    ),
    flag(
        "--as-pid-1||the command is PID 1 itself; nobody reaps",
        Does::Key,
    ),
];

/// Where the flag of that name is in [`RUN`].
pub fn position(word: &[u8]) -> Option<usize> {
    if let [b'-', letter] = word
        && *letter != b'-'
    {
        return RUN.iter().position(|flag| flag.short == *letter);
    }
    RUN.iter().position(|flag| flag.is_named(word))
}

/// Whether `--unshare-` or `--share-` can be followed by `word`.
fn names_namespaces(word: &[u8]) -> bool {
    core::str::from_utf8(word).is_ok_and(|word| namespaces(word).is_some())
}

/// The namespaces that the end of a flag names.
pub fn namespaces(word: &str) -> Option<NamespaceSet> {
    match word {
        "all" => Some(NamespaceSet::ALL),
        word => NamespaceSet::named(word),
    }
}
