//! Staging folders, and the exchange of staged and existing files.

use super::{STAGING, open_folder};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, RenameFlags};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A folder in which files wait to be put in place; removed with its remaining contents.
pub struct Staging {
    above: OwnedFd,
    name: PathBuf,
    /// The folder, locked so that nobody considers it left behind.
    folder: OwnedFd,
}

impl Staging {
    /// Creates a staging folder in this folder.
    pub fn new(above: OwnedFd) -> rustix::io::Result<Staging> {
        sweep(&above);
        loop {
            let name = some_name()?;
            match rustix::fs::mkdirat(&above, &name, Mode::RWXU) {
                Err(Errno::EXIST) => continue,
                made => made?,
            }
            failpoint::at("unlocked")?;
            let folder = match open_folder(above.as_fd(), &name, false) {
                // Before it was locked, another call considered it left behind.
                Err(Errno::NOENT) => continue,
                folder => folder.inspect_err(|_| {
                    let _ = rustix::fs::unlinkat(&above, &name, AtFlags::REMOVEDIR);
                })?,
            };
            // That call holds the lock until it has removed the folder. A file system without locks
            // has no sweep.
            let _ = fsutil::retry(|| rustix::fs::flock(&folder, FlockOperation::LockExclusive));
            let held = rustix::fs::fstat(&folder)?;
            if fsutil::stat(&above, &name)?.is_some_and(|named| fsutil::same_file(&named, &held)) {
                return Ok(Staging { above, name, folder });
            }
        }
    }
}

impl AsFd for Staging {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = remove(&self.above, &self.name, &self.folder);
    }
}

/// Returns a random name.
fn some_name() -> rustix::io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| Errno::IO)?;
    Ok(PathBuf::from(format!("{STAGING}{:016x}", u64::from_le_bytes(random))))
}

/// Removes a staging folder and the files in it, none of which is a folder.
fn remove(above: &OwnedFd, name: &Path, folder: &OwnedFd) -> rustix::io::Result<()> {
    for file in fsutil::names(folder, ".")? {
        rustix::fs::unlinkat(folder, &file, AtFlags::empty())?;
    }
    rustix::fs::unlinkat(above, name, AtFlags::REMOVEDIR)
}

/// Removes the folders that killed processes of this user left behind.
fn sweep(above: &OwnedFd) {
    let Ok(names) = fsutil::names(above, ".") else { return };
    let own = rustix::process::geteuid().as_raw();
    for name in names.iter().filter(|name| name.as_bytes().starts_with(STAGING.as_bytes())) {
        let name = Path::new(name);
        let Ok(folder) = open_folder(above.as_fd(), name, false) else { continue };
        if rustix::fs::fstat(&folder).is_ok_and(|stat| stat.st_uid == own)
            && rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = remove(above, name, &folder);
        }
    }
}

/// Moves a file to a free place. Returns whether the place was free.
pub fn put_new(
    from: BorrowedFd<'_>,
    file: &Path,
    folder: BorrowedFd<'_>,
    name: &Path,
) -> rustix::io::Result<bool> {
    match rustix::fs::renameat_with(from, file, folder, name, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // Not every file system supports this.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Ok(false),
                Err(Errno::NOENT) => rustix::fs::renameat(from, file, folder, name).map(|()| true),
                Err(errno) => Err(errno),
            }
        }
        Err(errno) => Err(errno),
    }
}

/// Swaps a file with the one at its place. Returns the name under which the old one is now staged.
/// Only a file or a link may be replaced.
pub fn exchange(
    from: BorrowedFd<'_>,
    file: &Path,
    aside: &Path,
    folder: BorrowedFd<'_>,
    name: &Path,
) -> rustix::io::Result<PathBuf> {
    let stays = |at: BorrowedFd<'_>, name: &Path| {
        let stat = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        Ok::<bool, Errno>(!matches!(kind, FileType::RegularFile | FileType::Symlink))
    };
    match rustix::fs::renameat_with(from, file, folder, name, RenameFlags::EXCHANGE) {
        Ok(()) if stays(from, file)? => {
            rustix::fs::renameat_with(from, file, folder, name, RenameFlags::EXCHANGE)?;
            Err(Errno::EXIST)
        }
        Ok(()) => Ok(file.to_owned()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if stays(folder, name)? => {
            Err(Errno::EXIST)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::renameat(folder, name, from, aside)?;
            if let Err(errno) = rustix::fs::renameat(from, file, folder, name) {
                rustix::fs::renameat(from, aside, folder, name)?;
                return Err(errno);
            }
            Ok(aside.to_owned())
        }
        Err(errno) => Err(errno),
    }
}
