//! Examines the store: what is damaged, what is left over, and which processes use it.
//!
//! An examination does not change stored data. sled cleans up its files when it is opened, as for
//! any look-up, and a lock file may be created. The fold lock is held meanwhile, if it is free
//! soon: entries that a fold moves from one floor to the other would look lost. Repairs are made by
//! [`mend`].
//!
//! A file is opened for reading only if it is a regular file, since opening a pipe in its place
//! would block forever. sled runs only in the helper process.

mod inventory;
mod locks;
mod outputs;
mod repair;

pub use repair::mend;

use super::db_client::DbClient;
use super::remote::circuit_breaker::CircuitBreaker;
use super::temporary::Left;
use super::{Root, account, events, filter, guard, remote, version_dir, young};
use crate::lock;
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::system::fsutil::{self, Unusable};
use cachex_base::system::progress::{self, Stage};
use inventory::Inventory;
use outputs::{BlobRefs, Damaged};
use rustix::fs::{CWD, FileType, RawMode, Stat};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// One finding of an examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of finding.
    pub what: What,
    /// The path below the store's folder; empty for that folder itself.
    pub path: PathBuf,
    /// The entry concerned, if the path does not tell.
    pub key: Option<Key>,
}

/// The kinds of findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The store is not used, for this reason.
    Unusable(String),
    /// Another user, with this ID, owns the file.
    Owner(u32),
    /// The permissions allow others more, or the owner less, than they should.
    Mode {
        /// The permissions.
        mode: RawMode,
        /// The permissions to set; `None` if that is up to the owner.
        wanted: Option<RawMode>,
    },
    /// A folder, link, pipe or the like is in the place of a file.
    Type {
        /// True if it may be removed.
        removable: bool,
    },
    /// The file could not be read, for this reason.
    Unreadable(String),
    /// The entry is damaged.
    DamagedEntry,
    /// The output of the entry is missing or damaged.
    UselessEntry,
    /// The content of the blob does not match its hash.
    DamagedBlob,
    /// No entry needs the blob, which has this length in bytes.
    Orphan(u64),
    /// A process that died left the file or folder behind, which a later fold removes.
    Leftover,
    /// A process is writing the file, or was until just now.
    InProgress,
    /// A damaged database that was set aside.
    SetAside,
    /// The database is damaged.
    BrokenDatabase,
    /// The database could not be read, for this reason.
    Database(String),
    /// The filter is missing.
    NoFilter,
    /// The filter is damaged.
    DamagedFilter,
    /// The filter lacks this number of entries.
    WrongFilter(u64),
    /// This number of bytes of the log are not valid events.
    DamagedLog(u64),
    /// The lock is held: by this process ID, if known, and whether that process is alive.
    HeldLock(Option<(u32, bool)>),
    /// The lock of a key is held by nobody.
    IdleLock,
    /// A remote store failed for this reason, and is not used for a while.
    RemotePaused(String),
    /// Recorded entries could not be sent to the remote store.
    Unsent {
        /// The number of entries that wait.
        entries: u64,
        /// The reason why the last attempt failed.
        why: String,
    },
    /// The store is being changed, so findings may be temporary.
    Busy,
    /// The folder of another version, of this size in bytes.
    OtherVersion(u64),
    /// A file that is not part of cachex.
    Unknown,
    /// The repair was not completed, for this reason.
    RepairFailed(String),
}

impl What {
    /// Returns whether the finding is a problem and not just information.
    pub fn is_problem(&self) -> bool {
        !matches!(
            self,
            What::Orphan(_)
                | What::Leftover
                | What::InProgress
                | What::SetAside
                | What::HeldLock(_)
                | What::IdleLock
                | What::RemotePaused(_)
                | What::Unsent { .. }
                | What::Busy
                | What::OtherVersion(_)
                | What::Unknown
        )
    }

    /// Returns whether there may be unseen entries that need seemingly orphaned blobs.
    fn hides(&self) -> bool {
        const READABLE: RawMode = 0o400;
        match self {
            What::Unreadable(_) | What::Database(_) => true,
            What::Mode { mode, .. } => mode & READABLE == 0,
            _ => false,
        }
    }
}

/// The result of an examination.
#[derive(Debug, Default)]
pub struct Examination {
    /// True if there is a store.
    pub exists: bool,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The number of intact young entries.
    pub young: u64,
    /// The number of intact old entries.
    pub old: u64,
    /// The number of intact blobs that entries need.
    pub blobs: u64,
    /// The size of these blobs in bytes.
    pub blob_bytes: u64,
    /// Blobs that are needed and damaged, whether or not an intact form exists.
    damaged: Vec<Damaged>,
    /// Entries that need a missing or damaged blob.
    useless: Vec<Useless>,
}

/// An entry without its output.
#[derive(Clone, Copy, Debug)]
struct Useless {
    key: Key,
    floor: Floor,
    blob: BlobRef,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    Young,
    Old,
}

/// Examines the store below `dir`, or reports that there is none.
pub fn examine(dir: &Path) -> Examination {
    let mut examination = Examination::default();
    let found = &mut examination.findings;
    let add = |found: &mut Vec<Finding>, path: &Path, what| {
        found.push(Finding { what, path: path.to_owned(), key: None });
    };
    let version = version_dir();
    let outer = match fsutil::open_private_dir(dir) {
        Ok(outer) => outer,
        Err(Unusable::Missing) => return examination,
        Err(unusable) => {
            examination.exists = true;
            let stat = rustix::fs::statat(CWD, dir, rustix::fs::AtFlags::empty());
            let what = match stat {
                Ok(stat) if is_foreign(&stat) => What::Owner(stat.st_uid),
                Ok(stat) if is_folder(&stat) => inventory::mode_of_root(&stat, dir)
                    .unwrap_or_else(|| What::Unusable(unusable.to_string())),
                _ => What::Unusable(unusable.to_string()),
            };
            add(found, Path::new(""), what);
            return examination;
        }
    };
    for name in fsutil::names(&outer, ".").unwrap_or_default() {
        if name == *version.as_os_str() || name == "CACHEDIR.TAG" {
            continue;
        }
        let number = name.to_str().and_then(|name| name.strip_prefix('v')?.parse::<u8>().ok());
        let what = match number {
            // A folder that cannot be read counts as empty.
            Some(_) => What::OtherVersion(account::size_of(&outer, &name).unwrap_or_default()),
            None => What::Unknown,
        };
        add(found, Path::new(&name), what);
    }
    let Ok(Some(stat)) = fsutil::stat(&outer, &version) else { return examination };
    examination.exists = true;
    if is_foreign(&stat) {
        add(found, &version, What::Owner(stat.st_uid));
    } else if !is_folder(&stat) {
        add(found, &version, What::Type { removable: false });
    } else if let Some(what) = inventory::mode(&stat) {
        add(found, &version, what);
    }
    match Root::open(dir) {
        Ok(root) => examination.look_into(&root),
        Err(_) if found.iter().any(|finding| finding.path == version) => {}
        Err(unusable) => add(found, &version, What::Unusable(unusable.to_string())),
    }
    examination
}

fn is_foreign(stat: &Stat) -> bool {
    stat.st_uid != rustix::process::geteuid().as_raw()
}

fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

impl Examination {
    fn add(&mut self, path: impl Into<PathBuf>, what: What) {
        let path = version_dir().join(path.into());
        self.findings.push(Finding { what, path, key: None });
    }

    fn add_old(&mut self, key: Key, what: What) {
        let path = version_dir().join(guard::DIR);
        self.findings.push(Finding { what, path, key: Some(key) });
    }

    fn look_into(&mut self, root: &Root) {
        progress::begin(Stage::Waiting, None);
        let lock = locks::take_fold(root);
        if let Ok(None) = lock {
            self.add(lock::FOLD, What::Busy);
        }
        let inventory = Inventory::of(root);
        self.findings.extend(inventory.findings.iter().cloned());
        let mut needs = BlobRefs::default();
        self.young(root, &inventory, &mut needs);
        let old = self.old(root, &mut needs);
        self.filter(root, &inventory, old);
        self.blobs(root, &inventory, needs);
        for name in &inventory.logs {
            match events::junk(root, name) {
                Ok(0) => {}
                Ok(junk) => self.add(name, What::DamagedLog(junk)),
                Err(error) => self.add(name, What::Unreadable(format!("{error:#}"))),
            }
        }
        for id in &inventory.remotes {
            let place = |end: &str| format!("{}/{id}.{end}", remote::FOLDER);
            if let Some(outage) = CircuitBreaker::of_reads(root, id).outage() {
                self.add(place("down"), What::RemotePaused(outage.why));
            }
            if let Some(failure) = CircuitBreaker::of_writes(root, id).failure() {
                let entries = remote::queue::keys(root, id).map_or(0, |keys| keys.len() as u64);
                self.add(place("unsent"), What::Unsent { entries, why: failure.why });
            }
        }
        let mut left = Left::new(root);
        for path in &inventory.temps {
            let is_left =
                path.file_name().is_some_and(|name| matches!(left.judge(name), Ok(Some(_))));
            self.add(path, if is_left { What::Leftover } else { What::InProgress });
        }
        let ours = matches!(lock, Ok(Some(_))).then_some(Path::new(lock::FOLD));
        for path in inventory.locks.iter().filter(|path| ours != Some(path)) {
            if let Some(what) = locks::examine(root, path) {
                self.add(path, what);
            }
        }
    }

    fn young(&mut self, root: &Root, inventory: &Inventory, needs: &mut BlobRefs) {
        progress::begin(Stage::CheckingEntries, inventory.young.len() as u64);
        for key in &inventory.young {
            progress::advance(1);
            match young::sealed(root, key) {
                Ok(None) => {}
                // It says that the entry was evicted.
                Ok(Some(sealed)) if sealed.is_empty() => {}
                Ok(Some(sealed)) => match Entry::open(key, &sealed) {
                    Ok(entry) => {
                        self.young += 1;
                        needs.add(&entry, Floor::Young);
                    }
                    Err(_) => self.add(young::path(key), What::DamagedEntry),
                },
                Err(errno) => self.add(young::path(key), unreadable(errno)),
            }
        }
    }

    /// Returns the keys of the old store, if all of it could be read.
    fn old(&mut self, root: &Root, needs: &mut BlobRefs) -> Option<Vec<Key>> {
        let (mut keys, mut damaged) = (Vec::new(), Vec::new());
        let looked = DbClient::new(root).check(&mut |key, sealed| {
            keys.push(key);
            match Entry::open(&key, sealed) {
                Ok(entry) => {
                    self.old += 1;
                    needs.add(&entry, Floor::Old);
                }
                Err(_) => damaged.push(key),
            }
            Ok(())
        });
        for key in damaged {
            self.add_old(key, What::DamagedEntry);
        }
        match looked {
            Ok(()) => return Some(keys),
            Err(error) if error.is::<guard::Broken>() => {
                self.add(guard::DIR, What::BrokenDatabase);
            }
            Err(error) => self.add(guard::DIR, What::Database(format!("{error:#}"))),
        }
        None
    }

    fn filter(&mut self, root: &Root, inventory: &Inventory, old: Option<Vec<Key>>) {
        if !inventory.has_filter {
            let is_found = self.findings.iter().any(|f| f.path.ends_with(filter::FILE));
            if guard::exists(root) && !is_found {
                self.add(filter::FILE, What::NoFilter);
            }
        } else if let Some(prefixes) = filter::contents(root) {
            let lacks = |key: &Key| prefixes.binary_search(&key.prefix()).is_err();
            let lacking = old.unwrap_or_default().iter().filter(|key| lacks(key)).count();
            if lacking > 0 {
                self.add(filter::FILE, What::WrongFilter(lacking as u64));
            }
        } else {
            self.add(filter::FILE, What::DamagedFilter);
        }
    }
}

fn unreadable(errno: Errno) -> What {
    What::Unreadable(std::io::Error::from(errno).to_string())
}
