//! Removing what nothing needs: blobs, leftovers of processes that died, lock
//! files nobody holds. The caller holds the fold lock.

use super::old::Old;
use super::young::{self, Young};
use super::{Root, blobs, guard};
use crate::clock::Timestamp;
use crate::entry::{Entry, Key};
use crate::failpoint;
use crate::fsutil;
use crate::lock::{self, Lock, Mode};
use anyhow::Result;
use rustix::fs::FlockOperation;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the names of folders that are to be deleted begin with.
pub const TRASH: &str = "trash-";
/// A fold that is not asked for everything looks through one in so many of the
/// blobs' folders.
const PARTS: u8 = 8;
/// How many blobs are looked up while readers of the old store wait.
const BATCH: usize = 10_000;
/// No writer leaves a temporary file alone for so long without holding its lock.
pub const LEFT: Duration = Duration::from_hours(1);
/// The databases that are kept for a look at what broke them.
const BROKEN_KEPT: usize = 1;

/// Removes those of `suspects`, and of the blobs in one part of the folders or
/// in all, that neither the old store nor a young file needs; how many.
pub fn blobs(root: &Root, suspects: Vec<[u8; 32]>, part: Option<u8>) -> Result<u64> {
    let mut found: HashSet<[u8; 32]> = suspects.into_iter().collect();
    for shard in fsutil::names(root, "blobs")? {
        let number = shard.to_str().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let due = |number: u8| part.is_none_or(|part| part % PARTS == number % PARTS);
        if number.is_some_and(due) {
            let names = fsutil::names(root, Path::new("blobs").join(shard))?;
            found.extend(names.iter().filter_map(|name| Some(Key::from_hex(name.as_bytes())?.0)));
        }
    }
    let found: Vec<_> = found.into_iter().collect();
    let mut orphans = HashSet::new();
    for found in found.chunks(BATCH) {
        Old::with(root, |old| {
            for hash in found {
                if !old.needs(hash)? {
                    orphans.insert(*hash);
                }
            }
            Ok(())
        })?;
    }
    if orphans.is_empty() {
        return Ok(0);
    }
    let trash = PathBuf::from(trash_name());
    let mut swept = 0;
    {
        // Nothing is recorded meanwhile, so what no young file needs now is
        // needed by nothing: the fold lock keeps the old store as it is.
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
        for key in Young::new(root).keys()? {
            if let Some(sealed) = young::sealed(root, &key)?
                && let Ok(entry) = Entry::open(&key, &sealed)
            {
                for blob in entry.blobs() {
                    orphans.remove(&blob.hash);
                }
            }
        }
        for hash in &orphans {
            let name = blake3::Hash::from_bytes(*hash).to_hex();
            // Renamed now and deleted later: unlinking a large file takes long.
            let moved = fsutil::rename(root, blobs::path(hash), trash.join(name.as_str()));
            swept += u64::from(moved.is_ok());
        }
    }
    self::trash(root)?;
    Ok(swept)
}

/// Removes what processes that died left behind.
pub fn leftovers(root: &Root) -> Result<()> {
    temps(root)?;
    locks(root)?;
    trash(root)?;
    let broken = guard::broken(root)?;
    for name in &broken[..broken.len().saturating_sub(BROKEN_KEPT)] {
        remove_tree(root, name);
    }
    Ok(())
}

fn temps(root: &Root) -> Result<()> {
    let now = Timestamp::now();
    for name in fsutil::names(root, "tmp")? {
        let path = Path::new("tmp").join(name);
        let Ok(file) = fsutil::open_file(root, &path) else { continue };
        let written = rustix::fs::fstat(&file)?.st_mtime as u64;
        let age = now.since(Timestamp(written.saturating_mul(1_000_000_000)));
        let free = || {
            failpoint::at("flock").is_ok()
                && fsutil::retry(|| {
                    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
                })
                .is_ok()
        };
        if age.is_some_and(|age| age > LEFT) && free() {
            // What is no file, or cannot be removed, is for `doctor` to tell of.
            let _ = fsutil::remove_file(root, &path);
        }
    }
    Ok(())
}

/// A lock file is unlinked by its holder only: whoever waits for it finds that
/// its name leads elsewhere, and starts over.
fn locks(root: &Root) -> Result<()> {
    for name in fsutil::names(root, "locks")? {
        if Key::from_hex(name.as_bytes()).is_none() {
            continue;
        }
        let path = Path::new("locks").join(&name);
        if let Ok(Some(_held)) = Lock::take(root, &path, Mode::TryExclusive) {
            let _ = fsutil::remove_file(root, &path);
        }
    }
    Ok(())
}

/// A new name for what is to be deleted.
pub fn trash_name() -> String {
    format!("{TRASH}{:x}", Timestamp::now().0)
}

/// Deletes what was moved away, now or by somebody who died; the bytes freed.
pub fn trash(root: &Root) -> Result<u64> {
    let mut bytes = 0;
    for name in fsutil::names(root, ".")? {
        if let Some(name) = name.to_str()
            && name.starts_with(TRASH)
        {
            bytes += tree_bytes(&root.path().join(name));
            remove_tree(root, name);
        }
    }
    Ok(bytes)
}

/// What cannot be deleted now is tried again by the next fold.
pub fn remove_tree(root: &Root, name: &str) {
    if failpoint::at("remove").is_ok() {
        let _ = std::fs::remove_dir_all(root.path().join(name));
    }
}

fn tree_bytes(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let bytes_of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => tree_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(bytes_of).sum()
}
