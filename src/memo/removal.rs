//! Removing what is recorded.

use super::backend::{Selection, Stored};
use super::calls::{Caller, at_once};
use super::{Cache, Error, Value, parts_of};
use serde::Serialize;

impl Cache {
    /// Drops the value of this type for this key; whether there was one, as far as that
    /// is known. One that is just being computed is not recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the key cannot be serialized, [`Error::Storage`] if one of
    /// the stores could not drop it.
    pub fn remove<T>(&self, key: impl Serialize) -> Result<bool, Error>
    where
        T: Value,
    {
        at_once(self.inner.remove(Caller::Thread, &parts_of(&key)?.key::<T>()))
    }

    /// [`Cache::remove`] that blocks no task.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::remove`].
    pub async fn remove_async<T>(&self, key: impl Serialize) -> Result<bool, Error>
    where
        T: Value,
    {
        self.inner.remove(Caller::Task, &parts_of(&key)?.key::<T>()).await
    }

    /// Drops the values that have this tag, see [`Options::tag`](super::Options::tag); how
    /// many there were, in the store that had the most. Those that are just being computed
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

    /// The same for values of any type whose keys are tuples that begin with these parts.
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
    /// [`Error::Storage`] if one of the stores could not drop them: one in a folder knows
    /// keys by their hashes alone, so its values are to be removed by a tag.
    pub fn remove_prefix(&self, parts: impl Serialize) -> Result<u64, Error> {
        let prefix = parts_of(&parts)?.into_prefix();
        self.inner.remove_selected(&Selection::Prefix(&prefix))
    }

    /// The same for those that `which` chooses.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of the stores could not drop them.
    pub fn remove_if(&self, which: impl Fn(&Stored<'_>) -> bool) -> Result<u64, Error> {
        self.inner.remove_selected(&Selection::Which(&which))
    }

    /// Drops everything that is in the stores of this cache, whoever recorded it, and what it
    /// shares by [`Cache::reference`]: in a folder, what `cachex run` recorded there too. A remote store below
    /// that keeps what it has.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of them could not be cleared.
    pub fn clear(&self) -> Result<(), Error> {
        at_once(self.inner.clear(Caller::Thread))
    }

    /// [`Cache::clear`] that blocks no task.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::clear`].
    pub async fn clear_async(&self) -> Result<(), Error> {
        self.inner.clear(Caller::Task).await
    }
}
