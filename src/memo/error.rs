//! Errors in the use of a cache.

use super::backend::Failure;
use std::fmt::{self, Display};

/// An error of a cache.
///
/// A failing store never keeps a value from being computed, so
/// [`Cache::value`](super::Cache::value) and the like never return one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A lifetime is invalid: it is zero or negative, it cannot be parsed, or it is for
    /// values of another type. The text says what was given, and why it is invalid.
    ExpiresIn(String),
    /// A cache cannot be opened as it was described. The text says why, and what to do.
    Open(String),
    /// A key or a value cannot be serialized. The text says why.
    Serialize(String),
    /// A value of this type would be read back as another one, or not at all, because of
    /// the way its type implements `Serialize` and `Deserialize`. The text says why.
    NotReadBack(String),
    /// A store failed.
    Storage(Failure),
}

impl Error {
    pub(super) fn expires_in(given: impl Display, why: impl Display) -> Error {
        Error::ExpiresIn(format!("a value cannot expire in {given}: {why}"))
    }

    pub(super) fn unknown_lifetime(kind: &str, known: &str) -> Error {
        Error::ExpiresIn(format!(
            "how long a value of type {kind} is served is not known: `expires_by` was given a \
             function of {known}"
        ))
    }

    pub(super) fn no_store(name: &str) -> Error {
        Error::Storage(format!("no store keeps the value of {name}: its key has a type without a name, which other processes cannot tell from others").into())
    }

    pub(super) fn not_read_back<T>(why: &str) -> Error {
        let kind = std::any::type_name::<T>();
        Error::NotReadBack(format!(
            "a value of type {kind} is not what it was when it is read back from what it \
             serializes to, and is not recorded: {why}"
        ))
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::ExpiresIn(why)
            | Error::Open(why)
            | Error::Serialize(why)
            | Error::NotReadBack(why) => f.write_str(why),
            Error::Storage(failure) => write!(f, "a store failed: {failure}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Storage(failure) => Some(failure.as_ref()),
            _ => None,
        }
    }
}
