//! The shared libraries of a program, as its loader finds them.
//!
//! The loader is asked, and not imitated: what it finds depends on its cache, on variables
//! and on what the program and each library say. Asked to list, it runs nothing of the
//! program. What a program opens by itself later, a plug-in say, is not among them.

use super::elf::Elf;
use super::{Part, short_of};
use crate::system::hashing;
use crate::system::null;
use crate::system::signals;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The name of the part.
const NAME: &str = "libraries";

/// The part of the key that tells which libraries a program is loaded with; none: it is
/// loaded with none, or is no program of this system's.
pub fn of(program: &Path) -> Option<Part> {
    let file = File::open(program).ok()?;
    let loader = Elf::of(&file)?.loader()?;
    let loader = Path::new(OsStr::from_bytes(&loader));
    let told = list(loader, program).map_or_else(
        || "unknown".to_owned(),
        |mut libraries| {
            libraries.sort();
            format!("{} {}", libraries.len(), short_of(libraries.join("\n").as_bytes()))
        },
    );
    Some((NAME, told))
}

/// Each library's name, and what it is.
fn list(loader: &Path, program: &Path) -> Option<Vec<String>> {
    signals::notice_children();
    let mut command = Command::new(loader);
    command.arg("--list").arg(program).stderr(Stdio::null());
    command.stdin(null::input().map(Stdio::from).ok()?);
    let output = command.output().ok().filter(|output| output.status.success())?;
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Some(lines.filter_map(library).collect())
}

/// A line such as `libc.so.6 => /lib/libc.so.6 (0x7f00)`; none: what it names is no file.
fn library(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    let line = line.rsplit_once(" (").map_or(line, |(line, _)| line);
    let (name, path) = line.split_once(" => ").unwrap_or((line, line));
    let base = name.rsplit('/').next().unwrap_or(name);
    if !path.starts_with('/') {
        // What the kernel brings along, or what is not found.
        return None;
    }
    Some(format!("{base} {}", identity(Path::new(path))))
}

/// By what its linker called it, or else by what is in it.
fn identity(library: &Path) -> String {
    let Ok(file) = File::open(library) else { return "unknown".to_owned() };
    if let Some(id) = Elf::of(&file).and_then(|elf| elf.build_id()) {
        return short_of(&id);
    }
    hashing::to_the_end(file, 0).map_or("unknown".to_owned(), |it| it.to_hex()[..16].to_owned())
}
