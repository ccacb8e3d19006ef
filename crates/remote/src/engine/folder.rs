//! A folder that machines share, a network's file system say.
//!
//! Who else can write to it may have put anything there, so nothing below the folder that
//! was named is reached through a link, and what a writer replaces is the name and never
//! what it leads to. An object is written under a passing name and renamed when it is
//! whole.

use anyhow::{Context, Result, anyhow, ensure};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
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
            Ok(status(&folder, &name)?.is_some_and(|stat| is_file(stat.st_mode)))
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

    /// How many objects lie in a folder.
    pub async fn count(&self, folder: &str) -> Result<u64> {
        let (top, folder) = (self.clone(), PathBuf::from(folder).join("x"));
        blocking(move || match top.folder_of(&folder, false)? {
            Some((folder, _)) => count(&folder, DEPTH),
            None => Ok(0),
        })
        .await
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

fn count(folder: &OwnedFd, depth: usize) -> Result<u64> {
    let mut sum = 0;
    for entry in rustix::fs::Dir::read_from(folder)? {
        let entry = entry?;
        let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
        if name == Path::new(".") || name == Path::new("..") {
            continue;
        }
        let Some(stat) = status(folder, name)? else { continue };
        if is_file(stat.st_mode) {
            sum += 1;
        } else if FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            && depth > 0
            && let Some(folder) = subfolder(folder.as_fd(), name, false)?
        {
            sum += count(&folder, depth - 1)?;
        }
    }
    Ok(sum)
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
