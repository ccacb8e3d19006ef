//! The sealed form of an entry.
//!
//! An entry on disk, either a young file or a value in the old store, is
//!
//! ```text
//! magic and format version (8 bytes) | length of the body (4) | BLAKE3 of the body (32) | body | parts
//! body: sum of the parts (8) | bincode of the entry
//! ```
//!
//! Numbers are little-endian. [`open`] verifies an entry before anything is decoded. The parts
//! serve `explain` and never a hit, so a hit does not pay for a cryptographic hash of them: a
//! [`sum`] detects flipped bits.
//!
//! A [`View`] has the fields of the encoded entry that a hit needs, read in place. It is stricter
//! than the full decoder: where it returns nothing, the decoder decides.

use crate::bytes::eq;
use crate::hash;
use core::fmt;

/// The version byte of a sealed entry.
pub const FORMAT: u8 = 1;
/// The first bytes of a sealed entry.
pub const MAGIC: [u8; 8] = [0x89, b'c', b'a', b'c', b'h', b'e', b'x', FORMAT];
/// The length of the header, before the body.
pub const HEADER: usize = MAGIC.len() + 4 + 32;
/// The length of the sum of the parts.
pub const SUM: usize = 8;

/// The maximum length of a sealed entry. Streams, the only part without a bound of its own, are
/// stored in blobs beyond [`INLINE_LIMIT`].
pub const MAX_SEALED: usize = 16 * 1024;
/// The maximum length of streams that are stored in the entry itself, so that a usual entry fits
/// into one 4 KiB page of the old store and of the file system.
pub const INLINE_LIMIT: usize = 2048;
/// The maximum length of an entry's parts in bytes.
pub const PARTS_LIMIT: usize = 3 * 1024;
/// The maximum number of tags of an entry.
pub const MAX_TAGS: usize = 16;
/// The maximum length of a tag in bytes. It has at least one, and none that is zero.
pub const MAX_TAG: usize = 64;

/// The error of bytes that were changed since they were written, or are of another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored record is damaged")
    }
}

impl core::error::Error for Damaged {}

/// Returns the encoded entry and the parts of a sealed one, both verified.
pub fn open(sealed: &[u8]) -> Result<(&[u8], &[u8]), Damaged> {
    open_by(sealed, hash::short)
}

/// Does the same with a function for BLAKE3, which may refuse what is too long for it.
#[inline]
pub fn open_by(
    sealed: &[u8],
    hash: impl FnOnce(&[u8]) -> Option<[u8; 32]>,
) -> Result<(&[u8], &[u8]), Damaged> {
    let (magic, rest) = sealed.split_first_chunk::<8>().ok_or(Damaged)?;
    let (len, rest) = rest.split_first_chunk().ok_or(Damaged)?;
    let (expected, rest) = rest.split_first_chunk::<32>().ok_or(Damaged)?;
    let len = u32::from_le_bytes(*len) as usize;
    let (body, parts) = rest.split_at_checked(len).ok_or(Damaged)?;
    if !eq(magic, &MAGIC) || sealed.len() > MAX_SEALED {
        return Err(Damaged);
    }
    if !hash(body).is_some_and(|hash| eq(&hash, expected)) {
        return Err(Damaged);
    }
    let (expected, encoded) = body.split_first_chunk().ok_or(Damaged)?;
    if sum(parts) != u64::from_le_bytes(*expected) {
        return Err(Damaged);
    }
    Ok((encoded, parts))
}

/// Computes a checksum that detects any change within one word of eight bytes.
///
/// Each step takes in a word, and is a bijection both of that word and of the state: an exclusive
/// or, a product with an odd number, a rotation. So different states stay different. It is no
/// protection against forged parts.
pub fn sum(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |state: u64, word: [u8; 8]| {
        (state ^ u64::from_le_bytes(word)).wrapping_mul(ODD).rotate_left(29)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    crate::bytes::copy(&mut last, rest);
    let state = words.iter().fold(bytes.len() as u64, |state, word| step(state, *word));
    step(state, last)
}

/// The bytes of both streams, in the order of the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// Stored in the entry.
    Inline(&'a [u8]),
    /// Stored in a blob of this hash and length.
    Blob(&'a [u8; 32], u64),
}

impl Data<'_> {
    /// Returns the number of bytes.
    pub fn count(&self) -> u64 {
        match self {
            Data::Inline(bytes) => bytes.len() as u64,
            Data::Blob(_, len) => *len,
        }
    }
}

/// The fields that a hit needs of an entry without files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// The cache key that it was recorded under.
    pub key: &'a [u8; 32],
    /// The time when the run ended, in nanoseconds since 1970.
    pub created: u64,
    /// The duration for which it may be served from then on, in nanoseconds; none: for ever.
    pub expires_in: Option<u64>,
    /// The run time of the command, in nanoseconds.
    pub run_time: u64,
    /// The exit status of the command.
    pub status: u8,
    /// The bytes that the command read of a standard input that is a file.
    pub stdin_consumed: Option<u64>,
    /// The chunks of both streams in the order in which they came, see [`crate::frames`].
    pub frames: &'a [u8],
    /// The bytes of those chunks.
    pub data: Data<'a>,
}

/// The maximum number of arguments that are skipped. Entries with more are not read here.
const ARGUMENTS: u64 = 256;

impl<'a> View<'a> {
    /// Reads an encoded entry. Returns `None` if it is invalid or not supported here.
    pub fn read(encoded: &'a [u8]) -> Option<View<'a>> {
        // The full decoder has a limit, which cannot be reached below this.
        if encoded.len() > MAX_SEALED / 2 {
            return None;
        }
        let mut reader = Reader(encoded);
        let key = reader.array()?;
        let created = reader.number()?;
        let expires_in = reader.optional_number().ok()?;
        let _stale_for = reader.optional_number().ok()?;
        let view = View {
            key,
            created,
            expires_in,
            run_time: reader.number()?,
            status: reader.byte()?,
            stdin_consumed: reader.optional_number().ok()?,
            frames: reader.inline()?,
            data: reader.data()?,
        };
        let outputs = reader.byte()?;
        if outputs != 0 {
            return None;
        }
        reader.about()?;
        reader.0.is_empty().then_some(view)
    }
}

/// A reader of bincode's standard encoding.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(array)
    }

    fn byte(&mut self) -> Option<u8> {
        let [byte] = self.array()?;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u64> {
        Some(match self.byte()? {
            small @ 0..=250 => u64::from(small),
            251 => u64::from(u16::from_le_bytes(*self.array()?)),
            252 => u64::from(u32::from_le_bytes(*self.array()?)),
            253 => u64::from_le_bytes(*self.array()?),
            _ => return None,
        })
    }

    /// Reads an optional number.
    fn optional_number(&mut self) -> Result<Option<u64>, Damaged> {
        let is_there = self.flag().ok_or(Damaged)?;
        is_there.then(|| self.number().ok_or(Damaged)).transpose()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads bytes that are stored in the entry.
    fn inline(&mut self) -> Option<&'a [u8]> {
        if self.number()? == 0 { self.bytes() } else { None }
    }

    fn data(&mut self) -> Option<Data<'a>> {
        match self.number()? {
            0 => Some(Data::Inline(self.bytes()?)),
            1 => {
                let (hash, len) = (self.array()?, self.number()?);
                (len <= hash::LONGEST as u64).then_some(Data::Blob(hash, len))
            }
            _ => None,
        }
    }

    /// Reads text, if it is ASCII.
    fn text(&mut self) -> Option<&'a [u8]> {
        let text = self.bytes()?;
        text.iter().all(u8::is_ascii).then_some(text)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// Skips the description for people.
    fn about(&mut self) -> Option<()> {
        let arguments = self.number()?;
        if arguments > ARGUMENTS {
            return None;
        }
        for _ in 0..arguments {
            self.bytes()?;
        }
        let _is_cut = self.flag()?;
        if self.flag()? {
            self.bytes()?;
        }
        if self.flag()? {
            self.text()?;
        }
        let tags = self.number()?;
        if tags > MAX_TAGS as u64 {
            return None;
        }
        for _ in 0..tags {
            let tag = self.text()?;
            if tag.is_empty() || tag.len() > MAX_TAG || tag.contains(&0) {
                return None;
            }
        }
        Some(())
    }
}
