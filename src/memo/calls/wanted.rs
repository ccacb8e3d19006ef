//! What is wanted of a value, and what that means for what was found or computed.

use super::super::domain::Moment;
use super::super::key::ValueKey;
use super::super::observe::Event;
use super::super::options::Mode;
use super::super::{Error, Options, Record, Value, codec, failure};
use super::{Found, Inner};
use crate::clock::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one waits for others who compute a value.
const PATIENCE: Duration = Duration::from_mins(5);

/// A value that is to be found or computed.
pub struct Wanted<'a> {
    /// Its key.
    pub key: ValueKey,
    options: Options,
    /// The labels that its cache gives it.
    tags: &'a [String],
    /// The type of the value.
    kind: &'static str,
}

/// What is to be done about a value.
pub(super) enum Next<T> {
    /// It is there.
    Serve(T),
    /// It is there, and to be computed anew unless somebody does.
    Refresh(T),
    /// It is to be computed, and what expired is served should that fail.
    Compute(Option<Found>),
}

/// A value that was computed.
pub(super) struct Computed<T> {
    /// It.
    pub value: T,
    /// Its record, if there is one.
    pub record: Option<Arc<Record>>,
    /// Whether the record is kept, and not only shared by those who wait.
    pub is_kept: bool,
    /// Whether it is an `Err`.
    pub is_err: bool,
    /// When it was begun.
    pub began: Moment,
}

impl<'a> Wanted<'a> {
    /// A value of this type.
    pub fn of<T: Value>(key: ValueKey, options: Options, tags: &'a [String]) -> Wanted<'a> {
        Wanted { key, options, tags, kind: std::any::type_name::<T>() }
    }

    fn name(&self) -> &'static str {
        self.options.name.unwrap_or(self.kind)
    }

    pub(super) fn reads(&self) -> bool {
        matches!(self.options.mode, Mode::ReadWrite | Mode::ReadOnly)
    }

    fn writes(&self) -> bool {
        matches!(self.options.mode, Mode::ReadWrite | Mode::WriteOnly)
    }

    /// Until when one waits for others.
    pub(super) fn patience(&self) -> Option<Instant> {
        Instant::now().checked_add(self.options.lock_timeout.unwrap_or(PATIENCE))
    }

    /// Whether a value is to be computed anew, though it can be served.
    pub(super) fn is_due(&self, record: &Record) -> bool {
        self.options.refresh_after.is_some_and(|span| record.is_older(span))
    }

    /// Says what is to be done, and tells of it.
    #[inline]
    pub(super) fn next<T: Value>(
        &self,
        inner: &Inner,
        found: Option<Found>,
        value: impl FnOnce(Found) -> Option<T>,
    ) -> Next<T> {
        match found {
            Some(found) if found.record.is_fresh() => {
                let is_due = self.is_due(&found.record);
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
    pub(super) fn next_of<T>(&self, inner: &Inner, value: Option<T>, is_due: bool) -> Next<T> {
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
        let record = if is_kept || !self.options.allow_concurrent {
            self.record(&value, since.elapsed()).map_err(|why| self.tell(inner, &why)).ok()
        } else {
            None
        };
        Computed { value, record, is_kept, is_err, began }
    }

    /// Tells that a value cannot be recorded.
    fn tell(&self, inner: &Inner, why: &Error) {
        inner.observer.tell(&Event::NotRecorded { name: self.name(), why });
        debug_assert!(!matches!(why, Error::NotReadBack(_)), "{why}");
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
            self.options.expires_in
        };
        Ok(Arc::new(Record {
            value: codec::encode(value)?,
            created,
            expires: limit.map(|limit| created.plus(self.earlier(limit))),
            stale_for: self.options.stale_if_error,
            took,
            name: Cow::Borrowed(self.name()),
            tags: self
                .options
                .tag
                .map(str::to_owned)
                .into_iter()
                .chain(self.tags.to_vec())
                .collect(),
        }))
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
