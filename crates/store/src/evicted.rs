//! Notes of the blobs that were evicted, for the next fold.
//!
//! Whoever makes room has files alone ([`super::room`]), and may remove the output of entries that
//! the database holds. From that moment on such an entry is a miss. The note, which is written
//! before, says that this is no damage, and has the next fold drop the entry. Each is appended to the
//! one before, which needs no room on a full disk as long as it fits in the block.

use super::{Root, account, blobs};
use crate::lock::{self, Lock, Mode};
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Entry};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use rustix::fs::{FileType, OFlags, Stat};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;

/// The prefix of the names of the files; a timestamp follows.
const PREFIX: &str = "evicted-";
/// The length of a hash.
const HASH: i64 = 32;
/// The maximum length of a file, in bytes: the hashes of two million blobs.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Returns whether a file of this name below the root is a note.
pub fn is_note(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Notes that these blobs are about to be removed. The caller holds the publish lock.
pub fn note(root: &Root, blobs: &[[u8; 32]]) -> rustix::io::Result<()> {
    if blobs.is_empty() {
        return Ok(());
    }
    let bytes = blobs.as_flattened();
    let (name, before) = match last(root)? {
        Some((name, len)) if len + bytes.len() as u64 <= LONGEST => (name, len),
        _ => (format!("{PREFIX}{:x}", Timestamp::now().0).into(), 0),
    };
    let file = fsutil::create_file(root, &name, OFlags::WRONLY | OFlags::APPEND)?;
    if let Err(errno) = fsutil::write_file(&file, bytes) {
        let _ = rustix::fs::ftruncate(&file, before);
        if before == 0 {
            let _ = fsutil::remove_file(root, &name);
        }
        return Err(errno);
    }
    let after = before + bytes.len() as u64;
    account::add(root, account::blocks(after) - account::blocks(before));
    Ok(())
}

/// Returns the latest note and its length, if it is whole.
fn last(root: &Root) -> rustix::io::Result<Option<(OsString, u64)>> {
    let mut names = fsutil::names(root, ".")?;
    names.retain(|name| name.to_str().is_some_and(is_note));
    let Some(name) = names.into_iter().max() else { return Ok(None) };
    let len = fsutil::stat(root, &name)?.filter(is_whole).map(|stat| stat.st_size as u64);
    Ok(len.map(|len| (name, len)))
}

fn is_whole(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_size % HASH == 0
}

/// The blobs that were evicted since the last fold.
#[derive(Debug, Default)]
pub struct Noted {
    /// Their hashes. Some may have been recorded again.
    pub blobs: HashSet<[u8; 32]>,
    /// The files, and how much of each was read.
    files: Vec<(OsString, u64)>,
}

impl Noted {
    /// Reads all notes, as far as possible.
    pub fn read(root: &Root) -> rustix::io::Result<Noted> {
        let mut noted = Noted::default();
        for name in fsutil::names(root, ".")? {
            if name.to_str().is_some_and(is_note) {
                let mut bytes = Vec::new();
                if let Ok(file) = fsutil::open_file(root, &name) {
                    let _ = File::from(file).take(LONGEST).read_to_end(&mut bytes);
                }
                noted.blobs.extend(bytes.as_chunks().0);
                noted.files.push((name, bytes.len() as u64));
            }
        }
        Ok(noted)
    }

    /// Returns whether a blob that an entry needs was evicted.
    pub fn explain(&self, root: &Root, entry: &Entry) -> bool {
        let is_evicted =
            |blob: BlobRef| self.blobs.contains(&blob.hash) && blobs::is_gone(root, &blob.hash);
        let list = entry.manifest().and_then(|blob| blobs::manifest(root, &blob).ok().flatten());
        let files = list.iter().flat_map(Manifest::blobs);
        !self.blobs.is_empty() && entry.blobs().chain(files).any(is_evicted)
    }

    /// Removes the notes that were read, once no entry needs the blobs any more. One that was added
    /// to since is left to the next fold.
    pub fn discard(self, root: &Root) -> Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
        let mut freed = 0;
        for (name, read) in self.files {
            let Some(stat) = fsutil::stat(root, &name)? else { continue };
            let is_same = !is_whole(&stat) || stat.st_size as u64 == read || read == LONGEST;
            if is_same && fsutil::remove_file(root, &name) == Ok(true) {
                freed += account::on_disk(&stat);
            }
        }
        account::give_back(root, freed);
        Ok(())
    }
}
