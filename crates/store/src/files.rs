//! Whole files as blobs, in and out.
//!
//! Content is shared by the file system where possible (a reflink), and otherwise copied by the
//! kernel, with holes preserved. It is never hard-linked: files outside the store may be written
//! to.

use super::Root;
use super::blobs::{self, Blob, Form, NewBlob, WholeBlob};
use super::packed::Unpacking;
use super::temporary::{self, Group};
use cachex_base::record::entry::BlobRef;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::SeekFrom;
use rustix::io::Errno;
use std::fs::File;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// The result of adding a file to the store.
pub enum Made<'a> {
    /// A blob without a name yet.
    New(WholeBlob<'a>),
    /// An intact blob that the store already has.
    Had(BlobRef),
    /// No blob: the file is shorter than expected.
    Shrunk,
}

/// Stores the first `len` bytes of a file as a blob, of a group if there is one.
pub fn take_in<'a>(
    root: &'a Root,
    group: Option<&Group<'a>>,
    file: &OwnedFd,
    len: u64,
) -> rustix::io::Result<Made<'a>> {
    let Some(hash) = hashing::beginning(file, len)? else { return Ok(Made::Shrunk) };
    let blob = BlobRef { hash: *hash.as_bytes(), len };
    if blobs::open(root, &blob)?.is_some() {
        return Ok(Made::Had(blob));
    }
    let (name, made) = temporary::create_in(root, group)?;
    failpoint::at("write")?;
    fill(&made, file.as_fd(), len)?;
    // The file may have changed meanwhile, so the copy is hashed again.
    let Some(hash) = hashing::beginning(&made, len)? else { return Ok(Made::Shrunk) };
    let blob = BlobRef { hash: *hash.as_bytes(), len };
    Ok(Made::New(WholeBlob::new(name, Arc::new(made), blob)))
}

/// Stores bytes as a blob.
pub fn take_in_bytes<'a>(root: &'a Root, bytes: &[u8]) -> rustix::io::Result<WholeBlob<'a>> {
    let mut blob = NewBlob::new(root)?;
    blob.append(bytes)?;
    blob.finish()
}

/// Writes a blob into an empty file. Returns whether the blob was there and intact.
pub fn bring_out(root: &Root, blob: &BlobRef, to: &OwnedFd) -> rustix::io::Result<bool> {
    match blobs::open(root, blob)? {
        Some(Blob::Plain(from)) => fill(to, from.as_fd(), blob.len)?,
        Some(Blob::Packed(packed)) => unpack(to, packed.reader())?,
        None => return Ok(false),
    }
    Ok(true)
}

/// Writes unpacked content into an empty file.
fn unpack(to: &OwnedFd, mut content: Unpacking) -> rustix::io::Result<()> {
    let errno = |error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    loop {
        let chunk = content.fill_buf().map_err(errno)?;
        let len = chunk.len();
        if len == 0 {
            return Ok(());
        }
        fsutil::write_all(to, chunk)?;
        content.consume(len);
    }
}

/// Fills an empty file with the first `len` bytes of another.
fn fill(to: &OwnedFd, from: BorrowedFd<'_>, len: u64) -> rustix::io::Result<()> {
    #[cfg(target_os = "linux")]
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return rustix::fs::ftruncate(to, len);
    }
    rustix::fs::ftruncate(to, len)?;
    let stat = rustix::fs::fstat(from)?;
    if (stat.st_blocks as u64).saturating_mul(512) >= len {
        return copy(to, from, 0, len);
    }
    let mut at = 0;
    while at < len {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start.min(len),
            // Only a hole follows.
            Err(Errno::NXIO) => return Ok(()),
            // The file system does not support holes.
            Err(Errno::INVAL) => return copy(to, from, at, len),
            Err(errno) => return Err(errno),
        };
        let end = rustix::fs::seek(from, SeekFrom::Hole(start)).unwrap_or(len).min(len);
        copy(to, from, start, end)?;
        at = end;
    }
    Ok(())
}

/// Copies a range of a file to the same offset in another.
fn copy(to: &OwnedFd, from: BorrowedFd<'_>, start: u64, end: u64) -> rustix::io::Result<()> {
    rustix::fs::seek(from, SeekFrom::Start(start))?;
    rustix::fs::seek(to, SeekFrom::Start(start))?;
    let own = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map(File::from);
    let (from, to) = (own(from), own(to.as_fd()));
    // `io::copy` copies inside the kernel where possible.
    let copied = from.and_then(|from| std::io::copy(&mut from.take(end - start), &mut to?));
    match copied {
        Ok(copied) if copied == end - start => Ok(()),
        Ok(_) => Err(Errno::IO),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// Returns whether a blob exists, intact or not.
pub fn is_there(root: &Root, blob: &BlobRef) -> rustix::io::Result<bool> {
    for form in Form::ALL {
        if fsutil::stat(root, form.path(&blob.hash))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
