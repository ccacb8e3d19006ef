//! Which blobs are needed, and by whom: a table of the old store.
//!
//! References form two levels. An entry needs its streams and its manifest; the
//! manifest needs the files that it lists, whoever needs the manifest. A place
//! is `blob ‖ owner`, where the owner is the key of an entry or the hash of a
//! manifest, and its value how many bytes the blob takes on disk (8, big-endian),
//! with a byte more where the owner needs the blob as its manifest.
//!
//! What a manifest lists is in the tree before the manifest is said to be needed
//! and until after it is not, so files are kept for as long as any entry has
//! them. A manifest that cannot be read is therefore not needed: without it the
//! files are lost to its entry, which is a miss when it is served, as if the
//! manifest were gone.
//!
//! A process that is killed may leave files to an owner that nobody needs, and
//! so does a manifest that cannot be read when its last entry goes: nothing is
//! lost by that, and [`super::audit`] drops them.

use super::Root;
use super::guard::PULSE;
use super::metadata::{joined, key_of};
use super::old::step;
use super::table::Table;
use super::{blobs, pack};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::record::manifest::Manifest;
use std::collections::HashMap;

/// What the values have behind them that say whose manifest it is.
const AS_MANIFEST: &[u8] = &[1];

/// The open tables.
pub struct BlobRefs {
    pub(super) table: Table,
    /// The blobs that may be packed, and their lengths (8, big-endian).
    unpacked: Table,
}

/// What is needed by nothing any more.
#[derive(Debug, Default)]
pub struct Released {
    /// The bytes these take.
    pub bytes: u64,
    /// Their hashes.
    pub orphans: Vec<[u8; 32]>,
}

/// The manifests that an audit met, and whether what they list is needed.
pub type SeenManifests = HashMap<[u8; 32], bool>;

impl BlobRefs {
    /// Those of an open database.
    pub fn of(db: &sled::Tree) -> BlobRefs {
        BlobRefs { table: Table::new(db, b'b'), unpacked: Table::new(db, b'p') }
    }

    /// Whether anything here needs a blob.
    pub fn has(&self, blob: &[u8; 32]) -> sled::Result<bool> {
        Ok(self.table.scan_prefix(blob).next().transpose()?.is_some())
    }

    /// Whether an entry here needs a blob as its manifest, so that the files it
    /// lists are needed too.
    pub fn has_manifest(&self, blob: &[u8; 32]) -> sled::Result<bool> {
        for item in self.table.scan_prefix(blob) {
            PULSE.beat();
            if is_of_manifest(&item?.1) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has an entry need its blobs; the bytes of those that nothing needed before.
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

    /// Has the next fold that packs look at a blob.
    pub fn may_be_packed(&self, blob: &BlobRef) -> sled::Result<()> {
        if blob.len > pack::SHORTEST {
            self.unpacked.insert(blob.hash, blob.len.to_be_bytes().as_slice())?;
        }
        Ok(())
    }

    /// The first of the blobs that may be packed: so many, of not much more than
    /// so many bytes.
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

    /// A blob was looked at, and takes so many bytes if it was packed. How many
    /// it took before, and now.
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

    /// Notes one need; the bytes of the blob, if nothing needed it before.
    fn need(&self, blob: &BlobRef, owner: &[u8; 32], tail: &[u8]) -> sled::Result<u64> {
        step()?;
        let known = self.table.scan_prefix(blob.hash).next().transpose()?;
        let size = known.as_ref().and_then(|(_, value)| size_in(value)).unwrap_or(blob.len);
        let value = [&size.to_be_bytes(), tail].concat();
        self.table.insert(joined(&blob.hash, &Key(*owner)), value)?;
        Ok(if known.is_none() { size } else { 0 })
    }

    /// Has an entry need nothing any more but what `next`, which was inserted
    /// in its place, needs too.
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

    /// Puts back what an entry lacks, and takes away the need of a manifest that
    /// is gone or damaged. Each manifest is read once.
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

    /// Whether what a manifest lists is needed, which is then in the tree.
    fn mend_manifest(&self, root: &Root, manifest: &BlobRef) -> sled::Result<bool> {
        match blobs::manifest(root, manifest) {
            Ok(Some(list)) => {
                list.blobs().try_for_each(|file| self.put_back(&file, &manifest.hash))?;
                Ok(true)
            }
            Ok(None) => Ok(false),
            // What cannot be read now may be whole: everything stays as it is.
            Err(_) => self.has_manifest(&manifest.hash),
        }
    }

    /// Has a place tell what its blob takes by now; that.
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

/// The parts of a place.
pub fn split(place: &[u8]) -> Option<([u8; 32], Key)> {
    let (blob, owner) = place.split_first_chunk()?;
    Some((*blob, key_of(owner)?))
}

/// The bytes that a blob takes, by the value of a place.
pub fn size_in(value: &[u8]) -> Option<u64> {
    let (size, tail) = value.split_first_chunk()?;
    (tail.is_empty() || tail == AS_MANIFEST).then(|| u64::from_be_bytes(*size))
}

fn is_of_manifest(value: &[u8]) -> bool {
    size_in(value).is_some() && value.ends_with(AS_MANIFEST) && value.len() > 8
}

fn read(root: &Root, manifest: &BlobRef) -> Option<Manifest> {
    blobs::manifest(root, manifest).ok().flatten()
}

#[cfg(test)]
mod tests;
