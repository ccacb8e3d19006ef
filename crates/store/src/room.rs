//! Claims disk space for what is written, within the store's size limit.
//!
//! The size of a record is in the [account] before it is on disk. If the limit would be exceeded,
//! the recorder makes room by files alone, without a helper process or sled, so the limit holds
//! even where no helper can be started or every background fold is killed. Normally the fold makes
//! room in good time; see [`super::fold`].
//!
//! Room is also made when the file system is nearly full: new records, and the bookkeeping of
//! removals, need room as well.
//!
//! The least recently used files go first. The last use of a file is its modification time, which
//! the fold sets for hits, or the time of a hit since. The output of a superseded entry gets the
//! earliest possible time ([`supersede`]). A blob shared by two entries is lost to both; an entry
//! without its output is a miss, and the fold removes it. A young file is emptied rather than
//! removed if the database may hold an earlier version of its entry, which must not be found in its
//! place.
//!
//! Lock order: [`MAKING`] comes before the publish lock, and neither is waited for long.

use super::account::{self, Account, Survey, blocks};
use super::blobs::{self, Form};
use super::{Root, events, filter, guard, reserve, sweep, young};
use crate::lock::{self, Lock, Mode};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::fsutil;
use rustix::event::Timespec;
use rustix::fs::{OFlags, Timestamps};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The lock for making room.
pub const MAKING: &str = "locks/room";
/// The share of the limit that is claimed at once,
const CHUNK_SHARE: u64 = 128;
/// and its minimum and maximum in bytes.
const CHUNK: (u64, u64) = (64 * 1024, 8 * 1024 * 1024);
/// The share of the limit after which a fold is due,
const FOLD_SHARE: u64 = 8;
/// and its minimum and maximum in bytes.
const FOLD_AFTER: (u64, u64) = (256 * 1024, 64 * 1024 * 1024);
/// The share of the limit that is freed in addition to what is needed.
const SPARE_SHARE: u64 = 16;
/// The bytes of the file system that are left free, unless [`SPARE_SHARE`] of it is less,
const SPARE: u64 = 4 * 1024 * 1024;
/// and the number of files, likewise.
const SPARE_FILES: u64 = 64;
/// The bytes that the bookkeeping of removals takes before it frees any: some segments of sled's
/// log, and the filter.
const BOOKKEEPING: u64 = 512 * 1024;
/// The size of a page that sled writes to remove an entry.
const PAGE: u64 = 16 * 1024;
/// The share of the limit above which a database that no fold shrinks is removed for the sake of
/// new records: three quarters.
const HOPELESS: (u64, u64) = (3, 4);
/// The number of attempts to take a lock, and the pause between them.
const ATTEMPTS: (u32, Duration) = (400, Duration::from_millis(5));

/// Returns the number of bytes written from one fold to the next.
pub fn fold_after(limit: u64) -> u64 {
    (limit / FOLD_SHARE).clamp(FOLD_AFTER.0, FOLD_AFTER.1)
}

/// Disk space claimed for a write in progress. Dropping it releases the claim.
#[derive(Debug)]
pub struct Room<'a> {
    root: &'a Root,
    limit: u64,
    claimed: u64,
    used: u64,
    /// True if a fold has become due.
    is_due: bool,
}

impl<'a> Room<'a> {
    /// Creates an empty claim in a store of up to `limit` bytes.
    pub fn within(root: &'a Root, limit: u64) -> Room<'a> {
        Room { root, limit, claimed: 0, used: 0, is_due: false }
    }

    /// Claims the disk usage of a file of `len` bytes.
    pub fn claim_file(&mut self, len: u64) -> rustix::io::Result<bool> {
        self.claim(blocks(len))
    }

    /// Claims more bytes, making room for them if necessary. Returns whether there is room.
    pub fn claim(&mut self, bytes: u64) -> rustix::io::Result<bool> {
        let used = self.used.saturating_add(bytes);
        if used > self.claimed {
            let chunk = (self.limit / CHUNK_SHARE).clamp(CHUNK.0, CHUNK.1);
            // Small files are claimed exactly, growing ones in ever larger chunks.
            let more = blocks((used - self.claimed).max(self.used.min(chunk)));
            let (root, limit) = (self.root, self.limit);
            let make = || make(root, limit, more, false);
            if lacking_on_disk(root, more, SPARE).is_some() {
                // If that is not enough, the write fails.
                make()?;
            }
            if !(self.take(more)? || make()? && self.take(more)?) {
                return Ok(false);
            }
            self.claimed += more;
        }
        self.used = used;
        Ok(true)
    }

    fn take(&mut self, more: u64) -> rustix::io::Result<bool> {
        let (limit, after) = (self.limit, fold_after(self.limit));
        let (fits, is_due) = account::update(self.root, |account| {
            let taken = account.taken.saturating_add(more);
            if taken > limit {
                return (false, false);
            }
            let written = account.written;
            (account.taken, account.written) = (taken, written.saturating_add(more));
            (true, account.written / after != written / after)
        })?;
        self.is_due |= is_due;
        Ok(fits)
    }

    /// Releases what was claimed and not used, once everything is in place and takes `taken` bytes.
    /// Returns whether a fold is due.
    pub fn settle(mut self, taken: u64) -> bool {
        let claimed = std::mem::take(&mut self.claimed);
        if claimed != taken {
            // If this fails, the next survey corrects the account.
            let _ = account::update(self.root, |account| {
                account.taken = account.taken.saturating_sub(claimed).saturating_add(taken);
                account.written = account.written.saturating_sub(claimed).saturating_add(taken);
            });
        }
        self.is_due
    }

    /// Releases the whole claim.
    pub fn give_back(&mut self) {
        let claimed = std::mem::take(&mut self.claimed);
        self.used = 0;
        if claimed > 0 {
            let _ = account::update(self.root, |account| {
                account.taken = account.taken.saturating_sub(claimed);
                account.written = account.written.saturating_sub(claimed);
            });
        }
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Marks the output of a superseded entry to be removed first, except what the next entry shares.
/// The caller holds the publish lock.
pub fn supersede(root: &Root, earlier: &Entry, next: &Entry) {
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    let first = Timestamps { last_access: zero, last_modification: zero };
    for blob in earlier.blobs().filter(|blob| !next.blobs().any(|one| one.hash == blob.hash)) {
        set_times(root, &blob.hash, &first);
    }
}

/// Marks an existing blob as used now. The caller holds the publish lock.
pub fn renew(root: &Root, blob: &BlobRef) {
    set_times(root, &blob.hash, &fsutil::NOW);
}

/// Records the last use of an entry in the times of its files.
pub fn used_at(root: &Root, entry: &Entry, nanos: u64) {
    let time =
        Timespec { tv_sec: (nanos / 1_000_000_000) as i64, tv_nsec: (nanos % 1_000_000_000) as _ };
    let times = Timestamps { last_access: time, last_modification: time };
    let _ = fsutil::set_times(root, young::path(&entry.key), &times);
    for_each_blob(root, entry, &mut |hash| set_times(root, hash, &times));
}

fn set_times(root: &Root, hash: &[u8; 32], times: &Timestamps) {
    for form in Form::ALL {
        let _ = fsutil::set_times(root, form.path(hash), times);
    }
}

fn for_each_blob(root: &Root, entry: &Entry, visit: &mut dyn FnMut(&[u8; 32])) {
    entry.blobs().for_each(|blob| visit(&blob.hash));
    let list = entry.manifest().and_then(|blob| blobs::manifest(root, &blob).ok().flatten());
    list.iter().flat_map(Manifest::blobs).for_each(|blob| visit(&blob.hash));
}

/// Makes room for `more` bytes. Where there cannot be enough, makes none, or with `or_less` as much
/// as there can be. Returns whether there may be enough now.
fn make(root: &Root, limit: u64, more: u64, or_less: bool) -> rustix::io::Result<bool> {
    let Some(_making) = patiently(root, MAKING)? else { return Ok(false) };
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
    // Also deletes what other processes moved out of the way.
    let _ = sweep::trash(root);
    let mut files = Vec::new();
    let survey = Survey::of(root, &mut |file| {
        if let Some(kind) = Kind::of(file.path) {
            files.push(File { used: file.changed, bytes: file.bytes, kind });
        }
    })?;
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

/// Makes room on a nearly full file system, for the bookkeeping of removals.
pub fn relieve(root: &Root) -> rustix::io::Result<()> {
    relieve_by(root, false)
}

/// Gives up the [reserve], and makes as much room as there can be, if that is not enough: whoever
/// removes entries from a full file system wants space, and recent ones are the only ones that go
/// without any.
pub fn relieve_at_any_cost(root: &Root) -> rustix::io::Result<()> {
    reserve::give_up_if_short(root)?;
    relieve_by(root, true)
}

fn relieve_by(root: &Root, or_less: bool) -> rustix::io::Result<()> {
    if lacking_on_disk(root, 0, SPARE).is_some() {
        make(root, u64::MAX, BOOKKEEPING, or_less)?;
    }
    Ok(())
}

/// Returns whether so little of the file system is free that what failed may have failed for that
/// reason.
pub fn is_short(root: &Root) -> bool {
    !spares(root, 0)
}

/// Returns whether the file system has this much space to spare.
pub fn spares(root: &Root, bytes: u64) -> bool {
    !lacking_on_disk(root, bytes, SPARE).is_some()
}

/// Returns whether there is room to remove this many entries from the database by sled, which writes
/// a page for each.
pub fn is_enough_to_remove(root: &Root, entries: usize) -> rustix::io::Result<bool> {
    let pages = (entries as u64).saturating_mul(PAGE).min(account::database(root)?);
    Ok(left(root) >= pages.saturating_add(BOOKKEEPING / 2))
}

/// Returns how much space the file system has left. One that cannot tell is not full.
pub fn left(root: &Root) -> u64 {
    match rustix::fs::fstatvfs(root) {
        Ok(disk) if disk.f_blocks > 0 => disk.f_bavail.saturating_mul(disk.f_frsize),
        _ => u64::MAX,
    }
}

/// An amount of file system space; some file systems also limit the number of files.
#[derive(Clone, Copy, Default)]
struct Amount {
    bytes: u64,
    files: u64,
}

impl Amount {
    fn is_some(self) -> bool {
        self.bytes > 0 || self.files > 0
    }

    fn covers(self, wanted: Amount) -> bool {
        self.bytes >= wanted.bytes && self.files >= wanted.files
    }
}

/// Returns how much space the file system lacks to write `more` bytes and leave `spare` free.
fn lacking_on_disk(root: &Root, more: u64, spare: u64) -> Amount {
    // A file system that cannot tell is not full.
    let Ok(disk) = rustix::fs::fstatvfs(root) else { return Amount::default() };
    let of_blocks = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let (all, free) = (of_blocks(disk.f_blocks), of_blocks(disk.f_bavail));
    let spare = spare.min(all / SPARE_SHARE);
    let bytes = if all == 0 { 0 } else { more.saturating_add(spare).saturating_sub(free) };
    let files = SPARE_FILES.min(disk.f_files / SPARE_SHARE).saturating_sub(disk.f_favail);
    Amount { bytes, files }
}

/// A file that may be removed.
struct File {
    used: u64,
    bytes: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Young(Key),
    Blob([u8; 32], Form),
}

impl Kind {
    fn of(path: &Path) -> Option<Kind> {
        let mut parts = path.iter();
        let (folder, _, name) = (parts.next()?, parts.next()?, parts.next()?);
        match folder.to_str()? {
            "young" => Key::from_hex(name.as_bytes()).map(Kind::Young),
            "blobs" => Form::of_name(name.as_bytes()).map(|(hash, form)| Kind::Blob(hash, form)),
            _ => None,
        }
    }

    fn path(self) -> PathBuf {
        match self {
            Kind::Young(key) => young::path(&key),
            Kind::Blob(hash, form) => form.path(&hash),
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
        };
        file.used = file.used.max(at.copied().unwrap_or_default());
    }
    files.sort_unstable_by_key(|file| file.used);
    // Recorders rely on existing files while they hold the publish lock.
    let Some(_publish) = patiently(root, lock::PUBLISH)? else { return Ok(freed) };
    for file in files {
        if freed.covers(goal) {
            break;
        }
        let path = file.kind.path();
        let (is_gone, files) = match file.kind {
            Kind::Young(key) if filter::may_hold(root, &key) => (empty(root, &path), 0),
            _ => (fsutil::remove_file(root, &path), 1),
        };
        if is_gone.unwrap_or(false) {
            freed.bytes = freed.bytes.saturating_add(file.bytes);
            freed.files += files;
        }
    }
    Ok(freed)
}

/// Empties a file, which readers take for a damaged entry.
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

/// Takes a lock that is held only briefly; `None` if it stays held.
fn patiently(root: &Root, name: &str) -> rustix::io::Result<Option<Lock>> {
    for _ in 0..ATTEMPTS.0 {
        if let Some(lock) = Lock::take(root, name, Mode::TryExclusive)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(ATTEMPTS.1);
    }
    Ok(None)
}
