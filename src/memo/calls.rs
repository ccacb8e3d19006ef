//! The loop: look up, else compute, then record.

mod stores;
mod tasks;
mod wanted;

pub use stores::{Caller, at_once};
pub use wanted::{Candidate, Next, Wanted};

use super::backend::{Failure, Guard, Lock, Record, Selection, Storage};
use super::domain::Domain;
use super::flight::{self, Joined, Turn};
use super::kept::Kept;
use super::key::ValueKey;
use super::memory::Memory;
use super::observe::{Event, Observer};
use super::references::References;
use super::{Cache, Error, RunOptions, Value, codec};
use cachex_base::system::clock::Timestamp;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wanted::Computed;

/// The initial interval between checks whether another process is done.
const SOONEST: Duration = Duration::from_millis(1);
/// The longest interval between these checks.
const LATEST: Duration = Duration::from_millis(100);
/// The time limit for another process that may itself be waiting for this one.
const NESTED: Duration = Duration::from_secs(5);

/// The state that all handles of a cache share.
pub struct Inner {
    /// The fastest first.
    pub stores: Vec<Box<dyn Storage>>,
    /// The objects that are kept as they are, and not as records.
    pub references: References,
    /// The number of the first stores that return at once.
    pub immediate: usize,
    /// The state shared with other caches of the same folder.
    pub domain: Arc<Domain>,
    /// The observer of events.
    pub observer: Observer,
    /// The options of `cachex run` that lead to the same local store.
    pub run_options: RunOptions,
}

/// A record that was found.
#[derive(Clone)]
struct Found {
    record: Arc<Record>,
    /// The index of the store that it was found in.
    at: usize,
    /// True if it may be served; else it may stand in for a failure.
    is_fresh: bool,
}

impl Candidate for Found {
    #[inline]
    fn created(&self) -> Timestamp {
        self.record.created
    }

    #[inline]
    fn is_fresh(&self) -> bool {
        self.is_fresh
    }
}

impl Found {
    /// What a store has, if it is of use: fresh, or, unless this is looked for `again`, able to
    /// stand in for a failure. The clock is read once.
    #[inline]
    fn of_use(record: Arc<Record>, at: usize, again: bool) -> Option<Found> {
        let is_fresh = record.is_fresh();
        let is_of_use = is_fresh || (!again && record.may_stand_in());
        is_of_use.then_some(Found { record, at, is_fresh })
    }

    /// Returns the value, and adds it to the stores that were asked before.
    #[inline]
    fn value<T: Value>(self, inner: &Inner, key: &ValueKey) -> Option<T> {
        if self.at == 0 {
            return self.decoded(inner);
        }
        let Found { record, at, .. } = self;
        let value = codec::decode(&record.value, false)?;
        for faster in &inner.stores[..at] {
            let _ = faster.put(key, &record);
        }
        Some(value)
    }

    /// Returns the value.
    #[inline]
    fn decoded<T: Value>(self, inner: &Inner) -> Option<T> {
        let Found { record, at, .. } = self;
        // A record in memory was put there, or read, by this process.
        if at < inner.immediate.min(1) {
            return codec::decode(&record.value, true);
        }
        match Arc::try_unwrap(record) {
            Ok(record) => codec::decode_owned(record.value),
            Err(record) => codec::decode(&record.value, false),
        }
    }
}

impl Cache {
    pub(super) fn found_or_computed<T: Value, E>(
        &self,
        wanted: &Wanted<'_>,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.inner.begin(wanted);
        let kept = if wanted.reads() { self.inner.in_memory(wanted.key) } else { None };
        if let Some(value) = kept.as_ref().and_then(|kept| wanted.at_hand(&self.inner, kept)) {
            return Ok(value);
        }
        self.found_elsewhere_or_computed(wanted, kept, compute)
    }

    /// Does what is not done if the value is fresh and in memory.
    #[inline(never)]
    fn found_elsewhere_or_computed<T: Value, E>(
        &self,
        wanted: &Wanted<'_>,
        kept: Option<Kept>,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let (inner, key) = (&self.inner, wanted.key);
        let look_up = || inner.look_up(kept, inner.stores.len(), key);
        let found = wanted.reads().then(look_up).flatten();
        let instead = match wanted.next(inner, found, |found| found.value(inner, key)) {
            Next::Serve(value) => return Ok(value),
            Next::Refresh(old) => {
                let Some(turn) = flight::try_join(&inner.domain, key, false) else {
                    return Ok(old);
                };
                let computed = turn.within(|| wanted.computed(inner, compute));
                return Ok(inner.refreshed(wanted, turn, computed, old));
            }
            Next::Compute(instead) => instead,
        };
        if wanted.allows_concurrent() {
            let computed = wanted.computed(inner, compute);
            return inner.kept(wanted, None, computed, instead);
        }
        let terms = wanted.terms();
        let turn = match flight::join(&inner.domain, key, terms) {
            Joined::Turn(turn) => Some(turn),
            Joined::Landed(record) => match codec::decode(&record.value, true) {
                Some(value) => return Ok(value),
                None => None,
            },
            Joined::Alone => None,
        };
        let _guard = turn.as_ref().and_then(|_| inner.lock(key, terms.until));
        // Whoever had the turn or the lock before may have left it there.
        if turn.is_some()
            && wanted.reads()
            && let Some(value) = inner.look_again(key).and_then(|found| found.value(inner, key))
        {
            return Ok(value);
        }
        let computed = match &turn {
            Some(turn) => turn.within(|| wanted.computed(inner, compute)),
            None => wanted.computed(inner, compute),
        };
        inner.kept(wanted, turn, computed, instead)
    }
}

/// Returns the deadline of waiting for another process. Within a turn it is early: nobody can see
/// whether processes wait for each other.
fn nested(until: Option<Instant>) -> Option<Instant> {
    if !flight::is_within_a_turn() {
        return until;
    }
    let soon = Instant::now() + NESTED;
    Some(until.map_or(soon, |until| until.min(soon)))
}

impl Inner {
    /// A recorded value that is fresh.
    pub fn find<T: Value>(&self, key: &ValueKey) -> Option<T> {
        let kept = self.in_memory(key);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh()) {
            return codec::decode(kept.value(), true);
        }
        let found = self.look_up(kept, self.stores.len(), key)?;
        if found.is_fresh { found.value(self, key) } else { None }
    }

    /// An old value in place of an error, if there is one.
    fn stands_in<T: Value, E>(&self, instead: Option<Found>, err: E) -> Result<T, E> {
        instead.and_then(|found| found.decoded(self)).ok_or(err)
    }

    /// Returns the number of stores that can use a key.
    #[inline]
    fn reach(&self, key: &ValueKey) -> usize {
        let all = self.stores.len();
        if self.immediate == all || key.is_known_elsewhere() { all } else { self.immediate }
    }

    /// The first store, if that is one in memory.
    #[inline]
    fn memory(&self) -> Option<&Memory> {
        self.stores.first()?.as_memory()
    }

    /// What the first store has, if that is one in memory.
    #[inline]
    fn in_memory(&self, key: &ValueKey) -> Option<Kept> {
        self.memory()?.kept(key)
    }

    /// The record of the first of so many stores that has one that is of use, after
    /// [`Inner::in_memory`].
    fn look_up(&self, kept: Option<Kept>, below: usize, key: &ValueKey) -> Option<Found> {
        let found = kept.and_then(|kept| Found::of_use(kept.into_record(), 0, false));
        let others = usize::from(self.memory().is_some())..below;
        found.or_else(|| self.search(others, key, |store| store.get(key), false))
    }

    /// Looks in all stores again, after nothing was found and others were waited for.
    fn look_again(&self, key: &ValueKey) -> Option<Found> {
        self.search(0..self.stores.len(), key, |store| store.get_again(key), true)
    }

    fn search(
        &self,
        stores: Range<usize>,
        key: &ValueKey,
        ask: impl Fn(&dyn Storage) -> Result<Option<Arc<Record>>, Failure>,
        again: bool,
    ) -> Option<Found> {
        for at in stores.start..stores.end.min(self.reach(key)) {
            // Below a store that fails may lie what that has superseded.
            let found = ask(&*self.stores[at]).ok()?;
            if let Some(found) = found.and_then(|record| Found::of_use(record, at, again)) {
                return Some(found);
            }
        }
        None
    }

    /// Sees to it that a value which is to be computed in any case is not replaced by one
    /// that is being computed already.
    #[inline]
    pub fn begin(&self, wanted: &Wanted<'_>) {
        if wanted.writes() && !wanted.reads() {
            self.domain.remove(wanted.key);
        }
    }

    /// Removes what is selected, also what is just being computed; how much there was.
    pub fn remove_selected(&self, selection: &Selection<'_>) -> Result<u64, Error> {
        // Which of them would be selected is not known yet.
        self.domain.clear();
        let mut removed = 0;
        for store in self.stores.iter().rev() {
            removed = store.remove_selected(selection).map_err(Error::Storage)?.max(removed);
        }
        removed += self.references.remove_selected(selection);
        for _ in 0..removed {
            self.observer.tell(&Event::Removed);
        }
        Ok(removed)
    }

    /// Keeps what was computed, and ends the turn; an old value is served in place of an
    /// error.
    fn kept<T: Value, E>(
        self: &Arc<Inner>,
        wanted: &Wanted<'_>,
        turn: Option<Turn>,
        computed: Result<Computed<T>, E>,
        instead: Option<Found>,
    ) -> Result<T, E> {
        let Computed { value, record, is_kept, is_err, began } = match computed {
            Ok(computed) => computed,
            Err(err) => return self.stands_in(instead, err),
        };
        let kept = match &record {
            Some(record) if is_kept => {
                at_once(self.keep(Caller::Thread, wanted.key, record, began))
            }
            _ => true,
        };
        if let Some(mut turn) = turn {
            turn.land(record.filter(|_| kept));
        }
        if is_err { self.stands_in(instead, value).or_else(Ok) } else { Ok(value) }
    }

    /// Notes a value that replaced one that can still be served.
    fn refreshed<T: Value, E>(
        self: &Arc<Inner>,
        wanted: &Wanted<'_>,
        turn: Turn,
        computed: Result<Computed<T>, E>,
        old: T,
    ) -> T {
        match computed {
            Ok(computed) if !computed.is_err => {
                self.kept(wanted, Some(turn), Ok::<_, E>(computed), None).unwrap_or(old)
            }
            _ => old,
        }
    }

    /// Keeps other processes from computing a value. Where that fails, or takes too long,
    /// they may.
    fn lock(self: &Arc<Inner>, key: &ValueKey, until: Option<Instant>) -> Option<Guard> {
        let mut pause = SOONEST;
        let until = nested(until);
        loop {
            match at_once(self.try_lock(Caller::Thread, key)) {
                Lock::Held(guard) => return Some(guard),
                Lock::None => return None,
                Lock::Busy => {}
            }
            if until.is_some_and(|until| Instant::now() + pause > until) {
                return None;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LATEST);
        }
    }
}
