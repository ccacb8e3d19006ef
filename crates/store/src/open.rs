//! Opens the store, or tells why it cannot be used.

use super::Root;
use super::place::StoreDir;
use cachex_base::system::fsutil;
use rustix::fs::{Access, AtFlags, CWD};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// Opens the store, or returns the reason why it is not used.
pub fn open_store(dir: Option<&StoreDir>) -> Result<Root, Unopened> {
    let dir = dir.ok_or(Unopened { dir: None, why: None, is_homeless: false })?;
    let root = if dir.is_chosen { Root::create(dir) } else { Root::create_at_home(dir, dir.home) };
    root.map_err(|why| {
        let is_homeless = dir.home.is_some_and(|home| {
            let access = Access::WRITE_OK | Access::EXEC_OK;
            rustix::fs::accessat(CWD, home, access, AtFlags::EACCESS).is_err()
        });
        Unopened { dir: Some(dir.path.clone()), why: Some(why), is_homeless }
    })
}

/// Opens the store if there is one, for verbs that only make sense then.
pub fn existing_store(dir: Option<&Path>) -> Result<Option<Root>, Unopened> {
    let dir = dir.ok_or(Unopened { dir: None, why: None, is_homeless: false })?;
    match Root::open(dir) {
        Ok(root) => Ok(Some(root)),
        Err(fsutil::Unusable::Missing) => Ok(None),
        Err(why) => Err(Unopened { dir: Some(dir.to_owned()), why: Some(why), is_homeless: false }),
    }
}

/// A store that cannot be used.
#[derive(Debug)]
pub struct Unopened {
    dir: Option<PathBuf>,
    why: Option<fsutil::Unusable>,
    is_homeless: bool,
}

impl Unopened {
    /// Returns whether the caller has no home to keep anything in, like the users of services.
    /// They need not be told at each call.
    pub fn is_homeless(&self) -> bool {
        self.is_homeless
    }

    /// Returns whether the name was wrong, as opposed to a limit of the system or suspected
    /// interference.
    pub fn is_mistaken(&self) -> bool {
        use fsutil::Unusable::{Failed, Missing};
        let Some(dir) = &self.dir else { return false };
        let leads_nowhere = |path: &Path| path.is_symlink() && !path.exists();
        match self.why {
            // Otherwise another process is removing it.
            Some(Missing) => {
                dir.ancestors().any(leads_nowhere) || fsutil::create_private_dirs(dir).is_err()
            }
            // Otherwise it is something in it that should be a folder.
            Some(Failed(Errno::NOTDIR)) => !dir.is_dir(),
            Some(Failed(Errno::NAMETOOLONG | Errno::INVAL)) => true,
            _ => false,
        }
    }
}

impl std::fmt::Display for Unopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.dir, &self.why) {
            (Some(dir), Some(why)) => write!(f, "cannot use the folder '{}': {why}", dir.display()),
            _ => f.write_str(
                "there is no folder to keep results in: set HOME, XDG_CACHE_HOME or CACHEX_DIR",
            ),
        }
    }
}

impl std::error::Error for Unopened {}
