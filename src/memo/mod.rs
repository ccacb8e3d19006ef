//! The library: results of functions, cached as `cachex run` caches those of commands.
//!
//! A [`Cache`] has stores above each other, and does what the loop of the command line
//! does ([`crate::run`]): look up, else compute, then record. What fails in a store
//! is a miss, or is not recorded; the value is computed all the same. Keys are made in
//! `key`, values are encoded in `codec`, who computes while others wait is settled in
//! `flight`, and how values lie in the store of the command line is the matter of `local`. Commands are cached by that
//! command line itself (`command`).

mod async_storage;
mod backend;
mod builder;
mod calls;
mod codec;
#[cfg(feature = "folder")]
mod command;
mod domain;
mod encoding;
mod error;
mod failure;
mod flight;
mod kept;
mod key;
mod labels;
#[cfg(feature = "folder")]
mod local;
mod memory;
mod observe;
mod options;
pub mod private;
mod process;
mod references;
mod removal;
mod shape;
mod table;
mod timer;
mod types;
mod value;

pub use async_storage::AsyncStorage;
pub use backend::{
    EvictionHook, Failure, Guard, Lock, Record, Selection, Storage, Stored, TooLong,
};
pub use builder::Builder;
#[cfg(feature = "folder")]
pub use command::{CachedCommand, CommandOutput, Outcome};
pub use error::Error;
pub use key::ValueKey;
pub use memory::Memory;
pub use observe::{Counters, Event};
pub use options::{Mode, Options, Span};
pub use value::Value;

use calls::{Caller, Inner, Wanted, at_once};
use domain::Domain;
use key::Parts;
use labels::Labels;
use observe::Observer;
use references::References;
use serde::Serialize;
use std::convert::Infallible;
use std::ffi::OsString;
#[cfg(feature = "folder")]
use std::path::PathBuf;
#[cfg(feature = "folder")]
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Options, each with its value.
type RunOptions = Vec<(String, Option<OsString>)>;

/// A cache of computed values.
///
/// This is a handle: clones share the same cache, and any thread or task may use it.
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
    /// The labels of what this handle records.
    labels: Labels,
}

impl Cache {
    /// Creates a cache in memory, of up to [`Memory::DEFAULT_CAPACITY`] bytes, that nobody
    /// else uses.
    pub fn in_memory() -> Cache {
        Cache::of(vec![Box::new(Memory::default())], RunOptions::new())
    }

    /// Opens a cache in this folder, which is created if it does not exist, and which
    /// other processes, including `cachex`, may use at the same time. For the other
    /// settings see [`Builder::open`].
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the folder cannot be created or is not private.
    #[cfg(feature = "folder")]
    pub fn open(dir: impl Into<PathBuf>) -> Result<Cache, Error> {
        Cache::builder().dir(dir).open()
    }

    /// Describes a cache of several stores.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn of(stores: Vec<Box<dyn Storage>>, run_options: RunOptions) -> Cache {
        Cache::with(stores, run_options, Domain::new(), Observer::default())
    }

    fn with(
        stores: Vec<Box<dyn Storage>>,
        run_options: RunOptions,
        domain: Arc<Domain>,
        observer: Observer,
    ) -> Cache {
        let immediate = stores.iter().take_while(|store| store.is_immediate()).count();
        let references = References::default();
        let inner =
            Arc::new(Inner { stores, references, immediate, domain, observer, run_options });
        let told = Arc::downgrade(&inner);
        let hook: EvictionHook = Arc::new(move |record: &Record| {
            if let Some(inner) = told.upgrade() {
                inner.observer.tell(&Event::Evicted { name: &record.name });
            }
        });
        inner.stores.iter().for_each(|store| store.on_eviction(hook.clone()));
        inner.references.on_eviction(hook);
        Cache { inner, labels: Labels::default() }
    }

    /// Returns the value for this key: a fresh recorded one, or else the result of
    /// `compute`, which is recorded.
    ///
    /// `key` is anything that can be serialized. It should name what is computed and
    /// everything that it depends on: `("user", id)`. The type of the value is part of the
    /// key as well, so the same key with another type is another value.
    ///
    /// Each hit is a new copy, decoded from the record: fields that `serde` skips are not
    /// in it. `None` and `()` are values like any other. If the value is an `Err`, it is
    /// returned and not recorded, unless [`Options::failure_expires_in`] is set. For errors
    /// that cannot be serialized, use [`Cache::try_value`].
    ///
    /// The cache itself causes no errors. A value that cannot be looked up is computed,
    /// and one that cannot be recorded is computed again the next time.
    ///
    /// # Panics
    ///
    /// In a debug build, if the value that is read back serializes to something else: its
    /// `Serialize` and `Deserialize` do not match, and it would never be recorded. A
    /// release build reports [`Event::NotRecorded`] instead.
    pub fn value<T, F>(&self, key: impl Serialize, options: Options, compute: F) -> T
    where
        T: Value,
        F: FnOnce() -> T,
    {
        let Ok(value) = self.try_value(key, options, || Ok::<T, Infallible>(compute()));
        value
    }

    /// Works like [`Cache::value`] for a computation that may fail: an `Err` is returned
    /// and not recorded.
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
    /// The errors of `compute`.
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
        let mut parts = Parts::none();
        match parts.add(&key) {
            Ok(()) => self.found_or_computed(&self.wanted::<T>(&mut parts, &options), compute),
            Err(_) => compute(),
        }
    }

    /// Works like [`Cache::value`] for a future. It runs on any runtime; stores that block
    /// do so on threads of their own.
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
        T: Value + Send,
        F: AsyncFnOnce() -> T,
    {
        let Ok(value) =
            self.try_value_async(key, options, async || Ok::<T, Infallible>(compute().await)).await;
        value
    }

    /// Works like [`Cache::try_value`] for a future.
    ///
    /// # Errors
    ///
    /// The errors of `compute`.
    pub async fn try_value_async<T, E, F>(
        &self,
        key: impl Serialize,
        options: Options,
        compute: F,
    ) -> Result<T, E>
    where
        T: Value + Send,
        F: AsyncFnOnce() -> Result<T, E>,
    {
        let mut parts = Parts::none();
        match parts.add(&key) {
            Ok(()) => {
                let wanted = self.wanted::<T>(&mut parts, &options);
                self.found_or_computed_async(&wanted, compute).await
            }
            Err(_) => compute().await,
        }
    }

    /// Returns the recorded value for this key, if there is one of this type and it is fresh.
    pub fn get<T>(&self, key: impl Serialize) -> Option<T>
    where
        T: Value,
    {
        let mut parts = Parts::none();
        parts.add(&key).ok()?;
        self.inner.find(parts.key::<T>())
    }

    /// Works like [`Cache::get`] without blocking the task.
    pub async fn get_async<T>(&self, key: impl Serialize) -> Option<T>
    where
        T: Value + Send,
    {
        self.found_async(Parts::of(&key).ok()?.key::<T>()).await
    }

    /// Returns the recorded values for several keys, in their order.
    ///
    /// ```
    /// # use cachex::{Cache, Options};
    /// # let cache = Cache::in_memory();
    /// cache.put(("user", 2), Options::new(), &"Ada".to_owned())?;
    /// let users = cache.get_many::<String>([1, 2].map(|id| ("user", id)));
    /// assert_eq!(users, [None, Some("Ada".to_owned())]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn get_many<T>(&self, keys: impl IntoIterator<Item = impl Serialize>) -> Vec<Option<T>>
    where
        T: Value,
    {
        keys.into_iter().map(|key| self.get(key)).collect()
    }

    /// Records a value for this key, replacing an earlier one. An `Err` is not recorded,
    /// unless [`Options::failure_expires_in`] is set.
    ///
    /// A value that is too long for a store in memory is recorded if another store keeps
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the key or the value cannot be serialized,
    /// [`Error::NotReadBack`] if the value would be read back as another one, and
    /// [`Error::Storage`] if no store could keep it, or one failed.
    pub fn put<T>(&self, key: impl Serialize, options: Options, value: &T) -> Result<(), Error>
    where
        T: Value,
    {
        let mut parts = parts_of(&key)?;
        let wanted = self.wanted::<T>(&mut parts, &options);
        match wanted.record_of(value)? {
            Some(record) => at_once(self.inner.put(Caller::Thread, wanted.key, &record)),
            None => Ok(()),
        }
    }

    /// Works like [`Cache::put`] without blocking the task.
    ///
    /// # Errors
    ///
    /// The errors of [`Cache::put`].
    pub async fn put_async<T>(
        &self,
        key: impl Serialize,
        options: Options,
        value: &T,
    ) -> Result<(), Error>
    where
        T: Value,
    {
        let mut parts = parts_of(&key)?;
        let wanted = self.wanted::<T>(&mut parts, &options);
        match wanted.record_of(value)? {
            Some(record) => self.inner.put(Caller::Task, wanted.key, &record).await,
            None => Ok(()),
        }
    }

    /// A value that is to be found or computed.
    #[inline]
    fn wanted<'a, T: Value>(&'a self, parts: &'a mut Parts, options: &'a Options) -> Wanted<'a> {
        Wanted::of::<T>(parts.key::<T>(), options, &self.labels)
    }

    /// Returns how often the handles of this cache have served, computed, recorded and
    /// dropped values.
    pub fn counters(&self) -> Counters {
        self.inner.observer.counters()
    }

    /// Returns a handle of the same cache that adds these tags to what it records.
    ///
    /// ```
    /// # use cachex::{Cache, Options};
    /// # let cache = Cache::in_memory();
    /// let name = |id: u64| {
    ///     let cache = cache.tagged([format!("user:{id}"), "names".to_owned()]);
    ///     cache.value(("name", id), Options::new(), || format!("user {id}"))
    /// };
    /// name(1);
    /// assert_eq!(cache.remove_tagged("user:1")?, 1);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn tagged(&self, tags: impl IntoIterator<Item = impl Into<String>>) -> Cache {
        let more = tags.into_iter().map(Into::into);
        let tags = self.labels.tags.iter().cloned().chain(more).collect();
        Cache { inner: self.inner.clone(), labels: Labels { tags, ..self.labels.clone() } }
    }

    /// Returns a handle of the same cache that derives the lifetime of each value from the
    /// value. `lifetime` is called when a value is recorded, and returns a [`Duration`] or an
    /// `Option` of one: with `None`, [`Options::expires_in`] applies.
    ///
    /// ```
    /// use cachex::{Cache, Options};
    /// use serde::{Deserialize, Serialize};
    /// use std::time::Duration;
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Token {
    ///     text: String,
    ///     valid_for: Duration,
    /// }
    ///
    /// let cache = Cache::in_memory().expires_by(|token: &Token| token.valid_for);
    /// let token = |valid_for| {
    ///     let token = Token { text: format!("{valid_for:?}"), valid_for };
    ///     cache.value("token", Options::new(), || token).text
    /// };
    /// assert_eq!(token(Duration::ZERO), "0ns");
    /// assert_eq!(token(Duration::from_secs(60)), "60s");
    /// assert_eq!(token(Duration::from_secs(5)), "60s");
    /// ```
    ///
    /// The type is that of the value: of the result of [`Cache::value`], and of the `Ok` in
    /// the result of [`Cache::try_value`]. This handle does not know the lifetime of a value
    /// of another type, so that is not recorded; in a debug build it panics, as for a value
    /// that is not read back as it was.
    pub fn expires_by<T: 'static, L: Into<Option<Duration>>>(
        &self,
        lifetime: impl Fn(&T) -> L + Send + Sync + 'static,
    ) -> Cache {
        Cache { inner: self.inner.clone(), labels: self.labels.expires_by(lifetime) }
    }

    /// Prepares a command whose result is stored in the local store of this cache, as by
    /// `cachex run`; without a local store, in the store of `cachex run`.
    #[cfg(feature = "folder")]
    pub fn command(&self, command: Command) -> CachedCommand {
        CachedCommand::new(self.inner.run_options.clone(), command)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("stores", &self.inner.stores.len()).finish_non_exhaustive()
    }
}

/// Returns the cache of functions whose attribute names none: a cache in memory, of up to
/// [`Memory::DEFAULT_CAPACITY`] bytes, for all of them together.
pub fn default_cache() -> &'static Cache {
    static CACHE: LazyLock<Cache> = LazyLock::new(Cache::in_memory);
    &CACHE
}

fn parts_of(key: &impl Serialize) -> Result<Parts, Error> {
    Parts::of(key).map_err(|why| unserializable_key(&why))
}

fn unserializable_key(why: &encoding::Unwritable) -> Error {
    Error::Serialize(format!("a key cannot be serialized: {why}"))
}

#[cfg(test)]
mod tests;
