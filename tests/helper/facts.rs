//! Words that print what the kernel says.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// Every argument in hexadecimal, as bytes.
pub fn argv(words: &[OsString]) -> io::Result<()> {
    for word in words {
        println!("{}", hexadecimal(word.as_bytes()));
    }
    Ok(())
}

/// Every variable, sorted; bytes that are not UTF-8 in hexadecimal.
pub fn environ() -> io::Result<()> {
    let mut lines: Vec<String> = env::vars_os()
        .map(|(name, value)| match value.to_str() {
            Some(text) => format!("{}={text}", name.display()),
            None => format!("{}=hex:{}", name.display(), hexadecimal(value.as_bytes())),
        })
        .collect();
    lines.sort();
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

/// The numbers of the open descriptors, but for the one that reads the list.
pub fn descriptors() -> io::Result<()> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let target = fs::read_link(entry.path()).unwrap_or_default();
        if !target.ends_with("fd") {
            numbers.extend(
                entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse::<u32>().ok()),
            );
        }
    }
    numbers.sort_unstable();
    println!("{numbers:?}");
    Ok(())
}

/// `PATH KIND MODE [MAJOR:MINOR | -> TARGET]` for each path.
pub fn stat(paths: &[OsString]) -> io::Result<()> {
    for path in paths {
        let path = Path::new(path);
        match fs::symlink_metadata(path) {
            Ok(data) => println!("{} {}", path.display(), described(path, &data)),
            Err(error) => println!("{} {}", path.display(), name(&error)),
        }
    }
    Ok(())
}

fn described(path: &Path, data: &fs::Metadata) -> String {
    let mode = data.mode() & 0o7777;
    let kind = data.file_type();
    if kind.is_char_device() {
        let (major, minor) = ((data.rdev() >> 8) & 0xfff, data.rdev() & 0xff);
        format!("char {mode:o} {major}:{minor}")
    } else if kind.is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        format!("link -> {}", target.display())
    } else if kind.is_dir() {
        format!("dir {mode:o}")
    } else {
        format!("file {mode:o}")
    }
}

/// Whether one can talk to oneself over 127.0.0.1.
pub fn loopback() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut out = TcpStream::connect(listener.local_addr()?)?;
    let (mut into, _) = listener.accept()?;
    out.write_all(b"hello")?;
    let mut got = [0; 5];
    into.read_exact(&mut got)?;
    println!("loopback says {}", String::from_utf8_lossy(&got));
    Ok(())
}

/// What can be had of PID 1: `NAME ok` or `NAME ERRNO`.
pub fn pid_1() -> io::Result<()> {
    for link in ["exe", "root", "cwd", "fd/0", "ns/mnt", "ns/user"] {
        let path = Path::new("/proc/1").join(link);
        println!("readlink {link} {}", outcome(fs::read_link(&path)));
        println!("open {link} {}", outcome(File::open(&path)));
    }
    println!("list fd {}", outcome(fs::read_dir("/proc/1/fd")));
    println!("list root {}", outcome(fs::read_dir("/proc/1/root/")));
    for file in ["environ", "maps", "mem", "auxv"] {
        let read = File::open(Path::new("/proc/1").join(file)).and_then(|mut file| {
            let mut byte = [0];
            file.read(&mut byte)
        });
        println!("read {file} {}", outcome(read));
    }
    println!(
        "write mem {}",
        outcome(OpenOptions::new().write(true).open("/proc/1/mem"))
    );
    Ok(())
}

fn outcome<T>(result: io::Result<T>) -> String {
    result.map_or_else(|error| name(&error), |_| "ok".to_owned())
}

fn name(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(1) => "EPERM".to_owned(),
        Some(2) => "ENOENT".to_owned(),
        Some(13) => "EACCES".to_owned(),
        Some(number) => format!("errno {number}"),
        None => "no errno".to_owned(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}
