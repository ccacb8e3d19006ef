//! Bringing back the files that a recorded run made.
//!
//! [`Restore::prepare`] changes nothing that anybody looks at: what differs is copied
//! into folders of its own ([`STAGING`]), one for each file system, verified on the
//! way, and all that could keep it from its place is looked for. [`Restore::commit`]
//! then only makes folders, renames, and sets times; signals wait meanwhile. A
//! process that is killed between the two leaves a folder that the next one
//! removes, which it can tell by the lock that nobody holds any more.
//!
//! Files that are as they were recorded are not written, but all get the time of now,
//! so that whoever compares times takes them for made just now.

use super::{STAGING, open, permissions, within};
use crate::entry::BlobRef;
use crate::failpoint;
use crate::fsutil;
use crate::hashing;
use crate::manifest::{Item, Manifest, What};
use crate::parallel;
use crate::signals::Interrupts;
use crate::store::Root;
use crate::store::files;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why files are not brought back. Nothing was changed.
#[derive(Debug)]
pub enum Refused {
    /// A file's content is gone or damaged.
    Gone,
    /// Something else is where it is to go.
    InTheWay(PathBuf),
    /// The user wants no more of it.
    Interrupted,
    /// The system said no.
    Failed(PathBuf, Errno),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Gone => f.write_str("a recorded file is gone or damaged"),
            Refused::InTheWay(path) => {
                write!(f, "{} is not what it was and in the way", path.display())
            }
            Refused::Interrupted => f.write_str("interrupted"),
            Refused::Failed(path, errno) => {
                write!(f, "{}: {}", path.display(), std::io::Error::from(*errno))
            }
        }
    }
}

/// Files that are at hand and need only be put in their place.
pub struct Restore<'a> {
    folders: Vec<(&'a Path, u32)>,
    staged: Vec<Staged<'a>>,
    same: Vec<(&'a Path, Option<u32>)>,
    removed: Vec<&'a Path>,
    stagings: Vec<Staging>,
}

/// A file or a link that waits for its place.
struct Staged<'a> {
    path: &'a Path,
    staging: usize,
    name: PathBuf,
}

/// What is to be done with a file.
enum Plan<'a> {
    Folder(&'a Path, u32),
    /// It is as it was recorded; its permissions may not be.
    Same(&'a Path, Option<u32>),
    Remove(&'a Path),
    Link(&'a Path, &'a Path),
    Copy(&'a Path, u32, BlobRef),
    Nothing,
}

impl<'a> Restore<'a> {
    /// Makes everything ready.
    pub fn prepare(
        root: &Root,
        manifest: &'a Manifest,
        interrupts: &Interrupts,
    ) -> Result<Restore<'a>, Refused> {
        let plans = parallel::map(&manifest.items, plan);
        let mut restore = Restore {
            folders: Vec::new(),
            staged: Vec::new(),
            same: Vec::new(),
            removed: Vec::new(),
            stagings: Vec::new(),
        };
        let mut devices = BTreeMap::new();
        let mut copies = Vec::new();
        for plan in plans {
            match plan? {
                Plan::Folder(path, mode) => restore.folders.push((path, mode)),
                Plan::Same(path, mode) => restore.same.push((path, mode)),
                Plan::Remove(path) => restore.removed.push(path),
                Plan::Link(path, target) => {
                    let staging = restore.staging(path, &mut devices)?;
                    let name = PathBuf::from(restore.staged.len().to_string());
                    let folder = restore.stagings[staging].folder.as_fd();
                    rustix::fs::symlinkat(target, folder, &name).map_err(failed(path))?;
                    restore.staged.push(Staged { path, staging, name });
                }
                Plan::Copy(path, mode, blob) => {
                    let staging = restore.staging(path, &mut devices)?;
                    let name = PathBuf::from(restore.staged.len().to_string());
                    copies.push((path, mode, blob, staging, name.clone()));
                    restore.staged.push(Staged { path, staging, name });
                }
                Plan::Nothing => {}
            }
        }
        let stagings = &restore.stagings;
        let copied = parallel::map(&copies, |(path, mode, blob, staging, name)| {
            if interrupts.came() {
                return Err(Refused::Interrupted);
            }
            copy(root, stagings[*staging].folder.as_fd(), name, *mode, blob).map_err(failed(path))
        });
        for copied in copied {
            if !copied? {
                return Err(Refused::Gone);
            }
        }
        Ok(restore)
    }

    /// Puts everything in its place.
    pub fn commit(self) -> Result<(), Refused> {
        for (path, mode) in &self.folders {
            make_folder(path, *mode).map_err(failed(path))?;
        }
        for staged in &self.staged {
            let from = self.stagings[staged.staging].folder.as_fd();
            let place = |folder: BorrowedFd<'_>, name: &Path| {
                failpoint::at("place")?;
                rustix::fs::utimensat(from, &staged.name, &fsutil::NOW, AtFlags::SYMLINK_NOFOLLOW)?;
                rustix::fs::renameat(from, &staged.name, folder, name)
            };
            within(staged.path, true, place).map_err(failed(staged.path))?;
        }
        for path in &self.removed {
            let remove = |folder: BorrowedFd<'_>, name: &Path| match rustix::fs::unlinkat(
                folder,
                name,
                AtFlags::empty(),
            ) {
                Err(Errno::NOENT) => Ok(()),
                done => done,
            };
            within(path, false, remove).map_err(failed(path))?;
        }
        for (path, mode) in &self.same {
            let touch = |folder: BorrowedFd<'_>, name: &Path| {
                if let Some(mode) = mode {
                    let mode = Mode::from_raw_mode(*mode as rustix::fs::RawMode);
                    rustix::fs::chmodat(folder, name, mode, AtFlags::empty())?;
                }
                rustix::fs::utimensat(folder, name, &fsutil::NOW, AtFlags::SYMLINK_NOFOLLOW)
            };
            within(path, false, touch).map_err(failed(path))?;
        }
        // Now that all is in them, what nobody may write to.
        for (path, mode) in self.folders.iter().rev().filter(|(_, mode)| mode & 0o700 != 0o700) {
            let mode = Mode::from_raw_mode(*mode as rustix::fs::RawMode);
            let close = |folder: BorrowedFd<'_>, name: &Path| {
                rustix::fs::chmodat(folder, name, mode, AtFlags::empty())
            };
            within(path, false, close).map_err(failed(path))?;
        }
        Ok(())
    }

    /// The folder from which a rename to `path` stays within a file system.
    fn staging(
        &mut self,
        path: &'a Path,
        devices: &mut BTreeMap<u64, usize>,
    ) -> Result<usize, Refused> {
        let (above, device) = nearest_folder(path).map_err(failed(path))?;
        if let Some(&staging) = devices.get(&device) {
            return Ok(staging);
        }
        // The working directory is the place that is most likely to be written to.
        let cwd = nearest_folder(Path::new("x")).map(|(_, device)| device);
        let above =
            if path.is_relative() && cwd == Ok(device) { PathBuf::from(".") } else { above };
        self.stagings.push(Staging::new(&above).map_err(failed(path))?);
        devices.insert(device, self.stagings.len() - 1);
        Ok(self.stagings.len() - 1)
    }
}

fn failed(path: &Path) -> impl Fn(Errno) -> Refused + '_ {
    |errno| match errno {
        Errno::NOTDIR | Errno::LOOP | Errno::ISDIR => Refused::InTheWay(path.to_owned()),
        errno => Refused::Failed(path.to_owned(), errno),
    }
}

fn plan(item: &Item) -> Result<Plan<'_>, Refused> {
    let path = Path::new(OsStr::from_bytes(&item.path));
    let there = status(path).map_err(failed(path))?;
    let kind = there.as_ref().map(|stat| FileType::from_raw_mode(stat.st_mode));
    let in_the_way = || Err(Refused::InTheWay(path.to_owned()));
    Ok(match (&item.what, kind) {
        (What::Folder { .. }, Some(FileType::Directory)) => Plan::Nothing,
        (What::Folder { mode }, None) => Plan::Folder(path, *mode),
        (What::Folder { .. }, Some(_)) => return in_the_way(),
        (What::Absent { removed: true }, Some(FileType::RegularFile | FileType::Symlink)) => {
            Plan::Remove(path)
        }
        (What::Absent { .. }, _) => Plan::Nothing,
        (What::File { .. } | What::Symlink { .. }, Some(FileType::Directory)) => {
            return in_the_way();
        }
        (What::Symlink { target }, kind) => {
            let target = Path::new(OsStr::from_bytes(target));
            let is_there = kind == Some(FileType::Symlink) && leads_to(path, target);
            if is_there { Plan::Same(path, None) } else { Plan::Link(path, target) }
        }
        (What::File { mode, blob }, Some(FileType::RegularFile)) => {
            match there.filter(|stat| stat.st_size as u64 == blob.len) {
                Some(stat) if holds(path, blob) => {
                    let mode = (permissions(stat.st_mode) != *mode).then_some(*mode);
                    Plan::Same(path, mode)
                }
                _ => Plan::Copy(path, *mode, *blob),
            }
        }
        (What::File { mode, blob }, _) => Plan::Copy(path, *mode, *blob),
    })
}

/// What is at a path; none if nothing is, or a folder above it is missing.
fn status(path: &Path) -> rustix::io::Result<Option<Stat>> {
    let look = |folder: BorrowedFd<'_>, name: &Path| {
        rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
    };
    match within(path, false, look) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn leads_to(path: &Path, target: &Path) -> bool {
    let read =
        |folder: BorrowedFd<'_>, name: &Path| rustix::fs::readlinkat(folder, name, Vec::new());
    within(path, false, read).is_ok_and(|text| text.as_bytes() == target.as_os_str().as_bytes())
}

/// Whether a file holds just this. One that cannot be read is replaced.
fn holds(path: &Path, blob: &BlobRef) -> bool {
    let Ok(file) = open(path) else { return false };
    hashing::beginning(file, blob.len).is_ok_and(|hash| hash.is_some_and(|it| it == blob.hash))
}

/// The nearest folder above a path that is there, and its file system.
fn nearest_folder(path: &Path) -> rustix::io::Result<(PathBuf, u64)> {
    for above in path.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match rustix::fs::stat(above) {
            #[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
            Ok(stat) => return Ok((above.to_owned(), stat.st_dev as u64)),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::NOENT)
}

fn make_folder(path: &Path, mode: u32) -> rustix::io::Result<()> {
    let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
    within(path, true, |folder, name| {
        // What is in it has yet to be put there.
        match rustix::fs::mkdirat(folder, name, mode | Mode::RWXU) {
            Ok(()) => rustix::fs::chmodat(folder, name, mode | Mode::RWXU, AtFlags::empty()),
            Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno),
        }
    })
}

/// Copies a blob; whether it was there, and whole.
fn copy(
    root: &Root,
    folder: BorrowedFd<'_>,
    name: &Path,
    mode: u32,
    blob: &BlobRef,
) -> rustix::io::Result<bool> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    failpoint::at("stage")?;
    let file = rustix::fs::openat(folder, name, flags, fsutil::PRIVATE_FILE)?;
    if !files::bring_out(root, blob, &file)? {
        return Ok(false);
    }
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    Ok(true)
}

/// A folder in which files wait for their place; removed with what is left in it.
struct Staging {
    path: PathBuf,
    /// Locked, so that nobody takes it for one that was left behind.
    folder: OwnedFd,
}

impl Staging {
    fn new(above: &Path) -> rustix::io::Result<Staging> {
        sweep(above);
        loop {
            let made = tempfile::Builder::new().prefix(STAGING).tempdir_in(above);
            let made = made.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            let path = made.keep();
            failpoint::at("unlocked")?;
            let folder = match rustix::fs::openat(CWD, &path, super::FOLDER, Mode::empty()) {
                // Before it was locked another call took it for one that was left behind.
                Err(Errno::NOENT) => continue,
                folder => folder.inspect_err(|_| drop(std::fs::remove_dir(&path)))?,
            };
            // That one holds the lock until it has removed it. A file system without
            // locks sweeps nothing.
            let _ = fsutil::retry(|| rustix::fs::flock(&folder, FlockOperation::LockExclusive));
            let held = rustix::fs::fstat(&folder)?;
            if fsutil::stat(CWD, &path)?.is_some_and(|named| fsutil::same_file(&named, &held)) {
                return Ok(Staging { path, folder });
            }
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes what killed processes left behind.
fn sweep(above: &Path) {
    let Ok(names) = fsutil::names(CWD, above) else { return };
    for name in names.iter().filter(|name| name.as_bytes().starts_with(STAGING.as_bytes())) {
        let path = above.join(name);
        let flags = super::FOLDER | OFlags::NOFOLLOW;
        let Ok(folder) = rustix::fs::openat(CWD, &path, flags, Mode::empty()) else { continue };
        if rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
