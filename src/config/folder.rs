//! The store's folder: the resolution of the setting, and whether somebody chose it.

use super::levels::{By, Levels, Own};
use super::options::{self, Raw};
use super::{UsageError, Vars};
use cachex_store::place::{anywhere, from_here, home};
use std::path::PathBuf;

pub use cachex_store::place::StoreDir;

/// Returns the store's folder; none if there is no folder for caches.
pub fn dir(
    flag: Option<PathBuf>,
    vars: &Vars,
    levels: &Levels<'_>,
) -> Result<Option<StoreDir>, UsageError> {
    if let Some((path, by)) = levels.pick_by(&options::DIR, flag)? {
        let chosen = match by {
            By::Variable => anywhere(path.as_os_str(), home(vars)),
            // A value from the file was resolved by the same rules.
            _ => from_here(path, home(vars)),
        };
        let path = chosen.map_err(|(path, why)| match by {
            By::Variable => {
                Own::invalid(options::DIR.variable, Raw::Variable(path.as_os_str()), why)
            }
            _ => UsageError(format!("invalid value '{}' for '--cache-dir': {why}", path.display())),
        })?;
        levels.settle(&options::DIR, &path);
        return Ok(Some(StoreDir::chosen(path)));
    }
    let dir = StoreDir::by_default(vars);
    if let Some(dir) = &dir {
        levels.settle(&options::DIR, &dir.to_path_buf());
    }
    Ok(dir)
}
