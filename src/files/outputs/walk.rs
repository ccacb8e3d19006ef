//! Visits everything that is declared in a folder.

use super::collect::Refused;
use super::{Declared, Place, STAGING, id};
use ignore::WalkBuilder;
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Calls `visit` with every declared path in a folder, and whether it is a link. Skips paths that
/// disappeared meanwhile, and the store.
pub fn walk(
    declared: &Declared<'_>,
    folder: Place<'_>,
    visit: &mut dyn FnMut(Place<'_>, bool) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut walk = WalkBuilder::new(folder.path);
    let (excluded, store) = (declared.excluded.clone(), declared.store.clone());
    walk.standard_filters(false).filter_entry(move |entry| {
        let is_store = || {
            let stat = rustix::fs::lstat(entry.path());
            stat.is_ok_and(|stat| store.contains(&id(&stat)))
        };
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_staging = entry.file_name().as_bytes().starts_with(STAGING.as_bytes());
        entry.depth() == 0
            || !(is_staging || excluded.is_match(bare(entry.path())) || is_folder && is_store())
    });
    for entry in walk.build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let error = error.into_io_error().unwrap_or_else(|| Errno::IO.into());
                if error.kind() == std::io::ErrorKind::NotFound {
                    continue;
                }
                return Err(Refused::Unreadable(folder.path.to_owned(), error));
            }
        };
        if let Some(place) = declared.place(bare(entry.path())) {
            visit(place, entry.path_is_symlink())?;
        }
    }
    Ok(())
}

/// Strips the `./` that a walk of the working directory puts in front.
fn bare(path: &Path) -> &Path {
    path.strip_prefix("./").unwrap_or(path)
}
