//! Key components for the platform: what a result depends on besides the call itself, and in which
//! two machines, or two users of one, may differ.
//!
//! A call that shares results between places ([`parts`]) has all components in its key. The name of
//! an entry in a remote store includes those of the machine ([`of_the_machine`]): `uname -m` gives
//! another answer on another machine.

mod elf;
mod libraries;
mod processor;

use crate::system::hashing;
use crate::system::umask::umask;
use crate::system::wrapper::{self, Environment};
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

/// Variables that have programs loaded with libraries that they do not name.
const PRELOADS: [&str; 3] = ["LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"];

/// Returns all components for a call with these words: arguments and values of variables.
pub fn parts<'w>(words: impl Iterator<Item = &'w [u8]>) -> Vec<Part> {
    let mut parts = of_the_machine();
    parts.push((
        "user",
        if rustix::process::geteuid().is_root() { "root" } else { "not root" }.to_owned(),
    ));
    parts.push(("umask", format!("{:04o}", umask())));
    if processor::is_meant(words) {
        parts.push(("processor", processor::properties()));
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

/// The names of the components of a program.
#[derive(Clone, Copy)]
pub struct Names {
    /// Its interpreters.
    pub interpreter: &'static str,
    /// Its libraries.
    pub libraries: &'static str,
}

/// Returns the components of a program besides its own file: its interpreter if it is a script, and
/// the libraries that it is loaded with in this environment.
pub fn of_program(program: &Path, environment: &Environment<'_>, names: Names) -> Vec<Part> {
    let (told, file) = interpreters(program, environment);
    let interpreter = (!told.is_empty()).then(|| (names.interpreter, told.join(" ")));
    let libraries = libraries::of(&file, environment).map(|told| (names.libraries, told));
    interpreter.into_iter().chain(libraries).collect()
}

/// Returns the component for the files that a program in this environment is loaded with although
/// it does not name them. Those named without a folder are among the program's libraries, except
/// auditors, which are looked for in the folders of `LD_LIBRARY_PATH`.
pub fn preloaded(environment: &Environment<'_>) -> Option<Part> {
    let mut told = Vec::new();
    for name in PRELOADS {
        let files = environment.value(name).map(OsStr::as_bytes).unwrap_or_default();
        let files = files.split(|byte| b" :\t\n".contains(byte)).filter(|file| !file.is_empty());
        for file in files.map(OsStr::from_bytes) {
            if file.as_bytes().contains(&b'/') {
                told.push(content(environment.at(file)));
            } else if name == "LD_AUDIT" {
                told.extend(in_library_path(file, environment).map(content));
            }
        }
    }
    (!told.is_empty()).then(|| ("preloaded files", told.join(" ")))
}

/// Returns the file of this name in the first folder of `LD_LIBRARY_PATH` that has it.
fn in_library_path(name: &OsStr, environment: &Environment<'_>) -> Option<PathBuf> {
    let folders = environment.value("LD_LIBRARY_PATH")?.as_bytes();
    let folders = folders.split(|byte| b":;".contains(byte)).map(OsStr::from_bytes);
    // An empty folder is the working directory.
    let mut files = folders.map(|folder| environment.at(Path::new(folder).join(name)));
    files.find(|file| file.exists())
}

/// Returns a short hash of the content of a file.
pub fn content(file: impl AsRef<Path>) -> String {
    let contents = fs::File::open(file).ok().and_then(|it| hashing::to_the_end(it, 0).ok());
    contents.map_or("unknown".to_owned(), |it| it.to_hex()[..16].to_owned())
}

/// Returns the contents of a script's interpreters, and the program that runs in the end.
fn interpreters(script: &Path, environment: &Environment<'_>) -> (Vec<String>, PathBuf) {
    let mut told = Vec::new();
    let mut file = script.to_owned();
    // The kernel does not follow more of them either.
    for _ in 0..5 {
        let Some(next) = named_by(&file, environment) else { break };
        told.push(content(&next));
        file = next;
    }
    (told, file)
}

/// Returns the interpreter named by the first line of a script; the one that `env` starts if that
/// is named.
fn named_by(script: &Path, environment: &Environment<'_>) -> Option<PathBuf> {
    let mut start = Vec::new();
    fs::File::open(script).ok()?.take(LINE).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?.trim_ascii();
    // The kernel passes the rest of the line as one argument.
    let mut words = line.splitn(2, u8::is_ascii_whitespace).map(<[u8]>::trim_ascii);
    let named = words.next().filter(|named| !named.is_empty())?;
    let words: Vec<&[u8]> = [named].into_iter().chain(words).collect();
    let Some(wrapped) = wrapper::behind(&words, environment.clone()) else {
        return Some(environment.at(OsStr::from_bytes(named)));
    };
    let is_program =
        |file: &PathBuf| rustix::fs::access(file, Access::EXEC_OK).is_ok() && file.is_file();
    wrapped.places().into_iter().find(is_program)
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
