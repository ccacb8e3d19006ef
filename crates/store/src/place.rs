//! Locates the store of a user.

use std::ffi::OsStr;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The environment at the start of cachex: names and values.
pub type Vars = [(&'static OsStr, &'static OsStr)];

/// Returns the value of a variable.
pub fn var(vars: &Vars, name: &str) -> Option<&'static OsStr> {
    vars.iter().find(|(var, _)| *var == name).map(|(_, value)| *value)
}

/// The folder of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreDir {
    /// Its path.
    pub path: PathBuf,
    /// True if the user chose it; otherwise it is in the default cache location.
    pub is_chosen: bool,
    /// The home folder that contains it by default.
    pub home: Option<&'static Path>,
}

impl StoreDir {
    /// Creates a folder that the user chose.
    pub fn chosen(path: PathBuf) -> StoreDir {
        StoreDir { path, is_chosen: true, home: None }
    }

    /// Returns the default location among the user's caches; `None` if there is none.
    pub fn by_default(vars: &Vars) -> Option<StoreDir> {
        let set = |name: &str| var(vars, name).filter(|value| !value.is_empty()).map(Path::new);
        // The base directory specification says to ignore relative paths.
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

/// Returns the folder that `~` stands for.
pub fn home(vars: &Vars) -> Option<&'static Path> {
    var(vars, "HOME").map(Path::new).filter(|home| home.is_absolute())
}

/// A path, and the reason why it cannot be the store.
pub type Refused = (PathBuf, &'static str);

/// Resolves a path independently of the working directory. `~` is expanded here, as no shell may
/// have done so.
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

/// Resolves a path that may be relative, as on a command line. A `~` that a shell did not expand is
/// expanded here.
pub fn from_here(path: PathBuf, home: Option<&Path>) -> Result<PathBuf, Refused> {
    if path.as_os_str().as_bytes().starts_with(b"~") {
        anywhere(path.as_os_str(), home)
    } else {
        Ok(path)
    }
}
