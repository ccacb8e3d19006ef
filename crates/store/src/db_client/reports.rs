//! What is asked of the old store for people to read.

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
    /// Shows the entries that `query` asks for to `visit`, in its order; how
    /// many match, unless the search could stop before it knew.
    ///
    /// What is young and was not folded yet is not among them.
    pub fn query(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
    ) -> Result<Option<u64>> {
        self.query_within(query, STEP, visit)
    }

    /// The same for who cannot wait so long from one sign of progress to the next.
    pub fn query_within(
        &self,
        query: &Query,
        step: Duration,
        visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
    ) -> Result<Option<u64>> {
        // What cannot be understood is for the caller to tell, without a helper.
        query.filter.matcher()?;
        if !guard::exists(self.root) {
            return Ok(Some(0));
        }
        let input = ipc::encode(query)?;
        let matched =
            self.ask(db_server::QUERY, &[], Some(&input), Some(step), &mut opened(visit))?;
        ipc::decode(&matched).context("reading how many entries match")
    }

    /// Shows the entries of these keys to `visit`, as far as there are any, in the
    /// order of the keys.
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

    /// What was counted from a day on, [`stats::day_of`](crate::stats::day_of):
    /// the day, the name of a command, what its calls came to. The empty name
    /// stands for all that are not counted apart.
    pub fn stats(&self, since_day: u32) -> Result<Vec<(u32, String, Counts)>> {
        self.list(db_server::STATS, &[OsString::from(since_day.to_string())])
    }

    /// Counts from nothing again.
    pub fn reset_stats(&self) -> Result<()> {
        if guard::exists(self.root) {
            self.ask(db_server::RESET_STATS, &[], None, Some(STEP), &mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// The sums over the whole store.
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

/// Opens an item and shows the entry in it, if that is whole.
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
