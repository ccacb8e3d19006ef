//! How a fold keeps the store within its bounds: what goes, until it is enough.

use super::super::metadata::Totals;
use super::super::old::Old;
use super::super::{account, rebuild};
use super::{BATCH, Fold};
use anyhow::Result;

/// The young files that stay as the fast copy: so many, and so many bytes,
const KEEP: (usize, u64) = (4096, 32 * 1024 * 1024);
/// and no larger a share of the limit on the store's size.
const KEEP_SHARE: u64 = 8;
/// A fold leaves so large a share of the limit free.
const SPARE_SHARE: u64 = 8;
/// The database may take two fifths of the limit: it is written anew beside itself.
const DATABASE: (u64, u64) = (2, 5);
/// Room is made in so many rounds at the most.
const ROUNDS: u32 = 6;
/// What an entry takes besides its bytes: its young file, and its place in the indexes.
const BESIDES: u64 = 3072;
/// What the store takes is surveyed every so many folds.
const SURVEY_EVERY: u64 = 8;
impl Fold<'_> {
    /// How many young files stay, and how many bytes of them.
    pub(super) fn kept(&self) -> (usize, u64) {
        let max = self.options.max_size.unwrap_or(u64::MAX);
        let bytes = KEEP.1.min(max / KEEP_SHARE);
        (KEEP.0.min((bytes / account::BLOCK) as usize), bytes)
    }

    /// Drops what expired, and the least recently used of too many.
    pub(super) fn expire(&mut self) -> Result<()> {
        let gone = self.gone_before();
        self.report.expired = self.remove_while(|old| old.expire(gone, BATCH))?;
        if let Some(max) = self.options.max_entries {
            let is_too_much = |totals: &Totals| totals.entries > max;
            self.report.evicted += self.remove_while(|old| old.evict(is_too_much, BATCH))?;
        }
        Ok(())
    }

    /// Drops the least recently used of what is too much on disk.
    pub(super) fn bound(&mut self, max: u64) -> Result<()> {
        let goal = max - max / SPARE_SHARE;
        let database = max / DATABASE.1 * DATABASE.0;
        for _ in 0..ROUNDS {
            let folds = self.report.totals.folds;
            let mut account = account::update(self.root, |account| *account)?;
            let is_near = account.taken > goal || account.database > database;
            if is_near || folds.is_multiple_of(SURVEY_EVERY) {
                account = account::surveyed(self.root)?;
            }
            let excess = account.taken.saturating_sub(goal);
            // Of what the index takes each entry has its share.
            let excess = excess.max(account.database.saturating_sub(database));
            if excess == 0 {
                break;
            }
            if rebuild::rebuild_if_due(self.root, true)? {
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

    /// Drops the least recently used, until they come to so many bytes.
    fn evict(&mut self, excess: u64) -> Result<u64> {
        let before = Old::with(self.root, |old| Ok(old.totals()))?;
        let is_too_much = |totals: &Totals| {
            let bytes = before.bytes.saturating_sub(totals.bytes);
            let entries = before.entries.saturating_sub(totals.entries);
            bytes.saturating_add(entries.saturating_mul(BESIDES)) < excess
        };
        self.remove_while(|old| old.evict(is_too_much, BATCH))
    }

    /// Writes the old store anew, if that pays.
    pub(super) fn rebuild(&mut self) -> Result<()> {
        if !self.is_idle || self.removed > 0 || self.options.full {
            let is_much = self.removed.saturating_mul(8) > self.report.totals.entries;
            let thoroughly = is_much || self.options.full;
            match self.state {
                Some(state) if self.removed == 0 && !self.options.full => {
                    state.rebuild_if_due(self.root, thoroughly)?
                }
                _ => rebuild::rebuild_if_due(self.root, thoroughly)?,
            };
        }
        Ok(())
    }
}
