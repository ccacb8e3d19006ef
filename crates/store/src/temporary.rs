//! Files that are being written, below `tmp/`, and what processes that died left of them.
//!
//! Whoever writes a file there holds a lock on it from before its first byte until it is renamed or
//! removed. So one that can be locked and is not empty has lost its writer, whichever process
//! namespace or host that was in. Where files cannot be locked, age decides.

use super::{Root, account};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, FlockOperation, OFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The folder of these files.
pub const FOLDER: &str = "tmp";
/// What parts the name of a [`Group`] from those of its files.
const MEMBER: char = '.';
/// The age at which a file that nobody holds is a leftover though it is empty: its writer may just
/// not hold it yet.
const BEGINNING: Duration = Duration::from_secs(10);
/// The age at which a file is a leftover where it cannot be locked.
const LEFT: Duration = Duration::from_hours(1);

/// A temporary name. Its file is removed on drop, unless it was renamed.
pub struct Temporary<'a> {
    root: &'a Root,
    name: Option<PathBuf>,
    is_in_group: bool,
}

impl<'a> Temporary<'a> {
    /// Creates a new, empty file under a temporary name. It is to stay open until it is renamed:
    /// then it can be told from one whose writer died.
    pub fn create(root: &'a Root) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
        Temporary::create_with(root, "")
    }

    /// Creates a new, empty file under a temporary name that begins with `prefix`.
    pub fn create_with(
        root: &'a Root,
        prefix: &str,
    ) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
        let name = Path::new(FOLDER).join(format!("{prefix}{}", Root::temp_name()));
        let (temporary, file) = Temporary::named(root, name)?;
        // One that cannot be locked is swept as any other is where that is so.
        let _ = try_lock(&file);
        Ok((temporary, file))
    }

    /// Creates a new, empty file, and removes its name.
    pub fn unnamed(root: &'a Root) -> rustix::io::Result<OwnedFd> {
        let (_, file) = Temporary::named(root, Path::new(FOLDER).join(Root::temp_name()))?;
        Ok(file)
    }

    fn named(root: &'a Root, name: PathBuf) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
        let file = fsutil::create_file(root, &name, OFlags::RDWR | OFlags::EXCL)?;
        Ok((Temporary { root, name: Some(name), is_in_group: false }, file))
    }

    /// Returns the temporary name, unless the file was renamed.
    pub fn name(&self) -> Option<&Path> {
        self.name.as_deref()
    }

    /// Returns whether the file belongs to a [`Group`], and may be closed.
    pub fn is_in_group(&self) -> bool {
        self.is_in_group
    }

    /// Renames the file to its permanent name.
    pub fn rename(mut self, to: &Path) -> rustix::io::Result<()> {
        if let Some(name) = &self.name {
            fsutil::rename(self.root, name, to)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = fsutil::remove_file(self.root, name);
        }
    }
}

/// Puts a file of these bytes in its place.
pub fn put(root: &Root, path: &Path, bytes: &[u8]) -> rustix::io::Result<()> {
    put_after(root, path, bytes, |_| Ok(()))
}

/// Puts a file of these bytes in its place after `finish`.
pub fn put_after(
    root: &Root,
    path: &Path,
    bytes: &[u8],
    finish: impl FnOnce(&OwnedFd) -> rustix::io::Result<()>,
) -> rustix::io::Result<()> {
    let (name, file) = Temporary::create(root)?;
    fsutil::write_file(&file, bytes)?;
    finish(&file)?;
    name.rename(path)
}

/// Temporary files that one lock stands for, for who has more of them than descriptors. It outlives
/// them.
pub struct Group<'a> {
    root: &'a Root,
    name: PathBuf,
    _first: (Temporary<'a>, OwnedFd),
    count: AtomicU64,
}

impl<'a> Group<'a> {
    /// Begins a group.
    pub fn new(root: &'a Root) -> rustix::io::Result<Group<'a>> {
        let first = Temporary::create(root)?;
        let name = first.0.name().unwrap_or(Path::new("")).to_owned();
        Ok(Group { root, name, _first: first, count: AtomicU64::new(0) })
    }

    /// Creates a new, empty file of this group, which may be closed at any time.
    pub fn create(&self) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
        let mut name = self.name.as_os_str().to_owned();
        name.push(format!("{MEMBER}{}", self.count.fetch_add(1, Ordering::Relaxed)));
        let (mut temporary, file) = Temporary::named(self.root, name.into())?;
        temporary.is_in_group = true;
        Ok((temporary, file))
    }
}

/// Creates a new, empty file, of a group if there is one.
pub fn create_in<'a>(
    root: &'a Root,
    group: Option<&Group<'a>>,
) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
    group.map_or_else(|| Temporary::create(root), Group::create)
}

/// Removes what processes that died left, and returns how much that frees.
pub fn sweep(root: &Root) -> rustix::io::Result<u64> {
    let mut freed = 0;
    let mut left = Left::new(root);
    for name in fsutil::names(root, FOLDER)? {
        let Some(bytes) = left.judge(&name)? else { continue };
        // `doctor` reports what cannot be removed.
        if fsutil::remove_file(root, Path::new(FOLDER).join(name)) == Ok(true) {
            freed += bytes;
        }
    }
    account::give_back(root, freed);
    Ok(freed)
}

/// Judges which files processes that died have left.
pub struct Left<'a> {
    root: &'a Root,
    now: Timestamp,
    groups: HashMap<OsString, Held>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    No,
    /// It cannot be locked.
    Unknown,
}

impl<'a> Left<'a> {
    /// Judges by what is so now.
    pub fn new(root: &'a Root) -> Left<'a> {
        Left { root, now: Timestamp::now(), groups: HashMap::new() }
    }

    /// Returns what the file of this name takes, if a process that died has left it.
    pub fn judge(&mut self, name: &OsStr) -> rustix::io::Result<Option<u64>> {
        let path = Path::new(FOLDER).join(name);
        let Some(stat) = fsutil::stat(self.root, &path)? else { return Ok(None) };
        // `doctor` reports what is no file.
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        let group = name.to_str().and_then(|name| name.split_once(MEMBER));
        let held = match group {
            Some((group, _)) => *self
                .groups
                .entry(group.into())
                .or_insert_with(|| held(self.root, &Path::new(FOLDER).join(group))),
            None => held(self.root, &path),
        };
        let written = Timestamp((stat.st_mtime as u64).saturating_mul(1_000_000_000));
        let is_older = |than| self.now.since(written).is_some_and(|age| age > than);
        let is_left = match held {
            Held::Yes => false,
            Held::No => group.is_some() || stat.st_size > 0 || is_older(BEGINNING),
            Held::Unknown => is_older(LEFT),
        };
        Ok(is_left.then(|| account::on_disk(&stat)))
    }
}

fn held(root: &Root, path: &Path) -> Held {
    // Some file systems lock only what is open for writing.
    let file = match fsutil::open_as(root, path, OFlags::RDWR) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Held::No,
        Err(_) => return Held::Unknown,
    };
    match try_lock(&file) {
        Ok(()) => Held::No,
        Err(Errno::WOULDBLOCK) => Held::Yes,
        Err(_) => Held::Unknown,
    }
}

fn try_lock(file: impl AsFd) -> rustix::io::Result<()> {
    failpoint::at("flock")?;
    fsutil::retry(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, scene};

    fn write(scene: &Scene, name: &str, bytes: &[u8]) -> OwnedFd {
        let path = Path::new(FOLDER).join(name);
        let file = fsutil::create_file(&scene.root, path, OFlags::RDWR).unwrap();
        fsutil::write_file(&file, bytes).unwrap();
        file
    }

    fn there(scene: &Scene) -> Vec<OsString> {
        let mut names = fsutil::names(&scene.root, FOLDER).unwrap();
        names.sort();
        names
    }

    #[test]
    fn what_nobody_holds_is_swept_and_what_somebody_holds_stays() {
        let scene = scene();
        let root = &scene.root;
        let held = Temporary::create(root).unwrap();
        fsutil::write_file(&held.1, b"half").unwrap();
        write(&scene, "1-0-1", b"half");
        // Its writer may be about to lock it, unless that was to be long ago.
        write(&scene, "1-0-2", b"");
        let old = write(&scene, "1-0-3", b"");
        let long_ago = rustix::fs::Timestamps {
            last_access: rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 },
            last_modification: rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 },
        };
        rustix::fs::futimens(&old, &long_ago).unwrap();
        let shared = write(&scene, "1-0-4", b"read by a follower");
        rustix::fs::flock(&shared, FlockOperation::NonBlockingLockShared).unwrap();
        assert!(sweep(root).unwrap() > 0);
        let mut expected = vec!["1-0-2".into(), "1-0-4".into()];
        expected.push(held.0.name().unwrap().file_name().unwrap().to_owned());
        expected.sort();
        assert_eq!(there(&scene), expected);
        drop(held);
        assert_eq!(there(&scene), ["1-0-2", "1-0-4"]);
    }

    #[test]
    fn a_group_stands_for_its_files_and_is_gone_with_its_owner() {
        let scene = scene();
        let root = &scene.root;
        let group = Group::new(root).unwrap();
        let names: Vec<_> = (0..3).map(|_| group.create().unwrap().0).collect();
        write(&scene, "1-0-1.7", b"of a group that is gone");
        write(&scene, "1-0-2", b"");
        write(&scene, "1-0-2.0", b"");
        sweep(root).unwrap();
        let left = there(&scene);
        assert!(left.len() == 5 && left.contains(&"1-0-2".into()), "{left:?}");
        drop((names, group));
        assert_eq!(there(&scene), ["1-0-2"]);
    }

    #[test]
    fn a_file_that_is_put_in_its_place_leaves_nothing() {
        let scene = scene();
        put(&scene.root, Path::new("secret"), b"new").unwrap();
        assert!(put_after(&scene.root, Path::new("other"), b"", |_| Err(Errno::IO)).is_err());
        assert_eq!(there(&scene), [""; 0]);
        assert!(fsutil::stat(&scene.root, "other").unwrap().is_none());
    }
}
