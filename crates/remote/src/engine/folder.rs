//! A folder that machines share, a network's file system say.
//!
//! Who else can write to it may have put anything there, so nothing below the folder that
//! was named is reached through a link, and what a writer replaces is the name and never
//! what it leads to. An object is written under a passing name and renamed when it is
//! whole.

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
/// Where objects are written.
const WORK: &str = "tmp";
/// How much is read at once.
const CHUNK: usize = 512 * 1024;
/// How far down objects lie.
const DEPTH: usize = 8;

/// When an object was last used is its time of modification, noted as exactly as this, in
/// seconds.
const USED_LATELY: i64 = 60 * 60;
/// No writer takes longer, in seconds.
const LEFT: i64 = 24 * 60 * 60;
/// What `stat` counts blocks in.
const SECTOR: u64 = 512;

/// How many objects this process began.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A shared folder.
#[derive(Clone, Debug)]
pub struct Folder {
    top: Arc<OwnedFd>,
}

impl Folder {
    /// Opens what is called `name` in a folder that is there, and makes it if it is not.
    pub fn open(folder: &Path, name: &str) -> Result<Folder> {
        // It may be a network's that is not mounted: nothing is put below its name.
        ensure!(folder.is_dir(), "there is no folder '{}'", folder.display());
        let folder = rustix::fs::openat(CWD, folder, FOLDER, Mode::empty())?;
        let top = subfolder(folder.as_fd(), Path::new(name), true)?;
        Ok(Folder { top: Arc::new(top.context("it is gone")?) })
    }

    /// Opens an object for reading, if it is there. A link is none.
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

    /// Whether an object is there.
    pub async fn has(&self, name: &str) -> Result<bool> {
        let (top, name) = (self.clone(), PathBuf::from(name));
        blocking(move || {
            let Some((folder, name)) = top.folder_of(&name, false)? else { return Ok(false) };
            let stat = status(&folder, &name)?.filter(|stat| is_file(stat.st_mode));
            Ok(stat.inspect(|stat| used(&folder, &name, stat)).is_some())
        })
        .await
    }

    /// Takes an object out, if it is there.
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

    /// Begins an object.
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

    /// The objects that lie in a folder.
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

    /// Takes out objects of these folders that were not used for so long, and the least
    /// recently used until the rest takes no more than so many bytes; with `rehearse`, says
    /// what that would come to. What writers left behind that died goes, too.
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

    /// The folder that an object lies in, and what it is called there; none: there is no
    /// such folder. It is made if it is to be.
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

/// Opens a folder, and makes it if it is to be; none: it is not there.
fn subfolder(at: BorrowedFd<'_>, name: &Path, create: bool) -> Result<Option<OwnedFd>> {
    let open = || {
        let flags = FOLDER | OFlags::NOFOLLOW;
        rustix::io::retry_on_intr(|| rustix::fs::openat(at, name, flags, Mode::empty()))
    };
    let opened = match open() {
        Err(Errno::NOENT) if create => {
            match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777)) {
                // Another may be at the same.
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

/// Notes that an object was used. One that belongs to another user may stay as it is.
fn used(folder: &OwnedFd, name: &Path, stat: &Stat) {
    if now().is_ok_and(|now| now.saturating_sub(stat.st_mtime) > USED_LATELY) {
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW as _ };
        let times = Timestamps { last_access: now, last_modification: now };
        let _ = rustix::fs::utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    }
}

/// Finds the files in a folder and so far below it. What goes meanwhile is passed over.
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

/// Does what may take its time on a file system of a network.
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
    /// The next bytes of it; none: there are no more.
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

/// An object in the making. Dropped before [`NewObject::finish`], it leaves nothing.
pub struct NewObject {
    folder: Folder,
    name: PathBuf,
    work: Arc<OwnedFd>,
    passing: PathBuf,
    /// None: it has its name.
    file: Option<Arc<File>>,
}

impl NewObject {
    /// Appends bytes.
    pub async fn append(&self, bytes: Vec<u8>) -> Result<()> {
        let file = self.file.clone().context("it was ended")?;
        blocking(move || Ok(std::io::Write::write_all(&mut &*file, &bytes)?)).await
    }

    /// Ends it; only now it is there.
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
