//! Finds the input files.
//!
//! A name that leads to a file or a folder is taken literally, whatever characters it has; any
//! other name is a pattern. A file that is named is always an input. Below a folder, and for a
//! pattern, these are excluded: files that match a pattern with `!`, the command's outputs, files
//! that `.gitignore` excludes inside a repository, anything named `.git`, cachex's own store, and
//! files that another call of cachex is about to put in place.
//!
//! A folder that has no inputs in it is found like a file, see [`empty`].

use super::empty::Folders;
use super::{Refused, Wanted};
use crate::files::outputs::STAGING;
use cachex_base::system::stamp::Stamp;
use cachex_base::text::values::PathPattern;
use cachex_trace::facts::Status;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rustix::fs::{FileType, RawMode};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The path of an input file.
pub struct Found {
    /// The path, absolute or relative to the working directory, as it was named.
    pub path: PathBuf,
    /// The status of the path itself, not of its target.
    pub look: rustix::io::Result<Look>,
    /// True if it has to exist.
    pub named: bool,
    /// True for a folder that has no inputs in it, but other files.
    pub is_filled: bool,
}

/// The status of a file.
#[derive(Clone, Copy)]
pub struct Look {
    /// The stamp, which reveals a change.
    pub stamp: Stamp,
    /// The type and permissions.
    pub mode: RawMode,
}

impl Look {
    pub fn at(path: &Path) -> rustix::io::Result<Look> {
        Ok(Look::of(&Status::at(path)?))
    }

    pub fn of(status: &Status) -> Look {
        let cachex_trace::Stamp { dev, ino, size, mtime, ctime, mount, .. } = status.stamp;
        Look { stamp: Stamp { dev, ino, size, mtime, ctime, mount }, mode: status.mode as RawMode }
    }

    pub fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.mode) == FileType::RegularFile
    }
}

impl Found {
    /// Returns a file that was found.
    pub fn new(path: PathBuf, look: rustix::io::Result<Look>, named: bool) -> Found {
        Found { path, look, named, is_filled: false }
    }

    /// Named paths come before those that were only found.
    pub fn order(&self, other: &Found) -> Ordering {
        let [one, other] = [self, other].map(|found| (found.path.as_os_str(), !found.named));
        one.cmp(&other)
    }
}

/// Returns every input file, in the order of their paths.
pub fn find(wanted: &Wanted<'_>) -> Result<Vec<Found>, Refused> {
    find_and_tell(wanted, &mut None)
}

/// Like [`find`], and also returns the first pattern that matches nothing.
pub fn find_and_tell(
    wanted: &Wanted<'_>,
    unmatched: &mut Option<String>,
) -> Result<Vec<Found>, Refused> {
    let mut found = Vec::new();
    let mut met = Folders::default();
    let mut folders = Named::new();
    let mut globs = Vec::new();
    for pattern in wanted.patterns.iter().filter(|pattern| !pattern.exclude) {
        let (pattern, path) = (&pattern.path, pattern.path.as_path());
        if let Some(kind) = kind(path)? {
            name(kind, path, &mut found, &mut folders);
        } else if let (true, Some(glob)) = (pattern.is_glob(), pattern.glob()) {
            let none_yet = || Some((GlobSet::builder(), Some(0)));
            if let Some((meant, depth)) = folders.entry(pattern.base()).or_insert_with(none_yet) {
                meant.add(glob);
                globs.push(pattern);
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
            let mut walk = Walk {
                wanted,
                meant: meant.as_ref(),
                left_out: &left_out,
                through: HashSet::new(),
            };
            walk.run(folder, depth, &mut found, &mut met)?;
        }
    }
    // Each thread's part is sorted, and such runs need only be merged.
    found.sort_by(Found::order);
    found.dedup_by(|next, one| next.path == one.path);
    // A single pattern matched everything that was found.
    if globs.len() > 1 || globs.len() == 1 && found.is_empty() {
        let matches = |glob: &&&PathPattern| {
            let mut set = GlobSet::builder();
            add(&mut set, glob);
            set.build().is_ok_and(|set| found.iter().any(|found| set.is_match(&found.path)))
        };
        *unmatched = globs.iter().find(|glob| !matches(glob)).map(|glob| glob.as_str().to_owned());
    }
    met.add_empty_ones(wanted, &mut found);
    Ok(found)
}

/// The folders to walk, the patterns to match in each, and the maximum depth; none means
/// everything.
type Named<'p> = BTreeMap<&'p Path, Option<(GlobSetBuilder, Option<usize>)>>;

/// The type of a named path.
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

fn name<'p>(kind: Kind, path: &'p Path, found: &mut Vec<Found>, folders: &mut Named<'p>) {
    if kind != Kind::Folder {
        found.push(Found::new(path.to_owned(), Look::at(path), true));
    }
    if kind != Kind::File {
        folders.insert(path, None);
    }
}

/// The names that are excluded below a folder.
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

/// Adds the files that a pattern matches; a folder is not entered.
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

/// A walk through a folder, and through the folders to which its links lead.
struct Walk<'w> {
    wanted: &'w Wanted<'w>,
    /// The patterns to match; none means everything.
    meant: Option<&'w GlobSet>,
    left_out: &'w Arc<LeftOut>,
    /// The folders that were entered through a link. Each is entered once: its files are already
    /// found, and a link may lead to a folder above itself.
    through: HashSet<(u64, u64)>,
}

impl Walk<'_> {
    fn run(
        &mut self,
        folder: &Path,
        depth: Option<usize>,
        found: &mut Vec<Found>,
        met: &mut Folders,
    ) -> Result<(), Refused> {
        if folder.symlink_metadata().is_err() {
            // The folder of a pattern that matches nothing.
            return Ok(());
        }
        let (batches, refused) = self.read(folder, depth);
        let mut links = Vec::new();
        for batch in batches {
            let path = |start, end| PathBuf::from(OsStr::from_bytes(&batch.paths[start..end]));
            let files = batch.files.iter();
            found.extend(files.map(|met| Found::new(path(met.start, met.end), met.look, false)));
            links.extend(batch.links);
            met.extend(batch.folders);
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        // The choice between two links to one folder must not be random.
        links.sort_unstable();
        for (link, below) in links {
            let Ok(place) = link.metadata().map(|it| (it.dev(), it.ino())) else { continue };
            if self.through.insert(place) {
                self.run(&link, depth.map(|depth| depth.saturating_sub(below)), found, met)?;
            }
        }
        Ok(())
    }

    /// Reads one folder and everything below it, without following links.
    fn read(&self, folder: &Path, depth: Option<usize>) -> All {
        let filter = Arc::clone(self.left_out);
        // A single folder is read by one thread.
        let threads = match depth {
            Some(1) => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let walk = WalkBuilder::new(folder)
            .hidden(false)
            .ignore(false)
            .git_global(false)
            .git_exclude(false)
            .git_ignore(!self.wanted.no_ignore)
            .parents(!self.wanted.no_ignore)
            .threads(threads)
            .max_depth(depth)
            .filter_entry(move |entry| entry.depth() == 0 || !filter.has(bare(entry.path())))
            .build_parallel();
        let all = Mutex::new(All::default());
        let meant = self.meant;
        // A pattern matches files.
        let finds_folders = meant.is_none() && !self.wanted.portable;
        walk.run(|| {
            let mut batch = Batch { met: Part::default(), all: &all };
            Box::new(move |entry: Result<DirEntry, ignore::Error>| match entry {
                Ok(entry) => {
                    let kind = entry.file_type().filter(|kind| !kind.is_dir());
                    let path = bare(entry.path());
                    if let Some(kind) = kind.filter(|_| entry.depth() > 0) {
                        if meant.is_none_or(|meant| meant.is_match(path)) {
                            batch.add(path);
                        }
                        let goes_on = depth.is_none_or(|depth| entry.depth() < depth);
                        if kind.is_symlink() && goes_on && path.is_dir() {
                            batch.met.links.push((path.to_owned(), entry.depth()));
                        }
                    } else if finds_folders && entry.depth() > 0 {
                        batch.met.folders.add(path);
                    }
                    WalkState::Continue
                }
                Err(error) => batch.fails(error, folder),
            })
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files that one thread finds, passed on when it ends.
struct Batch<'a> {
    met: Part,
    all: &'a Mutex<All>,
}

/// A list of found files. The paths share one allocation, because for many small ones the C
/// library's allocator would request each page of a thread from the system.
#[derive(Default)]
struct Part {
    paths: Vec<u8>,
    files: Vec<Met>,
    /// Links to folders, and the depth of each.
    links: Vec<(PathBuf, usize)>,
    folders: Folders,
}

/// The results of all threads, and the first error.
type All = (Vec<Part>, Option<Refused>);

/// A found file: the place of its path, and its status, read together with its folder because then
/// it is most likely cached.
struct Met {
    start: usize,
    end: usize,
    look: rustix::io::Result<Look>,
}

impl Batch<'_> {
    fn add(&mut self, path: &Path) {
        let Part { paths, files, .. } = &mut self.met;
        let start = paths.len();
        paths.extend(path.as_os_str().as_bytes());
        files.push(Met { start, end: paths.len(), look: Look::at(path) });
    }

    fn fails(&self, error: ignore::Error, folder: &Path) -> WalkState {
        let path = path_of(&error).unwrap_or(folder).to_owned();
        match error.into_io_error() {
            // The file was removed during the walk.
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
        let mut met = std::mem::take(&mut self.met);
        let paths = &met.paths;
        met.files.sort_unstable_by(|one, other| {
            paths[one.start..one.end].cmp(&paths[other.start..other.end])
        });
        if let Ok(mut all) = self.all.lock() {
            all.0.push(met);
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

/// Strips the `./` that a walk of the working directory puts in front.
fn bare(path: &Path) -> &Path {
    path.strip_prefix("./").unwrap_or(path)
}
