//! A table in memory, bounded, which drops what was used least.

use super::backend::{EvictionHook, Record, Selection, Stored};
use super::key::{Here, ValueKey};
use cachex_base::process::forked::{PerProcess, is_forked};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, OptionsBuilder, Weighter};
use smallvec::SmallVec;
use std::any::TypeId;
use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A part of the room for each thread that looks something up at the same time, and
/// none so small that a value of a twentieth of it all would not fit.
pub const PARTS: usize = 16;
/// The share of what is used again and again. Nothing is heavier than that.
const HOT: f64 = 0.97;

/// A value that is held under a key.
pub trait Held: Clone {
    /// Returns the record.
    fn record(&self) -> Cow<'_, Record>;

    /// Returns the record without its value.
    fn stored(&self) -> Stored<'_>;

    /// Returns the room that it takes, together with a key that has allocated so many bytes.
    fn weight(&self, key: usize) -> u64;
}

/// A table of things up to a weight (Clock-PRO, as `quick_cache` has it).
///
/// A forked child has one of its own, and what its parent had as long as nothing is known to
/// be newer. It never waits for a lock of its parent's, which nobody may be there to release.
pub struct Table<V: Held> {
    capacity: u64,
    items: u64,
    held: PerProcess<Inner<V>>,
    /// True if this process takes nothing more from its parent.
    is_orphaned: PerProcess<AtomicBool>,
    evictions: Evictions,
}

type Inner<V> = Cache<Owned, V, Weight, DefaultHashBuilder, Evictions>;

impl<V: Held> Table<V> {
    /// Creates a table of this weight, which about `items` values have together.
    pub fn new(capacity: u64, items: u64) -> Table<V> {
        Table {
            capacity: capacity.max(PARTS as u64),
            items,
            held: PerProcess::new(),
            is_orphaned: PerProcess::new(),
            evictions: Evictions::default(),
        }
    }

    #[cold]
    fn made(&self) -> Inner<V> {
        let mut options = OptionsBuilder::new();
        options
            .weight_capacity(self.capacity)
            .estimated_items_capacity(usize::try_from(self.items).unwrap_or(usize::MAX))
            .hot_allocation(HOT)
            .shards(PARTS);
        let options = options.build().unwrap_or_else(|_| unreachable!("both capacities are set"));
        let evictions = self.evictions.clone();
        Cache::with_options(options, Weight, DefaultHashBuilder::default(), evictions)
    }

    #[inline]
    fn held(&self) -> &Inner<V> {
        self.held.get_or(|| self.made())
    }

    /// The content of the parent's table when this process was forked.
    fn of_parent(&self) -> Option<&Inner<V>> {
        if !is_forked() || self.is_orphaned.get().load(Ordering::Relaxed) {
            return None;
        }
        self.held.of_parent()
    }

    /// Takes nothing more from the parent.
    fn orphan(&self) {
        if is_forked() {
            self.is_orphaned.get().store(true, Ordering::Relaxed);
        }
    }

    /// Returns the maximum weight.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Returns the room in use.
    #[cfg(test)]
    pub fn weight(&self) -> u64 {
        self.held().weight()
    }

    /// Returns the object under a key.
    #[inline]
    pub fn get(&self, key: &ValueKey) -> Option<V> {
        let sought = Sought(key.here());
        let held = self.held().get(&sought);
        if held.is_some() {
            return held;
        }
        self.of_parent()?.try_get(&sought).ok().flatten()
    }

    /// Holds something in place of what was held under its key. What is too heavy is not: the
    /// error has its weight, and the most that is possible.
    pub fn put(&self, key: &ValueKey, value: V) -> Result<(), (u64, u64)> {
        let held = self.held();
        let owned = Owned::of(key.here());
        let weight = value.weight(owned.allocated());
        let most = (held.shard_capacity() as f64 * HOT) as u64;
        if weight > most {
            self.remove(key);
            return Err((weight, most));
        }
        self.remove_of_parent(key);
        held.insert(owned, value);
        Ok(())
    }

    /// Drops what is held under a key; whether there was something.
    pub fn remove(&self, key: &ValueKey) -> bool {
        let was_of_parent = self.remove_of_parent(key);
        self.held().remove(&Sought(key.here())).is_some() || was_of_parent
    }

    fn remove_of_parent(&self, key: &ValueKey) -> bool {
        let Some(parent) = self.of_parent() else { return false };
        let Ok(removed) = parent.try_remove(&Sought(key.here())) else {
            self.orphan();
            return false;
        };
        removed.is_some()
    }

    /// Drops what is selected; how much there was.
    pub fn remove_selected(&self, selection: &Selection<'_>) -> u64 {
        self.remove_if(|key, value| selection.selects(Some(key), &value.stored()))
    }

    /// Drops everything.
    pub fn clear(&self) {
        self.remove_if(|_, _| true);
    }

    fn remove_if(&self, is_selected: impl Fn(&[u8], &V) -> bool) -> u64 {
        self.orphan();
        // They go when nothing is locked: their `drop` may be the program's.
        let removed = RefCell::new(Vec::new());
        self.held().retain(|key, value| {
            let goes = is_selected(&key.parts, value);
            if goes {
                removed.borrow_mut().push(value.clone());
            }
            !goes
        });
        removed.into_inner().len() as u64
    }

    /// Calls back for each that is dropped to make room.
    pub fn on_eviction(&self, hook: EvictionHook) {
        let _ = self.evictions.hook.set(hook);
    }
}

/// A hook for evicted values. It is called once no lock is held, so it may use the cache.
#[derive(Clone, Default)]
struct Evictions {
    hook: Arc<OnceLock<EvictionHook>>,
}

/// The objects that one call evicted.
struct Evicted<V: Held>(Vec<(Option<EvictionHook>, V)>);

impl<V: Held> Default for Evicted<V> {
    fn default() -> Evicted<V> {
        Evicted(Vec::new())
    }
}

impl<V: Held> Lifecycle<Owned, V> for Evictions {
    type RequestState = Evicted<V>;

    fn on_evict(&self, evicted: &mut Evicted<V>, _: Owned, value: V) {
        evicted.0.push((self.hook.get().cloned(), value));
    }
}

impl<V: Held> Drop for Evicted<V> {
    fn drop(&mut self) {
        for (hook, value) in self.0.drain(..) {
            if let Some(hook) = hook {
                hook(&value.record());
            }
        }
    }
}

/// An owned key. Most keys lie in the table itself.
#[derive(Debug, PartialEq, Eq)]
struct Owned {
    types: (TypeId, u64),
    parts: SmallVec<[u8; 40]>,
}

impl Owned {
    fn of(Here { types, parts }: Here<'_>) -> Owned {
        Owned { types, parts: SmallVec::from_slice(parts) }
    }

    /// Returns the number of bytes beyond those in the table.
    fn allocated(&self) -> usize {
        if self.parts.spilled() { self.parts.capacity() } else { 0 }
    }
}

impl Hash for Owned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Here { types: self.types, parts: &self.parts }.hash(state);
    }
}

/// A key that is looked for: it has the same hash.
#[derive(Hash)]
struct Sought<'k>(Here<'k>);

impl Equivalent<Owned> for Sought<'_> {
    fn equivalent(&self, held: &Owned) -> bool {
        self.0 == (Here { types: held.types, parts: &held.parts })
    }
}

#[derive(Clone, Debug)]
struct Weight;

impl<V: Held> Weighter<Owned, V> for Weight {
    fn weight(&self, key: &Owned, value: &V) -> u64 {
        value.weight(key.allocated())
    }
}
