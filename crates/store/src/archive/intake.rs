//! Imports the contents of an archive into a store.
//!
//! An archive is read twice. The first pass ([`Contents::read`]) verifies it and lists its
//! contents; then the records to import are chosen. The second pass writes these under temporary
//! names and verifies them again, because the file may have changed. Only when everything is
//! written do files get their names: blobs first, so that no entry is ever without them.
//!
//! All this happens under the fold lock: nothing is swept, folded or removed meanwhile, so
//! temporary files need no lock of their own, and blobs without an entry are safe. Leftovers of a
//! killed process are swept like any others. Runs are still recorded meanwhile, and win over
//! earlier records.

use super::contents::{Contents, opened, path_set};
use super::{Kind, Reader, Refused};
use crate::blobs::{NewBlob, WholeBlob};
use crate::db_client::DbClient;
use crate::lock::{self, Lock, Mode};
use crate::path_sets::PathSets;
use crate::room::Room;
use crate::temporary::Group;
use crate::young::{NewFile, Young};
use crate::{Root, account, events};
use anyhow::{Context, Result};
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use std::collections::HashMap;
use std::io::Read;

/// The number of files that get their names while recorders wait.
const BATCH: usize = 256;

/// The time at which the entry of each key was recorded.
pub type Recorded = HashMap<Key, Timestamp>;

/// Returns which of these entries the store has, and when they were recorded. Entries that are
/// damaged or from the future are left out: they are never served.
pub fn recorded(root: &Root, contents: &Contents, now: Timestamp) -> Result<Recorded> {
    let young = Young::new(root);
    let mut recorded = Recorded::new();
    let mut others = Vec::new();
    for key in contents.entries.iter().map(|entry| entry.key) {
        match young.get(&key) {
            Ok(Some(entry)) => drop(recorded.insert(key, entry.created)),
            _ => others.push(key),
        }
    }
    DbClient::new(root).find(&others, &mut |entry, _| {
        recorded.insert(entry.key, entry.created);
        Ok(())
    })?;
    recorded.retain(|_, created| *created <= now);
    Ok(recorded)
}

/// The entries and blobs of an archive that are imported.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    entries: Vec<bool>,
    blobs: Vec<bool>,
    /// The choice in numbers.
    pub tally: Tally,
}

/// The outcome of an import in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries that are imported.
    pub imported: u64,
    /// Imported entries that replace an earlier one.
    pub replaced: u64,
    /// Blobs that are imported with them.
    pub blobs: u64,
    /// Bytes of these entries and blobs.
    pub bytes: u64,
    /// Their disk usage in bytes.
    pub taken: u64,
    /// Entries that the store already has, or has a later version of.
    pub present: u64,
    /// Entries that have expired.
    pub expired: u64,
    /// Entries that were invalidated for all users of a remote store.
    pub invalid: u64,
    /// Entries recorded in the future.
    pub future: u64,
    /// Entries whose output or files exceed the recording limit.
    pub too_large: u64,
}

impl Tally {
    /// Adds a file of `len` bytes.
    fn add(&mut self, len: u64) {
        self.bytes = self.bytes.saturating_add(len);
        self.taken = self.taken.saturating_add(account::blocks(len));
    }
}

impl Choice {
    /// Chooses what to import into a store that has the `recorded` entries and records outputs of
    /// up to `limit` bytes.
    pub fn of(contents: &Contents, recorded: &Recorded, limit: u64, now: Timestamp) -> Choice {
        let mut tally = Tally::default();
        let mut blobs = vec![false; contents.blobs.len()];
        let mut entries = Vec::with_capacity(contents.entries.len());
        for entry in &contents.entries {
            let there = recorded.get(&entry.key);
            let why_not = if entry.created > now {
                Some(&mut tally.future)
            } else if entry.is_invalid {
                Some(&mut tally.invalid)
            } else if entry.gone.is_some_and(|gone| gone <= now) {
                Some(&mut tally.expired)
            } else if there.is_some_and(|there| *there >= entry.created) {
                Some(&mut tally.present)
            } else if entry.longest > limit {
                Some(&mut tally.too_large)
            } else {
                None
            };
            entries.push(why_not.is_none());
            if let Some(count) = why_not {
                *count += 1;
                continue;
            }
            tally.imported += 1;
            tally.replaced += u64::from(there.is_some());
            tally.add(entry.len);
            for &place in &entry.needs {
                blobs[place as usize] = true;
            }
        }
        for (blob, _) in contents.blobs.iter().zip(&blobs).filter(|(_, is_chosen)| **is_chosen) {
            tally.blobs += 1;
            tally.add(blob.len);
        }
        Choice { entries, blobs, tally }
    }
}

/// Files that are written but have no names yet. Dropping this removes them.
pub struct Staged<'a> {
    root: &'a Root,
    blobs: Vec<WholeBlob<'a>>,
    entries: Vec<StagedEntry<'a>>,
    /// There may be more files than descriptors. It outlives them.
    group: Group<'a>,
}

struct StagedEntry<'a> {
    file: NewFile<'a>,
    created: Timestamp,
    last_use: Timestamp,
}

impl<'a> Staged<'a> {
    /// Writes the chosen records, if there is room for them. The caller holds the fold lock.
    pub fn of(
        root: &'a Root,
        mut archive: Reader<impl Read>,
        contents: &Contents,
        choice: &Choice,
        room: &mut Room<'_>,
    ) -> Result<Staged<'a>> {
        claimed(room.make_for(choice.tally.taken), room)?;
        let group = Group::new(root).context(WRITING)?;
        let mut staged = Staged { root, blobs: Vec::new(), entries: Vec::new(), group };
        let mut blobs = contents.blobs.iter().zip(&choice.blobs);
        let mut entries = contents.entries.iter().zip(&choice.entries);
        while let Some((kind, _)) = archive.next()? {
            if kind == Kind::PathSet {
                let (call, set) = path_set(&archive.whole()?.0)?;
                // A path set without its entries leads nowhere and does no harm, and entries without
                // it cost a run.
                let _ = PathSets::add_last(root, room.limit(), &call, set);
                continue;
            }
            if kind == Kind::Entry {
                let (expected, is_chosen) = entries.next().ok_or(Refused::Damaged)?;
                let (last_use, entry) = opened(&archive.whole()?.0)?;
                if (entry.key, entry.created) != (expected.key, expected.created) {
                    return Err(Refused::Damaged.into());
                }
                if *is_chosen {
                    let (created, sealed) = (entry.created, entry.seal()?);
                    claimed(room.claim_file(sealed.len() as u64), room)?;
                    let file = NewFile::in_group(root, Some(&staged.group), &entry.key, &sealed);
                    let file = file.context(WRITING)?;
                    staged.entries.push(StagedEntry { file, created, last_use });
                }
                continue;
            }
            let (expected, is_chosen) = blobs.next().ok_or(Refused::Damaged)?;
            let new = || NewBlob::in_group(root, Some(&staged.group)).context(WRITING);
            let mut blob = if *is_chosen { Some(new()?) } else { None };
            let hash = archive.content(&mut |part| match &mut blob {
                Some(blob) => {
                    claimed(room.claim(part.len() as u64), room)?;
                    blob.append(part).context(WRITING)
                }
                None => Ok(()),
            })?;
            if hash != expected.hash {
                return Err(Refused::Damaged.into());
            }
            if let Some(blob) = blob {
                staged.blobs.push(blob.finish().context(WRITING)?);
            }
        }
        Ok(staged)
    }

    /// Gives every file its name, except for entries superseded by a later record meanwhile, whose
    /// number it returns. The caller holds the fold lock.
    pub fn publish(self, now: Timestamp) -> Result<u64> {
        let root = self.root;
        for blobs in batches(self.blobs) {
            let _publishing = Lock::wait(root, lock::PUBLISH, Mode::Shared).context(PUBLISHING)?;
            for blob in blobs {
                blob.keep().context(PUBLISHING)?;
            }
        }
        let young = Young::new(root);
        let mut outrun = 0;
        for entries in batches(self.entries) {
            let mut uses = Vec::new();
            // Exclusive, so that nothing is recorded between the check and the rename.
            let _publishing =
                Lock::wait(root, lock::PUBLISH, Mode::Exclusive).context(PUBLISHING)?;
            for StagedEntry { file, created, last_use } in entries {
                let there = young.get(file.key()).ok().flatten();
                if there.is_some_and(|there| (created..=now).contains(&there.created)) {
                    outrun += 1;
                    continue;
                }
                if last_use > created {
                    uses.push((*file.key(), last_use.min(now)));
                }
                file.keep().context(PUBLISHING)?;
            }
            // If this fails, the entries count as unused since they were recorded.
            let _ = events::append_uses(root, &uses);
        }
        Ok(outrun)
    }
}

/// Refuses what there is no room for.
fn claimed(is_there: rustix::io::Result<bool>, room: &Room<'_>) -> Result<()> {
    let is_there = is_there.context("making room in the store")?;
    Ok(is_there.then_some(()).ok_or(Refused::NoRoom(room.limit()))?)
}

const WRITING: &str = "writing to the store";
const PUBLISHING: &str = "putting results into the store";

/// Splits `all` into batches of [`BATCH`] items.
fn batches<T>(all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut all = all.into_iter();
    std::iter::from_fn(move || {
        let batch: Vec<T> = all.by_ref().take(BATCH).collect();
        (!batch.is_empty()).then_some(batch)
    })
}
