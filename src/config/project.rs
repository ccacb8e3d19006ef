//! `.cachex.toml`, a project's settings for its commands.
//!
//! Whoever can write to a folder could decide with this file what commands seem to print. So it is
//! used only after its reader has allowed it, by path and content. It may set only options that
//! make results expire earlier, be distinguished, or be found again: none that names a store, runs
//! something, writes a file, or leaves anything out of a key. The user's own file has precedence.
//!
//! Until something is allowed, nothing is looked up.

use super::file::{self, File, LONGEST, shown};
use super::options::{self, INPUT, LOCAL, Mark, Value};
use super::{UsageError, Vars, parse, var};
use anyhow::{Context, Result, bail};
use cachex_base::system::fsutil;
use cachex_store::place;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name of the file.
pub const NAME: &str = ".cachex.toml";

/// A project's file, and whether it is used.
pub enum Project {
    /// No file was found, or nothing was ever allowed.
    None,
    /// A file that is not allowed.
    NotAllowed(PathBuf),
    /// A file that was allowed, but is not used for this reason.
    Refused(String),
    /// A file that is used.
    Allowed(Box<File>),
}

/// Finds the file in the working directory, or the nearest folder above that has one that was
/// allowed; if `always`, even if nothing was ever allowed.
pub fn find(vars: &Vars, always: bool) -> Project {
    let Some(allowed) = folder(vars) else { return Project::None };
    if !always && rustix::fs::stat(&allowed).is_err() {
        return Project::None;
    }
    let Ok(cwd) = std::env::current_dir() else { return Project::None };
    let Some(nearest) = above(&cwd).next() else { return Project::None };
    // Otherwise a project could switch off what was allowed for the folder that it is in.
    let known_one = |path: PathBuf| Some((known(&allowed, &path).transpose()?, path));
    let Some((known, path)) = above(&cwd).find_map(known_one) else {
        return Project::NotAllowed(nearest);
    };
    let refused = |why: &str| Project::Refused(format!("{} is not used: {why}", shown(&path)));
    let known = match known {
        Ok(known) => known,
        Err(why) => return refused(&why),
    };
    let bytes = match content(&path) {
        Ok(bytes) => bytes,
        Err(error) => return refused(&format!("{error:#}")),
    };
    if known != digest(&bytes) {
        return refused(
            "it has changed; nothing is cached until `cachex allow` allows it as it is now",
        );
    }
    match read(&path, &bytes) {
        Ok(mut file) => {
            let below = path.parent().and_then(|folder| cwd.strip_prefix(folder).ok());
            let up = "../".repeat(below.map_or(0, |below| below.components().count()));
            relocate(&mut file, &up);
            Project::Allowed(Box::new(file))
        }
        Err(why) => refused(&why.to_string()),
    }
}

/// Makes the inputs in a file relative to its own folder, which is reached by `up`.
fn relocate(file: &mut File, up: &str) {
    let there = |text: &mut String| {
        let at = text.strip_prefix('!').map_or(0, |_| 1);
        if !text[at..].starts_with('/') {
            text.insert_str(at, up);
        }
    };
    let rules = file.rules.iter_mut().flat_map(|rule| &mut rule.settings);
    for setting in file.settings.iter_mut().chain(rules).filter(|it| it.name() == INPUT.name) {
        match &mut setting.value {
            Value::Text(text) => there(text),
            Value::Items(items) => items.iter_mut().for_each(there),
            Value::Number(_) | Value::Switch(_) => {}
        }
    }
}

/// Parses a file, rejecting options that a project may not set.
fn read(path: &Path, bytes: &[u8]) -> Result<File, UsageError> {
    let file = parse::file(path.to_owned(), bytes, None)?;
    if let Some(profile) = file.profiles.first() {
        let (path, line) = (shown(path), profile.line);
        return Err(UsageError(format!("{path}:{line}: profiles belong in your own config.toml")));
    }
    let rules = file.rules.iter().flat_map(|rule| &rule.settings);
    for setting in file.settings.iter().chain(rules) {
        let (path, line, name) = (shown(path), setting.line, setting.name());
        if !setting.option.is(Mark::Project) {
            let keys = options::all().iter().filter(|option| option.about().is(Mark::Project));
            let mut keys: Vec<_> = keys.map(|option| format!("`{}`", option.name())).collect();
            keys.sort_unstable();
            let keys = keys.join(", ");
            return Err(UsageError(format!(
                "{path}:{line}: `{name}` is not for a project to set, but for your own config.toml; \
                 it can set {keys}"
            )));
        }
        if name == LOCAL.name && !matches!(setting.value, Value::Switch(true)) {
            return Err(UsageError(format!(
                "{path}:{line}: a project can keep results on this machine (`local = true`), not \
                 share them"
            )));
        }
    }
    Ok(file)
}

/// Allows a file in its present state: the one at `named`, or in that folder, or the nearest one.
pub fn allow(named: Option<&Path>, vars: &Vars) -> Result<(PathBuf, File)> {
    let path = named_or_nearest(named)?;
    let allowed = folder(vars).context("there is no folder for what is allowed: set HOME")?;
    let bytes = content(&path)?;
    let file = read(&path, &bytes)?;
    let text = [digest(&bytes).as_bytes(), b"\n", path.as_os_str().as_bytes(), b"\n"].concat();
    let write = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&allowed)?;
        let entry = entry(&allowed, &path);
        let temp = allowed.join(format!(".{}", std::process::id()));
        let mut options = fs::OpenOptions::new();
        let mut to = options.write(true).create_new(true).mode(0o600).open(&temp)?;
        let placed = to.write_all(&text).and_then(|()| fs::rename(&temp, entry));
        if placed.is_err() {
            let _ = fs::remove_file(&temp);
        }
        placed
    };
    write().with_context(|| format!("writing to {}", shown(&allowed)))?;
    Ok((path, file))
}

/// Revokes the permission for a file. Returns its path, and whether it was allowed.
pub fn deny(named: Option<&Path>, vars: &Vars) -> Result<(PathBuf, bool)> {
    let path = named_or_nearest(named)?;
    let Some(allowed) = folder(vars) else { return Ok((path, false)) };
    let was_allowed = match fs::remove_file(entry(&allowed, &path)) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => {
            return Err(error).with_context(|| format!("removing from {}", shown(&allowed)));
        }
    };
    // Without the folder, nobody looks for such files any more.
    let _ = fs::remove_dir(&allowed);
    Ok((path, was_allowed))
}

/// Returns the folder of permissions.
fn folder(vars: &Vars) -> Option<PathBuf> {
    let named = var(vars, "XDG_DATA_HOME").map(Path::new).filter(|path| path.is_absolute());
    let data = named.map(Path::to_owned);
    let data = data.or_else(|| Some(place::home(vars)?.join(".local/share")));
    data.map(|data| data.join("cachex/allowed"))
}

/// Returns the path of the permission for a file.
fn entry(allowed: &Path, path: &Path) -> PathBuf {
    allowed.join(digest(path.as_os_str().as_bytes()))
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Returns the digest of a file when it was allowed.
fn known(allowed: &Path, path: &Path) -> Result<Option<String>, String> {
    let failed = |error: &std::io::Error| error.to_string();
    let folder = fs::metadata(allowed);
    let is_own = folder.is_ok_and(|folder| {
        folder.uid() == rustix::process::geteuid().as_raw() && folder.mode() & 0o022 == 0
    });
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let entry = entry(allowed, path);
    let file = match fsutil::retry(|| rustix::fs::open(&entry, flags, Mode::empty())) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failed(&errno.into())),
    };
    if !is_own {
        return Err(format!("{} can be written by others", shown(allowed)));
    }
    let text = file::contents(&file)?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let (known, place) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let is_of_it = place == path.as_os_str().as_bytes();
    Ok(is_of_it.then(|| String::from_utf8_lossy(known).into_owned()))
}

/// Reads a file, whoever owns it.
fn content(path: &Path) -> Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = fsutil::retry(|| rustix::fs::open(path, flags, Mode::empty()));
    let file = file.with_context(|| format!("opening {}", shown(path)))?;
    let stat = rustix::fs::fstat(&file).context("looking at it")?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        bail!("{} is not a regular file", shown(path));
    }
    let mut bytes = vec![0; LONGEST + 1];
    let len = fsutil::read_full(&file, &mut bytes).context("reading it")?;
    if len > LONGEST {
        bail!("{} is too long", shown(path));
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Returns the files in this folder and the folders above, the nearest first.
fn above(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let there = |folder: &Path| {
        let path = folder.join(NAME);
        // A file that cannot be examined is not skipped: otherwise others could decide that.
        let is_absent = matches!(rustix::fs::stat(&path), Err(Errno::NOENT | Errno::NOTDIR));
        (!is_absent).then_some(path)
    };
    folder.ancestors().filter_map(there)
}

fn named_or_nearest(named: Option<&Path>) -> Result<PathBuf> {
    let Some(named) = named else {
        let cwd = std::env::current_dir().context("finding the working directory")?;
        let found = above(&cwd).next();
        return found.with_context(|| format!("there is no {NAME} here, nor in a folder above"));
    };
    let path = if named.is_dir() { named.join(NAME) } else { named.to_owned() };
    if path.file_name() != Some(OsStr::new(NAME)) {
        bail!("{} is not called {NAME}", shown(&path));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
    Ok(folder.with_context(|| format!("finding {}", shown(&path)))?.join(NAME))
}
