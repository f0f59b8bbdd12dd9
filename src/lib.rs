//! husk starts a command in an unprivileged Linux container and is its PID 1.
//!
//! # How a container starts
//! 1. [`cli`] reads the command line and [`config`] the file: two spellings of what a person may
//!    ask for.
//! 2. [`host`] looks up who the caller is and which ids they may use.
//! 3. [`plan`] fills in the defaults and decides. From here on nothing reads a
//!    configuration, and before here nothing has changed the system.
//! 4. [`parent`] clones once, into all namespaces, and stays outside, as the supervisor; [`id_map`]
//!    is the maps, written from whichever side can.
//! 5. [`child`] is the clone: it makes the file system and drops what the container must not have.
//! 6. [`init`] is the same process, now PID 1: it starts the command, reaps, and passes signals on.
//! 7. [`job`] is the terminal and who has it, which whoever the caller's shell started looks after.
//! 8. [`link`] is all that supervisor and PID 1 say to each other; [`fail`] is all that a user reads when
//!    something is refused.
//!
//! [`check`] tries all that on a host, and says what stands in the way.
//! `husk init` is the first half of step 1, and step 6 in somebody else's container: the same code.
//!
//! # Why there is no std
//! A process that is cloned and does not execute anything runs on in a copy of its parent's image.
//! With std that is a minefield of locks and thread-local state. Without it, without a heap and
//! without a runtime, there is nothing to corrupt: the plan that the supervisor made is simply
//! there in the child. One image, one parse, no re-exec.
//!
//! Every `unsafe` is below [`sys`].

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

pub mod arena;
#[cfg(test)]
mod chance;
pub mod check;
pub mod child;
pub mod cli;
pub mod config;
pub mod fail;
pub mod host;
pub mod id_map;
pub mod init;
pub mod job;
pub mod limits;
pub mod link;
pub mod parent;
pub mod plan;
#[expect(
    unsafe_code,
    reason = "what rustix does not offer for use is here, behind safe functions"
)]
pub mod sys;
pub mod text;

use arena::Arena;
use cli::{ConfigFile, Mode, Request, Run};
use config::{Config, IdMap, Lists, Place};
use core::ffi::CStr;
use fail::cause::Cause;
use fail::persona::Persona;
use fail::refusal::Refusal;
use fail::{Doing, Error, Sources, Status};
use host::caller::Caller;
use host::ids::HostIds;
use host::subid::Ranges;
use init::voice::Voice;
use plan::namespace::NamespaceSet;
use plan::rules::Rules;
use plan::{Inputs, Memory};
use rustix::process::getpid;
use sys::exec::Words;
use sys::start::{self, Ids, Raised};
use sys::storage::Storage;
use text::Text;

static ARENA: Storage<[u8; limits::ARENA_BYTES]> = Storage::new([0; limits::ARENA_BYTES]);
static LISTS: Storage<Lists<'static>> = Storage::new(Lists::new());
static IDS: Storage<HostIds> = Storage::new(HostIds::new());
static PLAN: Storage<Memory<'static>> = Storage::new(Memory::new());

/// The program: from its words to its exit status.
pub fn main(argv: Words<'static>, envp: Words<'static>, ids: Ids) -> u8 {
    let mut sources = Sources {
        argv,
        file: b"",
        text: b"",
        persona: Persona::Husk,
    };
    let done = match cli::parse(argv) {
        _ if ids.raised == Raised::Yes => {
            let text = "must not be set-user-ID or set-group-ID: chmod ug-s it";
            Err(Refusal::text(Place::Nowhere, "husk", text).into())
        }
        Ok(Request::Init(persona, skip)) => {
            sources.persona = persona;
            execute_init((argv, skip), envp, &mut sources)
        }
        Ok(request) => execute(request, ids, envp, &mut sources),
        Err(refused) => Err(refused.into()),
    };
    match done {
        Ok(status) => status.0,
        Err(error) => {
            let status = error.report(sources);
            match cli::is_check(argv) {
                true => {
                    if argv.iter().any(|word| word == c"--json") {
                        check::print_nothing(start::stdout());
                    }
                    check::DOES_NOT_WORK.0
                }
                false => status.0,
            }
        }
    }
}

/// An init has no use for most of husk's memory, and does not touch it.
#[inline(never)]
fn execute_init(
    (argv, skip): (Words<'static>, usize),
    envp: Words<'static>,
    sources: &mut Sources<'static>,
) -> Result<Status, Error> {
    let mut rules = Rules::DEFAULT;
    let done = look_after((argv, skip), envp, sources, &mut rules);
    match rules.on_exit {
        Some(action) if getpid().is_init() => {
            // However it went: a kernel panics when its first process ends.
            let status = done.unwrap_or_else(|error| error.report(*sources));
            init::machine::end(action, status, Voice::of(sources.persona, &rules));
            Ok(status)
        }
        _ => done,
    }
}

fn look_after(
    (argv, skip): (Words<'static>, usize),
    envp: Words<'static>,
    sources: &mut Sources<'static>,
    rules: &mut Rules,
) -> Result<Status, Error> {
    let mask = init::block_signals()?;
    let persona = sources.persona;
    let variable = cli::init::variable(envp)?;
    let words = [variable, argv.skip(skip)];
    let mut asked = cli::init::parse(persona, words, skip, envp, rules)?;
    if let Some(file) = asked.file {
        *rules = read_rules(file, envp, sources)?;
        asked = cli::init::parse(persona, words, skip, envp, rules)?;
    }
    if asked.ask == cli::init::Ask::Run {
        let command = cli::init::command(&asked, rules)?;
        return init::alone::run(persona, (command, envp), rules, mask);
    }
    cli::help::print_init(persona, asked.ask, start::stdout());
    Ok(Status::SUCCESS)
}

/// `[init]` of a file.
#[inline(never)]
fn read_rules(
    file: &'static CStr,
    envp: Words<'static>,
    sources: &mut Sources<'static>,
) -> Result<Rules, Error> {
    let (Some(arena), Some(lists)) = (ARENA.take(), LISTS.take()) else {
        return Ok(Rules::DEFAULT);
    };
    let mut config = Config::new(lists);
    let file = ConfigFile::Named(file);
    read_file(file, envp, &mut config, &mut Arena::new(arena), sources)?;
    Ok(config.init)
}

#[inline(never)]
fn execute(
    request: Request<'static>,
    ids: Ids,
    envp: Words<'static>,
    sources: &mut Sources<'static>,
) -> Result<Status, Error> {
    let (Some(arena), Some(lists), Some(plan)) = (ARENA.take(), LISTS.take(), PLAN.take()) else {
        // This is called once, and so there is memory.
        return Ok(Status::HUSK_FAILED);
    };
    let mut arena = Arena::new(arena);
    let mut config = Config::new(lists);
    match request {
        Request::Run(mut run) => {
            read_file(run.file, envp, &mut config, &mut arena, sources)?;
            cli::apply(sources.argv, &mut run.flags, &mut config, &mut arena)?;
            execute_run(&run, (ids, envp), &config, plan, &mut arena)
        }
        request => {
            tell(&request);
            Ok(Status::SUCCESS)
        }
    }
}

/// What is asked for and takes no container. Not inlined: its text takes pages of the stack.
#[inline(never)]
fn tell(request: &Request<'_>) {
    let mut text = Text::<{ limits::LINE_BYTES }>::new();
    match request {
        Request::Help => text.put(cli::help::HUSK),
        Request::HelpRun => cli::help::put_run(&mut text),
        Request::HelpCheck => text.put(cli::help::CHECK),
        Request::Version | Request::Init(..) | Request::Run(_) => text.put(cli::help::VERSION),
    }
    text.write_to(start::stdout());
}

#[cfg(feature = "toml")]
fn read_file(
    file: ConfigFile<'static>,
    envp: Words<'static>,
    config: &mut Config<'static>,
    arena: &mut Arena<'static>,
    sources: &mut Sources<'static>,
) -> Result<(), Error> {
    if let Some(found) = host::config_file::read(file, envp, arena)? {
        sources.file = found.path.to_bytes();
        sources.text = found.text;
        config::toml::read(found.text, config, arena)?;
    }
    Ok(())
}

#[cfg(not(feature = "toml"))]
fn read_file(
    file: ConfigFile<'static>,
    _: Words<'static>,
    _: &mut Config<'static>,
    _: &mut Arena<'static>,
    _: &mut Sources<'static>,
) -> Result<(), Error> {
    match file {
        ConfigFile::Named(_) => Err(Refusal::text(
            Place::Nowhere,
            "--config",
            "this husk was built without the feature toml: use flags",
        )
        .into()),
        ConfigFile::Search | ConfigFile::None => Ok(()),
    }
}

/// Where `id_map = "auto"` was asked for and the caller has no ids but its own.
fn warn_of_one_id(plan: &plan::Plan<'_>, has_helpers: bool) {
    let lines = plan.maps.as_ref().map(|maps| maps.uid.lines.len());
    if lines == Some(1) {
        let cause = match has_helpers {
            true => Cause::NoRanges,
            false => Cause::NoHelper,
        };
        fail::warn(Doing::LackRanges, [b"", b""], None, Some(cause));
    }
}

/// Not inlined: the frame of its caller would be larger than the eight pages up to which LLVM 22 can be
/// trusted with one (see the test of the binary).
#[inline(never)]
fn execute_run(
    run: &Run<'static>,
    (own, envp): (Ids, Words<'static>),
    config: &Config<'static>,
    memory: &'static mut Memory<'static>,
    arena: &mut Arena<'static>,
) -> Result<Status, Error> {
    let mut ids = None;
    let (mut newuidmap, mut newgidmap) = (None, None);
    let user = plan::namespaces(config)?.contains(NamespaceSet::USER);
    let given = !config.uid_map.is_empty() || !config.gid_map.is_empty();
    let whole = !config.uid_map.is_empty() && !config.gid_map.is_empty();
    let auto = !whole && plan::id_map_kind(config) == IdMap::Auto;
    // Who maps nothing but its own id needs no capability for it, not even root, and is not asked for
    // any: setgroups(2) is denied then, as unshare(1) has it.
    let caller = match given || auto {
        true => Caller::read(own),
        false => Caller::without_powers(own),
    };
    if user && (given || auto) {
        let path = plan::environment::get(envp, b"PATH")
            .unwrap_or_default()
            .to_bytes();
        newuidmap = host::helper::find(c"newuidmap", path, arena);
        newgidmap = host::helper::find(c"newgidmap", path, arena);
    }
    if user
        && (given || auto)
        && let Some(found) = IDS.take()
    {
        if auto {
            let user = plan::environment::get(envp, b"USER").unwrap_or_default();
            found.read_ranges(&caller, user.to_bytes());
        }
        if given || !found.subuid.is_empty() {
            found.read_extents();
        }
        ids = Some(found);
    }
    let ranges = |of: fn(&HostIds) -> &Ranges| match &ids {
        Some(ids) => of(ids),
        None => &[][..],
    };
    let program = match plan::seccomp::file(config) {
        Some(file) => host::seccomp::read(file, arena)?,
        None => b"",
    };
    let inputs = Inputs {
        config,
        command: run.command,
        envp,
        caller,
        subuid: ranges(|ids| &ids.subuid),
        subgid: ranges(|ids| &ids.subgid),
        uid_extents: ranges(|ids| &ids.uid_extents),
        gid_extents: ranges(|ids| &ids.gid_extents),
        newuidmap,
        newgidmap,
        program,
    };
    let plan = plan::new(&inputs, memory)?;
    if user && auto && config.id_map.is_some() {
        warn_of_one_id(&plan, newuidmap.and(newgidmap).is_some());
    }
    match run.mode {
        Mode::Start => (),
        Mode::DryRun => {
            plan::describe::print(&plan, start::stdout());
            return Ok(Status::SUCCESS);
        }
        Mode::Check(form) => return Ok(check::check(&plan, form, start::stdout())),
    }
    // The plan outlives everything: PID 1 runs on with it in a copy of this memory.
    Ok(parent::run(&plan)?)
}
