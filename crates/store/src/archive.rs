//! Archives: entries, and the blobs they need, in one file for another store.
//!
//! An archive is a zstd stream of
//!
//! ```text
//! magic and format version (8 bytes) | records, the last of them an end
//! record: kind (1) | length (8, little-endian) | bytes
//! ```
//!
//! | kind | its bytes |
//! |---|---|
//! | `B` | a blob |
//! | `M` | a blob that is a manifest |
//! | `P` | the key of an automatic call (32), and a path set that leads to results of it, see [`crate::path_sets::shared`] |
//! | `E` | the time of the last use of the entry (8, little-endian), and its sealed form |
//! | `.` | the digest: BLAKE3 over the magic and, of each record before, kind, length and BLAKE3 of its bytes |
//!
//! The records that a record needs precede it, so a reader knows whether an entry is complete
//! when it arrives. Each blob appears once, and entries appear in the order of their keys, so the
//! same results make the same archive. Nothing follows the end record.
//!
//! The digest shows that an archive is whole, not that it is genuine: trust an archive as much as
//! whoever made it.
//!
//! [`export`] writes an archive, [`contents`] reads one without trusting it, and [`intake`] adds
//! its contents to a store.

pub mod contents;
pub mod export;
pub mod intake;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{Reader, Refused, ended};
pub use writer::Writer;

use super::path_sets::shared;
use super::{Root, blobs};
use cachex_base::record::entry::{BlobRef, Bytes, Entry, FORMAT, MAX_SEALED};
use cachex_base::record::manifest::MAX_MANIFEST;

const MAGIC: [u8; 8] = [0x89, b'c', b'x', b'p', b'a', b'c', b'k', FORMAT];
/// The binary logarithm of the largest window, in bytes, that a reader keeps. It is that of zstd
/// level 19, and more than a writer uses.
const WINDOW_LOG: u32 = 23;
/// The size of a buffer for copying, in bytes.
const CHUNK: usize = 128 * 1024;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A blob.
    Blob = b'B',
    /// A blob that is a manifest.
    Manifest = b'M',
    /// A path set of an automatic call.
    PathSet = b'P',
    /// An entry.
    Entry = b'E',
    /// The end of the archive.
    End = b'.',
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Blob, Kind::Manifest, Kind::PathSet, Kind::Entry, Kind::End];

    fn of(byte: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// Returns the maximum length of a record of this kind, in bytes.
    const fn longest(self) -> u64 {
        match self {
            Kind::Blob => u64::MAX,
            Kind::Manifest => MAX_MANIFEST as u64,
            Kind::PathSet => (32 + shared::LONGEST) as u64,
            Kind::Entry => (8 + MAX_SEALED) as u64,
            Kind::End => 32,
        }
    }
}

/// Returns the header of a record: its kind and its length.
fn head(kind: Kind, len: u64) -> [u8; 9] {
    let mut head = [kind as u8; 9];
    head[1..].copy_from_slice(&len.to_le_bytes());
    head
}

/// Returns the blobs that an entry of a store needs, including those that its manifest lists, in
/// the order in which they belong in an archive. Returns `None` if the manifest is gone, damaged,
/// or not what the entry says.
pub fn needs(root: &Root, entry: &Entry) -> Option<Vec<(Kind, BlobRef)>> {
    let streams = [&entry.frames, &entry.data].into_iter().filter_map(Bytes::blob);
    let mut needs: Vec<_> = streams.map(|blob| (Kind::Blob, blob)).collect();
    if let Some(outputs) = entry.outputs {
        let manifest = blobs::manifest(root, &outputs.manifest).ok().flatten()?;
        if manifest.outputs(outputs.manifest) != outputs {
            return None;
        }
        needs.extend(manifest.blobs().map(|blob| (Kind::Blob, blob)));
        needs.push((Kind::Manifest, outputs.manifest));
    }
    Some(needs)
}
