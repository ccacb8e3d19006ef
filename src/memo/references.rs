//! Objects that are kept as they are and handed out by reference: connections, pools,
//! parsed models.
//!
//! Nothing is encoded, so their types need not implement anything of `serde`, and they stay
//! in this process. Keys, expiry, waiting and removal work as for values.

use super::backend::{EvictionHook, Record, Selection, Stored};
use super::calls::{Candidate, Inner, Next, Wanted};
use super::domain::Moment;
use super::flight::{self, Joined, Turn};
use super::key::{Parts, ValueKey};
use super::observe::Event;
use super::table::{Held, Table};
use super::{Cache, Error, Options, parts_of};
use cachex_base::system::clock::Timestamp;
use serde::Serialize;
use std::any::Any;
use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

/// The number of objects that a cache keeps.
const MOST: u64 = 4096;

/// The objects of a cache.
pub struct References(Table<Reference>);

/// An object and its record.
#[derive(Clone)]
struct Reference {
    /// The record, without a value.
    record: Arc<Record>,
    /// The object.
    object: Arc<dyn Any + Send + Sync>,
}

impl Held for Reference {
    fn record(&self) -> Cow<'_, Record> {
        Cow::Borrowed(&self.record)
    }

    fn stored(&self) -> Stored<'_> {
        self.record.stored()
    }

    fn weight(&self, _: usize) -> u64 {
        1
    }
}

impl Candidate for Reference {
    fn created(&self) -> Timestamp {
        self.record.created
    }

    fn is_fresh(&self) -> bool {
        self.record.is_fresh()
    }
}

impl Reference {
    /// Returns another handle of the object.
    fn of<R: Clone + 'static>(&self) -> Option<R> {
        self.object.downcast_ref().cloned()
    }
}

impl Default for References {
    fn default() -> References {
        References(Table::new(MOST, MOST))
    }
}

impl References {
    fn get(&self, key: &ValueKey) -> Option<Reference> {
        self.0.get(key)
    }

    fn put(&self, key: &ValueKey, reference: Reference) {
        // The earlier one is dropped when nothing is locked: its `drop` is the program's.
        let _earlier = self.get(key);
        let _ = self.0.put(key, reference);
    }

    fn remove(&self, key: &ValueKey) -> bool {
        self.0.remove(key)
    }

    /// Drops the selected objects, and returns their number.
    pub fn remove_selected(&self, selection: &Selection<'_>) -> u64 {
        self.0.remove_selected(selection)
    }

    /// Drops all of them.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Calls back for each that is dropped to make room.
    pub fn on_eviction(&self, hook: EvictionHook) {
        self.0.on_eviction(hook);
    }
}

/// A computed object, and the time when its computation began.
struct Computed<R> {
    value: R,
    since: Instant,
    began: Moment,
}

impl Cache {
    /// Returns the object that this process shares under this key: a clone of the kept one,
    /// if that is fresh, or else of the result of `compute`, which is kept.
    ///
    /// Use this for objects that cannot be copied or take long to decode, such as an
    /// `Arc<T>` or the handle of a pool of connections: all callers share one. Nothing is
    /// serialized, so the object stays in this process, whatever stores the cache has. Up
    /// to 4,096 are kept. Options and keys work as for [`Cache::value`]. A `Result` is
    /// kept as it is; for computations that may fail, use [`Cache::try_reference`].
    ///
    /// ```
    /// use cachex::{Cache, Options};
    /// use std::sync::Arc;
    ///
    /// let cache = Cache::in_memory();
    /// let words = || cache.reference("words", Options::new(), || Arc::new(vec!["a", "b"]));
    /// assert!(Arc::ptr_eq(&words(), &words()));
    /// ```
    pub fn reference<R, F>(&self, key: impl Serialize, options: Options, compute: F) -> R
    where
        R: Clone + Send + Sync + 'static,
        F: FnOnce() -> R,
    {
        let compute = || Ok::<R, Infallible>(compute());
        let Ok(value) = self.try_reference(key, options, compute);
        value
    }

    /// Works like [`Cache::reference`] for a computation that may fail: an `Err` is
    /// returned and not kept.
    ///
    /// # Errors
    ///
    /// The errors of `compute`.
    pub fn try_reference<R, E, F>(
        &self,
        key: impl Serialize,
        options: Options,
        compute: F,
    ) -> Result<R, E>
    where
        R: Clone + Send + Sync + 'static,
        F: FnOnce() -> Result<R, E>,
    {
        let mut parts = Parts::none();
        match parts.add(&key) {
            Ok(()) => self.shared(&self.wanted_reference::<R>(&mut parts, &options), compute),
            Err(_) => compute(),
        }
    }

    /// Works like [`Cache::reference`] for a future.
    pub async fn reference_async<R, F>(
        &self,
        key: impl Serialize,
        options: Options,
        compute: F,
    ) -> R
    where
        R: Clone + Send + Sync + 'static,
        F: AsyncFnOnce() -> R,
    {
        let compute = async || Ok::<R, Infallible>(compute().await);
        let Ok(value) = self.try_reference_async(key, options, compute).await;
        value
    }

    /// Works like [`Cache::try_reference`] for a future.
    ///
    /// # Errors
    ///
    /// The errors of `compute`.
    pub async fn try_reference_async<R, E, F>(
        &self,
        key: impl Serialize,
        options: Options,
        compute: F,
    ) -> Result<R, E>
    where
        R: Clone + Send + Sync + 'static,
        F: AsyncFnOnce() -> Result<R, E>,
    {
        let mut parts = Parts::none();
        match parts.add(&key) {
            Ok(()) => {
                let wanted = self.wanted_reference::<R>(&mut parts, &options);
                self.shared_async(&wanted, compute).await
            }
            Err(_) => compute().await,
        }
    }

    /// Drops the object of this type for this key, and returns whether there was one.
    /// Existing clones stay valid.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the key cannot be serialized.
    pub fn remove_reference<R: 'static>(&self, key: impl Serialize) -> Result<bool, Error> {
        let mut parts = parts_of(&key)?;
        let key = parts.reference_key::<R>();
        self.inner.domain.remove(key);
        let removed = self.inner.references.remove(key);
        if removed {
            self.inner.observer.tell(&Event::Removed);
        }
        Ok(removed)
    }

    /// An object that is to be found or made.
    pub(super) fn wanted_reference<'a, R: 'static>(
        &'a self,
        parts: &'a mut Parts,
        options: &'a Options,
    ) -> Wanted<'a> {
        Wanted::of::<R>(parts.reference_key::<R>(), options, &self.labels)
    }

    pub(super) fn shared<R: Clone + Send + Sync + 'static, E>(
        &self,
        wanted: &Wanted<'_>,
        compute: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let (inner, domain) = (&self.inner, &self.inner.domain);
        let (turn, instead) = match inner.next_reference(wanted) {
            Next::Serve(value) => return Ok(value),
            Next::Refresh(old) => match flight::try_join(domain, wanted.key, false) {
                Some(turn) => (Some(turn), Some(old)),
                None => return Ok(old),
            },
            Next::Compute(instead) => {
                let instead = instead.and_then(|it| it.of());
                if wanted.allows_concurrent() {
                    (None, instead)
                } else {
                    let joined = flight::join(domain, wanted.key, wanted.terms());
                    match inner.had_its_turn(wanted, joined) {
                        Ok(value) => return Ok(value),
                        Err(turn) => (turn, instead),
                    }
                }
            }
        };
        let (since, began) = (Instant::now(), domain.now());
        let computed = match &turn {
            Some(turn) => turn.within(compute),
            None => compute(),
        };
        let computed = computed.map(|value| Computed { value, since, began });
        inner.kept_reference(wanted, computed, instead)
    }

    pub(super) async fn shared_async<R: Clone + Send + Sync + 'static, E>(
        &self,
        wanted: &Wanted<'_>,
        compute: impl AsyncFnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let (inner, domain) = (&self.inner, &self.inner.domain);
        let (turn, instead) = match inner.next_reference(wanted) {
            Next::Serve(value) => return Ok(value),
            Next::Refresh(old) => match flight::try_join(domain, wanted.key, true) {
                Some(turn) => (Some(turn), Some(old)),
                None => return Ok(old),
            },
            Next::Compute(instead) => {
                let instead = instead.and_then(|it| it.of());
                if wanted.allows_concurrent() {
                    (None, instead)
                } else {
                    let joined = flight::join_async(domain, wanted.key, wanted.terms()).await;
                    match inner.had_its_turn(wanted, joined) {
                        Ok(value) => return Ok(value),
                        Err(turn) => (turn, instead),
                    }
                }
            }
        };
        let (since, began) = (Instant::now(), domain.now());
        let computed = match &turn {
            Some(turn) => turn.within_async(compute()).await,
            None => compute().await,
        };
        let computed = computed.map(|value| Computed { value, since, began });
        inner.kept_reference(wanted, computed, instead)
    }
}

impl Inner {
    fn next_reference<R: Clone + 'static>(&self, wanted: &Wanted<'_>) -> Next<R, Reference> {
        self.begin(wanted);
        let found = wanted.reads().then(|| self.references.get(wanted.key)).flatten();
        wanted.next(self, found, |found| found.of())
    }

    /// Returns the result of the caller that had its turn before, or else the turn itself, if there
    /// is one.
    fn had_its_turn<R: Clone + 'static>(
        &self,
        wanted: &Wanted<'_>,
        joined: Joined,
    ) -> Result<R, Option<Turn>> {
        let Joined::Turn(turn) = joined else { return Err(None) };
        let found = wanted.reads().then(|| self.references.get(wanted.key)).flatten();
        let found = found.filter(|found| found.record.is_fresh());
        found.and_then(|found| found.of()).ok_or(Some(turn))
    }

    /// Keeps what was computed; in place of an error there is what may stand in.
    fn kept_reference<R: Clone + Send + Sync + 'static, E>(
        &self,
        wanted: &Wanted<'_>,
        computed: Result<Computed<R>, E>,
        instead: Option<R>,
    ) -> Result<R, E> {
        let Computed { value, since, began } = match computed {
            Ok(computed) => computed,
            Err(err) => return instead.ok_or(err),
        };
        let key = wanted.key;
        if !wanted.writes() || self.domain.was_removed(key, began) {
            return Ok(value);
        }
        match wanted.record_of_reference(&value, since.elapsed()) {
            Ok(record) => {
                let (record, object) = (Arc::new(record), Arc::new(value.clone()));
                self.references.put(key, Reference { record: record.clone(), object });
                if self.domain.was_removed(key, began) {
                    self.references.remove(key);
                } else {
                    self.observer.tell(&Event::Recorded { name: &record.name, bytes: 0 });
                }
            }
            Err(why) => wanted.tell(self, &why),
        }
        Ok(value)
    }
}
