//! Values in memory: of this process alone, bounded, and gone with it.

use super::backend::{EvictionHook, Failure, Record, Selection, Storage, TooLong};
use super::key::{Here, ValueKey};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, OptionsBuilder, Weighter};
use std::any::TypeId;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What is taken for the length of a usual value, in bytes: a guess that only decides
/// how much room there is for what is known of values that had to go.
const USUAL: u64 = 256;
/// A part of the room for each thread that looks something up at the same time, and
/// none so small that a value of a twentieth of it all would not fit.
const PARTS: usize = 16;

/// A store in memory.
///
/// It holds up to so many bytes, counted as they are allocated, and makes room by what was
/// used least (Clock-PRO, as `quick_cache` has it). A value that takes more than a
/// twentieth of that is not kept: a store below keeps it, or
/// [`Event::NotRecorded`](super::Event::NotRecorded) tells of it.
pub struct Memory {
    values: Cache<Held, Arc<Record>, Weight, DefaultHashBuilder, Evictions>,
    evictions: Evictions,
    /// How many bytes a value may take.
    longest: u64,
}

impl Memory {
    /// As many bytes as the values of a program take that did not say.
    pub const DEFAULT_CAPACITY: u64 = 64 << 20;

    /// A store of up to `capacity` bytes, keys and what else a value takes included.
    pub fn new(capacity: u64) -> Memory {
        let capacity = capacity.max(PARTS as u64);
        let mut options = OptionsBuilder::new();
        options
            .weight_capacity(capacity)
            .estimated_items_capacity(usize::try_from(capacity / USUAL).unwrap_or(usize::MAX))
            .hot_allocation(HOT)
            .shards(PARTS);
        let options = options.build().unwrap_or_else(|_| unreachable!("both capacities are set"));
        let evictions = Evictions::default();
        let values =
            Cache::with_options(options, Weight, DefaultHashBuilder::default(), evictions.clone());
        let longest = (values.shard_capacity() as f64 * HOT) as u64;
        Memory { values, evictions, longest }
    }
}

/// The share of values that are used again and again. None is longer than that.
const HOT: f64 = 0.97;

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(Memory::DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("capacity", &self.values.capacity()).finish_non_exhaustive()
    }
}

impl Storage for Memory {
    /// What has expired stays until it is replaced, which whoever asked for it does, or
    /// until there is no room.
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        Ok(self.values.get(&Sought(key.here())))
    }

    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        let Here { types, parts } = key.here();
        let held = Held { types, parts: parts.into() };
        let bytes = Weight.weight(&held, record);
        if bytes > self.longest {
            // What it would take the place of is not its value any more.
            self.values.remove(&held);
            return Err(TooLong { bytes, limit: self.longest }.into());
        }
        self.values.insert(held, record.clone());
        Ok(())
    }

    fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        Ok(self.values.remove(&Sought(key.here())).is_some())
    }

    fn remove_selected(&self, selection: &Selection<'_>) -> Result<u64, Failure> {
        let removed = Cell::new(0);
        self.values.retain(|key, record| {
            let is_selected = selection.selects(Some(&key.parts), &record.stored());
            removed.set(removed.get() + u64::from(is_selected));
            !is_selected
        });
        Ok(removed.get())
    }

    fn clear(&self) -> Result<(), Failure> {
        self.values.clear();
        Ok(())
    }

    fn is_immediate(&self) -> bool {
        true
    }

    fn on_eviction(&self, hook: EvictionHook) {
        let _ = self.evictions.hook.set(hook);
    }
}

/// Tells of what had to go, once no lock is held: who is told may use the cache.
#[derive(Clone, Default)]
struct Evictions {
    hook: Arc<OnceLock<EvictionHook>>,
}

/// The records that one call drove out.
#[derive(Default)]
struct Evicted(Vec<(EvictionHook, Arc<Record>)>);

impl Lifecycle<Held, Arc<Record>> for Evictions {
    type RequestState = Evicted;

    fn on_evict(&self, evicted: &mut Evicted, _: Held, record: Arc<Record>) {
        if let Some(hook) = self.hook.get() {
            evicted.0.push((hook.clone(), record));
        }
    }
}

impl Drop for Evicted {
    fn drop(&mut self) {
        for (hook, record) in self.0.drain(..) {
            hook(&record);
        }
    }
}

/// A key as it is held.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Held {
    types: (TypeId, u64),
    parts: Box<[u8]>,
}

/// A key that is looked for: it has the same hash.
#[derive(Hash)]
struct Sought<'k>(Here<'k>);

impl Equivalent<Held> for Sought<'_> {
    fn equivalent(&self, held: &Held) -> bool {
        self.0 == (Here { types: held.types, parts: &held.parts })
    }
}

#[derive(Clone, Debug)]
struct Weight;

/// What a place in the table takes, and what is known of those that had to go.
const PLACE: usize = 112;
/// What `Arc` keeps beside its content.
const COUNTS: usize = 16;

impl Weighter<Held, Arc<Record>> for Weight {
    fn weight(&self, key: &Held, record: &Arc<Record>) -> u64 {
        let name = match &record.name {
            Cow::Borrowed(_) => 0,
            Cow::Owned(name) => allocated(name.capacity()),
        };
        let tags = record.tags.iter().map(|tag| allocated(tag.capacity())).sum::<usize>();
        let bytes = PLACE
            + allocated(key.parts.len())
            + allocated(size_of::<Record>() + COUNTS)
            + allocated(record.value.capacity())
            + allocated(record.tags.capacity() * size_of::<String>())
            + name
            + tags;
        bytes as u64
    }
}

/// What an allocator takes for so many bytes: a length before them, and whole units.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + size_of::<usize>()).next_multiple_of(16).max(32) }
}

#[cfg(test)]
mod tests {
    use super::super::key::Parts;
    use super::*;
    use crate::clock::Timestamp;
    use std::borrow::Cow;
    use std::time::Duration;

    fn key(n: u64) -> ValueKey {
        Parts::of(&n).unwrap().key::<u64>()
    }

    fn record(len: usize) -> Arc<Record> {
        Arc::new(Record {
            value: vec![7; len],
            created: Timestamp(1),
            expires: None,
            stale_for: None,
            took: Duration::ZERO,
            name: Cow::Borrowed("test"),
            tags: Vec::new(),
        })
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let memory = Memory::new(1 << 20);
        for n in 0..10_000 {
            memory.put(&key(n), &record(1000)).unwrap();
        }
        assert!(memory.values.weight() <= 1 << 20);
        let held = (0..10_000).filter(|n| memory.get(&key(*n)).unwrap().is_some()).count();
        assert!((700..=1000).contains(&held), "{held}");
    }

    #[test]
    fn a_twentieth_of_it_fits() {
        let memory = Memory::new(16 << 20);
        for n in 0..16 {
            memory.put(&key(n), &record((16 << 20) / 20 - 1024)).unwrap();
            assert!(memory.get(&key(n)).unwrap().is_some());
        }
        memory.put(&key(99), &record(10)).unwrap();
        let why = memory.put(&key(99), &record(2 << 20)).unwrap_err();
        assert!(why.is::<TooLong>(), "{why}");
        assert!(memory.get(&key(99)).unwrap().is_none());
    }

    #[test]
    fn what_is_removed_or_cleared_is_gone() {
        let memory = Memory::default();
        for n in 0..3 {
            memory.put(&key(n), &record(10)).unwrap();
        }
        assert!(memory.remove(&key(0)).unwrap());
        assert!(!memory.remove(&key(0)).unwrap());
        memory.clear().unwrap();
        assert!((0..3).all(|n| memory.get(&key(n)).unwrap().is_none()));
    }
}
