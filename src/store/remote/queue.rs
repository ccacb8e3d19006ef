//! The keys of entries that a remote store is to get: one empty file each, so that
//! whoever records only ever creates one and whoever sends only ever removes one.

use crate::entry::Key;
use crate::fsutil;
use crate::store::Root;
use rustix::fs::OFlags;
use std::path::PathBuf;

fn folder(id: &str) -> PathBuf {
    PathBuf::from(format!("{}/{id}", super::FOLDER))
}

/// Adds a key.
pub fn push(root: &Root, id: &str, key: &Key) -> rustix::io::Result<()> {
    fsutil::create_file(root, folder(id).join(key.to_string()), OFlags::WRONLY).map(drop)
}

/// Takes a key out.
pub fn remove(root: &Root, id: &str, key: &Key) -> rustix::io::Result<bool> {
    fsutil::remove_file(root, folder(id).join(key.to_string()))
}

/// The keys that are there.
pub fn keys(root: &Root, id: &str) -> rustix::io::Result<Vec<Key>> {
    let names = fsutil::names(root, folder(id))?;
    Ok(names.iter().filter_map(|name| Key::from_hex(name.as_encoded_bytes())).collect())
}
