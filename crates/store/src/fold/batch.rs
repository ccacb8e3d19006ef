//! Young files, read in batches that are folded at once.

use super::super::evicted::Noted;
use super::super::old::Old;
use super::super::{Root, blobs, young};
use super::BATCH;
use cachex_base::record::entry::{BlobRef, Entry, Key};

/// The minimum and maximum size of the entries that are folded at once, in bytes: for a while they
/// are in both generations, and sled takes more than twice what it is given,
const BYTES: (u64, u64) = (256 * 1024, 4 * 1024 * 1024);
/// and the share of the store's size limit.
const SHARE: u64 = 16;

/// Young files that are folded at once.
pub(super) struct Batch {
    pub entries: Vec<(Entry, Vec<u8>)>,
    /// Damaged files that are yet to be unlinked, with what is left of them.
    damaged: Vec<(Key, Vec<u8>)>,
    /// Versions without their output that are yet to be unlinked.
    lacking: Vec<(Key, [u8; 32])>,
    /// Versions that are yet to be unlinked because there is no room for them.
    pub evicted: Vec<(Key, [u8; 32])>,
}

impl Batch {
    /// Takes one batch from `keys`, for a store of up to `limit` bytes from which those blobs were
    /// `noted` as evicted, and counts the output files of the entries towards its size. If there is
    /// no room for the entries, they are `evicted`.
    pub fn of(
        root: &Root,
        keys: &mut std::slice::Iter<'_, Key>,
        noted: &Noted,
        limit: Option<u64>,
        evicted: bool,
    ) -> Batch {
        let most = limit.map_or(BYTES.1, |limit| (limit / SHARE).clamp(BYTES.0, BYTES.1));
        let mut batch = Batch {
            entries: Vec::with_capacity(keys.len().min(BATCH)),
            damaged: Vec::new(),
            lacking: Vec::new(),
            evicted: Vec::new(),
        };
        let (mut work, mut bytes) = (0, 0);
        while work < BATCH as u64
            && bytes < most
            && let Some(key) = keys.next()
        {
            work += 1;
            // An entry that cannot be read stays, for a fold that can read it.
            let Ok(Some(sealed)) = young::sealed(root, key) else { continue };
            bytes += sealed.len() as u64;
            if evicted {
                batch.evicted.push((*key, young::version(&sealed)));
                continue;
            }
            let is_gone = |blob: BlobRef| blobs::is_gone(root, &blob.hash);
            match Entry::open(key, &sealed) {
                Ok(entry)
                    if entry.blobs().any(is_gone)
                        || !noted.blobs.is_empty() && blobs::lacks(root, &entry) =>
                {
                    batch.lacking.push((*key, young::version(&sealed)));
                }
                Ok(entry) => {
                    let files = entry.outputs.map_or(0, |outputs| outputs.files);
                    work = work.saturating_add(files);
                    batch.entries.push((entry, sealed));
                }
                Err(_) => batch.damaged.push((*key, sealed)),
            }
        }
        batch
    }

    /// Returns the keys whose entries in the old store must not be found in the place of what is
    /// unlinked, since that superseded them.
    pub fn hidden_below(&self, old: &Old) -> sled::Result<Vec<Key>> {
        let mut hidden: Vec<Key> = self.lacking.iter().map(|(key, _)| *key).collect();
        for (key, damaged) in &self.damaged {
            let known = old.sealed(key)?;
            if !known.is_some_and(|intact| young::is_damaged_copy(key, damaged, &intact)) {
                hidden.push(*key);
            }
        }
        for (key, version) in &self.evicted {
            // Of a version that is there already, only the fast copy is evicted.
            let known = old.sealed(key)?;
            hidden.extend(known.filter(|it| young::version(it) != *version).map(|_| *key));
        }
        Ok(hidden)
    }

    /// Returns the versions that are yet to be unlinked because they are of no use.
    pub fn useless(&self) -> impl Iterator<Item = (Key, [u8; 32])> {
        let damaged = self.damaged.iter().map(|(key, bytes)| (*key, young::version(bytes)));
        damaged.chain(self.lacking.iter().copied())
    }
}
