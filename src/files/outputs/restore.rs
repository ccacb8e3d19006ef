//! Bringing back the files that a recorded run made.
//!
//! [`Restore::prepare`] changes nothing that anybody looks at: what differs is copied
//! into folders of its own ([`super::STAGING`]), one for each file system, verified on the
//! way, and all that could keep it from its place is looked for. [`Restore::commit`]
//! then only makes folders, renames, and sets times; signals wait meanwhile. What gives
//! way to a file goes where that one waited, so that if any step fails, those before it
//! are taken back. A process that is killed between the two leaves a folder that the
//! next one removes, which it can tell by the lock that nobody holds any more.
//!
//! Files that are as they were recorded are not written, but all get the time of now,
//! so that whoever compares times takes them for made just now. It is one time for all of
//! them, so that none is older than another that it was made of. Those that the run gave a
//! time get that.

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

/// Why files are not brought back. Nothing was changed.
#[derive(Debug)]
pub enum Refused {
    /// A file's content is gone or damaged.
    Gone,
    /// Something else is where it is to go.
    InTheWay(PathBuf),
    /// A file is there that is not to be replaced, for this reason.
    Spared(PathBuf, &'static str),
    /// A file that the run left alone is not there as it was.
    Edited(PathBuf),
    /// The call did not declare it.
    Undeclared(PathBuf),
    /// The path is in cachex's own store.
    InStore(PathBuf),
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

/// Files that are at hand and need only be put in their place.
pub struct Restore<'a> {
    pub(super) declared: &'a Declared<'a>,
    /// Folders, their permissions, and the times that they have of their own.
    pub(super) folders: Vec<(Place<'a>, u32, Option<i64>)>,
    pub(super) staged: Vec<Staged<'a>>,
    pub(super) same: Vec<Same<'a>>,
    pub(super) removed: Vec<Staged<'a>>,
    /// Folders that go when they are empty, each before what is in it, and their permissions.
    pub(super) removed_folders: Vec<(Place<'a>, u32)>,
    pub(super) stagings: Vec<Staging>,
}

/// A file or a link, and where it waits for its place, or goes from there.
pub(super) struct Staged<'a> {
    pub place: Place<'a>,
    pub staging: usize,
    pub name: PathBuf,
    /// None: that of the hit.
    pub time: Option<i64>,
}

/// A file or a link that holds what it is to hold.
pub(super) struct Same<'a> {
    pub place: Place<'a>,
    /// The permissions that it is to get.
    pub mode: Option<u32>,
    pub before: Stat,
    pub time: Option<i64>,
}

/// The action for a file.
enum Plan<'a> {
    Folder(Place<'a>, u32),
    /// The content is as recorded; the permissions may differ.
    Same(Place<'a>, Option<u32>, Stat),
    Remove(Place<'a>),
    RemoveFolder(Place<'a>, u32),
    /// It is to be one more name of the file at the other place.
    Name(Place<'a>, Place<'a>),
    Link(Place<'a>, &'a Path),
    Copy(Place<'a>, u32, BlobRef),
    Nothing,
}

impl<'a> Restore<'a> {
    /// Makes everything ready.
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

    /// The folder from which a rename to a place stays within a file system.
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
        // The working directory is the place that is most likely to be written to.
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

/// Finds a file that the run left alone and that is not there as it was.
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
        (What::Absent { removed: false }, _)
        | (What::Absent { .. }, None)
        | (What::Folder { .. }, Some((FileType::Directory, _))) => Plan::Nothing,
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
            if stat.st_size as u64 == blob.len && holds(declared, place, blob) {
                let differs = permissions(stat.st_mode) != mode;
                Plan::Same(place, differs.then_some(mode), stat)
            } else {
                own(place, &stat)?;
                if is_traced && has_attributes(place.path) {
                    let why = "has extended attributes, which a new file would not have";
                    return Err(Refused::Spared(place.path.to_owned(), why));
                }
                if stat.st_nlink > 1 && !others.all_names_of(&stat) {
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

/// What a file that is put in the place of another may be given: no class of users is to
/// read or write it that could not before.
pub(super) fn allowed(present: u32) -> u32 {
    present | 0o700 | (present & 0o444) >> 2
}

/// Refuses a file that the caller cannot write: nor can the command.
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

/// Refuses a file that would change its owner, or have its permissions changed by another.
fn own(place: Place<'_>, stat: &Stat) -> Result<(), Refused> {
    let refused = || Refused::Spared(place.path.to_owned(), "belongs to somebody else");
    is_own(stat).then_some(()).ok_or_else(refused)
}

fn is_own(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
}

/// Returns whether a file holds just this. One that cannot be read is replaced.
fn holds(declared: &Declared<'_>, place: Place<'_>, blob: &BlobRef) -> bool {
    let Ok(file) = declared.open(place) else { return false };
    hashing::beginning(file, blob.len).is_ok_and(|hash| hash.is_some_and(|it| it == blob.hash))
}

#[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
fn device(folder: &OwnedFd) -> rustix::io::Result<u64> {
    Ok(rustix::fs::fstat(folder)?.st_dev as u64)
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
    // The system takes away what the umask does. Nobody else gets into the folder.
    let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
    let file = rustix::fs::openat(folder, name, flags, mode)?;
    files::bring_out(root, blob, &file)
}
