//! Declared files: what a run made of them, and how a hit brings that back.
//!
//! Relative paths never lead out of the working directory: each folder on the way is
//! opened by itself, and a link among them is refused. What is named from the root
//! on is taken at its word.
//!
//! [`collect`] records: each file becomes a blob, and the list of them a
//! [manifest](crate::manifest). [`restore`] brings back: everything that differs is first copied
//! beside its place and verified, and put there only when all of it is at hand.

pub mod collect;
pub mod restore;

use crate::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::path::Path;

/// What the names of folders begin with in which files wait for their place.
pub const STAGING: &str = ".cachex-restore-";

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// Opens the folder that a path lies in, and calls `work` with it and with the last
/// part of the path. With `create`, folders that are missing are made.
fn within<T>(
    path: &Path,
    create: bool,
    work: impl FnOnce(BorrowedFd<'_>, &Path) -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    let name = Path::new(path.file_name().ok_or(Errno::INVAL)?);
    let parent = path.parent().unwrap_or(Path::new(""));
    let mut folder: Option<OwnedFd> = None;
    // From the root on, links are the user's own way of saying where.
    let links = if path.is_absolute() { OFlags::empty() } else { OFlags::NOFOLLOW };
    for part in parent {
        let at = folder.as_ref().map_or(CWD, AsFd::as_fd);
        let open = || fsutil::retry(|| rustix::fs::openat(at, part, FOLDER | links, Mode::empty()));
        let next = match open() {
            Err(Errno::NOENT) if create => {
                // Another may be at the same.
                match rustix::fs::mkdirat(at, part, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => open(),
                    Err(errno) => Err(errno),
                }
            }
            next => next,
        };
        folder = Some(next?);
    }
    work(folder.as_ref().map_or(CWD, AsFd::as_fd), name)
}

/// Opens the file at a path for reading, if it is no link.
fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    within(path, false, |folder, name| {
        fsutil::retry(|| rustix::fs::openat(folder, name, flags, Mode::empty()))
    })
}

/// The permissions of a file, without what only a superuser should grant.
fn permissions(mode: rustix::fs::RawMode) -> u32 {
    #[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
    let mode = mode as u32;
    mode & 0o777
}
