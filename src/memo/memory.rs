//! Values in memory: of this process alone, bounded, and gone with it.

use super::backend::{EvictionHook, Failure, Record, Selection, Storage, Stored, TooLong};
use super::kept::Kept;
use super::key::ValueKey;
use super::table::{Held, Table};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The assumed length of a typical value, in bytes. This guess only decides how much room there is
/// for the history of evicted values.
const USUAL: u64 = 512;

/// A store in memory.
///
/// The store has a capacity in allocated bytes, and drops the least used values to make
/// room (Clock-PRO, as in `quick_cache`). A value that takes more than a twentieth of the
/// capacity is not kept: a store below keeps it, or
/// [`Event::NotRecorded`](super::Event::NotRecorded) reports it.
pub struct Memory(Table<Kept>);

impl Memory {
    /// The capacity of a cache that does not set one, in bytes.
    pub const DEFAULT_CAPACITY: u64 = 64 << 20;

    /// Creates a store of up to `capacity` bytes, including keys and overhead.
    pub fn new(capacity: u64) -> Memory {
        Memory(Table::new(capacity, capacity / USUAL))
    }

    /// Returns the record of a key, as it is kept.
    #[inline]
    pub(super) fn kept(&self, key: &ValueKey) -> Option<Kept> {
        self.0.get(key)
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(Memory::DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("capacity", &self.0.capacity()).finish_non_exhaustive()
    }
}

impl Storage for Memory {
    /// Expired records stay until they are replaced, which their caller does, or until
    /// their room is needed.
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        Ok(self.0.get(key).map(Kept::into_record))
    }

    fn as_memory(&self) -> Option<&Memory> {
        Some(self)
    }

    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        let put = self.0.put(key, Kept::of(record));
        put.map_err(|(bytes, limit)| TooLong { bytes, limit }.into())
    }

    fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        Ok(self.0.remove(key))
    }

    fn remove_selected(&self, selection: &Selection<'_>) -> Result<u64, Failure> {
        Ok(self.0.remove_selected(selection))
    }

    fn clear(&self) -> Result<(), Failure> {
        self.0.clear();
        Ok(())
    }

    fn is_immediate(&self) -> bool {
        true
    }

    fn on_eviction(&self, hook: EvictionHook) {
        self.0.on_eviction(hook);
    }
}

/// The size of a place in the table, and of what it remembers of dropped values.
const PLACE: usize = 264;
/// The overhead of an `Arc`.
const COUNTS: usize = 16;

impl Held for Kept {
    fn record(&self) -> Cow<'_, Record> {
        self.record()
    }

    fn stored(&self) -> Stored<'_> {
        self.stored()
    }

    fn weight(&self, key: usize) -> u64 {
        let record = match self {
            Kept::Short(_) => 0,
            Kept::Whole(record) => weight(record),
        };
        (PLACE + allocated(key) + record) as u64
    }
}

/// The bytes that a record has allocated.
fn weight(record: &Record) -> usize {
    let name = match &record.name {
        Cow::Borrowed(_) => 0,
        Cow::Owned(name) => allocated(name.capacity()),
    };
    let tags = record.tags.iter().map(|tag| allocated(tag.capacity())).sum::<usize>();
    allocated(size_of::<Record>() + COUNTS)
        + allocated(record.value.capacity())
        + allocated(record.tags.capacity() * size_of::<String>())
        + name
        + tags
}

/// The bytes that an allocator takes for an allocation: a length before it, and whole units.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + size_of::<usize>()).next_multiple_of(16).max(32) }
}

#[cfg(test)]
mod tests {
    use super::super::key::Parts;
    use super::*;
    use cachex_base::system::clock::Timestamp;
    use std::borrow::Cow;
    use std::time::Duration;

    fn key(n: u64) -> ValueKey {
        Parts::of(&n).unwrap().key::<u64>().clone()
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
        assert!(memory.0.weight() <= 1 << 20);
        let held = (0..10_000).filter(|n| memory.get(&key(*n)).unwrap().is_some()).count();
        assert!((650..=1000).contains(&held), "{held}");
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
