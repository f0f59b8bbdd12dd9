//! podman(1) with a house of its own: its containers, locks and cgroups vanish with it.

use crate::running::{Outcome, Started};
use crate::world::{self, Dir, Identity, tool};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Why there is no [`Podman`].
pub const NO_PODMAN: &str =
    "no podman, runc or static busybox: apt install podman runc busybox-static";

/// What runs in every container: husk under its names, busybox and the helper in /bin.
pub struct Podman {
    house: Dir,
    root: Dir,
    cgroup: String,
}

/// The one container of a house.
const NAME: &str = "box";

/// The names that husk goes by.
const NAMES: [&str; 4] = ["tini", "dumb-init", "catatonit", "docker-init"];

impl Podman {
    /// An empty house. `None` where this machine lacks something.
    pub fn of(root: &Identity) -> Option<Self> {
        tool("podman").and(tool("runc"))?;
        let tree = root.root_dir()?;
        world::copy_program(world::husk(), &tree.join("bin/husk"));
        let house = root.dir("podman");
        for name in NAMES {
            fs::hard_link(tree.join("bin/husk"), tree.join("bin").join(name)).unwrap();
            world::copy_program(world::husk(), &house.join(name));
        }
        let cgroup = house.path().file_name().unwrap().to_str().unwrap();
        let podman = Self {
            cgroup: format!("/husk-tests-{}-{cgroup}", std::process::id()),
            root: tree,
            house,
        };
        root.write(
            &podman.house.join("containers.conf"),
            &podman.settings(),
            0o644,
        );
        Some(podman)
    }

    /// Nothing is shared with the machine's own podman, and no limit is asked for that this process lacks.
    fn settings(&self) -> String {
        let house = self.house.text();
        format!(
            "[engine]\n\
             cgroup_manager = \"cgroupfs\"\n\
             events_logger = \"none\"\n\
             lock_type = \"file\"\n\
             tmp_dir = \"{house}/tmp\"\n\
             [containers]\n\
             default_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n\
             [network]\n\
             network_config_dir = \"{house}/network\"\n"
        )
    }

    /// A copy of husk under this name, for `--init-path`.
    pub fn copy(&self, name: &str) -> PathBuf {
        self.house.join(name)
    }

    /// The root directory of its containers, as the host sees it.
    pub const fn root(&self) -> &Dir {
        &self.root
    }

    /// Words of a shell that become podman.
    fn words(&self) -> Vec<String> {
        let house = self.house.text();
        let words = [
            "env",
            "-i",
            &format!("PATH={}", world::PATH),
            &format!("HOME={house}"),
            &format!("CONTAINERS_CONF={house}/containers.conf"),
            "podman",
            "--root",
            &format!("{house}/storage"),
            "--runroot",
            &format!("{house}/run"),
            "--storage-driver=vfs",
            "--runtime=runc",
        ];
        words.map(str::to_owned).to_vec()
    }

    /// `podman run OPTION… --rootfs ROOT WORD…`.
    ///
    /// Without a mount or a monitor's cgroup on the host: other tests look at its mounts.
    fn run_words(&self, options: &[&str], words: &[&str]) -> Vec<String> {
        let mut all = self.words();
        let own = [
            "run",
            "--rm",
            "--name",
            NAME,
            "--network=none",
            "--ipc=none",
            "--cgroups=no-conmon",
            "--cgroup-parent",
            &self.cgroup,
        ];
        let tail = ["--rootfs", self.root.text()];
        let rest = own.iter().chain(options).chain(&tail).chain(words);
        all.extend(rest.map(|word| (*word).to_owned()));
        all
    }

    /// Starts a container, and leaves it running.
    pub fn start(&self, options: &[&str], words: &[&str]) -> Started {
        self.started(&self.run_words(options, words))
    }

    /// Runs a container to its end.
    pub fn run(&self, options: &[&str], words: &[&str]) -> Outcome {
        self.start(options, words).finish()
    }

    /// What [`crate::terminal`] types to run a container on the terminal.
    pub fn typed(&self, options: &[&str], words: &[&str]) -> String {
        let quoted = self.run_words(options, words);
        let quoted: Vec<String> = quoted.iter().map(|word| format!("'{word}'")).collect();
        quoted.join(" ")
    }

    /// Another command of podman's about the container: `stop -t 5`.
    pub fn tell(&self, words: &[&str]) -> Outcome {
        let mut all = self.words();
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all.push(NAME.to_owned());
        self.started(&all).finish()
    }

    /// Runs something in the container, whose parent is none of its processes.
    pub fn exec(&self, words: &[&str]) -> Started {
        let mut all = self.words();
        all.extend(
            ["exec", NAME]
                .iter()
                .chain(words)
                .map(|word| (*word).to_owned()),
        );
        self.started(&all)
    }

    fn started<W: AsRef<OsStr>>(&self, words: &[W]) -> Started {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        command.current_dir(self.house.path());
        Started::new(command, Duration::from_secs(30))
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let mut all = self.words();
        all.extend(["rm", "--all", "--force", "--time", "0"].map(str::to_owned));
        let mut command = Command::new(&all[0]);
        command.args(&all[1..]).stdin(Stdio::null());
        drop(command.stdout(Stdio::null()).stderr(Stdio::null()).status());
        // One for each hierarchy; podman leaves the parent.
        let top = Path::new("/sys/fs/cgroup");
        let hierarchies = fs::read_dir(top).into_iter().flatten().flatten();
        let tops = hierarchies
            .map(|entry| entry.path())
            .chain([top.to_owned()]);
        for top in tops {
            drop(fs::remove_dir(
                top.join(self.cgroup.trim_start_matches('/')),
            ));
        }
    }
}
