//! Stores of values: the interface that a [`Cache`](super::Cache) has to each of them.

use super::async_storage::AsyncStore;
use super::key::ValueKey;
use super::memory::Memory;
use cachex_base::system::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The error of a store. For a look-up it is a miss, and a value is not recorded; a
/// [`Cache`](super::Cache) goes on without.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The failure of a store that keeps no value this long; another one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The size of the value in bytes.
    pub bytes: u64,
    /// The limit of the store in bytes.
    pub limit: u64,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooLong { bytes, limit } = self;
        write!(f, "a value that takes {bytes} bytes is longer than the {limit} that are kept")
    }
}

impl Error for TooLong {}

/// A value as stores keep it: its encoding, and its deadline.
///
/// A record can be serialized, for stores outside of this crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The encoded value.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// The time when it had been computed.
    pub created: Timestamp,
    /// The time from which on it is not served any more; none: never. It was set when the
    /// value was recorded, and nothing changes it.
    pub expires: Option<Timestamp>,
    /// The time after that for which it replaces a value that cannot be computed.
    #[serde(default)]
    pub stale_for: Option<Duration>,
    /// The time it took to compute.
    pub took: Duration,
    /// The name of the computation, for people.
    pub name: Cow<'static, str>,
    /// The tags by which it can be removed.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl Record {
    /// Returns whether it may be served now. A record from the future may not, if it
    /// expires at all: the clock went backwards, and its age is unknown.
    #[inline]
    pub fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Timestamp::is_between(self.created, expires))
    }

    /// Returns whether it may be served in place of a failure, though it expired.
    pub(super) fn may_stand_in(&self) -> bool {
        let (Some(expires), Some(span)) = (self.expires, self.stale_for) else { return false };
        Timestamp::is_between(self.created, expires.plus(span))
    }
}

/// A store of values.
///
/// A [`Cache`](super::Cache) has one or several, the fastest first
/// ([`Builder::store`](super::Builder::store)), and calls them on its callers' threads, or,
/// for asynchronous callers, on threads that may block. The cache itself checks whether a
/// record is fresh.
///
/// ```
/// use cachex::{Cache, Failure, Key, Options, Record, Storage, ValueKey};
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<Key, Arc<Record>>>);
///
/// impl Storage for Map {
///     fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
///         Ok(self.0.lock().unwrap().get(&key.digest()).cloned())
///     }
///     fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
///         self.0.lock().unwrap().insert(key.digest(), record.clone());
///         Ok(())
///     }
///     fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
///         Ok(self.0.lock().unwrap().remove(&key.digest()).is_some())
///     }
///     fn clear(&self) -> Result<(), Failure> {
///         self.0.lock().unwrap().clear();
///         Ok(())
///     }
/// }
///
/// let cache = Cache::builder().store(Map::default()).open()?;
/// let mut runs = 0;
/// for _ in 0..3 {
///     let answer = cache.value("answer", Options::new(), || { runs += 1; 42 });
///     assert_eq!(answer, 42);
/// }
/// assert_eq!(runs, 1);
/// # Ok::<(), cachex::Error>(())
/// ```
pub trait Storage: Send + Sync + 'static {
    /// Returns the record of a key, fresh or not.
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure>;

    /// Looks again, for a caller that found nothing and waited for others to compute the
    /// value: their record is near, so distant stores need not be queried again.
    fn get_again(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        self.get(key)
    }

    /// Stores a record, replacing an earlier one of this key.
    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure>;

    /// Removes the record of a key, and returns whether there was one, as far as known.
    fn remove(&self, key: &ValueKey) -> Result<bool, Failure>;

    /// Removes the selected records, and returns their number.
    ///
    /// # Errors
    ///
    /// An error if the store cannot tell which they are, which is the default
    /// implementation.
    fn remove_selected(&self, _selection: &Selection<'_>) -> Result<u64, Failure> {
        Err("this store removes records by their keys alone".into())
    }

    /// Removes everything.
    fn clear(&self) -> Result<(), Failure>;

    /// Returns whether calls return at once, without a disk or a network. Asynchronous
    /// callers make such calls themselves, and hand others to a thread that may block.
    fn is_immediate(&self) -> bool {
        false
    }

    /// Keeps other users of this store, in any process, from computing the value of a key,
    /// until the guard in [`Lock::Held`] is dropped. This never waits: a caller that gets
    /// [`Lock::Busy`] tries again.
    ///
    /// [`Lock::None`] says that the store has no such locks, which is the default
    /// implementation; then one caller at a time computes in each process.
    fn try_lock(&self, _key: &ValueKey) -> Result<Lock, Failure> {
        Ok(Lock::None)
    }

    /// Sets a function to call for each record that is dropped to make room, if known.
    fn on_eviction(&self, _hook: EvictionHook) {}

    /// Returns the store as one in memory, if it is one.
    #[doc(hidden)]
    fn as_memory(&self) -> Option<&Memory> {
        None
    }

    /// Returns the store as one whose calls are futures, if it is one.
    #[doc(hidden)]
    fn as_async(&self) -> Option<&dyn AsyncStore> {
        None
    }
}

/// A selection of records to be removed together.
#[non_exhaustive]
pub enum Selection<'a> {
    /// Records with this tag.
    Tag(&'a str),
    /// Records whose keys begin with these parts, see [`ValueKey::begins_with`].
    Prefix(&'a [u8]),
    /// Records that this function selects.
    Which(&'a dyn Fn(&Stored<'_>) -> bool),
}

impl Selection<'_> {
    /// Returns whether a record is selected. The caller passes its key if it knows it.
    pub(super) fn selects(&self, key: Option<&[u8]>, stored: &Stored<'_>) -> bool {
        match self {
            Selection::Tag(tag) => stored.tags.iter().any(|its| its == tag),
            Selection::Prefix(prefix) => key.is_some_and(|key| key.starts_with(prefix)),
            Selection::Which(choose) => choose(stored),
        }
    }
}

/// A record without its value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Stored<'r> {
    /// The name of the value, see [`Options::name`](super::Options::name).
    pub name: &'r str,
    /// The tags of the value.
    pub tags: &'r [String],
    /// The time when it had been computed.
    pub created: Timestamp,
    /// The time from which on it is not served any more; none: never.
    pub expires: Option<Timestamp>,
    /// The time it took to compute.
    pub took: Duration,
}

impl Record {
    /// Returns the record without its value.
    pub(super) fn stored(&self) -> Stored<'_> {
        let Record { created, expires, took, .. } = *self;
        Stored { name: &self.name, tags: &self.tags, created, expires, took }
    }
}

/// A function that is called with a record that was dropped to make room.
pub type EvictionHook = Arc<dyn Fn(&Record) + Send + Sync>;

/// Keeps others from computing a value, until it is dropped.
pub type Guard = Box<dyn Any + Send>;

/// The answer to a caller that wants to compute a value alone.
pub enum Lock {
    /// The caller holds the lock: nobody else may compute the value.
    Held(Guard),
    /// Another user of the store computes the value.
    Busy,
    /// The store has no locks.
    None,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lock::Held(_) => "Held",
            Lock::Busy => "Busy",
            Lock::None => "None",
        })
    }
}
