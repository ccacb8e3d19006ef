//! Declared output files: recording what a run made, and restoring that on a hit.
//!
//! [`Declared`] knows the paths that a call declared, and is the only way to access them. No link
//! is followed on the way, except above a path that was named absolutely, where links are the
//! user's own choice. Nothing leads into cachex's store.
//!
//! [`collect`] records: each file becomes a blob, and their list a
//! [manifest](cachex_base::record::manifest). [`restore`] restores: everything that differs is
//! first copied next to its place and verified, and put in place only when all of it is ready.

mod area;
mod before;
pub mod claims;
pub mod collect;
mod commit;
mod doubts;
mod names;
pub mod restore;
mod staging;
pub mod traced;
mod walk;

pub use area::Area;

use cachex_base::record::manifest::{Item, What};
use cachex_base::system::fsutil;
use cachex_base::text::values::{OutputPattern, PathPattern};
use cachex_store::Root;
use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// The prefix of the names of staging folders.
pub const STAGING: &str = ".cachex-restore-";

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// The output files that a call declares.
pub struct Declared<'c> {
    patterns: Vec<Pattern<'c>>,
    excluded: GlobSet,
    /// The additional area in which a traced run may write.
    area: Option<Area>,
    /// The identities of the store's folders, by whichever path they are reached.
    store: Vec<FileId>,
}

/// A declared pattern, and its matcher.
struct Pattern<'c> {
    path: &'c PathPattern,
    /// None if the pattern is one path, with everything below it.
    glob: Option<GlobMatcher>,
}

/// A file's identity, independent of its name.
type FileId = (u64, u64);

/// A path, and the number of leading components that may be links.
#[derive(Clone, Copy, Debug)]
struct Place<'p> {
    path: &'p Path,
    free: usize,
}

/// The reason why a path cannot be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Barred {
    /// The path leads into the store.
    Store,
    /// The system returned an error.
    System(Errno),
}

impl From<Errno> for Barred {
    fn from(errno: Errno) -> Barred {
        Barred::System(errno)
    }
}

impl<'c> Declared<'c> {
    /// Compiles the declared patterns. The error is a path that leads into the store.
    pub fn new(root: &Root, outputs: &'c [OutputPattern]) -> Result<Declared<'c>, PathBuf> {
        let mut excluded = GlobSet::builder();
        for output in outputs.iter().filter(|output| output.exclude) {
            exclude(&mut excluded, &output.path);
        }
        let patterns = outputs.iter().filter(|output| !output.exclude).map(|output| {
            let path = &output.path;
            let glob = path.is_glob().then(|| path.glob()).flatten();
            Pattern { path, glob: glob.map(|glob| glob.compile_matcher()) }
        });
        let stores = [rustix::fs::fstat(root), rustix::fs::stat(root.outer())];
        let declared = Declared {
            patterns: patterns.collect(),
            excluded: excluded.build().unwrap_or_default(),
            area: None,
            store: stores.iter().flatten().map(id).collect(),
        };
        let mut anchors: Vec<&Path> = declared.patterns.iter().map(Pattern::anchor).collect();
        anchors.dedup();
        match anchors.into_iter().find(|anchor| declared.is_in_store(anchor)) {
            Some(anchor) => Err(anchor.to_owned()),
            None => Ok(declared),
        }
    }

    /// Returns whether a folder, with links resolved, lies in the store.
    fn is_in_store(&self, folder: &Path) -> bool {
        let there = folder
            .ancestors()
            .map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
        let real = there.into_iter().find_map(|above| above.canonicalize().ok());
        let ids = real.iter().flat_map(|real| real.ancestors()).map(rustix::fs::stat);
        ids.flatten().any(|stat| self.store.contains(&id(&stat)))
    }

    /// Returns whether this is the folder of the store.
    fn is_store(&self, stat: &Stat) -> bool {
        self.store.contains(&id(stat))
    }

    /// Returns whether a path, or a folder above it, is excluded.
    fn excludes(&self, path: &Path) -> bool {
        !self.excluded.is_empty() && path.ancestors().any(|above| self.excluded.is_match(above))
    }

    /// Returns whether a pattern includes a path, and not just the area.
    fn is_named(&self, path: &Path) -> bool {
        self.patterns.iter().any(|pattern| pattern.covers(path).is_some())
    }

    /// Returns the place of a declared path.
    fn place<'p>(&self, path: &'p Path) -> Option<Place<'p>> {
        let free = self.patterns.iter().filter_map(|pattern| pattern.covers(path)).max();
        let Some(free) = free else { return self.place_in_area(path) };
        (!self.excludes(path)).then_some(Place { path, free })
    }

    /// Returns the place of a manifest's item, if that is declared. Only a path that was named can
    /// be listed as absent.
    fn place_of<'p>(&self, item: &'p Item) -> Option<Place<'p>> {
        let place = self.place(item.path())?;
        if self.is_root_of_area(place.path) && !matches!(item.what, What::Folder { .. }) {
            return None;
        }
        let is_named = || {
            if self.place_in_area(item.path()).is_some() {
                return true;
            }
            let mut named = self.patterns.iter().filter(|pattern| pattern.glob.is_none());
            named.any(|pattern| pattern.path.as_path() == place.path)
        };
        (!matches!(item.what, What::Absent { .. }) || is_named()).then_some(place)
    }

    /// Opens the folder of a place, and calls `work` with it and the last component of the path.
    /// With `made`, missing folders are created and added to it.
    fn within<T>(
        &self,
        place: Place<'_>,
        mut made: Option<&mut Vec<PathBuf>>,
        work: impl FnOnce(BorrowedFd<'_>, &Path) -> rustix::io::Result<T>,
    ) -> Result<T, Barred> {
        let name = Path::new(place.path.file_name().ok_or(Errno::INVAL)?);
        let parent = place.path.parent().unwrap_or(Path::new(""));
        let mut folder: Option<OwnedFd> = None;
        for (depth, part) in parent.iter().enumerate() {
            let at = folder.as_ref().map_or(CWD, AsFd::as_fd);
            let open = || open_folder(at, Path::new(part), depth < place.free);
            let next = match (open(), &mut made) {
                (Err(Errno::NOENT), Some(made)) => {
                    // Another process may be creating it too.
                    match rustix::fs::mkdirat(at, part, Mode::from_raw_mode(0o777)) {
                        Ok(()) => made.push(parent.iter().take(depth + 1).collect()),
                        Err(Errno::EXIST) => {}
                        Err(errno) => return Err(errno.into()),
                    }
                    open()?
                }
                (next, _) => next?,
            };
            if self.is_store(&rustix::fs::fstat(&next)?) {
                return Err(Barred::Store);
            }
            folder = Some(next);
        }
        Ok(work(folder.as_ref().map_or(CWD, AsFd::as_fd), name)?)
    }

    /// Opens the nearest existing folder above a place.
    fn nearest_folder(&self, place: Place<'_>) -> Result<OwnedFd, Barred> {
        let top = Path::new(if place.path.is_absolute() { "/" } else { "." });
        let mut nearest = open_folder(CWD, top, true)?;
        for (depth, part) in place.path.parent().into_iter().flatten().enumerate() {
            match open_folder(nearest.as_fd(), Path::new(part), depth < place.free) {
                Ok(folder) if self.is_store(&rustix::fs::fstat(&folder)?) => {
                    return Err(Barred::Store);
                }
                Ok(folder) => nearest = folder,
                Err(Errno::NOENT) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(nearest)
    }

    /// Returns the status of a place; none if it, or a folder above it, is missing.
    fn status(&self, place: Place<'_>) -> Result<Option<Stat>, Barred> {
        let look = |folder: BorrowedFd<'_>, name: &Path| {
            rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        };
        match self.within(place, None, look) {
            Ok(stat) if self.is_store(&stat) => Err(Barred::Store),
            Ok(stat) => Ok(Some(stat)),
            Err(Barred::System(Errno::NOENT)) => Ok(None),
            Err(barred) => Err(barred),
        }
    }

    /// Opens the file at a place for reading, unless it is a link.
    fn open(&self, place: Place<'_>) -> Result<OwnedFd, Barred> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.within(place, None, |folder, name| {
            fsutil::retry(|| rustix::fs::openat(folder, name, flags, Mode::empty()))
        })
    }

    /// Returns the target of the link at a place.
    fn target(&self, place: Place<'_>) -> Result<Vec<u8>, Barred> {
        let read =
            |folder: BorrowedFd<'_>, name: &Path| rustix::fs::readlinkat(folder, name, Vec::new());
        Ok(self.within(place, None, read)?.into_bytes())
    }
}

impl Pattern<'_> {
    /// Returns the path that the pattern names.
    fn named(&self) -> Place<'_> {
        let path = self.path.as_path();
        let above = path.parent().unwrap_or(Path::new(""));
        Place { path, free: free_below(above) }
    }

    /// Returns the folder in which the glob is searched.
    fn base(&self) -> Place<'_> {
        let path = self.path.base();
        Place { path, free: free_below(path) }
    }

    /// Returns the folder below which all matching files lie.
    fn anchor(&self) -> &Path {
        match self.glob {
            Some(_) => self.path.base(),
            None => self.path.as_path().parent().unwrap_or(Path::new("")),
        }
    }

    /// Returns whether the pattern includes a path: the number of its leading components that may
    /// be links. Only the file system knows whether a pattern is the name of a file; it may be
    /// both.
    fn covers(&self, path: &Path) -> Option<usize> {
        let named = self.path.as_path();
        if path.is_absolute() != named.is_absolute() {
            return None;
        }
        let by_name = path.starts_with(named).then(|| self.named().free);
        let base = self.path.base();
        let base = base.strip_prefix(".").unwrap_or(base);
        let by_glob = self.glob.as_ref().and_then(|glob| {
            let below = path.ancestors().take_while(|above| *above != base);
            let matches = path.starts_with(base) && { below }.any(|above| glob.is_match(above));
            matches.then(|| self.base().free)
        });
        by_name.max(by_glob)
    }
}

/// Returns how many leading components of a named folder may be links.
fn free_below(folder: &Path) -> usize {
    if folder.is_absolute() { folder.iter().count() } else { 0 }
}

/// Excludes everything that a pattern matches, as a name or as a glob.
fn exclude(excluded: &mut GlobSetBuilder, pattern: &PathPattern) {
    let name = globset::escape(pattern.as_str());
    let name = GlobBuilder::new(&name).literal_separator(true).build().ok();
    for glob in pattern.glob().into_iter().chain(name) {
        excluded.add(glob);
    }
}

#[allow(clippy::unnecessary_cast, reason = "the types are another system's")]
fn id(stat: &Stat) -> FileId {
    (stat.st_dev as u64, stat.st_ino as u64)
}

fn open_folder(at: BorrowedFd<'_>, name: &Path, is_free: bool) -> rustix::io::Result<OwnedFd> {
    let links = if is_free { OFlags::empty() } else { OFlags::NOFOLLOW };
    fsutil::retry(|| rustix::fs::openat(at, name, FOLDER | links, Mode::empty()))
}

/// Returns the permissions of a file, without those that only a superuser should grant.
fn permissions(mode: rustix::fs::RawMode) -> u32 {
    bits(mode) & 0o777
}

/// Returns all bits of a file's mode that can be changed.
fn bits(mode: rustix::fs::RawMode) -> u32 {
    #[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
    let mode = mode as u32;
    mode & 0o7777
}
