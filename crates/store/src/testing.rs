//! Shared helpers of the stores' tests.

#![allow(clippy::missing_panics_doc, reason = "a test that panics has failed")]

use super::Root;
use super::blobs::NewBlob;
use super::filter;
use super::old::Old;
use super::walk::Span;
use super::young::{self, Young};
use cachex_base::record::entry::{BlobRef, Entry, Outputs};
use cachex_base::record::manifest::{Item, Manifest, What};
use cachex_base::system::fsutil;
use serde_bytes::ByteBuf;

pub use cachex_base::record::testing::*;

/// A store in a folder of its own.
pub struct Scene {
    /// The folder that the store is in.
    pub dir: tempfile::TempDir,
    /// The store.
    pub root: Root,
}

/// Creates a store in a folder of its own.
pub fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::create(&dir.path().join("store")).unwrap();
    Scene { dir, root }
}

impl Scene {
    /// Records an entry.
    pub fn record(&self, entry: &Entry) {
        Young::new(&self.root).put(entry).unwrap();
    }

    /// Looks for an entry among the young ones.
    pub fn young(&self, n: u64) -> Option<Entry> {
        Young::new(&self.root).get(&key(n)).unwrap()
    }

    /// Looks for an entry in the database.
    pub fn old(&self, n: u64) -> Option<Entry> {
        Old::with(&self.root, |old| old.get(&key(n))).unwrap()
    }

    /// Removes a young entry.
    pub fn drop_young(&self, n: u64) {
        assert!(fsutil::remove_file(&self.root, young::path(&key(n))).unwrap());
    }

    /// Writes a blob.
    pub fn blob(&self, content: &[u8]) -> BlobRef {
        let mut blob = NewBlob::new(&self.root).unwrap();
        blob.append(content).unwrap();
        blob.finish().unwrap().keep().unwrap()
    }

    /// Writes files with this content, as a run leaves them behind, and their manifest.
    pub fn outputs(&self, files: &[(&str, &[u8])]) -> Outputs {
        let item = |(path, content): &(&str, &[u8])| Item {
            path: ByteBuf::from(*path),
            what: What::File { mode: 0o644, blob: self.blob(content) },
        };
        let list = Manifest { items: files.iter().map(item).collect(), ..Manifest::default() };
        list.outputs(self.blob(&list.encode().unwrap()))
    }

    /// Returns whether that blob is there.
    pub fn has_blob(&self, blob: &BlobRef) -> bool {
        super::blobs::open(&self.root, blob).unwrap().is_some()
    }

    /// Returns whether a file of this name is there.
    pub fn has(&self, name: &str) -> bool {
        fsutil::stat(&self.root, name).unwrap().is_some()
    }

    /// Asserts that the filter covers every key of the old store.
    pub fn assert_filter_is_superset(&self) {
        let keys =
            Old::with(&self.root, |old| Ok(old.page(&mut Span::all(), usize::MAX)?)).unwrap();
        assert!(keys.iter().all(|(key, _)| filter::may_hold(&self.root, key)));
    }
}
