//! A Debian root directory made by husk, as an ordinary user, and lived in.
//!
//! The slow part of the tests, one to two minutes: HUSK_TEST_SLOW=0 leaves it out.

use crate::husk::Run;
use crate::skip;
use crate::world::{self, Dir, Identity, everybody, tool};
use std::env;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

const SLOW: Duration = Duration::from_secs(600);

/// Made once for all tests, by the ordinary user where there is one.
pub struct Debian {
    pub root: Dir,
    /// Whose subordinate ids own its files.
    pub maker: Identity,
}

/// The root directory, or why there is none.
pub fn debian() -> Result<&'static Debian, &'static str> {
    static DEBIAN: OnceLock<Result<Debian, String>> = OnceLock::new();
    DEBIAN.get_or_init(make).as_ref().map_err(String::as_str)
}

/// The root directory; without it the test ends as skipped.
macro_rules! debian_or_skip {
    () => {{
        if $crate::bootstrap::unwanted() {
            return;
        }
        match $crate::bootstrap::debian() {
            Ok(debian) => debian,
            Err(reason) => skip!("{reason}"),
        }
    }};
}
#[cfg(feature = "toml")]
pub(crate) use debian_or_skip;

/// Whether somebody asked for the slow tests not to run.
pub fn unwanted() -> bool {
    let unwanted = env::var_os("HUSK_TEST_SLOW").is_some_and(|value| value == "0");
    if unwanted {
        skip::declined("HUSK_TEST_SLOW=0");
    }
    unwanted
}

fn make() -> Result<Debian, String> {
    let mmdebstrap = tool("mmdebstrap").ok_or("no mmdebstrap(1): apt install mmdebstrap")?;
    let maker = everybody()
        .iter()
        .find(|who| !who.is_root())
        .ok_or_else(world::no_user)?;
    maker
        .subordinate_ids()
        .ok_or("the user has no ids in /etc/subuid and /etc/subgid")?;
    let (suite, sources) = suite_and_sources().ok_or("no Debian sources in /etc/apt")?;
    let root = maker.dir("debian");
    let run = Run::new(maker)
        .words(["--id-map", "auto", "--"])
        .word(mmdebstrap)
        .words([
            "--mode=root",
            "--variant=minbase",
            "--quiet",
            &suite,
            root.text(),
        ])
        .word(sources)
        .limit(SLOW);
    run.output().ends_with(0);
    Ok(Debian {
        root,
        maker: maker.clone(),
    })
}

/// The host's own release and mirror: what is near enough for the host is near enough for us.
fn suite_and_sources() -> Option<(String, &'static str)> {
    let release = fs::read_to_string("/etc/os-release").ok()?;
    let suite = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    let files = [
        "/etc/apt/sources.list.d/debian.sources",
        "/etc/apt/sources.list",
    ];
    let sources = files.into_iter().find(|path| Path::new(path).exists())?;
    Some((suite.to_owned(), sources))
}

/// The same for who takes a mirror's address and nothing else.
pub fn suite_and_mirror() -> Option<(String, String)> {
    let (suite, file) = suite_and_sources()?;
    let text = fs::read_to_string(file).ok()?;
    let mirror = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .find(|word| word.starts_with("http"))?;
    Some((suite, mirror.to_owned()))
}

#[test]
fn an_ordinary_user_makes_a_debian_root_and_owns_it() {
    let debian = debian_or_skip!();
    use std::os::unix::fs::MetadataExt as _;
    let (first, _) = debian.maker.subordinate_ids().unwrap();
    let owner = |name: &str| fs::symlink_metadata(debian.root.join(name)).unwrap().uid();
    assert_eq!(
        owner("usr/bin/dpkg"),
        debian.maker.uid,
        "root inside is the maker outside"
    );
    // _apt is 42 in Debian, and 1 inside is the first subordinate id.
    assert_eq!(owner("var/cache/apt/archives/partial"), first + 41);
}

#[test]
fn packages_are_installed_in_it_through_husk() {
    let debian = debian_or_skip!();
    let run = Run::root(&debian.maker, &debian.root)
        .words([
            "--id-map",
            "auto",
            "--setenv",
            "DEBIAN_FRONTEND",
            "noninteractive",
        ])
        .limit(SLOW);
    // Into an overlay first, and so not into the root; then into the root itself.
    let upper = debian.maker.dir("upper");
    let overlaid = run.clone().words(["--overlay", upper.text()]);
    overlaid
        .clone()
        .sh(&format!("{INSTALL} hello"))
        .output()
        .ends_with(0);
    let hello = overlaid.words(["--", "hello", "-g", "moin"]).output();
    assert_eq!(hello.succeeds(), "moin\n");
    assert!(!debian.root.join("usr/bin/hello").exists());
    run.clone()
        .sh(&format!("{INSTALL} sl"))
        .output()
        .ends_with(0);
    let check = "test -x /usr/games/sl && dpkg --audit && su -s /bin/sh nobody -c 'id -un'";
    assert_eq!(run.sh(check).output().succeeds(), "nobody\n");
}

const INSTALL: &str = "apt-get -qq update && apt-get -qq -y install --no-install-recommends";
