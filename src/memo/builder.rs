//! The description of a cache: its stores and their places.

#[cfg(feature = "folder")]
mod folder;

#[cfg(not(feature = "folder"))]
use super::RunOptions;
use super::async_storage::{AsyncStorage, Awaited};
use super::backend::Storage;
use super::domain::Domain;
use super::memory::Memory;
use super::observe::{Event, Hook, Observer};
use super::{Cache, Error};

/// Describes a [`Cache`].
///
/// The stores are queried in the order in which they were added, and a value that is found
/// is copied into those before. Without any, the cache has the local store, or is in memory
/// if the feature `folder` is off.
///
#[cfg_attr(feature = "folder", doc = "```")]
#[cfg_attr(not(feature = "folder"), doc = "```ignore")]
/// use cachex::Cache;
///
/// # let folder = tempfile::tempdir().unwrap();
/// // Values in memory, and behind that in a folder that outlives the process.
/// let cache = Cache::builder().memory(16 << 20).dir(folder.path().join("cache")).open()?;
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Default)]
#[must_use]
pub struct Builder {
    stores: Vec<Place>,
    hook: Option<Hook>,
    #[cfg(feature = "folder")]
    folder: folder::Folder,
}

enum Place {
    #[cfg(feature = "folder")]
    Local,
    At(Box<dyn Storage>),
}

impl Builder {
    /// Adds a store in memory of up to `capacity` bytes, see [`Memory::new`].
    ///
    /// In front of a store that others use too, it may serve values that they have removed
    /// or replaced since, until these expire.
    pub fn memory(self, capacity: u64) -> Builder {
        self.store(Memory::new(capacity))
    }

    /// Adds a store of any kind.
    pub fn store(mut self, store: impl Storage) -> Builder {
        self.stores.push(Place::At(Box::new(store)));
        self
    }

    /// Adds a store of any kind whose calls are futures.
    pub fn async_store(self, store: impl AsyncStorage) -> Builder {
        self.store(Awaited(store))
    }

    /// Calls this function for every event, on the thread on which it happens. The function
    /// may use the cache.
    ///
    /// ```
    /// use cachex::{Cache, Event};
    ///
    /// let builder = Cache::builder().memory(1 << 20);
    /// let cache = builder.on_event(|event| {
    ///     if let Event::NotRecorded { name, why } = event {
    ///         eprintln!("{name} is computed each time: {why}");
    ///     }
    /// });
    /// let cache = cache.open()?;
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn on_event(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Builder {
        Builder { hook: Some(Box::new(hook)), ..self }
    }

    /// Opens the cache.
    ///
    /// `CACHEX_*` variables and `config.toml` have no effect, unless
    /// `Builder::like_command` was called. A local store without a folder is in the
    /// default place of `cachex run`.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the folder cannot be used, or if a setting is invalid.
    pub fn open(self) -> Result<Cache, Error> {
        let mut builder = if self.stores.is_empty() { self.with_default() } else { self };
        let mut stores: Vec<Box<dyn Storage>> = Vec::new();
        #[cfg_attr(not(feature = "folder"), allow(unused_mut, reason = "only a folder has one"))]
        let mut domain = None;
        for place in std::mem::take(&mut builder.stores) {
            match place {
                Place::At(store) => stores.push(store),
                #[cfg(feature = "folder")]
                Place::Local => {
                    let Some((store, id)) = builder.folder.open()? else { continue };
                    domain = Some(Domain::of_folder(id));
                    stores.push(Box::new(store));
                }
            }
        }
        let observer = Observer::new(builder.hook.take());
        let domain = domain.unwrap_or_else(Domain::new);
        Ok(Cache::with(stores, builder.run_options(), domain, observer))
    }

    #[cfg(not(feature = "folder"))]
    fn with_default(self) -> Builder {
        self.store(Memory::default())
    }

    #[cfg(not(feature = "folder"))]
    #[allow(clippy::unused_self, reason = "with a folder it has a say")]
    fn run_options(&self) -> RunOptions {
        RunOptions::new()
    }
}
