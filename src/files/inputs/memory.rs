//! Remembers the hashes of files from one call to the next.
//!
//! ```text
//! v2/inputs/HASH    one file for each working directory and list of inputs
//! magic (8) | BLAKE3 of the rest (32) | records in the order of their paths
//! record: length of the path (4) | path | stamp (48) | BLAKE3 of the file (32)
//! ```
//!
//! A file is considered unchanged if its mount, device, inode, size, mtime and ctime are. Times
//! are as coarse as the file system's clock, so a file that was written shortly before it was read
//! may be written again unnoticed: as in git, a file that changed less than two seconds before the
//! look is not remembered. A few small files are faster to read than to recall, and are not
//! remembered either.
//!
//! This affects nothing but speed: a file that is damaged or cannot be written is treated as
//! missing.

use super::walk::Found;
use super::{File, Wanted};
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use cachex_base::system::stamp::{self, STAMP, Stamp};
use cachex_store::Root;
use cachex_store::room::NewMemory;
use cachex_store::sweep::INPUTS;
use std::cmp::Ordering;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"cxinput\x02";
const HEADER: usize = MAGIC.len() + 32;
/// The minimum that is worth remembering: this many files, or bytes.
const WORTH: (usize, u64) = (64, 256 * 1024);
/// The minimum interval between updates of the time of use, in nanoseconds.
const USED_LATELY: i64 = 60 * 60 * 1_000_000_000;
/// The maximum size that is read back.
const MAX: u64 = 1 << 30;

/// The file with the remembered hashes of some inputs.
pub struct Memory {
    name: Option<PathBuf>,
}

impl Memory {
    /// Returns the file for these patterns in this working directory.
    pub fn of(wanted: &Wanted<'_>, found: &[Found]) -> Memory {
        let Ok(cwd) = std::env::current_dir() else { return Memory { name: None } };
        let mut told = cwd.into_os_string().into_encoded_bytes();
        told.push(u8::from(wanted.no_ignore));
        for pattern in wanted.patterns {
            told.extend([0, u8::from(pattern.exclude)]);
            told.extend(pattern.path.as_str().bytes());
        }
        if !wanted.listed.is_empty() {
            // A list may be long; its first file stands for it.
            told.push(0);
            told.extend(found.first().map_or(&[][..], |found| found.path.as_os_str().as_bytes()));
        }
        Memory { name: Some(PathBuf::from(format!("{INPUTS}/{}", hashing::of(&told).to_hex()))) }
    }

    /// Returns the remembered hashes.
    pub fn recall(&self, root: &Root) -> Known {
        self.try_recall(root).unwrap_or_default()
    }

    fn try_recall(&self, root: &Root) -> Option<Known> {
        let file = fsutil::open_file(root, self.name.as_ref()?).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let len = stat.st_size as u64;
        if Stamp::of(&stat).mtime < stamp::now() - USED_LATELY {
            // The sweep uses this time.
            let _ = rustix::fs::futimens(&file, &fsutil::NOW);
        }
        let mut bytes = vec![0; usize::try_from(len).ok().filter(|_| len <= MAX)?];
        let read = fsutil::read_full(file, &mut bytes).ok()?;
        bytes.truncate(read);
        Known::decode(bytes)
    }

    /// Remembers the hashes of these files in a store of up to `limit` bytes.
    pub fn remember(&self, root: &Root, limit: u64, files: &[File]) {
        let bytes = files.iter().map(|file| file.seen.stamp.size).fold(0, u64::saturating_add);
        if files.len() >= WORTH.0 || bytes >= WORTH.1 {
            // It is written once for many calls: a fold that it makes due comes with the next one.
            let _ = self.try_remember(root, limit, &encode(files));
        }
    }

    fn try_remember(&self, root: &Root, limit: u64, bytes: &[u8]) -> rustix::io::Result<bool> {
        let Some(name) = self.name.clone() else { return Ok(false) };
        NewMemory::claim(root, limit, name, bytes.len() as u64)?.put(bytes)
    }
}

pub(super) fn encode(files: &[File]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    for file in files.iter().filter(|file| file.seen.is_lasting()) {
        let Some(hash) = file.seen.hash() else { continue };
        let path = file.path.as_os_str().as_bytes();
        bytes.extend((path.len() as u32).to_le_bytes());
        bytes.extend(path);
        file.seen.stamp.encode(&mut bytes);
        bytes.extend(hash);
    }
    let hash = hashing::of(&bytes[HEADER..]);
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..HEADER].copy_from_slice(hash.as_bytes());
    bytes
}

/// The remembered hashes of some files.
#[derive(Default)]
pub struct Known {
    bytes: Vec<u8>,
    /// The offset and length of each path; the rest of its record follows it.
    paths: Vec<(usize, usize)>,
}

/// The remembered hash of one file.
pub type Remembered = (Stamp, [u8; 32]);

impl Known {
    /// Decodes a file; none if it is damaged.
    pub fn decode(bytes: Vec<u8>) -> Option<Known> {
        let (header, records) = bytes.split_at_checked(HEADER)?;
        let (magic, hash) = header.split_at(MAGIC.len());
        if *magic != MAGIC || hashing::of(records).as_bytes() != hash {
            return None;
        }
        let mut paths = Vec::new();
        let mut at = HEADER;
        while at < bytes.len() {
            let len = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
            let path = at + 4;
            at = path.checked_add(len)?.checked_add(STAMP + 32)?;
            if at > bytes.len() {
                return None;
            }
            paths.push((path, len));
        }
        Some(Known { bytes, paths })
    }

    /// Returns the remembered hashes, to be looked up in the order of the paths.
    pub fn in_order(&self) -> InOrder<'_> {
        InOrder { known: self, at: 0 }
    }

    fn record(&self, at: usize) -> Option<Remembered> {
        let (stamp, rest) = self.bytes.get(at..)?.split_first_chunk::<STAMP>()?;
        Some((Stamp::decode(stamp), *rest.first_chunk()?))
    }

    /// Returns the number of remembered files.
    pub fn len(&self) -> usize {
        self.paths.len()
    }
}

/// Iterates over remembered hashes in parallel with a list in the same order.
pub struct InOrder<'k> {
    known: &'k Known,
    at: usize,
}

impl InOrder<'_> {
    /// Returns the remembered hash of the next file.
    pub fn of(&mut self, path: &Path) -> Option<Remembered> {
        let Known { bytes, paths } = self.known;
        while let Some(&(start, len)) = paths.get(self.at) {
            match bytes[start..start + len].cmp(path.as_os_str().as_bytes()) {
                Ordering::Less => self.at += 1,
                Ordering::Equal => return self.known.record(start + len),
                Ordering::Greater => return None,
            }
        }
        None
    }
}
