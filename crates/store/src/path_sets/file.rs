//! The files of path sets in the store.

use super::{FOLDER, Ground, MOST, PathSet, PathSets, Refused, codec};
use crate::Root;
use crate::lock::Lock;
use crate::room::NewMemory;
use anyhow::{Context, Result};
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::stamp;
use std::path::PathBuf;
use std::rc::Rc;

/// The minimum interval between updates of the time of use, in nanoseconds.
const USED_LATELY: i64 = 60 * 60 * 1_000_000_000;
/// The maximum size of a fact or folder besides its path, in bytes.
const FACT: usize = 88;
/// The maximum size of a set besides its facts and folders, and of what is known besides sets.
const BESIDES: usize = 128;

impl PathSets {
    /// Reads the path sets of a key, wherever its calls are made; empty if they are damaged.
    pub fn recall(root: &Root, key: &Key) -> PathSets {
        PathSets::recall_at(root, key, None)
    }

    /// Reads the path sets of a key for a portable call that is made at `ground`.
    pub fn recall_at(root: &Root, key: &Key, ground: Option<&Rc<Ground>>) -> PathSets {
        PathSets::try_recall(root, key, ground).unwrap_or_default()
    }

    fn try_recall(root: &Root, key: &Key, ground: Option<&Rc<Ground>>) -> Option<PathSets> {
        let file = fsutil::open_file(root, path(key)).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let len = usize::try_from(stat.st_size).ok().filter(|&len| len <= codec::LONGEST)?;
        let mut bytes = vec![0; len];
        let read = fsutil::read_full(&file, &mut bytes).ok()?;
        bytes.truncate(read);
        let sets = codec::decode(&bytes, ground)?;
        if stamp::Stamp::of(&stat).mtime < stamp::now() - USED_LATELY {
            // The sweep goes by this time.
            let _ = rustix::fs::futimens(&file, &fsutil::NOW);
        }
        Some(sets)
    }

    /// Replaces the path sets of a key in a store of up to `limit` bytes. Returns whether a fold is
    /// due.
    pub fn remember(&self, root: &Root, limit: u64, key: &Key) -> Result<bool> {
        let bytes = codec::encode(self);
        let place = NewMemory::claim(root, limit, path(key), bytes.len() as u64);
        place.and_then(|place| place.put(&bytes)).context("keeping a path set")
    }

    /// Changes the path sets of a key in a store of up to `limit` bytes, by about `more` bytes.
    /// Returns whether a fold is due.
    fn change(
        root: &Root,
        limit: u64,
        (key, ground): (&Key, Option<&Rc<Ground>>),
        more: usize,
        change: impl FnOnce(&mut PathSets),
    ) -> Result<bool> {
        let path = path(key);
        let before = fsutil::stat(root, &path)?.map_or(0, |stat| stat.st_size as u64);
        // While something is published, nobody makes room.
        let place = NewMemory::claim(root, limit, path, before.saturating_add(more as u64));
        let place = place.context("making room for a path set")?;
        let _publish = Lock::to_publish(root).context("keeping a path set")?;
        let mut known = PathSets::recall_at(root, key, ground);
        change(&mut known);
        place.put(&codec::encode(&known)).context("keeping a path set")
    }

    /// Adds the set of a run that was recorded.
    pub fn add(root: &Root, limit: u64, key: &Key, set: PathSet) -> Result<bool> {
        let (ground, size) = (set.ground.clone(), set.size());
        PathSets::change(root, limit, (key, ground.as_ref()), size, |known| {
            known.used(set);
            known.refused = None;
        })
    }

    /// Adds a set of another store, as the least recently used one.
    pub fn add_last(root: &Root, limit: u64, key: &Key, set: PathSet) -> Result<bool> {
        let (ground, size) = (set.ground.clone(), set.size());
        PathSets::change(root, limit, (key, ground.as_ref()), size, |known| {
            if known.sets.iter().all(|it| it.id() != set.id()) {
                known.sets.truncate(MOST - 1);
                known.sets.push(set);
            }
        })
    }

    /// Records why a run was not recorded.
    pub fn refuse(root: &Root, limit: u64, key: &Key, why: &str) -> Result<bool> {
        PathSets::change(root, limit, (key, None), why.len() + BESIDES, |known| {
            known.refused = Some(Refused { at: Timestamp::now(), why: why.to_owned() });
        })
    }
}

impl PathSet {
    /// Returns about how many bytes it takes in its file.
    fn size(&self) -> usize {
        let facts = self.facts.iter().map(|fact| fact.path.len());
        let folders = self.folders.iter().map(|(path, _)| path.len());
        facts.chain(folders).map(|path| path + FACT).sum::<usize>() + BESIDES
    }
}

/// Returns the path of a key's path sets.
pub fn path(key: &Key) -> PathBuf {
    let hex = key.to_string();
    PathBuf::from(format!("{FOLDER}/{}/{hex}", &hex[..2]))
}
