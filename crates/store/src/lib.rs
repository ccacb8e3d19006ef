//! The stack of stores below one folder.
//!
//! ```text
//! ROOT/v2/                 one folder per version of the layout
//!   young/ab/abcdef…       one immutable file per recent entry
//!   old/                   the sled database: every entry that has been folded
//!   old.keys               filter: which keys `old` may hold
//!   blobs/cd/cdef…         content-addressed files: long streams, some packed
//!   tmp/                   files being written, locked by their writers
//!   auto/ab/abcdef…        dependencies of automatic calls, see `crate::path_sets`
//!   inputs/                stat cache of declared inputs, see `files::inputs` of the command
//!   locks/                 see `crate::lock`
//!   remote/                upload queues and state of remote stores, see `remote`
//!   events                 hits and records since the last fold
//!   account                disk usage of the store
//!   reserve                allocated space, for removals on a full disk
//! ```
//!
//! A record writes one young file, and a blob if a stream is long. A look-up checks young, then
//! old. The fold moves young entries into old, in the background.

#![allow(
    clippy::implicit_hasher,
    clippy::len_without_is_empty,
    clippy::should_implement_trait,
    reason = "no package but cachex's own uses it"
)]

pub mod account;
#[cfg(feature = "cli")]
pub mod archive;
pub mod audit;
pub mod blob_refs;
pub mod blobs;
#[cfg(feature = "cli")]
pub mod capture;
pub mod clear;
pub mod components;
pub mod database;
pub mod db_client;
pub mod db_server;
pub mod doctor;
pub mod events;
pub mod evicted;
pub mod eviction;
pub mod files;
pub mod filter;
pub mod fold;
pub mod guard;
pub mod in_place;
pub mod indexes;
pub mod live;
pub mod lock;
pub mod metadata;
pub mod old;
pub mod open;
pub mod pack;
pub mod packed;
pub mod path_sets;
pub mod place;
pub mod query;
pub mod rebuild;
pub mod remote;
pub mod removal;
pub mod reserve;
pub mod room;
pub mod secret;
pub mod settings;
pub mod shards;
pub mod stats;
pub mod sweep;
pub mod table;
pub mod tags;
pub mod temporary;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tidy;
pub mod walk;
pub mod young;

use anyhow::{Context, Result};
use cachex_base::process::exit::Exit;
use cachex_base::process::ipc;
use cachex_base::record::entry::{Damaged, Entry, Key};
pub use cachex_base::record::version_dir;
use cachex_base::system::fsutil::{self, Unusable};
use db_client::DbClient;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use young::Young;

/// Returns the entry of a key: the young one, or else the old one. Returns an error if the store
/// could not be read.
pub fn get(root: &Root, key: &Key) -> Result<Option<Entry>> {
    get_above(root, key, || DbClient::new(root).get(key))
}

/// Returns whether a look-up would find this entry of the old store, with its output: no young file
/// stands above it, except a copy of it.
pub fn is_found(root: &Root, entry: &Entry) -> bool {
    let is_on_top = match young::sealed(root, &entry.key) {
        Ok(None) => true,
        Ok(Some(young)) => entry.seal().is_ok_and(|sealed| {
            young == sealed || young::is_damaged_copy(&entry.key, &young, &sealed)
        }),
        Err(_) => false,
    };
    is_on_top && !blobs::lacks(root, entry)
}

/// Works like [`get`], with another way to ask the old store.
pub fn get_above(
    root: &Root,
    key: &Key,
    old: impl FnOnce() -> Result<Option<Entry>>,
) -> Result<Option<Entry>> {
    match Young::new(root).get(key) {
        Ok(None) => old(),
        Err(error) if error.is::<Damaged>() => {
            // An old entry may be one that this has superseded, unless this was a copy of it.
            let damaged = young::sealed(root, key)?.unwrap_or_default();
            let Some(entry) = (if damaged.is_empty() { None } else { old()? }) else {
                return Err(error);
            };
            if young::is_damaged_copy(key, &damaged, &entry.seal()?) {
                Ok(Some(entry))
            } else {
                Err(error)
            }
        }
        young => young,
    }
}

/// An open store folder of this version.
#[derive(Debug)]
pub struct Root {
    dir: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens the store at `path` if it exists and is private.
    pub fn open(path: &Path) -> Result<Root, Unusable> {
        let outer = fsutil::open_private_dir(path)?;
        let version = version_dir();
        let dir = fsutil::open_private_subdir(&outer, &version)?;
        Ok(Root { dir, path: path.join(version) })
    }

    /// Opens the store at `path`, creating it if necessary.
    pub fn create(path: &Path) -> Result<Root, Unusable> {
        match Root::open(path) {
            Err(Unusable::Missing) => {}
            done => return done,
        }
        fsutil::create_private_dirs(path)?;
        let outer = fsutil::open_private_dir(path)?;
        fsutil::create_private_dir(&outer, version_dir())?;
        // Backup programs skip folders that hold this file.
        if let Ok(tag) = fsutil::create_file(&outer, "CACHEDIR.TAG", rustix::fs::OFlags::WRONLY) {
            let _ = fsutil::write_file(tag, CACHEDIR_TAG);
        }
        Root::open(path)
    }

    /// Opens or creates the store at a path that the user did not choose. Creates nothing in
    /// another user's home, which `sudo` may have left in the environment, and creates no home.
    pub fn create_at_home(path: &Path, home: Option<&Path>) -> Result<Root, Unusable> {
        match Root::open(path) {
            Err(Unusable::Missing) => {}
            done => return done,
        }
        home.map(rustix::fs::stat).transpose()?;
        let own = rustix::process::geteuid();
        let above = path.ancestors().skip(1).find_map(|above| rustix::fs::stat(above).ok());
        if own.is_root() && above.is_some_and(|above| above.st_uid != own.as_raw()) {
            return Err(Unusable::Refused(
                "it would be created in another user's home; `sudo -H` takes one's own, \
                 --cache-dir any",
            ));
        }
        Root::create(path)
    }

    /// Returns another handle to the same folder.
    pub fn try_clone(&self) -> std::io::Result<Root> {
        Ok(Root { dir: self.dir.try_clone()?, path: self.path.clone() })
    }

    /// Returns its path, for uses that need one: sled and messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder that contains it, by which another process opens it.
    pub fn outer(&self) -> &Path {
        let outer = self.path.parent().filter(|path| !path.as_os_str().is_empty());
        outer.unwrap_or(Path::new("."))
    }

    /// Returns a new unique name of a temporary file.
    pub fn temp_name() -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let pid = rustix::process::getpid().as_raw_nonzero();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = cachex_base::system::clock::Timestamp::now().0;
        format!("{pid}-{count}-{now:x}")
    }
}

impl Root {
    /// Returns an open, unnamed file with these bytes, as input for a helper process. Unlike a pipe
    /// it neither fills up nor breaks, and unlike arguments nobody sees it.
    pub fn unnamed_file(&self, bytes: &[u8]) -> Result<File> {
        let filled = |file: OwnedFd| {
            fsutil::write_file(&file, bytes)?;
            rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0))?;
            Ok(File::from(file))
        };
        let made = temporary::Temporary::unnamed(self).and_then(filled);
        #[cfg(target_os = "linux")]
        let made = match made {
            // What is only read needs no room.
            Err(Errno::NOSPC | Errno::DQUOT) => {
                rustix::fs::memfd_create("cachex", rustix::fs::MemfdFlags::CLOEXEC).and_then(filled)
            }
            made => made,
        };
        made.context("writing a temporary file")
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

const CACHEDIR_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
# This folder is a cache of cachex. It can be deleted at any time.\n";

/// Runs a helper process of the store; `None` if `verb` names no such helper. `args` are those
/// after the verb.
pub fn serve_helper(verb: &str, args: &[OsString]) -> Option<Exit> {
    match verb {
        db_client::VERB => Some(db_client::serve(args)),
        remote::VERB => Some(remote::serve(args)),
        ipc::VERSION_VERB => Some(ipc::tell_version()),
        _ => None,
    }
}
