//! Where values are kept: what a [`Cache`](super::Cache) asks of each of its stores.

use super::async_storage::AsyncStore;
use super::key::ValueKey;
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a store says that failed. To a look-up that is a miss, and to a record it is
/// lost; a [`Cache`](super::Cache) goes on without.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The failure of a store that keeps nothing so long; another one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// How many bytes the value takes.
    pub bytes: u64,
    /// How many it may take.
    pub limit: u64,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooLong { bytes, limit } = self;
        write!(f, "a value that takes {bytes} bytes is longer than the {limit} that are kept")
    }
}

impl Error for TooLong {}

/// A value as stores keep it: its encoding, and until when it may be served.
///
/// It can be serialized, for stores that are made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The encoded value.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// When it had been computed.
    pub created: Timestamp,
    /// From when on it is not served any more; none: never. It was fixed when the value
    /// was recorded, and nothing moves it.
    pub expires: Option<Timestamp>,
    /// How long after that it stands in for a value that cannot be computed.
    #[serde(default)]
    pub stale_for: Option<Duration>,
    /// How long it took to compute.
    pub took: Duration,
    /// What computed it, for people.
    pub name: Cow<'static, str>,
    /// The tags by which it can be removed.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl Record {
    /// Whether it may be served now. One from the future is not, if it expires at all:
    /// the clock went backwards, and how old it is nobody knows.
    pub fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Timestamp::is_between(self.created, expires))
    }

    /// Whether it may be served, or stand in.
    #[inline]
    pub(super) fn is_of_use(&self) -> bool {
        let until = match (self.expires, self.stale_for) {
            (None, _) => return true,
            (Some(expires), None) => expires,
            (Some(expires), Some(span)) => expires.plus(span),
        };
        Timestamp::is_between(self.created, until)
    }

    /// Whether it was computed so long ago.
    pub(super) fn is_older(&self, span: Duration) -> bool {
        Timestamp::now() >= self.created.plus(span)
    }
}

/// A store of values.
///
/// A [`Cache`](super::Cache) has one or several, the fastest first
/// ([`Builder::store`](super::Builder::store)), and asks them from its callers' threads,
/// or, for asynchronous callers, from threads for what blocks. It looks itself whether a
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
    /// The record of a key, fresh or not.
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure>;

    /// The same a moment later, for who found nothing and waited for others to compute
    /// it: what they recorded is near, so what is far away need not be asked again.
    fn get_again(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        self.get(key)
    }

    /// Keeps a record, in place of the key's earlier one.
    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure>;

    /// Drops the record of a key; whether there was one, as far as that is known.
    fn remove(&self, key: &ValueKey) -> Result<bool, Failure>;

    /// Drops the records that are selected; how many there were.
    ///
    /// # Errors
    ///
    /// One that says so if the store cannot tell which they are, which is so unless this is
    /// implemented.
    fn remove_selected(&self, _selection: &Selection<'_>) -> Result<u64, Failure> {
        Err("this store removes records by their keys alone".into())
    }

    /// Drops everything.
    fn clear(&self) -> Result<(), Failure>;

    /// Whether calls return at once, without a disk or a network. Asynchronous callers
    /// make those themselves, and hand others to a thread that may block.
    fn is_immediate(&self) -> bool {
        false
    }

    /// Keeps others who use this store, in whatever process, from computing the value of a
    /// key, until what [`Lock::Held`] has is dropped. It never waits: who finds
    /// [`Lock::Busy`] asks again.
    ///
    /// [`Lock::None`] says that the store has no such locks, which is so unless this is
    /// implemented; then there is one at a time in each process.
    fn try_lock(&self, _key: &ValueKey) -> Result<Lock, Failure> {
        Ok(Lock::None)
    }

    /// Calls back for each record that is dropped to make room, if it is known.
    fn on_eviction(&self, _hook: EvictionHook) {}

    /// It as a store whose calls are futures, if it is one.
    #[doc(hidden)]
    fn as_async(&self) -> Option<&dyn AsyncStore> {
        None
    }
}

/// Which records are removed together.
#[non_exhaustive]
pub enum Selection<'a> {
    /// Those that have this tag.
    Tag(&'a str),
    /// Those whose keys begin with these parts, as [`ValueKey::begins_with`] sees it.
    Prefix(&'a [u8]),
    /// Those that this chooses.
    Which(&'a dyn Fn(&Stored<'_>) -> bool),
}

impl Selection<'_> {
    /// Whether a record is selected; its key is known by whoever asks, if it is.
    pub(super) fn selects(&self, key: Option<&[u8]>, stored: &Stored<'_>) -> bool {
        match self {
            Selection::Tag(tag) => stored.tags.iter().any(|its| its == tag),
            Selection::Prefix(prefix) => key.is_some_and(|key| key.starts_with(prefix)),
            Selection::Which(choose) => choose(stored),
        }
    }
}

/// What is known of a record without its value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Stored<'r> {
    /// What computed it, see [`Options::name`](super::Options::name).
    pub name: &'r str,
    /// Its tags.
    pub tags: &'r [String],
    /// When it had been computed.
    pub created: Timestamp,
    /// From when on it is not served any more; none: never.
    pub expires: Option<Timestamp>,
    /// How long it took to compute.
    pub took: Duration,
}

impl Record {
    /// It without its value.
    pub(super) fn stored(&self) -> Stored<'_> {
        let Record { created, expires, took, .. } = *self;
        Stored { name: &self.name, tags: &self.tags, created, expires, took }
    }
}

/// A function that is told of a record that was dropped to make room.
pub type EvictionHook = Arc<dyn Fn(&Record) + Send + Sync>;

/// Keeps others from computing a value, until it is dropped.
pub type Guard = Box<dyn Any + Send>;

/// An answer to who wants to compute a value alone.
pub enum Lock {
    /// Nobody else may.
    Held(Guard),
    /// Somebody else does.
    Busy,
    /// That cannot be told.
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
