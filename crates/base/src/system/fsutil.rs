//! Private folders, atomic publishing, and interrupted system calls.
//!
//! Everything below the store's root is reached through descriptors of folders whose owner and mode
//! were checked, by names that do not follow symbolic links. All descriptors are closed on exec.

use crate::system::failpoint;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, Timestamps, UTIME_NOW};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};
use std::time::Duration;

/// The mode of new folders of the store.
pub const PRIVATE_DIR: Mode = Mode::RWXU;
/// The current time for both times of a file.
pub const NOW: Timestamps = {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW as _ };
    Timestamps { last_access: now, last_modification: now }
};
/// The mode of new files of the store.
pub const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

const DIR: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::RDONLY);
/// For files: opening does not wait if the name turns out to be a pipe.
const NO_WAIT: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);
const OTHERS_WRITE: Mode = Mode::WGRP.union(Mode::WOTH);

/// The reason why a folder is not used as a store.
#[derive(Debug)]
pub enum Unusable {
    /// The folder does not exist.
    Missing,
    /// The folder exists but must not be trusted; the text says why.
    Refused(&'static str),
    /// The system returned an error.
    Failed(Errno),
}

impl From<Errno> for Unusable {
    fn from(errno: Errno) -> Unusable {
        match errno {
            Errno::NOENT => Unusable::Missing,
            errno => Unusable::Failed(errno),
        }
    }
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unusable::Missing => f.write_str("it does not exist"),
            Unusable::Refused(why) => f.write_str(why),
            Unusable::Failed(errno) => write!(f, "{}", std::io::Error::from(*errno)),
        }
    }
}

impl std::error::Error for Unusable {}

/// Opens a folder that only this user can write to. `path` itself may be a link of this user.
pub fn open_private_dir(path: &Path) -> Result<OwnedFd, Unusable> {
    match rustix::fs::openat(CWD, path, DIR | OFlags::NOFOLLOW, Mode::empty()) {
        // A link of this user is a choice; somebody else's is a trap.
        Err(Errno::LOOP | Errno::NOTDIR) if is_own_symlink(CWD, path)? => {
            checked(rustix::fs::openat(CWD, path, DIR, Mode::empty())?)
        }
        dir => checked(dir?),
    }
}

/// Opens a folder below a private one, if only this user can write to it.
pub fn open_private_subdir(at: impl AsFd, name: &Path) -> Result<OwnedFd, Unusable> {
    match rustix::fs::openat(at, name, DIR | OFlags::NOFOLLOW, Mode::empty()) {
        Err(Errno::LOOP) => Err(Unusable::Refused("there is a symbolic link in it")),
        dir => checked(dir?),
    }
}

fn checked(dir: OwnedFd) -> Result<OwnedFd, Unusable> {
    let stat = rustix::fs::fstat(&dir)?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Unusable::Refused("it belongs to another user"));
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(OTHERS_WRITE) {
        return Err(Unusable::Refused("others may write to it; `chmod go-w` makes it private"));
    }
    Ok(dir)
}

fn is_own_symlink(at: BorrowedFd<'_>, path: &Path) -> Result<bool, Unusable> {
    let stat = rustix::fs::statat(at, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Err(Unusable::Failed(Errno::NOTDIR));
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Unusable::Refused("it is a symbolic link that belongs to another user"));
    }
    Ok(true)
}

/// Creates a private folder and its missing parents.
pub fn create_private_dirs(path: &Path) -> rustix::io::Result<()> {
    match create_private_dir(CWD, path) {
        Err(Errno::NOENT) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            create_private_dirs(parent.ok_or(Errno::NOENT)?)?;
            create_private_dir(CWD, path)
        }
        done => done,
    }
}

/// Creates one private folder, unless it exists.
pub fn create_private_dir(at: impl AsFd, path: impl AsRef<Path>) -> rustix::io::Result<()> {
    failpoint::at("mkdir")?;
    match rustix::fs::mkdirat(at, path.as_ref(), PRIVATE_DIR) {
        Err(Errno::EXIST) => Ok(()),
        done => done,
    }
}

/// Opens a file below a private folder for reading.
pub fn open_file(at: impl AsFd, path: impl AsRef<Path>) -> rustix::io::Result<OwnedFd> {
    open_as(at, path.as_ref(), OFlags::RDONLY)
}

/// Opens a file below a private folder with `flags`.
pub fn open_as(at: impl AsFd, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    failpoint::at("open")?;
    open_below(at.as_fd(), path, flags | NO_WAIT)
}

/// Opens `path` below a private folder. No link on the way is followed, and no name leads out of
/// the folder.
fn open_below(at: BorrowedFd<'_>, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::ResolveFlags;
        let below = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
        let open = || rustix::fs::openat2(at, path, flags, Mode::empty(), below);
        match retry(open) {
            // The kernel is older, or a sandbox does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            done => return done,
        }
    }
    open_step_by_step(at, path, flags)
}

/// Does the same without `openat2` (Linux before 5.6) by opening each folder on the way.
fn open_step_by_step(
    at: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    let mut opened: Option<OwnedFd> = None;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        if matches!(part, Component::ParentDir | Component::RootDir | Component::Prefix(_)) {
            return Err(Errno::XDEV);
        }
        let flags = if parts.peek().is_some() { DIR | OFlags::NOFOLLOW } else { flags };
        let at = opened.as_ref().map_or(at, AsFd::as_fd);
        opened = Some(retry(|| rustix::fs::openat(at, part.as_os_str(), flags, Mode::empty()))?);
    }
    opened.ok_or(Errno::NOENT)
}

/// Opens a file below a private folder with `flags`, and creates it and its folders if they are
/// missing. A link in its place is removed.
pub fn create_file(
    at: impl AsFd,
    path: impl AsRef<Path>,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    failpoint::at("create")?;
    let flags = flags | NO_WAIT | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    within(at.as_fd(), path.as_ref(), |dir, name| {
        let open = || retry(|| rustix::fs::openat(dir, name, flags, PRIVATE_FILE));
        match open() {
            Err(Errno::LOOP) => {
                remove_file(dir, name)?;
                open()
            }
            file => file,
        }
    })
}

/// Renames a file within a private folder, and creates the folders of the new name.
pub fn rename(
    at: impl AsFd,
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
) -> rustix::io::Result<()> {
    within(at.as_fd(), from.as_ref(), |from_dir, from| {
        within(at.as_fd(), to.as_ref(), |to_dir, to| {
            failpoint::at("rename")?;
            rustix::fs::renameat(from_dir, from, to_dir, to)?;
            failpoint::at("renamed")
        })
    })
}

/// Opens or creates a folder below a private one.
pub fn subfolder(at: impl AsFd, name: impl AsRef<Path>) -> rustix::io::Result<OwnedFd> {
    let (at, name) = (at.as_fd(), name.as_ref());
    let open = || rustix::fs::openat(at, name, DIR | OFlags::NOFOLLOW, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {}
        // Only an attacker puts a link here.
        Err(Errno::LOOP | Errno::NOTDIR) => drop(remove_file(at, name)?),
        done => return done,
    }
    create_private_dir(at, name)?;
    open()
}

/// Calls `work` with the folder of `path` and the file's name. Each folder on the way is opened by
/// itself, so that no link among them is followed.
fn within<T>(
    at: BorrowedFd<'_>,
    path: &Path,
    work: impl FnOnce(BorrowedFd<'_>, &Path) -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    let mut parts = path.iter();
    let name = Path::new(parts.next_back().ok_or(Errno::NOENT)?);
    let mut dir: Option<OwnedFd> = None;
    for part in parts {
        dir = Some(subfolder(dir.as_ref().map_or(at, AsFd::as_fd), part)?);
    }
    work(dir.as_ref().map_or(at, AsFd::as_fd), name)
}

/// Removes a file. Returns whether there was one.
pub fn remove_file(at: impl AsFd, path: impl AsRef<Path>) -> rustix::io::Result<bool> {
    failpoint::at("remove")?;
    let (path, name) = (path.as_ref(), path.as_ref().file_name().ok_or(Errno::NOENT)?);
    let removed = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => open_below(at.as_fd(), parent, DIR)
            .and_then(|dir| rustix::fs::unlinkat(dir, name, AtFlags::empty())),
        None => rustix::fs::unlinkat(at, name, AtFlags::empty()),
    };
    match removed {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Sets the times of a file.
pub fn set_times(
    at: impl AsFd,
    path: impl AsRef<Path>,
    times: &Timestamps,
) -> rustix::io::Result<()> {
    let (path, name) = (path.as_ref(), path.as_ref().file_name().ok_or(Errno::NOENT)?);
    let set =
        |dir: BorrowedFd<'_>| rustix::fs::utimensat(dir, name, times, AtFlags::SYMLINK_NOFOLLOW);
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => set(open_below(at.as_fd(), parent, DIR)?.as_fd()),
        None => set(at.as_fd()),
    }
}

/// Returns a file's status without following links, or `None` if it does not exist.
pub fn stat(at: impl AsFd, path: impl AsRef<Path>) -> rustix::io::Result<Option<Stat>> {
    let (path, name) = (path.as_ref(), path.as_ref().file_name().ok_or(Errno::NOENT)?);
    let look = |folder: BorrowedFd<'_>| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    let stat = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => open_below(at.as_fd(), parent, DIR).and_then(|folder| look(folder.as_fd())),
        None => look(at.as_fd()),
    };
    match stat {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Returns the names in a folder; empty if it does not exist.
pub fn names(at: impl AsFd, path: impl AsRef<Path>) -> rustix::io::Result<Vec<std::ffi::OsString>> {
    let dir = match open_below(at.as_fd(), path.as_ref(), DIR) {
        Err(Errno::NOENT) => return Ok(Vec::new()),
        dir => dir?,
    };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

/// Returns whether everything below a folder is a file or a folder: no link that would be followed,
/// no pipe that would be waited for.
pub fn is_plain(folder: impl AsFd) -> rustix::io::Result<bool> {
    for name in names(&folder, ".")? {
        let Some(stat) = stat(&folder, &name)? else { continue };
        let is_plain = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => true,
            FileType::Directory => is_plain(open_below(folder.as_fd(), Path::new(&name), DIR)?)?,
            _ => false,
        };
        if !is_plain {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns whether two files are the same.
pub fn same_file(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// Reads from the current offset until `buf` is full or the file ends.
pub fn read_full(fd: impl AsFd, buf: &mut [u8]) -> rustix::io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match rustix::io::read(&fd, &mut buf[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(filled)
}

/// Writes all of `bytes`, and waits if the descriptor is non-blocking.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        let written = write_some(&fd, bytes)?;
        bytes = &bytes[written..];
    }
    Ok(())
}

/// Writes some of `bytes`, and waits if the descriptor is non-blocking. Returns their number.
pub fn write_some(fd: impl AsFd, bytes: &[u8]) -> rustix::io::Result<usize> {
    loop {
        match rustix::io::write(&fd, bytes) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait_writable(&fd)?,
            written => return written,
        }
    }
}

/// Writes all of `bytes` to a file of the store.
pub fn write_file(fd: impl AsFd, bytes: &[u8]) -> rustix::io::Result<()> {
    failpoint::at("write")?;
    write_all(fd, bytes)
}

/// Waits until a descriptor that somebody made non-blocking accepts bytes again.
pub fn wait_writable(fd: impl AsFd) -> rustix::io::Result<()> {
    retry(|| poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None)).map(drop)
}

/// Waits until one of these is ready, at most for `limit`; `None` waits without limit.
pub fn poll(watched: &mut [PollFd<'_>], limit: Option<Duration>) -> rustix::io::Result<usize> {
    // A limit too long for the kernel is no limit.
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    rustix::event::poll(watched, limit.as_ref())
}

/// Makes a descriptor that only cachex uses non-blocking. Returns whether that worked: two calls
/// are tried, since one of them may be forbidden.
pub fn unblock(fd: impl AsFd) -> bool {
    let set = || rustix::fs::fcntl_setfl(&fd, rustix::fs::fcntl_getfl(&fd)? | OFlags::NONBLOCK);
    rustix::io::ioctl_fionbio(&fd, true).or_else(|_| set()).is_ok()
}

/// Returns whether a descriptor can be read from, or written to, without waiting.
pub fn is_ready(fd: impl AsFd, how: PollFlags) -> rustix::io::Result<bool> {
    retry(|| poll(&mut [PollFd::new(&fd, how)], Some(Duration::ZERO))).map(|ready| ready > 0)
}

/// Retries a call that fails unexpectedly a few times, since a failure may be transient. Expected
/// errors, such as a reader that left, are returned at once.
pub fn persistently<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    let mut failures = 0;
    loop {
        match call() {
            Err(Errno::INTR) => {}
            Err(errno) if errno != Errno::AGAIN && errno != Errno::PIPE && failures < 2 => {
                failures += 1;
            }
            done => return done,
        }
    }
}

/// Reads at an offset of a file with [`persistently`]'s retries: reading a file never blocks.
pub fn pread(file: impl AsFd, buf: &mut [u8], at: u64) -> rustix::io::Result<usize> {
    let failed = |errno| if errno == Errno::AGAIN { Errno::IO } else { errno };
    persistently(|| rustix::io::pread(&file, &mut *buf, at).map_err(failed))
}

/// Retries a call that a signal interrupted.
pub fn retry<T>(call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    rustix::io::retry_on_intr(call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    type Open = fn(BorrowedFd<'_>, &Path, OFlags) -> rustix::io::Result<OwnedFd>;

    #[test]
    fn no_name_leads_out_of_a_folder_or_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir_all(path.join("in/deep")).unwrap();
        std::fs::write(path.join("secret"), "").unwrap();
        std::fs::write(path.join("in/deep/file"), "").unwrap();
        symlink("deep", path.join("in/link")).unwrap();
        symlink("../secret", path.join("in/file")).unwrap();
        let at = rustix::fs::open(path.join("in"), DIR, Mode::empty()).unwrap();
        let absolute = path.join("secret");
        for open in [open_below as Open, open_step_by_step] {
            let open = |name: &Path| open(at.as_fd(), name, OFlags::RDONLY | OFlags::NOFOLLOW);
            assert!(open(Path::new("deep/file")).is_ok() && open(Path::new("./deep")).is_ok());
            assert_eq!(open(Path::new("deep/none")).err(), Some(Errno::NOENT));
            for bad in ["../secret", "deep/../../secret", "link/file", "file"] {
                assert!(open(Path::new(bad)).is_err(), "{bad}");
            }
            assert!(open(&absolute).is_err());
        }
        assert!(stat(&at, "deep/file").unwrap().is_some() && stat(&at, "link").unwrap().is_some());
        assert!(stat(&at, "link/file").is_err());
        assert!(!is_plain(&at).unwrap());
        let deep = rustix::fs::open(path.join("in/deep"), DIR, Mode::empty()).unwrap();
        assert!(is_plain(&deep).unwrap());
        symlink("x", path.join("in/deep/y")).unwrap();
        assert!(!is_plain(&deep).unwrap());
    }
}
