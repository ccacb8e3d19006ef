//! What an archive holds, after all of it was read and found to be whole.
//!
//! Each blob was hashed, each manifest and each entry was opened, and nothing that
//! an entry needs is missing. What is in memory are keys and hashes, no more of
//! them than `MOST`.

use super::{Kind, Reader, Refused};
use crate::path_sets::{PathSet, shared};
use crate::remote::rules::Rules;
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Entry, Key, Outputs};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::clock::Timestamp;
use std::collections::{HashMap, HashSet};
use std::io::Read;

/// So many records, and needs of entries, are kept apart: a few hundred megabytes.
const MOST: usize = 1 << 23;

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Its blobs, manifests among them, in their order.
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
    /// When it is gone, see [`Entry::gone`].
    pub gone: Option<Timestamp>,
    /// The length of its sealed form.
    pub len: u64,
    /// That of its output, or of its files in all, whichever is more.
    pub longest: u64,
    /// Whether a rule of a remote store is about it.
    pub is_invalid: bool,
    /// The places of the blobs it needs, those that its manifest lists among them.
    pub needs: Vec<u32>,
}

impl Contents {
    /// Reads an archive, for a store that these rules are known to.
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

    /// Adds an entry; how much it needs.
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

/// What came before, by what it is called.
#[derive(Default)]
struct Known {
    blobs: HashMap<BlobRef, u32>,
    /// What an entry says of each, and the places of the files it lists.
    manifests: HashMap<[u8; 32], (Outputs, Vec<u32>)>,
    keys: HashSet<Key>,
}

impl Known {
    /// The places of blobs, each once; none if one of them is missing.
    fn places(&self, blobs: impl Iterator<Item = BlobRef>) -> Option<Vec<u32>> {
        let places: Option<HashSet<u32>> =
            blobs.map(|blob| self.blobs.get(&blob).copied()).collect();
        Some(places?.into_iter().collect())
    }

    fn listed(&self, manifest: &Manifest, blob: BlobRef) -> Option<(Outputs, Vec<u32>)> {
        Some((manifest.outputs(blob), self.places(manifest.blobs())?))
    }
}

/// The path set of a record, and the key of its call.
pub fn path_set(bytes: &[u8]) -> Result<(Key, PathSet), Refused> {
    let (call, packed) = bytes.split_first_chunk().ok_or(Refused::Damaged)?;
    let mut sets = shared::unpack(packed, None).ok_or(Refused::Damaged)?;
    let set = sets.pop().filter(|_| sets.is_empty()).ok_or(Refused::Damaged)?;
    Ok((Key(*call), set))
}

/// When the entry of a record was last used, and that entry.
pub fn opened(bytes: &[u8]) -> Result<(Timestamp, Entry), Refused> {
    let (last_use, sealed) = bytes.split_first_chunk().ok_or(Refused::Damaged)?;
    let entry = Entry::open_any(sealed).map_err(|_| Refused::Damaged)?;
    Ok((Timestamp(u64::from_le_bytes(*last_use)), entry))
}
