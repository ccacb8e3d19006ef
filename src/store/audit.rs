//! The old store's indexes and sums, checked against its entries and mended.
//!
//! A killed process leaves indexes that lead nowhere and sums that are off by
//! what it was doing; a damaged entry leaves its blobs needed. This walks every
//! tree, page by page, opening the database anew for each so that readers get
//! their turn. The caller holds the fold lock, so nothing is added meanwhile.

use super::Root;
use super::facts::{Facts, key_of, split};
use super::old::{Old, page};
use crate::entry::{Entry, Key};
use anyhow::Result;
use sled::{IVec, Tree};

/// How much is walked while readers wait.
const PAGE: usize = 10_000;

/// Mends everything; how many damaged entries were removed.
pub fn audit(root: &Root) -> Result<u64> {
    let mut damaged = 0;
    let (mut entries, mut bytes) = (0, 0_u64);
    walk(
        root,
        |old| &old.entries,
        |old, key, sealed| {
            let Some(key) = key_of(key) else { return Ok(()) };
            let Ok(entry) = Entry::open(&key, sealed) else {
                damaged += 1;
                old.take_out(&key)?;
                return Ok(());
            };
            entries += 1;
            bytes = bytes.saturating_add(sealed.len() as u64);
            // Puts back facts and indexes that are missing, and leaves others alone.
            old.mend(&entry, sealed)
        },
    )?;
    walk(
        root,
        |old| &old.facts,
        |old, key, _| {
            if let Some(key) = key_of(key)
                && !old.entries.contains_key(key.0)?
            {
                old.take_out(&key)?;
            }
            Ok(())
        },
    )?;
    walk(
        root,
        |old| &old.by_use,
        |old, place, _| {
            let leads = |last_use, facts: &Facts| facts.last_use == last_use;
            drop_unless(&old.by_use, place, is_led_to(old, place, leads)?)
        },
    )?;
    walk(
        root,
        |old| &old.by_expiry,
        |old, place, _| {
            let leads = |expires, facts: &Facts| facts.expires == Some(expires);
            drop_unless(&old.by_expiry, place, is_led_to(old, place, leads)?)
        },
    )?;
    let mut last = None;
    walk(
        root,
        |old| &old.blobs,
        |old, place, _| {
            let Some((hash, key)) = place.split_first_chunk::<32>() else { return Ok(()) };
            let blob = match key_of(key) {
                Some(key) => {
                    old.entries.get(key.0)?.and_then(|sealed| blob_of(&key, &sealed, hash))
                }
                None => None,
            };
            if let Some(len) = blob
                && last != Some(*hash)
            {
                last = Some(*hash);
                bytes = bytes.saturating_add(len);
            }
            drop_unless(&old.blobs, place, blob.is_some())
        },
    )?;
    Old::with(root, |old| {
        old.count(|totals| (totals.entries, totals.bytes) = (entries, bytes));
        Ok(())
    })?;
    Ok(damaged)
}

/// Shows every item of a tree to `visit`.
fn walk(
    root: &Root,
    tree: impl Fn(&Old) -> &Tree,
    mut visit: impl FnMut(&Old, &[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let mut after: Option<IVec> = None;
    loop {
        let items = Old::with(root, |old| {
            let items = page(tree(old), after.as_deref(), PAGE)?;
            for (key, value) in &items {
                visit(old, key, value)?;
            }
            Ok(items)
        })?;
        match items.last() {
            Some((key, _)) => after = Some(key.clone()),
            None => return Ok(()),
        }
    }
}

fn is_led_to(old: &Old, place: &[u8], leads: impl Fn(u64, &Facts) -> bool) -> Result<bool> {
    let Some((number, key)) = split(place) else { return Ok(false) };
    Ok(old.facts(&key)?.is_some_and(|facts| leads(number, &facts)))
}

fn drop_unless(tree: &Tree, place: &[u8], kept: bool) -> Result<()> {
    if !kept {
        tree.remove(place)?;
    }
    Ok(())
}

fn blob_of(key: &Key, sealed: &[u8], hash: &[u8; 32]) -> Option<u64> {
    let entry = Entry::open(key, sealed).ok()?;
    entry.blobs().find(|blob| blob.hash == *hash).map(|blob| blob.len)
}
