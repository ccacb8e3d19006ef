//! What a result depends on beside the call itself, and what two machines, or two
//! users of one, may differ in.
//!
//! A call that is to be the same in other places ([`parts`]) has all of it in its key,
//! and what a remote store calls an entry has what is the machine's own
//! ([`of_the_machine`]): who runs `uname -m` on another machine gets another answer.

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

/// The name of a part, and what it is here.
pub type Part = (&'static str, String);

/// No file that says what a system is called is longer.
const LONGEST: u64 = 64 << 10;
/// The kernel reads no more of the first line of a script.
const LINE: u64 = 256;

/// All parts for a call that is given these words.
pub fn parts<'w>(mut words: impl Iterator<Item = &'w [u8]>) -> Vec<Part> {
    let mut parts = of_the_machine();
    parts.push((
        "user",
        if rustix::process::geteuid().is_root() { "root" } else { "not root" }.to_owned(),
    ));
    parts.push(("umask", format!("{:04o}", umask())));
    // `-march=native`, `-Ctarget-cpu=native`: made for this very processor.
    if words.any(|word| memchr::memmem::find(word, b"=native").is_some()) {
        parts.push(("processor", processor()));
    }
    parts
}

/// The parts that are the same for everybody on this machine.
pub fn of_the_machine() -> Vec<Part> {
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    vec![("system", system), ("distribution", distribution()), ("time zone", time_zone())]
}

/// These parts as one value.
pub fn digest(parts: &[Part]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (name, value) in parts {
        for text in [name, value.as_str()] {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }
    *hasher.finalize().as_bytes()
}

/// That of a platform which the user gave a name, in place of all of this.
pub fn named(name: &str) -> Part {
    ("platform", name.to_owned())
}

/// What a program is made of beside its own file: by what it is run if it is a script, and
/// the libraries that it is loaded with. `path` is where `env` looks for an interpreter.
pub fn of_program(program: &Path, path: Option<&OsStr>) -> Vec<Part> {
    let (interpreter, file) = interpreter(program, path);
    interpreter.into_iter().chain(libraries::of(&file)).collect()
}

/// By what a script is run, told by what is in that, none of what is no script; and what is
/// run in the end.
fn interpreter(script: &Path, path: Option<&OsStr>) -> (Option<Part>, PathBuf) {
    let mut told = Vec::new();
    let mut file = script.to_owned();
    // The kernel follows no more of them either.
    for _ in 0..5 {
        let Some(next) = named_by(&file, path) else { break };
        let contents = fs::File::open(&next).ok().and_then(|it| hashing::to_the_end(it, 0).ok());
        told.push(contents.map_or("unknown".to_owned(), |it| it.to_hex()[..16].to_owned()));
        file = next;
    }
    ((!told.is_empty()).then(|| ("interpreter", told.join(" "))), file)
}

/// What the first line of a script names.
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

/// The name and the version of the system, which stand for its C library and its tools.
fn distribution() -> String {
    let read = |path| text(path, LONGEST);
    let told = read("/etc/os-release").or_else(|| read("/usr/lib/os-release"));
    let told = told.or_else(|| read("/System/Library/CoreServices/SystemVersion.plist"));
    let Some(told) = told else { return "unknown".to_owned() };
    let value = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches(['"', '\'']))
    };
    // A rolling one has a build and no version.
    let known: Vec<&str> = ["ID", "VERSION_ID", "BUILD_ID"].into_iter().filter_map(value).collect();
    if known.is_empty() { short(&told) } else { known.join(" ") }
}

/// What local time is where `TZ`, which is a variable like any other, does not say it.
fn time_zone() -> String {
    let file = "/etc/localtime";
    let Ok(rules) = fs::read(file) else { return "UTC".to_owned() };
    let link = fs::read_link(file).unwrap_or_default();
    let mut name: Vec<_> = link.components().rev().take(2).map(Component::as_os_str).collect();
    name.reverse();
    let name = name.join("/".as_ref());
    format!("{} {}", name.display(), short_of(&rules)).trim_start().to_owned()
}

/// What a compiler finds when it asks for the processor.
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
