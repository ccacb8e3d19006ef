//! The loop for tasks: what may block or take long is done on other threads.

use super::super::backend::{Guard, Lock};
use super::super::flight::{self, Joined, Turn};
use super::super::kept::Kept;
use super::super::key::ValueKey;
use super::super::{Cache, Value, codec, timer};
use super::stores::Caller;
use super::wanted::Computed;
use super::{Found, LATEST, Next, SOONEST, Wanted, nested};
use std::time::Instant;

/// A value that is longer is decoded where it keeps no other task waiting.
const LONG: usize = 64 * 1024;

impl Cache {
    pub(in crate::memo) async fn found_or_computed_async<T: Value + Send, E>(
        &self,
        wanted: &Wanted<'_>,
        compute: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let key = wanted.key;
        self.inner.begin(wanted);
        let found = if wanted.reads() {
            let kept = self.inner.in_memory(key);
            let short = kept.as_ref().filter(|kept| kept.value().len() <= LONG);
            if let Some(value) = short.and_then(|kept| wanted.at_hand(&self.inner, kept)) {
                return Ok(value);
            }
            self.look_up_async(kept, key).await
        } else {
            None
        };
        let next = match found {
            Some(found) if found.is_fresh => {
                let is_due = wanted.is_due(found.record.created);
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
                return Ok(self.kept_async(wanted, Some(turn), computed).await);
            }
            Next::Compute(instead) => instead,
        };
        if wanted.allows_concurrent() {
            return match wanted.computed_async(&self.inner, compute).await {
                Ok(computed) => Ok(self.or_instead(wanted, None, computed, instead).await),
                Err(err) => self.inner.stands_in(instead, err),
            };
        }
        let terms = wanted.terms();
        let turn = match flight::join_async(&self.inner.domain, key, terms).await {
            Joined::Turn(turn) => Some(turn),
            Joined::Landed(record) => match codec::decode(&record.value, true) {
                Some(value) => return Ok(value),
                None => None,
            },
            Joined::Alone => None,
        };
        let mut guard = None;
        if turn.is_some() {
            guard = self.lock_async(key, terms.until).await;
            if wanted.reads() {
                let found = self.inner.search_for_a_task(0, key, true).await;
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
            Ok(computed) => Ok(self.or_instead(wanted, turn, computed, instead).await),
            Err(err) => {
                drop(turn);
                self.inner.stands_in(instead, err)
            }
        };
        drop(guard);
        value
    }

    async fn look_up_async(&self, kept: Option<Kept>, key: &ValueKey) -> Option<Found> {
        let immediate = self.inner.immediate;
        if let Some(found) = self.inner.look_up(kept, immediate, key) {
            return Some(found);
        }
        self.inner.search_for_a_task(immediate, key, false).await
    }

    /// The recorded value of a key.
    pub(in crate::memo) async fn found_async<T: Value + Send>(&self, key: &ValueKey) -> Option<T> {
        let found = self.look_up_async(self.inner.in_memory(key), key).await?;
        if !found.is_fresh {
            return None;
        }
        self.value_of(key, found).await
    }

    /// The value of a record, which is decoded elsewhere if that takes long, and which the
    /// stores that were asked before have from then on.
    async fn value_of<T: Value + Send>(&self, key: &ValueKey, found: Found) -> Option<T> {
        let above = (found.at > 0).then(|| found.clone());
        let value = if found.record.value.len() <= LONG {
            found.decoded(&self.inner)
        } else {
            self.inner.aside(move |inner| found.decoded(inner)).await
        }?;
        if let Some(Found { record, at, .. }) = above {
            for faster in 0..at {
                let _ = self.inner.put_in(Caller::Task, faster, key, &record).await;
            }
        }
        Some(value)
    }

    async fn lock_async(&self, key: &ValueKey, until: Option<Instant>) -> Option<Guard> {
        let mut pause = SOONEST;
        let until = nested(until);
        loop {
            match self.inner.try_lock(Caller::Task, key).await {
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
        let old = instead.and_then(|found| found.decoded(&self.inner));
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
        let kept = match &record {
            Some(record) if is_kept => {
                self.inner.keep(Caller::Task, wanted.key, record, began).await
            }
            _ => true,
        };
        if let Some(mut turn) = turn {
            turn.land(record.filter(|_| kept));
        }
        value
    }
}
