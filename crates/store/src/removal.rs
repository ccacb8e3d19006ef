//! Removes entries from both generations by their keys.

use super::db_client::DbClient;
use super::young::Young;
use super::{Root, room};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result};
use cachex_base::record::entry::Key;
use std::collections::HashSet;

/// The number of entries a helper process removes at once before it has to show that it is alive.
const AT_ONCE: usize = 5000;

/// Returns how many of `count` entries are removed at once. Where the database has to be written
/// anew for that, it is written once.
pub fn at_once(root: &Root, count: usize) -> usize {
    if room::is_enough_to_remove(root, count).unwrap_or(true) { AT_ONCE } else { count.max(1) }
}

/// Removes the entries of these keys, and returns how many there were. The next fold sweeps the
/// blobs that are no longer referenced.
pub fn remove(root: &Root, keys: &[Key]) -> Result<u64> {
    if keys.is_empty() {
        return Ok(0);
    }
    let _folding =
        Lock::wait(root, lock::FOLD, Mode::Exclusive).context("waiting for the store")?;
    let (young, old) = (Young::new(root), DbClient::new(root));
    let mut removed = 0;
    for keys in keys.chunks(at_once(root, keys.len())) {
        // Remove from the old store first, so that what is removed from the young is not found
        // there.
        let below = old.remove_all(keys, &mut HashSet::new())?;
        let mut above = 0;
        for key in keys {
            above += u64::from(young.remove(key)?);
        }
        removed += above.max(below);
    }
    Ok(removed)
}
