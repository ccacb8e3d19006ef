//! State shared by the handles of one cache, and by all caches in one folder.

use super::key::ValueKey;
use cachex_base::process::forked::PerProcess;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The number of slots in which removals of single keys are counted. After a removal, values that
/// are just being computed for other keys of the same slot are not recorded either.
const SLOTS: usize = 256;

/// A set of values that are computed, recorded and removed together.
pub struct Domain {
    id: u64,
    hasher: RandomState,
    /// The number of the last removal that is known here.
    removals: AtomicU64,
    /// The number of the last removal of everything.
    cleared: AtomicU64,
    /// The number of the last removal of a single key, by slot.
    removed: [AtomicU64; SLOTS],
}

/// The domains of folders.
type Open = HashMap<(u64, u64), Weak<Domain>>;

/// A moment, as removals count.
#[derive(Clone, Copy)]
pub struct Moment(u64);

impl Domain {
    /// Creates a domain that nothing else shares.
    pub fn new() -> Arc<Domain> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Arc::new(Domain {
            id: LAST.fetch_add(1, Ordering::Relaxed),
            hasher: RandomState::new(),
            removals: AtomicU64::new(0),
            cleared: AtomicU64::new(0),
            removed: [const { AtomicU64::new(0) }; SLOTS],
        })
    }

    /// Returns the domain of a folder, which is identified by device and inode.
    pub fn of_folder(folder: (u64, u64)) -> Arc<Domain> {
        static OPEN: PerProcess<Mutex<Open>> = PerProcess::new();
        let mut open = OPEN.get().lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, domain| domain.strong_count() > 0);
        let known = open.get(&folder).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let domain = Domain::new();
            open.insert(folder, Arc::downgrade(&domain));
            domain
        })
    }

    /// Returns a number that no other domain of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the current moment.
    pub fn now(&self) -> Moment {
        Moment(self.removals.load(Ordering::SeqCst))
    }

    /// Notes that a value is removed.
    pub fn remove(&self, key: &ValueKey) {
        self.slot(key).fetch_max(self.next(), Ordering::SeqCst);
    }

    /// Notes that all values are removed.
    pub fn clear(&self) {
        self.cleared.fetch_max(self.next(), Ordering::SeqCst);
    }

    /// Returns whether a value was removed since then.
    pub fn was_removed(&self, key: &ValueKey, since: Moment) -> bool {
        let last = self.slot(key).load(Ordering::SeqCst);
        last.max(self.cleared.load(Ordering::SeqCst)) > since.0
    }

    fn next(&self) -> u64 {
        self.removals.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn slot(&self, key: &ValueKey) -> &AtomicU64 {
        &self.removed[self.hasher.hash_one(key.here()) as usize % SLOTS]
    }
}
