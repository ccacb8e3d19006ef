//! Reference counts of blobs: a table of the old store that says which blobs are needed, and by
//! whom.
//!
//! References form two levels. An entry needs its streams and its manifest; the manifest needs the
//! files that it lists, whichever entries need the manifest. A key of the table is `blob ‖ owner`,
//! where the owner is the key of an entry or the hash of a manifest. Its value is the blob's disk
//! usage (8, big-endian), with one more byte if the owner needs the blob as its manifest.
//!
//! The files of a manifest are added before the reference to the manifest and removed after it, so
//! files are kept for as long as any entry has them. A manifest that cannot be read is therefore
//! not referenced: its entry has lost the files, and serving it is a miss, as if the manifest were
//! gone.
//!
//! A killed process may leave references of an owner that nobody needs, and so does a manifest that
//! cannot be read when its last entry is removed. Nothing is lost by that, and [`super::audit`]
//! drops them.

use super::Root;
use super::guard::PULSE;
use super::metadata::{joined, key_of};
use super::old::step;
use super::table::Table;
use super::{blobs, pack};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::record::manifest::Manifest;
use std::collections::HashMap;

/// The suffix of values whose owner needs the blob as its manifest.
const AS_MANIFEST: &[u8] = &[1];

/// The open tables.
pub struct BlobRefs {
    pub(super) table: Table,
    /// The blobs that may be packed, and their lengths (8, big-endian).
    unpacked: Table,
}

/// Blobs that no entry references any more.
#[derive(Debug, Default)]
pub struct Released {
    /// Their disk usage in bytes.
    pub bytes: u64,
    /// Their hashes.
    pub orphans: Vec<[u8; 32]>,
}

/// Manifests seen by an audit, and whether the files they list are needed.
pub type SeenManifests = HashMap<[u8; 32], bool>;

impl BlobRefs {
    /// Opens the tables of a database.
    pub fn of(db: &sled::Tree) -> BlobRefs {
        BlobRefs { table: Table::new(db, b'b'), unpacked: Table::new(db, b'p') }
    }

    /// Returns whether a blob is referenced.
    pub fn has(&self, blob: &[u8; 32]) -> sled::Result<bool> {
        Ok(self.table.scan_prefix(blob).next().transpose()?.is_some())
    }

    /// Returns whether an entry references a blob as its manifest, so that the files it lists are
    /// needed too.
    pub fn has_manifest(&self, blob: &[u8; 32]) -> sled::Result<bool> {
        for item in self.table.scan_prefix(blob) {
            PULSE.beat();
            if is_of_manifest(&item?.1) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the keys of the entries that reference a blob, directly or through their manifest.
    pub fn users(&self, blob: &[u8; 32]) -> sled::Result<Vec<Key>> {
        let mut users = Vec::new();
        for item in self.table.scan_prefix(blob) {
            PULSE.beat();
            let Some((_, owner)) = split(&item?.0) else { continue };
            let before = users.len();
            for item in self.table.scan_prefix(owner.0) {
                let (place, value) = item?;
                users.extend(split(&place).filter(|_| is_of_manifest(&value)).map(|(_, key)| key));
            }
            // Nobody has it as a manifest: it is an entry.
            if users.len() == before {
                users.push(owner);
            }
        }
        Ok(users)
    }

    /// Adds the references of an entry. Returns the disk usage of blobs not referenced before.
    pub fn insert(&self, root: &Root, entry: &Entry) -> sled::Result<u64> {
        let mut bytes = 0_u64;
        let mut need = |blob: &BlobRef, owner: &[u8; 32], tail: &[u8]| -> sled::Result<()> {
            bytes = bytes.saturating_add(self.need(blob, owner, tail)?);
            self.may_be_packed(blob)
        };
        let mut manifest = entry.manifest();
        if let Some(blob) = manifest
            && !self.has_manifest(&blob.hash)?
        {
            match read(root, &blob) {
                Some(list) => {
                    for file in list.blobs() {
                        need(&file, &blob.hash, &[])?;
                    }
                }
                None => manifest = None,
            }
        }
        for blob in entry.streams() {
            need(&blob, &entry.key.0, &[])?;
        }
        if let Some(blob) = manifest {
            need(&blob, &entry.key.0, AS_MANIFEST)?;
        }
        Ok(bytes)
    }

    /// Queues a blob for the next fold that packs.
    pub fn may_be_packed(&self, blob: &BlobRef) -> sled::Result<()> {
        if blob.len > pack::SHORTEST {
            self.unpacked.insert(blob.hash, blob.len.to_be_bytes().as_slice())?;
        }
        Ok(())
    }

    /// Returns up to `most` of the blobs that may be packed, of not much more than `bytes` bytes in
    /// all.
    pub fn unpacked(&self, most: usize, bytes: u64) -> sled::Result<Vec<BlobRef>> {
        let mut found = Vec::new();
        let mut left = bytes;
        for item in self.unpacked.iter().take(most) {
            let (hash, len) = item?;
            let (Ok(hash), Some(len)) = (<[u8; 32]>::try_from(&hash[..]), size_in(&len)) else {
                self.unpacked.remove(hash)?;
                continue;
            };
            found.push(BlobRef { hash, len });
            left = left.saturating_sub(len);
            if left == 0 {
                break;
            }
        }
        Ok(found)
    }

    /// Takes a blob off the queue; `stored` is its packed size, if it was packed. Returns its disk
    /// usage before and now.
    pub fn looked_at(&self, blob: &BlobRef, stored: Option<u64>) -> sled::Result<(u64, u64)> {
        self.unpacked.remove(blob.hash)?;
        let (mut before, mut now) = (0, 0);
        for item in self.table.scan_prefix(blob.hash) {
            PULSE.beat();
            let (place, value) = item?;
            if let (Some(stored), Some(size)) = (stored, size_in(&value)) {
                (before, now) = (size, stored);
                self.table.insert(place, [&stored.to_be_bytes(), &value[8..]].concat())?;
            }
        }
        Ok((before, now))
    }

    /// Adds one reference. Returns the disk usage of the blob if it was not referenced before.
    fn need(&self, blob: &BlobRef, owner: &[u8; 32], tail: &[u8]) -> sled::Result<u64> {
        step()?;
        let known = self.table.scan_prefix(blob.hash).next().transpose()?;
        let size = known.as_ref().and_then(|(_, value)| size_in(value)).unwrap_or(blob.len);
        let value = [&size.to_be_bytes(), tail].concat();
        self.table.insert(joined(&blob.hash, &Key(*owner)), value)?;
        Ok(if known.is_none() { size } else { 0 })
    }

    /// Removes the references of an entry, except those that `next`, inserted in its place, shares.
    pub fn remove(
        &self,
        root: &Root,
        entry: &Entry,
        next: Option<&Entry>,
    ) -> sled::Result<Released> {
        let mut freed = Released::default();
        for blob in entry.blobs() {
            if !next.is_some_and(|next| next.blobs().any(|kept| kept.hash == blob.hash)) {
                self.free(&blob.hash, &entry.key.0, &mut freed)?;
            }
        }
        if let Some(manifest) = entry.manifest()
            && !self.has_manifest(&manifest.hash)?
        {
            for file in read(root, &manifest).iter().flat_map(Manifest::blobs) {
                self.free(&file.hash, &manifest.hash, &mut freed)?;
            }
        }
        Ok(freed)
    }

    fn free(&self, blob: &[u8; 32], owner: &[u8; 32], freed: &mut Released) -> sled::Result<()> {
        step()?;
        if let Some(value) = self.table.remove(joined(blob, &Key(*owner)))?
            && !self.has(blob)?
        {
            freed.bytes = freed.bytes.saturating_add(size_in(&value).unwrap_or_default());
            freed.orphans.push(*blob);
        }
        Ok(())
    }

    /// Restores missing references of an entry, and removes the reference to a manifest that is
    /// gone or damaged. Each manifest is read once.
    pub fn mend(&self, root: &Root, entry: &Entry, met: &mut SeenManifests) -> sled::Result<()> {
        if let Some(manifest) = entry.manifest() {
            let is_needed = match met.get(&manifest.hash) {
                Some(is_needed) => *is_needed,
                None => self.mend_manifest(root, &manifest)?,
            };
            met.insert(manifest.hash, is_needed);
            let place = joined(&manifest.hash, &entry.key);
            if !is_needed {
                self.table.remove(place)?;
            } else if !self.table.get(place)?.is_some_and(|value| is_of_manifest(&value)) {
                self.need(&manifest, &entry.key.0, AS_MANIFEST)?;
            }
        }
        entry.streams().try_for_each(|blob| self.put_back(&blob, &entry.key.0))
    }

    /// Restores the references of a manifest. Returns whether the manifest is needed.
    fn mend_manifest(&self, root: &Root, manifest: &BlobRef) -> sled::Result<bool> {
        match blobs::manifest(root, manifest) {
            Ok(Some(list)) => {
                list.blobs().try_for_each(|file| self.put_back(&file, &manifest.hash))?;
                Ok(true)
            }
            Ok(None) => Ok(false),
            // A file that cannot be read now may be intact: everything stays as it is.
            Err(_) => self.has_manifest(&manifest.hash),
        }
    }

    /// Updates the disk usage stored at a place, and returns it.
    pub fn mend_size(
        &self,
        root: &Root,
        place: &[u8],
        value: &[u8],
        size: u64,
    ) -> sled::Result<u64> {
        let hash = split(place).map(|(hash, _)| hash);
        match hash.and_then(|hash| blobs::stored(root, &hash)) {
            Some(stored) if stored != size => {
                self.table.insert(place, [&stored.to_be_bytes(), &value[8..]].concat())?;
                Ok(stored)
            }
            _ => Ok(size),
        }
    }

    fn put_back(&self, blob: &BlobRef, owner: &[u8; 32]) -> sled::Result<()> {
        let known = self.table.get(joined(&blob.hash, &Key(*owner)))?;
        if known.is_none_or(|value| size_in(&value).is_none()) {
            self.need(blob, owner, &[])?;
        }
        Ok(())
    }
}

/// Splits a place into blob and owner.
pub fn split(place: &[u8]) -> Option<([u8; 32], Key)> {
    let (blob, owner) = place.split_first_chunk()?;
    Some((*blob, key_of(owner)?))
}

/// Returns a blob's disk usage, from the value of a place.
pub fn size_in(value: &[u8]) -> Option<u64> {
    let (size, tail) = value.split_first_chunk()?;
    (tail.is_empty() || tail == AS_MANIFEST).then(|| u64::from_be_bytes(*size))
}

/// Returns whether the value of a place says that the owner needs the blob as its manifest.
pub fn is_of_manifest(value: &[u8]) -> bool {
    size_in(value).is_some() && value.ends_with(AS_MANIFEST) && value.len() > 8
}

fn read(root: &Root, manifest: &BlobRef) -> Option<Manifest> {
    blobs::manifest(root, manifest).ok().flatten()
}

#[cfg(test)]
mod tests;
