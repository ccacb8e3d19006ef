//! `config.toml`: its place, whether it is trusted, and its content.
//!
//! The file is read only from the user's own folder: it can name the store, so whoever plants one
//! decides what commands seem to print. The project's own settings are in [`super::project`].
//! Without a file, a call pays for one failing `open`.

use super::options::{About, Value};
use super::project::{self, Project};
use super::{UsageError, Vars, parse, var};
use cachex_base::system::fsutil;
use cachex_store::place;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The maximum size, more than anybody writes by hand.
pub const LONGEST: usize = 1 << 20;

/// The variable that names another file, or disables it.
pub const VARIABLE: &str = "CACHEX_CONFIG";
const OTHERS_WRITE: Mode = Mode::WGRP.union(Mode::WOTH);

/// The content of the file.
#[derive(Debug)]
pub struct File {
    /// The path of the file.
    pub path: PathBuf,
    /// The settings for every command.
    pub settings: Vec<Setting>,
    /// The rules for some commands, in the order of the file.
    pub rules: Vec<Rule>,
    /// The profiles, in the order of the file.
    pub profiles: Vec<Profile>,
    /// The file of the project.
    pub project: Option<Box<File>>,
    /// The reason why the project's file is not used, if it deserves a warning.
    pub warning: Option<String>,
}

/// An option in the file.
#[derive(Debug)]
pub struct Setting {
    pub option: &'static About,
    pub value: Value,
    pub line: usize,
}

impl Setting {
    /// The name of the option.
    pub fn name(&self) -> &'static str {
        self.option.name
    }
}

/// A `[[command]]`.
#[derive(Debug)]
pub struct Rule {
    /// The patterns, as they were written.
    pub globs: Vec<String>,
    pub patterns: Vec<glob::Pattern>,
    pub settings: Vec<Setting>,
    pub line: usize,
}

/// A `[profile.NAME]`.
#[derive(Debug)]
pub struct Profile {
    pub name: String,
    pub settings: Vec<Setting>,
    pub line: usize,
}

impl File {
    /// Creates an empty file, as a place for the project's file.
    fn empty() -> File {
        let path = PathBuf::new();
        let (settings, rules, profiles) = (Vec::new(), Vec::new(), Vec::new());
        File { path, settings, rules, profiles, project: None, warning: None }
    }

    /// Returns whether the user's file exists.
    pub fn is_there(&self) -> bool {
        !self.path.as_os_str().is_empty()
    }

    /// Returns the indices of the rules that match a command, last first.
    pub fn matching(&self, argv: &[OsString]) -> Vec<usize> {
        let Some((command, rest)) = argv.split_first() else { return Vec::new() };
        if self.rules.is_empty() {
            return Vec::new();
        }
        let line = |command: &OsStr| {
            let words: Vec<&[u8]> = [command]
                .into_iter()
                .chain(rest.iter().map(AsRef::as_ref))
                .map(OsStr::as_bytes)
                .collect();
            String::from_utf8_lossy(&words.join(&b' ')).into_owned()
        };
        let mut lines = vec![line(command)];
        let base = Path::new(command).file_name().filter(|base| base != command);
        lines.extend(base.map(line));
        let matches = |rule: &Rule| {
            rule.patterns.iter().any(|pattern| lines.iter().any(|line| pattern.matches(line)))
        };
        (0..self.rules.len()).rev().filter(|&place| matches(&self.rules[place])).collect()
    }

    /// Returns the patterns of all rules.
    pub fn globs(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| &rule.globs).map(String::as_str)
    }

    /// Returns the path, for messages.
    pub fn shown(&self) -> Cow<'_, str> {
        shown(&self.path)
    }
}

/// Formats a path for messages.
pub fn shown(path: &Path) -> Cow<'_, str> {
    match path.to_string_lossy() {
        Cow::Borrowed(text) => cachex_base::text::quote::harmless(text),
        Cow::Owned(text) => cachex_base::text::quote::harmless(&text).into_owned().into(),
    }
}

/// The result of looking for the file.
#[derive(Debug)]
pub enum Read {
    /// There is no file.
    Absent,
    /// The file is not used, for the reason given.
    Refused(String),
    /// The file was read.
    File(File),
}

impl Read {
    pub fn file(&self) -> Option<&File> {
        match self {
            Read::File(file) => Some(file),
            Read::Absent | Read::Refused(_) => None,
        }
    }

    pub fn refused(&self) -> Option<&str> {
        match self {
            Read::Refused(why) => Some(why),
            Read::Absent | Read::File(_) => None,
        }
    }
}

/// Returns the path of the file; none if there is no place for one.
pub fn place(vars: &Vars) -> Result<Option<PathBuf>, UsageError> {
    if let Some(named) = var(vars, VARIABLE) {
        let path = Path::new(named);
        if !named.is_empty() && !path.is_absolute() {
            return Err(UsageError(format!(
                "invalid value '{}' for the variable {VARIABLE}: expected a path that begins with `/`, \
                 so that no working directory decides which file is read",
                shown(path)
            )));
        }
        return Ok((!named.is_empty() && named != "/dev/null").then(|| path.to_owned()));
    }
    // The XDG base directory specification requires relative paths to be ignored.
    let below = |name: &str, rest: &str| {
        let folder = var(vars, name).map(OsStr::as_bytes).filter(|path| path.starts_with(b"/"))?;
        let mut path = Vec::with_capacity(folder.len() + rest.len() + 1);
        path.extend_from_slice(folder);
        path.extend_from_slice(rest.as_bytes());
        Some(PathBuf::from(OsString::from_vec(path)))
    };
    let path = below("XDG_CONFIG_HOME", "/cachex/config.toml");
    Ok(path.or_else(|| below("HOME", "/.config/cachex/config.toml")))
}

/// Reads the file, if there is one, and the file of the project, if that is allowed.
pub fn read(vars: &Vars) -> Result<Read, UsageError> {
    let Some(path) = place(vars)? else { return Ok(Read::Absent) };
    let read = read_own(path, vars)?;
    let (project, warning) = match project::find(vars, false) {
        Project::None | Project::NotAllowed(_) => return Ok(read),
        Project::Refused(why) => (None, Some(why)),
        Project::Allowed(file) => (Some(file), None),
    };
    let own = match read {
        Read::File(file) => file,
        Read::Absent => File::empty(),
        // Without the user's own file, its overrides are unknown.
        Read::Refused(_) => return Ok(read),
    };
    Ok(Read::File(File { project, warning, ..own }))
}

fn read_own(path: PathBuf, vars: &Vars) -> Result<Read, UsageError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match fsutil::retry(|| rustix::fs::open(&path, flags, Mode::empty())) {
        Ok(file) => file,
        // A file that was named explicitly has to exist.
        Err(Errno::NOENT | Errno::NOTDIR) if var(vars, VARIABLE).is_none() => {
            return Ok(Read::Absent);
        }
        // In a folder that may not be entered, nobody can tell whether the file exists.
        Err(Errno::ACCESS) if var(vars, VARIABLE).is_none() && rustix::fs::stat(&path).is_err() => {
            return Ok(Read::Absent);
        }
        Err(errno) => return Ok(refused(&path, &std::io::Error::from(errno).to_string())),
    };
    match contents(&file) {
        Ok(bytes) => parse::file(path, &bytes, place::home(vars)).map(Read::File),
        Err(why) => Ok(refused(&path, &why)),
    }
}

fn refused(path: &Path, why: &str) -> Read {
    Read::Refused(format!("{} is not read: {why}", shown(path)))
}

/// Returns the content of an open file, if nobody else can have written it.
pub(super) fn contents(file: &rustix::fd::OwnedFd) -> Result<Vec<u8>, String> {
    let failed = |errno: Errno| std::io::Error::from(errno).to_string();
    let stat = rustix::fs::fstat(file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err("it is not a regular file".to_owned());
    }
    // Root may own the file, as where a package manager writes the settings of users.
    if ![rustix::process::geteuid().as_raw(), 0].contains(&stat.st_uid) {
        return Err("it belongs to another user".to_owned());
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(OTHERS_WRITE) {
        return Err("others may write to it; `chmod go-w` makes it yours alone".to_owned());
    }
    let too_long =
        || format!("it is longer than {}", bytesize::ByteSize::b(LONGEST as u64).display().iec());
    let claimed = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if claimed > LONGEST {
        return Err(too_long());
    }
    // One byte more detects the end, and a file that grew.
    let mut bytes = vec![0; claimed + 1];
    let mut len = 0;
    loop {
        len += fsutil::read_full(file, &mut bytes[len..]).map_err(failed)?;
        if len < bytes.len() {
            bytes.truncate(len);
            return Ok(bytes);
        }
        if len > LONGEST {
            return Err(too_long());
        }
        bytes.resize(LONGEST + 1, 0);
    }
}
