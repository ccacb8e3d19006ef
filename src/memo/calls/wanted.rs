//! The options of a call, and their effect on a found or computed value.

use super::super::domain::Moment;
use super::super::flight::WaitPolicy;
use super::super::kept::Kept;
use super::super::key::ValueKey;
use super::super::labels::Labels;
use super::super::observe::Event;
use super::super::{Error, Options, Record, Value, codec, failure};
use super::Inner;
use cachex_base::system::clock::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time limit for others that compute a value.
const PATIENCE: Duration = Duration::from_mins(5);

/// A value that is to be found or computed.
pub struct Wanted<'a> {
    /// The key of the value.
    pub key: &'a ValueKey,
    options: &'a Options,
    /// The labels of its cache.
    labels: &'a Labels,
    /// The name of the value, unless the options have one.
    name: &'static str,
}

/// The action for a value.
pub enum Next<T, F> {
    /// Serve the recorded value.
    Serve(T),
    /// Serve the recorded value, and compute it again unless somebody does.
    Refresh(T),
    /// Compute the value, and serve the expired one if that fails.
    Compute(Option<F>),
}

/// A value or an object that was found.
pub trait Candidate {
    /// Returns the time when it had been computed.
    fn created(&self) -> Timestamp;

    /// Returns whether it may be served.
    fn is_fresh(&self) -> bool;
}

/// A value that was computed.
pub(super) struct Computed<T> {
    /// The value.
    pub value: T,
    /// The record of the value, if there is one.
    pub record: Option<Arc<Record>>,
    /// True if the record is kept, and not only shared by those who wait.
    pub is_kept: bool,
    /// True if it is an `Err`.
    pub is_err: bool,
    /// The moment at which computing began.
    pub began: Moment,
}

impl<'a> Wanted<'a> {
    /// A value of this type.
    pub fn of<T>(key: &'a ValueKey, options: &'a Options, labels: &'a Labels) -> Wanted<'a> {
        Wanted { key, options, labels, name: std::any::type_name::<T>() }
    }

    /// The same, with this name unless the options have one.
    pub fn named(self, name: &'static str) -> Wanted<'a> {
        Wanted { name, ..self }
    }

    #[inline]
    fn name(&self) -> &'static str {
        self.options.name.unwrap_or(self.name)
    }

    /// Returns whether what is recorded will do. If not, what others have begun to compute before
    /// this call will not do either.
    #[inline]
    pub fn reads(&self) -> bool {
        self.options.mode.reads()
    }

    /// Returns whether several callers may compute it at the same time.
    pub fn allows_concurrent(&self) -> bool {
        self.options.allow_concurrent
    }

    /// Returns whether it is recorded.
    #[inline]
    pub fn writes(&self) -> bool {
        self.options.mode.writes()
    }

    /// The policy of waiting for others.
    pub fn terms(&self) -> WaitPolicy {
        let patience = self.options.lock_timeout.unwrap_or(PATIENCE);
        WaitPolicy { until: Instant::now().checked_add(patience), anew: !self.reads() }
    }

    /// Returns whether a value is to be computed anew, though it can be served.
    #[inline]
    pub(super) fn is_due(&self, created: Timestamp) -> bool {
        self.options.refresh_after.is_some_and(|span| Timestamp::now() >= created.plus(span))
    }

    /// The value of a record in memory, if that is to be served and nothing else is to be done.
    #[inline]
    pub(super) fn at_hand<T: Value>(&self, inner: &Inner, kept: &Kept) -> Option<T> {
        if !kept.is_fresh() || self.is_due(kept.created()) {
            return None;
        }
        let value = codec::decode(kept.value(), true)?;
        inner.observer.tell(&Event::Hit { name: self.name() });
        Some(value)
    }

    /// Says what is to be done, and tells of it.
    #[inline]
    pub fn next<T, F: Candidate>(
        &self,
        inner: &Inner,
        found: Option<F>,
        value: impl FnOnce(F) -> Option<T>,
    ) -> Next<T, F> {
        match found {
            Some(found) if found.is_fresh() => {
                let is_due = self.is_due(found.created());
                self.next_of(inner, value(found), is_due)
            }
            found => {
                let name = self.name();
                inner.observer.tell(&Event::Miss { name });
                Next::Compute(found.filter(|_| self.options.stale_if_error.is_some()))
            }
        }
    }

    #[inline]
    pub(super) fn next_of<T, F>(
        &self,
        inner: &Inner,
        value: Option<T>,
        is_due: bool,
    ) -> Next<T, F> {
        let name = self.name();
        let Some(value) = value else {
            inner.observer.tell(&Event::Miss { name });
            return Next::Compute(None);
        };
        inner.observer.tell(&Event::Hit { name });
        if is_due { Next::Refresh(value) } else { Next::Serve(value) }
    }

    pub(super) fn computed<T: Value, E>(
        &self,
        inner: &Inner,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<Computed<T>, E> {
        let (began, moment) = (Instant::now(), inner.domain.now());
        let value = compute()?;
        Ok(self.recorded(inner, value, began, moment))
    }

    pub(super) async fn computed_async<T: Value, E>(
        &self,
        inner: &Inner,
        compute: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<Computed<T>, E> {
        let (began, moment) = (Instant::now(), inner.domain.now());
        let value = compute().await?;
        Ok(self.recorded(inner, value, began, moment))
    }

    /// A value with its record, if it is to be kept or shared and can be.
    fn recorded<T: Value>(
        &self,
        inner: &Inner,
        value: T,
        since: Instant,
        began: Moment,
    ) -> Computed<T> {
        let is_err = failure::is_err(&value);
        let is_kept = self.writes() && (!is_err || self.options.failure_expires_in.is_some());
        let record = if is_kept || !self.allows_concurrent() {
            self.record(&value, since.elapsed()).map_err(|why| self.tell(inner, &why)).ok()
        } else {
            None
        };
        Computed { value, record, is_kept, is_err, began }
    }

    /// Reports that a value cannot be recorded.
    pub fn tell(&self, inner: &Inner, why: &Error) {
        inner.observer.tell(&Event::NotRecorded { name: self.name(), why });
        debug_assert!(!matches!(why, Error::NotReadBack(_) | Error::ExpiresIn(_)), "{why}");
    }

    /// The record of a value that the program has; none if it is an `Err` that is not kept.
    pub fn record_of<T: Value>(&self, value: &T) -> Result<Option<Arc<Record>>, Error> {
        if failure::is_err(value) && self.options.failure_expires_in.is_none() {
            return Ok(None);
        }
        self.record(value, Duration::ZERO).map(Some)
    }

    /// The record of a value.
    pub fn record<T: Value>(&self, value: &T, took: Duration) -> Result<Arc<Record>, Error> {
        let created = Timestamp::now();
        let limit = if failure::is_err(value) {
            self.options.failure_expires_in
        } else {
            self.limit(value)?
        };
        Ok(Arc::new(self.record_with(codec::encode(value)?, created, limit, took)))
    }

    /// Returns the record of an object that is kept as it is.
    pub fn record_of_reference<R: 'static>(
        &self,
        reference: &R,
        took: Duration,
    ) -> Result<Record, Error> {
        Ok(self.record_with(Vec::new(), Timestamp::now(), self.limit(reference)?, took))
    }

    /// Returns the lifetime of a value.
    fn limit<T: 'static>(&self, value: &T) -> Result<Option<Duration>, Error> {
        Ok(self.labels.lifetime(value)?.or(self.options.expires_in))
    }

    fn record_with(
        &self,
        value: Vec<u8>,
        created: Timestamp,
        limit: Option<Duration>,
        took: Duration,
    ) -> Record {
        let tag = self.options.tag.map(str::to_owned);
        Record {
            value,
            created,
            expires: limit.map(|limit| created.plus(self.earlier(limit))),
            stale_for: self.options.stale_if_error,
            took,
            name: Cow::Borrowed(self.name()),
            tags: tag.into_iter().chain(self.labels.tags.iter().cloned()).collect(),
        }
    }

    /// A limit less the part that is this key's own, see [`Options::jitter`].
    fn earlier(&self, limit: Duration) -> Duration {
        if self.options.jitter == 0 {
            return limit;
        }
        let most = limit.as_nanos() * u128::from(self.options.jitter) / 100;
        let earlier = (most * u128::from(self.key.digest().prefix() >> 32)) >> 32;
        let nanos = limit.as_nanos().saturating_sub(earlier).max(1);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
