//! Content-addressed files: the streams that are too long for an entry.
//!
//! A blob is written under a temporary name that its writer locks, so that
//! whoever sweeps can tell a leftover from work in progress, and gets its own
//! name, its BLAKE3, only when it is whole. It takes the place of a blob of the
//! same content: should that one be damaged, it is repaired by being replaced.

use super::Root;
use crate::entry::BlobRef;
use crate::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::path::PathBuf;

/// Where a blob lies.
pub fn path(hash: &[u8; 32]) -> PathBuf {
    let hex = blake3::Hash::from_bytes(*hash).to_hex();
    PathBuf::from(format!("blobs/{}/{hex}", &hex[..2]))
}

/// Opens a blob, at its start, after reading all of it and finding its content
/// to be what its name says. None: it is gone, or damaged, or of another length.
pub fn open(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<File>> {
    let file = match fsutil::open_file(root, path(&blob.hash)) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let (hash, len) = fsutil::hash_file(&file, 0, blob.len)?;
    let whole = len == blob.len && hash == blob.hash;
    Ok(whole.then(|| File::from(file)))
}

/// A blob in the making. Dropped before [`NewBlob::keep`], it leaves nothing.
pub struct NewBlob<'a> {
    root: &'a Root,
    temp: Option<PathBuf>,
    file: OwnedFd,
    hasher: blake3::Hasher,
    len: u64,
}

impl<'a> NewBlob<'a> {
    /// Starts one.
    pub fn new(root: &'a Root) -> rustix::io::Result<NewBlob<'a>> {
        let temp = root.temp_name();
        let file = fsutil::create_file(root, &temp, OFlags::RDWR | OFlags::EXCL)?;
        let blob = NewBlob { root, temp: Some(temp), file, hasher: blake3::Hasher::new(), len: 0 };
        // A file system without locks sweeps by age alone.
        let _ = rustix::fs::flock(&blob.file, FlockOperation::NonBlockingLockExclusive);
        Ok(blob)
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> rustix::io::Result<()> {
        fsutil::write_all(&self.file, bytes)?;
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Gives it its name. The caller holds the publish lock.
    pub fn keep(mut self) -> rustix::io::Result<BlobRef> {
        let hash = *self.hasher.finalize().as_bytes();
        if let Some(temp) = &self.temp {
            fsutil::rename(self.root, temp, path(&hash))?;
        }
        self.temp = None;
        Ok(BlobRef { hash, len: self.len })
    }
}

impl AsFd for NewBlob<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for NewBlob<'_> {
    fn drop(&mut self) {
        if let Some(temp) = &self.temp {
            let _ = fsutil::remove_file(self.root, temp);
        }
    }
}
