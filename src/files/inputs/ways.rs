//! The folders and links that lead to the input files, while a command runs.
//!
//! A file is examined before and after the run, and may have been another in between: a folder or a
//! link on the way to it was exchanged and restored, or a file appeared in a folder and is gone
//! again. Folders also change when a command writes next to its inputs, so these are the signs:
//!
//! - A link has changed, another folder has taken a folder's place, or a folder's status
//!   was changed later than its content, which is the effect of renaming it.
//! - Something appeared in or disappeared from a folder that was named as an input, while
//!   the folder has nothing but inputs. If it has other files (the command's outputs, files
//!   that git ignores), those may have been written, and this is no sign.

use super::Snapshot;
use cachex_base::system::stamp::Stamp;
use cachex_base::text::values::InputPattern;
use rustix::fs::{AtFlags, CWD, FileType};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The ways to the input files, as they were.
#[derive(Debug, Default)]
pub struct Ways {
    places: BTreeMap<PathBuf, Place>,
}

#[derive(Debug)]
struct Place {
    stamp: Stamp,
    is_link: bool,
    /// The names in a folder, if it is an input with everything in it.
    all: Option<BTreeSet<OsString>>,
}

impl Ways {
    /// Examines the ways to the files of a snapshot, which was taken with these patterns.
    pub fn of(snapshot: &Snapshot, patterns: &[InputPattern]) -> Ways {
        let mut within: BTreeMap<&Path, BTreeSet<OsString>> = BTreeMap::new();
        for file in &snapshot.files {
            let mut path = file.path.as_path();
            while let (Some(above), Some(name)) = (path.parent(), path.file_name()) {
                let is_new = !within.contains_key(above);
                within.entry(above).or_default().insert(name.to_owned());
                if !is_new || above.as_os_str().is_empty() {
                    break;
                }
                path = above;
            }
        }
        let named: Vec<&Path> = patterns
            .iter()
            .filter(|pattern| !pattern.exclude)
            .map(|pattern| pattern.path.base())
            .collect();
        let mut places = BTreeMap::new();
        for (folder, known) in within {
            // The working directory is where the command runs, whatever its name.
            let path = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let is_here = |name: &Path| name == Path::new(".") && path.is_relative();
            let is_named = named.iter().any(|name| path.starts_with(name) || is_here(name));
            let Some(mut place) = Place::at(path) else { continue };
            if is_named && !place.is_link && names(path).as_ref() == Some(&known) {
                place.all = Some(known);
            }
            places.insert(path.to_owned(), place);
        }
        Ways { places }
    }

    /// Returns the first way that has changed, or had changed in between.
    pub fn changed(&self) -> Option<&Path> {
        self.places.iter().find(|(path, then)| !then.is_same(path)).map(|(path, _)| path.as_path())
    }
}

impl Place {
    fn at(path: &Path) -> Option<Place> {
        let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
        Some(Place { stamp: Stamp::of(&stat), is_link, all: None })
    }

    fn is_same(&self, path: &Path) -> bool {
        let Some(now) = Place::at(path) else { return false };
        let (then, here) = (self.stamp, now.stamp);
        if self.is_link || now.is_link {
            return self.is_link == now.is_link && then == here;
        }
        if (then.dev, then.ino) != (here.dev, here.ino) {
            return false;
        }
        let was_renamed = then.ctime != here.ctime && here.ctime != here.mtime;
        if was_renamed && path != Path::new(".") {
            return false;
        }
        // Something came and went, and the folder has nothing but inputs.
        let came_and_went = then.mtime != here.mtime
            && self.all.is_some()
            && names(path).as_ref() == self.all.as_ref();
        !came_and_went
    }
}

/// Returns the names in a folder; none if they cannot be read.
fn names(folder: &Path) -> Option<BTreeSet<OsString>> {
    let entries = fs::read_dir(folder).ok()?;
    entries.map(|entry| entry.map(|entry| entry.file_name()).ok()).collect()
}
