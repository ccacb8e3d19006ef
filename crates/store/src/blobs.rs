//! Content-addressed files: the streams that are too long for an entry.
//!
//! A blob is written under a temporary name that its writer locks, so that
//! whoever sweeps can tell a leftover from work in progress, and gets its own
//! name, its BLAKE3, only when it is whole. It takes the place of a blob of the
//! same content: should that one be damaged, it is repaired by being replaced.
//!
//! In place of the plain file, or beside it for a while, there may be one with
//! the content packed (`blobs/cd/HEX.zst`), which only the fold writes. Plain goes
//! first with readers, packed serves where plain is gone or damaged.

use super::Root;
use super::packed::{Packed, Unpacking};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::record::manifest::{MAX_MANIFEST, Manifest};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_base::system::hashing::{self, Writer};
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a blob may be stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Its content.
    Plain,
    /// See [`super::packed`].
    Packed,
}

impl Form {
    /// Both.
    pub const ALL: [Form; 2] = [Form::Plain, Form::Packed];

    /// Where a blob lies in this form.
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

    /// The blob of a file name, and the form that it is in.
    pub fn of_name(name: &[u8]) -> Option<([u8; 32], Form)> {
        let (hex, form) = match name.strip_suffix(Form::Packed.ending().as_bytes()) {
            Some(hex) => (hex, Form::Packed),
            None => (name, Form::Plain),
        };
        Some((Key::from_hex(hex)?.0, form))
    }
}

/// A blob that was read and found to be what its name says.
#[derive(Debug)]
pub enum Blob {
    /// A file with its content, at its start.
    Plain(File),
    /// One with its content compressed.
    Packed(Packed),
}

impl Blob {
    /// Reads the content from its beginning, wherever it was read before.
    pub fn reader(&self) -> Reader<'_> {
        match self {
            Blob::Plain(file) => Reader::Plain(from_start(file)),
            Blob::Packed(packed) => Reader::Packed(packed.reader()),
        }
    }
}

/// Reads the content of a blob.
pub enum Reader<'a> {
    /// From the file it lies in.
    Plain(FromStart<'a>),
    /// As it is unpacked.
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

/// Reads a file from its start, and leaves alone the offset that it has.
pub fn from_start(file: &File) -> FromStart<'_> {
    FromStart { file, at: 0 }
}

/// See [`from_start`].
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

/// Opens a blob after reading all of it and finding it to be what its name says.
/// None: it is gone, or damaged, or of another length, in whatever form.
pub fn open(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<Blob>> {
    if let Some(file) = open_plain(root, blob)? {
        return Ok(Some(Blob::Plain(file)));
    }
    if let Some(packed) = open_packed(root, blob)? {
        return Ok(Some(Blob::Packed(packed)));
    }
    // It may have been recorded anew, and the packed one removed.
    Ok(open_plain(root, blob)?.map(Blob::Plain))
}

/// Reads the content of a blob that is to be held in memory as a whole. None: it is gone, or
/// damaged, or of another length, in whatever form.
pub fn read(root: &Root, blob: &BlobRef) -> io::Result<Option<Vec<u8>>> {
    if let Some(content) = read_plain(root, blob)? {
        return Ok(Some(content));
    }
    let Some(opened) = open(root, blob)? else { return Ok(None) };
    let mut content = Vec::with_capacity(blob.len as usize);
    opened.reader().read_to_end(&mut content)?;
    Ok((content.len() as u64 == blob.len).then_some(content))
}

/// The same of the plain form: it is read once, and what was read is verified.
fn read_plain(root: &Root, blob: &BlobRef) -> io::Result<Option<Vec<u8>>> {
    let mut file = match fsutil::open_file(root, Form::Plain.path(&blob.hash)) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    failpoint::at("read")?;
    // Nothing is allocated for what is only claimed.
    if file.metadata()?.len() != blob.len {
        return Ok(None);
    }
    let mut content = Vec::with_capacity(blob.len as usize);
    file.by_ref().take(blob.len).read_to_end(&mut content)?;
    Ok((*hashing::of(&content).as_bytes() == blob.hash).then_some(content))
}

/// Whether a blob is whole in this form.
pub fn is_whole(root: &Root, blob: &BlobRef, form: Form) -> rustix::io::Result<bool> {
    match form {
        Form::Plain => Ok(open_plain(root, blob)?.is_some()),
        Form::Packed => Ok(open_packed(root, blob)?.is_some()),
    }
}

/// Opens the plain form.
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

/// Opens the packed form.
pub fn open_packed(root: &Root, blob: &BlobRef) -> rustix::io::Result<Option<Packed>> {
    Packed::open(root, &Form::Packed.path(&blob.hash), blob)
}

/// The bytes that a blob takes, in whatever form; none if it is not there.
pub fn stored(root: &Root, hash: &[u8; 32]) -> Option<u64> {
    let sizes = Form::ALL.map(|form| fsutil::stat(root, form.path(hash)).ok().flatten());
    let sizes = sizes.into_iter().flatten().map(|stat| stat.st_size as u64);
    sizes.reduce(u64::saturating_add)
}

/// The list of files that is in a blob. None: it is gone or damaged.
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
    Form::ALL.iter().all(|form| matches!(fsutil::stat(root, form.path(blob)), Ok(None)))
}

/// A blob in the making. Dropped before `NewBlob::keep`, it leaves nothing.
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
            file: Some(file),
            blob: BlobRef { hash: *hash.as_bytes(), len },
        })
    }
}

/// A blob that is whole and has no name of its own yet.
pub struct WholeBlob<'a> {
    name: Temporary<'a>,
    /// Keeps the lock.
    file: Option<Arc<OwnedFd>>,
    blob: BlobRef,
}

impl<'a> WholeBlob<'a> {
    /// A file that was written under a temporary name, locked, and hashed.
    pub(super) fn new(name: Temporary<'a>, file: OwnedFd, blob: BlobRef) -> WholeBlob<'a> {
        WholeBlob { name, file: Some(Arc::new(file)), blob }
    }

    /// What it will be.
    pub fn blob(&self) -> BlobRef {
        self.blob
    }

    /// Closes its file, and so gives up the lock, for who has more of them than
    /// there are descriptors. Nothing is swept while the caller holds the fold lock,
    /// nor what was written within [`LEFT`](super::sweep::LEFT).
    pub fn close(&mut self) {
        self.file = None;
    }

    /// Gives it its name. The caller holds the publish lock.
    pub fn keep(self) -> rustix::io::Result<BlobRef> {
        let (place, blob) = (Form::Plain.path(&self.blob.hash), self.blob);
        self.keep_as(&place)?;
        Ok(blob)
    }

    /// The same with another name.
    pub fn keep_as(mut self, place: &Path) -> rustix::io::Result<()> {
        if let Some(name) = &self.name.name {
            fsutil::rename(self.name.root, name, place)?;
        }
        self.name.name = None;
        Ok(())
    }

    /// Its name as long as it has none of its own.
    pub fn name(&self) -> Option<&Path> {
        self.name.name()
    }

    /// How long it is.
    pub fn len(&self) -> u64 {
        self.blob.len
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
        Temporary::create_with(root, "")
    }

    /// The same under one that begins so.
    pub fn create_with(
        root: &'a Root,
        prefix: &str,
    ) -> rustix::io::Result<(Temporary<'a>, OwnedFd)> {
        let name = Root::temp_name();
        let name = match name.file_name() {
            Some(file) if !prefix.is_empty() => {
                let mut prefixed = std::ffi::OsString::from(prefix);
                prefixed.push(file);
                name.with_file_name(prefixed)
            }
            _ => name,
        };
        let file = fsutil::create_file(root, &name, OFlags::RDWR | OFlags::EXCL)?;
        Ok((Temporary { root, name: Some(name) }, file))
    }

    /// Returns the name that it has until then, if it has one.
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
