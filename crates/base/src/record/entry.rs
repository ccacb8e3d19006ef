//! The record of one run, and its codec.
//!
//! The sealed form, which is what lies on disk, is told of in [`cachex_core::entry`]. An
//! [`Entry`] that came out of [`Entry::open`] was verified: its checksum held, and nothing
//! was decoded before. What a decode may allocate is capped, so a record that claims an
//! absurd length is an error, not an allocation.

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

/// A file named by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// Its length in bytes.
    pub len: u64,
}

/// Bytes that lie in the entry or in a blob, whichever their number asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bytes {
    /// In the entry.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    /// In a blob of its own.
    Blob(BlobRef),
}

impl Bytes {
    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Bytes::Inline(bytes) => bytes.len() as u64,
            Bytes::Blob(blob) => blob.len,
        }
    }

    /// The blob they lie in.
    pub fn blob(&self) -> Option<BlobRef> {
        match self {
            Bytes::Inline(_) => None,
            Bytes::Blob(blob) => Some(*blob),
        }
    }
}

/// The files that a run left behind, as far as they were declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// The blob that lists them, see `crate::record::manifest`. What it lists is needed
    /// by it, and not by the entry.
    pub manifest: BlobRef,
    /// How many files there are.
    pub files: u64,
    /// The sum of their lengths in bytes.
    pub bytes: u64,
}

/// What was run, for people to read: never compared, never run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The arguments, the command first, cut to [`About::LIMIT`] bytes in all.
    pub argv: Vec<serde_bytes::ByteBuf>,
    /// Whether `argv` was cut.
    pub cut: bool,
    /// Where it ran, unless the key leaves that out.
    pub cwd: Option<serde_bytes::ByteBuf>,
    /// The `--scope` it belongs to.
    pub scope: Option<String>,
    /// The `--tag`s it has: at most `MAX_TAGS`.
    pub tags: Vec<String>,
}

impl About {
    /// The most bytes of a command line, and of a path, that an entry keeps.
    pub const LIMIT: usize = 768;

    /// What is known of a command of which there is only a name, if there is.
    #[cfg(feature = "cli")]
    pub fn of_name(name: Option<&str>) -> About {
        let argv = name.map(serde_bytes::ByteBuf::from).into_iter().collect();
        About { argv, cut: true, cwd: None, scope: None, tags: Vec::new() }
    }

    /// The command line, word by word.
    #[cfg(feature = "cli")]
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.argv.iter().map(|word| &word[..])
    }

    /// The command without the folder it lies in.
    pub fn name(&self) -> &[u8] {
        self.argv.first().map_or(&[], |command| base_name(command))
    }
}

/// What follows the last slash.
pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// One recorded run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The key it was recorded under; a file that was moved to another key's
    /// place does not pass for that key's entry.
    pub key: Key,
    /// When the run ended.
    pub created: Timestamp,
    /// How long it may be served from then on, in nanoseconds; none: for ever.
    pub expires_in: Option<u64>,
    /// How long it is kept after that, in nanoseconds, for `--stale-if-error`.
    pub stale_for: Option<u64>,
    /// How long the command ran, in nanoseconds.
    pub run_time: u64,
    /// What it exited with.
    pub status: u8,
    /// How far the command read a standard input that is a file.
    pub stdin_consumed: Option<u64>,
    /// The chunks of both streams in the order they came, see `frames.rs`.
    pub frames: Bytes,
    /// The bytes of those chunks, one after the other.
    pub data: Bytes,
    /// The declared files it left behind; none if none were declared.
    pub outputs: Option<Outputs>,
    /// For people.
    pub about: About,
    /// What `explain` compares, see its module: at most `PARTS_LIMIT` bytes.
    #[serde(skip)]
    pub parts: Vec<u8>,
}

impl Entry {
    /// The length of its output, or of its files in all, whichever is more: what
    /// `--max-entry-size` is about.
    pub fn longest(&self) -> u64 {
        self.data.count().max(self.outputs.map_or(0, |outputs| outputs.bytes))
    }

    /// The sealed form: what is written to disk.
    pub fn seal(&self) -> Result<Vec<u8>, Damaged> {
        if !self.is_within_limits() {
            return Err(Damaged);
        }
        let mut sealed = vec![0; HEADER + SUM];
        bincode::serde::encode_into_std_write(self, &mut sealed, codec()).map_err(|_| Damaged)?;
        let sealed = finished(sealed, &self.parts);
        if sealed.len() > MAX_SEALED { Err(Damaged) } else { Ok(sealed) }
    }

    /// The sealed form of any encoding: what verifies, whether or not it decodes.
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
        let (encoded, parts) = sealed::open(sealed)?;
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

    /// The blobs it needs itself: its output, and the list of the files it left behind.
    pub fn blobs(&self) -> impl Iterator<Item = BlobRef> {
        self.streams().chain(self.manifest())
    }

    /// The blobs of its output.
    pub fn streams(&self) -> impl Iterator<Item = BlobRef> {
        [&self.frames, &self.data].into_iter().filter_map(Bytes::blob)
    }

    /// The list of the files it left behind.
    pub fn manifest(&self) -> Option<BlobRef> {
        self.outputs.map(|outputs| outputs.manifest)
    }

    /// The bytes it keeps in blobs, those of the files it left behind included.
    pub fn blob_bytes(&self) -> u64 {
        let files = self.outputs.map_or(0, |outputs| outputs.bytes);
        self.blobs().map(|blob| blob.len).fold(files, u64::saturating_add)
    }

    /// When it expires by what it was recorded with.
    pub fn expires(&self) -> Option<Timestamp> {
        Some(self.created.plus(Duration::from_nanos(self.expires_in?)))
    }

    /// When nothing can be done with it any more: it expired, and the time for
    /// which it is kept beyond that has passed too.
    pub fn gone(&self) -> Option<Timestamp> {
        Some(self.expires()?.plus(Duration::from_nanos(self.stale_for.unwrap_or(0))))
    }

    /// Whether it may still be served, be it that the command fails.
    pub fn is_of_use(&self, now: Timestamp) -> bool {
        now >= self.created && self.gone().is_none_or(|gone| now < gone)
    }

    /// Its age, if it is still fresh: younger than what it was recorded with
    /// and than `limit`, and not from the future.
    pub fn fresh(&self, now: Timestamp, limit: Option<Duration>) -> Option<Duration> {
        let age = now.since(self.created)?;
        let recorded = self.expires_in.map(Duration::from_nanos);
        let within = |limit: Option<Duration>| limit.is_none_or(|limit| age < limit);
        (within(recorded) && within(limit)).then_some(age)
    }
}

/// Writes header and sum over what is reserved for them, and the parts behind.
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
