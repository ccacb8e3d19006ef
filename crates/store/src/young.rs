//! The young store: one immutable file per recent entry.
//!
//! A file appears complete, by a rename, and is read without a lock. Nothing is synced: after a
//! power cut a file may be empty or short, which its checksum reveals.

use super::Root;
use super::blobs;
use super::temporary::{self, Group, Temporary};
use anyhow::{Context, Result};
use cachex_base::record::entry::{Entry, Key, MAX_SEALED};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_core::entry::HEADER;
use cachex_core::young;
use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The length of the hash at the end of a header.
const HASH: usize = 32;
/// The length that hardly any entry exceeds, with all that `explain` needs, in bytes.
const USUAL: usize = 8192;

/// The young files of a store.
pub struct Young<'a> {
    root: &'a Root,
}

impl<'a> Young<'a> {
    /// Returns the young files below `root`.
    pub fn new(root: &'a Root) -> Young<'a> {
        Young { root }
    }

    /// Returns the keys that have files.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for shard in fsutil::names(self.root, young::FOLDER)? {
            for name in fsutil::names(self.root, PathBuf::from(young::FOLDER).join(shard))? {
                keys.extend(Key::from_hex(name.as_bytes()));
            }
        }
        Ok(keys)
    }
}

/// A written file that has no name of its own yet. Nothing remains of it if it is dropped before
/// [`NewFile::keep`].
pub struct NewFile<'a> {
    name: Temporary<'a>,
    /// Holds the lock, unless one of a group stands for it.
    _file: Option<OwnedFd>,
    key: Key,
}

impl<'a> NewFile<'a> {
    /// Writes a file for this key with this sealed entry.
    pub fn of(root: &'a Root, key: &Key, sealed: &[u8]) -> rustix::io::Result<NewFile<'a>> {
        NewFile::in_group(root, None, key, sealed)
    }

    /// Writes a file of a group, if there is one, for this key with this sealed entry.
    pub fn in_group(
        root: &'a Root,
        group: Option<&Group<'a>>,
        key: &Key,
        sealed: &[u8],
    ) -> rustix::io::Result<NewFile<'a>> {
        let (name, file) = temporary::create_in(root, group)?;
        fsutil::write_file(&file, sealed)?;
        let file = (!name.is_in_group()).then_some(file);
        Ok(NewFile { name, _file: file, key: *key })
    }

    /// Gives the file its name, in place of the key's earlier one. The caller holds the publish
    /// lock, see [`crate::lock`].
    pub fn keep(self) -> rustix::io::Result<()> {
        self.name.rename(&path(&self.key))
    }

    /// Returns the key of the file.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// Reads a file up to the maximum length of a sealed entry. A read that does not fill its buffer
/// has met the end.
fn read_sealed(file: &OwnedFd) -> rustix::io::Result<Vec<u8>> {
    failpoint::at("read")?;
    let mut sealed = Vec::with_capacity(USUAL);
    fsutil::retry(|| rustix::io::read(file, spare_capacity(&mut sealed)))?;
    if sealed.len() == USUAL {
        sealed.resize(MAX_SEALED + 1, 0);
        let more = fsutil::read_full(file, &mut sealed[USUAL..])?;
        sealed.truncate(USUAL + more);
    }
    Ok(sealed)
}

/// Returns the content of a key's file, not verified.
pub fn sealed(root: &Root, key: &Key) -> rustix::io::Result<Option<Vec<u8>>> {
    match fsutil::open_file(root, path(key)) {
        Ok(file) => read_sealed(&file).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Returns a hash that distinguishes versions of a key's entry.
pub fn version(sealed: &[u8]) -> [u8; 32] {
    *blake3::hash(sealed).as_bytes()
}

/// Returns whether a file is a damaged copy of this sealed entry, which is intact, and not of a
/// later version: the damage left either the hash of the body or the body.
pub fn is_damaged_copy(key: &Key, file: &[u8], intact: &[u8]) -> bool {
    let (Some((header, body)), Some((hash, whole))) =
        (file.split_at_checked(HEADER), intact.split_at_checked(HEADER))
    else {
        return false;
    };
    let is_of_its_hash = header[HEADER - HASH..] == hash[HEADER - HASH..];
    (is_of_its_hash || body == whole)
        && Entry::open(key, file).is_err()
        && Entry::open(key, intact).is_ok()
}

/// Removes a key's file if it still holds this version, and returns whether it did. The caller
/// holds the publish lock exclusively, so that no newer file can take its place meanwhile.
pub fn remove_version(root: &Root, key: &Key, expected: &[u8; 32]) -> rustix::io::Result<bool> {
    match sealed(root, key)? {
        Some(sealed) if version(&sealed) == *expected => fsutil::remove_file(root, path(key)),
        _ => Ok(false),
    }
}

/// Returns the path of a key's file.
pub fn path(key: &Key) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&young::path(&key.0)))
}

impl Young<'_> {
    /// Returns the entry of a key. A damaged file stays until the next record replaces it, or a
    /// fold removes it from both stores: without it, the entry that it superseded would be found.
    pub fn get(&self, key: &Key) -> Result<Option<Entry>> {
        let path = path(key);
        let file = match fsutil::open_file(self.root, &path) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno).context("opening a recorded entry"),
        };
        let sealed = read_sealed(&file).context("reading a recorded entry")?;
        Ok(Some(Entry::open(key, &sealed)?))
    }

    /// Stores an entry in place of the key's earlier one. The caller holds the publish lock, see
    /// [`crate::lock`].
    pub fn put(&self, entry: &Entry) -> Result<()> {
        let written = NewFile::of(self.root, &entry.key, &entry.seal()?);
        written.and_then(NewFile::keep).context("writing an entry")
    }

    /// Removes the entry of a key, and returns whether there was one.
    pub fn remove(&self, key: &Key) -> Result<bool> {
        fsutil::remove_file(self.root, path(key)).context("removing an entry")
    }

    /// Returns how many entries there are that were not evicted.
    pub fn there(&self) -> u64 {
        let mut count = 0;
        let _ = self.scan(&mut |_| {
            count += 1;
            Ok(())
        });
        count
    }

    /// Passes every entry to `visit`, in no particular order. Those that are damaged, or whose
    /// output was evicted, are skipped.
    pub fn scan(&self, visit: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        for key in self.keys()? {
            if let Ok(Some(entry)) = self.get(&key)
                && !blobs::lacks(self.root, &entry)
            {
                visit(entry)?;
            }
        }
        Ok(())
    }
}
