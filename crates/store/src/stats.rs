//! Statistics of hits and runs, by day and by command.
//!
//! The fold adds up the events in the table `stats`, whose keys are the day since the epoch (UTC, 4
//! bytes, big-endian) and the command's name. Its size is limited: the number of names per day is
//! limited, further ones count under an empty name, and old days are dropped.

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

/// The maximum number of names per day.
pub const MAX_NAMES: usize = 1000;
/// The number of days that are kept.
pub const KEPT_DAYS: u32 = 400;
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// Totals of the calls of one command on one day. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls that were served from the cache.
    pub hits: u64,
    /// Calls that were served an expired result because the command failed.
    pub stale: u64,
    /// The run time saved by hits.
    pub saved_ns: u64,
    /// The time spent serving, hits and stale.
    pub hit_cost_ns: u64,
    /// Calls that ran the command to record it, by the number of their [`Reason`].
    pub misses: [u64; Reason::COUNTED],
    /// Calls that were recorded.
    pub recorded: u64,
    /// Calls that were not recorded.
    pub unrecorded: u64,
    /// The run time of their commands.
    pub run_ns: u64,
    /// Bytes that were recorded.
    pub bytes: u64,
    /// Requests to a remote store, by the number of their outcome in [`Remotely`].
    pub remote: [u64; Remotely::ALL.len()],
    /// Bytes received from it, and bytes sent.
    pub remote_bytes: [u64; 2],
    /// Files restored by hits.
    pub files: u64,
}

impl Counts {
    /// Returns the calls that ran the command for this reason.
    pub fn missed(&self, why: Reason) -> u64 {
        self.misses[why.counted_as() as usize]
    }

    /// Returns the number of remote requests with this outcome.
    pub fn remotely(&self, what: Remotely) -> u64 {
        self.remote[what as usize]
    }

    /// Adds the counts of `other`.
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

/// Totals of several events, by day and then by name.
pub type Tally = BTreeMap<u32, BTreeMap<String, Counts>>;

/// Returns the day of a time.
pub fn day_of(time: Timestamp) -> u32 {
    u32::try_from(time.0 / DAY).unwrap_or(u32::MAX)
}

/// Returns the beginning of a day.
pub fn beginning_of(day: u32) -> Timestamp {
    Timestamp(u64::from(day).saturating_mul(DAY))
}

/// Totals events. Those without a name count under the empty one.
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
    /// Adds to the statistics and the totals, and drops old days.
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

    /// Returns the name under which events of an entry are counted, if the entry is here.
    pub fn counted_as(&self, key: &Key) -> sled::Result<Option<String>> {
        let sealed = self.entries.get(key.0)?;
        let entry =
            sealed.and_then(|sealed| cachex_base::record::entry::Entry::open(key, &sealed).ok());
        Ok(entry.map(|entry| events::name_of(entry.about.name())))
    }
}

/// Decodes counts. Earlier versions did not count files.
fn read_counts(stored: &[u8]) -> Option<Counts> {
    decode(stored).or_else(|| decode(&[stored, &[0]].concat()))
}

/// Passes the statistics since a day to `visit`, in the order of days.
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

/// Resets the statistics, including the totals of hits and runs.
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
