//! The order of removal when a store is kept within its limits: expired entries first, then the
//! least recently used.

use super::metadata::{Removed, Totals, joined, split};
use super::old::Old;
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use std::ops::Bound;

impl Old {
    /// Returns whether an entry has expired by `time`, or there are more than `max` entries.
    pub fn exceeds(&self, time: Timestamp, max: Option<u64>) -> sled::Result<bool> {
        let first = self.indexes.expiries.iter().next().transpose()?;
        let is_due = |place: &[u8]| split(place).is_none_or(|(gone, _)| gone <= time.0);
        Ok(first.is_some_and(|(place, _)| is_due(&place))
            || max.is_some_and(|max| self.totals().entries > max))
    }

    /// Removes entries that have expired by `time`, until `limit` entries and blobs are removed.
    pub fn expire(&self, time: Timestamp, limit: usize) -> sled::Result<Vec<Removed>> {
        let mut removed = Vec::new();
        let end = joined(&time.0.to_be_bytes(), &Key([0xff; 32]));
        let mut work = 0;
        for item in self.indexes.expiries.up_to(Bound::Included(&end)) {
            if work >= limit {
                break;
            }
            let (place, _) = item?;
            work += 1;
            let Some((gone, key)) = split(&place) else { continue };
            if self.facts(&key)?.is_some_and(|facts| facts.gone == Some(gone))
                && let Some(gone) = self.take_out(&key)?
            {
                work += gone.orphans.len();
                removed.push(gone);
            }
            // The entry is gone, unless the place led nowhere.
            self.indexes.expiries.remove(&place)?;
            self.changed();
        }
        Ok(removed)
    }

    /// Removes the entries that need one of these blobs, until `limit` entries are removed. Takes the
    /// blobs that were looked at.
    pub fn drop_users<'b>(
        &self,
        blobs: &mut impl Iterator<Item = &'b [u8; 32]>,
        limit: usize,
    ) -> sled::Result<Vec<Removed>> {
        let mut removed = Vec::new();
        for blob in blobs {
            for key in self.needs.users(blob)? {
                removed.extend(self.take_out(&key)?);
            }
            if removed.len() >= limit {
                break;
            }
        }
        Ok(removed)
    }

    /// Removes the least recently used entries, until `limit` entries and blobs are removed or the
    /// rest is within bounds. The entry recorded last stays.
    pub fn evict(
        &self,
        is_too_much: impl Fn(&Totals) -> bool,
        limit: usize,
    ) -> sled::Result<Vec<Removed>> {
        let mut removed = Vec::new();
        let mut work = 0;
        for item in self.indexes.uses.iter() {
            if !is_too_much(&self.totals()) || work >= limit {
                break;
            }
            let (place, _) = item?;
            let Some((last_use, key)) = split(&place) else { continue };
            if key.0 == self.totals().latest.1 {
                continue;
            }
            if self.facts(&key)?.is_some_and(|facts| facts.last_use == last_use)
                && let Some(gone) = self.take_out(&key)?
            {
                work += 1 + gone.orphans.len();
                removed.push(gone);
            }
            self.indexes.uses.remove(&place)?;
            self.changed();
        }
        Ok(removed)
    }
}
