//! The shared libraries of a program, as its loader finds them.
//!
//! The loader is queried, not imitated: its result depends on its cache, on variables, and on the
//! program and each library. Listing runs nothing of the program. Libraries that the program opens
//! later, such as plug-ins, are not included.

use super::elf::Elf;
use super::short_of;
use crate::system::hashing;
use crate::system::null;
use crate::system::signals;
use crate::system::wrapper::Environment;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path};
use std::process::{Command, Stdio};

/// Returns a description of the libraries of a program in this environment, or `None` if it needs
/// none or is not a program of this system.
pub fn of(program: &Path, environment: &Environment<'_>) -> Option<String> {
    let file = File::open(program).ok()?;
    let loader = Elf::of(&file)?.loader()?;
    let loader = environment.at(OsStr::from_bytes(&loader));
    let Some(mut libraries) = list(&loader, program, environment) else {
        return Some("unknown".to_owned());
    };
    libraries.sort();
    Some(format!("{} {}", libraries.len(), short_of(libraries.join("\n").as_bytes())))
}

/// Returns the name and the identity of each library.
fn list(loader: &Path, program: &Path, environment: &Environment<'_>) -> Option<Vec<String>> {
    signals::notice_children();
    // It runs in the folder of the program, which is not where these paths are seen from.
    let mut command = Command::new(path::absolute(loader).ok()?);
    command.arg("--list").arg(path::absolute(program).ok()?).stderr(Stdio::null());
    environment.apply(&mut command);
    command.stdin(null::input().map(Stdio::from).ok()?);
    let output = command.output().ok().filter(|output| output.status.success())?;
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Some(lines.filter_map(|line| library(line, environment)).collect())
}

/// Parses a line such as `libc.so.6 => /lib/libc.so.6 (0x7f00)`. Returns `None` if it does not name
/// a file.
fn library(line: &[u8], environment: &Environment<'_>) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    let line = line.rsplit_once(" (").map_or(line, |(line, _)| line);
    let (name, path) = line.split_once(" => ").unwrap_or((line, line));
    let base = name.rsplit('/').next().unwrap_or(name);
    // It may be relative to the working directory, which an empty element of a list of folders
    // stands for. The path is then a mere name, as that of what the kernel provides is.
    let file = environment.at(path);
    if !path.contains('/') && !file.exists() {
        return None;
    }
    Some(format!("{base} {}", identity(&file)))
}

/// Returns a library's build ID, or else a hash of its content.
fn identity(library: &Path) -> String {
    let Ok(file) = File::open(library) else { return "unknown".to_owned() };
    if let Some(id) = Elf::of(&file).and_then(|elf| elf.build_id()) {
        return short_of(&id);
    }
    hashing::to_the_end(file, 0).map_or("unknown".to_owned(), |it| it.to_hex()[..16].to_owned())
}
