//! The record of one run, and its codec.
//!
//! The sealed form, which is stored on disk, is described in [`cachex_core::entry`]. An [`Entry`]
//! returned by [`Entry::open`] was verified: its checksum matched before anything was decoded.
//! Allocations of a decode are capped, so a record that claims an absurd length is an error, not an
//! allocation.

mod tag;

use crate::system::clock::Timestamp;
use crate::system::hashing;
use cachex_core::entry::{self as sealed, HEADER, MAGIC, SUM, sum};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use super::key::Key;
pub use cachex_core::entry::{
    Damaged, FORMAT, INLINE_LIMIT, MAX_SEALED, MAX_TAG, MAX_TAGS, PARTS_LIMIT,
};
pub use tag::Tag;

/// A reference to a file by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// The length of the content in bytes.
    pub len: u64,
}

/// Bytes that are stored in the entry or, if there are many, in a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bytes {
    /// Stored in the entry.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Stored in a blob of their own.
    Blob(BlobRef),
}

impl Bytes {
    /// Returns the number of bytes.
    pub fn count(&self) -> u64 {
        match self {
            Bytes::Inline(bytes) => bytes.len() as u64,
            Bytes::Blob(blob) => blob.len,
        }
    }

    /// Returns the blob that holds them, if any.
    pub fn blob(&self) -> Option<BlobRef> {
        match self {
            Bytes::Inline(_) => None,
            Bytes::Blob(blob) => Some(*blob),
        }
    }
}

/// The declared files that a run left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// The blob that lists them, see `crate::record::manifest`. The listed blobs are referenced by
    /// the manifest, not by the entry.
    pub manifest: BlobRef,
    /// The number of files.
    pub files: u64,
    /// The sum of their lengths in bytes.
    pub bytes: u64,
}

/// The command that was run, for people to read: never compared, never run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The arguments, the command first, cut to [`About::LIMIT`] bytes in all.
    pub argv: Vec<serde_bytes::ByteBuf>,
    /// True if `argv` was cut.
    pub cut: bool,
    /// The working directory, unless the key leaves that out.
    pub cwd: Option<serde_bytes::ByteBuf>,
    /// The `--scope` that the entry belongs to.
    pub scope: Option<String>,
    /// The `--tag`s of the entry: at most `MAX_TAGS`.
    pub tags: Vec<String>,
}

impl About {
    /// The maximum bytes of a command line, and of a path, that an entry keeps.
    pub const LIMIT: usize = 768;

    /// Describes a command of which at most the name is known.
    #[cfg(feature = "cli")]
    pub fn of_name(name: Option<&str>) -> About {
        let argv = name.map(serde_bytes::ByteBuf::from).into_iter().collect();
        About { argv, cut: true, cwd: None, scope: None, tags: Vec::new() }
    }

    /// Returns the words of the command line.
    #[cfg(feature = "cli")]
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.argv.iter().map(|word| &word[..])
    }

    /// Returns the command without its folder.
    pub fn name(&self) -> &[u8] {
        self.argv.first().map_or(&[], |command| base_name(command))
    }
}

/// Returns the part after the last slash.
pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// One recorded run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The cache key that it was recorded under. A file moved to another key's place is not
    /// accepted as that key's entry.
    pub key: Key,
    /// The time when the run ended.
    pub created: Timestamp,
    /// The duration for which it may be served from then on, in nanoseconds; none: for ever.
    pub expires_in: Option<u64>,
    /// The duration for which it is kept after that, in nanoseconds, for `--stale-if-error`.
    pub stale_for: Option<u64>,
    /// The run time of the command, in nanoseconds.
    pub run_time: u64,
    /// The exit status of the command.
    pub status: u8,
    /// The bytes that the command read of a standard input that is a file.
    pub stdin_consumed: Option<u64>,
    /// The chunks of both streams in the order in which they came, see `frames.rs`.
    pub frames: Bytes,
    /// The bytes of those chunks, concatenated.
    pub data: Bytes,
    /// The declared files that it left behind; none if none were declared.
    pub outputs: Option<Outputs>,
    /// A description for people.
    pub about: About,
    /// The key components that `explain` compares, see its module: at most `PARTS_LIMIT` bytes.
    #[serde(skip)]
    pub parts: Vec<u8>,
}

impl Entry {
    /// Returns the length of its output or the sum of its files, whichever is more: the subject of
    /// `--max-entry-size`.
    pub fn longest(&self) -> u64 {
        self.data.count().max(self.outputs.map_or(0, |outputs| outputs.bytes))
    }

    /// Returns the sealed form, which is written to disk.
    pub fn seal(&self) -> Result<Vec<u8>, Damaged> {
        if !self.is_within_limits() {
            return Err(Damaged);
        }
        let mut sealed = vec![0; HEADER + SUM];
        bincode::serde::encode_into_std_write(self, &mut sealed, codec()).map_err(|_| Damaged)?;
        let sealed = finished(sealed, &self.parts);
        if sealed.len() > MAX_SEALED { Err(Damaged) } else { Ok(sealed) }
    }

    /// Seals any encoding: the result verifies, whether or not it decodes.
    pub fn seal_any(encoded: &[u8], parts: &[u8]) -> Vec<u8> {
        finished([&[0; HEADER + SUM], encoded].concat(), parts)
    }

    /// Verifies and decodes a sealed entry of `key`.
    pub fn open(key: &Key, sealed: &[u8]) -> Result<Entry, Damaged> {
        let entry = Entry::open_any(sealed)?;
        if entry.key == *key { Ok(entry) } else { Err(Damaged) }
    }

    /// Verifies and decodes a sealed entry, whatever its key.
    pub fn open_any(sealed: &[u8]) -> Result<Entry, Damaged> {
        let (encoded, parts) = sealed::open_by(sealed, |body| Some(*hashing::of(body).as_bytes()))?;
        match bincode::serde::decode_from_slice::<Entry, _>(encoded, codec()) {
            Ok((mut entry, used)) if used == encoded.len() => {
                entry.parts = parts.to_vec();
                if entry.is_within_limits() { Ok(entry) } else { Err(Damaged) }
            }
            _ => Err(Damaged),
        }
    }

    fn is_within_limits(&self) -> bool {
        let tags = &self.about.tags;
        self.parts.len() <= PARTS_LIMIT
            && tags.len() <= MAX_TAGS
            && tags.iter().all(|tag| (1..=MAX_TAG).contains(&tag.len()) && !tag.contains('\0'))
    }

    /// Returns the blobs that it references itself: its output, and the manifest of its files.
    pub fn blobs(&self) -> impl Iterator<Item = BlobRef> {
        self.streams().chain(self.manifest())
    }

    /// Returns the blobs of its output.
    pub fn streams(&self) -> impl Iterator<Item = BlobRef> {
        [&self.frames, &self.data].into_iter().filter_map(Bytes::blob)
    }

    /// Returns the manifest of the files that it left behind.
    pub fn manifest(&self) -> Option<BlobRef> {
        self.outputs.map(|outputs| outputs.manifest)
    }

    /// Returns the bytes that it keeps in blobs, including those of the files that it left behind.
    pub fn blob_bytes(&self) -> u64 {
        let files = self.outputs.map_or(0, |outputs| outputs.bytes);
        self.blobs().map(|blob| blob.len).fold(files, u64::saturating_add)
    }

    /// Returns the time when it expires by its own settings.
    pub fn expires(&self) -> Option<Timestamp> {
        Some(self.created.plus(Duration::from_nanos(self.expires_in?)))
    }

    /// Returns the time when it becomes useless: it expired, and the extra time for which it is
    /// kept has passed too.
    pub fn gone(&self) -> Option<Timestamp> {
        Some(self.expires()?.plus(Duration::from_nanos(self.stale_for.unwrap_or(0))))
    }

    /// Returns whether it may still be served, if only because the command failed.
    pub fn is_of_use(&self, now: Timestamp) -> bool {
        now >= self.created && self.gone().is_none_or(|gone| now < gone)
    }

    /// Returns its age if it is fresh: younger than its own limit and `limit`, and not from the
    /// future.
    pub fn fresh(&self, now: Timestamp, limit: Option<Duration>) -> Option<Duration> {
        let age = now.since(self.created)?;
        let recorded = self.expires_in.map(Duration::from_nanos);
        let within = |limit: Option<Duration>| limit.is_none_or(|limit| age < limit);
        (within(recorded) && within(limit)).then_some(age)
    }
}

/// Writes the header and the checksum into the reserved space, and appends the components.
fn finished(mut sealed: Vec<u8>, parts: &[u8]) -> Vec<u8> {
    let (header, body) = sealed.split_at_mut(HEADER);
    body[..SUM].copy_from_slice(&sum(parts).to_le_bytes());
    let (magic, rest) = header.split_at_mut(MAGIC.len());
    let (len, hash) = rest.split_at_mut(4);
    magic.copy_from_slice(&MAGIC);
    len.copy_from_slice(&(body.len() as u32).to_le_bytes());
    hash.copy_from_slice(hashing::of(body).as_bytes());
    sealed.extend(parts);
    sealed
}

fn codec() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<MAX_SEALED>()
}

#[cfg(test)]
mod tests;
