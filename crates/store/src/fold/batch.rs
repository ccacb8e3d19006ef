//! Young files, read in batches that are folded at once.

use super::super::young;
use super::super::{Root, blobs};
use super::BATCH;
use cachex_base::record::entry::{Entry, Key};

/// The minimum and maximum size of the entries that are folded at once, in bytes: for a while they
/// are in both generations, and sled takes more than twice what it is given,
const BYTES: (u64, u64) = (256 * 1024, 4 * 1024 * 1024);
/// and the share of the store's size limit.
const SHARE: u64 = 16;

/// Young files that are folded at once.
pub(super) struct Batch {
    pub entries: Vec<(Entry, Vec<u8>)>,
    /// Useless versions that are yet to be unlinked.
    pub damaged: Vec<(Key, [u8; 32])>,
    /// Versions that are yet to be unlinked because there is no room for them.
    pub evicted: Vec<(Key, [u8; 32])>,
}

impl Batch {
    /// Takes one batch from `keys`, for a store of up to `limit` bytes, and counts the output files
    /// of the entries towards its size. If there is no room for them, they are `evicted`.
    pub fn of(
        root: &Root,
        keys: &mut std::slice::Iter<'_, Key>,
        limit: Option<u64>,
        evicted: bool,
    ) -> Batch {
        let most = limit.map_or(BYTES.1, |limit| (limit / SHARE).clamp(BYTES.0, BYTES.1));
        let mut entries = Vec::with_capacity(keys.len().min(BATCH));
        let (mut damaged, mut gone) = (Vec::new(), Vec::new());
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
                gone.push((*key, young::version(&sealed)));
                continue;
            }
            match Entry::open(key, &sealed) {
                // Its blobs were removed to make room. The entry that it superseded must not be
                // found instead.
                Ok(entry) if entry.streams().any(|blob| blobs::is_gone(root, &blob.hash)) => {
                    damaged.push((*key, young::version(&sealed)));
                }
                Ok(entry) => {
                    let files = entry.outputs.map_or(0, |outputs| outputs.files);
                    work = work.saturating_add(files);
                    entries.push((entry, sealed));
                }
                Err(_) => damaged.push((*key, young::version(&sealed))),
            }
        }
        Batch { entries, damaged, evicted: gone }
    }
}
