//! Writes the contents of a store to an archive.
//!
//! Nothing is locked: entries and blobs that are removed meanwhile are left out.

use super::{Kind, Writer, needs};
use crate::path_sets::{PathSet, PathSets, shared};
use crate::{Root, blobs, components};
use anyhow::{Context, Result};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::system::progress;
use std::collections::HashSet;
use std::io::Write;

/// The contents of an archive so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of entries.
    pub entries: u64,
    /// The number of blobs, including manifests.
    pub blobs: u64,
    /// The size of both, in bytes.
    pub bytes: u64,
    /// The entries that were left out because their output is damaged or gone.
    pub lacking: Vec<Key>,
}

/// An archive that is being filled from a store.
pub struct Export<W: Write> {
    writer: Writer<W>,
    held: Held,
    /// The path sets in the archive, each as the key of its call and its own id.
    path_sets: HashSet<(Key, Key)>,
    tally: Tally,
}

impl<W: Write> Export<W> {
    /// Creates an empty archive that is written to `out`.
    pub fn new(out: W) -> Result<Export<W>> {
        let writer = Writer::new(out).context("beginning the archive")?;
        Ok(Export {
            writer,
            held: Held::default(),
            path_sets: HashSet::new(),
            tally: Tally::default(),
        })
    }

    /// Adds an entry of a store and what it needs. Entries must come in the order of their keys.
    pub fn add(&mut self, root: &Root, entry: &Entry, last_use: u64) -> Result<()> {
        if !self.add_needs(root, entry)? {
            self.tally.lacking.push(entry.key);
            return Ok(());
        }
        self.add_path_set(root, entry)?;
        let sealed = entry.seal()?;
        self.writer.entry(last_use, &sealed).context("writing the archive")?;
        self.tally.entries += 1;
        self.tally.bytes = self.tally.bytes.saturating_add(sealed.len() as u64);
        Ok(())
    }

    /// Adds the path set that leads to an entry, if there is one and it is not in the archive
    /// yet.
    fn add_path_set(&mut self, root: &Root, entry: &Entry) -> Result<()> {
        let Some((call, id)) = components::facts_of(&entry.parts) else { return Ok(()) };
        if !self.path_sets.insert((call, id)) {
            return Ok(());
        }
        let set = PathSets::recall(root, &call).sets.into_iter().find(|set| set.id() == id);
        match set.filter(PathSet::is_harmless).and_then(|set| shared::pack(&[set], true)) {
            Some(packed) => self.writer.path_set(&call, &packed).context("writing the archive"),
            None => Ok(()),
        }
    }

    /// Adds the blobs that are not in the archive yet. Returns false if one is damaged or gone.
    fn add_needs(&mut self, root: &Root, entry: &Entry) -> Result<bool> {
        let Some(needs) = needs(root, entry) else { return Ok(false) };
        for (kind, blob) in &needs {
            if self.held.has(*kind, blob) {
                progress::advance(blob.len);
                continue;
            }
            // Treat a blob that cannot be read like one that is damaged.
            let Some(bytes) = blobs::open(root, blob).ok().flatten() else {
                return Ok(false);
            };
            self.writer.blob(*kind, blob, bytes.reader()).context("writing the archive")?;
            self.held.add(*kind, blob);
            self.tally.blobs += 1;
            self.tally.bytes = self.tally.bytes.saturating_add(blob.len);
        }
        Ok(true)
    }

    /// Finishes the archive, and returns the output and the tally.
    pub fn finish(self) -> Result<(W, Tally)> {
        let out = self.writer.finish().context("writing the archive")?;
        Ok((out, self.tally))
    }
}

/// The set of blobs in an archive.
#[derive(Debug, Default)]
pub struct Held {
    blobs: HashSet<[u8; 32]>,
    manifests: HashSet<[u8; 32]>,
}

impl Held {
    /// Returns whether the archive holds a blob. A manifest must be there as a manifest.
    pub fn has(&self, kind: Kind, blob: &BlobRef) -> bool {
        let held = if kind == Kind::Manifest { &self.manifests } else { &self.blobs };
        held.contains(&blob.hash)
    }

    /// Adds a blob, and returns whether it was not there before.
    pub fn add(&mut self, kind: Kind, blob: &BlobRef) -> bool {
        if kind == Kind::Manifest {
            self.blobs.insert(blob.hash);
            self.manifests.insert(blob.hash)
        } else {
            self.blobs.insert(blob.hash)
        }
    }
}
