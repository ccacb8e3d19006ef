//! Makes room for what is written: removes files until there is enough.
//!
//! The least recently used files go first. The last use of a file is its modification time, which
//! the fold sets for hits, or the time of a hit since. The output of a superseded entry gets the
//! earliest possible time ([`supersede`](super::supersede)). A blob shared by two entries is lost to both; an entry
//! without its output is a miss, and the fold, to which a [note](evicted) is left, removes it. A
//! young file is emptied rather than removed if the database may hold an earlier version of its
//! entry, which must not be found in its place. Path sets and remembered inputs go likewise.
//!
//! Lock order: [`MAKING`] comes before the publish lock, and neither is waited for long.

use super::super::account::{self, Account, Survey};
use super::super::blobs::Form;
use super::super::{
    Root, events, evicted, filter, guard, path_sets, rebuild, sweep, temporary, young,
};
use super::{Amount, SPARE, SPARE_SHARE, for_each_blob, lacking_on_disk};
use crate::lock::{self, Lock, Mode};
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use rustix::fs::OFlags;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The lock for making room.
pub const MAKING: &str = "locks/room";
/// The share of the store that notes of what was evicted may take.
const NOTES_SHARE: u64 = 16;
/// The share of the limit above which a database that no fold shrinks is removed for the sake of
/// new records: three quarters.
const HOPELESS: (u64, u64) = (3, 4);

/// Makes room for `more` bytes. Where there cannot be enough, makes none, or with `or_less` as much
/// as there can be. Returns whether there may be enough now.
pub(super) fn make(root: &Root, limit: u64, more: u64, or_less: bool) -> rustix::io::Result<bool> {
    let Some(_making) = Lock::patiently(root, MAKING, Mode::TryExclusive)? else {
        return Ok(false);
    };
    let lacking = |account: &Account, spare: u64| {
        let beyond = account.taken.saturating_add(more).saturating_sub(limit);
        let on_disk = lacking_on_disk(root, more, spare);
        Amount { bytes: beyond.max(on_disk.bytes), ..on_disk }
    };
    // On a full disk there may be neither an account nor room for one.
    let before = account::update(root, |account| *account).unwrap_or_default();
    if !lacking(&before, SPARE).is_some() {
        return Ok(true);
    }
    // Also deletes what other processes moved out of the way, or died over.
    let _ = temporary::sweep(root);
    let _ = sweep::trash(root);
    sweep_rebuilds(root);
    if lacking(&before, SPARE).files > 0 {
        let _ = sweep::empty_folders(root);
    }
    let (mut files, mut notes) = (Vec::new(), 0);
    let survey = Survey::of(root, &mut |file| {
        if let Some(kind) = Kind::of(file.path) {
            let is_note = file.path.to_str().is_some_and(evicted::is_note);
            // A note is only given up where nothing else is left,
            let used = if is_note { u64::MAX } else { file.changed };
            notes += if is_note { file.bytes } else { 0 };
            files.push(File { used, bytes: file.bytes, kind });
        }
    })?;
    // and where they amount to something, as where no fold ever ends.
    if notes < limit.min(survey.total) / NOTES_SHARE {
        files.retain(|file| file.used != u64::MAX);
    }
    let account = account::correct(root, &before, &survey);
    let account = account.unwrap_or(Account { taken: survey.total, ..before });
    let mut wanted = lacking(&account, SPARE);
    if !wanted.is_some() {
        return Ok(true);
    }
    let bytes = files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
    let all = Amount { bytes, files: files.len() as u64 };
    if !all.covers(wanted) {
        // The disk is full of other things, and the store too small to leave something free.
        wanted = lacking(&account, 0);
        if !wanted.is_some() {
            return Ok(true);
        }
    }
    if !all.covers(wanted) && !or_less {
        let (part, whole) = HOPELESS;
        // Removing everything else would not be enough.
        return Ok(account.database / part > limit / whole && give_up_database(root)?);
    }
    let spare = limit.min(account.taken) / SPARE_SHARE;
    let goal = wanted.bytes.saturating_add(spare).min(all.bytes);
    let freed = evict(root, files, Amount { bytes: goal, ..wanted })?;
    account::give_back(root, freed.bytes);
    let _ = sweep::queues(root);
    Ok(freed.covers(wanted))
}

/// A file that may be removed.
struct File {
    used: u64,
    bytes: u64,
    kind: Kind,
}

enum Kind {
    Young(Key),
    Blob([u8; 32], Form),
    /// A file that only saves time; a note of what was evicted saves an audit.
    Memory(PathBuf),
}

impl Kind {
    fn of(path: &Path) -> Option<Kind> {
        let mut parts = path.iter();
        let folder = parts.next()?.to_str()?;
        if [sweep::INPUTS, path_sets::FOLDER].contains(&folder) || evicted::is_note(folder) {
            return Some(Kind::Memory(path.to_owned()));
        }
        let (_, name) = (parts.next()?, parts.next()?);
        match folder {
            "young" => Key::from_hex(name.as_bytes()).map(Kind::Young),
            "blobs" => Form::of_name(name.as_bytes()).map(|(hash, form)| Kind::Blob(hash, form)),
            _ => None,
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Kind::Young(key) => young::path(key),
            Kind::Blob(hash, form) => form.path(hash),
            Kind::Memory(path) => path.clone(),
        }
    }

    fn blob(&self) -> Option<[u8; 32]> {
        match self {
            Kind::Blob(hash, _) => Some(*hash),
            Kind::Young(_) | Kind::Memory(_) => None,
        }
    }
}

/// Removes the least recently used files until the goal is reached. Returns what that frees.
fn evict(root: &Root, mut files: Vec<File>, goal: Amount) -> rustix::io::Result<Amount> {
    let mut freed = Amount::default();
    let used = used_lately(root);
    for file in &mut files {
        let at = match &file.kind {
            Kind::Young(key) => used.get(&key.0),
            Kind::Blob(hash, _) => used.get(hash),
            Kind::Memory(_) => None,
        };
        file.used = file.used.max(at.copied().unwrap_or_default());
    }
    files.sort_unstable_by_key(|file| file.used);
    // Recorders rely on existing files while they hold the publish lock.
    let Some(_publish) = Lock::patiently(root, lock::PUBLISH, Mode::TryExclusive)? else {
        return Ok(freed);
    };
    let mut left = &files[..];
    while !left.is_empty() && !freed.covers(goal) {
        let mut sum = freed;
        let goes = |file: &&File| {
            let goes = !sum.covers(goal);
            sum.add(file.bytes, 1);
            goes
        };
        let (chosen, others) = left.split_at(left.iter().take_while(goes).count());
        left = others;
        let blobs: Vec<_> = chosen.iter().filter_map(|file| file.kind.blob()).collect();
        let mut is_noted = evicted::note(root, &blobs).is_ok();
        for file in chosen {
            remove(root, file, &mut freed);
            // There is room for it once something is gone.
            is_noted = is_noted || evicted::note(root, &blobs).is_ok();
        }
    }
    Ok(freed)
}

/// Removes a file, and adds what that frees.
fn remove(root: &Root, file: &File, freed: &mut Amount) {
    let path = file.kind.path();
    let (is_gone, files) = match &file.kind {
        Kind::Young(key) if filter::may_hold(root, key) => (empty(root, &path), 0),
        _ => (fsutil::remove_file(root, &path), 1),
    };
    if is_gone.unwrap_or(false) {
        freed.add(file.bytes, files);
    }
}

/// Empties a file, which says that the entry was evicted.
fn empty(root: &Root, path: &Path) -> rustix::io::Result<bool> {
    let Some(stat) = fsutil::stat(root, path)? else { return Ok(false) };
    if stat.st_size == 0 {
        return Ok(false);
    }
    fsutil::create_file(root, path, OFlags::WRONLY | OFlags::TRUNC)?;
    Ok(true)
}

/// Returns the times of uses since the last fold, by key and by blob.
fn used_lately(root: &Root) -> HashMap<[u8; 32], u64> {
    let mut used: HashMap<[u8; 32], u64> = HashMap::new();
    for event in events::peek(root).unwrap_or_default() {
        let at = used.entry(event.key.0).or_default();
        *at = (*at).max(event.time.0);
    }
    let young = young::Young::new(root);
    for (key, at) in used.clone() {
        if let Ok(Some(entry)) = young.get(&Key(key)) {
            for_each_blob(root, &entry, &mut |hash| {
                let known = used.entry(*hash).or_default();
                *known = (*known).max(at);
            });
        }
    }
    used
}

/// Removes what killed rebuilds left, unless there is one going on.
fn sweep_rebuilds(root: &Root) {
    let are_there =
        rebuild::FOLDERS.iter().any(|name| matches!(fsutil::stat(root, name), Ok(Some(_))));
    if are_there && let Ok(Some(_fold)) = Lock::take(root, lock::FOLD, Mode::TryExclusive) {
        rebuild::sweep_leftovers(root);
    }
}

/// Removes the database, unless it is in use.
fn give_up_database(root: &Root) -> rustix::io::Result<bool> {
    let Some(_fold) = Lock::take(root, lock::FOLD, Mode::TryExclusive)? else { return Ok(false) };
    let Some(_old) = Lock::take(root, lock::OLD, Mode::TryExclusive)? else { return Ok(false) };
    let trash = sweep::trash_name();
    fsutil::rename(root, guard::DIR, Path::new(&trash).join(guard::DIR))?;
    fsutil::remove_file(root, filter::FILE)?;
    let _ = sweep::trash(root);
    account::update(root, |account| account.database = 0)?;
    Ok(true)
}
