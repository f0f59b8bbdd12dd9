//! What each flag of `husk run` puts into the [`Config`].

use super::Found;
use super::flags::{self, Does};
use crate::arena::Arena;
use crate::config;
use crate::config::slot::{Slot, slot};
use crate::config::{
    At, Config, EnvChange, IdMap, MakeTarget, Mask, MissingSource, MountOption, MountRequest,
    Network, Overlay, Place, Proc, keys,
};
use crate::fail::refusal::{Refusal, Refused, What};
use crate::limits;
use crate::plan::calls::{self, Call};
use crate::plan::capability::CapabilitySet;
use crate::plan::id::{INVALID, Inside, MapLine, Outside};
use crate::plan::mount::MountFlags;
use crate::plan::namespace::{NAMES, NamespaceSet};
use crate::text::parse_number;
use core::ffi::CStr;

/// Carries out one flag.
pub fn apply<'a>(
    does: Does,
    found: &Found<'a>,
    config: &mut Config<'a>,
    arena: &mut Arena<'a>,
) -> Result<(), Refused> {
    let [first, second, _] = found.arguments;
    let yes = |value| Some(At::new(value, found.place));
    match does {
        Does::Key => found.set_key(config)?,
        // bubblewrap's --proc names a place, which has a slash; a kind has none.
        Does::Proc if Proc::named(found.word(first)).is_some() => found.set_key(config)?,
        Does::Chdir => config.working_dir = Some(found.path(first)?),
        Does::ClearEnv => config.clear_env = yes(true),
        Does::Limit => found.limit(config)?,
        Does::Cgroup => found.cgroup(config)?,
        Does::Landlock => found.landlock(config)?,
        Does::AllowNewPrivs => config.no_new_privs = yes(false),
        Does::NoNewKeyring => config.new_keyring = yes(false),
        Does::UidMap => found.add_map_line(config.uid_map)?,
        Does::GidMap => found.add_map_line(config.gid_map)?,
        Does::Unshare => {
            let kind = found.kind();
            config.unshare = config.unshare.with(kind);
            config.share = config.share.without(kind);
            forget_network(config, kind);
        }
        Does::Share => {
            let kind = found.kind();
            config.share = config.share.with(kind);
            config.unshare = config.unshare.without(kind);
            forget_network(config, kind);
        }
        Does::SetEnv => {
            let change = found.variable(first, second, arena)?;
            found.push(config.env, change, "changes to the environment")?;
        }
        Does::UnsetEnv => {
            found.push(
                config.env,
                EnvChange::Unset(first),
                "changes to the environment",
            )?;
        }
        Does::Init(name) => {
            let value = found.word(first);
            config::init::set(&mut config.init, name, value).or_else(|what| found.refuse(what))?;
        }
        mount => {
            let request = At::new(found.mount(mount)?, found.place);
            found.push(config.mounts, request, "mounts")?;
        }
    }
    Ok(())
}

/// Bytes of the longest key, and some.
const KEY: usize = 24;

/// The last word about the net namespace counts.
fn forget_network(config: &mut Config<'_>, kind: NamespaceSet) {
    if kind.contains(NamespaceSet::NET) {
        config.network = None;
    }
}

/// A flag replaces the file's choice of what it excludes.
fn forget_file<T>(key: &mut Option<At<T>>) {
    if key
        .as_ref()
        .is_some_and(|at| matches!(at.place, Place::File(_)))
    {
        *key = None;
    }
}

impl<'a> Found<'a> {
    /// Sets the key that the flag is named for.
    fn set_key(&self, config: &mut Config<'a>) -> Result<(), Refused> {
        let [first, ..] = self.arguments;
        let mut memory = [0_u8; KEY];
        let name = self.word.to_bytes().strip_prefix(b"--").unwrap_or_default();
        let name = name.split(|byte| *byte == b'=').next().unwrap_or_default();
        for (to, from) in memory.iter_mut().zip(name) {
            *to = if *from == b'-' { b'_' } else { *from };
        }
        let key = CStr::from_bytes_until_nul(&memory)
            .unwrap_or_default()
            .to_str()
            .unwrap_or_default();
        let place = self.place;
        match slot(config, key) {
            Slot::Path(slot) => *slot = Some(self.path(first)?),
            Slot::HostName(slot) => *slot = Some(self.host_name()?),
            Slot::Id(slot) => *slot = Some(At::new(self.number(first, 0, INVALID - 1)?, place)),
            Slot::Boolean(slot) => *slot = Some(At::new(true, place)),
            Slot::Namespaces => config.namespaces = Some(At::new(self.namespaces()?, place)),
            Slot::IdMap => {
                let kind = self.named(IdMap::named, "id map", IdMap::NAMES)?;
                config.id_map = Some(At::new(kind, place));
            }
            Slot::Proc => {
                let kind = self.named(Proc::named, "proc", Proc::NAMES)?;
                config.proc = Some(At::new(kind, place));
            }
            Slot::Count(slot) => {
                *slot = Some(At::new(self.number(first, 0, limits::PRESERVED)?, place));
            }
            Slot::Mask => {
                let kind = self.named(Mask::named, "mask", Mask::NAMES)?;
                config.mask = Some(At::new(kind, place));
            }
            Slot::Network => {
                let kind = self.named(Network::named, "network", Network::NAMES)?;
                config.network = Some(At::new(kind, place));
            }
            Slot::Overlay => {
                config.overlay = Some(At::new(Overlay::at(self.path(first)?.value), place));
            }
            Slot::Capabilities(change) => {
                let allowed = "ALL and the names in capabilities(7)";
                let set = self.named(CapabilitySet::named, "capability", allowed)?;
                self.push(config.capabilities, change(set), "capabilities")?;
            }
            Slot::Calls(change) => {
                let change = At::new(change(self.call(first)?), place);
                self.push(config.calls, change, "system calls")?;
            }
            // No flag is named for it: the command is what follows the flags.
            Slot::Command => (),
        }
        match key {
            "root" => forget_file(&mut config.chroot_dir),
            "chroot_dir" => forget_file(&mut config.root),
            // The file's changes are to husk's own policy.
            "seccomp" if first != c"default" => {
                let of_file = |place| matches!(place, Place::File(_));
                config.calls.retain(|at| !of_file(at.place));
            }
            _ => (),
        }
        Ok(())
    }

    /// What the first argument names.
    fn named<T>(
        &self,
        find: fn(&str) -> Option<T>,
        kind: &'static str,
        allowed: &'static str,
    ) -> Result<T, Refused> {
        let [word, ..] = self.arguments;
        let found = self.word(word);
        match find(found) {
            Some(value) => Ok(value),
            None => self.refuse(What::Unknown {
                kind,
                found,
                nearest: None,
                allowed,
            }),
        }
    }

    /// The system call that it names.
    fn call(&self, word: &'a CStr) -> Result<Call, Refused> {
        let found = self.word(word);
        calls::named(found).or_else(|near| {
            self.refuse(What::Unknown {
                kind: "system call",
                found,
                nearest: near
                    .as_deref()
                    .map(|name| core::str::from_utf8(name).unwrap_or_default()),
                allowed: calls::ALLOWED,
            })
        })
    }

    pub(super) fn refuse<T>(&self, what: What<'_>) -> Result<T, Refused> {
        Err(Refusal::new(self.place, "", what))
    }

    pub(super) fn push<T, const N: usize>(
        &self,
        list: &mut heapless::Vec<T, N>,
        item: T,
        of: &'static str,
    ) -> Result<(), Refused> {
        let limit = u32::try_from(N).unwrap_or(u32::MAX);
        list.push(item)
            .or_else(|_| self.refuse(What::TooMany { limit, of }))
    }

    /// The first map line of the command line replaces all of the file's.
    fn add_map_line<const N: usize>(
        &self,
        lines: &mut heapless::Vec<At<MapLine>, N>,
    ) -> Result<(), Refused> {
        if lines
            .first()
            .is_some_and(|at| matches!(at.place, Place::File(_)))
        {
            lines.clear();
        }
        let line = At::new(self.map_line()?, self.place);
        self.push(lines, line, "lines: user_namespaces(7) allows no more")
    }

    /// The namespaces that the flag names: it was found by them.
    fn kind(&self) -> NamespaceSet {
        let name = self.word.to_bytes().rsplit(|byte| *byte == b'-').next();
        let name = core::str::from_utf8(name.unwrap_or_default()).unwrap_or_default();
        flags::namespaces(name).unwrap_or(NamespaceSet::NONE)
    }

    pub(super) fn word(&self, word: &'a CStr) -> &'a str {
        word.to_str().unwrap_or("?")
    }

    pub(super) fn path(&self, path: &'a CStr) -> Result<At<&'a CStr>, Refused> {
        if path.is_empty() {
            return self.refuse(What::Text("a path must not be empty"));
        }
        if path.count_bytes() >= limits::PATH_BYTES {
            let limit = u32::try_from(limits::PATH_BYTES - 1).unwrap_or(u32::MAX);
            return self.refuse(What::TooMany {
                limit,
                of: "bytes in a path",
            });
        }
        Ok(At::new(path, self.place))
    }

    fn host_name(&self) -> Result<At<&'a CStr>, Refused> {
        let [name, ..] = self.arguments;
        if name.is_empty() || name.count_bytes() > limits::HOST_NAME_BYTES {
            return self.refuse(What::Text("must have 1 to 64 bytes (sethostname(2))"));
        }
        Ok(At::new(name, self.place))
    }

    fn number(&self, word: &'a CStr, least: u32, most: u32) -> Result<u32, Refused> {
        match parse_number(word.to_bytes()) {
            Some(number) if number >= least && number <= most => Ok(number),
            _ => self.refuse(What::OutOfRange {
                found: self.word(word),
                least,
                most,
            }),
        }
    }

    fn map_line(&self) -> Result<MapLine, Refused> {
        let [inside, outside, count] = self.arguments;
        let line = MapLine {
            inside: Inside(self.number(inside, 0, INVALID - 1)?),
            outside: Outside(self.number(outside, 0, INVALID - 1)?),
            count: self.number(count, 1, INVALID)?,
        };
        if !line.fits() {
            return self.refuse(What::Text("the range goes beyond the last id, 4294967294"));
        }
        Ok(line)
    }

    fn namespaces(&self) -> Result<NamespaceSet, Refused> {
        let [list, ..] = self.arguments;
        let mut set = NamespaceSet::NONE;
        for name in list
            .to_bytes()
            .split(|byte| *byte == b',')
            .filter(|name| !name.is_empty())
        {
            let name = core::str::from_utf8(name).unwrap_or("?");
            let Some(kind) = NamespaceSet::named(name) else {
                let nearest = keys::nearest(name, NAMES);
                return self.refuse(What::Unknown {
                    kind: "namespace",
                    found: name,
                    nearest,
                    allowed: NAMES,
                });
            };
            set = set.with(kind);
        }
        Ok(set)
    }

    fn variable(
        &self,
        name: &'a CStr,
        value: &'a CStr,
        arena: &mut Arena<'a>,
    ) -> Result<EnvChange<'a>, Refused> {
        if name.is_empty() || name.to_bytes().contains(&b'=') {
            let text = "a variable's name must not be empty or contain =, as does";
            return self.refuse(What::Found(text, self.word(name)));
        }
        match arena.c_string(&[name.to_bytes(), b"=", value.to_bytes()]) {
            Ok(Some(text)) => Ok(EnvChange::Set(text)),
            _ => {
                let limit = u32::try_from(limits::ARENA_BYTES).unwrap_or(u32::MAX);
                self.refuse(What::TooMany {
                    limit,
                    of: "bytes of text",
                })
            }
        }
    }

    fn mount(&self, does: Does) -> Result<MountRequest<'a>, Refused> {
        let [first, second, _] = self.arguments;
        let mut request = MountRequest {
            target: Some(self.path(first)?.value),
            make_target: MakeTarget::Yes,
            ..MountRequest::default()
        };
        match does {
            Does::Bind => {
                request.option = Some(MountOption::RecursiveBind);
                request.source = Some(first);
                request.target = Some(self.path(second)?.value);
                // As bubblewrap has it: no devices but with --dev-bind.
                let name = self.word.to_bytes();
                request.flags = match name.starts_with(b"--dev-") {
                    true => MountFlags::NO_SUID,
                    false => MountFlags::NO_SUID_NO_DEVICES,
                };
                if name.starts_with(b"--ro-") {
                    request.flags = request.flags.with(MountFlags::READ_ONLY);
                }
                if name.ends_with(b"-try") {
                    request.missing_source = MissingSource::Skip;
                }
            }
            Does::Symlink => {
                request.option = Some(MountOption::Symlink);
                request.source = Some(first);
                request.target = Some(self.path(second)?.value);
            }
            Does::Tmpfs => {
                request.option = Some(MountOption::Mount);
                request.filesystem_type = Some(c"tmpfs");
                request.data = Some(c"mode=0755");
                request.flags = MountFlags::NO_SUID_NO_DEVICES;
            }
            Does::Proc => {
                request.option = Some(MountOption::Mount);
                request.filesystem_type = Some(c"proc");
                request.flags = MountFlags::INERT;
            }
            Does::RemountReadOnly => {
                request.option = Some(MountOption::Remount);
                request.flags = MountFlags::READ_ONLY.with(MountFlags::BIND);
                request.make_target = MakeTarget::No;
            }
            Does::Dev => request.option = Some(MountOption::Dev),
            _ => request.option = Some(MountOption::Directory),
        }
        Ok(request)
    }
}
