//! Keeps the store within its limits during a fold.

use super::super::metadata::Totals;
use super::super::old::Old;
use super::super::{account, blobs, rebuild, young};
use super::{BATCH, Fold};
use anyhow::Result;
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;

/// The maximum number and bytes of young files that stay as the fast copy,
const KEEP: (usize, u64) = (4096, 32 * 1024 * 1024);
/// and the maximum share of the store's size limit that they take.
const KEEP_SHARE: u64 = 8;
/// The share of the limit that a fold leaves free.
const SPARE_SHARE: u64 = 8;
/// The maximum size of the database, two fifths of the limit: rebuilding it needs as much again.
const DATABASE: (u64, u64) = (2, 5);
/// The share of the limit from which young files are many: twice of what is written between folds.
const MANY: u64 = 4;
/// The maximum number of rounds in which space is freed.
const ROUNDS: u32 = 6;
/// The overhead of an entry beyond its bytes: its young file and its index records.
const BESIDES: u64 = 3072;
/// The number of folds between surveys of disk usage.
const SURVEY_EVERY: u64 = 8;

/// Returns the maximum size of the database in a store of up to `max` bytes.
fn most_of_database(max: u64) -> u64 {
    max / DATABASE.1 * DATABASE.0
}

impl Fold<'_> {
    /// Returns whether the store takes no more than it may.
    pub(super) fn is_within_limit(&self) -> Result<bool> {
        let Some(max) = self.options.max_size else { return Ok(true) };
        Ok(account::update(self.root, |account| account.taken)? <= max)
    }

    /// Returns how many young files, and how many bytes of them, are kept.
    pub(super) fn kept(&self) -> (usize, u64) {
        let max = self.options.max_size.unwrap_or(u64::MAX);
        let bytes = KEEP.1.min(max / KEEP_SHARE);
        (KEEP.0.min((bytes / account::BLOCK) as usize), bytes)
    }

    /// Removes the entries whose output was evicted to make room.
    pub(super) fn drop_evicted(&mut self) -> Result<()> {
        let noted = std::mem::take(&mut self.noted);
        let gone = noted.blobs.iter().filter(|blob| blobs::is_gone(self.root, blob));
        let mut gone = gone.collect::<Vec<_>>().into_iter();
        self.report.evicted += self.remove_while(|old| old.drop_users(&mut gone, BATCH))?;
        noted.discard(self.root)
    }

    /// Removes expired entries, and the least recently used beyond the maximum number.
    pub(super) fn expire(&mut self) -> Result<()> {
        let gone = self.gone_before();
        self.report.expired = self.remove_while(|old| old.expire(gone, BATCH))?;
        if let Some(max) = self.options.max_entries {
            let is_too_much = |totals: &Totals| totals.entries > max;
            self.report.evicted += self.remove_while(|old| old.evict(is_too_much, BATCH))?;
        }
        Ok(())
    }

    /// Removes the least recently used entries until disk usage is within the limit.
    pub(super) fn bound(&mut self, max: u64) -> Result<()> {
        let goal = max - max / SPARE_SHARE;
        let database = most_of_database(max);
        for _ in 0..ROUNDS {
            let folds = self.report.totals.folds;
            let mut account = account::update(self.root, |account| *account)?;
            let is_near = account.taken > goal || account.database > database;
            if is_near || folds.is_multiple_of(SURVEY_EVERY) {
                account = account::surveyed(self.root)?;
            }
            let excess = account.taken.saturating_sub(goal);
            // Each entry has its share of the index.
            let excess = excess.max(account.database.saturating_sub(database));
            if excess == 0 {
                break;
            }
            if rebuild::rebuild_if_due(self.root, true, Some(max))? {
                continue;
            }
            let evicted = self.evict(excess)?;
            self.report.evicted += evicted;
            self.sweep(false)?;
            if evicted == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Removes the least recently used entries until they amount to `excess` bytes.
    fn evict(&mut self, excess: u64) -> Result<u64> {
        let before = Old::with(self.root, |old| Ok(old.totals()))?;
        let is_too_much = |totals: &Totals| {
            let bytes = before.bytes.saturating_sub(totals.bytes);
            let entries = before.entries.saturating_sub(totals.entries);
            bytes.saturating_add(entries.saturating_mul(BESIDES)) < excess
        };
        self.remove_while(|old| old.evict(is_too_much, BATCH))
    }

    /// Sorts young files by their last use, latest first, if they are so many that moving them to
    /// the database may not fit within the limit. Returns whether they are.
    pub(super) fn sort_if_many(&self, keys: &mut [Key]) -> bool {
        let Some(max) = self.options.max_size else { return false };
        if keys.len() as u64 <= max / MANY / account::BLOCK {
            return false;
        }
        keys.sort_by_cached_key(|key| {
            let stat = fsutil::stat(self.root, young::path(key)).ok().flatten();
            let written = stat.map_or(0, |stat| account::changed(&stat));
            std::cmp::Reverse(self.usage.get(key).map_or(0, |usage| usage.last).max(written))
        });
        true
    }

    /// Returns whether the database takes as much as it may.
    pub(super) fn is_database_full(&self) -> Result<bool> {
        let Some(max) = self.options.max_size else { return Ok(false) };
        let database = account::update(self.root, |account| account.database)?;
        Ok(database > most_of_database(max))
    }

    /// Rebuilds the old store, if that pays.
    pub(super) fn rebuild(&mut self) -> Result<()> {
        if !self.is_idle || self.removed > 0 || self.options.full {
            let is_much = self.removed.saturating_mul(8) > self.report.totals.entries;
            let thoroughly = is_much || self.options.full;
            let max = self.options.max_size;
            match self.state {
                Some(state) if self.removed == 0 && !self.options.full => {
                    state.rebuild_if_due(self.root, thoroughly, max)?
                }
                _ => rebuild::rebuild_if_due(self.root, thoroughly, max)?,
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
