//! Queries of the old store for people to read.

use super::{DbClient, STEP};
use crate::metadata::{EntryMetadata, Totals};
use crate::query::Query;
use crate::stats::Counts;
use crate::{db_server, guard};
use anyhow::{Context, Result};
use cachex_base::process::ipc;
use cachex_base::record::entry::{Entry, Key};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::time::Duration;

impl DbClient<'_> {
    /// Passes the entries that match `query` to `visit`, in the order of the query. Returns how
    /// many match, unless the search could stop before it knew.
    ///
    /// Young entries that were not folded yet are not included.
    pub fn query(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
    ) -> Result<Option<u64>> {
        self.query_within(query, STEP, visit)
    }

    /// Like [`query`](Self::query), but waits at most `step` between two signs of progress.
    pub fn query_within(
        &self,
        query: &Query,
        step: Duration,
        visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
    ) -> Result<Option<u64>> {
        // Reject a filter that cannot be understood here, without a helper.
        query.filter.matcher()?;
        if !guard::exists(self.root) {
            return Ok(Some(0));
        }
        let input = ipc::encode(query)?;
        let matched =
            self.ask(db_server::QUERY, &[], Some(&input), Some(step), &mut opened(visit))?;
        ipc::decode(&matched).context("reading how many entries match")
    }

    /// Passes the entries of these keys to `visit`, as far as they exist, in the order of the
    /// keys.
    pub fn find(
        &self,
        keys: &[Key],
        visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
    ) -> Result<()> {
        let input = self.that_may_be_held(keys);
        if !input.is_empty() {
            self.ask(db_server::FIND, &[], Some(&input), Some(STEP), &mut opened(visit))?;
        }
        Ok(())
    }

    /// Returns the statistics from a day on, see [`stats::day_of`](crate::stats::day_of): the
    /// day, the name of a command and the counts of its calls. The empty name stands for all
    /// commands that are not counted separately.
    pub fn stats(&self, since_day: u32) -> Result<Vec<(u32, String, Counts)>> {
        self.list(db_server::STATS, &[OsString::from(since_day.to_string())])
    }

    /// Resets the statistics.
    pub fn reset_stats(&self) -> Result<()> {
        if guard::exists(self.root) {
            self.ask(db_server::RESET_STATS, &[], None, Some(STEP), &mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// Returns the totals of the whole store.
    pub fn totals(&self) -> Result<Totals> {
        if !guard::exists(self.root) {
            return Ok(Totals::default());
        }
        let totals = self.ask(db_server::TOTALS, &[], None, Some(STEP), &mut |_| Ok(()))?;
        ipc::decode(&totals).context("reading the sums of the store")
    }

    fn list<T: DeserializeOwned>(&self, op: &str, args: &[OsString]) -> Result<Vec<T>> {
        let mut list = Vec::new();
        if guard::exists(self.root) {
            self.ask(op, args, None, Some(STEP), &mut |item| {
                list.push(ipc::decode(item).context("reading what is in the store")?);
                Ok(())
            })?;
        }
        Ok(list)
    }
}

/// Decodes an item and passes its entry, if it is whole, to `visit`.
pub(super) fn opened(
    visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
) -> impl FnMut(&[u8]) -> Result<()> {
    |item| {
        let item: db_server::Item = ipc::decode(item).context("reading an entry")?;
        match Entry::open_any(&item.sealed) {
            Ok(entry) => visit(entry, item.facts),
            Err(_) => Ok(()),
        }
    }
}
