//! Checks the indexes and totals of the old store against its entries, and repairs them.
//!
//! A killed process leaves indexes that lead nowhere and totals that are off by what it was
//! doing. A damaged entry leaves references to its blobs. The audit walks every table page by
//! page, and reopens the database for each page so that readers get their turn. The caller
//! holds the fold lock, so nothing is added meanwhile.

use super::blob_refs::{self, SeenManifests};
use super::indexes::{command_place, tag_of};
use super::metadata::{EntryMetadata, key_of, split};
use super::old::Old;
use super::table::{Ordered, Table};
use super::walk;
use super::{Root, blobs as stored, in_place};
use anyhow::Result;
use cachex_base::record::entry::{About, BlobRef, Entry, Key};
use cachex_base::system::progress::{self, Stage};

/// The number of tables with a row for each entry. Tables for what only some entries have are not
/// counted.
const WHOLE: u64 = 4;
/// The number of rows that are walked while readers wait.
const PAGE: usize = 10_000;

/// Repairs everything, and returns the number of entries that were removed because they are damaged or their output
/// is gone.
pub fn audit(root: &Root) -> Result<u64> {
    let mut damaged = 0;
    let (mut entries, mut bytes) = (0, 0_u64);
    let mut met = SeenManifests::new();
    let counted = Old::with(root, |old| Ok(old.totals().entries))?;
    progress::begin(Stage::CheckingEntries, counted.saturating_mul(WHOLE));
    walk(
        root,
        |old| &old.entries,
        |old, key, sealed| {
            progress::advance(1);
            let Some(key) = key_of(key) else { return Ok(()) };
            // A note of what was evicted may have been lost.
            let is_gone = |blob: BlobRef| stored::is_gone(root, &blob.hash);
            let entry = Entry::open(&key, sealed).ok();
            let Some(entry) = entry.filter(|entry| !entry.blobs().any(is_gone)) else {
                damaged += 1;
                old.take_out(&key)?;
                return Ok(());
            };
            entries += 1;
            bytes = bytes.saturating_add(sealed.len() as u64);
            // Restores missing metadata and indexes, and leaves others alone.
            old.mend(&entry, sealed, &mut met)
        },
    )?;
    walk(
        root,
        |old| &old.facts,
        |old, key, _| {
            progress::advance(1);
            if let Some(key) = key_of(key)
                && !old.entries.contains_key(key.0)?
            {
                old.take_out(&key)?;
            }
            Ok(())
        },
    )?;
    indexes(root)?;
    bytes = bytes.saturating_add(blobs(root, &met)?);
    Old::with(root, |old| {
        old.count(|totals| (totals.entries, totals.bytes) = (entries, bytes));
        Ok(())
    })?;
    in_place::is_whole_again(root)?;
    Ok(damaged)
}

/// Removes index rows that lead nowhere.
fn indexes(root: &Root) -> Result<()> {
    walk(
        root,
        |old| &old.indexes.uses,
        |old, place, _| {
            progress::advance(1);
            let leads = |last_use, facts: &EntryMetadata| facts.last_use == last_use;
            drop_unless(&old.indexes.uses, place, is_led_to(old, place, leads)?)
        },
    )?;
    walk(
        root,
        |old| &old.indexes.expiries,
        |old, place, _| {
            let leads = |gone, facts: &EntryMetadata| facts.gone == Some(gone);
            drop_unless(&old.indexes.expiries, place, is_led_to(old, place, leads)?)
        },
    )?;
    walk(
        root,
        |old| &old.indexes.tags,
        |old, place, _| {
            let kept = match tag_of(place) {
                Some((tag, key)) => {
                    about(old, &key)?.is_some_and(|about| about.tags.iter().any(|t| t == tag))
                }
                None => false,
            };
            drop_unless(&old.indexes.tags, place, kept)
        },
    )?;
    walk(
        root,
        |old| &old.indexes.commands,
        |old, place, _| {
            progress::advance(1);
            let kept = match place.split_last_chunk() {
                Some((command, key)) => about(old, &Key(*key))?
                    .is_some_and(|about| command_place(&about.argv) == command),
                None => false,
            };
            drop_unless(&old.indexes.commands, place, kept)
        },
    )
}

/// Removes references to blobs whose owner is neither an entry with that blob nor a manifest of
/// an entry. Returns the size of the blobs that are still referenced, in bytes.
fn blobs(root: &Root, met: &SeenManifests) -> Result<u64> {
    let (mut last, mut bytes) = (None, 0_u64);
    walk(
        root,
        |old| &old.needs.table,
        |old, place, value| {
            let size = match (blob_refs::split(place), blob_refs::size_in(value)) {
                (Some((hash, owner)), Some(size)) if is_needed(old, met, &hash, &owner)? => {
                    Some((hash, old.needs.mend_size(root, place, value, size)?))
                }
                _ => None,
            };
            if let Some((hash, size)) = size
                && last != Some(hash)
            {
                last = Some(hash);
                bytes = bytes.saturating_add(size);
            }
            drop_unless(&old.needs.table, place, size.is_some())
        },
    )?;
    Ok(bytes)
}

fn walk(
    root: &Root,
    table: impl Fn(&Old) -> &dyn Ordered,
    visit: impl FnMut(&Old, &[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    walk::walk(root, PAGE, table, visit)
}

fn is_led_to(old: &Old, place: &[u8], leads: impl Fn(u64, &EntryMetadata) -> bool) -> Result<bool> {
    let Some((number, key)) = split(place) else { return Ok(false) };
    Ok(old.facts(&key)?.is_some_and(|facts| leads(number, &facts)))
}

fn about(old: &Old, key: &Key) -> Result<Option<About>> {
    let sealed = old.entries.get(key.0)?;
    Ok(sealed.and_then(|sealed| Entry::open(key, &sealed).ok()).map(|entry| entry.about))
}

fn drop_unless(table: &Table, place: &[u8], kept: bool) -> Result<()> {
    if !kept {
        table.remove(place)?;
    }
    Ok(())
}

fn is_needed(old: &Old, met: &SeenManifests, blob: &[u8; 32], owner: &Key) -> Result<bool> {
    if met.get(&owner.0) == Some(&true) {
        return Ok(true);
    }
    let Some(sealed) = old.entries.get(owner.0)? else { return Ok(false) };
    Ok(Entry::open(owner, &sealed).is_ok_and(|entry| entry.blobs().any(|one| one.hash == *blob)))
}
