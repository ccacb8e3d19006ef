//! How one value is cached: for how long, and by how many at a time.

use super::Error;
use std::time::Duration;

/// How a value is cached.
///
/// ```
/// use cachex::Options;
/// use std::time::Duration;
///
/// let two_seconds = Options::new().expires_in(2)?;
/// assert_eq!(two_seconds, Options::new().expires_in(Duration::from_secs(2))?);
/// assert_eq!(two_seconds, Options::new().expires_in("2s")?);
/// assert!(Options::new().expires_in(0).is_err());
/// assert!(Options::new().expires_in(-1.5).is_err());
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Options {
    pub(super) expires_in: Option<Duration>,
    pub(super) allow_concurrent: bool,
    pub(super) name: Option<&'static str>,
}

impl Options {
    /// A value that never expires, which any number of callers may compute at the same
    /// time.
    pub const fn new() -> Options {
        Options { expires_in: None, allow_concurrent: true, name: None }
    }

    /// How long the value may be served, from the moment it was computed: a
    /// [`Duration`], a number of seconds, or text such as `"1h 30m"`. The deadline is
    /// fixed when the value is recorded: another span given later, or by another
    /// program, counts for what is recorded then.
    ///
    /// # Errors
    ///
    /// Zero, a negative number, one that is no number or too large, and text that is no
    /// time span are [`Error::ExpiresIn`].
    pub fn expires_in(self, span: impl Into<ExpiresIn>) -> Result<Options, Error> {
        Ok(Options { expires_in: Some(span.into().0?), ..self })
    }

    /// Whether several callers may compute the value at the same time; they may, unless
    /// this says otherwise.
    ///
    /// With `false` one computes it, and the others wait for that and get the same:
    /// threads and tasks of this process, and with a store that several processes use
    /// ([`Builder::local`](super::Builder::local)), those too. Whoever panics, fails or
    /// is cancelled makes way for the next. Whoever waits
    /// in [`Cache::value`](super::Cache::value) blocks its thread. A value that needs
    /// itself, by the same key, waits for ever.
    pub const fn allow_concurrent(self, allow: bool) -> Options {
        Options { allow_concurrent: allow, ..self }
    }

    /// What the value is called in `cachex list` and `cachex stats`; it is its type
    /// otherwise. It is no part of the key.
    pub const fn name(self, name: &'static str) -> Options {
        Options { name: Some(name), ..self }
    }

    /// The same with a span that was looked at when the program was compiled.
    pub(crate) const fn of(expires_in: Option<Duration>, allow_concurrent: bool) -> Options {
        Options { expires_in, allow_concurrent, name: None }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

/// How long a value may be served, as it was given: made from a [`Duration`], from a
/// number of seconds and from text.
#[derive(Debug)]
pub struct ExpiresIn(pub(super) Result<Duration, Error>);

impl From<Duration> for ExpiresIn {
    fn from(span: Duration) -> ExpiresIn {
        ExpiresIn(if span.is_zero() {
            Err(Error::expires_in("0s", "it is to be longer than that"))
        } else {
            Ok(span)
        })
    }
}

impl From<f64> for ExpiresIn {
    fn from(seconds: f64) -> ExpiresIn {
        match Duration::try_from_secs_f64(seconds) {
            Ok(span) => span.into(),
            Err(why) => ExpiresIn(Err(Error::expires_in(seconds, why))),
        }
    }
}

impl From<&str> for ExpiresIn {
    fn from(text: &str) -> ExpiresIn {
        match humantime::parse_duration(text) {
            Ok(span) => span.into(),
            Err(why) => ExpiresIn(Err(Error::expires_in(format_args!("{text:?}"), why))),
        }
    }
}

macro_rules! seconds {
    ($($number:ty),+) => {$(
        impl From<$number> for ExpiresIn {
            fn from(seconds: $number) -> ExpiresIn {
                match u64::try_from(seconds) {
                    Ok(seconds) => Duration::from_secs(seconds).into(),
                    Err(_) => ExpiresIn(Err(Error::expires_in(seconds, "it is negative"))),
                }
            }
        }
    )+};
}

seconds!(i32, i64, u32, u64);
