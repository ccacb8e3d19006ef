//! The uppermost floor: one immutable file per recent entry.
//!
//! A file appears whole, by a rename, and is read without a lock. Nothing is
//! synced: after a power cut a file may be empty or short, and its checksum
//! says so.

use super::Root;
use super::blobs::Temporary;
use anyhow::{Context, Result};
use cachex_base::record::entry::{Entry, Key, MAX_SEALED};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_core::young;
use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Hardly an entry is longer, with all that `explain` needs.
const USUAL: usize = 8192;

/// The young files of a store.
pub struct Young<'a> {
    root: &'a Root,
}

impl<'a> Young<'a> {
    /// Those below `root`.
    pub fn new(root: &'a Root) -> Young<'a> {
        Young { root }
    }

    /// The keys there are files of.
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

/// A file that is written and has no name of its own yet. Dropped before
/// [`NewFile::keep`], it leaves nothing.
pub struct NewFile<'a> {
    name: Temporary<'a>,
    key: Key,
}

impl<'a> NewFile<'a> {
    /// One for this key, with this sealed entry in it.
    pub fn of(root: &'a Root, key: &Key, sealed: &[u8]) -> rustix::io::Result<NewFile<'a>> {
        let (name, file) = Temporary::create(root)?;
        fsutil::write_file(file, sealed)?;
        Ok(NewFile { name, key: *key })
    }

    /// Gives it its name, in the place of the key's earlier one. The caller holds
    /// the publish lock, see [`crate::lock`].
    pub fn keep(self) -> rustix::io::Result<()> {
        self.name.rename(&path(&self.key))
    }

    /// The key it is of.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// Reads a file as far as a sealed entry can be long. A read that does not fill
/// its buffer has met the end.
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

/// The content of a key's file, not verified.
pub fn sealed(root: &Root, key: &Key) -> rustix::io::Result<Option<Vec<u8>>> {
    match fsutil::open_file(root, path(key)) {
        Ok(file) => read_sealed(&file).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// What tells one version of a key's entry from another.
pub fn version(sealed: &[u8]) -> [u8; 32] {
    *blake3::hash(sealed).as_bytes()
}

/// Removes a key's file if it still holds this version. The caller holds the
/// publish lock exclusively, so that no newer file can take its place meanwhile.
pub fn remove_version(root: &Root, key: &Key, expected: &[u8; 32]) -> rustix::io::Result<bool> {
    match sealed(root, key)? {
        Some(sealed) if version(&sealed) == *expected => fsutil::remove_file(root, path(key)),
        _ => Ok(false),
    }
}

/// Where the file of a key lies.
pub fn path(key: &Key) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&young::path(&key.0)))
}

impl Young<'_> {
    /// The entry of a key. A damaged file stays until the next record takes its place, or a fold
    /// removes it from every floor: without it, what it superseded would be found.
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

    /// Keeps an entry, in place of the key's earlier one. The caller holds the publish lock, see [`crate::lock`].
    pub fn put(&self, entry: &Entry) -> Result<()> {
        let written = NewFile::of(self.root, &entry.key, &entry.seal()?);
        written.and_then(NewFile::keep).context("writing an entry")
    }

    /// Drops the entry of a key; whether there was one.
    pub fn remove(&self, key: &Key) -> Result<bool> {
        fsutil::remove_file(self.root, path(key)).context("removing an entry")
    }

    /// Shows every entry to `visit`, in no order; damaged ones are passed over.
    pub fn scan(&self, visit: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        for key in self.keys()? {
            if let Ok(Some(entry)) = self.get(&key) {
                visit(entry)?;
            }
        }
        Ok(())
    }
}
