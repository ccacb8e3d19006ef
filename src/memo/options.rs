//! Options of a cached value: its lifetime, and how many callers may compute it at a time.

use super::Error;
pub use cachex_base::text::mode::Mode;
use std::time::Duration;

/// Options for caching a value.
///
/// ```
/// use cachex::Options;
/// use std::time::Duration;
///
/// // A `Duration` is always valid. Text and numbers may not be.
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

impl Options {
    /// Creates the default options: the value never expires, and any number of callers
    /// may compute it at the same time.
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

    /// Limits how long the value may be served after it was computed: to a
    /// [`Duration`], a number of seconds, or text such as `"1h 30m"`. The deadline is
    /// set when the value is recorded. Another span given later, or by another program,
    /// applies to values recorded then.
    ///
    /// With a `Duration`, this returns the `Options`. With anything else, it returns a
    /// `Result`: zero, a negative number, NaN, a number that is too large, and text that
    /// is not a time span are [`Error::ExpiresIn`]. A value with a `Duration` of zero
    /// has expired when it is recorded.
    pub fn expires_in<S: Span>(self, span: S) -> S::Of<Options> {
        span.set(|span| Options { expires_in: Some(span), ..self })
    }

    /// Sets how long an `Err` may be served after it was computed. Without it, an `Err`
    /// is returned and not recorded. Use it for a `Result` of which both sides can be
    /// serialized ([`Cache::value`](super::Cache::value)).
    pub const fn failure_expires_in(self, span: Duration) -> Options {
        Options { failure_expires_in: Some(span), ..self }
    }

    /// Sets the age from which on the value is computed again, although it has not
    /// expired. One caller at a time does that, and the others get the recorded value. If
    /// computing it fails, so does that caller.
    pub const fn refresh_after(self, span: Duration) -> Options {
        Options { refresh_after: Some(span), ..self }
    }

    /// Sets how long after it expired the value is served in place of an `Err`.
    pub const fn stale_if_error(self, span: Duration) -> Options {
        Options { stale_if_error: Some(span), ..self }
    }

    /// Limits how long a caller waits for another one that computes the value, if
    /// [simultaneous computation](Options::allow_concurrent) is not allowed. The default is five
    /// minutes. After that, the caller computes it too.
    pub const fn lock_timeout(self, limit: Duration) -> Options {
        Options { lock_timeout: Some(limit), ..self }
    }

    /// Makes values expire earlier, by up to this many percent: each key has a time of
    /// its own, which is the same in every process, so that values which were recorded
    /// together are not all computed again together.
    ///
    /// # Panics
    ///
    /// If it is more than 100.
    pub const fn jitter(self, percent: u8) -> Options {
        assert!(percent <= 100, "more than 100 percent");
        Options { jitter: percent, ..self }
    }

    /// Sets whether several callers may compute the value at the same time. The default
    /// is `true`.
    ///
    /// With `false`, one of them computes it, and the others wait and get the same value:
    /// threads and tasks of this process, and of other processes that use the same store
    /// ([`Builder::local`](super::Builder::local)). An `Err` is shared if it is part of the
    /// value, as in [`Cache::value`](super::Cache::value). If the computation panics, fails
    /// or is cancelled, the next caller begins. Waiting in `Cache::value` blocks the thread.
    ///
    /// Nobody waits for ever: if a value needs itself, directly or through others, or if
    /// only the waiting thread could continue the computation, the inner call computes it
    /// too; and there is a [limit](Options::lock_timeout).
    pub const fn allow_concurrent(self, allow: bool) -> Options {
        Options { allow_concurrent: allow, ..self }
    }

    /// Sets how the stores are used. With [`Mode::WriteOnly`], the value is computed again,
    /// and a computation that began earlier is neither returned nor recorded after it.
    pub const fn mode(self, mode: Mode) -> Options {
        Options { mode, ..self }
    }

    /// Names the value in `cachex list`, `cachex stats` and events. The default is the
    /// name of its type. The name is not part of the key.
    pub const fn name(self, name: &'static str) -> Options {
        Options { name: Some(name), ..self }
    }

    /// Adds a label by which the value can be removed together with others
    /// ([`Cache::remove_tagged`](super::Cache::remove_tagged), `cachex forget --tag`). It is
    /// not part of the key. For several labels, or one that is made at run time, use
    /// [`Cache::tagged`](super::Cache::tagged).
    pub const fn tag(self, tag: &'static str) -> Options {
        Options { tag: Some(tag), ..self }
    }

    /// Creates options with a span that was checked at compile time.
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
    /// The result of setting an option to it: a `T`, or a [`Result`] if it may be invalid.
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

/// The only implementation for whole numbers, so that a literal has this type.
impl Span for i64 {
    type Of<T> = Result<T, Error>;

    fn set<T>(self, option: impl FnOnce(Duration) -> T) -> Result<T, Error> {
        let span = u64::try_from(self).map(Duration::from_secs);
        read(span.map_err(|_| Error::expires_in(self, "it is negative")), option)
    }
}
