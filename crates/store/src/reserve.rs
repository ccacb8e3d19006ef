//! Disk space that is set aside for removals.
//!
//! sled writes before it frees anything. Where the file system is full and nothing but the database
//! holds entries, no other file can make room for that, so that nothing could be forgotten. So a
//! file of nothing but allocated space lies beside the database. A removal that finds the file
//! system full empties it, and what cleans up afterwards allocates it again: the name says that
//! there was a reserve.
//!
//! A reader needs room, too, though much less: sled may write a snapshot before it reads, and may
//! write a page that it has only read anew. So half of the space is lent while the database is
//! open, see [`lend`].
//!
//! It is a precaution: where it cannot be allocated, removals work as long as there is room.

use super::account::BLOCK;
use super::{Root, account, guard, room};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fs::{FallocateFlags, OFlags};
use std::path::Path;

/// Its name below the root.
pub const FILE: &str = "reserve";
/// The minimum size in bytes: a fold, a removal and a rebuild of a small database.
const LEAST: u64 = 1024 * 1024;
/// The share of a large database that is set aside: its snapshots and the filter are written anew.
const SHARE: u64 = 32;
/// The maximum share of the store's size limit.
const LIMIT_SHARE: u64 = 32;

/// The share that is lent.
const LENT_SHARE: u64 = 2;

/// Sets the space aside in a store of up to `limit` bytes, unless the file system is nearly full.
/// The caller holds the fold lock.
pub fn keep(root: &Root, limit: Option<u64>) {
    let _ = try_keep(root, limit, false);
}

/// Works like [`keep`] after a removal, which may have given the space up: what is left of it is
/// nobody else's. In a store without any, sets aside half of what there is now on a full file
/// system: the next removal may not find as much.
pub fn keep_again(root: &Root) {
    let _ = try_keep(root, None, true);
}

fn try_keep(root: &Root, limit: Option<u64>, again: bool) -> rustix::io::Result<()> {
    let (len, taken) = match fsutil::stat(root, FILE)? {
        Some(stat) => (Some(stat.st_size as u64), account::on_disk(&stat)),
        None => (None, 0),
    };
    let wanted = if guard::exists(root) { LEAST.max(account::database(root)? / SHARE) } else { 0 };
    let wanted = wanted.checked_next_power_of_two().unwrap_or_default();
    if wanted == 0 || limit.is_some_and(|limit| wanted > limit / LIMIT_SHARE) {
        return remove(root, taken);
    }
    let own = if len.is_some() { room::left(root) } else { room::left(root) / 2 };
    let wanted = if again { wanted.min(own / BLOCK * BLOCK) } else { wanted };
    let may_be_taken = || match (again, len) {
        (true, Some(len)) => len == 0,
        (true, None) => room::is_short(root),
        (false, _) => room::spares(root, wanted - taken),
    };
    if taken >= wanted || !may_be_taken() {
        return Ok(());
    }
    let file = fsutil::create_file(root, FILE, OFlags::WRONLY)?;
    failpoint::at("reserve")?;
    let allocated = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, wanted);
    if allocated.is_err() {
        // Some of it may have been allocated.
        rustix::fs::ftruncate(&file, len.unwrap_or_default())?;
    }
    allocated?;
    account::update(root, |account| {
        account.taken = account.taken.saturating_add(wanted - taken);
    })
}

/// Space that was lent. Dropping this allocates it again, as far as it is still there.
#[derive(Debug)]
pub struct Loan<'a> {
    root: &'a Root,
    before: u64,
    kept: u64,
}

/// Lends a part of the space if less than that is free. The caller holds the database's lock.
pub fn lend(root: &Root) -> rustix::io::Result<Option<Loan<'_>>> {
    let Some(stat) = fsutil::stat(root, FILE)? else { return Ok(None) };
    let before = account::on_disk(&stat);
    let lent = before / LENT_SHARE / BLOCK * BLOCK;
    if lent == 0 || room::left(root) >= lent {
        return Ok(None);
    }
    let kept = before - lent;
    rustix::fs::ftruncate(fsutil::open_as(root, Path::new(FILE), OFlags::WRONLY)?, kept)?;
    Ok(Some(Loan { root, before, kept }))
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let again = self.end().unwrap_or(self.kept);
        account::give_back(self.root, self.before - again);
    }
}

impl Loan<'_> {
    /// Returns how much is set aside again.
    fn end(&self) -> rustix::io::Result<u64> {
        let file = fsutil::open_as(self.root, Path::new(FILE), OFlags::WRONLY)?;
        // Otherwise a removal took the rest, or a fold set all of it aside, and counted what it did.
        if rustix::fs::fstat(&file)?.st_size as u64 != self.kept {
            return Ok(self.kept);
        }
        let free = room::left(self.root) / BLOCK * BLOCK;
        let wanted = self.before.min(self.kept.saturating_add(free));
        let allocated = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, wanted);
        if allocated.is_err() {
            rustix::fs::ftruncate(&file, self.kept)?;
        }
        allocated?;
        Ok(wanted)
    }
}

/// Returns how much of it is more than a store of up to `limit` bytes has.
pub fn beyond(root: &Root, limit: u64) -> u64 {
    let taken = fsutil::stat(root, FILE).ok().flatten().map_or(0, |stat| account::on_disk(&stat));
    if taken > limit / LIMIT_SHARE { taken } else { 0 }
}

/// Removes what is more than a store of up to `limit` bytes has, until the next fold.
pub fn fit(root: &Root, limit: u64) -> rustix::io::Result<()> {
    match beyond(root, limit) {
        0 => Ok(()),
        taken => remove(root, taken),
    }
}

fn remove(root: &Root, taken: u64) -> rustix::io::Result<()> {
    if fsutil::remove_file(root, FILE)? {
        account::give_back(root, taken);
    }
    Ok(())
}

/// Gives the space up if less than that is free.
pub fn give_up_if_short(root: &Root) -> rustix::io::Result<()> {
    let Some(stat) = fsutil::stat(root, FILE)? else { return Ok(()) };
    let taken = account::on_disk(&stat);
    if taken > 0 && room::left(root) < taken {
        fsutil::create_file(root, FILE, OFlags::WRONLY | OFlags::TRUNC)?;
        account::give_back(root, taken);
    }
    Ok(())
}
