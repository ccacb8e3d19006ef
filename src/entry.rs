//! The record of one run, and its codec.
//!
//! An entry on disk, be it a young file or a value in the old store, is
//!
//! ```text
//! magic and format version (8 bytes) | BLAKE3 of the rest (32 bytes) | bincode of `Entry`
//! ```
//!
//! An [`Entry`] that came out of [`Entry::open`] was verified: its checksum
//! held, and nothing was decoded before. What a decode may allocate is capped,
//! so a record that claims an absurd length is an error, not an allocation.

use crate::clock::Timestamp;
use crate::hashing;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The folder name and the version byte of this format.
pub const FORMAT: u8 = 1;
const MAGIC: [u8; 8] = [0x89, b'c', b'a', b'c', b'h', b'e', b'x', FORMAT];
const HEADER: usize = MAGIC.len() + 32;

/// No sealed entry is longer: streams, the only part without a bound of its
/// own, go to blobs beyond [`INLINE_LIMIT`].
pub const MAX_SEALED: usize = 16 * 1024;
/// Streams up to this many bytes lie in the entry itself, so that a usual
/// entry stays within one 4 KiB page of the old store and of the file system.
pub const INLINE_LIMIT: usize = 2048;

/// What identifies an invocation: BLAKE3-256 of everything its output may
/// depend on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// The first eight bytes as a number; keys are uniform, so this orders and
    /// spreads them as well as the whole does.
    pub fn prefix(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(first)
    }

    /// The key in 64 lower-case hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Key> {
        Some(Key(*blake3::Hash::from_hex(hex).ok()?.as_bytes()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// A file named by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The blob they lie in.
    pub fn blob(&self) -> Option<BlobRef> {
        match self {
            Bytes::Inline(_) => None,
            Bytes::Blob(blob) => Some(*blob),
        }
    }
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
}

impl About {
    /// The most bytes of a command line, and of a path, that an entry keeps.
    pub const LIMIT: usize = 768;
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
    /// For people.
    pub about: About,
}

impl Entry {
    /// The sealed form: what is written to disk.
    pub fn seal(&self) -> Result<Vec<u8>, Damaged> {
        let mut sealed = vec![0; HEADER];
        bincode::serde::encode_into_std_write(self, &mut sealed, codec()).map_err(|_| Damaged)?;
        if sealed.len() > MAX_SEALED {
            return Err(Damaged);
        }
        put_header(&mut sealed);
        Ok(sealed)
    }

    /// The sealed form of any body: what verifies, whether or not it decodes.
    pub fn seal_body(body: &[u8]) -> Vec<u8> {
        let mut sealed = [&[0; HEADER], body].concat();
        put_header(&mut sealed);
        sealed
    }

    /// Verifies and decodes a sealed entry of `key`.
    pub fn open(key: &Key, sealed: &[u8]) -> Result<Entry, Damaged> {
        let entry = Entry::open_any(sealed)?;
        if entry.key == *key { Ok(entry) } else { Err(Damaged) }
    }

    /// Verifies and decodes a sealed entry, whatever its key.
    pub fn open_any(sealed: &[u8]) -> Result<Entry, Damaged> {
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(Damaged)?;
        let (magic, sum) = header.split_at(MAGIC.len());
        if magic != MAGIC || sealed.len() > MAX_SEALED || hashing::of(body).as_bytes() != sum {
            return Err(Damaged);
        }
        match bincode::serde::decode_from_slice(body, codec()) {
            Ok((entry, used)) if used == body.len() => Ok(entry),
            _ => Err(Damaged),
        }
    }

    /// The blobs it needs.
    pub fn blobs(&self) -> impl Iterator<Item = BlobRef> {
        [&self.frames, &self.data].into_iter().filter_map(Bytes::blob)
    }

    /// The bytes it keeps in blobs.
    pub fn blob_bytes(&self) -> u64 {
        self.blobs().map(|blob| blob.len).fold(0, u64::saturating_add)
    }

    /// When it expires by what it was recorded with.
    pub fn expires(&self) -> Option<Timestamp> {
        Some(self.created.plus(Duration::from_nanos(self.expires_in?)))
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

/// Writes the header over what is reserved for it.
fn put_header(sealed: &mut [u8]) {
    let sum = hashing::of(&sealed[HEADER..]);
    sealed[..MAGIC.len()].copy_from_slice(&MAGIC);
    sealed[MAGIC.len()..HEADER].copy_from_slice(sum.as_bytes());
}

fn codec() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<MAX_SEALED>()
}

/// Bytes that are not what was written, or are of another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored record is damaged")
    }
}

impl std::error::Error for Damaged {}
