//! Key components for the platform: what a result depends on besides the call itself, and in which
//! two machines, or two users of one, may differ.
//!
//! A call that shares results between places ([`parts`]) has all components in its key. The name of
//! an entry in a remote store includes those of the machine ([`of_the_machine`]): `uname -m` gives
//! another answer on another machine.

mod elf;
mod libraries;

use crate::system::hashing;
use crate::system::umask::umask;
use rustix::fs::Access;
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The name of a component, and its value on this machine.
pub type Part = (&'static str, String);

/// The maximum length of a file that describes the system.
const LONGEST: u64 = 64 << 10;
/// The number of bytes that the kernel reads of the first line of a script.
const LINE: u64 = 256;

/// Returns all components for a call with these words.
pub fn parts<'w>(mut words: impl Iterator<Item = &'w [u8]>) -> Vec<Part> {
    let mut parts = of_the_machine();
    parts.push((
        "user",
        if rustix::process::geteuid().is_root() { "root" } else { "not root" }.to_owned(),
    ));
    parts.push(("umask", format!("{:04o}", umask())));
    // `-march=native`, `-Ctarget-cpu=native`: built for this very processor.
    if words.any(|word| memchr::memmem::find(word, b"=native").is_some()) {
        parts.push(("processor", processor()));
    }
    parts
}

/// Returns the components that are the same for all users of this machine.
pub fn of_the_machine() -> Vec<Part> {
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    vec![("system", system), ("distribution", distribution()), ("time zone", time_zone())]
}

/// Hashes these components into one value.
pub fn digest(parts: &[Part]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (name, value) in parts {
        for text in [name, value.as_str()] {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }
    *hasher.finalize().as_bytes()
}

/// Returns the component of a platform that the user named, in place of all others.
pub fn named(name: &str) -> Part {
    ("platform", name.to_owned())
}

/// Returns the components of a program besides its own file: its interpreter if it is a script, and
/// the libraries that it is loaded with. `path` is where `env` looks for an interpreter.
pub fn of_program(program: &Path, path: Option<&OsStr>) -> Vec<Part> {
    let (interpreter, file) = interpreter(program, path);
    interpreter.into_iter().chain(libraries::of(&file)).collect()
}

/// Returns the component for the content of a script's interpreters, or `None` if `script` is not a
/// script, and the program that runs in the end.
fn interpreter(script: &Path, path: Option<&OsStr>) -> (Option<Part>, PathBuf) {
    let mut told = Vec::new();
    let mut file = script.to_owned();
    // The kernel does not follow more of them either.
    for _ in 0..5 {
        let Some(next) = named_by(&file, path) else { break };
        let contents = fs::File::open(&next).ok().and_then(|it| hashing::to_the_end(it, 0).ok());
        told.push(contents.map_or("unknown".to_owned(), |it| it.to_hex()[..16].to_owned()));
        file = next;
    }
    ((!told.is_empty()).then(|| ("interpreter", told.join(" "))), file)
}

/// Returns the interpreter named by the first line of a script.
fn named_by(script: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    let mut start = Vec::new();
    fs::File::open(script).ok()?.take(LINE).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let named = Path::new(OsStr::from_bytes(words.next()?));
    if named.file_name() != Some("env".as_ref()) {
        return Some(named.to_owned());
    }
    let is_of_env = |word: &&[u8]| word.starts_with(b"-") || word.contains(&b'=');
    let name = OsStr::from_bytes(words.find(|word| !is_of_env(word))?);
    let is_program =
        |file: &PathBuf| rustix::fs::access(file, Access::EXEC_OK).is_ok() && file.is_file();
    std::env::split_paths(path?).map(|folder| folder.join(name)).find(is_program)
}

/// Returns the name and the version of the system, which stand for its C library and tools.
fn distribution() -> String {
    let read = |path| text(path, LONGEST);
    let told = read("/etc/os-release").or_else(|| read("/usr/lib/os-release"));
    let told = told.or_else(|| read("/System/Library/CoreServices/SystemVersion.plist"));
    let Some(told) = told else { return "unknown".to_owned() };
    let value = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches(['"', '\'']))
    };
    // A rolling release has a build but no version.
    let known: Vec<&str> = ["ID", "VERSION_ID", "BUILD_ID"].into_iter().filter_map(value).collect();
    if known.is_empty() { short(&told) } else { known.join(" ") }
}

/// Returns the local time zone, unless `TZ` sets it, which is a variable like any other.
fn time_zone() -> String {
    let file = "/etc/localtime";
    let Ok(rules) = fs::read(file) else { return "UTC".to_owned() };
    let link = fs::read_link(file).unwrap_or_default();
    let mut name: Vec<_> = link.components().rev().take(2).map(Component::as_os_str).collect();
    name.reverse();
    let name = name.join("/".as_ref());
    format!("{} {}", name.display(), short_of(&rules)).trim_start().to_owned()
}

/// Returns the properties of the processor that a compiler can query.
fn processor() -> String {
    let Some(told) = text("/proc/cpuinfo", LONGEST) else { return "unknown".to_owned() };
    let names = ["vendor_id", "cpu family", "model\t", "flags", "CPU ", "Features"];
    let first = told.split("\n\n").next().unwrap_or_default();
    let lines = first.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    short(&lines.collect::<Vec<_>>().join("\n"))
}

fn text(path: &str, most: u64) -> Option<String> {
    let mut told = Vec::new();
    fs::File::open(path).ok()?.take(most).read_to_end(&mut told).ok()?;
    Some(String::from_utf8_lossy(&told).into_owned())
}

fn short(text: &str) -> String {
    short_of(text.as_bytes())
}

fn short_of(bytes: &[u8]) -> String {
    hashing::of(bytes).to_hex()[..16].to_owned()
}
