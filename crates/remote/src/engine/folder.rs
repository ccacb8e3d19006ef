//! A folder that machines share, for example on a network file system.
//!
//! Others who can write to it may have put anything there. So nothing below the named folder is
//! reached through a link, and a writer replaces a name and never the target of a link. An object
//! is written under a temporary name and renamed when it is complete.

use super::listing::{Bounds, Listed, Stored, Trimmed, now};
use anyhow::{Context, Result, anyhow, ensure};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);
/// The folder in which objects are written.
const WORK: &str = "tmp";
/// The number of bytes that are read at once.
const CHUNK: usize = 512 * 1024;
/// The maximum depth of objects.
const DEPTH: usize = 8;

/// The precision, in seconds, of the time of last use, which is stored as the modification time.
const USED_LATELY: i64 = 60 * 60;
/// The age, in seconds, at which a temporary file is considered abandoned.
const LEFT: i64 = 24 * 60 * 60;
/// The unit of the block counts of `stat`.
const SECTOR: u64 = 512;

/// The number of objects that this process began to write.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A shared folder.
#[derive(Clone, Debug)]
pub struct Folder {
    top: Arc<OwnedFd>,
}

impl Folder {
    /// Opens the folder `name` in an existing folder, and creates it if it is missing.
    pub fn open(folder: &Path, name: &str) -> Result<Folder> {
        // It may be the mount point of a network file system that is not mounted: do not fill it.
        ensure!(folder.is_dir(), "there is no folder '{}'", folder.display());
        let folder = rustix::fs::openat(CWD, folder, FOLDER, Mode::empty())?;
        let top = subfolder(folder.as_fd(), Path::new(name), true)?;
        Ok(Folder { top: Arc::new(top.context("it is gone")?) })
    }

    /// Opens an object for reading, if it exists. Links are not objects.
    pub async fn read(&self, name: &str) -> Result<Option<Object>> {
        let (top, name) = (self.clone(), PathBuf::from(name));
        blocking(move || {
            let Some((folder, name)) = top.folder_of(&name, false)? else { return Ok(None) };
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match rustix::io::retry_on_intr(|| {
                rustix::fs::openat(&folder, &name, flags, Mode::empty())
            }) {
                Ok(file) if is_file(rustix::fs::fstat(&file)?.st_mode) => {
                    used(&folder, &name, &rustix::fs::fstat(&file)?);
                    Ok(Some(Object { file: Arc::new(File::from(file)) }))
                }
                Ok(_) | Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(None),
                Err(errno) => Err(errno.into()),
            }
        })
        .await
    }

    /// Returns whether an object exists.
    pub async fn has(&self, name: &str) -> Result<bool> {
        let (top, name) = (self.clone(), PathBuf::from(name));
        blocking(move || {
            let Some((folder, name)) = top.folder_of(&name, false)? else { return Ok(false) };
            let stat = status(&folder, &name)?.filter(|stat| is_file(stat.st_mode));
            Ok(stat.inspect(|stat| used(&folder, &name, stat)).is_some())
        })
        .await
    }

    /// Deletes an object, if it exists.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let (top, name) = (self.clone(), PathBuf::from(name));
        blocking(move || {
            let Some((folder, name)) = top.folder_of(&name, false)? else { return Ok(()) };
            match rustix::fs::unlinkat(&folder, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(errno.into()),
            }
        })
        .await
    }

    /// Starts writing an object.
    pub async fn writer(&self, name: &str) -> Result<NewObject> {
        let (top, name) = (self.clone(), PathBuf::from(name));
        blocking(move || {
            let work = subfolder(top.top.as_fd(), Path::new(WORK), true)?.context("it is gone")?;
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let passing = format!("{}-{count}-{:x}", std::process::id(), now.as_nanos());
            let passing = PathBuf::from(passing);
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let file = rustix::fs::openat(&work, &passing, flags, Mode::from_raw_mode(0o666))?;
            let file = Some(Arc::new(File::from(file)));
            Ok(NewObject { folder: top, name, work: Arc::new(work), passing, file })
        })
        .await
    }

    /// Lists the objects in a folder.
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>> {
        let (top, folder) = (self.clone(), PathBuf::from(folder));
        blocking(move || {
            let mut found = Vec::new();
            if let Some((at, _)) = top.folder_of(&folder.join("x"), false)? {
                survey(&at, &folder, DEPTH, &mut found)?;
            }
            let listed = |Stored { used, bytes, place }: Stored<PathBuf>| Listed {
                name: place.to_string_lossy().into_owned(),
                bytes,
                used: Some(used),
            };
            Ok(found.into_iter().map(listed).collect())
        })
        .await
    }

    /// Deletes objects of these folders that were not used for the given time, and the least
    /// recently used until the rest is within the given size. With `rehearse`, only returns what
    /// that would amount to. Abandoned temporary files are deleted, too.
    pub async fn trim(&self, folders: &[&str], bounds: Bounds) -> Result<Trimmed> {
        let top = self.clone();
        let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
        blocking(move || {
            let mut found = Vec::new();
            for folder in folders {
                if let Some((at, _)) = top.folder_of(&folder.join("x"), false)? {
                    survey(&at, &folder, DEPTH, &mut found)?;
                }
            }
            let now = now()?;
            let is_left = |file: &Stored<PathBuf>| now.saturating_sub(file.used) > LEFT;
            if let (false, Some((work, _))) =
                (bounds.rehearse, top.folder_of(&Path::new(WORK).join("x"), false)?)
            {
                let mut left = Vec::new();
                survey(&work, Path::new(WORK), 0, &mut left)?;
                left.iter().filter(|file| is_left(file)).try_for_each(|file| top.drop(file))?;
            }
            let (trimmed, gone) = bounds.exceeded_by(found, now);
            if !bounds.rehearse {
                gone.iter().try_for_each(|file| top.drop(file))?;
            }
            Ok(trimmed)
        })
        .await
    }

    fn drop(&self, file: &Stored<PathBuf>) -> Result<()> {
        let Some((folder, name)) = self.folder_of(&file.place, false)? else { return Ok(()) };
        match rustix::fs::unlinkat(&folder, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno).context("taking an object out"),
        }
    }

    /// Returns the folder of an object and the object's name in it, or `None` if there is no such
    /// folder. With `create`, the folder is created.
    fn folder_of(&self, name: &Path, create: bool) -> Result<Option<(OwnedFd, PathBuf)>> {
        let mut folder: Option<OwnedFd> = None;
        for part in name.parent().into_iter().flatten() {
            let at = folder.as_ref().map_or(self.top.as_fd(), AsFd::as_fd);
            let Some(next) = subfolder(at, Path::new(part), create)? else { return Ok(None) };
            folder = Some(next);
        }
        let folder = folder.map_or_else(|| self.top.try_clone(), Ok)?;
        Ok(Some((folder, PathBuf::from(name.file_name().context("it has no name")?))))
    }
}

/// Opens a folder, and creates it if requested. Returns `None` if it does not exist.
fn subfolder(at: BorrowedFd<'_>, name: &Path, create: bool) -> Result<Option<OwnedFd>> {
    let open = || {
        let flags = FOLDER | OFlags::NOFOLLOW;
        rustix::io::retry_on_intr(|| rustix::fs::openat(at, name, flags, Mode::empty()))
    };
    let opened = match open() {
        Err(Errno::NOENT) if create => {
            match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777)) {
                // Another process may have created it.
                Ok(()) | Err(Errno::EXIST) => open(),
                Err(errno) => Err(errno),
            }
        }
        opened => opened,
    };
    match opened {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::NOTDIR) => {
            Err(anyhow!("'{}' in it is a link or a file and no folder", name.display()))
        }
        Err(errno) => Err(errno.into()),
    }
}

fn status(folder: &OwnedFd, name: &Path) -> Result<Option<Stat>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Records that an object was used. This may fail for another user's object.
fn used(folder: &OwnedFd, name: &Path, stat: &Stat) {
    if now().is_ok_and(|now| now.saturating_sub(stat.st_mtime) > USED_LATELY) {
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW as _ };
        let times = Timestamps { last_access: now, last_modification: now };
        let _ = rustix::fs::utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    }
}

/// Finds the files in a folder to the given depth. Files that disappear meanwhile are skipped.
fn survey(at: &OwnedFd, path: &Path, depth: usize, found: &mut Vec<Stored<PathBuf>>) -> Result<()> {
    for entry in rustix::fs::Dir::read_from(at)? {
        let entry = entry?;
        let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
        if name == Path::new(".") || name == Path::new("..") {
            continue;
        }
        let Some(stat) = status(at, name)? else { continue };
        let path = path.join(name);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let bytes = (stat.st_blocks as u64).saturating_mul(SECTOR);
                found.push(Stored { used: stat.st_mtime, bytes, place: path });
            }
            FileType::Directory if depth > 0 => {
                if let Some(folder) = subfolder(at.as_fd(), name, false)? {
                    survey(&folder, &path, depth - 1, found)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_file(mode: rustix::fs::RawMode) -> bool {
    FileType::from_raw_mode(mode) == FileType::RegularFile
}

/// Runs work that may block on a network file system.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

/// An open object.
pub struct Object {
    file: Arc<File>,
}

impl Object {
    /// Returns the next bytes, or `None` at the end.
    pub async fn next(&self) -> Result<Option<Vec<u8>>> {
        let file = Arc::clone(&self.file);
        blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&*file).take(CHUNK as u64).read_to_end(&mut chunk)?;
            Ok((!chunk.is_empty()).then_some(chunk))
        })
        .await
    }
}

/// An object that is being written. Dropped before [`NewObject::finish`], it leaves nothing.
pub struct NewObject {
    folder: Folder,
    name: PathBuf,
    work: Arc<OwnedFd>,
    passing: PathBuf,
    /// The temporary file; none once it has its name.
    file: Option<Arc<File>>,
}

impl NewObject {
    /// Appends bytes.
    pub async fn append(&self, bytes: Vec<u8>) -> Result<()> {
        let file = self.file.clone().context("it was ended")?;
        blocking(move || Ok(std::io::Write::write_all(&mut &*file, &bytes)?)).await
    }

    /// Completes the object, which exists only from now on.
    pub async fn finish(mut self) -> Result<()> {
        let file = self.file.clone().context("it was ended")?;
        let (folder, name) = (self.folder.clone(), self.name.clone());
        let (work, passing) = (Arc::clone(&self.work), self.passing.clone());
        blocking(move || {
            rustix::fs::fsync(&*file)?;
            let (folder, name) = folder.folder_of(&name, true)?.context("it is gone")?;
            Ok(rustix::fs::renameat(&*work, &passing, &folder, &name)?)
        })
        .await?;
        self.file = None;
        Ok(())
    }
}

impl Drop for NewObject {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = rustix::fs::unlinkat(&*self.work, &self.passing, AtFlags::empty());
        }
    }
}
