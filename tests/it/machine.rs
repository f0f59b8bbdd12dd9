//! A machine that boots a kernel and an initramfs, with its console as the output: under qemu(1), or a
//! kernel that is itself a program.

use crate::running::Started;
use crate::world::{self, Dir, tool};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Why there is no [`Machine`].
pub const NO_MACHINE: &str = "no qemu, static busybox or kernel: apt install qemu-system-x86 busybox-static, \
                              and name a vmlinuz in HUSK_TEST_KERNEL";

/// Quiet but for what matters, and one that panics or reboots ends.
const KERNEL: &str =
    "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off tsc=reliable random.trust_cpu=1";

const MACHINE: &str = "-accel tcg -cpu max -m 256 -smp 1 -nodefaults -no-user-config -display none -no-reboot \
                       -chardev stdio,id=console,signal=off -serial chardev:console";

/// Why there is no [`Machine::user_mode`].
pub const NO_USER_MODE: &str =
    "no user-mode kernel or static busybox: apt install user-mode-linux busybox-static";

/// A kernel that runs as a program: the first console on its standard input and output, no others.
const USER_MODE: &str =
    "mem=128M con=null con0=fd:0,fd:1 con1=null ssl=null quiet panic=-1 umid=machine";

/// Seconds are enough, where nothing else runs.
const LIMIT: Duration = Duration::from_secs(180);

/// What it boots.
enum Kernel {
    /// This file, under qemu.
    Emulated(PathBuf),
    /// This program.
    UserMode(PathBuf),
}

/// A kernel for it, and the files that it starts with.
pub struct Machine {
    kernel: Kernel,
    files: Archive,
    home: Dir,
}

impl Machine {
    /// One with husk as /init, and busybox and the helper in /bin. `None` where this machine lacks something.
    pub fn new() -> Option<Self> {
        Self::emulated(kernel()?)
    }

    /// The same with this kernel.
    pub fn emulated(kernel: PathBuf) -> Option<Self> {
        let supported = cfg!(target_arch = "x86_64");
        tool("qemu-system-x86_64").filter(|_| supported)?;
        Self::of(Kernel::Emulated(kernel))
    }

    /// The same with a kernel that is a program.
    pub fn user_mode() -> Option<Self> {
        Self::of(Kernel::UserMode(tool("linux.uml")?))
    }

    fn of(kernel: Kernel) -> Option<Self> {
        let home = world::myself().root_dir()?;
        let mut files = Archive::default();
        for name in ["bin", "etc", "tmp"] {
            files.add(name, Kind::Directory, &[]);
        }
        for entry in fs::read_dir(home.join("bin")).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("bin/{}", path.file_name().unwrap().to_str().unwrap());
            match fs::read_link(&path) {
                Ok(target) => files.add(&name, Kind::Link, target.to_str().unwrap().as_bytes()),
                Err(_) => files.add(&name, Kind::Program, &fs::read(&path).unwrap()),
            }
        }
        files.add("init", Kind::Program, &fs::read(world::husk()).unwrap());
        Some(Self {
            kernel,
            files,
            home,
        })
    }

    /// With this module as /module.ko, where it is installed beside the kernel.
    #[must_use]
    pub fn with_module(mut self, path: &str) -> Self {
        let modules = match &self.kernel {
            Kernel::Emulated(kernel) => {
                let name = kernel.file_name().unwrap().to_str().unwrap();
                let release = name.trim_start_matches("vmlinuz-");
                Some(kernel.with_file_name("../lib/modules").join(release))
            }
            Kernel::UserMode(_) => fs::read_dir("/usr/lib/uml/modules")
                .ok()
                .and_then(|mut releases| Some(releases.next()?.ok()?.path())),
        };
        let file = modules.and_then(|modules| fs::read(modules.join("kernel").join(path)).ok());
        if let Some(bytes) = file {
            self.files.add("module.ko", Kind::Program, &bytes);
        }
        self
    }

    /// One more file that may be executed.
    #[must_use]
    pub fn program(mut self, name: &str, text: &str) -> Self {
        self.files.add(name, Kind::Program, text.as_bytes());
        self
    }

    /// One more program that is not text.
    #[must_use]
    pub fn binary(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.add(name, Kind::Program, bytes);
        self
    }

    /// One more directory.
    #[must_use]
    pub fn directory(mut self, name: &str) -> Self {
        self.files.add(name, Kind::Directory, &[]);
        self
    }

    /// One that has no console until somebody mounts a /dev.
    #[must_use]
    pub fn without_a_console(mut self) -> Self {
        // Every kernel brings a node of its own; this takes its place.
        self.files.add("dev", Kind::Directory, &[]);
        self.files.add("dev/console", Kind::Link, b"nowhere");
        self
    }

    /// Switches it on. The kernel gives the words after `--` to its init, and of the others those
    /// that it does not know.
    pub fn boot(&self, words: &str) -> Started {
        let initramfs = self.home.join("initramfs");
        fs::write(&initramfs, self.files.ended()).unwrap();
        let mut command = match &self.kernel {
            Kernel::Emulated(kernel) => {
                let mut command = Command::new("qemu-system-x86_64");
                command.args(MACHINE.split_whitespace());
                command.arg("-kernel").arg(kernel);
                command.arg("-initrd").arg(&initramfs);
                command.args(["-append", &format!("{KERNEL} {words}")]);
                command
            }
            Kernel::UserMode(program) => {
                // Killed by itself, it would leave processes behind; in a container it does not.
                let mut command = Command::new(world::husk());
                command.args(["run", "--no-config", "--"]).arg(program);
                command.args(USER_MODE.split_whitespace());
                command.arg(format!("initrd={}", initramfs.display()));
                command.arg(format!("uml_dir={}/", self.home.text()));
                command.arg(words);
                command
            }
        };
        command.stdin(Stdio::piped());
        Started::new(command, LIMIT)
    }
}

/// The kernel that HUSK_TEST_KERNEL names, else the last of /boot that can be read.
fn kernel() -> Option<PathBuf> {
    if let Some(path) = env::var_os("HUSK_TEST_KERNEL") {
        return Some(path.into());
    }
    let entries = fs::read_dir("/boot").ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_kernel = |path: &PathBuf| {
        path.to_str()
            .is_some_and(|text| text.starts_with("/boot/vmlinuz-"))
    };
    paths
        .filter(|path| is_kernel(path) && fs::File::open(path).is_ok())
        .max()
}

#[derive(Clone, Copy)]
enum Kind {
    Directory,
    Program,
    Link,
}

/// An archive as cpio(1) writes it with `-H newc`, which is what the kernel unpacks.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    fn add(&mut self, name: &str, kind: Kind, data: &[u8]) {
        let mode = match kind {
            Kind::Directory => 0o040_755,
            Kind::Program => 0o100_755,
            Kind::Link => 0o120_777,
        };
        self.entries += 1;
        let length = |bytes: usize| u32::try_from(bytes).unwrap();
        let (file_size, name_size) = (length(data.len()), length(name.len() + 1));
        // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        let fields = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            file_size,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn ended(&self) -> Vec<u8> {
        let mut all = Self {
            bytes: self.bytes.clone(),
            entries: self.entries,
        };
        all.add("TRAILER!!!", Kind::Program, &[]);
        all.bytes
    }
}
