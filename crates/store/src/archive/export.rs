//! Writing what a store holds to an archive.
//!
//! Nothing is locked: whatever goes meanwhile, an entry or a blob, is left out.

use super::{Kind, Writer, needs};
use crate::path_sets::{PathSet, PathSets, shared};
use crate::{Root, blobs, components};
use anyhow::{Context, Result};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::system::progress;
use std::collections::HashSet;
use std::io::Write;

/// What an archive holds by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries.
    pub entries: u64,
    /// Blobs, manifests among them.
    pub blobs: u64,
    /// The bytes of both.
    pub bytes: u64,
    /// Entries that are not among them because their output is damaged or gone.
    pub damaged: u64,
}

/// An archive that is being filled from a store.
pub struct Export<W: Write> {
    writer: Writer<W>,
    held: Held,
    /// The path sets that it holds, by the keys of their calls and their own.
    path_sets: HashSet<(Key, Key)>,
    tally: Tally,
}

impl<W: Write> Export<W> {
    /// An empty one.
    pub fn new(out: W) -> Result<Export<W>> {
        let writer = Writer::new(out).context("beginning the archive")?;
        Ok(Export {
            writer,
            held: Held::default(),
            path_sets: HashSet::new(),
            tally: Tally::default(),
        })
    }

    /// Adds an entry of a store and what it needs; entries come in the order of
    /// their keys.
    pub fn add(&mut self, root: &Root, entry: &Entry, last_use: u64) -> Result<()> {
        if !self.add_needs(root, entry)? {
            self.tally.damaged += 1;
            return Ok(());
        }
        self.add_path_set(root, entry)?;
        let sealed = entry.seal()?;
        self.writer.entry(last_use, &sealed).context("writing the archive")?;
        self.tally.entries += 1;
        self.tally.bytes = self.tally.bytes.saturating_add(sealed.len() as u64);
        Ok(())
    }

    /// Adds the path set that leads to an entry, if one does and it is not there yet.
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

    /// Adds those blobs that are not there yet; false if one is damaged or gone.
    fn add_needs(&mut self, root: &Root, entry: &Entry) -> Result<bool> {
        let Some(needs) = needs(root, entry) else { return Ok(false) };
        for (kind, blob) in &needs {
            if self.held.has(*kind, blob) {
                progress::advance(blob.len);
                continue;
            }
            // What cannot be read now cannot be relied on either.
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

    /// Ends it.
    pub fn finish(self) -> Result<(W, Tally)> {
        let out = self.writer.finish().context("writing the archive")?;
        Ok((out, self.tally))
    }
}

/// Which blobs an archive holds.
#[derive(Debug, Default)]
pub struct Held {
    blobs: HashSet<[u8; 32]>,
    manifests: HashSet<[u8; 32]>,
}

impl Held {
    /// Whether this one is among them. A manifest has to be there as one.
    pub fn has(&self, kind: Kind, blob: &BlobRef) -> bool {
        let held = if kind == Kind::Manifest { &self.manifests } else { &self.blobs };
        held.contains(&blob.hash)
    }

    /// It is now; whether it was not.
    pub fn add(&mut self, kind: Kind, blob: &BlobRef) -> bool {
        if kind == Kind::Manifest {
            self.blobs.insert(blob.hash);
            self.manifests.insert(blob.hash)
        } else {
            self.blobs.insert(blob.hash)
        }
    }
}
