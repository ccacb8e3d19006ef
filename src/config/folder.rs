//! Where the store is: which folder a setting means, and whether somebody chose it.

use super::levels::{By, Levels, Own};
use super::options::{self, Raw};
use super::{Misuse, Vars, var};
use std::ffi::OsStr;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The folder of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreDir {
    /// Its URL.
    pub path: PathBuf,
    /// True if somebody named it; else it is where the user's caches are.
    pub is_chosen: bool,
    /// The home that it is in because nothing else was said.
    pub home: Option<&'static Path>,
}

impl Deref for StoreDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// Where the store is; none: there is no folder for caches.
pub fn dir(
    flag: Option<PathBuf>,
    vars: &Vars,
    levels: &Levels<'_>,
) -> Result<Option<StoreDir>, Misuse> {
    if let Some((path, by)) = levels.pick_by(&options::CACHE_DIR, flag)? {
        let chosen = match by {
            By::Variable => anywhere(path.as_os_str(), home(vars)),
            // What stands in the file was read by the same rules.
            _ => from_here(path, home(vars)),
        };
        let path = chosen.map_err(|(path, why)| match by {
            By::Variable => {
                Own::invalid(options::CACHE_DIR.variable, Raw::Variable(path.as_os_str()), why)
            }
            _ => Misuse(format!("invalid value '{}' for '--cache-dir': {why}", path.display())),
        })?;
        return Ok(Some(StoreDir { path, is_chosen: true, home: None }));
    }
    let set = |name: &str| var(vars, name).filter(|value| !value.is_empty()).map(Path::new);
    // The base directory specification has relative ones ignored.
    let caches = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let caches = caches.map(|caches| caches.join("cachex"));
    let home = set("HOME").filter(|_| caches.is_none());
    let path = caches.or_else(|| home.map(|home| home.join(".cache/cachex")));
    Ok(path.map(|path| StoreDir { path, is_chosen: false, home }))
}

/// What `~` stands for.
pub fn home(vars: &Vars) -> Option<&'static Path> {
    var(vars, "HOME").map(Path::new).filter(|home| home.is_absolute())
}

type Refused = (PathBuf, &'static str);

/// The folder that a path names whatever the working directory. Perhaps no shell has seen
/// it, so `~` is read here.
pub fn anywhere(path: &OsStr, home: Option<&Path>) -> Result<PathBuf, Refused> {
    let refused = |why| Err((PathBuf::from(path), why));
    match (path.as_bytes().strip_prefix(b"~/"), home) {
        (Some(rest), Some(home)) => {
            let rest = rest.iter().position(|&byte| byte != b'/').map(|start| &rest[start..]);
            match rest {
                Some(rest) => Ok(home.join(OsStr::from_bytes(rest))),
                None => refused("the home folder itself cannot be the store"),
            }
        }
        (Some(_), None) => refused("`~` cannot be expanded: HOME is not set"),
        (None, _) if path.as_bytes().starts_with(b"/") => Ok(path.into()),
        (None, _) => refused("expected a path that begins with `/` or `~/`"),
    }
}

/// The same of what may be relative, as on a command line; a `~` that a shell did not
/// replace is one all the same.
fn from_here(path: PathBuf, home: Option<&Path>) -> Result<PathBuf, Refused> {
    if path.as_os_str().as_bytes().starts_with(b"~") {
        anywhere(path.as_os_str(), home)
    } else {
        Ok(path)
    }
}
