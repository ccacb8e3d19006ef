//! The loop for tasks: what may block or take long is done on other threads.

use super::super::backend::{Guard, Lock};
use super::super::flight::{self, Joined, Turn};
use super::super::key::{Parts, ValueKey};
use super::super::{Cache, Options, Value, codec, process, timer};
use super::wanted::{Computed, Next};
use super::{Found, Inner, LATEST, SOONEST, Wanted, nested};
use std::time::Instant;

/// A value that is longer is decoded where it keeps no other task waiting.
const LONG: usize = 64 * 1024;

impl Cache {
    pub(in crate::memo) async fn found_or_computed_async<T: Value + Send, E>(
        &self,
        parts: Parts,
        options: Options,
        compute: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let wanted = Wanted::of::<T>(parts.key::<T>(), options, &self.tags);
        let key = &wanted.key;
        let found = if wanted.reads() { self.look_up_async(key).await } else { None };
        let next = match found {
            Some(found) if found.record.is_fresh() => {
                let is_due = wanted.is_due(&found.record);
                wanted.next_of(&self.inner, self.value_of(key, found).await, is_due)
            }
            found => wanted.next(&self.inner, found, |_| None),
        };
        let instead = match next {
            Next::Serve(value) => return Ok(value),
            Next::Refresh(old) => {
                let Some(turn) = flight::try_join(&self.inner.domain, key, true) else {
                    return Ok(old);
                };
                let computing = wanted.computed_async(&self.inner, compute);
                let computed = turn.within_async(computing).await;
                let Ok(computed) = computed else { return Ok(old) };
                if computed.is_err {
                    return Ok(old);
                }
                return Ok(self.kept_async(&wanted, Some(turn), computed).await);
            }
            Next::Compute(instead) => instead,
        };
        if options.allow_concurrent {
            return match wanted.computed_async(&self.inner, compute).await {
                Ok(computed) => Ok(self.or_instead(&wanted, None, computed, instead).await),
                Err(err) => self.inner.stands_in(key, instead, err),
            };
        }
        let until = wanted.patience();
        let turn = match flight::join_async(&self.inner.domain, key, until).await {
            Joined::Turn(turn) => Some(turn),
            Joined::Landed(record) => match codec::decode(&record.value, true) {
                Some(value) => return Ok(value),
                None => None,
            },
            Joined::Alone => None,
        };
        let mut guard = None;
        if turn.is_some() {
            guard = self.lock_async(key, until).await;
            if wanted.reads() {
                let found = self.blocking(key, Inner::look_again).await;
                if let Some(found) = found
                    && let Some(value) = self.value_of(key, found).await
                {
                    return Ok(value);
                }
            }
        }
        let computed = match &turn {
            Some(turn) => turn.within_async(wanted.computed_async(&self.inner, compute)).await,
            None => wanted.computed_async(&self.inner, compute).await,
        };
        let value = match computed {
            Ok(computed) => Ok(self.or_instead(&wanted, turn, computed, instead).await),
            Err(err) => {
                drop(turn);
                self.inner.stands_in(key, instead, err)
            }
        };
        drop(guard);
        value
    }

    async fn look_up_async(&self, key: &ValueKey) -> Option<Found> {
        let immediate = self.inner.immediate;
        if let Some(found) = self.inner.look_up(0..immediate, key) {
            return Some(found);
        }
        if immediate == self.inner.stores.len() {
            return None;
        }
        self.blocking(key, move |inner, key| inner.look_up(immediate..inner.stores.len(), key))
            .await
    }

    /// The recorded value of a key.
    pub(in crate::memo) async fn found_async<T: Value + Send>(&self, key: &ValueKey) -> Option<T> {
        let found = self.look_up_async(key).await?;
        if !found.record.is_fresh() {
            return None;
        }
        self.value_of(key, found).await
    }

    /// The value of a record, which is decoded elsewhere if that takes long.
    async fn value_of<T: Value + Send>(&self, key: &ValueKey, found: Found) -> Option<T> {
        if found.record.value.len() <= LONG && found.at < self.inner.immediate.max(1) {
            return found.value(&self.inner, key);
        }
        let key = key.clone();
        self.aside(move |inner| found.value(inner, &key)).await
    }

    async fn lock_async(&self, key: &ValueKey, until: Option<Instant>) -> Option<Guard> {
        let mut pause = SOONEST;
        let until = nested(until);
        loop {
            match self.blocking(key, Inner::try_lock).await {
                Lock::Held(guard) => return Some(guard),
                Lock::None => return None,
                Lock::Busy => {}
            }
            let next = Instant::now() + pause;
            if until.is_some_and(|until| next > until) {
                return None;
            }
            timer::until(next).await;
            pause = (pause * 2).min(LATEST);
        }
    }

    async fn or_instead<T: Value + Send>(
        &self,
        wanted: &Wanted<'_>,
        turn: Option<Turn>,
        computed: Computed<T>,
        instead: Option<Found>,
    ) -> T {
        let instead = instead.filter(|_| computed.is_err);
        let old = instead.and_then(|found| found.value(&self.inner, &wanted.key));
        let value = self.kept_async(wanted, turn, computed).await;
        old.unwrap_or(value)
    }

    async fn kept_async<T: Value + Send>(
        &self,
        wanted: &Wanted<'_>,
        turn: Option<Turn>,
        computed: Computed<T>,
    ) -> T {
        let Computed { value, record, is_kept, began, .. } = computed;
        let kept = match record.clone().filter(|_| is_kept) {
            None => true,
            Some(record) => {
                self.blocking(&wanted.key, move |inner, key| inner.keep(key, &record, began)).await
            }
        };
        if let Some(mut turn) = turn {
            turn.land(record.filter(|_| kept));
        }
        value
    }

    /// Does what may block on a thread for that, unless no store does.
    pub(in crate::memo) async fn blocking<R: Send + 'static>(
        &self,
        key: &ValueKey,
        work: impl FnOnce(&Inner, &ValueKey) -> R + Send + 'static,
    ) -> R {
        if self.inner.immediate == self.inner.stores.len() {
            return work(&self.inner, key);
        }
        let key = key.clone();
        self.aside(move |inner| work(inner, &key)).await
    }

    /// Does what takes long on a thread for that.
    pub(in crate::memo) async fn aside<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> R + Send + 'static,
    ) -> R {
        if process::this().is_forked() {
            // The threads have stayed with the parent.
            return work(&self.inner);
        }
        let inner = self.inner.clone();
        blocking::unblock(move || work(&inner)).await
    }
}
