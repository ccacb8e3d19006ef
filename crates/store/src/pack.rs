//! Packs blobs, where that pays. The caller holds the fold lock.
//!
//! A packed blob is verified by unpacking it and then renamed into place. Only then is the plain
//! one removed, so that one of the two exists at any time. If the same blob is recorded meanwhile,
//! there is a plain one again. Both are valid; readers take the plain one, and the next fold that
//! learns of it removes it.

use super::blobs::{self, Form, NewBlob};
use super::metadata::Totals;
use super::old::Old;
use super::packed::{self, Packed};
use super::room::Room;
use super::{Root, account};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result};
use blake3::Hasher;
use cachex_base::record::entry::BlobRef;
use cachex_base::system::fsutil;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use zstd::stream::write::Encoder;

/// The size above which blobs are packed: packing smaller ones would free no disk block.
pub const SHORTEST: u64 = 4096;
/// The maximum size at level 1: unpacking this takes a millisecond.
const UNNOTICED: u64 = 1 << 20;
/// The maximum number of blobs that a fold packs, and roughly their maximum size in bytes: others
/// may be waiting for it.
pub const AT_ONCE: (usize, u64) = (1000, 512 * 1024 * 1024);
/// The block size: files take multiples of it.
const BLOCK: u64 = 4096;
/// The number and size of the samples by which longer blobs are tried first.
const PIECES: (u64, u64) = (4, 64 * 1024);

/// Packs those of `blobs` for which that pays (none at level 0), and records it in the old store.
/// A store of up to `limit` bytes has both forms of a blob for a moment. Returns the new totals.
pub fn pack_all(root: &Root, blobs: &[BlobRef], level: u8, limit: u64) -> Result<Totals> {
    let mut looked_at = Vec::with_capacity(blobs.len());
    for blob in blobs {
        // A blob stays plain if packing fails, which does no harm.
        let stored = if level > 0 { pack(root, blob, level, limit).unwrap_or(None) } else { None };
        looked_at.push((*blob, stored));
    }
    Old::with(root, |old| {
        old.packed(&looked_at)?;
        Ok(old.totals())
    })
}

/// Packs a blob, unless it is packed, packing does not pay, or there is no room for both forms.
/// Returns the size of the packed file, or `None` if the blob stays plain.
pub fn pack(root: &Root, blob: &BlobRef, level: u8, limit: u64) -> Result<Option<u64>> {
    if let Some(packed) = blobs::open_packed(root, blob)? {
        replace(root, blob, None)?;
        return Ok(Some(packed.stored()));
    }
    if level <= 1 && blob.len > UNNOTICED {
        return Ok(None);
    }
    let Some(plain) = blobs::open_plain(root, blob)? else { return Ok(None) };
    if !promises(&plain, blob.len, level)? {
        return Ok(None);
    }
    let mut room = Room::within(root, limit);
    if !room.claim_what_is_free(account::blocks(blob.len))? {
        return Ok(None);
    }
    let new = compressed(root, &plain, blob, level)?;
    let stored = new.len();
    let name = new.name().context("a packed blob has a name")?;
    let content = Packed::open(root, name, blob)?.map(|packed| hash_of(packed.reader()));
    let whole = content.transpose()?.is_some_and(|hash| hash == blob.hash);
    if !whole || !pays(blob.len, stored) {
        return Ok(None);
    }
    replace(root, blob, Some(new))?;
    account::give_back(root, account::blocks(blob.len).saturating_sub(account::blocks(stored)));
    Ok(Some(stored))
}

/// Returns whether packing saves enough to be worth the work of unpacking.
fn pays(len: u64, stored: u64) -> bool {
    stored <= len - len / 8 && stored.div_ceil(BLOCK) < len.div_ceil(BLOCK)
}

/// Returns whether samples of a blob suggest that packing it pays.
fn promises(plain: &File, len: u64, level: u8) -> io::Result<bool> {
    let (count, size) = PIECES;
    if len <= 2 * count * size {
        return Ok(true);
    }
    let mut pieces = vec![0; (count * size) as usize];
    for (n, piece) in (0..count).zip(pieces.chunks_mut(size as usize)) {
        plain.read_exact_at(piece, (len - size) / (count - 1) * n)?;
    }
    let packed = zstd::bulk::compress(&pieces, i32::from(level))?;
    Ok(pays(pieces.len() as u64, packed.len() as u64))
}

fn compressed<'a>(
    root: &'a Root,
    plain: &File,
    blob: &BlobRef,
    level: u8,
) -> Result<blobs::WholeBlob<'a>> {
    let mut out = Summed { file: NewBlob::new(root)?, hasher: Hasher::new() };
    out.write_all(&packed::header(blob))?;
    let mut encoder = Encoder::new(out, i32::from(level))?;
    encoder.set_pledged_src_size(Some(blob.len))?;
    encoder.window_log(packed::WINDOW)?;
    io::copy(&mut blobs::from_start(plain).take(blob.len), &mut encoder)?;
    let mut out = encoder.finish().context("packing a blob")?;
    let sum = out.hasher.finalize();
    out.file.append(sum.as_bytes())?;
    Ok(out.file.finish()?)
}

/// A new file, and a hasher of the bytes written to it.
struct Summed<'a> {
    file: NewBlob<'a>,
    hasher: Hasher,
}

impl Write for Summed<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.hasher.update(buf);
        self.file.append(buf)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hash_of(mut content: impl Read) -> io::Result<blake3::Hash> {
    let mut hasher = Hasher::new();
    io::copy(&mut content, &mut hasher)?;
    Ok(hasher.finalize())
}

/// Puts the packed form in place, if it is new, and removes the plain one.
fn replace(root: &Root, blob: &BlobRef, new: Option<blobs::WholeBlob<'_>>) -> Result<()> {
    let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
    if let Some(new) = new {
        new.keep_as(&Form::Packed.path(&blob.hash))?;
    }
    fsutil::remove_file(root, Form::Plain.path(&blob.hash))?;
    Ok(())
}

#[cfg(test)]
mod tests;
