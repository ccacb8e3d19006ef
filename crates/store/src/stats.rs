//! What was saved and what was run, counted by day and by command.
//!
//! The fold adds up the events in the tree `stats`: a place is the day since
//! the epoch (UTC, 4 bytes, big-endian) and the command's name. It is bounded: a
//! day has so many names, what is beyond them counts under an empty one, and old
//! days are dropped.

use super::events::{Event, Kind, Reason, Remotely};
use super::fold;
use super::guard;
use super::metadata::{decode, encode};
use super::old::{Old, step};
use super::walk::Span;
use super::{Root, events};
use anyhow::Result;
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// The names that are counted apart on one day.
pub const MAX_NAMES: usize = 1000;
/// The days that are kept.
pub const KEPT_DAYS: u32 = 400;
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// What calls of one command came to on one day. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls that were served.
    pub hits: u64,
    /// Calls whose command failed, and that were served what had expired.
    pub stale: u64,
    /// The run time that the hits saved.
    pub saved_ns: u64,
    /// How long serving took, hits and stale.
    pub hit_cost_ns: u64,
    /// Calls that ran the command to record it, for each [`Reason`] by its number.
    pub misses: [u64; Reason::COUNTED],
    /// Those that were recorded.
    pub recorded: u64,
    /// Those that were not.
    pub unrecorded: u64,
    /// How long their commands ran.
    pub run_ns: u64,
    /// The bytes that were recorded.
    pub bytes: u64,
    /// What came of asking a remote store, for each [`Remotely`] by its number.
    pub remote: [u64; Remotely::ALL.len()],
    /// The bytes that came from it, and went there.
    pub remote_bytes: [u64; 2],
    /// The files that hits brought back.
    pub files: u64,
}

impl Counts {
    /// The calls that ran the command for one reason.
    pub fn missed(&self, why: Reason) -> u64 {
        self.misses[why.counted_as() as usize]
    }

    /// How often that came of asking a remote store.
    pub fn remotely(&self, what: Remotely) -> u64 {
        self.remote[what as usize]
    }

    /// Adds what others came to.
    pub fn add(&mut self, other: &Counts) {
        let sum = |mine: &mut u64, other: u64| *mine = mine.saturating_add(other);
        sum(&mut self.hits, other.hits);
        sum(&mut self.stale, other.stale);
        sum(&mut self.saved_ns, other.saved_ns);
        sum(&mut self.hit_cost_ns, other.hit_cost_ns);
        for (mine, other) in self.misses.iter_mut().zip(other.misses) {
            sum(mine, other);
        }
        sum(&mut self.recorded, other.recorded);
        sum(&mut self.unrecorded, other.unrecorded);
        sum(&mut self.run_ns, other.run_ns);
        sum(&mut self.bytes, other.bytes);
        sum(&mut self.files, other.files);
        let remote = self.remote.iter_mut().chain(&mut self.remote_bytes);
        for (mine, other) in remote.zip(other.remote.into_iter().chain(other.remote_bytes)) {
            sum(mine, other);
        }
    }

    fn of(event: &Event) -> Counts {
        let ran = |why: Reason| {
            let mut misses = [0; Reason::COUNTED];
            misses[why.counted_as() as usize] = 1;
            Counts { misses, run_ns: event.run_time, ..Counts::default() }
        };
        match event.kind {
            Kind::Hit { cost, files } => Counts {
                hits: 1,
                saved_ns: event.run_time,
                hit_cost_ns: cost,
                files,
                ..Counts::default()
            },
            Kind::Stale { cost } => Counts { stale: 1, hit_cost_ns: cost, ..Counts::default() },
            Kind::Recorded { why, size } => Counts { recorded: 1, bytes: size, ..ran(why) },
            Kind::Unrecorded { why } => Counts { unrecorded: 1, ..ran(why) },
            Kind::Remote { what, bytes } => {
                let mut counts = Counts::default();
                counts.remote[what as usize] = 1;
                counts.remote_bytes[usize::from(what == Remotely::Sent)] = bytes;
                counts
            }
            Kind::Elsewhere => Counts::default(),
        }
    }
}

/// What so many events come to: by day, then by name.
pub type Tally = BTreeMap<u32, BTreeMap<String, Counts>>;

/// The day of a time.
pub fn day_of(time: Timestamp) -> u32 {
    u32::try_from(time.0 / DAY).unwrap_or(u32::MAX)
}

/// When a day begins.
pub fn beginning_of(day: u32) -> Timestamp {
    Timestamp(u64::from(day).saturating_mul(DAY))
}

/// Adds events up. What has no name counts with what has too many.
pub fn tally(events: &[Event], names: &HashMap<Key, String>, now: Timestamp) -> Tally {
    let mut tally = Tally::new();
    for event in events.iter().filter(|event| event.kind != Kind::Elsewhere) {
        // A clock that went backwards must not make days that are never dropped.
        let day = tally.entry(day_of(event.time.min(now))).or_default();
        let name = names.get(&event.key).map_or("", String::as_str);
        let counts = Counts::of(event);
        match day.get_mut(name) {
            Some(known) => known.add(&counts),
            None => drop(day.insert(name.to_owned(), counts)),
        }
    }
    tally
}

impl Old {
    /// Adds to what is counted and to the sums, and drops what is too old.
    pub fn add_stats(&self, tally: &Tally, now: Timestamp) -> sled::Result<()> {
        let mut all = Counts::default();
        for (day, names) in tally {
            let mut known = self.stats.scan_prefix(day.to_be_bytes()).count();
            for (name, counts) in names {
                step()?;
                let mut at = place(*day, name);
                let mut held = self.stats.get(&at)?;
                if held.is_none() && known >= MAX_NAMES && !name.is_empty() {
                    at = place(*day, "");
                    held = self.stats.get(&at)?;
                }
                known += usize::from(held.is_none());
                let mut sum = held.and_then(|held| read_counts(&held)).unwrap_or_default();
                Counts::add(&mut sum, counts);
                all.add(counts);
                self.stats.insert(at, encode(&sum))?;
                self.changed();
            }
        }
        self.count(|totals| {
            totals.hits = totals.hits.saturating_add(all.hits);
            totals.stale = totals.stale.saturating_add(all.stale);
            totals.recorded = totals.recorded.saturating_add(all.recorded);
            totals.unrecorded = totals.unrecorded.saturating_add(all.unrecorded);
            totals.saved = totals.saved.saturating_add(all.saved_ns);
        });
        let first = day_of(now).saturating_sub(KEPT_DAYS - 1).to_be_bytes();
        for item in self.stats.up_to(Bound::Excluded(&first)).take(fold::BATCH) {
            step()?;
            self.stats.remove(item?.0)?;
            self.changed();
        }
        Ok(())
    }

    /// The name that the events of an entry are counted under, if it is here.
    pub fn counted_as(&self, key: &Key) -> sled::Result<Option<String>> {
        let sealed = self.entries.get(key.0)?;
        let entry =
            sealed.and_then(|sealed| cachex_base::record::entry::Entry::open(key, &sealed).ok());
        Ok(entry.map(|entry| events::name_of(entry.about.name())))
    }
}

/// Reads what is counted. Of files nothing was said before they were counted.
fn read_counts(stored: &[u8]) -> Option<Counts> {
    decode(stored).or_else(|| decode(&[stored, &[0]].concat()))
}

/// Shows what is counted from a day on to `visit`, in the order of days.
pub fn read(
    root: &Root,
    since: u32,
    mut visit: impl FnMut(u32, &str, Counts) -> Result<()>,
) -> Result<()> {
    let mut span = Span::of_range(&since.to_be_bytes(), &[0xff; 64]);
    while guard::exists(root) {
        let page = Old::with(root, |old| Ok(span.page(&old.stats, fold::BATCH)?))?;
        for (place, counts) in &page {
            if let Some((day, name)) = split(place)
                && let Some(counts) = read_counts(counts)
            {
                visit(day, name, counts)?;
            }
        }
        if page.len() < fold::BATCH {
            break;
        }
    }
    Ok(())
}

/// Counts from nothing again, the sums of hits and runs included.
pub fn reset(root: &Root) -> Result<()> {
    while guard::exists(root) {
        let done = Old::with(root, |old| {
            let page = Span::all().page(&old.stats, fold::BATCH)?;
            for (place, _) in &page {
                old.stats.remove(place)?;
            }
            old.count(|totals| {
                (totals.hits, totals.stale, totals.saved) = (0, 0, 0);
                (totals.recorded, totals.unrecorded) = (0, 0);
            });
            Ok(page.is_empty())
        })?;
        if done {
            break;
        }
    }
    Ok(())
}

fn place(day: u32, name: &str) -> Vec<u8> {
    [&day.to_be_bytes(), name.as_bytes()].concat()
}

fn split(place: &[u8]) -> Option<(u32, &str)> {
    let (day, name) = place.split_first_chunk()?;
    Some((u32::from_be_bytes(*day), std::str::from_utf8(name).ok()?))
}

#[cfg(test)]
mod tests;
