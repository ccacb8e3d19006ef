//! Describing a cache: which stores, and where.

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
/// Its stores are asked in the order in which they were named, and what is found in one
/// is given to those before it. Where none is named there is one, the local store.
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
    /// Adds a store in memory of up to so many bytes, see [`Memory::new`].
    ///
    /// In front of a store that others use too it may serve what they have removed or
    /// replaced since, until that expires.
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

    /// Adds the local store: a folder that any number of processes may use at the same
    /// time, that of `cachex run` among them.
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

    /// Adds the local store, and below it one that machines share, at a URL as
    /// `cachex run --remote` takes it. What is recorded is sent by a process of its own,
    /// in the background; what comes is in the local store from then on.
    ///
    /// The URL is an argument of the helper process that
    /// [`Cache::command`] starts, which others on this machine can see: give a password
    /// by [`Builder::remote_password`], and not in the URL.
    pub fn remote(self, url: impl Into<String>) -> Builder {
        Builder { remote: Some(url.into()), ..self }.local()
    }

    /// Gives nothing to the remote store, and only reads from it.
    pub fn remote_read_only(self) -> Builder {
        Builder { read_only: true, ..self }
    }

    /// The secret by which machines trust what others put in the remote store, as
    /// `CACHEX_REMOTE_SECRET` is for `cachex run`.
    pub fn remote_secret(self, secret: impl Into<OsString>) -> Builder {
        self.says("CACHEX_REMOTE_SECRET", secret)
    }

    /// The password of the remote store, as `CACHEX_REMOTE_PASSWORD` is for `cachex run`.
    pub fn remote_password(self, password: impl Into<OsString>) -> Builder {
        self.says("CACHEX_REMOTE_PASSWORD", password)
    }

    fn says(mut self, name: &'static str, value: impl Into<OsString>) -> Builder {
        self.said.push((OsStr::new(name), value.into()));
        self
    }

    /// What is not said of the local store, and of the remote one below it, is as
    /// `cachex run` would have it, called without options: by the variables (`CACHEX_DIR`,
    /// `CACHEX_REMOTE`, `CACHEX_MODE`, …), by `config.toml`, by default.
    ///
    /// ```no_run
    /// // The store of `cachex run`, wherever its user has it.
    /// let cache = cachex::Cache::builder().like_command().open()?;
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn like_command(self) -> Builder {
        Builder { like_command: true, ..self }
    }

    /// Calls this function whenever something happens, on the thread on which it does. It
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

    /// How many bytes the local store may hold, see `cachex run --max-size`.
    pub fn max_size(self, bytes: u64) -> Builder {
        Builder { max_size: Some(bytes), ..self }.local()
    }

    /// Opens it.
    ///
    /// What was said here is all that counts: neither `CACHEX_*` variables nor
    /// `config.toml` have a say, unless [`Builder::like_command`] asks for them. A local
    /// store without a folder is where `cachex run` has its own by default.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the folder cannot be used, or if something that was said is
    /// wrong.
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

    /// What of this `cachex run` is to be told.
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

/// Whether a variable is one of `cachex run`.
fn is_of_the_command(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"CACHEX_")
}
