//! The installed `cachex`, as the helper of a program that uses the library.
//!
//! The helper is the first `cachex` in `PATH`. Its version and its layout of the store must be the
//! library's, since the protocol and the files of the store are internal. Both are checked before
//! the helper is used, and again if its file has changed.

use super::super::{DONE, Helper, NAME, VERSION_VERB, has_rights_of_its_own, version};
use crate::process::forked::PerProcess;
use crate::system::fsutil;
use crate::system::null;
use anyhow::{Context, Result, bail};
use rustix::fs::{Access, AtFlags, CWD};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Set for a candidate that is asked for its version. If that is a program that uses the library
/// and happens to be called `cachex`, it must not ask another in turn.
const IS_ASKED: &str = "CACHEX_HELPER_CHECK";
/// The time limit of an answer, which takes as long as a process takes to start.
const PATIENCE: Duration = Duration::from_secs(5);

/// The identity of a file, which changes when the file does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity(PathBuf, [i128; 5]);

impl Identity {
    fn of(path: &Path) -> Option<Identity> {
        let stat = rustix::fs::stat(path).ok()?;
        let stat = [
            i128::from(stat.st_dev),
            i128::from(stat.st_ino),
            i128::from(stat.st_size),
            i128::from(stat.st_mtime),
            i128::from(stat.st_mtime_nsec),
        ];
        Some(Identity(path.to_owned(), stat))
    }
}

/// The file that was checked last, and the reason why it cannot be used, if any.
type Checked = (Identity, Result<(), String>);

/// Returns the path of the installed `cachex`, or why it cannot be a helper.
pub fn cachex() -> Result<PathBuf> {
    static CHECKED: PerProcess<Mutex<Option<Checked>>> = PerProcess::new();
    const HINT: &str = "call cachex::init() at the start of main, or install cachex";
    // The user who starts a program with more rights than his own chooses its PATH.
    if has_rights_of_its_own() {
        bail!("a program with rights of its own starts no cachex that is found in PATH");
    }
    let path = find().with_context(|| format!("there is no cachex in PATH; {HINT}"))?;
    let identity = Identity::of(&path).with_context(|| format!("looking at {}", path.display()))?;
    let mut checked = CHECKED.get().lock().unwrap_or_else(PoisonError::into_inner);
    let known = checked.take().filter(|(known, _)| *known == identity);
    let (_, verdict) = checked.insert(known.unwrap_or_else(|| {
        let verdict = check(&path).map_err(|why| format!("{why:#}"));
        (identity, verdict)
    }));
    match verdict {
        Ok(()) => Ok(path),
        Err(why) => bail!("{} cannot be used: {why}; {HINT}", path.display()),
    }
}

/// Returns the first `cachex` in `PATH`. Relative folders are skipped: they depend on the working
/// directory.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let mut files = folders.map(|folder| folder.join(NAME));
    files.find(|file| {
        file.is_file() && rustix::fs::accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
    })
}

/// Asks a candidate for its version.
fn check(path: &Path) -> Result<()> {
    if std::env::var_os(IS_ASKED).is_some() || is_this_program(path) {
        bail!("it is a program that uses cachex");
    }
    let mut command = Command::new(path);
    command.arg0(NAME).arg(VERSION_VERB).env(IS_ASKED, "1").stdin(null::input()?);
    let mut helper = Helper::start(&mut command)?;
    let (expected, no_answer) = (version(), "it does not tell its version");
    match helper.frame(Some(PATIENCE)).context(no_answer)? {
        Some((DONE, told)) if told == expected.as_bytes() => Ok(()),
        Some((DONE, told)) => {
            bail!("it is {}, and this program has {expected}", String::from_utf8_lossy(&told))
        }
        _ => bail!(no_answer),
    }
}

fn is_this_program(path: &Path) -> bool {
    let own = super::executable().and_then(|own| Ok(rustix::fs::stat(own)?));
    let other = rustix::fs::stat(path);
    own.is_ok_and(|own| other.is_ok_and(|other| fsutil::same_file(&own, &other)))
}
