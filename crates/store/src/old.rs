//! The lower floor: a sled database of every entry that has been folded.
//!
//! sled takes milliseconds to open and admits one process at a time, so it is opened for one short
//! [`Old::with`], never on the path of a recent hit or a miss. [`super::guard`] and
//! [`super::db_client`] deal with its failures.
//!
//! `old/index` holds all tables except the entries, in one tree ([`super::table`]); `old/entries-*`
//! hold the sealed entries ([`super::shards`]). A look-up opens only one of the latter.
//!
//! | letter | table | key | value |
//! |---|---|---|---|
//! | | `entries` | key | the sealed entry |
//! | `f` | `metadata` | key | [`EntryMetadata`] |
//! | `u` | by last use | last use ‖ key | – |
//! | `x` | by expiry | time of expiry ‖ key | – |
//! | `t` | by tag | tag ‖ 0 ‖ key | – |
//! | `c` | by command | hash of the base name (8) ‖ hash of all arguments (8) ‖ key | – |
//! | `b` | `blobs` | blob ‖ owner | the blob's size, see [`super::blob_refs`] |
//! | `p` | `unpacked` | blob | its length; a candidate for packing |
//! | `s` | `stats` | day ‖ command | [`Counts`](super::stats::Counts) |
//! | `m` | `meta` | `totals` | [`Totals`] |
//! | `m` | `meta` | `flushes` | the number of flushes |
//! | `m` | `meta` | `rebuilt` | [`Rebuilt`](super::rebuild::Rebuilt) |
//!
//! The last writes are the first to be lost when a process is killed. An entry is therefore written
//! after its index records and removed before them: an index may hold records of removed entries,
//! which readers skip until a fold drops them. It never lacks an entry, except one that a fold was
//! killed over and that the next one folds again.

use super::blob_refs::{BlobRefs, SeenManifests};
use super::database::open_database;
pub(super) use super::database::step;
use super::guard;
use super::indexes::Indexes;
use super::metadata::{EntryMetadata, FoldedIn, Removed, Totals, Usage, decode, encode};
use super::shards::{Flushes, Shards};
use super::table::{Ordered, Range, Table, Visit, walk_tree};
use super::walk::{Span, keyed_page};
use super::{Root, account};
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::system::clock::Timestamp;
use sled::IVec;
use std::cell::Cell;
use std::ops::Bound;
use std::path::Path;

/// The name of the database of all tables except the entries.
pub const INDEX: &str = "index";
/// The open database.
pub struct Old {
    /// Used to read manifests, which lie outside the database.
    root: Root,
    db: sled::Db,
    pub(super) entries: Shards,
    pub(super) facts: Table,
    pub(super) indexes: Indexes,
    pub(super) needs: BlobRefs,
    pub(super) stats: Table,
    pub(super) meta: Table,
    totals: Cell<Totals>,
    dirty: Cell<bool>,
}

impl Old {
    /// Opens the database, works on it, flushes the changes and closes it.
    /// [`SetAside`](guard::SetAside) and [`Gone`](guard::Gone) are errors of their own.
    ///
    /// The changes are verified by opening the database again: if the header of a segment is
    /// damaged, sled reports nothing, works, flushes, and next time finds everything as it was
    /// before.
    pub fn with<T>(root: &Root, work: impl FnOnce(&Old) -> Result<T>) -> Result<T> {
        let mut flushed = Flushed::default();
        let done = Old::with_next(root, &mut flushed, work)?;
        flushed.confirm(root)?;
        Ok(done)
    }

    /// Works like [`Old::with`], for one of several operations: its changes are verified by the
    /// next one, and after the last by [`Flushed::confirm`]. Otherwise, half of the time would go
    /// into opening the database.
    pub fn with_next<T>(
        root: &Root,
        flushed: &mut Flushed,
        work: impl FnOnce(&Old) -> Result<T>,
    ) -> Result<T> {
        let (done, changes) = guard::guarded(root, open(root), |old| {
            old.hold(flushed)?;
            let done = work(old)?;
            Ok((done, old.flush()?))
        })?;
        if let Some((number, entries)) = changes {
            flushed.index = Some(number);
            flushed.entries.extend(entries);
            // If this fails, the next fold does it.
            let _ = account::note_database(root);
        }
        Ok(done)
    }

    /// Returns the entry of a key, opening only one database. A damaged entry is removed, so that
    /// the next record repairs it.
    pub fn entry(root: &Root, key: &Key) -> Result<Option<Entry>> {
        guard::guarded(
            root,
            |path| Ok(Shards::of(path, 0)?),
            |entries| {
                step()?;
                let Some(sealed) = entries.get(key.0)? else { return Ok(None) };
                let entry = Entry::open(key, &sealed);
                if entry.is_err() {
                    entries.remove(key.0)?;
                    entries.flush()?;
                }
                Ok(Some(entry?))
            },
        )
    }

    /// Works like [`Old::with`], but only reads, and leaves a broken database in place:
    /// [`Broken`](guard::Broken) is an error of its own.
    pub fn look<T>(root: &Root, look: impl FnOnce(&Old) -> Result<T>) -> Result<T> {
        guard::looked_at(root, open(root), look)
    }

    fn open(root: &Root, path: &Path) -> sled::Result<Old> {
        let root = root.try_clone()?;
        let db = open_database(&path.join(INDEX))?;
        let meta = Table::new(&db, b'm');
        let totals = meta.get("totals")?.and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Ok(Old {
            entries: Shards::of(path, 0)?,
            facts: Table::new(&db, b'f'),
            indexes: Indexes::of(&db),
            needs: BlobRefs::of(&db),
            stats: Table::new(&db, b's'),
            meta,
            totals: Cell::new(totals),
            dirty: Cell::new(false),
            root,
            db,
        })
    }

    /// Flushes the changes. Returns the number of flushes so far, here and in the databases of
    /// entries.
    fn flush(&self) -> sled::Result<Option<(u64, Flushes)>> {
        if !self.dirty.get() {
            return Ok(None);
        }
        let flushes = self.flushes()? + 1;
        self.meta.insert("totals", encode(&self.totals.get()))?;
        self.meta.insert("flushes", encode(&flushes))?;
        step()?;
        // Entries first: one without index records is folded again, and found then.
        let entries = self.entries.flush()?;
        self.db.flush()?;
        step()?;
        Ok(Some((flushes, entries)))
    }

    fn flushes(&self) -> sled::Result<u64> {
        Ok(self.meta.get("flushes")?.and_then(|bytes| decode(&bytes)).unwrap_or_default())
    }

    /// Returns an error if flushed changes are lost.
    fn hold(&self, flushed: &Flushed) -> sled::Result<()> {
        self.entries.expect(&flushed.entries);
        match flushed.index {
            Some(number) if self.flushes()? < number => {
                Err(sled::Error::ReportableBug("what was flushed is lost".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the totals.
    pub fn totals(&self) -> Totals {
        self.totals.get()
    }

    /// Updates the totals.
    pub fn count(&self, change: impl FnOnce(&mut Totals)) {
        let mut totals = self.totals.get();
        change(&mut totals);
        self.dirty.set(true);
        self.totals.set(totals);
    }

    /// Marks the database as changed, so that it is flushed.
    pub(super) fn changed(&self) {
        self.dirty.set(true);
    }

    /// Returns the metadata of an entry.
    pub fn facts(&self, key: &Key) -> sled::Result<Option<EntryMetadata>> {
        Ok(self.facts.get(key.0)?.and_then(|bytes| decode(&bytes)))
    }

    /// Stores a sealed entry, replacing an earlier one, whose hits it inherits. The filter already
    /// holds the key.
    pub fn fold_in(&self, entry: &Entry, sealed: &[u8], usage: Usage) -> sled::Result<FoldedIn> {
        step()?;
        let key = entry.key;
        // Metadata is written before its entry. Mostly there is none, and then one look-up
        // suffices.
        let known = self.facts.get(key.0)?;
        let earlier = if known.is_some() { self.entries.get(key.0)? } else { None };
        let known = known.and_then(|bytes| decode::<EntryMetadata>(&bytes));
        if let Some(facts) = known
            && earlier.as_deref() == Some(sealed)
        {
            let facts = self.touch(&key, facts, usage)?;
            return Ok(FoldedIn { facts, new: false, orphans: Vec::new() });
        }
        let now = Timestamp::now().0;
        let before = known.unwrap_or_default();
        let new = EntryMetadata::of(entry, sealed);
        let facts = EntryMetadata {
            last_use: before.last_use.max(usage.last).max(new.last_use).min(now),
            hits: before.hits.saturating_add(usage.hits),
            ..new
        };
        let mut totals = self.totals.get();
        totals.bytes = totals.bytes.saturating_add(self.needs.insert(&self.root, entry)?);
        self.indexes.insert_facts(&key, &facts)?;
        self.indexes.insert_about(&key, &entry.about)?;
        self.facts.insert(key.0, encode(&facts))?;
        step()?;
        self.entries.insert(key.0, sealed)?;
        totals.bytes = totals.bytes.saturating_add(sealed.len() as u64);
        totals.entries = totals.entries.saturating_add(u64::from(earlier.is_none()));
        totals.latest = totals.latest.max((entry.created.0.min(now), key.0));
        self.count(|sums| *sums = totals);

        if let Some(known) = known {
            self.indexes.remove_facts(&key, &known, Some(&facts))?;
        }
        let orphans = match earlier {
            Some(earlier) => self.release(&key, &earlier, Some(entry))?,
            None => Vec::new(),
        };
        Ok(FoldedIn { facts, new: true, orphans })
    }

    /// Records a use of an entry with this metadata.
    fn touch(&self, key: &Key, facts: EntryMetadata, usage: Usage) -> sled::Result<EntryMetadata> {
        step()?;
        let last_use = facts.last_use.max(usage.last);
        let used = EntryMetadata { last_use, hits: facts.hits.saturating_add(usage.hits), ..facts };
        if used != facts {
            self.dirty.set(true);
            self.indexes.insert_facts(key, &used)?;
            self.facts.insert(key.0, encode(&used))?;
            self.indexes.remove_facts(key, &facts, Some(&used))?;
        }
        Ok(used)
    }

    /// Records a use of an entry, if it exists.
    pub fn used(&self, key: &Key, usage: Usage) -> sled::Result<()> {
        match self.facts(key)? {
            Some(facts) => self.touch(key, facts, usage).map(drop),
            None => Ok(()),
        }
    }

    /// Removes an entry and its index records.
    pub fn take_out(&self, key: &Key) -> sled::Result<Option<Removed>> {
        step()?;
        let sealed = self.entries.remove(key.0)?;
        let facts = self.facts.remove(key.0)?;
        if let Some(facts) = facts.and_then(|bytes| decode(&bytes)) {
            self.dirty.set(true);
            self.indexes.remove_facts(key, &facts, None)?;
        }
        let Some(sealed) = sealed else { return Ok(None) };
        self.count(|totals| totals.entries = totals.entries.saturating_sub(1));
        let orphans = self.release(key, &sealed, None)?;
        Ok(Some(Removed { key: *key, version: super::young::version(&sealed), orphans }))
    }

    /// Subtracts a version of an entry from the totals and removes its index records and
    /// references, unless `next` has them too. Returns the blobs that are no longer referenced.
    fn release(
        &self,
        key: &Key,
        sealed: &[u8],
        next: Option<&Entry>,
    ) -> sled::Result<Vec<[u8; 32]>> {
        let mut bytes = sealed.len() as u64;
        let mut orphans = Vec::new();
        // The index records of a damaged entry stay until an audit.
        if let Ok(entry) = Entry::open(key, sealed) {
            self.indexes.remove_about(key, &entry.about, next.map(|next| &next.about))?;
            let freed = self.needs.remove(&self.root, &entry, next)?;
            bytes = bytes.saturating_add(freed.bytes);
            orphans = freed.orphans;
        }
        self.count(|totals| totals.bytes = totals.bytes.saturating_sub(bytes));
        Ok(orphans)
    }

    /// Records the packed sizes of blobs, for those that were packed.
    pub fn packed(&self, blobs: &[(BlobRef, Option<u64>)]) -> sled::Result<()> {
        for (blob, stored) in blobs {
            let (before, now) = self.needs.looked_at(blob, *stored)?;
            let bytes = |bytes: u64| bytes.saturating_sub(before).saturating_add(now);
            self.count(|totals| totals.bytes = bytes(totals.bytes));
        }
        Ok(())
    }

    /// Returns the sealed entry of a key, unverified.
    pub fn sealed(&self, key: &Key) -> sled::Result<Option<IVec>> {
        step()?;
        self.entries.get(key.0)
    }

    /// Returns the next sealed entries of a span, unverified.
    pub fn page(&self, span: &mut Span, limit: usize) -> sled::Result<Vec<(Key, IVec)>> {
        keyed_page(span, &self.entries, limit)
    }

    /// Returns the next raw items of all tables except the entries.
    pub fn raw_page(&self, span: &mut Span, limit: usize) -> sled::Result<Vec<(IVec, IVec)>> {
        span.page(&Whole(&self.db), limit)
    }

    /// Returns the next keys of a span, for the filter.
    ///
    /// The keys are those of the metadata, which exists before the entry and until after it, and
    /// takes a fraction of the reading.
    pub fn keys(&self, span: &mut Span, limit: usize) -> sled::Result<Vec<Key>> {
        let page = keyed_page(span, &self.facts, limit)?;
        Ok(page.into_iter().map(|(key, _)| key).collect())
    }

    /// Restores missing index records and references of an entry.
    pub fn mend(&self, entry: &Entry, sealed: &[u8], met: &mut SeenManifests) -> Result<()> {
        let key = entry.key;
        let known = self.facts(&key)?;
        let facts = known.unwrap_or_else(|| EntryMetadata::of(entry, sealed));
        if known.is_none() || !self.indexes.hold_facts(&key, &facts)? {
            self.indexes.insert_facts(&key, &facts)?;
            self.facts.insert(key.0, encode(&facts))?;
        }
        if !self.indexes.hold_about(&key, &entry.about)? {
            self.indexes.insert_about(&key, &entry.about)?;
        }
        Ok(self.needs.mend(&self.root, entry, met)?)
    }
}

impl Old {
    /// Returns the entry of a key. A damaged entry is removed, so that the next record repairs it.
    pub fn get(&self, key: &Key) -> Result<Option<Entry>> {
        step()?;
        let Some(sealed) = self.entries.get(key.0)? else { return Ok(None) };
        let entry = Entry::open(key, &sealed);
        if entry.is_err() {
            self.take_out(key)?;
        }
        Ok(Some(entry?))
    }
}

/// The tree that the tables share.
struct Whole<'a>(&'a sled::Tree);

impl Ordered for Whole<'_> {
    fn walk(&self, range: Range<'_>, visit: Visit<'_>) -> sled::Result<bool> {
        let own = |bound: Bound<&[u8]>| bound.map(<[u8]>::to_vec);
        walk_tree(self.0, (own(range.low), own(range.high)), range.backward, visit)
    }
}

/// The changes flushed by several operations on the database, as far as known.
#[derive(Clone, Debug, Default)]
pub struct Flushed {
    index: Option<u64>,
    entries: Flushes,
}

impl Flushed {
    /// Fails and sets the database aside if flushed changes are lost.
    pub fn confirm(&self, root: &Root) -> Result<()> {
        match self.index {
            Some(_) => guard::guarded(root, open(root), |old| {
                old.hold(self)?;
                Ok(old.entries.confirm()?)
            }),
            None => Ok(()),
        }
    }
}

fn open(root: &Root) -> impl FnOnce(&Path) -> Result<Old> {
    |path| Ok(Old::open(root, path)?)
}
