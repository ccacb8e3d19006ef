//! The library: results of functions, cached as `cachex run` caches those of commands.
//!
//! A [`Cache`] has stores above each other, and does what the loop of the command line
//! does ([`crate::cache`]): look up, else compute, then record. What fails in a store
//! is a miss, or is not recorded; the value is computed all the same. Keys are made in
//! `key`, who computes while others wait is settled in `flight`, and how values lie in
//! the store of the command line is the matter of `local`. Commands are cached by that
//! command line itself (`command`).

mod backend;
mod builder;
mod calls;
mod command;
mod error;
mod failure;
mod flight;
mod key;
mod local;
mod memory;
mod options;
mod parts;
pub mod private;
mod shape;
mod value;

pub use backend::{Failure, Guard, Record, Storage};
pub use builder::Builder;
pub use command::{CachedCommand, CommandOutput, Outcome};
pub use error::Error;
pub use key::ValueKey;
pub use memory::Memory;
pub use options::{ExpiresIn, Options};
pub use value::Value;

use calls::{Inner, Wanted};
use flight::Flights;
use key::Parts;
use serde::Serialize;
use std::convert::Infallible;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Options, each with its value.
type RunOptions = Vec<(String, Option<OsString>)>;

/// A cache of computed values.
///
/// It is a handle: clones are of the same cache, and any thread or task may use it.
///
/// ```
/// use cachex::{Cache, Options};
///
/// let cache = Cache::in_memory();
/// let squared = |n: u64| cache.value(("square", n), Options::new(), || n * n);
/// assert_eq!((squared(12), squared(12)), (144, 144));
/// ```
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

impl Cache {
    /// A cache in memory, of up to [`Memory::DEFAULT_CAPACITY`] bytes, that nobody else
    /// uses.
    pub fn in_memory() -> Cache {
        Cache::of(vec![Box::new(Memory::default())], RunOptions::new())
    }

    /// A cache in this folder, which is created if it is not there, and which other
    /// processes, `cachex` among them, may use at the same time. What is not said here
    /// is as the command line has it, see [`Builder::open`].
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the folder cannot be created or is not private, or if what
    /// `CACHEX_*` variables or `config.toml` say is wrong.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Cache, Error> {
        Cache::builder().dir(dir).open()
    }

    /// Describes a cache of several stores.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn of(stores: Vec<Box<dyn Storage>>, run_options: RunOptions) -> Cache {
        let immediate = stores.iter().take_while(|store| store.is_immediate()).count();
        let flights = Flights::default();
        Cache { inner: Arc::new(Inner { stores, immediate, flights, run_options }) }
    }

    /// The value for this key: a recorded one that is fresh, or what `compute` returns,
    /// which is recorded.
    ///
    /// `key` is anything that can be serialized, and is to name what is computed and all
    /// that it depends on: `("user", id)`. The type of the value counts as well, so the
    /// same key with another type is another value.
    ///
    /// Each hit is a copy of its own, read from what was recorded: fields that `serde`
    /// skips are not in it. `None` and `()` are values like any other. If the value is
    /// an `Err` it is returned and not recorded; where an error cannot be serialized
    /// there is [`Cache::try_value`].
    ///
    /// No error comes of the cache itself. What cannot be looked up is computed, and
    /// what cannot be recorded is computed again.
    pub fn value<T, F>(&self, key: impl Serialize, options: Options, compute: F) -> T
    where
        T: Value,
        F: FnOnce() -> T,
    {
        let Ok(value) = self.try_value(key, options, || Ok::<T, Infallible>(compute()));
        value
    }

    /// The same for what may fail: an `Err` is returned and not recorded.
    ///
    /// ```
    /// # use cachex::{Cache, Options};
    /// # let cache = Cache::in_memory();
    /// let read = || cache.try_value("hosts", Options::new(), || std::fs::read("/no/such/file"));
    /// assert!(read().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `compute`.
    pub fn try_value<T, E, F>(
        &self,
        key: impl Serialize,
        options: Options,
        compute: F,
    ) -> Result<T, E>
    where
        T: Value,
        F: FnOnce() -> Result<T, E>,
    {
        match Parts::of(&key) {
            Ok(parts) => self.found_or_computed(parts, options, compute),
            Err(_) => compute(),
        }
    }

    /// [`Cache::value`] for what is computed by a future. It needs no runtime of a
    /// certain kind; where a store blocks, that is done on a thread of its own.
    ///
    /// ```
    /// # use cachex::{Cache, Options};
    /// # let cache = Cache::in_memory();
    /// # smol::block_on(async {
    /// let answer = cache.value_async("answer", Options::new(), async || 42).await;
    /// assert_eq!(answer, 42);
    /// # });
    /// ```
    pub async fn value_async<T, F>(&self, key: impl Serialize, options: Options, compute: F) -> T
    where
        T: Value,
        F: AsyncFnOnce() -> T,
    {
        let Ok(value) =
            self.try_value_async(key, options, async || Ok::<T, Infallible>(compute().await)).await;
        value
    }

    /// [`Cache::try_value`] for what is computed by a future.
    ///
    /// # Errors
    ///
    /// Those of `compute`.
    pub async fn try_value_async<T, E, F>(
        &self,
        key: impl Serialize,
        options: Options,
        compute: F,
    ) -> Result<T, E>
    where
        T: Value,
        F: AsyncFnOnce() -> Result<T, E>,
    {
        match Parts::of(&key) {
            Ok(parts) => self.found_or_computed_async(parts, options, compute).await,
            Err(_) => compute().await,
        }
    }

    /// The recorded value for this key, if there is one of this type and it is fresh.
    pub fn get<T>(&self, key: impl Serialize) -> Option<T>
    where
        T: Value,
    {
        self.inner.find(&Parts::of(&key).ok()?.key::<T>())
    }

    /// Records a value for this key, in place of an earlier one. With an `Err` nothing
    /// is recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the key or the value cannot be serialized,
    /// [`Error::Storage`] if one of the stores could not keep it.
    pub fn put<T>(&self, key: impl Serialize, options: Options, value: &T) -> Result<(), Error>
    where
        T: Value,
    {
        let wanted = Wanted::of::<T>(parts_of(&key)?.key::<T>(), options);
        if failure::is_err(value) {
            return Ok(());
        }
        let record = wanted.record(value, Duration::ZERO)?;
        self.inner
            .stores
            .iter()
            .rev()
            .try_for_each(|store| store.put(&wanted.key, &record))
            .map_err(Error::Storage)
    }

    /// Drops the value of this type for this key; whether there was one, as far as that
    /// is known.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the key cannot be serialized, [`Error::Storage`] if one of
    /// the stores could not drop it.
    pub fn remove<T>(&self, key: impl Serialize) -> Result<bool, Error>
    where
        T: Value,
    {
        let key = parts_of(&key)?.key::<T>();
        let mut removed = false;
        // From below, so that what is removed from above is not found below.
        for store in self.inner.stores.iter().rev() {
            removed |= store.remove(&key).map_err(Error::Storage)?;
        }
        Ok(removed)
    }

    /// Drops everything that is in the stores of this cache, whoever recorded it: in a
    /// folder, what `cachex run` recorded there too. A remote store below
    /// that keeps what it has.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if one of them could not be cleared.
    pub fn clear(&self) -> Result<(), Error> {
        self.inner.stores.iter().rev().try_for_each(|store| store.clear()).map_err(Error::Storage)
    }

    /// A command, whose result is in the local store of this cache as `cachex run` would
    /// have it there; without such a store, where `cachex run` has it.
    pub fn command(&self, command: Command) -> CachedCommand {
        CachedCommand::new(self.inner.run_options.clone(), command)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("stores", &self.inner.stores.len()).finish_non_exhaustive()
    }
}

fn parts_of(key: &impl Serialize) -> Result<Parts, Error> {
    Parts::of(key).map_err(|why| Error::Serialize(why.to_string()))
}

#[cfg(test)]
mod tests;
