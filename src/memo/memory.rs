//! Values in memory: of this process alone, bounded, and gone with it.

use super::backend::{Failure, Record, Storage};
use super::key::ValueKey;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};
use std::any::TypeId;
use std::sync::Arc;

/// What is taken for the length of a usual value, in bytes: a guess that only decides
/// how much room there is for what is known of values that had to go.
const USUAL: u64 = 256;
/// What a value takes besides its own bytes and those of its key: its times, its place in
/// a table, and what keeps account of both.
const BESIDES: u64 = 192;
/// A part of the room for each thread that looks something up at the same time, and
/// none so small that a value of a twentieth of it all would not fit.
const PARTS: usize = 16;

/// A store in memory.
///
/// It holds up to so many bytes, and makes room by what was used least (Clock-PRO, as
/// `quick_cache` has it). A value that is longer than a twentieth of that is not kept.
#[derive(Debug)]
pub struct Memory {
    values: Cache<Held, Arc<Record>, Weight, DefaultHashBuilder>,
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
            .shards(PARTS);
        let options = options.build().unwrap_or_else(|_| unreachable!("both capacities are set"));
        let values = Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Memory { values }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(Memory::DEFAULT_CAPACITY)
    }
}

impl Storage for Memory {
    /// What has expired stays until it is replaced, which whoever asked for it does, or
    /// until there is no room.
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        Ok(self.values.get(&Sought(key.here())))
    }

    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        let (kind, parts) = key.here();
        let held = Held { kind, parts: parts.into() };
        self.values.insert(held, record.clone());
        Ok(())
    }

    fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        Ok(self.values.remove(&Sought(key.here())).is_some())
    }

    fn clear(&self) -> Result<(), Failure> {
        self.values.clear();
        Ok(())
    }

    fn is_immediate(&self) -> bool {
        true
    }
}

/// A key as it is held.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Held {
    kind: TypeId,
    parts: Box<[u8]>,
}

/// A key that is looked for: it has the same hash.
#[derive(Hash)]
struct Sought<'k>((TypeId, &'k [u8]));

impl Equivalent<Held> for Sought<'_> {
    fn equivalent(&self, held: &Held) -> bool {
        self.0 == (held.kind, &held.parts)
    }
}

#[derive(Clone, Debug)]
struct Weight;

impl Weighter<Held, Arc<Record>> for Weight {
    fn weight(&self, key: &Held, record: &Arc<Record>) -> u64 {
        (key.parts.len() + record.value.len()) as u64 + BESIDES
    }
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
            took: Duration::ZERO,
            name: Cow::Borrowed("test"),
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
            memory.put(&key(n), &record((16 << 20) / 20)).unwrap();
            assert!(memory.get(&key(n)).unwrap().is_some());
        }
        memory.put(&key(99), &record(2 << 20)).unwrap();
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
