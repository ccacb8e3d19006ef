//! Content-addressed files: the streams that are too long for an entry.
//!
//! A blob is written under a [temporary] name. It gets its own name, its BLAKE3 hash, only when it
//! is complete. It replaces a blob of the same content, which repairs that blob if it was damaged.
//!
//! Instead of the plain file, or beside it for a while, there may be a compressed one
//! (`blobs/cd/HEX.zst`), which only the fold writes. Readers try the plain form first, and use
//! the packed form if the plain one is gone or damaged.

use super::Root;
use super::packed::{Packed, Unpacking};
use super::temporary::{self, Group, Temporary};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::record::manifest::{MAX_MANIFEST, Manifest};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_base::system::hashing::{self, Writer};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The form in which a blob is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// The plain content.
    Plain,
    /// The compressed content, see [`super::packed`].
    Packed,
}

impl Form {
    /// Both forms.
    pub const ALL: [Form; 2] = [Form::Plain, Form::Packed];

    /// Returns the path of a blob in this form.
    pub fn path(self, hash: &[u8; 32]) -> PathBuf {
        let hex = blake3::Hash::from_bytes(*hash).to_hex();
        PathBuf::from(format!("blobs/{}/{hex}{}", &hex[..2], self.ending()))
    }

    fn ending(self) -> &'static str {
        match self {
            Form::Plain => "",
            Form::Packed => ".zst",
        }
    }

    /// Returns the hash of the blob that a file name stands for, and its form.
    pub fn of_name(name: &[u8]) -> Option<([u8; 32], Form)> {
        let (hex, form) = match name.strip_suffix(Form::Packed.ending().as_bytes()) {
            Some(hex) => (hex, Form::Packed),
            None => (name, Form::Plain),
        };
        Some((Key::from_hex(hex)?.0, form))
    }
}

/// A blob whose content was read and verified.
#[derive(Debug)]
pub enum Blob {
    /// A file with its content, at its start.
    Plain(File),
    /// A file with its content compressed.
    Packed(Packed),
}

impl Blob {
    /// Returns a reader of the content from its beginning, wherever it was read before.
    pub fn reader(&self) -> Reader<'_> {
        match self {
            Blob::Plain(file) => Reader::Plain(from_start(file)),
            Blob::Packed(packed) => Reader::Packed(packed.reader()),
        }
    }
}

/// A reader of the content of a blob.
pub enum Reader<'a> {
    /// Reads the plain file.
    Plain(FromStart<'a>),
    /// Decompresses the packed file.
    Packed(Unpacking),
}

impl Read for Reader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Reader::Plain(file) => file.read(buf),
            Reader::Packed(content) => content.read(buf),
        }
    }
}

/// Returns a reader of a file from its start, which leaves the file's offset alone.
pub fn from_start(file: &File) -> FromStart<'_> {
    FromStart { file, at: 0 }
}

/// A reader of a file from its start, see [`from_start`].
pub struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buf, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Opens a blob after reading and verifying all of it. Returns `None` if it is gone, damaged or
/// of another length in every form.
pub fn open(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<Blob>> {
    if let Some(file) = open_plain(root, blob)? {
        return Ok(Some(Blob::Plain(file)));
    }
    if let Some(packed) = open_packed(root, blob)? {
        return Ok(Some(Blob::Packed(packed)));
    }
    // The blob may have been recorded again, and its packed form removed.
    Ok(open_plain(root, blob)?.map(Blob::Plain))
}

/// Reads the whole content of a blob into memory. Returns `None` if it is gone, damaged or of
/// another length in every form.
pub fn read(root: &Root, blob: &BlobRef) -> io::Result<Option<Vec<u8>>> {
    if let Some(content) = read_plain(root, blob)? {
        return Ok(Some(content));
    }
    let Some(opened) = open(root, blob)? else { return Ok(None) };
    let mut content = Vec::with_capacity(blob.len as usize);
    opened.reader().read_to_end(&mut content)?;
    Ok((content.len() as u64 == blob.len).then_some(content))
}

/// Reads the plain form once, and verifies what was read.
fn read_plain(root: &Root, blob: &BlobRef) -> io::Result<Option<Vec<u8>>> {
    let mut file = match fsutil::open_file(root, Form::Plain.path(&blob.hash)) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    failpoint::at("read")?;
    // Allocate nothing for a length that is only claimed.
    if file.metadata()?.len() != blob.len {
        return Ok(None);
    }
    let mut content = Vec::with_capacity(blob.len as usize);
    file.by_ref().take(blob.len).read_to_end(&mut content)?;
    Ok((*hashing::of(&content).as_bytes() == blob.hash).then_some(content))
}

/// Returns whether a blob is whole in this form.
pub fn is_whole(root: &Root, blob: &BlobRef, form: Form) -> rustix::io::Result<bool> {
    match form {
        Form::Plain => Ok(open_plain(root, blob)?.is_some()),
        Form::Packed => Ok(open_packed(root, blob)?.is_some()),
    }
}

/// Opens and verifies the plain form.
pub fn open_plain(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<File>> {
    let file = match fsutil::open_file(root, Form::Plain.path(&blob.hash)) {
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

/// Opens and verifies the packed form.
pub fn open_packed(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<Packed>> {
    Packed::open(root, &Form::Packed.path(&blob.hash), blob)
}

/// Returns the size of a blob on disk in all its forms, in bytes, or `None` if it is not there.
pub fn stored(root: &Root, hash: &[u8; 32]) -> Option<u64> {
    let sizes = Form::ALL.map(|form| fsutil::stat(root, form.path(hash)).ok().flatten());
    let sizes = sizes.into_iter().flatten().map(|stat| stat.st_size as u64);
    sizes.reduce(u64::saturating_add)
}

/// Returns the manifest in a blob, or `None` if it is gone or damaged.
pub fn manifest(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<Manifest>> {
    if blob.len > MAX_MANIFEST as u64 {
        return Ok(None);
    }
    let Some(opened) = open(root, blob)? else { return Ok(None) };
    let mut stored = Vec::with_capacity(blob.len as usize);
    match opened.reader().take(blob.len).read_to_end(&mut stored) {
        Ok(_) => Ok(Manifest::decode(&stored).ok()),
        Err(error) => match Errno::from_io_error(&error) {
            Some(errno) => Err(errno),
            None => Ok(None),
        },
    }
}

/// Returns whether the output files of an entry are whole: the manifest and every file.
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

/// Returns whether a blob that an entry needs, directly or through its manifest, does not exist
/// in any form.
pub fn lacks(root: &Root, entry: &Entry) -> bool {
    let files = || match entry.manifest().map(|blob| manifest(root, &blob)) {
        Some(Ok(Some(list))) => list.blobs().any(|file| is_gone(root, &file.hash)),
        _ => false,
    };
    entry.blobs().any(|blob| is_gone(root, &blob.hash)) || files()
}

/// Returns whether a blob does not exist in any form.
pub fn is_gone(root: &Root, blob: &[u8; 32]) -> bool {
    Form::ALL.iter().all(|form| matches!(fsutil::stat(root, form.path(blob)), Ok(None)))
}

/// A blob that is being written. Nothing remains of it if it is dropped before it is kept.
pub struct NewBlob<'a> {
    name: Temporary<'a>,
    writer: Writer<OwnedFd>,
}

impl<'a> NewBlob<'a> {
    /// Starts a blob.
    pub fn new(root: &'a Root) -> rustix::io::Result<NewBlob<'a>> {
        NewBlob::in_group(root, None)
    }

    /// Starts a blob of a group, if there is one.
    pub fn in_group(root: &'a Root, group: Option<&Group<'a>>) -> rustix::io::Result<NewBlob<'a>> {
        let (name, file) = temporary::create_in(root, group)?;
        Ok(NewBlob { name, writer: Writer::new(file) })
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> rustix::io::Result<()> {
        failpoint::at("write")?;
        self.writer.append(bytes)
    }

    /// Returns the temporary name of the blob.
    pub fn name(&self) -> Option<&Path> {
        self.name.name()
    }

    /// Waits until the bytes appended so far are written.
    pub fn settle(&mut self) -> rustix::io::Result<()> {
        self.writer.settle()
    }

    /// Waits until all bytes are written, and returns the complete blob.
    pub fn finish(self) -> rustix::io::Result<WholeBlob<'a>> {
        let file = self.writer.file_handle();
        let (hash, len) = self.writer.finish()?;
        Ok(WholeBlob::new(self.name, file, BlobRef { hash: *hash.as_bytes(), len }))
    }
}

/// A complete blob that still has a temporary name.
pub struct WholeBlob<'a> {
    name: Temporary<'a>,
    /// Holds the lock, unless one of a group stands for it.
    _file: Option<Arc<OwnedFd>>,
    blob: BlobRef,
}

impl<'a> WholeBlob<'a> {
    /// Wraps a file that was written under a temporary name, and hashed.
    pub(super) fn new(name: Temporary<'a>, file: Arc<OwnedFd>, blob: BlobRef) -> WholeBlob<'a> {
        let file = (!name.is_in_group()).then_some(file);
        WholeBlob { name, _file: file, blob }
    }

    /// Returns the reference to the blob that is to be kept.
    pub fn blob(&self) -> BlobRef {
        self.blob
    }

    /// Gives the blob its own name. The caller holds the publish lock.
    pub fn keep(self) -> rustix::io::Result<BlobRef> {
        let (place, blob) = (Form::Plain.path(&self.blob.hash), self.blob);
        self.keep_as(&place)?;
        Ok(blob)
    }

    /// Gives the blob the name `place` instead of its own.
    pub fn keep_as(self, place: &Path) -> rustix::io::Result<()> {
        self.name.rename(place)
    }

    /// Returns the temporary name of the blob, until it has its own.
    pub fn name(&self) -> Option<&Path> {
        self.name.name()
    }

    /// Returns the length of the blob, in bytes.
    pub fn len(&self) -> u64 {
        self.blob.len
    }
}
