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
//! The least recently used files go first.

mod making;

pub use making::MAKING;

use super::account::{self, blocks};
use super::blobs::{self, Form};
use super::{Root, events, filter, rebuild, reserve, temporary, young};
use cachex_base::record::entry::{BlobRef, Entry};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::fsutil;
use making::make;
use rustix::event::Timespec;
use rustix::fs::Timestamps;
use rustix::io::Errno;
use std::path::PathBuf;

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
/// The bytes that a removal takes before it frees any where the database is written anew, or sled's
/// snapshot of it.
const FIRST_STEP: u64 = 64 * 1024;
/// The size of a page that sled writes to remove an entry.
const PAGE: u64 = 16 * 1024;

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

    /// Returns the limit of the store, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Makes room for what takes long to come: each part of it is claimed when it is written, since
    /// a survey in between would not find it. Returns whether there is room.
    pub fn make_for(&mut self, bytes: u64) -> rustix::io::Result<bool> {
        let is_there = self.claim(bytes)?;
        self.give_back();
        Ok(is_there)
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

    /// Claims this many bytes if there is room for them already. Returns whether there is.
    pub fn claim_what_is_free(&mut self, bytes: u64) -> rustix::io::Result<bool> {
        let fits = spares(self.root, bytes) && self.take(bytes)?;
        if fits {
            (self.claimed, self.used) = (self.claimed + bytes, self.used + bytes);
        }
        Ok(fits)
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

/// A file that only saves time, such as a path set, with room for it.
#[derive(Debug)]
pub struct NewMemory<'a> {
    room: Room<'a>,
    path: PathBuf,
    /// The disk usage of what it replaces.
    before: u64,
}

impl<'a> NewMemory<'a> {
    /// Claims room for a file of up to `len` bytes in a store of up to `limit` bytes. Fails with
    /// `NOSPC` if none can be made. The caller does not hold the publish lock.
    pub fn claim(
        root: &'a Root,
        limit: u64,
        path: PathBuf,
        len: u64,
    ) -> rustix::io::Result<NewMemory<'a>> {
        let before = fsutil::stat(root, &path)?.map_or(0, |stat| account::on_disk(&stat));
        let more = blocks(len).saturating_sub(before);
        let mut room = Room::within(root, limit);
        let has_room = more == 0 || room.claim(more)?;
        if has_room { Ok(NewMemory { room, path, before }) } else { Err(Errno::NOSPC) }
    }

    /// Puts the file in its place. Returns whether a fold is due.
    pub fn put(self, bytes: &[u8]) -> rustix::io::Result<bool> {
        let NewMemory { room, path, before } = self;
        let root = room.root;
        temporary::put(root, &path, bytes)?;
        let now = blocks(bytes.len() as u64);
        account::give_back(root, before.saturating_sub(now));
        Ok(room.settle(now.saturating_sub(before)))
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

/// Makes room on a nearly full file system, for the bookkeeping of removals.
pub fn relieve(root: &Root) -> rustix::io::Result<()> {
    relieve_by(root, false)
}

/// Gives up the [reserve], and makes as much room as there can be, if that is not enough: whoever
/// removes entries from a full file system wants space, and recent ones are the only ones that go
/// without any. Returns how many of these are given up.
pub fn relieve_at_any_cost(root: &Root) -> rustix::io::Result<u64> {
    relieve_for_the_first_step(root)?;
    if !is_short(root) {
        return Ok(0);
    }
    let count = || young::Young::new(root).there();
    let before = count();
    relieve_by(root, true)?;
    Ok(before.saturating_sub(count()))
}

/// Removes what dead processes left, gives up the [reserve] for the first step of a removal, and if
/// hardly any space is left then, as without a reserve, what can be made again, and the events that
/// no fold has counted, since counting them is writing.
pub fn relieve_for_the_first_step(root: &Root) -> rustix::io::Result<()> {
    temporary::sweep(root)?;
    reserve::give_up_if_short(root)?;
    for name in [events::PAST, filter::FILE] {
        if has_no_first_step(root) {
            fsutil::remove_file(root, name)?;
        }
    }
    if has_no_first_step(root) {
        for name in fsutil::names(root, ".")? {
            if name.to_str().is_some_and(events::is_log) {
                fsutil::remove_file(root, name)?;
            }
        }
    }
    Ok(())
}

/// Returns whether there is hardly any space left, which a removal may need.
pub fn has_no_first_step(root: &Root) -> bool {
    left(root) < FIRST_STEP
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

/// Returns whether there is room to begin a database. One that is begun without cannot be read.
pub fn is_enough_to_begin(root: &Root) -> bool {
    left(root) >= BOOKKEEPING
}

/// Returns whether there is room to remove this many entries from the database by sled, which writes
/// a page for each, and if they are many, to give their space back by a rebuild afterwards.
pub fn is_enough_to_remove(root: &Root, entries: usize) -> rustix::io::Result<bool> {
    let (entries, database) = (entries as u64, account::database(root)?);
    let pages = entries.saturating_mul(PAGE).min(database);
    let all = filter::len(root).unwrap_or(entries).max(1);
    let rebuilt = match all.saturating_sub(entries) {
        kept if entries.saturating_mul(rebuild::MUCH) > all => {
            rebuild::room_for(database / all * kept)
        }
        _ => 0,
    };
    Ok(left(root) >= pages.saturating_add(rebuilt).saturating_add(BOOKKEEPING / 2))
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

    fn add(&mut self, bytes: u64, files: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.files = self.files.saturating_add(files);
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
