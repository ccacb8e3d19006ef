//! Values in the store of the command line, and in the remote one below it.
//!
//! A value is an entry like that of a command which printed its encoding: it is listed,
//! counted, evicted, folded and shared as one, and is served under the same rules. Its
//! key is made in another way ([`super::key`]), so that no command has it.

use super::backend::{Failure, Lock as Claim, Record, Selection, Storage, Stored, TooLong};
use super::key::ValueKey;
use anyhow::{Context, Result, bail};
use cachex_base::process::lineage::Lineage;
use cachex_base::record::entry::{About, Bytes, Entry, INLINE_LIMIT, Key};
use cachex_base::record::frames::{Frame, Stream};
use cachex_base::system::clock::{Timestamp, nanos};
use cachex_base::system::hashing;
use cachex_base::text::mode::Mode;
use cachex_store::blobs::{self, NewBlob};
use cachex_store::db_client::{self, Attendant, DbClient};
use cachex_store::events::{Appender, Event, Kind, Reason};
use cachex_store::fold::Bounds;
use cachex_store::lock::{self, Lock, Mode as LockMode};
use cachex_store::query::{Filter, Query};
use cachex_store::remote::{Fetched, Remote, Wanted};
use cachex_store::room::{self, Room};
use cachex_store::settings::{Remote as Shared, RemoteMode};
use cachex_store::young::Young;
use cachex_store::{Root, account, clear, removal};
use serde_bytes::ByteBuf;
use std::borrow::Cow;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The settings of the store in a folder.
pub struct Settings {
    /// The use of the store.
    pub mode: Mode,
    /// The bounds that it is kept within.
    pub bounds: Bounds,
    /// The longest value that is recorded, in bytes.
    pub max_entry_size: u64,
    /// The stores that machines share, the nearest first.
    pub remotes: Vec<Shared>,
}

/// The store in a folder.
pub struct Local {
    root: Root,
    mode: Mode,
    bounds: Bounds,
    max_entry_size: u64,
    remotes: Vec<Shared>,
    /// Looks up what was folded.
    attendant: Attendant,
    /// Notes what happened.
    log: Appender,
}

impl Local {
    /// The store at `root`.
    pub fn new(root: Root, settings: Settings) -> Local {
        let Settings { mode, bounds, max_entry_size, mut remotes } = settings;
        remotes.retain(|remote| remote.mode != RemoteMode::Off);
        hashing::query_processor();
        let (attendant, log) = (Attendant::default(), Appender::default());
        Local { root, mode, bounds, max_entry_size, remotes, attendant, log }
    }

    fn remote(&self, settings: &Shared) -> Remote<'_> {
        let Shared { url, timeout, budget, access, limits, .. } = settings;
        let times = (*timeout, *budget);
        Remote::new(&self.root, url, access, times, *limits, self.bounds.compress)
    }

    /// The remote stores that get what is recorded here.
    fn shared(&self) -> impl Iterator<Item = Remote<'_>> {
        let shared = self.remotes.iter().filter(|remote| remote.mode == RemoteMode::ReadWrite);
        shared.map(|remote| self.remote(remote))
    }

    /// A fresh entry of this store, or else, if it is asked too, of the remote one; or else
    /// one that expired. With it comes the time since when it is known.
    fn look_up(&self, key: &Key, asks_remote: bool) -> Result<(Option<Entry>, Timestamp)> {
        let old = || self.attendant.get(&DbClient::new(&self.root), key);
        let found = cachex_store::get_above(&self.root, key, old)?;
        let now = Timestamp::now();
        let is_fresh = found.as_ref().is_some_and(|entry| entry.fresh(now, None).is_some());
        if is_fresh || !asks_remote || self.remotes.is_empty() {
            return Ok((found, now));
        }
        // An expired entry may stand in where no store has a fresh one.
        Ok((self.fetch(key)?.or(found), Timestamp::now()))
    }

    /// Gets a fresh entry from the nearest remote store that has one; it is in this one then.
    fn fetch(&self, key: &Key) -> Result<Option<Entry>> {
        for (at, settings) in self.remotes.iter().enumerate() {
            if let Some(entry) = self.fetch_from(settings, key)? {
                for nearer in &self.remotes[..at] {
                    if nearer.mode == RemoteMode::ReadWrite {
                        self.remote(nearer).queue(key);
                    }
                }
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn fetch_from(&self, settings: &Shared, key: &Key) -> Result<Option<Entry>> {
        let remote = self.remote(settings);
        let (limits, mends) = ([None; 2], settings.mode == RemoteMode::ReadWrite);
        let wanted = Wanted { key: key.0, limits, beyond: 0, mends, platform: None, facts: None };
        let fetched = remote.fetch(&wanted);
        let is_due = matches!(fetched, Ok(Fetched::Entry { is_fold_due: true, .. }));
        if let Some(kind) = Fetched::counted(&fetched) {
            self.note(key, kind, Duration::ZERO, None, is_due);
        }
        match fetched {
            Ok(Fetched::Entry { .. }) => Young::new(&self.root).get(key),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Returns the entry as a record.
    fn find(&self, key: &Key, asks_remote: bool) -> Result<Option<Arc<Record>>> {
        if !self.mode.reads() {
            return Ok(None);
        }
        let began = Instant::now();
        let (entry, now) = self.look_up(key, asks_remote)?;
        let Some(entry) = entry.filter(|entry| entry.is_of_use(now)) else {
            return Ok(None);
        };
        let record = self.opened(entry)?;
        if let Some(record) = record.as_ref().filter(|record| record.is_fresh()) {
            let cost = nanos(began.elapsed());
            self.note(key, Kind::Hit { cost, files: 0 }, record.took, None, false);
        }
        Ok(record)
    }

    /// The record that an entry is.
    fn opened(&self, entry: Entry) -> Result<Option<Arc<Record>>> {
        let name = String::from_utf8_lossy(entry.about.argv.first().map_or(&[], |name| name));
        let name = Cow::Owned(name.into_owned());
        let expires = entry.expires();
        let value = match entry.data {
            Bytes::Inline(value) => value,
            Bytes::Blob(blob) => match blobs::read(&self.root, &blob)? {
                Some(value) => value,
                None => return Ok(None),
            },
        };
        Ok(Some(Arc::new(Record {
            value,
            created: entry.created,
            expires,
            stale_for: entry.stale_for.map(Duration::from_nanos),
            took: Duration::from_nanos(entry.run_time),
            name,
            tags: entry.about.tags,
        })))
    }

    fn record(&self, key: &Key, record: &Record) -> Result<()> {
        let len = record.value.len() as u64;
        if len > self.max_entry_size {
            bail!(TooLong { bytes: len, limit: self.max_entry_size });
        }
        let mut frames = Vec::new();
        if len > 0 {
            Frame { stream: Stream::Stdout, len }.encode(&mut frames);
        }
        let mut room = Room::within(&self.root, self.bounds.max_size);
        let is_inline = record.value.len() <= INLINE_LIMIT;
        let taken = account::blocks(len) * u64::from(!is_inline) + account::BLOCK;
        if !room.claim(taken)? {
            bail!(
                "there is no room for a value of {len} bytes in a store of {}",
                self.bounds.max_size
            );
        }
        let blob = if is_inline {
            None
        } else {
            let mut blob = NewBlob::new(&self.root).context("creating a file for a value")?;
            blob.append(&record.value).context("writing a value")?;
            Some(blob.finish().context("writing a value")?)
        };
        let lifetime = record.expires.map(|at| at.since(record.created).unwrap_or_default());
        let publishing = Lock::to_publish(&self.root)?;
        let data = match blob {
            None => Bytes::Inline(record.value.clone()),
            Some(blob) => Bytes::Blob(blob.keep().context("recording a value")?),
        };
        let entry = Entry {
            key: *key,
            created: record.created,
            expires_in: lifetime.map(nanos),
            stale_for: record.stale_for.map(nanos),
            run_time: nanos(record.took),
            status: 0,
            stdin_consumed: None,
            frames: Bytes::Inline(frames),
            data,
            outputs: None,
            about: about(&record.name, &record.tags),
            parts: Vec::new(),
        };
        let young = Young::new(&self.root);
        let earlier = young.get(key).ok().flatten();
        young.put(&entry)?;
        if let Some(earlier) = earlier {
            room::supersede(&self.root, &earlier, &entry);
        }
        drop(publishing);
        let is_due = room.settle(taken);
        self.shared().for_each(|remote| remote.queue(key));
        let kind = Kind::Recorded { why: Reason::NotRecorded, size: len };
        self.note(key, kind, record.took, Some(&record.name), is_due);
        Ok(())
    }

    /// Writes down what happened, and has the store tidied when that, or what was
    /// written, makes it due.
    fn note(&self, key: &Key, kind: Kind, took: Duration, label: Option<&str>, is_due: bool) {
        let event = Event { kind, time: Timestamp::now(), key: *key, run_time: nanos(took) };
        let label = label.map(str::as_bytes);
        let marked =
            self.log.append(&self.root, &event, label, self.bounds.max_entries).unwrap_or(false);
        if (marked || is_due) && self.mode.writes() {
            let _ = db_client::start_fold(self.root.path(), &self.bounds);
        }
    }

    /// Drops entries, here and in the remote store; returns how many were here.
    fn drop_entries(&self, keys: &[Key]) -> Result<u64> {
        for remote in self.shared() {
            // First: else a look-up that comes in between would bring them back.
            remote.remove_all(keys, &[]).context("taking a value out of the remote store")?;
        }
        removal::remove(&self.root, keys)
    }

    /// The keys of the entries that are selected.
    fn selected(&self, selection: &Selection<'_>) -> Result<Vec<Key>> {
        let filter = match selection {
            Selection::Prefix(_) => {
                bail!("a folder knows keys by their hashes alone: give the values a tag")
            }
            Selection::Tag(tag) => Filter { tag: Some((*tag).to_owned()), ..Filter::default() },
            Selection::Which(_) => Filter::default(),
        };
        let old = DbClient::new(&self.root);
        old.take_in().context("folding the store")?;
        let mut keys = Vec::new();
        old.query(&Query { filter, ..Query::default() }, &mut |entry, _| {
            let name = String::from_utf8_lossy(entry.about.argv.first().map_or(&[], |name| name));
            let stored = Stored {
                name: &name,
                tags: &entry.about.tags,
                created: entry.created,
                expires: entry.expires(),
                took: Duration::from_nanos(entry.run_time),
            };
            if selection.selects(None, &stored) {
                keys.push(entry.key);
            }
            Ok(())
        })?;
        Ok(keys)
    }
}

impl Storage for Local {
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        Ok(self.find(&key.digest(), true)?)
    }

    /// Looks for a value that another process has recorded in the meantime.
    fn get_again(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        Ok(self.find(&key.digest(), false)?)
    }

    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        if !self.mode.writes() {
            return Ok(());
        }
        self.record(&key.digest(), record).map_err(|why| match why.downcast::<TooLong>() {
            Ok(too_long) => too_long.into(),
            Err(why) => why.into(),
        })
    }

    fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        Ok(self.drop_entries(&[key.digest()])? > 0)
    }

    fn remove_selected(&self, selection: &Selection<'_>) -> Result<u64, Failure> {
        let keys = self.selected(selection)?;
        Ok(if keys.is_empty() { 0 } else { self.drop_entries(&keys)? })
    }

    fn clear(&self) -> Result<(), Failure> {
        clear::clear(&self.root)?;
        Ok(())
    }

    /// Takes a lock on a file, which the kernel releases when its holder dies. A process that works
    /// on behalf of the holder, which waits for it, takes none.
    fn try_lock(&self, key: &ValueKey) -> Result<Claim, Failure> {
        if !self.mode.writes() {
            return Ok(Claim::None);
        }
        let name = lock::of_key(&key.digest());
        match Lock::take(&self.root, &name, LockMode::TryExclusive)? {
            Some(lock) => {
                lock.sign();
                Ok(Claim::Held(Box::new(lock)))
            }
            None if lock::signature(self.root.as_fd(), &name)
                .is_some_and(|it| Lineage::own().descends_from(&it.holder)) =>
            {
                Ok(Claim::None)
            }
            None => Ok(Claim::Busy),
        }
    }
}

fn about(name: &str, tags: &[String]) -> About {
    let kept = &name[..name.floor_char_boundary(About::LIMIT)];
    About {
        argv: vec![ByteBuf::from(kept)],
        cut: kept.len() < name.len(),
        cwd: None,
        scope: None,
        tags: tags.to_vec(),
    }
}
