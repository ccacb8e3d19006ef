//! The description of a cache: its stores and their places.

use super::async_storage::{AsyncStorage, Awaited};
use super::backend::Storage;
use super::domain::Domain;
use super::local::Local;
use super::memory::Memory;
use super::observe::{Event, Hook, Observer};
use super::{Cache, Error, RunOptions};
use crate::cache::open_store;
use crate::cli::RunArgs;
use crate::config::{self, Config, Read};
use crate::forked::PerProcess;
use crate::store::Root;
use crate::values::{Mode, RemoteMode};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Describes a [`Cache`].
///
/// The stores are queried in the order in which they were added, and a value that is found
/// is copied into those before. Without any, the cache has the local store.
///
/// ```
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
    dir: Option<PathBuf>,
    remote: Option<String>,
    read_only: bool,
    max_size: Option<u64>,
    like_command: bool,
    hook: Option<Hook>,
    /// Variables of `cachex run` that were said here, each with its value.
    said: Vec<(&'static OsStr, OsString)>,
}

enum Place {
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

    /// Adds the local store: a folder that any number of processes, including `cachex run`,
    /// may use at the same time.
    pub fn local(mut self) -> Builder {
        if !self.stores.iter().any(|place| matches!(place, Place::Local)) {
            self.stores.push(Place::Local);
        }
        self
    }

    /// Adds the local store, in this folder.
    pub fn dir(self, dir: impl Into<PathBuf>) -> Builder {
        Builder { dir: Some(dir.into()), ..self }.local()
    }

    /// Adds the local store, and below it one that machines share, at a URL as for
    /// `cachex run --remote`. A process in the background sends recorded values; values that
    /// were fetched are in the local store from then on.
    ///
    /// The URL is an argument of the helper process that [`Cache::command`] starts, which
    /// other users of this machine can see: set a password with
    /// [`Builder::remote_password`], not in the URL.
    pub fn remote(self, url: impl Into<String>) -> Builder {
        Builder { remote: Some(url.into()), ..self }.local()
    }

    /// Only reads from the remote store, and sends nothing to it.
    pub fn remote_read_only(self) -> Builder {
        Builder { read_only: true, ..self }
    }

    /// Sets the secret that authenticates values in the remote store, like
    /// `CACHEX_REMOTE_SECRET` for `cachex run`.
    pub fn remote_secret(self, secret: impl Into<OsString>) -> Builder {
        self.says("CACHEX_REMOTE_SECRET", secret)
    }

    /// Sets the password of the remote store, like `CACHEX_REMOTE_PASSWORD` for `cachex run`.
    pub fn remote_password(self, password: impl Into<OsString>) -> Builder {
        self.says("CACHEX_REMOTE_PASSWORD", password)
    }

    fn says(mut self, name: &'static str, value: impl Into<OsString>) -> Builder {
        self.said.push((OsStr::new(name), value.into()));
        self
    }

    /// Uses the settings of `cachex run` for the local store, and for the remote one below
    /// it, unless they are set here: from variables (`CACHEX_DIR`, `CACHEX_REMOTE`,
    /// `CACHEX_MODE`, …), from `config.toml`, or the defaults.
    ///
    /// ```no_run
    /// // The store of `cachex run`, wherever its user has it.
    /// let cache = cachex::Cache::builder().like_command().open()?;
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn like_command(self) -> Builder {
        Builder { like_command: true, ..self }
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

    /// Limits the size of the local store, like `cachex run --max-size`.
    pub fn max_size(self, bytes: u64) -> Builder {
        Builder { max_size: Some(bytes), ..self }.local()
    }

    /// Opens the cache.
    ///
    /// `CACHEX_*` variables and `config.toml` have no effect, unless
    /// [`Builder::like_command`] was called. A local store without a folder is in the
    /// default place of `cachex run`.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the folder cannot be used, or if a setting is invalid.
    pub fn open(self) -> Result<Cache, Error> {
        let mut builder = if self.stores.is_empty() { self.local() } else { self };
        let mut stores: Vec<Box<dyn Storage>> = Vec::new();
        let mut domain = None;
        for place in std::mem::take(&mut builder.stores) {
            match place {
                Place::At(store) => stores.push(store),
                Place::Local => {
                    let Some((root, config)) = builder.open_local()? else { continue };
                    let stat = rustix::fs::fstat(&root);
                    let stat = stat.map_err(|why| Error::Open(why.to_string()))?;
                    domain = Some(Domain::of_folder((stat.st_dev, stat.st_ino)));
                    stores.push(Box::new(Local::new(root, config)));
                }
            }
        }
        let observer = Observer::new(builder.hook.take());
        let domain = domain.unwrap_or_else(Domain::new);
        Ok(Cache::with(stores, builder.run_options(), domain, observer))
    }

    /// None: cachex is disabled.
    fn open_local(&self) -> Result<Option<(Root, Config)>, Error> {
        let config = self.config()?;
        if config.mode == Mode::Off {
            return Ok(None);
        }
        let root = open_store(config.dir.as_ref()).map_err(|why| Error::Open(why.to_string()))?;
        Ok(Some((root, config)))
    }

    /// The options of `cachex run` for these settings.
    fn run_options(&self) -> RunOptions {
        let told = [
            ("--cache-dir", self.dir.clone().map(OsString::from)),
            ("--remote", self.remote.clone().map(OsString::from)),
            ("--remote-mode", self.read_only.then(|| "read-only".into())),
            ("--max-size", self.max_size.map(|bytes| bytes.to_string().into())),
        ];
        let said = told.into_iter().filter(|(_, value)| value.is_some());
        said.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn config(&self) -> Result<Config, Error> {
        let remote = self.remote.as_deref().map(str::parse).transpose().map_err(Error::Open)?;
        let args = RunArgs {
            cache_dir: self.dir.clone(),
            remote,
            remote_mode: self.read_only.then_some(RemoteMode::ReadOnly),
            max_size: self.max_size,
            ..RunArgs::default()
        };
        let said = self.said.iter().map(|(name, value)| (*name, kept(value)));
        let resolved = if self.like_command {
            let vars: Vec<_> = environment().chain(said).collect();
            config::resolve(args, &vars)
        } else {
            let others = environment().filter(|(name, _)| !is_of_the_command(name));
            let vars: Vec<_> = others.chain(said).collect();
            config::resolve_with(args, &vars, &Read::Absent)
        };
        let (config, _) = resolved.map_err(|why| Error::Open(why.to_string()))?;
        Ok(config)
    }
}

/// The environment as it was when the first cache was opened.
fn environment() -> impl Iterator<Item = (&'static OsStr, &'static OsStr)> {
    static KEPT: OnceLock<Vec<(OsString, OsString)>> = OnceLock::new();
    let kept = KEPT.get_or_init(|| std::env::vars_os().collect());
    kept.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
}

/// A text for as long as the process, and one that is given again only once.
fn kept(text: &OsStr) -> &'static OsStr {
    static KEPT: PerProcess<Mutex<BTreeSet<&'static OsStr>>> = PerProcess::new();
    let mut all = KEPT.get().lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text) {
        return known;
    }
    let new: &'static OsStr = Box::leak(text.to_owned().into_boxed_os_str());
    all.insert(new);
    new
}

/// Returns whether a variable is one of `cachex run`.
fn is_of_the_command(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"CACHEX_")
}
