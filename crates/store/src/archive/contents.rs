//! The contents of an archive, after all of it was read and verified.
//!
//! Each blob was hashed, each manifest and entry was decoded, and no blob that an entry needs is
//! missing. Only keys and hashes are held in memory, no more of them than `MOST`.

use super::{Kind, Reader, Refused};
use crate::path_sets::{PathSet, shared};
use crate::remote::rules::Rules;
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Entry, Key, Outputs};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::clock::Timestamp;
use std::collections::{HashMap, HashSet};
use std::io::Read;

/// The maximum number of records and references held in memory: a few hundred megabytes.
const MOST: usize = 1 << 23;

/// The contents of an archive.
#[derive(Debug, Default)]
pub struct Contents {
    /// Its blobs, including manifests, in their order.
    pub blobs: Vec<BlobRef>,
    /// Its entries, in their order.
    pub entries: Vec<Packed>,
}

/// An entry of an archive.
#[derive(Debug)]
pub struct Packed {
    /// Its key.
    pub key: Key,
    /// When it was recorded.
    pub created: Timestamp,
    /// The time of its expiry, see [`Entry::gone`].
    pub gone: Option<Timestamp>,
    /// The length of its sealed form.
    pub len: u64,
    /// The length of its output or the total length of its files, whichever is greater.
    pub longest: u64,
    /// True if a rule of a remote store invalidates it.
    pub is_invalid: bool,
    /// The indexes of the blobs it needs, including those its manifest lists.
    pub needs: Vec<u32>,
}

impl Contents {
    /// Reads an archive for a store that knows these invalidation rules.
    pub fn read(mut archive: Reader<impl Read>, rules: &Rules) -> Result<Contents> {
        let mut contents = Contents::default();
        let mut known = Known::default();
        let mut pieces = 0;
        while let Some((kind, len)) = archive.next()? {
            let needs = match kind {
                Kind::Blob => {
                    let hash = archive.content(&mut |_| Ok(()))?;
                    contents.add_blob(BlobRef { hash, len }, &mut known);
                    0
                }
                Kind::Manifest => {
                    let (bytes, hash) = archive.whole()?;
                    let manifest = Manifest::decode(&bytes).map_err(|_| Refused::Damaged)?;
                    let blob = BlobRef { hash, len };
                    let listed = known.listed(&manifest, blob).ok_or(Refused::Damaged)?;
                    contents.add_blob(blob, &mut known);
                    let needs = listed.1.len();
                    known.manifests.insert(hash, listed);
                    needs
                }
                Kind::PathSet => {
                    path_set(&archive.whole()?.0)?;
                    0
                }
                Kind::Entry => {
                    let entry = opened(&archive.whole()?.0)?.1;
                    contents.add_entry(&entry, len, rules.are_about(&entry), &mut known)?
                }
                Kind::End => 0,
            };
            pieces += 1 + needs;
            if pieces > MOST {
                return Err(Refused::TooMany.into());
            }
        }
        Ok(contents)
    }

    fn add_blob(&mut self, blob: BlobRef, known: &mut Known) {
        known.blobs.entry(blob).or_insert(self.blobs.len() as u32);
        self.blobs.push(blob);
    }

    /// Adds an entry and returns the number of blobs it needs.
    fn add_entry(
        &mut self,
        entry: &Entry,
        len: u64,
        is_invalid: bool,
        known: &mut Known,
    ) -> Result<usize, Refused> {
        let mut needs = known.places(entry.blobs()).ok_or(Refused::Damaged)?;
        if let Some(outputs) = entry.outputs {
            let listed = known.manifests.get(&outputs.manifest.hash);
            let (_, files) = listed.filter(|listed| listed.0 == outputs).ok_or(Refused::Damaged)?;
            needs.extend(files);
        }
        if !known.keys.insert(entry.key) {
            return Err(Refused::Damaged);
        }
        let count = needs.len();
        self.entries.push(Packed {
            key: entry.key,
            created: entry.created,
            gone: entry.gone(),
            len: len - 8,
            longest: entry.longest(),
            is_invalid,
            needs,
        });
        Ok(count)
    }
}

/// Records read so far, by hash or key.
#[derive(Default)]
struct Known {
    blobs: HashMap<BlobRef, u32>,
    /// The outputs of each manifest as an entry describes them, and the indexes of its files.
    manifests: HashMap<[u8; 32], (Outputs, Vec<u32>)>,
    keys: HashSet<Key>,
}

impl Known {
    /// Returns the indexes of blobs, each once; `None` if a blob is missing.
    fn places(&self, blobs: impl Iterator<Item = BlobRef>) -> Option<Vec<u32>> {
        let places: Option<HashSet<u32>> =
            blobs.map(|blob| self.blobs.get(&blob).copied()).collect();
        Some(places?.into_iter().collect())
    }

    fn listed(&self, manifest: &Manifest, blob: BlobRef) -> Option<(Outputs, Vec<u32>)> {
        Some((manifest.outputs(blob), self.places(manifest.blobs())?))
    }
}

/// Decodes a path set record: the key of its call, and the set.
pub fn path_set(bytes: &[u8]) -> Result<(Key, PathSet), Refused> {
    let (call, packed) = bytes.split_first_chunk().ok_or(Refused::Damaged)?;
    let mut sets = shared::unpack(packed, None).ok_or(Refused::Damaged)?;
    let set = sets.pop().filter(|_| sets.is_empty()).ok_or(Refused::Damaged)?;
    Ok((Key(*call), set))
}

/// Decodes an entry record: the time of the last use, and the entry.
pub fn opened(bytes: &[u8]) -> Result<(Timestamp, Entry), Refused> {
    let (last_use, sealed) = bytes.split_first_chunk().ok_or(Refused::Damaged)?;
    let entry = Entry::open_any(sealed).map_err(|_| Refused::Damaged)?;
    Ok((Timestamp(u64::from_le_bytes(*last_use)), entry))
}
