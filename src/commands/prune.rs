//! `cachex prune`: removes entries that have expired, are old, or exceed a limit.

use super::entries::{self, Entries, Settings};
use super::misused;
use super::removal::{Chosen, Removal};
use crate::args::{NamedArgs, PruneArgs};
use crate::config::Vars;
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::LEAST_STORE;
use cachex_store::query::{Filter, Order, Query};
use cachex_store::{Root, account, reserve};
use std::fmt;

/// Prunes the store.
pub fn prune(args: &PruneArgs, vars: &Vars) -> Result<Exit> {
    let settings =
        match Settings::of("prune", NamedArgs::default(), args.store.clone(), Vec::new(), vars) {
            Ok(settings) => settings,
            Err(exit) => return Ok(exit),
        };
    let quiet = settings.config.quiet;
    if let (Some(size), None, None) = (args.max_size, &args.tag, &args.cwd)
        && size < LEAST_STORE
    {
        return Ok(misused("prune", exit::USAGE, "--max-size: the minimum is 1MB"));
    }
    let removal = Removal { done: "pruned", args: &args.removal, quiet, vars, shared: None };
    let Some(root) = settings.store()? else { return removal.nothing() };
    let stored = Entries::to_remove_from(&root, settings.messages(), args.removal.dry_run)?;
    let now = Timestamp::now();
    let filter = Filter {
        tag: args.tag.as_ref().map(|tag| tag.0.clone()),
        cwd: args.cwd.as_deref().map(entries::folder).transpose()?,
        ..Filter::default()
    };
    let is_of_all = filter == Filter::default();
    let chosen_by = Choice { root: &root, stored: &stored, filter };
    let is_default = !args.expired
        && args.max_age.is_none()
        && args.max_size.is_none()
        && args.max_entries.is_none();
    let (mut max_size, mut max_entries) = (args.max_size, args.max_entries);
    if is_default && is_of_all {
        (max_size, max_entries) = (Some(settings.config.max_size), settings.config.max_entries);
    }
    let too_old = args.max_age.map(|span| entries::ago(now, span)).transpose()?;
    if let Some(most) = max_size.filter(|_| is_of_all && !args.removal.dry_run) {
        reserve::fit(&root, most)?;
    }
    removal.carry_out(&root, &stored, |chosen, round| {
        let is_too_large = |chosen: &mut Chosen<'_>| match max_size {
            Some(most) if is_of_all => chosen_by.too_large_on_disk(chosen, most),
            Some(most) if round == 0 => chosen_by.too_large(chosen, most),
            _ => Ok(()),
        };
        if round > 0 {
            // What is left may take more than was to be expected.
            return is_too_large(chosen);
        }
        if args.expired || is_default {
            chosen_by.expired(chosen, now, args.expired)?;
        }
        if let Some(time) = too_old {
            chosen_by.recorded_before(chosen, time)?;
        }
        if let Some(most) = max_entries {
            chosen_by.too_many(chosen, most)?;
        }
        is_too_large(chosen)
    })
}

/// Chooses among entries.
struct Choice<'a> {
    root: &'a Root,
    stored: &'a Entries<'a>,
    /// The filter that all entries must meet.
    filter: Filter,
}

impl Choice<'_> {
    /// Chooses the expired entries: all of them, or only those that are of no use any more.
    fn expired(&self, chosen: &mut Chosen<'_>, now: Timestamp, all: bool) -> Result<()> {
        let (expired_at, gone_at) = if all { (Some(now), None) } else { (None, Some(now)) };
        let filter = Filter { expired_at, gone_at, ..self.filter.clone() };
        let query = Query { filter, ..Query::default() };
        self.stored.each(&query, &mut |entry, facts| chosen.take(&entry, &facts).map(drop))
    }

    fn recorded_before(&self, chosen: &mut Chosen<'_>, time: Timestamp) -> Result<()> {
        let filter = Filter { created_before: Some(time), ..self.filter.clone() };
        let query = Query { filter, ..Query::default() };
        self.stored.each(&query, &mut |entry, facts| chosen.take(&entry, &facts).map(drop))
    }

    /// Chooses the least recently used entries beyond this number.
    fn too_many(&self, chosen: &mut Chosen<'_>, most: u64) -> Result<()> {
        let mut left = self.count()?.saturating_sub(chosen.count());
        self.beyond(chosen, |_| {
            let is_enough = left <= most;
            left = left.saturating_sub(1);
            is_enough
        })
    }

    /// Chooses the least recently used entries of some beyond this many bytes.
    fn too_large(&self, chosen: &mut Chosen<'_>, most: u64) -> Result<()> {
        let bytes = self.bytes()?;
        self.beyond(chosen, |chosen| bytes.saturating_sub(chosen.bytes()) <= most)
    }

    /// Chooses the least recently used entries of all until the rest, as far as can be told, takes
    /// no more than this many bytes on disk.
    fn too_large_on_disk(&self, chosen: &mut Chosen<'_>, most: u64) -> Result<()> {
        let taken = account::surveyed(self.root)?.taken;
        let taken = taken.saturating_sub(reserve::beyond(self.root, most));
        self.beyond(chosen, |chosen| {
            // Mostly, an entry has a file of its own besides.
            let files = chosen.count().saturating_mul(account::BLOCK);
            taken.saturating_sub(chosen.bytes().saturating_add(files)) <= most
        })
    }

    /// Chooses the least recently used entries until `is_enough`, but never the latest recorded
    /// one.
    fn beyond(
        &self,
        chosen: &mut Chosen<'_>,
        mut is_enough: impl FnMut(&Chosen<'_>) -> bool,
    ) -> Result<()> {
        let latest = self.latest()?;
        let query = self.query(Order::Used, true, None);
        let done = self.stored.each(&query, &mut |entry, facts| {
            if Some(entry.key) == latest || chosen.has(&entry.key) {
                return Ok(());
            }
            if is_enough(chosen) {
                return Err(Enough.into());
            }
            chosen.take(&entry, &facts).map(drop)
        });
        match done {
            Err(error) if error.is::<Enough>() => Ok(()),
            done => done,
        }
    }

    /// Returns the number of entries.
    fn count(&self) -> Result<u64> {
        if self.filter == Filter::default() && self.stored.is_folded() {
            return Ok(self.stored.totals.entries);
        }
        let mut count = 0;
        self.stored.each(&self.query(Order::Key, false, None), &mut |_, _| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    /// Returns the size of the entries.
    fn bytes(&self) -> Result<u64> {
        let mut bytes = 0_u64;
        self.stored.each(&self.query(Order::Key, false, None), &mut |_, facts| {
            bytes = bytes.saturating_add(facts.size);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Returns the latest recorded entry.
    fn latest(&self) -> Result<Option<Key>> {
        let mut latest = None;
        self.stored.each(&self.query(Order::Created, false, Some(1)), &mut |entry, _| {
            latest = Some(entry.key);
            Ok(())
        })?;
        Ok(latest)
    }

    fn query(&self, order: Order, reverse: bool, limit: Option<usize>) -> Query {
        Query { filter: self.filter.clone(), order, reverse, limit }
    }
}

/// A signal that nothing more has to be chosen.
#[derive(Debug)]
struct Enough;

impl fmt::Display for Enough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("enough is chosen")
    }
}

impl std::error::Error for Enough {}
