//! Content-addressed files: the streams that are too long for an entry.
//!
//! A blob is written under a temporary name that its writer locks, so that
//! whoever sweeps can tell a leftover from work in progress, and gets its own
//! name, its BLAKE3, only when it is whole. It takes the place of a blob of the
//! same content: should that one be damaged, it is repaired by being replaced.

use super::Root;
use crate::entry::{BlobRef, Entry};
use crate::failpoint;
use crate::fsutil;
use crate::hashing::{self, Writer};
use crate::manifest::{MAX_MANIFEST, Manifest};
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    failpoint::at("read")?;
    let is_as_long = rustix::fs::fstat(&file)?.st_size as u64 == blob.len;
    let whole =
        is_as_long && hashing::beginning(&file, blob.len)?.is_some_and(|hash| hash == blob.hash);
    Ok(whole.then(|| File::from(file)))
}

/// The list of files that is in a blob. None: it is gone or damaged.
pub fn manifest(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<Manifest>> {
    if blob.len > MAX_MANIFEST as u64 {
        return Ok(None);
    }
    let Some(file) = open(root, blob)? else { return Ok(None) };
    let mut stored = vec![0; blob.len as usize];
    let len = fsutil::read_full(file, &mut stored)?;
    Ok(Manifest::decode(&stored[..len]).ok())
}

/// Whether what an entry left behind is whole: the list of it, and every file.
pub fn has_files(root: &Root, entry: &Entry) -> rustix::io::Result<bool> {
    let Some(blob) = entry.manifest() else { return Ok(true) };
    let Some(list) = manifest(root, &blob)? else { return Ok(false) };
    for file in list.blobs() {
        if open(root, &file)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a blob that an entry needs, itself or by its manifest, is not there
/// at all.
pub fn lacks(root: &Root, entry: &Entry) -> bool {
    let files = || match entry.manifest().map(|blob| manifest(root, &blob)) {
        Some(Ok(Some(list))) => list.blobs().any(|file| is_gone(root, &file.hash)),
        _ => false,
    };
    entry.blobs().any(|blob| is_gone(root, &blob.hash)) || files()
}

/// Whether a blob is not there at all.
pub fn is_gone(root: &Root, blob: &[u8; 32]) -> bool {
    matches!(fsutil::stat(root, path(blob)), Ok(None))
}

/// A blob in the making. Dropped before [`NewBlob::keep`], it leaves nothing.
pub struct NewBlob<'a> {
    name: Temporary<'a>,
    writer: Writer<OwnedFd>,
}

impl<'a> NewBlob<'a> {
    /// Starts one.
    pub fn new(root: &'a Root) -> rustix::io::Result<NewBlob<'a>> {
        let (name, file) = Temporary::create(root)?;
        // A file system without locks sweeps by age alone.
        let _ = failpoint::at("flock")
            .and_then(|()| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive));
        Ok(NewBlob { name, writer: Writer::new(file) })
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> rustix::io::Result<()> {
        failpoint::at("write")?;
        self.writer.append(bytes)
    }

    /// Its name until it is whole.
    pub fn name(&self) -> Option<&Path> {
        self.name.name()
    }

    /// Waits until what was appended is written.
    pub fn settle(&mut self) -> rustix::io::Result<()> {
        self.writer.settle()
    }

    /// Waits until all of it is written.
    pub fn finish(self) -> rustix::io::Result<WholeBlob<'a>> {
        let file = self.writer.file_handle();
        let (hash, len) = self.writer.finish()?;
        Ok(WholeBlob {
            name: self.name,
            _file: file,
            blob: BlobRef { hash: *hash.as_bytes(), len },
        })
    }
}

/// A blob that is whole and has no name of its own yet.
pub struct WholeBlob<'a> {
    name: Temporary<'a>,
    /// Keeps the lock.
    _file: Arc<OwnedFd>,
    blob: BlobRef,
}

impl<'a> WholeBlob<'a> {
    /// A file that was written under a temporary name, locked, and hashed.
    pub(super) fn new(name: Temporary<'a>, file: OwnedFd, blob: BlobRef) -> WholeBlob<'a> {
        WholeBlob { name, _file: Arc::new(file), blob }
    }

    /// What it will be.
    pub fn blob(&self) -> BlobRef {
        self.blob
    }

    /// Gives it its name. The caller holds the publish lock.
    pub fn keep(mut self) -> rustix::io::Result<BlobRef> {
        if let Some(name) = &self.name.name {
            fsutil::rename(self.name.root, name, path(&self.blob.hash))?;
        }
        self.name.name = None;
        Ok(self.blob)
    }
}

/// A temporary name, removed unless it was taken away.
pub struct Temporary<'a> {
    root: &'a Root,
    name: Option<PathBuf>,
}

impl<'a> Temporary<'a> {
    /// A new, empty file under one.
    pub fn create(root: &'a Root) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
        let name = root.temp_name();
        let file = fsutil::create_file(root, &name, OFlags::RDWR | OFlags::EXCL)?;
        Ok((Temporary { root, name: Some(name) }, file))
    }

    pub fn name(&self) -> Option<&Path> {
        self.name.as_deref()
    }

    /// Gives the file a name that stays.
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
