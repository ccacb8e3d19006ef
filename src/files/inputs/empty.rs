//! Folders without an input in them, which are inputs as files are.
//!
//! What a command finds below a folder depends on them, although no file tells of them. Whether
//! they hold files that are no inputs makes no difference: such files come and go. Folders are left
//! out in which a declared output may lie, since the command's own work makes and unmakes them. A
//! portable key has none, since git does not keep them and two checkouts should agree.

use super::Wanted;
use super::walk::{Found, Look};
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The folders that a walk met. Their paths, each with a slash at its end, share one allocation.
#[derive(Default)]
pub struct Folders {
    paths: Vec<u8>,
    /// Where each path ends.
    ends: Vec<usize>,
}

impl Folders {
    /// Adds a folder.
    pub fn add(&mut self, path: &Path) {
        self.paths.extend(path.as_os_str().as_bytes());
        self.paths.push(b'/');
        self.ends.push(self.paths.len());
    }

    /// Adds those that another thread met.
    pub fn extend(&mut self, others: Folders) {
        let before = self.paths.len();
        self.paths.extend(others.paths);
        self.ends.extend(others.ends.iter().map(|end| before + end));
    }

    /// Adds those without inputs to what was found, which is in the order of the paths.
    pub fn add_empty_ones(&self, wanted: &Wanted<'_>, found: &mut Vec<Found>) {
        let starts = std::iter::once(&0).chain(&self.ends);
        let mut met: Vec<&[u8]> =
            starts.zip(&self.ends).map(|(start, end)| &self.paths[*start..*end]).collect();
        // In this order, what lies in one folder comes before what lies in the next.
        met.sort_unstable();
        let mut rest = &found[..];
        let mut empty: Vec<(&[u8], Found)> = Vec::new();
        for folder in met {
            rest = &rest[beginning(rest, folder)..];
            if !rest.first().is_some_and(|next| bytes(next).starts_with(folder)) {
                let path = Path::new(OsStr::from_bytes(&folder[..folder.len() - 1]));
                let Some(one) = without_inputs(path).filter(|_| !may_hold_output(wanted, path))
                else {
                    continue;
                };
                // One tells of the folder that it is in.
                empty.pop_if(|(above, _)| folder.starts_with(above));
                empty.push((folder, one));
            }
        }
        if !empty.is_empty() {
            found.extend(empty.into_iter().map(|(_, folder)| folder));
            found.sort_by(Found::order);
            found.dedup_by(|next, one| next.path == one.path);
        }
    }
}

fn bytes(found: &Found) -> &[u8] {
    found.path.as_os_str().as_bytes()
}

/// Returns the index of the first path that is not less than `bound`, which is most likely near.
fn beginning(found: &[Found], bound: &[u8]) -> usize {
    let is_before = |found: &Found| bytes(found) < bound;
    let mut reach = 1;
    while found.get(reach - 1).is_some_and(is_before) {
        reach *= 2;
    }
    let low = reach / 2;
    low + found[low..found.len().min(reach)].partition_point(is_before)
}

/// Returns a folder that has no inputs, if it is there.
fn without_inputs(path: &Path) -> Option<Found> {
    let look = Look::at(path).ok()?;
    let is_folder = FileType::from_raw_mode(look.mode) == FileType::Directory;
    let is_filled = is_folder && path.read_dir().is_ok_and(|mut names| names.next().is_some());
    is_folder.then(|| Found { is_filled, ..Found::new(path.to_owned(), Ok(look), false) })
}

/// Returns whether a declared output may lie in a folder.
fn may_hold_output(wanted: &Wanted<'_>, folder: &Path) -> bool {
    wanted.outputs.iter().filter(|output| !output.exclude).any(|output| {
        let path = output.path.as_path();
        let base = output.path.base();
        let is_below =
            output.path.is_glob() && folder.starts_with(base.strip_prefix(".").unwrap_or(base));
        path.starts_with(folder) || is_below
    })
}
