//! The part of the file system in which whatever a traced run wrote is recorded, and brought
//! back.
//!
//! It is what the *call* allows, by its options and where it runs: an entry cannot widen it.
//! Paths in it are canonical, so no part of one may be a link by then.

use super::{Declared, Place};
use std::path::{Path, PathBuf};

/// The folders below which outputs may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Area {
    /// The working directory and these.
    Below(Vec<PathBuf>),
    /// All but what the kernel makes up.
    Everywhere,
}

/// What no file lies in.
const MADE_UP: [&str; 3] = ["/dev", "/proc", "/sys"];

impl Area {
    /// Returns whether a path lies in it: a canonical one, or one below the working directory.
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
}

impl Declared<'_> {
    /// Whatever lies in this part of the file system is declared, too.
    pub fn with_area(self, area: Option<Area>) -> Self {
        Declared { area, ..self }
    }

    /// Returns whether a traced run may have its files brought back.
    pub(super) fn is_traced(&self) -> bool {
        self.area.is_some()
    }

    /// The place of a path that is declared by where it lies.
    pub(super) fn place_in_area<'p>(&self, path: &'p Path) -> Option<Place<'p>> {
        let is_in = self.area.as_ref().is_some_and(|area| area.covers(path));
        (is_in && !self.excludes(path)).then_some(Place { path, free: 0 })
    }
}
