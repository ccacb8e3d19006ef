//! Young files, read in batches that are folded at once.

use super::super::young;
use super::super::{Root, blobs};
use super::BATCH;
use cachex_base::record::entry::{Entry, Key};

/// Young files that are folded at once.
pub(super) struct Batch {
    pub entries: Vec<(Entry, Vec<u8>)>,
    /// Useless versions that are yet to be unlinked.
    pub damaged: Vec<(Key, [u8; 32])>,
}

impl Batch {
    /// Takes one batch from `keys`, and counts the output files of the entries towards its size.
    pub fn of(root: &Root, keys: &mut std::slice::Iter<'_, Key>) -> Batch {
        let mut entries = Vec::with_capacity(keys.len().min(BATCH));
        let mut damaged = Vec::new();
        let mut work = 0;
        while work < BATCH as u64
            && let Some(key) = keys.next()
        {
            work += 1;
            // An entry that cannot be read stays, for a fold that can read it.
            let Ok(Some(sealed)) = young::sealed(root, key) else { continue };
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
        Batch { entries, damaged }
    }
}
