//! The part of the file system in which everything that a traced run wrote is recorded and
//! restored.
//!
//! The *call* determines it, by its options and working directory: an entry cannot widen it. Paths
//! in it are canonical, so none of their components may be a link by then.

use super::{Declared, Place};
use std::path::{Path, PathBuf};

/// The folders below which outputs may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Area {
    /// The working directory and these folders.
    Below(Vec<PathBuf>),
    /// Everything except what the kernel generates.
    Everywhere,
}

/// Folders without real files.
const MADE_UP: [&str; 3] = ["/dev", "/proc", "/sys"];

impl Area {
    /// Returns whether the area contains a path: a canonical one, or one relative to the working
    /// directory.
    pub fn covers(&self, path: &Path) -> bool {
        if path.is_relative() {
            return !path.as_os_str().is_empty();
        }
        match self {
            Area::Below(folders) => {
                folders.iter().any(|folder| path != folder && path.starts_with(folder))
            }
            Area::Everywhere => {
                let is_made_up = MADE_UP.iter().any(|made_up| path.starts_with(made_up));
                path.parent().is_some() && (!is_made_up || path.starts_with("/dev/shm/"))
            }
        }
    }

    /// Returns whether this is one of the folders below which outputs may lie. It is no output
    /// itself, except for its time.
    pub fn is_root(&self, path: &Path) -> bool {
        matches!(self, Area::Below(folders) if folders.iter().any(|folder| folder == path))
    }
}

impl Declared<'_> {
    /// Declares everything in this area, too.
    pub fn with_area(self, area: Option<Area>) -> Self {
        Declared { area, ..self }
    }

    /// Returns whether the files of a traced run may be restored.
    pub(super) fn is_traced(&self) -> bool {
        self.area.is_some()
    }

    /// Returns whether this is one of the area's own folders.
    pub(super) fn is_root_of_area(&self, path: &Path) -> bool {
        self.area.as_ref().is_some_and(|area| !area.covers(path) && area.is_root(path))
    }

    /// Returns the place of a path that the area declares.
    pub(super) fn place_in_area<'p>(&self, path: &'p Path) -> Option<Place<'p>> {
        let is_in = self.area.as_ref().is_some_and(|area| area.covers(path) || area.is_root(path));
        (is_in && !self.excludes(path)).then_some(Place { path, free: 0 })
    }
}
