//! The tables of the file, and the keys in each.

use super::lex::{Kind, Stop, place};
use super::string::Quotes;
use super::value::{STRINGS, Source};
use super::{Given, Reader, TWICE};
use crate::config::{At, EnvChange, MakeTarget, MountOption, MountRequest, keys};
use crate::fail::refusal::What;
use crate::limits;
use crate::plan::id::{INVALID, Inside, MapLine, Outside};
use crate::plan::mount::{FLAG_NAMES, MountFlags};
use crate::text::words;

/// Words of a mount's `option`, for messages.
const OPTION_NAMES: &str =
    "mount, remount, shared, private, slave, unbindable, bind, recursive_bind, relocate";

/// A table that may stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The file itself.
    Top,
    /// `[env]`.
    Env,
    /// One `[[uid_map]]`.
    UidMap,
    /// One `[[gid_map]]`.
    GidMap,
    /// One `[[mount]]`.
    Mount,
    /// `[init]`.
    Init,
}

impl Table {
    /// The table of that name, [`Table::Top`] where there is none.
    pub fn named(name: &str) -> Self {
        match name {
            "env" => Self::Env,
            "uid_map" => Self::UidMap,
            "gid_map" => Self::GidMap,
            "mount" => Self::Mount,
            "init" => Self::Init,
            _ => Self::Top,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Env => "env",
            Self::UidMap => "uid_map",
            Self::GidMap => "gid_map",
            Self::Mount => "mount",
            Self::Init => "init",
        }
    }

    /// How its header gives it; `None` for a key that has no header.
    pub(super) const fn given(self) -> Option<Given> {
        match self {
            Self::Top => None,
            Self::Env | Self::Init => Some(Given::Whole),
            Self::UidMap | Self::GidMap | Self::Mount => Some(Given::Part),
        }
    }

    /// What its name must stand for.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Top => "a plain value",
            Self::Env | Self::Init => "a table",
            Self::UidMap | Self::GidMap | Self::Mount => "an array of tables",
        }
    }

    /// The keys that it may have; in `env` they are names that husk does not know.
    const fn keys(self) -> &'static str {
        match self {
            Self::Top | Self::Env => "",
            Self::UidMap | Self::GidMap => keys::MAP,
            Self::Mount => keys::MOUNT,
            Self::Init => keys::INIT,
        }
    }
}

/// A `[[uid_map]]`, `[[gid_map]]` or `[[mount]]` that is being read.
#[derive(Default)]
pub struct Entry<'a> {
    /// The offset of its header.
    at: usize,
    /// The keys so far, a bit each.
    given: u64,
    /// `inside`, `outside` and `count`.
    line: [Option<u32>; 3],
    /// The mount.
    mount: MountRequest<'a>,
}

impl<'a> Reader<'_, 'a> {
    /// Begins the `table` whose header has the offset `at`.
    pub(super) fn begin_table(&mut self, table: Table, at: usize) {
        self.table = table;
        self.entry = Entry {
            at,
            ..Entry::default()
        };
    }

    /// `key = value` in a table, after the key.
    #[inline(never)]
    pub(super) fn pair(&mut self, key: &'a str) -> Result<(), Stop> {
        if self.table == Table::Env {
            return self.variable(key);
        }
        let bit = self.find(key, self.table.keys())?;
        if self.entry.given & bit != 0 {
            return Err(self.source.cursor.wrong(TWICE));
        }
        self.entry.given |= bit;
        self.source.cursor.equals()?;
        match self.table {
            Table::Mount => return read_mount(&mut self.source, &mut self.entry.mount, key),
            Table::Init => return super::init::read(&mut self.source, &mut self.config.init, key),
            _ => (),
        }
        let (least, most) = if key == "count" {
            (1, INVALID)
        } else {
            (0, INVALID - 1)
        };
        let number = Some(self.source.number(least, most)?);
        let [inside, outside, count] = &mut self.entry.line;
        match key {
            "inside" => *inside = number,
            "outside" => *outside = number,
            _ => *count = number,
        }
        Ok(())
    }

    /// `NAME = "value"` or `NAME = false` in `env`.
    fn variable(&mut self, name: &'a str) -> Result<(), Stop> {
        let source = &mut self.source;
        source.cursor.key = name;
        if name.is_empty() || name.bytes().any(|byte| byte == b'=') {
            return Err(source
                .cursor
                .wrong("a variable's name must not be empty or contain ="));
        }
        if self
            .config
            .env
            .iter()
            .any(|change| is_of(change, name.as_bytes()))
        {
            return Err(source.cursor.wrong(TWICE));
        }
        source.cursor.equals()?;
        let wanted = "a string, or false to unset it";
        let change = if source.cursor.kind()? == Kind::Boolean {
            if source.boolean()? {
                return Err(source.cursor.refuse(What::WrongType {
                    wanted,
                    found: "true",
                }));
            }
            EnvChange::Unset(source.keep(name)?)
        } else {
            source.cursor.expect(Kind::String, wanted)?;
            EnvChange::Set(source.decode(Quotes::OneOrThree, [name, "="])?)
        };
        if self.config.env.push(change).is_err() {
            return Err(source
                .cursor
                .too_many(limits::ENV_CHANGES, "changes to the environment"));
        }
        Ok(())
    }

    /// The end of the current table.
    #[inline(never)]
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        let Entry {
            at, line, mount, ..
        } = self.entry;
        let missing = match (self.table, line) {
            (Table::Top | Table::Env | Table::Init, _) => return Ok(()),
            (Table::Mount, _) if mount.option.is_none() => "option",
            (Table::Mount, _) if mount.target.is_none() => "target",
            (Table::Mount, _) | (_, [Some(_), Some(_), Some(_)]) => return self.add(),
            (_, [None, _, _]) => "inside",
            (_, [_, None, _]) => "outside",
            _ => "count",
        };
        self.source.cursor.start = at;
        self.source.cursor.key = missing;
        Err(self.source.cursor.wrong("is missing"))
    }

    /// Adds the current table, which is complete, to its list.
    fn add(&mut self) -> Result<(), Stop> {
        let Entry {
            at,
            line: [inside, outside, count],
            mount,
            ..
        } = self.entry;
        let table = self.table;
        self.source.cursor.start = at;
        self.about_table();
        if table == Table::Mount {
            let pushed = self.config.mounts.push(At::new(mount, place(at)));
            return pushed.map_err(|_| self.source.cursor.too_many(limits::MOUNTS, "mounts"));
        }
        let line = MapLine {
            inside: Inside(inside.unwrap_or_default()),
            outside: Outside(outside.unwrap_or_default()),
            count: count.unwrap_or_default(),
        };
        if !line.fits() {
            return Err(self
                .source
                .cursor
                .wrong("the range goes beyond the last id, 4294967294"));
        }
        let map = if table == Table::UidMap {
            &mut *self.config.uid_map
        } else {
            &mut *self.config.gid_map
        };
        map.push(At::new(line, place(at))).map_err(|_| {
            self.source.cursor.too_many(
                limits::MAP_LINES,
                "lines: user_namespaces(7) allows no more",
            )
        })
    }
}

/// Reads the value of `key` into `mount`.
fn read_mount<'a>(
    source: &mut Source<'_, 'a>,
    mount: &mut MountRequest<'a>,
    key: &str,
) -> Result<(), Stop> {
    match key {
        "option" => mount.option = Some(option(source)?),
        "source" => mount.source = Some(source.path()?),
        "target" => mount.target = Some(source.path()?),
        "filesystem_type" => mount.filesystem_type = Some(source.path()?),
        "data" => mount.data = Some(source.string()?),
        "flags" => mount.flags = flags(source)?,
        _ => {
            mount.make_target = if source.boolean()? {
                MakeTarget::Yes
            } else {
                MakeTarget::No
            }
        }
    }
    Ok(())
}

/// `option` of a mount.
fn option(source: &mut Source<'_, '_>) -> Result<MountOption, Stop> {
    Ok(match source.word()? {
        "mount" => MountOption::Mount,
        "remount" => MountOption::Remount,
        "shared" => MountOption::Shared,
        "private" => MountOption::Private,
        "slave" => MountOption::Slave,
        "unbindable" => MountOption::Unbindable,
        "bind" => MountOption::Bind,
        "recursive_bind" => MountOption::RecursiveBind,
        "relocate" => MountOption::Relocate,
        word => {
            return Err(source.unknown(
                "mount option",
                word,
                &mut words(keys::OPTIONS),
                OPTION_NAMES,
            ));
        }
    })
}

/// `flags` of a mount.
fn flags(source: &mut Source<'_, '_>) -> Result<MountFlags, Stop> {
    let mut flags = MountFlags::NONE;
    source.array(STRINGS)?;
    while let Some(word) = source.next_word()? {
        match MountFlags::named(word) {
            Some(flag) => flags = flags.with(flag),
            None => {
                let known = &mut words(FLAG_NAMES);
                return Err(source.unknown("mount flag", word, known, FLAG_NAMES));
            }
        }
    }
    Ok(flags)
}

/// Whether `change` is one of variable `name`.
fn is_of(change: &EnvChange<'_>, name: &[u8]) -> bool {
    let (EnvChange::Set(text) | EnvChange::Unset(text)) = change;
    matches!(text.to_bytes().strip_prefix(name), Some([] | [b'=', ..]))
}
