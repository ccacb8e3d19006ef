//! The loop: look up, else compute, then record.

mod stores;
mod tasks;
mod wanted;

pub use stores::{Caller, at_once};
pub use wanted::{Candidate, Next, Wanted};

use super::backend::{Failure, Guard, Lock, Record, Selection, Storage};
use super::domain::Domain;
use super::flight::{self, Joined, Turn};
use super::key::{Parts, ValueKey};
use super::observe::{Event, Observer};
use super::references::References;
use super::{Cache, Error, Options, RunOptions, Value, codec};
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
}

impl Candidate for Found {
    fn record(&self) -> &Record {
        &self.record
    }
}

impl Found {
    /// Returns the value, and adds it to the stores that were asked before.
    fn value<T: Value>(self, inner: &Inner, key: &ValueKey) -> Option<T> {
        if self.at == 0 {
            return self.decoded(inner);
        }
        let Found { record, at } = self;
        let value = codec::decode(&record.value, false)?;
        for faster in &inner.stores[..at] {
            let _ = faster.put(key, &record);
        }
        Some(value)
    }

    /// Returns the value.
    #[inline]
    fn decoded<T: Value>(self, inner: &Inner) -> Option<T> {
        let Found { record, at } = self;
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
        parts: Parts,
        options: Options,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let (inner, wanted) =
            (&self.inner, Wanted::of::<T>(parts.key::<T>(), options, &self.labels));
        let key = &wanted.key;
        inner.begin(&wanted);
        let found = wanted.reads().then(|| inner.look_up(inner.stores.len(), key)).flatten();
        let instead = match wanted.next(inner, found, |found| found.value(inner, key)) {
            Next::Serve(value) => return Ok(value),
            Next::Refresh(old) => {
                let Some(turn) = flight::try_join(&inner.domain, key, false) else {
                    return Ok(old);
                };
                let computed = turn.within(|| wanted.computed(inner, compute));
                return Ok(inner.refreshed(&wanted, turn, computed, old));
            }
            Next::Compute(instead) => instead,
        };
        if options.allow_concurrent {
            let computed = wanted.computed(inner, compute);
            return inner.kept(&wanted, None, computed, instead);
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
        inner.kept(&wanted, turn, computed, instead)
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
        let found = self.look_up(self.stores.len(), key)?;
        if found.record.is_fresh() { found.value(self, key) } else { None }
    }

    /// An old value in place of an error, if there is one.
    fn stands_in<T: Value, E>(&self, instead: Option<Found>, err: E) -> Result<T, E> {
        instead.and_then(|found| found.decoded(self)).ok_or(err)
    }

    /// Returns the number of stores that can use a key.
    fn reach(&self, key: &ValueKey) -> usize {
        let all = self.stores.len();
        if self.immediate == all || key.is_known_elsewhere() { all } else { self.immediate }
    }

    /// The record of the first of so many stores that has one that is of use.
    fn look_up(&self, below: usize, key: &ValueKey) -> Option<Found> {
        self.search(below, key, |store| store.get(key), Record::is_of_use)
    }

    /// Looks in all stores again, after nothing was found and others were waited for.
    fn look_again(&self, key: &ValueKey) -> Option<Found> {
        self.search(self.stores.len(), key, |store| store.get_again(key), Record::is_fresh)
    }

    #[inline]
    fn search(
        &self,
        below: usize,
        key: &ValueKey,
        ask: impl Fn(&dyn Storage) -> Result<Option<Arc<Record>>, Failure>,
        is_good: fn(&Record) -> bool,
    ) -> Option<Found> {
        for at in 0..below.min(self.reach(key)) {
            // Below a store that fails may lie what that has superseded.
            let found = ask(&*self.stores[at]).ok()?;
            if let Some(record) = found.filter(|record| is_good(record)) {
                return Some(Found { record, at });
            }
        }
        None
    }

    /// Sees to it that a value which is to be computed in any case is not replaced by one
    /// that is being computed already.
    pub fn begin(&self, wanted: &Wanted<'_>) {
        if wanted.writes() && !wanted.reads() {
            self.domain.remove(&wanted.key);
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
                at_once(self.keep(Caller::Thread, &wanted.key, record, began))
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
