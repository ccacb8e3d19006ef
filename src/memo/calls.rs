//! The loop: look up, else compute, then record.

use super::backend::{Failure, Guard, Record, Storage};
use super::flight::Flights;
use super::key::{Parts, ValueKey};
use super::{Cache, Error, Options, RunOptions, Value, failure};
use crate::clock::Timestamp;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// No value is longer, in bytes, nor is one taken for so long that was misread.
const LONGEST: usize = 1 << 30;

/// What all handles of a cache share.
pub struct Inner {
    /// The fastest first.
    pub stores: Vec<Box<dyn Storage>>,
    /// How many of the first of them return at once.
    pub immediate: usize,
    /// What is being computed by one while others wait.
    pub flights: Flights,
    /// Which options of `cachex run` lead to the same local store.
    pub run_options: RunOptions,
}

/// What is to be found or computed.
pub struct Wanted {
    /// What identifies it.
    pub key: ValueKey,
    options: Options,
    /// The type of the value.
    kind: &'static str,
}

impl Cache {
    pub(super) fn found_or_computed<T: Value, E>(
        &self,
        parts: Parts,
        options: Options,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let (inner, key) = (&*self.inner, parts.key::<T>());
        if let Some(value) = inner.find(&key) {
            return Ok(value);
        }
        let wanted = Wanted::of::<T>(key, options);
        let key = &wanted.key;
        if options.allow_concurrent {
            let (value, record) = wanted.computed(compute)?;
            inner.keep(key, record.as_ref());
            return Ok(value);
        }
        let seat = inner.flights.join(key.digest());
        let mut turn = seat.turn();
        if let Some(value) = turn.landed().and_then(decode) {
            return Ok(value);
        }
        let _guard = inner.lock(key);
        // Whoever had the lock before may have left it there.
        if let Some(value) = inner.look_again(key).and_then(|record| decode(&record)) {
            return Ok(value);
        }
        let (value, record) = wanted.computed(compute)?;
        inner.keep(key, record.as_ref());
        turn.land(record);
        Ok(value)
    }

    pub(super) async fn found_or_computed_async<T: Value, E>(
        &self,
        parts: Parts,
        options: Options,
        compute: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let wanted = Wanted::of::<T>(parts.key::<T>(), options);
        let key = &wanted.key;
        if let Some(value) = self.find_async(key).await {
            return Ok(value);
        }
        if options.allow_concurrent {
            let (value, record) = wanted.computed_async(compute).await?;
            self.keep_async(key, record.as_ref()).await;
            return Ok(value);
        }
        let seat = self.inner.flights.join(key.digest());
        let mut turn = seat.turn_async().await;
        if let Some(value) = turn.landed().and_then(decode) {
            return Ok(value);
        }
        let _guard = self.blocking(key, Inner::lock).await;
        if let Some(value) =
            self.blocking(key, Inner::look_again).await.and_then(|record| decode(&record))
        {
            return Ok(value);
        }
        let (value, record) = wanted.computed_async(compute).await?;
        self.keep_async(key, record.as_ref()).await;
        turn.land(record);
        Ok(value)
    }

    async fn find_async<T: Value>(&self, key: &ValueKey) -> Option<T> {
        let immediate = self.inner.immediate;
        if let Some(record) = self.inner.look_up(0..immediate, key) {
            return decode(&record);
        }
        let below =
            move |inner: &Inner, key: &ValueKey| inner.look_up(immediate..inner.stores.len(), key);
        self.blocking(key, below).await.and_then(|record| decode(&record))
    }

    async fn keep_async(&self, key: &ValueKey, record: Option<&Arc<Record>>) {
        if let Some(record) = record.cloned() {
            self.blocking(key, move |inner, key| inner.keep(key, Some(&record))).await;
        }
    }

    /// Does what may block on a thread for that, unless no store does.
    async fn blocking<R: Send + 'static>(
        &self,
        key: &ValueKey,
        work: impl FnOnce(&Inner, &ValueKey) -> R + Send + 'static,
    ) -> R {
        if self.inner.immediate == self.inner.stores.len() {
            return work(&self.inner, key);
        }
        let (inner, key) = (self.inner.clone(), key.clone());
        blocking::unblock(move || work(&inner, &key)).await
    }
}

impl Inner {
    /// A recorded value that is fresh.
    pub fn find<T: Value>(&self, key: &ValueKey) -> Option<T> {
        self.look_up(0..self.stores.len(), key).and_then(|record| decode(&record))
    }

    /// The fresh record of the first of these stores that has one; the faster ones have
    /// it from then on.
    fn look_up(&self, among: Range<usize>, key: &ValueKey) -> Option<Arc<Record>> {
        self.search(among, key, |store| store.get(key))
    }

    /// The same of all of them, after nothing was found and others were waited for.
    fn look_again(&self, key: &ValueKey) -> Option<Arc<Record>> {
        self.search(0..self.stores.len(), key, |store| store.get_again(key))
    }

    #[inline]
    fn search(
        &self,
        among: Range<usize>,
        key: &ValueKey,
        ask: impl Fn(&dyn Storage) -> Result<Option<Arc<Record>>, Failure>,
    ) -> Option<Arc<Record>> {
        for at in among {
            // Below a store that fails may lie what that has superseded.
            let found = ask(&*self.stores[at]).ok()?;
            if let Some(record) = found.filter(|record| record.is_fresh()) {
                for faster in &self.stores[..at] {
                    let _ = faster.put(key, &record);
                }
                return Some(record);
            }
        }
        None
    }

    /// Records in every store that can; from below, so that what is known above is not
    /// lacking there.
    fn keep(&self, key: &ValueKey, record: Option<&Arc<Record>>) {
        let Some(record) = record else { return };
        for store in self.stores.iter().rev() {
            let _ = store.put(key, record);
        }
    }

    /// Keeps other processes from computing a value. Where that fails they may.
    fn lock(&self, key: &ValueKey) -> Option<Guard> {
        self.stores.iter().find_map(|store| store.lock(key).ok().flatten())
    }
}

impl Wanted {
    /// A value of this type.
    pub fn of<T: Value>(key: ValueKey, options: Options) -> Wanted {
        Wanted { key, options, kind: std::any::type_name::<T>() }
    }

    /// A value, and its record if it is to be kept and can be.
    fn computed<T: Value, E>(
        &self,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<(T, Option<Arc<Record>>), E> {
        let began = Instant::now();
        let value = compute()?;
        let record = self.recorded(&value, began);
        Ok((value, record))
    }

    async fn computed_async<T: Value, E>(
        &self,
        compute: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<(T, Option<Arc<Record>>), E> {
        let began = Instant::now();
        let value = compute().await?;
        let record = self.recorded(&value, began);
        Ok((value, record))
    }

    fn recorded<T: Value>(&self, value: &T, began: Instant) -> Option<Arc<Record>> {
        if failure::is_err(value) { None } else { self.record(value, began.elapsed()).ok() }
    }

    /// The record of a value.
    pub fn record<T: Value>(&self, value: &T, took: Duration) -> Result<Arc<Record>, Error> {
        let encoded = bincode::serde::encode_to_vec(value, codec()).map_err(|why| {
            Error::Serialize(format!("a value of type {} cannot be serialized: {why}", self.kind))
        })?;
        let created = Timestamp::now();
        Ok(Arc::new(Record {
            value: encoded,
            created,
            expires: self.options.expires_in.map(|span| created.plus(span)),
            took,
            name: Cow::Borrowed(self.options.name.unwrap_or(self.kind)),
        }))
    }
}

/// The value in a record; none if it is not one of this type, or of more than that.
pub fn decode<T: Value>(record: &Record) -> Option<T> {
    let (value, used) = bincode::serde::decode_from_slice(&record.value, codec()).ok()?;
    (used == record.value.len()).then_some(value)
}

fn codec() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LONGEST>()
}
