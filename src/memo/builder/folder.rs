//! The local store of a cache, and the remote one below it, as they are described.

use super::super::local::{Local, Settings};
use super::super::{Error, RunOptions};
use super::{Builder, Place};
use cachex_base::text::mode::Mode;
use cachex_remote::Access;
use cachex_store::fold::Bounds;
use cachex_store::open::open_store;
use cachex_store::place::{StoreDir, from_here, home};
use cachex_store::settings::{Limits, Remote, RemoteMode, Tier, tiers};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The settings of the local store and of the remote one.
#[derive(Default)]
pub struct Folder {
    dir: Option<PathBuf>,
    remote: Option<String>,
    read_only: bool,
    secret: Option<OsString>,
    password: Option<OsString>,
    max_size: Option<u64>,
    #[cfg(feature = "cli")]
    like_command: bool,
}

impl Builder {
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
        self.set(|folder| folder.dir = Some(dir.into())).local()
    }

    /// Adds the local store, and below it one that machines share, at a URL as for
    /// `cachex run --remote`. A process in the background sends recorded values; values that
    /// were fetched are in the local store from then on.
    ///
    /// The URL is an argument of the helper process that `Cache::command` starts, which
    /// other users of this machine can see: set a password with
    /// [`Builder::remote_password`], not in the URL.
    pub fn remote(self, url: impl Into<String>) -> Builder {
        self.set(|folder| folder.remote = Some(url.into())).local()
    }

    /// Only reads from the remote store, and sends nothing to it.
    pub fn remote_read_only(self) -> Builder {
        self.set(|folder| folder.read_only = true)
    }

    /// Sets the secret that authenticates values in the remote store, like
    /// `CACHEX_REMOTE_SECRET` for `cachex run`.
    pub fn remote_secret(self, secret: impl Into<OsString>) -> Builder {
        self.set(|folder| folder.secret = Some(secret.into()))
    }

    /// Sets the password of the remote store, like `CACHEX_REMOTE_PASSWORD` for `cachex run`.
    pub fn remote_password(self, password: impl Into<OsString>) -> Builder {
        self.set(|folder| folder.password = Some(password.into()))
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
    #[cfg(feature = "cli")]
    pub fn like_command(self) -> Builder {
        self.set(|folder| folder.like_command = true)
    }

    /// Limits the size of the local store, like `cachex run --max-size`.
    pub fn max_size(self, bytes: u64) -> Builder {
        self.set(|folder| folder.max_size = Some(bytes)).local()
    }

    fn set(mut self, set: impl FnOnce(&mut Folder)) -> Builder {
        set(&mut self.folder);
        self
    }

    pub(super) fn with_default(self) -> Builder {
        self.local()
    }

    /// The options of `cachex run` for these settings.
    pub(super) fn run_options(&self) -> RunOptions {
        let Folder { dir, remote, read_only, max_size, .. } = &self.folder;
        let told = [
            ("--cache-dir", dir.clone().map(OsString::from)),
            ("--remote", remote.clone().map(OsString::from)),
            ("--remote-mode", read_only.then(|| "read-only".into())),
            ("--max-size", max_size.map(|bytes| bytes.to_string().into())),
        ];
        let said = told.into_iter().filter(|(_, value)| value.is_some());
        said.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The store, and the device and the number of its folder.
type Opened = (Local, (u64, u64));

impl Folder {
    /// Opens it, and returns what identifies the folder; none: cachex is disabled.
    pub fn open(&self) -> Result<Option<Opened>, Error> {
        let refused = |why: &dyn ToString| Error::Open(why.to_string());
        let (dir, settings) = self.settings()?;
        if settings.mode == Mode::Off {
            return Ok(None);
        }
        let root = open_store(dir.as_ref()).map_err(|why| refused(&why))?;
        let stat = rustix::fs::fstat(&root).map_err(|why| refused(&why))?;
        Ok(Some((Local::new(root, settings), (stat.st_dev, stat.st_ino))))
    }

    fn tiers(&self) -> Result<Vec<Tier>, Error> {
        tiers(&mut self.remote.as_deref().into_iter()).map_err(Error::Open)
    }

    fn settings(&self) -> Result<(Option<StoreDir>, Settings), Error> {
        #[cfg(feature = "cli")]
        if self.like_command {
            return self.settings_of_the_command();
        }
        let vars: Vec<_> = environment().collect();
        let dir = match &self.dir {
            Some(dir) => {
                let place = from_here(dir.clone(), home(&vars)).map_err(|(path, why)| {
                    Error::Open(format!("invalid folder '{}': {why}", path.display()))
                })?;
                Some(StoreDir::chosen(place))
            }
            None => StoreDir::by_default(&vars),
        };
        let max_size = self.max_size.unwrap_or(Limits::DEFAULT.store);
        let limits = Limits { store: max_size, ..Limits::DEFAULT };
        let settings = Settings {
            mode: Mode::ReadWrite,
            bounds: Bounds { max_size, max_entries: None, compress: Bounds::COMPRESS },
            max_entry_size: limits.entry,
            remotes: {
                let tiers = self.tiers()?.into_iter();
                tiers.map(|tier| self.remote(tier, limits)).collect::<Result<_, _>>()?
            },
        };
        Ok((dir, settings))
    }

    fn remote(&self, tier: Tier, limits: Limits) -> Result<Remote, Error> {
        let password = self.password.as_ref().filter(|password| !password.is_empty());
        let password = password.map(|password| password.to_str().map(str::to_owned).ok_or(()));
        let password = password.transpose().map_err(|()| {
            Error::Open("the password of the remote store is not UTF-8".to_owned())
        })?;
        let secret = self.secret.as_ref().filter(|secret| !secret.is_empty());
        let most = if self.read_only { RemoteMode::ReadOnly } else { RemoteMode::ReadWrite };
        let Tier { url, mode } = tier;
        Ok(Remote {
            mode: mode.unwrap_or_default().max(most).of(&url),
            url,
            timeout: Remote::TIMEOUT,
            budget: None,
            access: Access {
                password,
                secret: secret.map(|secret| secret.as_encoded_bytes().to_vec()),
                ..Access::default()
            },
            limits,
        })
    }

    #[cfg(feature = "cli")]
    fn settings_of_the_command(&self) -> Result<(Option<StoreDir>, Settings), Error> {
        let args = crate::args::RunArgs {
            cache_dir: self.dir.clone(),
            remote: self.tiers()?,
            remote_mode: self.read_only.then_some(RemoteMode::ReadOnly),
            max_size: self.max_size,
            ..Default::default()
        };
        let said =
            [("CACHEX_REMOTE_SECRET", &self.secret), ("CACHEX_REMOTE_PASSWORD", &self.password)];
        let said = said
            .into_iter()
            .filter_map(|(name, value)| Some((OsStr::new(name), kept(value.as_deref()?))));
        let vars: Vec<_> = environment().chain(said).collect();
        let resolved = crate::config::resolve(args, &vars);
        let (config, _) = resolved.map_err(|why| Error::Open(why.to_string()))?;
        let bounds = config.bounds();
        let crate::config::Config { dir, mode, max_entry_size, remotes, .. } = config;
        Ok((dir, Settings { mode, bounds, max_entry_size, remotes }))
    }
}

/// The environment as it was when the first cache was opened.
fn environment() -> impl Iterator<Item = (&'static OsStr, &'static OsStr)> {
    static KEPT: OnceLock<Vec<(OsString, OsString)>> = OnceLock::new();
    let kept = KEPT.get_or_init(|| std::env::vars_os().collect());
    kept.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
}

/// A text for as long as the process, and one that is given again only once.
#[cfg(feature = "cli")]
fn kept(text: &OsStr) -> &'static OsStr {
    use cachex_base::process::forked::PerProcess;
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};

    static KEPT: PerProcess<Mutex<BTreeSet<&'static OsStr>>> = PerProcess::new();
    let mut all = KEPT.get().lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text) {
        return known;
    }
    let new: &'static OsStr = Box::leak(text.to_owned().into_boxed_os_str());
    all.insert(new);
    new
}
