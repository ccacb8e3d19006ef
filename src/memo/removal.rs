//! Removal of recorded values.

use super::backend::{Selection, Stored};
use super::calls::{Caller, at_once};
use super::{Cache, Error, Value, parts_of};
use serde::Serialize;

impl Cache {
    /// Removes the value of this type for this key, and returns whether there was one, as
    /// far as known. A value that is being computed is not recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the key cannot be serialized, [`Error::Storage`] if one of
    /// the stores could not drop it.
    pub fn remove<T>(&self, key: impl Serialize) -> Result<bool, Error>
    where
        T: Value,
    {
        at_once(self.inner.remove(Caller::Thread, parts_of(&key)?.key::<T>()))
    }

    /// Works like [`Cache::remove`] without blocking the task.
    ///
    /// # Errors
    ///
    /// The errors of [`Cache::remove`].
    pub async fn remove_async<T>(&self, key: impl Serialize) -> Result<bool, Error>
    where
        T: Value,
    {
        self.inner.remove(Caller::Task, parts_of(&key)?.key::<T>()).await
    }

    /// Removes the values with this tag, see [`Options::tag`](super::Options::tag), and
    /// returns their number in the store that had the most. Values that are being computed
    /// are not recorded.
    ///
    /// ```
    /// # use cachex::{Cache, Options};
    /// # let cache = Cache::in_memory();
    /// let of_user = |id: u64| cache.value(("posts", id), Options::new().tag("posts"), || id);
    /// of_user(1);
    /// of_user(2);
    /// assert_eq!(cache.remove_tagged("posts")?, 2);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of the stores could not drop them.
    pub fn remove_tagged(&self, tag: &str) -> Result<u64, Error> {
        self.inner.remove_selected(&Selection::Tag(tag))
    }

    /// Removes the values of any type whose keys are tuples that begin with these parts,
    /// and returns their number.
    ///
    /// ```
    /// # use cachex::{Cache, Options};
    /// # let cache = Cache::in_memory();
    /// cache.put(("user", 1, "name"), Options::new(), &"Ada".to_owned())?;
    /// cache.put(("user", 1, "age"), Options::new(), &36)?;
    /// assert_eq!(cache.remove_prefix(("user", 1))?, 2);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of the stores could not remove them: a folder knows only
    /// the hashes of keys, so use tags there.
    pub fn remove_prefix(&self, parts: impl Serialize) -> Result<u64, Error> {
        let prefix = parts_of(&parts)?.into_prefix();
        self.inner.remove_selected(&Selection::Prefix(&prefix))
    }

    /// Removes the values that `which` selects, and returns their number.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of the stores could not drop them.
    pub fn remove_if(&self, which: impl Fn(&Stored<'_>) -> bool) -> Result<u64, Error> {
        self.inner.remove_selected(&Selection::Which(&which))
    }

    /// Removes everything from the stores of this cache, whoever recorded it, including
    /// results of `cachex run` in a folder, and the references of [`Cache::reference`]. A
    /// remote store keeps its content.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of them could not be cleared.
    pub fn clear(&self) -> Result<(), Error> {
        at_once(self.inner.clear(Caller::Thread))
    }

    /// Works like [`Cache::clear`] without blocking the task.
    ///
    /// # Errors
    ///
    /// The errors of [`Cache::clear`].
    pub async fn clear_async(&self) -> Result<(), Error> {
        self.inner.clear(Caller::Task).await
    }
}
