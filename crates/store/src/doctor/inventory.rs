//! Takes inventory of the folder of a store: whether a file belongs there, who owns it, what it
//! is, and who may access it.

use super::{Finding, What, is_file, is_folder, is_foreign};
use crate::blobs::Form;
use crate::lock;
use crate::path_sets;
use crate::{Root, account, events, evicted, filter, guard, rebuild, remote, reserve, secret};
use crate::{sweep, version_dir};
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{Mode, RawMode, Stat};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The regular files of a store, by their purpose.
#[derive(Default)]
pub struct Inventory {
    /// The keys of young files.
    pub young: Vec<Key>,
    /// The blobs in each form, and the lengths of the files.
    pub blobs: BTreeMap<([u8; 32], Form), u64>,
    /// Temporary files.
    pub temps: Vec<PathBuf>,
    /// Lock files.
    pub locks: Vec<PathBuf>,
    /// Event logs.
    pub logs: Vec<String>,
    /// The remote stores that have notes.
    pub remotes: BTreeSet<String>,
    /// True if there is a filter.
    pub has_filter: bool,
    /// The problems that were found.
    pub findings: Vec<Finding>,
}

/// The purpose of a path.
enum Place {
    Folder,
    Young(Key),
    Blob([u8; 32], Form),
    Temp,
    Lock,
    /// Remembered contents of inputs, which readers verify and nothing depends on.
    Memory,
    /// The account of the store's size, which readers verify.
    Account,
    Log(String),
    /// A note about a remote store, or the key of an entry to be sent to it.
    Remote(String),
    Filter,
    /// A file or folder of sled.
    Sled,
    /// A whole tree that is to be removed.
    Trash,
    /// A whole tree that was set aside.
    SetAside,
    Unknown,
}

impl Place {
    fn of(path: &Path) -> Place {
        let parts: Option<Vec<&str>> = path.iter().map(std::ffi::OsStr::to_str).collect();
        match parts.as_deref() {
            Some(
                [
                    "young"
                    | "blobs"
                    | "tmp"
                    | "locks"
                    | sweep::INPUTS
                    | path_sets::FOLDER
                    | guard::DIR
                    | remote::FOLDER,
                ],
            ) => Place::Folder,
            Some([filter::FILE]) => Place::Filter,
            Some([account::FILE]) => Place::Account,
            Some([events::PAST | reserve::FILE]) => Place::Memory,
            Some([name]) if evicted::is_note(name) => Place::Memory,
            Some([name]) if events::is_log(name) => Place::Log((*name).to_owned()),
            Some([name]) if name.starts_with(sweep::TRASH) => Place::Trash,
            Some([rebuild::BUILDING | rebuild::NEXT]) => Place::Trash,
            Some([name]) if name.starts_with(guard::BROKEN) => Place::SetAside,
            Some(["young" | "blobs" | path_sets::FOLDER, shard]) if is_shard(shard) => {
                Place::Folder
            }
            Some([remote::FOLDER, name]) if remote::is_of_a_store(name) => {
                match name.split_once('.') {
                    None => Place::Folder,
                    Some((_, "lock")) => Place::Lock,
                    Some((id, _)) => Place::Remote(id.to_owned()),
                }
            }
            Some([remote::FOLDER, id, name])
                if remote::is_of_a_store(id) && Key::from_hex(name.as_bytes()).is_some() =>
            {
                Place::Remote((*id).to_owned())
            }
            Some([floor, shard, name]) if is_shard(shard) && name.starts_with(shard) => {
                match (*floor, Form::of_name(name.as_bytes())) {
                    (path_sets::FOLDER, Some((key, Form::Plain)))
                        if Key(key).to_string() == *name =>
                    {
                        Place::Memory
                    }
                    ("young", Some((key, Form::Plain))) if Key(key).to_string() == *name => {
                        Place::Young(Key(key))
                    }
                    ("blobs", Some((hash, form))) if form.path(&hash) == path => {
                        Place::Blob(hash, form)
                    }
                    _ => Place::Unknown,
                }
            }
            Some(["tmp", _]) => Place::Temp,
            Some([sweep::INPUTS, name]) if Key::from_hex(name.as_bytes()).is_some() => {
                Place::Memory
            }
            Some([secret::FILE] | ["locks", "fold" | "old" | "publish" | "room" | "wanted"]) => {
                Place::Lock
            }
            Some(["locks", name]) if lock::is_of_a_key(name.as_bytes()) => Place::Lock,
            Some([guard::DIR, ..]) => Place::Sled,
            _ => Place::Unknown,
        }
    }
}

impl Place {
    fn takes(&self, stat: &Stat) -> bool {
        match self {
            Place::Folder => is_folder(stat),
            Place::Sled => is_folder(stat) || is_file(stat),
            _ => is_file(stat),
        }
    }
}

/// Returns whether this path holds nothing now, or a file of the right type.
pub fn fits(root: &Root, path: &Path) -> rustix::io::Result<bool> {
    Ok(fsutil::stat(root, path)?.is_none_or(|stat| Place::of(path).takes(&stat)))
}

fn is_shard(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The depth below which there are no files of cachex or sled.
const DEPTH: usize = 6;

impl Inventory {
    /// Takes inventory of `root`.
    pub fn of(root: &Root) -> Inventory {
        let mut inventory = Inventory::default();
        inventory.walk(root.as_fd(), Path::new(""));
        inventory
    }

    fn walk(&mut self, folder: BorrowedFd<'_>, path: &Path) {
        let mut names = match fsutil::names(folder, ".") {
            Ok(names) => names,
            Err(errno) => return self.add(path, super::unreadable(errno)),
        };
        names.sort();
        for name in names {
            let path = path.join(&name);
            match fsutil::stat(folder, &name) {
                Ok(Some(stat)) => self.visit(folder, &path, Path::new(&name), &stat),
                Ok(None) => {}
                Err(errno) => self.add(&path, super::unreadable(errno)),
            }
        }
    }

    fn visit(&mut self, folder: BorrowedFd<'_>, path: &Path, name: &Path, stat: &Stat) {
        let place = Place::of(path);
        match place {
            Place::Unknown => return self.add(path, What::Unknown),
            Place::Trash => return self.add(path, What::Leftover),
            Place::SetAside => return self.add(path, What::SetAside),
            _ if is_foreign(stat) => return self.add(path, What::Owner(stat.st_uid)),
            _ => {}
        }
        if !place.takes(stat) {
            // sled's files may be all there is of many entries.
            let removable = !matches!(place, Place::Sled);
            return self.add(path, What::Type { removable });
        }
        if let Some(what) = mode(stat) {
            self.add(path, what);
        }
        match place {
            Place::Young(key) => self.young.push(key),
            Place::Blob(hash, form) => {
                self.blobs.insert((hash, form), stat.st_size as u64);
            }
            Place::Temp => self.temps.push(path.to_owned()),
            Place::Lock => self.locks.push(path.to_owned()),
            Place::Memory | Place::Account => {}
            Place::Remote(id) => drop(self.remotes.insert(id)),
            Place::Log(name) => self.logs.push(name),
            Place::Filter => self.has_filter = true,
            _ if is_folder(stat) && path.iter().count() < DEPTH => {
                match fsutil::open_private_subdir(folder, name) {
                    Ok(folder) => self.walk(folder.as_fd(), path),
                    // Its mode was reported; the folder is examined once that is repaired.
                    Err(_) if mode(stat).is_some() => {}
                    Err(why) => self.add(path, What::Unreadable(why.to_string())),
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, path: &Path, what: What) {
        self.findings.push(Finding { what, path: version_dir().join(path), key: None });
    }
}

/// Returns what is wrong with the mode of a file or a folder of the store.
pub fn mode(stat: &Stat) -> Option<What> {
    let mode = stat.st_mode & 0o7777;
    let wanted = if is_folder(stat) { 0o700 } else { 0o600 };
    let is_open = Mode::from_raw_mode(mode).intersects(Mode::RWXG | Mode::RWXO);
    (is_open || mode & wanted != wanted).then_some(What::Mode { mode, wanted: Some(wanted) })
}

/// Returns what is wrong with the mode of the folder that contains the store. The folder may be
/// the user's own and serve other purposes, so it only loses what prevents its use, and only if
/// there is a store in it.
pub fn mode_of_root(stat: &Stat, dir: &Path) -> Option<What> {
    const STICKY: RawMode = 0o1000;
    let mode = stat.st_mode & 0o7777;
    let is_store = mode & STICKY == 0
        && rustix::fs::lstat(dir.join(version_dir()))
            .is_ok_and(|stat| is_folder(&stat) && !is_foreign(&stat));
    let wanted = (mode & !0o022) | 0o700;
    (mode != wanted).then_some(What::Mode { mode, wanted: is_store.then_some(wanted) })
}
