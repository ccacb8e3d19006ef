//! What the tests of the stores share.

use super::Root;
use super::blobs::NewBlob;
use super::filter;
use super::old::Old;
use super::walk::Span;
use super::young::{self, Young};
use crate::record::entry::{About, BlobRef, Bytes, Entry, Key, Outputs};
use crate::record::manifest::{Item, Manifest, What};
use crate::system::clock::Timestamp;
use crate::system::fsutil;
use serde_bytes::ByteBuf;
use std::time::Duration;

/// A store in a folder of its own.
pub struct Scene {
    pub dir: tempfile::TempDir,
    pub root: Root,
}

pub fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::create(&dir.path().join("store")).unwrap();
    Scene { dir, root }
}

pub fn key(n: u64) -> Key {
    Key(*blake3::hash(&n.to_le_bytes()).as_bytes())
}

pub fn ago(seconds: u64) -> Timestamp {
    Timestamp(Timestamp::now().0 - Duration::from_secs(seconds).as_nanos() as u64)
}

/// An entry recorded `seconds` ago.
pub fn entry(n: u64, seconds: u64) -> Entry {
    Entry {
        key: key(n),
        created: ago(seconds),
        expires_in: None,
        stale_for: None,
        run_time: 1_000,
        status: 0,
        stdin_consumed: None,
        frames: Bytes::Inline(vec![1, 2, 3]),
        data: Bytes::Inline(vec![n as u8; 100]),
        outputs: None,
        about: About { argv: Vec::new(), cut: false, cwd: None, scope: None, tags: Vec::new() },
        parts: Vec::new(),
    }
}

/// An entry of this command.
pub fn run_of(n: u64, argv: &[&str]) -> Entry {
    let plain = entry(n, 100);
    let argv = argv.iter().map(|arg| ByteBuf::from(*arg)).collect();
    Entry { about: About { argv, ..plain.about }, ..plain }
}

impl Scene {
    pub fn record(&self, entry: &Entry) {
        Young::new(&self.root).put(entry).unwrap();
    }

    pub fn young(&self, n: u64) -> Option<Entry> {
        Young::new(&self.root).get(&key(n)).unwrap()
    }

    pub fn old(&self, n: u64) -> Option<Entry> {
        Old::with(&self.root, |old| old.get(&key(n))).unwrap()
    }

    pub fn drop_young(&self, n: u64) {
        assert!(fsutil::remove_file(&self.root, young::path(&key(n))).unwrap());
    }

    pub fn blob(&self, content: &[u8]) -> BlobRef {
        let mut blob = NewBlob::new(&self.root).unwrap();
        blob.append(content).unwrap();
        blob.finish().unwrap().keep().unwrap()
    }

    /// Files with this content, as a run leaves them behind, and the list of them.
    pub fn outputs(&self, files: &[(&str, &[u8])]) -> Outputs {
        let item = |(path, content): &(&str, &[u8])| Item {
            path: ByteBuf::from(*path),
            what: What::File { mode: 0o644, blob: self.blob(content) },
        };
        let list = Manifest { declared: Vec::new(), items: files.iter().map(item).collect() };
        list.outputs(self.blob(&list.encode().unwrap()))
    }

    pub fn has_blob(&self, blob: &BlobRef) -> bool {
        super::blobs::open(&self.root, blob).unwrap().is_some()
    }

    pub fn has(&self, name: &str) -> bool {
        fsutil::stat(&self.root, name).unwrap().is_some()
    }

    /// The rule that the filter lives by.
    pub fn assert_filter_is_superset(&self) {
        let keys =
            Old::with(&self.root, |old| Ok(old.page(&mut Span::all(), usize::MAX)?)).unwrap();
        assert!(keys.iter().all(|(key, _)| filter::may_hold(&self.root, key)));
    }
}
