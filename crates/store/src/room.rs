//! Room for what is written: claimed before it is, within the limit on the store's size.
//!
//! What a record takes is in the [account] before it is on disk. Where
//! that would be too much, whoever records makes room by files alone: no helper process
//! is needed and no sled, so the limit holds where none can be started and where the
//! fold in the background is killed each time. The fold makes room in good time as a
//! rule; see [`super::fold`].
//!
//! So it is where the file system is nearly full: what is recorded now, and the books of
//! what is removed, need room as well.
//!
//! The least recently used go first. When a file was last used is its time of
//! modification, which the fold sets for what was hit, or the time of a hit since. The
//! output that a record superseded has the earliest time there is ([`supersede`]). What
//! two entries share is gone for both; an entry without its output is a miss, and the
//! fold drops it. A young file is emptied rather than removed where the database may
//! hold an earlier version of its entry, which must not be found in its stead.
//!
//! Lock order: [`MAKING`] comes before the publish lock, and neither is waited for long.

use super::account::{self, Account, Survey, blocks};
use super::blobs::{self, Form};
use super::{Root, events, filter, guard, sweep, young};
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

/// The lock of whoever makes room.
pub const MAKING: &str = "locks/room";
/// What is claimed at once is a share of the limit,
const CHUNK_SHARE: u64 = 128;
/// within these bounds.
const CHUNK: (u64, u64) = (64 * 1024, 8 * 1024 * 1024);
/// A fold is due each time so large a share of the limit has been written,
const FOLD_SHARE: u64 = 8;
/// within these bounds.
const FOLD_AFTER: (u64, u64) = (256 * 1024, 64 * 1024 * 1024);
/// So large a share of the limit is made free besides what is needed.
const SPARE_SHARE: u64 = 16;
/// So much of the file system is left free, or that share of it,
const SPARE: u64 = 4 * 1024 * 1024;
/// and so many of the files that it can have.
const SPARE_FILES: u64 = 64;
/// A database that is larger than three quarters of the limit, where no fold makes it
/// smaller, is given up for the sake of what is recorded now.
const HOPELESS: (u64, u64) = (3, 4);
/// How often a lock is tried, and how long is waited in between.
const ATTEMPTS: (u32, Duration) = (400, Duration::from_millis(5));

/// How many bytes are written from one fold to the next.
pub fn fold_after(limit: u64) -> u64 {
    (limit / FOLD_SHARE).clamp(FOLD_AFTER.0, FOLD_AFTER.1)
}

/// Room that is claimed for what is being written. Dropped, it is given back.
#[derive(Debug)]
pub struct Room<'a> {
    root: &'a Root,
    limit: u64,
    claimed: u64,
    used: u64,
    /// Whether a fold has become due.
    is_due: bool,
}

impl<'a> Room<'a> {
    /// None yet, of a store that may take `limit` bytes.
    pub fn within(root: &'a Root, limit: u64) -> Room<'a> {
        Room { root, limit, claimed: 0, used: 0, is_due: false }
    }

    /// Claims what a file of so many bytes takes.
    pub fn claim_file(&mut self, len: u64) -> rustix::io::Result<bool> {
        self.claim(blocks(len))
    }

    /// Claims so many more bytes, and makes room for them if need be; whether there is.
    pub fn claim(&mut self, bytes: u64) -> rustix::io::Result<bool> {
        let used = self.used.saturating_add(bytes);
        if used > self.claimed {
            let chunk = (self.limit / CHUNK_SHARE).clamp(CHUNK.0, CHUNK.1);
            // What is small is claimed exactly, what grows in ever larger pieces.
            let more = blocks((used - self.claimed).max(self.used.min(chunk)));
            if lacking_on_disk(self.root, more).is_some() {
                // Where that is not enough, it is the write that says so.
                make(self.root, self.limit, more)?;
            }
            if !(self.take(more)? || make(self.root, self.limit, more)? && self.take(more)?) {
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

    /// Gives back what was claimed and not used: everything is in its place now and
    /// takes so many bytes. Whether a fold is due.
    pub fn settle(mut self, taken: u64) -> bool {
        let claimed = std::mem::take(&mut self.claimed);
        if claimed != taken {
            // What cannot be written now is put right by the next survey.
            let _ = account::update(self.root, |account| {
                account.taken = account.taken.saturating_sub(claimed).saturating_add(taken);
                account.written = account.written.saturating_sub(claimed).saturating_add(taken);
            });
        }
        self.is_due
    }

    /// Gives everything back, as if nothing had been claimed.
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

/// The output of an entry that another took the place of goes first, wherever it is not
/// recorded anew. The caller holds the publish lock.
pub fn supersede(root: &Root, earlier: &Entry, next: &Entry) {
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    let first = Timestamps { last_access: zero, last_modification: zero };
    for blob in earlier.blobs().filter(|blob| !next.blobs().any(|one| one.hash == blob.hash)) {
        set_times(root, &blob.hash, &first);
    }
}

/// A blob that was there is needed anew. The caller holds the publish lock.
pub fn renew(root: &Root, blob: &BlobRef) {
    set_times(root, &blob.hash, &fsutil::NOW);
}

/// Notes in the files of an entry when it was last used.
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

/// Makes room for so many bytes more; whether there may be by now.
fn make(root: &Root, limit: u64, more: u64) -> rustix::io::Result<bool> {
    let Some(_making) = patiently(root, MAKING)? else { return Ok(false) };
    let lacking = |account: &Account| {
        let beyond = account.taken.saturating_add(more).saturating_sub(limit);
        let on_disk = lacking_on_disk(root, more);
        Amount { bytes: beyond.max(on_disk.bytes), ..on_disk }
    };
    // On a full disk there may be no account, and no room for one.
    let before = account::update(root, |account| *account).unwrap_or_default();
    if !lacking(&before).is_some() {
        return Ok(true);
    }
    // Deletes what others moved out of the way, too.
    let _ = sweep::trash(root);
    let mut files = Vec::new();
    let survey = Survey::of(root, &mut |file| {
        if let Some(kind) = Kind::of(file.path) {
            files.push(File { used: file.changed, bytes: file.bytes, kind });
        }
    })?;
    let account = account::correct(root, &before, &survey);
    let account = account.unwrap_or(Account { taken: survey.total, ..before });
    let wanted = lacking(&account);
    if !wanted.is_some() {
        return Ok(true);
    }
    let bytes = files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
    let all = Amount { bytes, files: files.len() as u64 };
    if !all.covers(wanted) {
        let (part, whole) = HOPELESS;
        // Whatever else goes, it is not enough.
        return Ok(account.database / part > limit / whole && give_up_database(root)?);
    }
    let spare = limit.min(account.taken) / SPARE_SHARE;
    let goal = wanted.bytes.saturating_add(spare).min(all.bytes);
    let freed = evict(root, files, Amount { bytes: goal, ..wanted })?;
    account::give_back(root, freed.bytes);
    let _ = sweep::queues(root);
    Ok(freed.covers(wanted))
}

/// Makes room on a file system that is nearly full, for the books of what goes.
pub fn relieve(root: &Root) -> rustix::io::Result<()> {
    if lacking_on_disk(root, 0).is_some() {
        make(root, u64::MAX, 0)?;
    }
    Ok(())
}

/// What files take of a file system: some have a limit on their number, too.
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

/// How much more than there is on the file system there should be, to write so many bytes.
fn lacking_on_disk(root: &Root, more: u64) -> Amount {
    // What does not know how much it has is not full.
    let Ok(disk) = rustix::fs::fstatvfs(root) else { return Amount::default() };
    let of_blocks = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let (all, free) = (of_blocks(disk.f_blocks), of_blocks(disk.f_bavail));
    let spare = SPARE.min(all / SPARE_SHARE);
    let bytes = if all == 0 { 0 } else { more.saturating_add(spare).saturating_sub(free) };
    let files = SPARE_FILES.min(disk.f_files / SPARE_SHARE).saturating_sub(disk.f_favail);
    Amount { bytes, files }
}

/// A file that may go.
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

/// Removes files, the least recently used first, until the goal is reached; what that frees.
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
    // Recorders rely on what they found there until they let go of it.
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

/// Leaves a file without content, which is a damaged entry to who reads it.
fn empty(root: &Root, path: &Path) -> rustix::io::Result<bool> {
    let Some(stat) = fsutil::stat(root, path)? else { return Ok(false) };
    if stat.st_size == 0 {
        return Ok(false);
    }
    fsutil::create_file(root, path, OFlags::WRONLY | OFlags::TRUNC)?;
    Ok(true)
}

/// When what was hit since the last fold was used, by key and by blob.
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

/// Removes the database, unless somebody is at it.
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

/// Takes a lock that nobody holds for long. None: somebody does.
fn patiently(root: &Root, name: &str) -> rustix::io::Result<Option<Lock>> {
    for _ in 0..ATTEMPTS.0 {
        if let Some(lock) = Lock::take(root, name, Mode::TryExclusive)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(ATTEMPTS.1);
    }
    Ok(None)
}
