//! Removes what is no longer needed: blobs without references, leftovers of processes that died,
//! and lock files that nobody holds. The caller holds the fold lock.

use super::blobs::Form;
use super::old::Old;
use super::young::{self, Young};
use super::{Root, account, blobs, filter, guard, in_place, rebuild, remote, temporary};
use crate::lock::{self, Lock, Mode};
use crate::path_sets;
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_base::system::progress::{self, Stage};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The prefix of the names of folders that are to be deleted.
pub const TRASH: &str = "trash-";
/// The number of parts that the blobs' folders are divided into. A fold that is not a full one
/// looks through one of them.
const PARTS: u8 = 8;
/// The number of blobs that are looked up while readers of the old store wait.
const BATCH: usize = 10_000;
/// The folder for remembered contents of declared inputs, see `files::inputs` of the command.
pub const INPUTS: &str = "inputs";
/// The time that remembered inputs are kept after their last use.
const MEMORIES_KEPT: Duration = Duration::from_hours(30 * 24);
/// The maximum number of files for them, and their maximum size in bytes.
const MEMORIES: (usize, u64) = (256, 256 * 1024 * 1024);
/// The corresponding limits for the path sets of automatic calls.
const PATH_SETS: (usize, u64) = (16 * 1024, 256 * 1024 * 1024);
/// The divisor of the store's size limit that bounds each of the two.
const MEMORIES_SHARE: u64 = 8;
/// The maximum number of results that wait to be sent to a remote store, and the maximum wait.
const QUEUED: (usize, Duration) = (10_000, Duration::from_hours(30 * 24));
/// The depth to which folders are removed one by one: a shard of the blobs in the trash.
const DEPTH: usize = 2;
/// The number of broken databases that are kept for analysis.
const BROKEN_KEPT: usize = 1;

/// Removes unreferenced blobs, and returns how many. Looks at `suspects` and at the blobs in one
/// part of the folders, or in all, and keeps those that the old store or a young file needs.
/// Removes none while a young file cannot be read, or the index lacks references.
pub fn blobs(root: &Root, suspects: Vec<[u8; 32]>, part: Option<u8>) -> Result<u64> {
    if in_place::is_partial(root) {
        return Ok(0);
    }
    let mut found: HashSet<[u8; 32]> = suspects.into_iter().collect();
    let mut forms = HashSet::new();
    for shard in fsutil::names(root, "blobs")? {
        let number = shard.to_str().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let due = |number: u8| part.is_none_or(|part| part % PARTS == number % PARTS);
        if number.is_some_and(due) {
            // A folder that cannot be read is left to a fold that can read it.
            let shard = Path::new("blobs").join(shard);
            let Ok(names) = fsutil::names(root, shard) else { continue };
            forms.extend(names.iter().filter_map(|name| Form::of_name(name.as_bytes())));
        }
    }
    found.extend(forms.iter().map(|(hash, _)| hash));
    // The blob was recorded again after it was packed: one of the two forms is enough.
    let is_twice = |hash: &[u8; 32]| Form::ALL.iter().all(|form| forms.contains(&(*hash, *form)));
    let mut found: Vec<_> = found.into_iter().collect();
    let mut orphans = HashSet::new();
    // Without a database, no old entry needs any.
    if !guard::exists(root) {
        orphans.extend(found.drain(..));
    }
    for found in found.chunks(BATCH) {
        Old::with(root, |old| {
            for hash in found {
                if !old.needs.has(hash)? {
                    orphans.insert(*hash);
                } else if is_twice(hash)
                    && let Ok(Some(stat)) = fsutil::stat(root, Form::Plain.path(hash))
                {
                    let blob = BlobRef { hash: *hash, len: stat.st_size as u64 };
                    old.needs.may_be_packed(&blob)?;
                    old.changed();
                }
            }
            Ok(())
        })?;
    }
    if orphans.is_empty() {
        return Ok(0);
    }
    let settled = settled(root)?;
    let trash = PathBuf::from(trash_name());
    let mut swept = 0;
    {
        // Nothing is recorded meanwhile, and the fold lock keeps the old store as it is. So a
        // blob that no young file references now is an orphan.
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
        for key in Young::new(root).keys()? {
            let sealed = match young::sealed(root, &key) {
                Ok(sealed) => sealed.unwrap_or_default(),
                // A folder or a link is never served, whatever it leads to.
                Err(Errno::ISDIR | Errno::LOOP) => continue,
                // A file that cannot be read now may need any of the blobs when it can be.
                Err(_) => return Ok(0),
            };
            // A damaged entry needs nothing.
            let Ok(entry) = Entry::open(&key, &sealed) else { continue };
            for blob in entry.blobs() {
                orphans.remove(&blob.hash);
            }
            let Some(manifest) = entry.manifest().filter(|one| !settled.contains(&one.hash)) else {
                continue;
            };
            let Ok(list) = blobs::manifest(root, &manifest) else { return Ok(0) };
            for file in list.iter().flat_map(Manifest::blobs) {
                orphans.remove(&file.hash);
            }
        }
        for hash in &orphans {
            // Rename now and delete later: unlinking a large file takes long.
            let moved = Form::ALL.map(|form| {
                let path = form.path(hash);
                let name = path.file_name().unwrap_or_default();
                match fsutil::rename(root, &path, trash.join(name)) {
                    // There is no room for the folder to move it to.
                    Err(Errno::NOSPC | Errno::DQUOT) => {
                        fsutil::remove_file(root, &path) == Ok(true)
                    }
                    moved => moved.is_ok(),
                }
            });
            swept += u64::from(moved.contains(&true));
        }
    }
    self::trash(root)?;
    Ok(swept)
}

/// Returns the manifests of young entries that the old store references together with the files
/// that they list. These are most, and need not be read while recorders wait.
fn settled(root: &Root) -> Result<HashSet<[u8; 32]>> {
    let mut manifests = HashSet::new();
    for key in Young::new(root).keys()? {
        if let Ok(Some(sealed)) = young::sealed(root, &key)
            && let Ok(entry) = Entry::open(&key, &sealed)
        {
            manifests.extend(entry.manifest().map(|manifest| manifest.hash));
        }
    }
    let mut settled = HashSet::new();
    if !guard::exists(root) {
        return Ok(settled);
    }
    let manifests: Vec<_> = manifests.into_iter().collect();
    for manifests in manifests.chunks(BATCH) {
        Old::with(root, |old| {
            for manifest in manifests {
                if old.needs.has_manifest(manifest)? {
                    settled.insert(*manifest);
                }
            }
            Ok(())
        })?;
    }
    Ok(settled)
}

/// Removes what processes that died left behind, and may take much: files that they were writing,
/// and rebuilds that they did not finish.
pub fn of_the_dead(root: &Root) -> Result<()> {
    temporary::sweep(root)?;
    rebuild::sweep_leftovers(root);
    trash(root)?;
    Ok(())
}

/// Removes locks that nobody holds, and what is kept for some time only. `max_size` is the limit on
/// the store's size.
pub fn leftovers(root: &Root, max_size: Option<u64>) -> Result<()> {
    locks(root)?;
    let share = max_size.unwrap_or(u64::MAX) / MEMORIES_SHARE;
    let inputs = fsutil::names(root, INPUTS)?;
    let inputs = inputs.iter().map(|name| Path::new(INPUTS).join(name)).collect();
    memories(root, inputs, MEMORIES, share)?;
    memories(root, path_sets(root)?, PATH_SETS, share)?;
    queues(root)?;
    let broken = guard::broken(root)?;
    for name in &broken[..broken.len().saturating_sub(BROKEN_KEPT)] {
        remove_tree(root, name);
    }
    Ok(())
}

/// Removes empty folders, on a file system that limits the number of files.
pub fn empty_folders(root: &Root) -> rustix::io::Result<()> {
    // Whoever puts a file into one holds it meanwhile.
    let Some(_publish) = Lock::patiently(root, lock::PUBLISH, Mode::TryExclusive)? else {
        return Ok(());
    };
    for floor in ["young", "blobs", path_sets::FOLDER] {
        let Ok(folder) = fsutil::open_private_subdir(root, Path::new(floor)) else {
            continue;
        };
        for shard in fsutil::names(&folder, ".")? {
            let _ = rustix::fs::unlinkat(&folder, shard, AtFlags::REMOVEDIR);
        }
    }
    Ok(())
}

/// Returns the files of path sets.
fn path_sets(root: &Root) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for shard in fsutil::names(root, path_sets::FOLDER)? {
        let shard = Path::new(path_sets::FOLDER).join(shard);
        found.extend(fsutil::names(root, &shard)?.iter().map(|name| shard.join(name)));
    }
    Ok(found)
}

/// Removes remembered files that were not used for long, and the least recently used ones beyond
/// the limits. Losing one costs another look at the files, or a run.
fn memories(root: &Root, files: Vec<PathBuf>, most: (usize, u64), share: u64) -> Result<()> {
    let now = Timestamp::now();
    let mut freed = 0;
    let mut remove = |path: &Path, size: u64| {
        freed += if fsutil::remove_file(root, path) == Ok(true) { size } else { 0 };
    };
    let mut kept = Vec::new();
    for path in files {
        let Some(stat) = fsutil::stat(root, &path)? else { continue };
        let size = account::on_disk(&stat);
        let used = Timestamp((stat.st_mtime as u64).saturating_mul(1_000_000_000));
        if now.since(used).is_some_and(|age| age > MEMORIES_KEPT) {
            remove(&path, size);
        } else {
            kept.push((used, size, path));
        }
    }
    kept.sort_unstable_by(|one, other| other.cmp(one));
    let (mut count, mut bytes) = (most.0, most.1.min(share));
    for (_, size, path) in kept {
        if count == 0 || size > bytes {
            remove(&path, size);
            continue;
        }
        (count, bytes) = (count - 1, bytes - size);
    }
    account::give_back(root, freed);
    Ok(())
}

/// Removes entries that no longer exist from the queues of remote stores. A store that is gone
/// for good accepts nothing, so also removes entries that have waited too long, and the oldest
/// of too many.
pub fn queues(root: &Root) -> Result<()> {
    let now = Timestamp::now();
    for name in fsutil::names(root, remote::FOLDER)? {
        if !name.to_str().is_some_and(remote::is_of_a_store) {
            continue;
        }
        let place = Path::new(remote::FOLDER).join(&name);
        if let Some(end) = place.extension() {
            // Notes of failures of a store that was not used since.
            if end != "lock" && waited(root, &place, now)?.is_some_and(|age| age > QUEUED.1) {
                let _ = fsutil::remove_file(root, &place);
            }
            continue;
        }
        let mut queued = Vec::new();
        for name in fsutil::names(root, &place)? {
            let Some(key) = Key::from_hex(name.as_bytes()) else { continue };
            let file = place.join(&name);
            let Some(age) = waited(root, &file, now)? else { continue };
            let is_young = !matches!(fsutil::stat(root, young::path(&key)), Ok(None));
            if age > QUEUED.1 || !is_young && !filter::may_hold(root, &key) {
                let _ = fsutil::remove_file(root, file);
            } else {
                queued.push((age, file));
            }
        }
        if queued.len() > QUEUED.0 {
            queued.sort_unstable();
            for (_, file) in queued.drain(QUEUED.0..) {
                let _ = fsutil::remove_file(root, file);
            }
        }
    }
    Ok(())
}

/// Returns the time since a file was written, or `None` if it is not there.
fn waited(root: &Root, path: &Path, now: Timestamp) -> Result<Option<Duration>> {
    let Some(stat) = fsutil::stat(root, path)? else { return Ok(None) };
    let written = Timestamp((stat.st_mtime as u64).saturating_mul(1_000_000_000));
    Ok(Some(now.since(written).unwrap_or_default()))
}

/// Removes the lock files that nobody holds. Only its holder unlinks a lock file: whoever waits
/// for it finds that its name leads elsewhere, and starts over.
fn locks(root: &Root) -> Result<()> {
    for name in fsutil::names(root, "locks")? {
        if !lock::is_of_a_key(name.as_bytes()) {
            continue;
        }
        let path = Path::new("locks").join(&name);
        if let Ok(Some(_held)) = Lock::take(root, &path, Mode::TryExclusive) {
            let _ = fsutil::remove_file(root, &path);
        }
    }
    Ok(())
}

/// Returns a new name for a folder that is to be deleted.
pub fn trash_name() -> String {
    format!("{TRASH}{:x}", Timestamp::now().0)
}

/// Deletes what was moved to the trash, now or by a process that died. Returns the number of
/// bytes freed.
pub fn trash(root: &Root) -> Result<u64> {
    let names = fsutil::names(root, ".")?.into_iter().filter_map(|name| name.into_string().ok());
    let names: Vec<String> = names.filter(|name| name.starts_with(TRASH)).collect();
    if names.is_empty() {
        return Ok(0);
    }
    let (files, bytes) = sum(names.iter().map(|name| tree(&root.path().join(name))));
    progress::begin(Stage::Sweeping, files);
    for name in &names {
        remove_tree(root, name);
    }
    account::give_back(root, bytes);
    Ok(bytes)
}

/// Deletes a part of the store where it is. Returns the number of bytes freed.
pub fn remove(root: &Root, name: &OsStr) -> u64 {
    let (_, bytes) = tree(&root.path().join(name));
    remove_tree(root, name);
    account::give_back(root, bytes);
    bytes
}

/// Deletes a tree. The next fold tries again to delete what cannot be deleted now.
pub fn remove_tree(root: &Root, name: impl AsRef<Path>) {
    if failpoint::at("remove").is_ok() {
        let path = root.path().join(name);
        // Only the link itself is removed.
        if !path.is_symlink() {
            remove_parts(&path, DEPTH);
        }
        let _ = std::fs::remove_dir_all(path);
    }
}

/// Removes the folders of a tree one by one down to a depth, since large trees consist of many.
fn remove_parts(path: &Path, depth: usize) {
    for folder in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if folder.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 1 {
                remove_parts(&folder.path(), depth - 1);
            }
            let (files, _) = tree(&folder.path());
            let _ = std::fs::remove_dir_all(folder.path());
            progress::advance(files);
        }
    }
}

/// Returns the number of files in a tree, and the bytes they take on disk.
fn tree(path: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    if path.is_symlink() {
        return (1, 0);
    }
    let Ok(entries) = std::fs::read_dir(path) else { return (0, 0) };
    sum(entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => tree(&entry.path()),
        Ok(metadata) => (1, metadata.blocks() * 512),
        Err(_) => (0, 0),
    }))
}

fn sum(trees: impl Iterator<Item = (u64, u64)>) -> (u64, u64) {
    trees.fold((0, 0), |(files, bytes), tree| (files + tree.0, bytes + tree.1))
}
