//! The sealed entries, in databases by the first bits of their keys.
//!
//! A look-up opens only one of them, so its cost does not grow with the store: when there are too
//! many entries for a few milliseconds, a [rebuild](super::rebuild) spreads them over more
//! databases. Keys are uniform, and the databases divide them in order: together they are one
//! table that can be walked.
//!
//! The names say how many bits there are: `old/entries-4-a3` has the keys whose first four bits
//! are those of `a3`, … as a byte.

use super::database::{Filling, step};
use super::guard::PULSE;
use super::table::{Ordered, Range, Visit, walk_tree};
use sled::{IVec, Tree};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::path::{Path, PathBuf};

/// The prefix of the names of the databases.
const NAME: &str = "entries-";
/// The maximum number of bits, which makes names of two digits.
pub const MOST_BITS: u8 = 8;
/// The number of entries among which a look-up takes a few milliseconds.
pub const ENTRIES: u64 = 4096;
/// The number of entries in a database from which they are spread over more databases.
const SPREAD: u64 = 2 * ENTRIES;

/// The databases of sealed entries.
pub struct Shards {
    folder: PathBuf,
    bits: u8,
    open: RefCell<BTreeMap<u8, sled::Db>>,
    dirty: RefCell<BTreeSet<u8>>,
    /// The flushes that were made before, and must be found.
    expected: RefCell<Flushes>,
}

/// The number of times that changes were made durable in each database, by its number.
pub type Flushes = BTreeMap<u8, u64>;

/// The key of that number in a database; no entry's key is as short.
const FLUSHES: &[u8] = b"";

/// Returns the number of bits to spread this many entries by: enough for four times as many.
pub fn bits_for(entries: u64) -> u8 {
    let shards = entries.saturating_mul(4).div_ceil(ENTRIES).max(1).next_power_of_two();
    (shards.trailing_zeros() as u8).min(MOST_BITS)
}

impl Shards {
    /// Returns the shards in a folder. If there are none yet, they will be spread by `bits`.
    pub fn of(folder: &Path, bits: u8) -> std::io::Result<Shards> {
        let known = bits_of(folder)?;
        Ok(Shards {
            folder: folder.to_owned(),
            bits: known.unwrap_or(bits),
            open: RefCell::default(),
            dirty: RefCell::default(),
            expected: RefCell::default(),
        })
    }

    /// Returns whether this many entries should be spread over more databases.
    pub fn are_too_few_for(&self, entries: u64) -> bool {
        self.bits < MOST_BITS && entries > SPREAD << self.bits
    }

    /// Returns the number of the database for a key.
    fn number(&self, key: &[u8]) -> u8 {
        let first = key.first().copied().unwrap_or_default();
        // With no bits, there is one database.
        first.checked_shr(u32::from(MOST_BITS - self.bits)).unwrap_or_default()
    }

    fn path(&self, number: u8) -> PathBuf {
        self.folder.join(format!("{NAME}{}-{number:02x}", self.bits))
    }

    /// Returns a database, and opens it if necessary.
    fn tree(&self, number: u8) -> sled::Result<Tree> {
        if let Some(db) = self.open.borrow().get(&number) {
            return Ok(Tree::clone(db));
        }
        let db = super::database::open_database(&self.path(number))?;
        let tree = Tree::clone(&db);
        if let Some(expected) = self.expected.borrow().get(&number)
            && flushes(&tree)? < *expected
        {
            return Err(sled::Error::ReportableBug("what was flushed is lost".to_owned()));
        }
        self.open.borrow_mut().insert(number, db);
        Ok(tree)
    }

    /// Returns the sealed entry of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> sled::Result<Option<IVec>> {
        let key = key.as_ref();
        let number = self.number(key);
        if !self.is_there(number) {
            return Ok(None);
        }
        self.tree(number)?.get(key)
    }

    /// Returns whether a database exists. One that was never written to need not be created.
    fn is_there(&self, number: u8) -> bool {
        self.open.borrow().contains_key(&number) || self.path(number).symlink_metadata().is_ok()
    }

    /// Returns whether there is an entry for a key.
    pub fn contains_key(&self, key: impl AsRef<[u8]>) -> sled::Result<bool> {
        Ok(self.get(key)?.is_some())
    }

    /// Stores a sealed entry.
    pub fn insert(&self, key: impl AsRef<[u8]>, sealed: impl Into<IVec>) -> sled::Result<()> {
        self.changed(key.as_ref())?.insert(key, sealed).map(drop)
    }

    /// Stores one of many sealed entries.
    pub(super) fn fill(&self, filling: &mut Filling, key: &[u8], sealed: IVec) -> sled::Result<()> {
        filling.insert(&self.changed(key)?, key, sealed)
    }

    /// Removes an entry, and returns what it was.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> sled::Result<Option<IVec>> {
        let key = key.as_ref();
        if self.is_there(self.number(key)) { self.changed(key)?.remove(key) } else { Ok(None) }
    }

    /// Removes entries by writing the databases that hold some anew, see [`super::in_place`], and
    /// calls `alive` after each. Returns their number and size.
    pub fn take_out_in_place(
        &self,
        keys: &[[u8; 32]],
        alive: &mut dyn FnMut(),
    ) -> sled::Result<(u64, u64)> {
        let wanted: HashSet<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let numbers: BTreeSet<u8> = keys.iter().map(|key| self.number(key)).collect();
        let (mut count, mut bytes) = (0, 0);
        for number in numbers.into_iter().filter(|number| self.is_there(*number)) {
            let tree = self.tree(number)?;
            let (before, mut rest) = (count, Vec::new());
            for row in &tree {
                step()?;
                let (key, sealed) = row?;
                if wanted.contains(&key[..]) {
                    (count, bytes) = (count + 1, bytes + sealed.len() as u64);
                } else {
                    rest.push((key, sealed));
                }
            }
            drop(tree);
            self.open.borrow_mut().remove(&number);
            alive();
            if count == before {
                continue;
            }
            std::fs::remove_dir_all(self.path(number))?;
            if rest.iter().any(|(key, _)| !key.is_empty()) {
                let tree = self.tree(number)?;
                let mut filling = Filling::default();
                for (key, sealed) in rest {
                    filling.insert(&tree, &key, sealed)?;
                }
                tree.flush()?;
            }
            self.open.borrow_mut().remove(&number);
        }
        // If this fails, it takes longer to open them.
        let _ = self.settle();
        Ok((count, bytes))
    }

    /// Opens and closes each database, after which sled has nothing to write when it opens them the
    /// next time, for which there may be no room or no time.
    pub fn settle(&self) -> sled::Result<()> {
        self.close()?;
        let last = ((1_u16 << self.bits) - 1) as u8;
        for number in (0..=last).filter(|number| self.is_there(*number)) {
            PULSE.beat();
            drop(self.tree(number)?);
            self.open.borrow_mut().remove(&number);
        }
        Ok(())
    }

    /// Returns the open database for a key, and marks it as changed.
    fn changed(&self, key: &[u8]) -> sled::Result<Tree> {
        let number = self.number(key);
        self.dirty.borrow_mut().insert(number);
        self.tree(number)
    }

    /// Makes all changes durable, and returns the databases that had some.
    pub fn flush(&self) -> sled::Result<Flushes> {
        let mut done = Flushes::new();
        for number in std::mem::take(&mut *self.dirty.borrow_mut()) {
            PULSE.beat();
            let tree = self.tree(number)?;
            let count = flushes(&tree)? + 1;
            tree.insert(FLUSHES, &count.to_be_bytes())?;
            tree.flush()?;
            done.insert(number, count);
        }
        Ok(done)
    }

    /// Requires that these flushes are found from now on.
    pub fn expect(&self, flushed: &Flushes) {
        self.expected.replace(flushed.clone());
    }

    /// Fails if any of the expected flushes is lost.
    pub fn confirm(&self) -> sled::Result<()> {
        let numbers: Vec<u8> = self.expected.borrow().keys().copied().collect();
        numbers.into_iter().try_for_each(|number| {
            PULSE.beat();
            self.tree(number).map(drop)
        })
    }

    /// Makes all changes durable, and closes the databases.
    pub fn close(&self) -> sled::Result<()> {
        self.flush()?;
        self.open.borrow_mut().clear();
        Ok(())
    }
}

impl Ordered for Shards {
    fn walk(&self, range: Range<'_>, visit: Visit<'_>) -> sled::Result<bool> {
        let number = |bound: Bound<&[u8]>, unbounded| match bound {
            Included(key) | Excluded(key) => self.number(key),
            Unbounded => unbounded,
        };
        let last = ((1_u16 << self.bits) - 1) as u8;
        let numbers = number(range.low, 0)..=number(range.high, last);
        let mut numbers: Vec<u8> = numbers.collect();
        if range.backward {
            numbers.reverse();
        }
        let own = |bound: Bound<&[u8]>| bound.map(<[u8]>::to_vec);
        let visit: Visit<'_> =
            &mut |place: IVec, value| if place.is_empty() { Ok(true) } else { visit(place, value) };
        for number in numbers {
            PULSE.beat();
            if self.is_there(number) {
                let bounds = (own(range.low), own(range.high));
                if !walk_tree(&self.tree(number)?, bounds, range.backward, &mut *visit)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn flushes(tree: &Tree) -> sled::Result<u64> {
    let count = tree.get(FLUSHES)?;
    let count = count.and_then(|bytes| <[u8; 8]>::try_from(&bytes[..]).ok());
    Ok(count.map_or(0, u64::from_be_bytes))
}

/// Returns the number of bits of the databases in a folder, or `None` if there are none yet.
fn bits_of(folder: &Path) -> std::io::Result<Option<u8>> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let bits = name.to_str().and_then(|name| name.strip_prefix(NAME)?.split_once('-'));
        if let Some(bits) = bits.and_then(|(bits, _)| bits.parse().ok())
            && bits <= MOST_BITS
        {
            return Ok(Some(bits));
        }
    }
    Ok(None)
}
