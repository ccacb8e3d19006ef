//! Removes entries from the database where sled has no room to do so.
//!
//! sled writes before it frees anything: a page of 16 KiB for each entry. Here each of the
//! databases with such entries is read into memory, deleted, and written anew without them. That
//! needs no more room than there was, and what it frees is free at once. The entries come first:
//! they are the bulk, so there is room for the index afterwards.
//!
//! A process that is killed in between loses the entries of one database, which costs misses, or
//! the index. Therefore `PARTIAL` exists while the index is written. Where the index is not
//! whole, nothing is concluded from what it lacks, and the next fold makes it anew from the
//! entries by an [audit](super::audit). So it is left out as well if somebody else takes the room
//! meanwhile. What cannot be made anew is lost then: the statistics, and when entries were last
//! used.
//!
//! The caller holds the fold lock.

use super::database::{Filling, open_database, step};
use super::metadata::{Totals, decode, encode};
use super::old::INDEX;
use super::shards::Shards;
use super::{Root, blob_refs, guard, room};
use anyhow::{Context, Result};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fs::OFlags;
use std::collections::HashSet;
use std::path::Path;

/// The mark of an index that is not whole.
const PARTIAL: &str = "old/index.partial";

/// The number of rows after which this process shows that it is alive.
const OFTEN: usize = 10_000;

/// What was removed.
#[derive(Debug, Default)]
pub struct TakenOut {
    /// The number of entries.
    pub count: u64,
    /// The blobs that no entry of the database references any more.
    pub orphans: Vec<[u8; 32]>,
}

/// Returns whether the index lacks rows.
pub fn is_partial(root: &Root) -> bool {
    !matches!(fsutil::stat(root, PARTIAL), Ok(None))
}

/// Removes the mark, after an audit restored the rows.
pub fn is_whole_again(root: &Root) -> Result<()> {
    fsutil::remove_file(root, PARTIAL).context("finishing the index")?;
    Ok(())
}

/// Removes the entries of these keys, and calls `alive` now and then.
pub fn take_out(root: &Root, keys: &[[u8; 32]], alive: &mut dyn FnMut()) -> Result<TakenOut> {
    let (count, bytes) = guard::guarded(
        root,
        |path| Ok(Shards::of(path, 0)?),
        |entries| Ok(entries.take_out_in_place(keys, alive)?),
    )?;
    let mut removal = Removal {
        keys: keys.iter().collect(),
        manifests: HashSet::new(),
        done: TakenOut { count, orphans: Vec::new() },
        bytes,
    };
    let index = |path: &Path| Ok(path.join(INDEX));
    match guard::guarded(root, index, |index| removal.rewrite(root, index, alive)) {
        // The index is left out, for an audit where there is room again.
        Err(_) if is_partial(root) && room::is_short(root) => {
            let _ = std::fs::remove_dir_all(root.path().join(guard::DIR).join(INDEX));
        }
        done => done?,
    }
    Ok(removal.done)
}

/// The removal of entries from the index.
struct Removal<'k> {
    keys: HashSet<&'k [u8; 32]>,
    /// The manifests that no entry references any more.
    manifests: HashSet<[u8; 32]>,
    /// The bytes of the entries, and of the orphans.
    bytes: u64,
    done: TakenOut,
}

impl Removal<'_> {
    fn rewrite(&mut self, root: &Root, index: &Path, alive: &mut dyn FnMut()) -> Result<()> {
        let rows = Rows::of(index, alive)?;
        self.note_references(&rows);
        alive();
        fsutil::create_file(root, PARTIAL, OFlags::WRONLY).context("marking the index")?;
        std::fs::remove_dir_all(index)?;
        failpoint::at("index")?;
        let db = open_database(index)?;
        let mut filling = Filling::default();
        for (n, (place, value)) in rows.iter().filter(|(place, _)| self.keeps(place)).enumerate() {
            if n % OFTEN == 0 {
                alive();
            }
            match decode::<Totals>(value).filter(|_| place == b"mtotals") {
                Some(totals) => filling.insert(&db, place, encode(&self.left_of(totals)))?,
                None => filling.insert(&db, place, value)?,
            }
        }
        db.flush()?;
        drop(db);
        is_whole_again(root)
    }

    fn left_of(&self, totals: Totals) -> Totals {
        Totals {
            entries: totals.entries.saturating_sub(self.done.count),
            bytes: totals.bytes.saturating_sub(self.bytes),
            ..totals
        }
    }

    /// Determines which manifests and blobs are no longer referenced.
    fn note_references(&mut self, rows: &Rows) {
        for (blob, owners) in rows.references() {
            let owned = |as_manifest: bool| {
                let mut owners = owners.iter();
                owners.any(|it| it.is_manifest == as_manifest && !self.keys.contains(&it.owner))
            };
            let was_manifest = owners.iter().any(|it| it.is_manifest);
            if was_manifest && !owned(true) {
                self.manifests.insert(blob);
            }
        }
        for (blob, owners) in rows.references() {
            if owners.iter().all(|it| self.is_gone(&it.owner)) {
                self.done.orphans.push(blob);
                let size = owners.iter().map(|it| it.size).max().unwrap_or_default();
                self.bytes = self.bytes.saturating_add(size);
            }
        }
    }

    /// Returns whether an owner of references is one of the entries, or a manifest of them alone.
    fn is_gone(&self, owner: &[u8; 32]) -> bool {
        self.keys.contains(owner) || self.manifests.contains(owner)
    }

    /// Returns whether a row is kept: each that leads to an entry ends with its key.
    fn keeps(&self, place: &[u8]) -> bool {
        match place.split_last_chunk::<32>() {
            Some(([b'f' | b'u' | b'x' | b't' | b'c' | b'b', ..], owner)) => !self.is_gone(owner),
            _ => true,
        }
    }
}

/// The rows of the index, in order. In memory they take hardly more than their bytes: there may be
/// millions.
struct Rows {
    /// The length of the place and of the value (4 each), and both, for each row.
    bytes: Vec<u8>,
}

/// A reference to a blob.
struct Reference {
    owner: [u8; 32],
    is_manifest: bool,
    size: u64,
}

impl Rows {
    fn of(index: &Path, alive: &mut dyn FnMut()) -> Result<Rows> {
        let mut bytes = Vec::new();
        let db = open_database(index)?;
        for (n, row) in db.iter().enumerate() {
            step()?;
            if n % OFTEN == 0 {
                alive();
            }
            let (place, value) = row?;
            bytes.try_reserve(8 + place.len() + value.len()).context("reading the index")?;
            bytes.extend((place.len() as u32).to_ne_bytes());
            bytes.extend((value.len() as u32).to_ne_bytes());
            bytes.extend_from_slice(&place);
            bytes.extend_from_slice(&value);
        }
        Ok(Rows { bytes })
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (place, after) = rest.split_first_chunk::<4>()?;
            let (value, after) = after.split_first_chunk::<4>()?;
            let len = |bytes: &[u8; 4]| u32::from_ne_bytes(*bytes) as usize;
            let (place, after) = after.split_at_checked(len(place))?;
            let (value, after) = after.split_at_checked(len(value))?;
            rest = after;
            Some((place, value))
        })
    }

    /// Returns the referenced blobs, and the references to each.
    fn references(&self) -> impl Iterator<Item = ([u8; 32], Vec<Reference>)> {
        let mut rows = self.iter().filter_map(|(place, value)| {
            let (blob, owner) = blob_refs::split(place.strip_prefix(b"b")?)?;
            let is_manifest = blob_refs::is_of_manifest(value);
            let size = blob_refs::size_in(value).unwrap_or_default();
            Some((blob, Reference { owner: owner.0, is_manifest, size }))
        });
        let mut next = rows.next();
        std::iter::from_fn(move || {
            let (blob, first) = next.take()?;
            let mut all = vec![first];
            for (other, reference) in rows.by_ref() {
                if other != blob {
                    next = Some((other, reference));
                    break;
                }
                all.push(reference);
            }
            Some((blob, all))
        })
    }
}

#[cfg(test)]
mod tests;
