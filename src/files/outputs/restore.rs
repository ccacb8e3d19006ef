//! Restores the files that a recorded run made.
//!
//! [`Restore::prepare`] makes no visible change: files that differ are copied into staging folders
//! ([`super::STAGING`]), one for each file system, and verified, and every obstacle is checked.
//! [`Restore::commit`] then only creates folders, renames, and sets times, while signals are
//! deferred. A file that is replaced goes where the new one was staged, so that the steps can be
//! undone if one fails. If a process is killed in between, the next one removes its folder, which
//! it recognizes by the lock that nobody holds any more.
//!
//! Files that are unchanged since they were recorded are not written, but all files get the present
//! time, so that whoever compares times considers them just made. It is one time for all of them,
//! so that none is older than another from which it was made. Files whose time the run chose get
//! that time.

use super::names::Names;
use super::staging::Staging;
use super::traced::has_attributes;
use super::{Barred, Declared, Place, bits, open_folder, permissions};
use cachex_base::record::entry::BlobRef;
use cachex_base::record::manifest::{Item, Manifest, What};
use cachex_base::system::failpoint;
use cachex_base::system::hashing;
use cachex_base::system::parallel;
use cachex_base::system::signals::Interrupts;
use cachex_base::system::umask::umask;
use cachex_store::Root;
use cachex_store::files;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The reason why files are not restored. Nothing was changed.
#[derive(Debug)]
pub enum Refused {
    /// A file's content is gone or damaged.
    Gone,
    /// Something else occupies its place.
    InTheWay(PathBuf),
    /// An existing file must not be replaced, for this reason.
    Spared(PathBuf, &'static str),
    /// A file that the run left alone has changed or is missing.
    Edited(PathBuf),
    /// The call did not declare the path.
    Undeclared(PathBuf),
    /// The path is in cachex's own store.
    InStore(PathBuf),
    /// The user interrupted the call.
    Interrupted,
    /// The system returned an error.
    Failed(PathBuf, Errno),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Gone => f.write_str("a recorded file is gone or damaged"),
            Refused::InTheWay(path) => {
                write!(f, "{} has changed and is in the way", path.display())
            }
            Refused::Edited(path) => write!(
                f,
                "{} has changed since the run that was recorded, which left it alone",
                path.display()
            ),
            Refused::Spared(path, why) => write!(f, "{} {why}", path.display()),
            Refused::Undeclared(path) => {
                write!(f, "{} is among them and was not declared", path.display())
            }
            Refused::InStore(path) => {
                write!(f, "{} is in cachex's own store", path.display())
            }
            Refused::Interrupted => f.write_str("interrupted"),
            Refused::Failed(path, errno) => {
                write!(f, "{}: {}", path.display(), std::io::Error::from(*errno))
            }
        }
    }
}

/// Files that are ready to be put in place.
pub struct Restore<'a> {
    pub(super) declared: &'a Declared<'a>,
    /// Folders, their permissions, and their own times.
    pub(super) folders: Vec<(Place<'a>, u32, Option<i64>)>,
    pub(super) staged: Vec<Staged<'a>>,
    pub(super) same: Vec<Same<'a>>,
    pub(super) removed: Vec<Staged<'a>>,
    /// Folders to remove if they are empty, each before its contents, and their permissions.
    pub(super) removed_folders: Vec<(Place<'a>, u32)>,
    pub(super) stagings: Vec<Staging>,
}

/// A file or a link, and the staging folder in which it waits.
pub(super) struct Staged<'a> {
    pub place: Place<'a>,
    pub staging: usize,
    pub name: PathBuf,
    /// The time; none means that of the hit.
    pub time: Option<i64>,
}

/// A file or a link whose content is already right, or a folder that gets another time.
pub(super) struct Same<'a> {
    pub place: Place<'a>,
    /// The permissions to set.
    pub mode: Option<u32>,
    pub before: Stat,
    pub time: Option<i64>,
}

/// The action for a file.
enum Plan<'a> {
    Folder(Place<'a>, u32),
    /// The content is as recorded, or it is a folder; the permissions may differ.
    Same(Place<'a>, Option<u32>, Stat),
    Remove(Place<'a>),
    RemoveFolder(Place<'a>, u32),
    /// The first place becomes a further name of the file at the second.
    Name(Place<'a>, Place<'a>),
    Link(Place<'a>, &'a Path),
    Copy(Place<'a>, u32, BlobRef),
    Nothing,
}

impl<'a> Restore<'a> {
    /// Prepares the restore.
    pub fn prepare(
        root: &Root,
        declared: &'a Declared<'a>,
        manifest: &'a Manifest,
        interrupts: &Interrupts,
    ) -> Result<Restore<'a>, Refused> {
        let others = Names::of(declared, manifest);
        let plans = parallel::map(&manifest.items, |item| plan(declared, &others, item));
        let mut restore = Restore {
            declared,
            folders: Vec::new(),
            staged: Vec::new(),
            same: Vec::new(),
            removed: Vec::new(),
            removed_folders: Vec::new(),
            stagings: Vec::new(),
        };
        let (mut devices, mut known) = (BTreeMap::new(), None);
        let (mut copies, mut names) = (Vec::new(), Vec::new());
        for (number, plan) in plans.into_iter().enumerate() {
            let time = manifest.time_of(number);
            match plan? {
                Plan::Folder(place, mode) => restore.folders.push((place, mode, time)),
                Plan::Same(place, mode, before) => {
                    let mode = mode.map(|mode| mode & !*known.get_or_insert_with(umask));
                    let mode = mode.filter(|mode| *mode != permissions(before.st_mode));
                    if mode.is_some() {
                        own(place, &before)?;
                    }
                    restore.same.push(Same { place, mode, before, time });
                }
                Plan::Remove(place) => {
                    let staging = restore.staging(place, &mut devices)?;
                    let name = PathBuf::from(format!("{}.removed", restore.removed.len()));
                    restore.removed.push(Staged { place, staging, name, time });
                }
                Plan::RemoveFolder(place, mode) => restore.removed_folders.push((place, mode)),
                Plan::Name(place, of) => names.push((place, of)),
                Plan::Link(place, target) => {
                    let staging = restore.staging(place, &mut devices)?;
                    let name = PathBuf::from(restore.staged.len().to_string());
                    let folder = restore.stagings[staging].as_fd();
                    let linked = rustix::fs::symlinkat(target, folder, &name);
                    linked.map_err(|errno| failed(place)(errno.into()))?;
                    restore.staged.push(Staged { place, staging, name, time });
                }
                Plan::Copy(place, mode, blob) => {
                    let staging = restore.staging(place, &mut devices)?;
                    let name = PathBuf::from(restore.staged.len().to_string());
                    copies.push((place, mode, blob, staging, name.clone()));
                    restore.staged.push(Staged { place, staging, name, time });
                }
                Plan::Nothing => {}
            }
        }
        let stagings = &restore.stagings;
        let copied = parallel::map(&copies, |(place, mode, blob, staging, name)| {
            if interrupts.came() {
                return Err(Refused::Interrupted);
            }
            let copied = copy(root, stagings[*staging].as_fd(), name, *mode, blob);
            copied.map_err(|errno| failed(*place)(errno.into()))
        });
        for copied in copied {
            if !copied? {
                return Err(Refused::Gone);
            }
        }
        restore.name(&names, &mut devices)?;
        Ok(restore)
    }

    /// Returns a staging folder on the same file system as a place.
    pub(super) fn staging(
        &mut self,
        place: Place<'a>,
        devices: &mut BTreeMap<u64, usize>,
    ) -> Result<usize, Refused> {
        let failed = failed(place);
        let above = self.declared.nearest_folder(place).map_err(&failed)?;
        let device = device(&above).map_err(|errno| failed(errno.into()))?;
        if let Some(&staging) = devices.get(&device) {
            return Ok(staging);
        }
        // The working directory is most likely to be writable.
        let here = || open_folder(CWD, Path::new("."), true).ok();
        let here = place.path.is_relative().then(here).flatten();
        let here = here.filter(|here| self::device(here) == Ok(device));
        let staging = Staging::new(here.unwrap_or(above));
        self.stagings.push(staging.map_err(|errno| failed(errno.into()))?);
        devices.insert(device, self.stagings.len() - 1);
        Ok(self.stagings.len() - 1)
    }
}

pub(super) fn failed(place: Place<'_>) -> impl Fn(Barred) -> Refused + '_ {
    move |barred| {
        let path = place.path.to_owned();
        match barred {
            Barred::Store => Refused::InStore(path),
            Barred::System(Errno::NOTDIR | Errno::LOOP | Errno::ISDIR | Errno::EXIST) => {
                Refused::InTheWay(path)
            }
            Barred::System(errno) => Refused::Failed(path, errno),
        }
    }
}

/// Returns a file that the run left alone and that has changed or is missing.
pub fn edited(declared: &Declared<'_>, manifest: &Manifest) -> Option<PathBuf> {
    let left = manifest.items.iter().filter(|item| matches!(item.what, What::LeftAlone { .. }));
    { left }.find_map(|item| match plan(declared, &Names::default(), item) {
        Err(Refused::Edited(path)) => Some(path),
        _ => None,
    })
}

fn plan<'m>(declared: &Declared<'_>, others: &Names, item: &'m Item) -> Result<Plan<'m>, Refused> {
    let undeclared = || Refused::Undeclared(item.path().to_owned());
    let place = declared.place_of(item).ok_or_else(undeclared)?;
    let there = declared.status(place).map_err(failed(place))?;
    let there = there.map(|stat| (FileType::from_raw_mode(stat.st_mode), stat));
    let is_traced = declared.is_traced();
    Ok(match (&item.what, there) {
        (What::Absent { .. }, Some((FileType::Directory, stat))) if is_traced => {
            Plan::RemoveFolder(place, bits(stat.st_mode))
        }
        // A traced run made the folders that were not there, and touched the others.
        (What::Folder { .. }, Some((FileType::Directory, stat)))
            if is_traced && !declared.is_named(place.path) =>
        {
            own(place, &stat)?;
            Plan::Same(place, None, stat)
        }
        (What::Absent { removed: false }, _)
        | (What::Absent { .. }, None)
        | (What::Folder { .. }, Some((FileType::Directory, _))) => Plan::Nothing,
        (What::Absent { .. }, Some((FileType::RegularFile, stat)))
            if is_traced && !others.may_go(&stat) =>
        {
            let why = "has several names, of which the run did not know";
            return Err(Refused::Spared(place.path.to_owned(), why));
        }
        (What::Absent { .. }, Some((FileType::RegularFile | FileType::Symlink, _))) => {
            Plan::Remove(place)
        }
        (What::Folder { mode }, None) => Plan::Folder(place, *mode),
        (What::Symlink { target }, Some((FileType::Symlink, stat)))
            if declared.target(place).as_ref() == Ok(&**target) =>
        {
            Plan::Same(place, None, stat)
        }
        (What::Symlink { target }, None | Some((FileType::Symlink, _))) => {
            Plan::Link(place, Path::new(OsStr::from_bytes(target)))
        }
        (What::File { mode, blob }, None) => Plan::Copy(place, *mode, *blob),
        (What::File { mode, blob }, Some((FileType::RegularFile, stat))) => {
            writable(declared, place, &stat)?;
            let mode = *mode & allowed(permissions(stat.st_mode));
            let has_other_names = stat.st_nlink > 1 && !others.all_names_of(&stat);
            if is_traced && has_other_names {
                // A run may write to all of them, part them, or fail because two are one file.
                let why = "has several names, of which the run did not know";
                return Err(Refused::Spared(place.path.to_owned(), why));
            }
            if stat.st_size as u64 == blob.len && holds(declared, place, blob) {
                let differs = permissions(stat.st_mode) != mode;
                Plan::Same(place, differs.then_some(mode), stat)
            } else {
                own(place, &stat)?;
                if is_traced && has_attributes(place.path) {
                    let why = "has extended attributes, which a new file would not have";
                    return Err(Refused::Spared(place.path.to_owned(), why));
                }
                if has_other_names {
                    let why = "has several names, which a new file would not have";
                    return Err(Refused::Spared(place.path.to_owned(), why));
                }
                Plan::Copy(place, mode, *blob)
            }
        }
        (What::Name { of }, None | Some((FileType::RegularFile, _))) => {
            let of = Path::new(OsStr::from_bytes(of));
            let first = declared.place(of).ok_or_else(|| Refused::Undeclared(of.to_owned()))?;
            if let Some((_, stat)) = there {
                own(place, &stat)?;
                if stat.st_nlink > 1 && !others.all_names_of(&stat) {
                    let why = "has several names, which it would lose";
                    return Err(Refused::Spared(place.path.to_owned(), why));
                }
            }
            Plan::Name(place, first)
        }
        (What::LeftAlone { blob }, there) => match there {
            Some((FileType::RegularFile, stat))
                if stat.st_size as u64 == blob.len && holds(declared, place, blob) =>
            {
                Plan::Nothing
            }
            _ => return Err(Refused::Edited(place.path.to_owned())),
        },
        // A run would have written through a link, into a device, or not at all.
        (_, Some(_)) => return Err(Refused::InTheWay(place.path.to_owned())),
    })
}

/// Returns the permissions that a replacement may have: no class of users may gain the right to
/// read or write the file.
pub(super) fn allowed(present: u32) -> u32 {
    present | 0o700 | (present & 0o444) >> 2
}

/// Refuses a file that the caller cannot write: the command could not either.
fn writable(declared: &Declared<'_>, place: Place<'_>, stat: &Stat) -> Result<(), Refused> {
    if is_own(stat) && permissions(stat.st_mode) & 0o200 != 0 {
        return Ok(());
    }
    let ask = |folder: BorrowedFd<'_>, name: &Path| {
        rustix::fs::accessat(folder, name, Access::WRITE_OK, AtFlags::EACCESS)
    };
    let refused = |_| Refused::Spared(place.path.to_owned(), "exists and is not writable");
    declared.within(place, None, ask).map_err(refused)
}

/// Refuses a file whose owner or permissions the replacement would change.
fn own(place: Place<'_>, stat: &Stat) -> Result<(), Refused> {
    let refused = || Refused::Spared(place.path.to_owned(), "belongs to somebody else");
    is_own(stat).then_some(()).ok_or_else(refused)
}

fn is_own(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
}

/// Returns whether a file has exactly this content. A file that cannot be read is replaced.
fn holds(declared: &Declared<'_>, place: Place<'_>, blob: &BlobRef) -> bool {
    let Ok(file) = declared.open(place) else { return false };
    hashing::beginning(file, blob.len).is_ok_and(|hash| hash.is_some_and(|it| it == blob.hash))
}

#[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
fn device(folder: &OwnedFd) -> rustix::io::Result<u64> {
    Ok(rustix::fs::fstat(folder)?.st_dev as u64)
}

/// Copies a blob. Returns whether it was there and intact.
fn copy(
    root: &Root,
    folder: BorrowedFd<'_>,
    name: &Path,
    mode: u32,
    blob: &BlobRef,
) -> rustix::io::Result<bool> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    failpoint::at("stage")?;
    // The system applies the umask. Nobody else can enter the folder.
    let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
    let file = rustix::fs::openat(folder, name, flags, mode)?;
    files::bring_out(root, blob, &file)
}
