//! Where the store of a user is.

use std::ffi::OsStr;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The environment as it was when cachex started: names and values.
pub type Vars = [(&'static OsStr, &'static OsStr)];

/// The value of a variable.
pub fn var(vars: &Vars, name: &str) -> Option<&'static OsStr> {
    vars.iter().find(|(var, _)| *var == name).map(|(_, value)| *value)
}

/// The folder of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreDir {
    /// Its path.
    pub path: PathBuf,
    /// True if somebody named it; else it is where the user's caches are.
    pub is_chosen: bool,
    /// The home that it is in because nothing else was said.
    pub home: Option<&'static Path>,
}

impl StoreDir {
    /// A folder that somebody named.
    pub fn chosen(path: PathBuf) -> StoreDir {
        StoreDir { path, is_chosen: true, home: None }
    }

    /// Where the user's caches are; none: there is no folder for them.
    pub fn by_default(vars: &Vars) -> Option<StoreDir> {
        let set = |name: &str| var(vars, name).filter(|value| !value.is_empty()).map(Path::new);
        // The base directory specification has relative ones ignored.
        let caches = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let caches = caches.map(|caches| caches.join("cachex"));
        let home = set("HOME").filter(|_| caches.is_none());
        let path = caches.or_else(|| home.map(|home| home.join(".cache/cachex")));
        path.map(|path| StoreDir { path, is_chosen: false, home })
    }
}

impl Deref for StoreDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// What `~` stands for.
pub fn home(vars: &Vars) -> Option<&'static Path> {
    var(vars, "HOME").map(Path::new).filter(|home| home.is_absolute())
}

/// A path, and why it cannot be the store.
pub type Refused = (PathBuf, &'static str);

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
pub fn from_here(path: PathBuf, home: Option<&Path>) -> Result<PathBuf, Refused> {
    if path.as_os_str().as_bytes().starts_with(b"~") {
        anywhere(path.as_os_str(), home)
    } else {
        Ok(path)
    }
}
