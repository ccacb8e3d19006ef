//! Finding the files that are meant.
//!
//! A name that leads to a file or a folder is taken for that, whatever characters
//! it has; any other is a pattern. A file counts if it is named, whatever else is
//! said of it. Below a folder, and for a pattern, these do not count: what a pattern
//! with `!` matches, what the command makes, what `.gitignore` leaves out inside a
//! repository, anything named `.git`, cachex's own store, and what another call of
//! cachex is about to put in its place.

use super::memory::Stamp;
use super::{Refused, Wanted};
use crate::outputs::STAGING;
use crate::values::PathPattern;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rustix::fs::{AtFlags, CWD, RawMode};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file that counts, or more exactly its path.
pub struct Found {
    /// Relative to the working directory, if it was named so.
    pub path: PathBuf,
    /// What a look at itself tells, and not at what it leads to.
    pub look: rustix::io::Result<Look>,
    /// Whether somebody expects it to be there.
    pub named: bool,
}

/// What a look at a file tells.
#[derive(Clone, Copy)]
pub struct Look {
    /// What tells that it is as it was.
    pub stamp: Stamp,
    /// Its kind and its permissions.
    pub mode: RawMode,
}

impl Look {
    fn at(path: &Path) -> rustix::io::Result<Look> {
        let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Look { stamp: Stamp::of(&stat), mode: stat.st_mode })
    }
}

impl Found {
    /// What is named as well as met comes first.
    fn order(&self, other: &Found) -> Ordering {
        let [one, other] = [self, other].map(|found| (found.path.as_os_str(), !found.named));
        one.cmp(&other)
    }
}

/// Every file that counts, in the order of their paths.
pub fn find(wanted: &Wanted<'_>) -> Result<Vec<Found>, Refused> {
    let mut found = Vec::new();
    let mut folders = Folders::new();
    for pattern in wanted.patterns.iter().filter(|pattern| !pattern.exclude) {
        let (pattern, path) = (&pattern.path, pattern.path.as_path());
        if let Some(kind) = kind(path)? {
            name(kind, path, &mut found, &mut folders);
        } else if let (true, Some(glob)) = (pattern.is_glob(), pattern.glob()) {
            let none_yet = || Some((GlobSet::builder(), Some(0)));
            if let Some((meant, depth)) = folders.entry(pattern.base()).or_insert_with(none_yet) {
                meant.add(glob);
                *depth = depth.zip(pattern.depth()).map(|(one, other)| one.max(other));
            }
        } else {
            return Err(Refused::Missing(path.to_owned()));
        }
    }
    for path in wanted.listed {
        let kind = kind(path)?.ok_or_else(|| Refused::Missing(path.clone()))?;
        name(kind, path, &mut found, &mut folders);
    }
    if !folders.is_empty() {
        let left_out = Arc::new(left_out(wanted));
        for (folder, meant) in folders {
            let (meant, depth) =
                meant.map_or((None, None), |(meant, depth)| (meant.build().ok(), depth));
            walk(folder, wanted, meant.as_ref(), depth, &left_out, &mut found)?;
        }
    }
    // Each thread's part is in order, and such runs need only be merged.
    found.sort_by(Found::order);
    found.dedup_by(|next, one| next.path == one.path);
    Ok(found)
}

/// What is to be walked, what of it is meant, and how far down that can lie; none: all.
type Folders<'p> = BTreeMap<&'p Path, Option<(GlobSetBuilder, Option<usize>)>>;

/// What a path leads to.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Folder,
    LinkToFolder,
}

fn kind(path: &Path) -> Result<Option<Kind>, Refused> {
    let unreadable = |error| Refused::Unreadable(path.to_owned(), error);
    let own = match path.symlink_metadata() {
        Ok(own) => own,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    if own.is_dir() {
        return Ok(Some(Kind::Folder));
    }
    let leads_to_folder = own.is_symlink() && path.metadata().is_ok_and(|it| it.is_dir());
    Ok(Some(if leads_to_folder { Kind::LinkToFolder } else { Kind::File }))
}

fn name<'p>(kind: Kind, path: &'p Path, found: &mut Vec<Found>, folders: &mut Folders<'p>) {
    if kind != Kind::Folder {
        found.push(Found { path: path.to_owned(), look: Look::at(path), named: true });
    }
    if kind != Kind::File {
        folders.insert(path, None);
    }
}

/// What does not count below a folder.
struct LeftOut {
    patterns: GlobSet,
    store: Option<PathBuf>,
}

impl LeftOut {
    fn has(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        name == ".git"
            || name.as_bytes().starts_with(STAGING.as_bytes())
            || self.patterns.is_match(path)
            || self.store.as_deref() == Some(path)
    }
}

fn left_out(wanted: &Wanted<'_>) -> LeftOut {
    let mut patterns = GlobSet::builder();
    let excluded = wanted.patterns.iter().filter(|pattern| pattern.exclude);
    let made = wanted.outputs.iter().filter(|output| !output.exclude).map(|output| &output.path);
    for pattern in excluded.map(|pattern| &pattern.path).chain(made) {
        add(&mut patterns, pattern);
    }
    let store = wanted.store.and_then(|store| {
        let cwd = std::env::current_dir().ok()?;
        let store = store.canonicalize().ok()?;
        Some(store.strip_prefix(cwd).map_or(store.clone(), Path::to_owned))
    });
    LeftOut { patterns: patterns.build().unwrap_or_default(), store }
}

/// Adds what a pattern matches: if that is a folder, it is not gone into.
fn add(patterns: &mut GlobSetBuilder, pattern: &PathPattern) {
    if pattern.is_glob() && pattern.as_path().symlink_metadata().is_ok() {
        let literal = globset::escape(pattern.as_str());
        if let Ok(glob) = GlobBuilder::new(&literal).build() {
            patterns.add(glob);
        }
    } else if let Some(glob) = pattern.glob() {
        patterns.add(glob);
    }
}

fn walk(
    folder: &Path,
    wanted: &Wanted<'_>,
    meant: Option<&GlobSet>,
    depth: Option<usize>,
    left_out: &Arc<LeftOut>,
    found: &mut Vec<Found>,
) -> Result<(), Refused> {
    if folder.symlink_metadata().is_err() {
        // A pattern of which nothing is there.
        return Ok(());
    }
    let filter = Arc::clone(left_out);
    // One folder is read by one thread.
    let threads = match depth {
        Some(1) => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .git_ignore(!wanted.no_ignore)
        .parents(!wanted.no_ignore)
        .threads(threads)
        .max_depth(depth)
        .filter_entry(move |entry| entry.depth() == 0 || !filter.has(bare(entry.path())))
        .build_parallel();
    let all = Mutex::new(All::default());
    walk.run(|| {
        let mut batch = Batch { paths: Vec::new(), files: Vec::new(), all: &all };
        Box::new(move |entry: Result<DirEntry, ignore::Error>| match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
                let path = bare(entry.path());
                if is_file && entry.depth() > 0 && meant.is_none_or(|meant| meant.is_match(path)) {
                    batch.add(path);
                }
                WalkState::Continue
            }
            Err(error) => batch.fails(error, folder),
        })
    });
    let (batches, refused) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (paths, files) in batches {
        found.extend(files.into_iter().map(|Met { start, end, look }| Found {
            path: PathBuf::from(OsStr::from_bytes(&paths[start..end])),
            look,
            named: false,
        }));
    }
    refused.map_or(Ok(()), Err)
}

/// What one thread met; given to all when that ends. The paths lie in one piece of
/// memory, because the C library's allocator would ask the system for each page of a
/// thread's many small ones.
struct Batch<'a> {
    paths: Vec<u8>,
    files: Vec<Met>,
    all: &'a Mutex<All>,
}

/// What all threads met, and the first thing that kept one of them from it.
type All = (Vec<(Vec<u8>, Vec<Met>)>, Option<Refused>);

/// A file that was met: where its path lies, and what it looked like while its folder
/// was being read, because that is when the system knows it best.
struct Met {
    start: usize,
    end: usize,
    look: rustix::io::Result<Look>,
}

impl Batch<'_> {
    fn add(&mut self, path: &Path) {
        let start = self.paths.len();
        self.paths.extend(path.as_os_str().as_bytes());
        self.files.push(Met { start, end: self.paths.len(), look: Look::at(path) });
    }

    fn fails(&self, error: ignore::Error, folder: &Path) -> WalkState {
        let path = path_of(&error).unwrap_or(folder).to_owned();
        match error.into_io_error() {
            // It went while it was looked for.
            Some(error) if error.kind() == ErrorKind::NotFound => WalkState::Continue,
            error => {
                let error =
                    error.unwrap_or_else(|| std::io::Error::other("a mistake in .gitignore"));
                if let Ok(mut all) = self.all.lock() {
                    all.1.get_or_insert(Refused::Unreadable(path, error));
                }
                WalkState::Quit
            }
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let (paths, mut files) = (std::mem::take(&mut self.paths), std::mem::take(&mut self.files));
        files.sort_unstable_by(|one, other| {
            paths[one.start..one.end].cmp(&paths[other.start..other.end])
        });
        if let Ok(mut all) = self.all.lock() {
            all.0.push((paths, files));
        }
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}

/// A path without the `./` that a walk of the working directory puts in front.
fn bare(path: &Path) -> &Path {
    path.strip_prefix("./").unwrap_or(path)
}
