//! Folding: moves young entries into the old store, and keeps the store within its limits.
//!
//! One fold runs at a time, under [`lock::FOLD`]. It may be killed at any point: the filter is on
//! disk before the old store holds any key of it, and the old store is on disk before a young file
//! is removed. An entry is removed from the old store first and from the young files next; if a
//! fold dies in between, the next one finds the young file again and removes it then.
//!
//! The disk usage of the store is kept below its size limit with room to spare, so that recorders
//! need not make room ([`super::room`]). It is measured, since an entry takes more than its bytes:
//! the least recently used entries are removed, then what they left behind, and the old store is
//! rebuilt if that frees space. This repeats until it is enough.
//!
//! The old store is opened for one batch at a time, so that a reader waits for one batch at most.
//! Young files and blobs are unlinked under [`lock::PUBLISH`], and a young file only if it is still
//! the version that was folded.
//!
//! If the store is removed meanwhile, the fold ends and recreates nothing.

mod batch;
mod options;
mod prefixes;
mod size_limit;

pub use options::{Bounds, FoldOptions, FoldReport};
pub use prefixes::{publish_with, stored_prefixes};

use super::events::{self, Drained, Kind};
use super::evicted::Noted;
use super::guard::{self, Gone, SetAside};
use super::metadata::{FoldedIn, Removed, Usage};
use super::old::{Flushed, Old};
use super::rebuild::State;
use super::young::{self, Young};
use super::{Root, account, audit, filter, in_place, pack, reserve, room, stats, sweep};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result, bail};
use batch::Batch;
use cachex_base::record::entry::{BlobRef, Key};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::progress::{self, Stage};
use rustix::fs::OFlags;
use std::collections::HashMap;
use std::time::Duration;

/// The number of entries processed while readers of the old store wait.
pub const BATCH: usize = 2000;
/// The number of young files removed while recorders wait.
const UNLINKS: usize = 256;
/// The number of folds between full audits.
const AUDIT_EVERY: u64 = 64;
/// The number of attempts by which a background fold waits out brief holders of the lock, and the
/// pause between them. After that it takes the holder for another fold.
const ATTEMPTS: (u32, Duration) = (10, Duration::from_millis(10));

/// Marker file: exists while a fold is wanted that has not begun.
pub const WANTED: &str = "locks/wanted";

/// Folds the store. Returns `None` if another fold is running and `options` does not wait.
///
/// In that case the other fold is asked for another round, which it checks for after releasing the
/// lock: anything recorded before a fold was started is folded, and bounded, soon after.
pub fn fold(root: &Root, options: &FoldOptions) -> Result<Option<FoldReport>> {
    if !options.wait && !guard::gone(root) {
        fsutil::create_file(root, WANTED, OFlags::WRONLY).context("asking for a fold")?;
    }
    let report = round(root, options)?;
    if report.is_some() {
        while !guard::gone(root) && fsutil::stat(root, WANTED)?.is_some() {
            if round(root, &FoldOptions { wait: false, ..*options })?.is_none() {
                break;
            }
        }
    }
    Ok(report)
}

fn round(root: &Root, options: &FoldOptions) -> Result<Option<FoldReport>> {
    let Some(_lock) = lock_fold(root, options.wait)? else { return Ok(None) };
    fsutil::remove_file(root, WANTED).context("answering who asked for a fold")?;
    let mut fold = Fold::new(root, *options);
    let mut done = fold.run();
    if let Err(error) = &done
        && let Some(SetAside(name)) = error.downcast_ref()
    {
        let set_aside = Some(name.clone());
        fold = Fold::new(root, *options);
        fold.report.set_aside = set_aside;
        done = fold.run();
    }
    match done {
        Err(_) if guard::gone(root) => {}
        Err(error) if error.is::<Gone>() => {}
        done => done?,
    }
    Ok(Some(fold.report))
}

fn lock_fold(root: &Root, wait: bool) -> Result<Option<Lock>> {
    progress::begin(Stage::Waiting, None);
    if wait && !guard::gone(root) {
        return Lock::wait(root, lock::FOLD, Mode::Exclusive)
            .context("locking the store")
            .map(Some);
    }
    for _ in 0..ATTEMPTS.0 {
        if guard::gone(root) {
            return Ok(None);
        }
        let lock = Lock::take(root, lock::FOLD, Mode::TryExclusive).context("locking the store")?;
        if lock.is_some() {
            return Ok(lock);
        }
        std::thread::sleep(ATTEMPTS.1);
    }
    Ok(None)
}

/// A young file as the fold found it; the old store now holds this version.
struct Seen {
    key: Key,
    version: [u8; 32],
    len: u64,
    last_use: u64,
}

struct Fold<'a> {
    root: &'a Root,
    options: FoldOptions,
    now: Timestamp,
    seen: Vec<Seen>,
    usage: HashMap<Key, Usage>,
    orphans: Vec<[u8; 32]>,
    removed: u64,
    /// True if there was nothing new to fold.
    is_idle: bool,
    /// True if entries are to be removed because of the limits.
    exceeds: bool,
    /// True if blobs may be anywhere that nobody references any more.
    sweeps_all: bool,
    /// Blobs to pack this time, if that pays.
    unpacked: Vec<BlobRef>,
    /// What was evicted meanwhile by those who made room.
    noted: Noted,
    /// The state of the old store after reading in.
    state: Option<State>,
    report: FoldReport,
}

impl<'a> Fold<'a> {
    fn new(root: &'a Root, mut options: FoldOptions) -> Fold<'a> {
        options.full |= in_place::is_partial(root);
        Fold {
            root,
            options,
            now: Timestamp::now(),
            seen: Vec::new(),
            usage: HashMap::new(),
            orphans: Vec::new(),
            removed: 0,
            is_idle: true,
            exceeds: true,
            sweeps_all: false,
            unpacked: Vec::new(),
            noted: Noted::default(),
            state: None,
            report: FoldReport::default(),
        }
    }

    fn run(&mut self) -> Result<()> {
        sweep::of_the_dead(self.root)?;
        // To move entries on a full disk, others would have to go: that is for the sake of a limit
        // alone. Without one, somebody waits for what can be done with the room that there is.
        if self.options.max_size.is_some() && room::is_short(self.root) {
            if self.is_within_limit()? {
                return Ok(());
            }
            room::relieve(self.root)?;
        }
        if !guard::exists(self.root) && !room::is_enough_to_begin(self.root) {
            bail!(guard::FULL);
        }
        // Covers changes to the database by a killed fold, too.
        account::note_database(self.root)?;
        account::update(self.root, |account| account.written = 0)?;
        self.noted = Noted::read(self.root)?;
        self.read_in()?;
        self.drop_evicted()?;
        self.pack()?;
        if self.exceeds {
            self.expire()?;
        }
        progress::begin(Stage::Sweeping, self.seen.len() as u64);
        self.trim(self.kept())?;
        self.check_and_sweep()?;
        self.rebuild()?;
        reserve::keep(self.root, self.options.max_size);
        if let Some(max) = self.options.max_size {
            self.bound(max)?;
        }
        Ok(())
    }

    /// Moves young files and events into the old store.
    fn read_in(&mut self) -> Result<()> {
        let mut drained = events::drain(self.root)?;
        for event in &drained.events {
            let usage = self.usage.entry(event.key).or_default();
            usage.last = usage.last.max(event.time.0.min(self.now.0));
            let is_use = matches!(event.kind, Kind::Hit { .. } | Kind::Stale { .. });
            usage.hits += u64::from(is_use);
        }
        let mut keys = Young::new(self.root).keys()?;
        let are_many = self.sort_if_many(&mut keys);
        progress::begin(Stage::Folding, keys.len() as u64);
        publish_with(self.root, keys.iter())?;
        let root = self.root;
        let mut flushed = Flushed::default();
        let (mut damaged, mut evicted) = (Vec::new(), Vec::new());
        let mut left = keys.iter();
        let mut is_done = false;
        while !is_done {
            // The first ones are those used last.
            let is_full = are_many && left.len() < keys.len() && self.is_database_full()?;
            let batch = Batch::of(root, &mut left, &self.noted, self.options.max_size, is_full);
            // Opening the database takes as long as all of this if it is large.
            let is_last = left.len() == 0;
            let kept = Old::with_next(root, &mut flushed, |old| {
                let kept = self.fold_batch(old, &batch, &mut drained.names)?;
                if is_last {
                    is_done = self.note_uses(old, &mut drained.names)?;
                }
                if is_done {
                    self.note_all(old, &drained)?;
                }
                Ok(kept)
            })?;
            self.folded(&batch, kept);
            damaged.extend(batch.useless());
            evicted.extend(batch.evicted);
            if !is_done {
                self.trim_if_short(&flushed)?;
            }
        }
        flushed.confirm(root)?;
        self.report.damaged += unlink(root, &damaged)?;
        self.report.evicted += unlink(root, &evicted)?;
        self.sweeps_all = !evicted.is_empty();
        drained.discard(root)
    }

    /// Folds in a batch, and adds the names of entries that have events. Returns the outcome for
    /// each entry, and whether it was hit.
    fn fold_batch(
        &mut self,
        old: &Old,
        batch: &Batch,
        names: &mut HashMap<Key, String>,
    ) -> Result<Vec<(FoldedIn, bool)>> {
        for key in batch.hidden_below(old)? {
            self.orphans.extend(old.take_out(&key)?.into_iter().flat_map(|gone| gone.orphans));
            self.is_idle = false;
        }
        let mut all = Vec::with_capacity(batch.entries.len());
        for (entry, sealed) in &batch.entries {
            progress::advance(1);
            let used = self.usage.remove(&entry.key);
            if used.is_some() {
                names.entry(entry.key).or_insert_with(|| events::name_of(entry.about.name()));
            }
            let kept = old.fold_in(entry, sealed, used.unwrap_or_default())?;
            self.is_idle &= !kept.new;
            all.push((kept, used.is_some_and(|used| used.hits > 0)));
        }
        Ok(all)
    }

    /// Records uses of entries that are not young, and their names. Returns whether these were all.
    fn note_uses(&mut self, old: &Old, names: &mut HashMap<Key, String>) -> Result<bool> {
        let others: Vec<Key> = self.usage.keys().take(BATCH).copied().collect();
        for key in others {
            let Some(usage) = self.usage.remove(&key) else { continue };
            old.used(&key, usage)?;
            if !names.contains_key(&key)
                && let Some(name) = old.counted_as(&key)?
            {
                names.insert(key, name);
            }
        }
        Ok(self.usage.is_empty())
    }

    /// Updates the statistics and determines what to do next.
    fn note_all(&mut self, old: &Old, drained: &Drained) -> Result<()> {
        self.is_idle &= drained.events.is_empty();
        if !self.is_idle {
            old.add_stats(&stats::tally(&drained.events, &drained.names, self.now), self.now)?;
            old.count(|totals| totals.folds = totals.folds.wrapping_add(1));
        }
        let (most, bytes) = self.options.compress.map_or((0, 0), |_| pack::AT_ONCE);
        self.unpacked = old.needs.unpacked(most, bytes)?;
        self.exceeds = old.exceeds(self.gone_before(), self.options.max_entries)?;
        self.report.totals = old.totals();
        self.state = Some(State::of(old)?);
        Ok(())
    }

    /// Handles a batch that is now in the old store.
    fn folded(&mut self, batch: &Batch, kept: Vec<(FoldedIn, bool)>) {
        for ((entry, sealed), (kept, is_hit)) in batch.entries.iter().zip(kept) {
            if is_hit {
                room::used_at(self.root, entry, kept.facts.last_use);
            }
            self.report.folded += u64::from(kept.new);
            self.orphans.extend(kept.orphans);
            self.seen.push(Seen {
                key: entry.key,
                version: young::version(sealed),
                len: sealed.len() as u64,
                last_use: kept.facts.last_use,
            });
        }
    }

    /// Packs some of the needed recent blobs, where that pays.
    fn pack(&mut self) -> Result<()> {
        let unpacked = std::mem::take(&mut self.unpacked);
        if let (Some(level), [_, ..]) = (self.options.compress, &unpacked[..]) {
            let limit = self.options.max_size.unwrap_or(u64::MAX);
            self.report.totals = pack::pack_all(self.root, &unpacked, level, limit)?;
        }
        Ok(())
    }

    fn gone_before(&self) -> Timestamp {
        let grace = cachex_base::system::clock::nanos(self.options.grace);
        Timestamp(self.now.0.saturating_sub(grace))
    }

    /// Removes entries batch by batch, from the old store and the young files.
    fn remove_while(
        &mut self,
        mut next: impl FnMut(&Old) -> sled::Result<Vec<Removed>>,
    ) -> Result<u64> {
        let mut count = 0;
        loop {
            let removed = Old::with(self.root, |old| Ok(next(old)?))?;
            if removed.is_empty() {
                return Ok(count);
            }
            count += removed.len() as u64;
            self.removed += removed.len() as u64;
            let versions: Vec<_> = removed.iter().map(|gone| (gone.key, gone.version)).collect();
            unlink(self.root, &versions)?;
            self.orphans.extend(removed.into_iter().flat_map(|gone| gone.orphans));
        }
    }

    /// Removes young files that were folded, except the most recently used.
    fn trim(&mut self, (most, mut bytes): (usize, u64)) -> Result<()> {
        self.seen.sort_by_key(|seen| std::cmp::Reverse(seen.last_use));
        let kept = self.seen.iter().take(most).take_while(|seen| {
            let fits = seen.len <= bytes;
            bytes = bytes.saturating_sub(seen.len);
            fits
        });
        let kept = kept.count();
        let others: Vec<_> = self.seen.drain(kept..).map(|seen| (seen.key, seen.version)).collect();
        for others in others.chunks(UNLINKS) {
            unlink(self.root, others)?;
            progress::advance(others.len() as u64);
        }
        Ok(())
    }

    /// Removes young files while others are still to be folded, if there is no room for both
    /// generations.
    fn trim_if_short(&mut self, flushed: &Flushed) -> Result<()> {
        let max = self.options.max_size.unwrap_or(u64::MAX);
        let taken = account::update(self.root, |account| account.taken)?;
        if taken <= max && !room::is_short(self.root) {
            return Ok(());
        }
        flushed.confirm(self.root)?;
        self.trim(self.kept())
    }

    /// Runs the checks that are due, and removes unreferenced blobs.
    fn check_and_sweep(&mut self) -> Result<()> {
        let folds = self.report.totals.folds;
        let full = self.options.full || (!self.is_idle && folds.is_multiple_of(AUDIT_EVERY));
        if full {
            let damaged = audit::audit(self.root)?;
            self.report.damaged += damaged;
            self.removed += damaged;
        }
        // If nothing was done, there is nothing to clean up, and sled is left alone.
        if !self.is_idle || self.removed > 0 || full {
            self.sweep(full || self.sweeps_all)?;
        }
        sweep::leftovers(self.root, self.options.max_size)
    }

    /// Removes unreferenced blobs: those left behind by removed entries, and those in one part of
    /// the folders, or in `all` of them.
    fn sweep(&mut self, all: bool) -> Result<()> {
        if all || self.removed > 0 {
            self.report.totals = Old::with(self.root, |old| Ok(old.totals()))?;
        }
        if all || self.removed * 8 > self.report.totals.entries {
            filter::publish(self.root, stored_prefixes(self.root)?)?;
        }
        let orphans = std::mem::take(&mut self.orphans);
        let part = (!all).then_some(self.report.totals.folds as u8);
        self.report.swept += sweep::blobs(self.root, orphans, part)?;
        Ok(())
    }
}

/// Removes young files that still hold these versions. Returns their number.
fn unlink(root: &Root, versions: &[(Key, [u8; 32])]) -> Result<u64> {
    let mut count = 0;
    for versions in versions.chunks(UNLINKS) {
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
        for (key, version) in versions {
            // The next fold finds a file that cannot be removed now.
            count += u64::from(young::remove_version(root, key, version).unwrap_or(false));
        }
    }
    account::give_back(root, count.saturating_mul(account::BLOCK));
    Ok(count)
}

#[cfg(test)]
mod tests;
