//! Rewrites the old store beside itself and exchanges the two: sled never gives back space, and
//! the entries should be spread over more databases as they become many.
//!
//! The caller holds the fold lock, so that nothing is added meanwhile. Readers go on with the old
//! one, and wait only for the exchange, which is one rename on systems that can exchange. A
//! process that is killed leaves either of the two in place, and the other to be swept.

use super::account;
use super::database::{Filling, open_database};
use super::guard::{self, PULSE};
use super::metadata::{decode, encode};
use super::old::{INDEX, Old};
use super::shards::{Shards, bits_for};
use super::walk::Span;
use super::{Root, in_place, room, sweep};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name of the store while it is being written.
pub const BUILDING: &str = "old.building";
/// The name of the store that was written, or of the one that it replaced.
pub const NEXT: &str = "old.next";
/// The folders that a killed rebuild may leave.
pub const FOLDERS: [&str; 2] = [BUILDING, NEXT];
/// The number of rows that are copied while readers wait.
const PAGE: usize = 20_000;
/// The number of sealed entries that are copied while readers wait.
const ENTRIES_PAGE: usize = 2000;
/// The number of bytes by which a database of any size may exceed its size after a rebuild.
const SLACK: u64 = 1 << 20;
/// The percentage of that size that a database may grow to.
const GROWN: u64 = 200;
/// The percentage where much was removed, or room is short.
const GROWN_LITTLE: u64 = 115;
/// The share of the entries from which a removal is followed by a thorough rebuild: an eighth.
pub const MUCH: u64 = 8;
/// The share of the limit by which it may be exceeded for a moment: a quarter.
const BEYOND: u64 = 4;
/// The number of entries from which their size is known.
const SOME: usize = 64;
/// The size of an entry in bytes, until it is known.
const USUAL: u64 = 1500;

/// The size of the old store after its last rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// The size on disk, in bytes.
    bytes: u64,
    /// The number of entries.
    entries: u64,
}

impl Rebuilt {
    /// Returns the expected size of this many entries after a rebuild, in bytes.
    fn expected(&self, entries: u64) -> u64 {
        let each = if self.is_known() { self.bytes / self.entries } else { USUAL };
        entries.saturating_mul(each)
    }

    /// Returns whether there were enough entries to expect more of the same size.
    fn is_known(&self) -> bool {
        self.entries >= SOME as u64
    }

    /// Returns the size, or an estimate by some entries if it is not known.
    fn or_of_some(self, root: &Root) -> Result<Rebuilt> {
        if self.is_known() {
            return Ok(self);
        }
        let page = Old::with(root, |old| Ok(old.page(&mut Span::all(), 2 * SOME)?))?;
        let sealed: usize = page.iter().map(|(_, sealed)| sealed.len()).sum();
        let entries = page.len() as u64;
        // sled takes twice what it is given, and each entry has its share of the index.
        Ok(Rebuilt { bytes: 2 * sealed as u64 + entries * USUAL / 2, entries })
    }

    /// Returns the room to write a store of this many entries. Where that runs out, sled may hang.
    fn room_for(&self, entries: u64) -> u64 {
        room_for(self.expected(entries))
    }
}

/// Returns the room to write a store that is expected to take this many bytes.
pub fn room_for(bytes: u64) -> u64 {
    bytes.saturating_mul(GROWN) / 100 + SLACK
}

/// The criteria for a rebuild of the old store, besides its size.
#[derive(Clone, Copy, Debug)]
pub struct State {
    entries: u64,
    is_to_be_spread: bool,
    rebuilt: Rebuilt,
}

impl State {
    /// Returns the state of an open store.
    pub fn of(old: &Old) -> sled::Result<State> {
        let rebuilt = old.meta.get("rebuilt")?.and_then(|bytes| decode::<Rebuilt>(&bytes));
        let entries = old.totals().entries;
        let is_to_be_spread = old.entries.are_too_few_for(entries);
        Ok(State { entries, is_to_be_spread, rebuilt: rebuilt.unwrap_or_default() })
    }

    /// Rebuilds the store if that pays, or with `thoroughly` even if it gives back little. Does not
    /// rebuild it if both do not fit in a store of up to `limit` bytes, a quarter of which they may
    /// exceed it by. Returns whether it was done.
    pub fn rebuild_if_due(self, root: &Root, thoroughly: bool, limit: Option<u64>) -> Result<bool> {
        let State { entries, is_to_be_spread, rebuilt } = self;
        let taken = account::database(root)?;
        let percent = if thoroughly { GROWN_LITTLE } else { GROWN };
        let most = rebuilt.expected(entries).saturating_mul(percent) / 100 + SLACK;
        if !is_to_be_spread && taken <= most || in_place::is_partial(root) {
            return Ok(false);
        }
        let rebuilt = rebuilt.or_of_some(root)?;
        let most = limit.map_or(u64::MAX, |limit| limit.saturating_add(limit / BEYOND));
        let beside = account::update(root, |account| account.taken)?;
        if room::left(root) < rebuilt.room_for(entries)
            || beside.saturating_add(rebuilt.expected(entries)) > most
        {
            return Ok(false);
        }
        match rebuild(root, bits_for(entries)) {
            // Somebody else took the room. sled uses what was removed from its segments anew.
            Err(_) if room::is_short(root) => Ok(false),
            done => done.map(|()| true),
        }
    }
}

/// Rebuilds the old store if that pays, see [`State::rebuild_if_due`].
pub fn rebuild_if_due(root: &Root, thoroughly: bool, limit: Option<u64>) -> Result<bool> {
    if !guard::exists(root) {
        return Ok(false);
    }
    Old::with(root, |old| Ok(State::of(old)?))?.rebuild_if_due(root, thoroughly, limit)
}

/// Rebuilds the old store, with its entries spread over databases by `bits` of their keys.
pub fn rebuild(root: &Root, bits: u8) -> Result<()> {
    sweep_leftovers(root);
    let done = PULSE.beside(|| copy(root, bits)).and_then(|()| exchange(root));
    // What is left was not exchanged, or is the store that was replaced.
    sweep_leftovers(root);
    account::note_database(root)?;
    done
}

fn copy(root: &Root, bits: u8) -> Result<()> {
    fsutil::subfolder(root, BUILDING).context("rebuilding the store of older entries")?;
    let path = root.path().join(BUILDING);
    let index = open_database(&path.join(INDEX))?;
    let (mut span, mut filling) = (Span::all(), Filling::default());
    loop {
        let page = Old::with(root, |old| Ok(old.raw_page(&mut span, PAGE)?))?;
        if page.is_empty() {
            break;
        }
        for (place, value) in page {
            filling.insert(&index, &place, value)?;
        }
    }
    let entries = Shards::of(&path, bits)?;
    let (mut span, mut count) = (Span::all(), 0);
    loop {
        let page = Old::with(root, |old| Ok(old.page(&mut span, ENTRIES_PAGE)?))?;
        if page.is_empty() {
            break;
        }
        count += page.len() as u64;
        for (key, sealed) in page {
            entries.fill(&mut filling, &key.0, sealed)?;
        }
        entries.close()?;
    }
    entries.settle()?;
    index.flush()?;
    let bytes = account::size_of(root, BUILDING)?;
    let rebuilt = encode(&Rebuilt { bytes, entries: count });
    index.insert([&b"m"[..], b"rebuilt"].concat(), rebuilt)?;
    index.flush()?;
    drop(index);
    drop(open_database(&path.join(INDEX))?);
    PULSE.beat();
    Ok(())
}

/// Puts the rebuilt store in place.
fn exchange(root: &Root) -> Result<()> {
    failpoint::at("exchange")?;
    fsutil::rename(root, BUILDING, NEXT)?;
    sync(root);
    let _old = Lock::wait(root, lock::OLD, Mode::Exclusive)?;
    failpoint::at("exchange")?;
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        match rustix::fs::renameat_with(root, NEXT, root, guard::DIR, flags) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            done => {
                done.context("exchanging the store of older entries")?;
                sync(root);
                return Ok(());
            }
        }
    }
    // If this process is killed here, the next one that opens the store finishes the exchange.
    let trash = Path::new(&sweep::trash_name()).join(guard::DIR);
    fsutil::rename(root, guard::DIR, trash)?;
    finish_exchange(root)?;
    sync(root);
    Ok(())
}

/// Gives the old store its name, if an exchange was interrupted. The caller holds its lock.
pub fn finish_exchange(root: &Root) -> rustix::io::Result<()> {
    match fsutil::rename(root, NEXT, guard::DIR) {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

/// Syncs the folder of the store. Not every file system can, so errors are ignored.
fn sync(root: &Root) {
    let _ = rustix::fs::fsync(root);
}

/// Removes what a rebuild left behind. The caller holds the fold lock.
pub fn sweep_leftovers(root: &Root) {
    sweep::remove_tree(root, BUILDING);
    // If there is no other one, it is the store itself.
    if guard::is_in_place(root) {
        sweep::remove_tree(root, NEXT);
    }
}
