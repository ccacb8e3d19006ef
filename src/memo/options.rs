//! How one value is cached: for how long, and by how many at a time.

use super::Error;
pub use crate::values::Mode;
use std::time::Duration;

/// How a value is cached.
///
/// ```
/// use cachex::Options;
/// use std::time::Duration;
///
/// // A `Duration` is one. Text and numbers may be none.
/// let two_seconds = Options::new().expires_in(Duration::from_secs(2));
/// assert_eq!(two_seconds, Options::new().expires_in(2)?);
/// assert_eq!(two_seconds, Options::new().expires_in("2s")?);
/// assert!(Options::new().expires_in(0).is_err());
/// assert!(Options::new().expires_in(-1.5).is_err());
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Options {
    pub(super) expires_in: Option<Duration>,
    pub(super) failure_expires_in: Option<Duration>,
    pub(super) refresh_after: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
    pub(super) lock_timeout: Option<Duration>,
    pub(super) jitter: u8,
    pub(super) allow_concurrent: bool,
    pub(super) mode: Mode,
    pub(super) name: Option<&'static str>,
    pub(super) tag: Option<&'static str>,
}

impl Mode {
    /// Whether what is recorded will do.
    pub(super) fn reads(self) -> bool {
        matches!(self, Mode::ReadWrite | Mode::ReadOnly)
    }

    /// Whether something is recorded.
    pub(super) fn writes(self) -> bool {
        matches!(self, Mode::ReadWrite | Mode::WriteOnly)
    }
}

impl Options {
    /// A value that never expires, which any number of callers may compute at the same
    /// time.
    pub const fn new() -> Options {
        Options {
            expires_in: None,
            failure_expires_in: None,
            refresh_after: None,
            stale_if_error: None,
            lock_timeout: None,
            jitter: 0,
            allow_concurrent: true,
            mode: Mode::ReadWrite,
            name: None,
            tag: None,
        }
    }

    /// How long the value may be served, from the moment it was computed: a
    /// [`Duration`], a number of seconds, or text such as `"1h 30m"`. The deadline is
    /// fixed when the value is recorded: another span given later, or by another
    /// program, counts for what is recorded then.
    ///
    /// With a `Duration` this returns the `Options`. With anything else it returns a
    /// `Result`: zero, a negative number, one that is no number or too large, and text
    /// that is no time span are [`Error::ExpiresIn`]. A value with a `Duration` of zero
    /// has expired when it is recorded.
    pub fn expires_in<S: Span>(self, span: S) -> S::Of<Options> {
        span.set(|span| Options { expires_in: Some(span), ..self })
    }

    /// How long an `Err` may be served, from the moment it was computed. Without it an
    /// `Err` is returned and not recorded. It is for values that are a `Result` of which
    /// both sides can be serialized ([`Cache::value`](super::Cache::value)).
    pub const fn failure_expires_in(self, span: Duration) -> Options {
        Options { failure_expires_in: Some(span), ..self }
    }

    /// From which age on the value is computed anew, though it has not expired. One caller
    /// does that at a time, and the others are served the recorded one. If it cannot be
    /// computed, so is that caller.
    pub const fn refresh_after(self, span: Duration) -> Options {
        Options { refresh_after: Some(span), ..self }
    }

    /// How long after it expired the value is served in place of an `Err`.
    pub const fn stale_if_error(self, span: Duration) -> Options {
        Options { stale_if_error: Some(span), ..self }
    }

    /// How long one waits for somebody else who computes the value, if that is not
    /// [allowed](Options::allow_concurrent) at the same time: five minutes, unless this
    /// says otherwise. After that one computes it too.
    pub const fn lock_timeout(self, limit: Duration) -> Options {
        Options { lock_timeout: Some(limit), ..self }
    }

    /// By how much earlier a value expires at the most, in percent: each key has a moment
    /// of its own, which is the same in every process, so that what was recorded together
    /// is not all computed again together.
    ///
    /// # Panics
    ///
    /// If it is more than 100.
    pub const fn jitter(self, percent: u8) -> Options {
        assert!(percent <= 100, "more than 100 percent");
        Options { jitter: percent, ..self }
    }

    /// Whether several callers may compute the value at the same time; they may, unless
    /// this says otherwise.
    ///
    /// With `false` one computes it, and the others wait for that and get the same:
    /// threads and tasks of this process, and with a store that several processes use
    /// ([`Builder::local`](super::Builder::local)), those too. An `Err` is shared if it is a
    /// part of the value, as in [`Cache::value`](super::Cache::value). Whoever panics, fails
    /// or is cancelled makes way for the next. Whoever waits in `Cache::value` blocks its
    /// thread.
    ///
    /// Nobody waits for ever: a value that needs itself, directly or by way of others, is
    /// computed by the inner call too, as is one whose computation cannot go on because the
    /// thread that would wait is its own; and there is a [limit](Options::lock_timeout).
    pub const fn allow_concurrent(self, allow: bool) -> Options {
        Options { allow_concurrent: allow, ..self }
    }

    /// What of the stores is used. With [`Mode::WriteOnly`] the value is computed anew: what
    /// others have begun to compute before is neither returned nor recorded after it.
    pub const fn mode(self, mode: Mode) -> Options {
        Options { mode, ..self }
    }

    /// What the value is called in `cachex list` and `cachex stats`, and in events; it is
    /// its type otherwise. It is no part of the key.
    pub const fn name(self, name: &'static str) -> Options {
        Options { name: Some(name), ..self }
    }

    /// A label by which the value can be removed together with others
    /// ([`Cache::remove_tagged`](super::Cache::remove_tagged), `cachex forget --tag`). It is
    /// no part of the key. For several, or one that is made when the program runs, there is
    /// [`Cache::tagged`](super::Cache::tagged).
    pub const fn tag(self, tag: &'static str) -> Options {
        Options { tag: Some(tag), ..self }
    }

    /// The same with a span that was looked at when the program was compiled.
    pub(crate) const fn of(expires_in: Option<Duration>, allow_concurrent: bool) -> Options {
        Options { expires_in, allow_concurrent, ..Options::new() }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

/// A time span: a [`Duration`], a number of seconds (an `i64` or `f64`), or text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time span",
    note = "give a `Duration`, a number of seconds (`i64` or `f64`), or text such as `\"1h 30m\"`"
)]
pub trait Span {
    /// What comes of setting an option to it: a `T`, or a [`Result`] if it may be wrong.
    type Of<T>;

    /// Sets an option to it.
    #[doc(hidden)]
    fn set<T>(self, option: impl FnOnce(Duration) -> T) -> Self::Of<T>;
}

impl Span for Duration {
    type Of<T> = T;

    fn set<T>(self, option: impl FnOnce(Duration) -> T) -> T {
        option(self)
    }
}

/// A time span that was read.
fn read<T>(span: Result<Duration, Error>, option: impl FnOnce(Duration) -> T) -> Result<T, Error> {
    let span = span?;
    if span.is_zero() {
        return Err(Error::expires_in("0s", "it is to be longer than that"));
    }
    Ok(option(span))
}

impl Span for f64 {
    type Of<T> = Result<T, Error>;

    fn set<T>(self, option: impl FnOnce(Duration) -> T) -> Result<T, Error> {
        let span = Duration::try_from_secs_f64(self);
        read(span.map_err(|why| Error::expires_in(self, why)), option)
    }
}

impl Span for &str {
    type Of<T> = Result<T, Error>;

    fn set<T>(self, option: impl FnOnce(Duration) -> T) -> Result<T, Error> {
        let span = humantime::parse_duration(self);
        read(span.map_err(|why| Error::expires_in(format_args!("{self:?}"), why)), option)
    }
}

/// One type of whole numbers alone, so that it is that of a literal.
impl Span for i64 {
    type Of<T> = Result<T, Error>;

    fn set<T>(self, option: impl FnOnce(Duration) -> T) -> Result<T, Error> {
        let span = u64::try_from(self).map(Duration::from_secs);
        read(span.map_err(|_| Error::expires_in(self, "it is negative")), option)
    }
}
