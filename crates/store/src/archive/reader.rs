//! Reads an archive record by record, and trusts nothing in it.
//!
//! Work is bounded by the reader's limit and by the bytes that are really there, not by what the
//! archive claims: lengths are checked against the limit first, and memory grows with the bytes
//! that arrive.

use super::{CHUNK, Kind, MAGIC, WINDOW_LOG, head};
use anyhow::{Context, Result};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use zstd::stream::read::Decoder;

/// The magic number of a zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The reason why an archive is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The input is not an archive.
    Foreign,
    /// The archive has another format version.
    OtherVersion,
    /// The archive is damaged or cut short.
    Damaged,
    /// The archive holds more than this many bytes.
    TooLarge(u64),
    /// The contents take more disk space than this many bytes.
    NoRoom(u64),
    /// The archive holds more pieces than the reader keeps track of.
    TooMany,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Foreign => f.write_str("it is not an archive that `cachex export` made"),
            Refused::OtherVersion => f.write_str("another version of cachex made it"),
            Refused::Damaged => f.write_str("it is damaged or cut short"),
            Refused::TooLarge(limit) => {
                let limit = bytesize::ByteSize::b(*limit).display().iec();
                write!(f, "it holds more than {limit}; --max-size allows more")
            }
            Refused::NoRoom(limit) => {
                let limit = bytesize::ByteSize::b(*limit).display().iec();
                write!(f, "a store of {limit} has no room for it; --max-size allows more")
            }
            Refused::TooMany => f.write_str("it holds more pieces than any store should"),
        }
    }
}

impl std::error::Error for Refused {}

/// A reader of an archive. The archive is known to be whole and undamaged only when
/// [`Reader::next`] returns `None`.
pub struct Reader<R> {
    input: R,
    digest: blake3::Hasher,
    limit: u64,
    /// The number of bytes that the archive may still hold.
    room: u64,
    /// The number of bytes of the current record that are still to be read.
    left: u64,
}

impl<R: Read> Reader<Decoder<'static, BufReader<R>>> {
    /// Reads the archive `input`, which may hold at most `limit` bytes.
    pub fn new(input: R, limit: u64) -> Result<Self> {
        let mut input = BufReader::with_capacity(CHUNK, input);
        if !input.fill_buf()?.starts_with(&ZSTD_MAGIC) {
            return Err(Refused::Foreign.into());
        }
        let mut input = Decoder::with_buffer(input).context("preparing to decompress")?;
        input.window_log_max(WINDOW_LOG).context("preparing to decompress")?;
        Reader::unpacked(input, limit)
    }
}

impl<R: Read> Reader<R> {
    /// Reads an archive that is not compressed, or no longer, and may hold at most `limit` bytes.
    pub fn unpacked(mut input: R, limit: u64) -> Result<Reader<R>> {
        let mut magic = [0; MAGIC.len()];
        fill(&mut input, &mut magic)?;
        if magic != MAGIC {
            let is_akin = magic[..7] == MAGIC[..7];
            return Err(if is_akin { Refused::OtherVersion } else { Refused::Foreign }.into());
        }
        let mut digest = blake3::Hasher::new();
        digest.update(&magic);
        Ok(Reader { input, digest, limit, room: limit, left: 0 })
    }

    /// Returns the kind and the length of the next record. The record before it must have been
    /// read to its end.
    pub fn next(&mut self) -> Result<Option<(Kind, u64)>> {
        let mut bytes = [0; 9];
        fill(&mut self.input, &mut bytes)?;
        let [kind, len @ ..] = bytes;
        let len = u64::from_le_bytes(len);
        let kind = Kind::of(kind).filter(|kind| len <= kind.longest()).ok_or(Refused::Damaged)?;
        if kind == Kind::End {
            return self.end(len).map(|()| None);
        }
        self.room = self.room.checked_sub(len).ok_or(Refused::TooLarge(self.limit))?;
        self.digest.update(&head(kind, len));
        self.left = len;
        Ok(Some((kind, len)))
    }

    /// Passes the bytes of the current record to `each`, chunk by chunk, and returns their hash.
    pub fn content(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<[u8; 32]> {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(self.left).unwrap_or(CHUNK))];
        let mut hasher = blake3::Hasher::new();
        while self.left > 0 {
            let len = chunk.len().min(usize::try_from(self.left).unwrap_or(CHUNK));
            fill(&mut self.input, &mut chunk[..len])?;
            self.left -= len as u64;
            hasher.update(&chunk[..len]);
            each(&chunk[..len])?;
        }
        let hash = *hasher.finalize().as_bytes();
        self.digest.update(&hash);
        Ok(hash)
    }

    /// Returns all bytes of the current record, and their hash.
    pub fn whole(&mut self) -> Result<(Vec<u8>, [u8; 32])> {
        let mut bytes = Vec::new();
        let hash = self.content(&mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        Ok((bytes, hash))
    }

    fn end(&mut self, len: u64) -> Result<()> {
        let mut digest = [0; 32];
        if len != digest.len() as u64 {
            return Err(Refused::Damaged.into());
        }
        fill(&mut self.input, &mut digest)?;
        let is_over = read_some(&mut self.input, &mut [0])? == 0;
        if self.digest.finalize() == digest && is_over {
            Ok(())
        } else {
            Err(Refused::Damaged.into())
        }
    }
}

fn fill(input: &mut impl Read, mut bytes: &mut [u8]) -> Result<()> {
    while !bytes.is_empty() {
        match read_some(input, bytes)? {
            0 => return Err(Refused::Damaged.into()),
            n => bytes = &mut bytes[n..],
        }
    }
    Ok(())
}

/// Reads some bytes. An error without an OS error number comes from the decompressor and means
/// damage.
fn read_some(input: &mut impl Read, bytes: &mut [u8]) -> Result<usize> {
    loop {
        match input.read(bytes) {
            Ok(n) => return Ok(n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error().is_some() => return Err(error.into()),
            Err(_) => return Err(Refused::Damaged.into()),
        }
    }
}

/// Returns these records, as far as they are well-formed, followed by an end record with the
/// right digest.
pub fn ended(records: &[u8]) -> Vec<u8> {
    let Some((magic, mut rest)) = records.split_first_chunk::<{ MAGIC.len() }>() else {
        return records.to_vec();
    };
    let mut digest = blake3::Hasher::new();
    digest.update(magic);
    let mut whole = magic.to_vec();
    while let Some((head, behind)) = rest.split_first_chunk::<9>() {
        let [kind, len @ ..] = *head;
        let len = usize::try_from(u64::from_le_bytes(len)).unwrap_or(usize::MAX);
        let Some((bytes, behind)) = behind.split_at_checked(len) else { break };
        if kind == Kind::End as u8 {
            break;
        }
        digest.update(head).update(blake3::hash(bytes).as_bytes());
        whole.extend(head);
        whole.extend(bytes);
        rest = behind;
    }
    whole.extend(head(Kind::End, 32));
    whole.extend(digest.finalize().as_bytes());
    whole
}
