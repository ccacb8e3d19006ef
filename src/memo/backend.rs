//! Where values are kept: what a [`Cache`](super::Cache) asks of each of its stores.

use super::key::ValueKey;
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// What a store says that failed. To a look-up that is a miss, and to a record it is
/// lost; a [`Cache`](super::Cache) goes on without.
pub type Failure = Box<dyn Error + Send + Sync>;

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
    /// How long it took to compute.
    pub took: Duration,
    /// What computed it, for people.
    pub name: Cow<'static, str>,
}

impl Record {
    /// Whether it may be served now. One from the future is not, if it expires at all:
    /// the clock went backwards, and how old it is nobody knows.
    pub fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Timestamp::is_between(self.created, expires))
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

    /// Drops everything.
    fn clear(&self) -> Result<(), Failure>;

    /// Whether calls return at once, without a disk or a network. Asynchronous callers
    /// make those themselves, and hand others to a thread that may block.
    fn is_immediate(&self) -> bool {
        false
    }

    /// Waits until nobody else who uses this store, in whatever process, computes the
    /// value of a key, and keeps others from it until what is returned is dropped.
    /// None: the store has no such locks, which is so unless it says otherwise; then
    /// there is one at a time in each process.
    fn lock(&self, _key: &ValueKey) -> Result<Option<Guard>, Failure> {
        Ok(None)
    }
}

/// Keeps others from computing a value, until it is dropped.
pub type Guard = Box<dyn Any + Send>;
