//! What was hit and recorded since the last fold: a log that is appended to
//! without a lock.
//!
//! A record is 64 bytes, written at once, and carries its own checksum; what is
//! torn or flipped is passed over by whoever reads, who then looks for the next
//! record byte by byte. Only statistics and the order of eviction hang on these
//! records, so nothing is synced, an append that met the fold may be lost, and
//! a fold that is killed between applying and deleting them counts hits twice.

use super::Root;
use crate::clock::Timestamp;
use crate::entry::Key;
use crate::failpoint;
use crate::fsutil;
use crate::hashing;
use anyhow::{Context, Result};
use rustix::fs::{OFlags, SeekFrom};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;

const LOG: &str = "events";
const DRAINING: &str = "events.draining-";
const MAGIC: [u8; 3] = [0xce, b'x', 1];
const LEN: usize = 64;

/// A fold is due each time the log has grown by this much: 1,024 events.
const FOLD_EVERY: u64 = 64 * 1024;
/// A fold is due after about this many bytes of new blobs.
const FOLD_EVERY_BYTES: u64 = 64 * 1024 * 1024;
/// Past this size nobody folds, and the log starts anew.
const CAP: u64 = 16 * 1024 * 1024;

/// What came of one call of cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The entry was served.
    Hit = 1,
    /// It was missing, and the run was recorded.
    Recorded = 2,
    /// It was missing, and the run was not recorded.
    Unrecorded = 3,
}

/// One call of cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What came of it.
    pub kind: Kind,
    /// When.
    pub time: Timestamp,
    /// The entry's key.
    pub key: Key,
    /// How long the command ran, now or when it was recorded, in nanoseconds.
    pub run_time: u64,
    /// The bytes of output.
    pub size: u64,
}

/// Appends one event; whether a fold is due. Of all who append at the same
/// time, one is told so: the one whose record crossed the mark.
pub fn append(root: &Root, event: &Event) -> rustix::io::Result<bool> {
    let log = fsutil::create_file(root, LOG, OFlags::WRONLY | OFlags::APPEND)?;
    failpoint::at("write")?;
    let written = fsutil::retry(|| rustix::io::write(&log, &event.encode()))? as u64;
    let end = rustix::fs::seek(&log, SeekFrom::Current(0))?;
    if end > CAP {
        fsutil::remove_file(root, LOG)?;
        return Ok(true);
    }
    Ok(end / FOLD_EVERY != end.saturating_sub(written) / FOLD_EVERY)
}

/// Whether a record of so many bytes makes a fold due: by chance, in proportion
/// to its size, so that no counter is kept and the limit on the store's size is
/// met however few and large the records are.
pub fn due_by_size(bytes: u64) -> bool {
    if bytes == 0 {
        return false;
    }
    let pid = rustix::process::getpid().as_raw_nonzero().get() as u64;
    chance(bytes, Timestamp::now().0 ^ (pid << 40))
}

fn chance(bytes: u64, seed: u64) -> bool {
    // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % FOLD_EVERY_BYTES < bytes
}

/// Events taken from the log, and the files that hold them until they were applied.
#[derive(Debug, Default)]
pub struct Drained {
    /// In the order they happened.
    pub events: Vec<Event>,
    files: Vec<OsString>,
}

/// Takes the log away and reads it, and those that a fold which was killed
/// left behind. The caller holds the fold lock.
pub fn drain(root: &Root) -> Result<Drained> {
    let taken = format!("{DRAINING}{:x}", Timestamp::now().0);
    match fsutil::rename(root, LOG, &taken) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno).context("taking the log of events"),
    }
    let mut drained = Drained::default();
    for name in fsutil::names(root, ".")? {
        if name.to_str().is_some_and(|name| name.starts_with(DRAINING)) {
            let mut bytes = Vec::new();
            let file = File::from(fsutil::open_file(root, &name)?);
            file.take(2 * CAP).read_to_end(&mut bytes).context("reading the log of events")?;
            drained.events.extend(parse(&bytes));
            drained.files.push(name);
        }
    }
    drained.events.sort_by_key(|event| event.time);
    Ok(drained)
}

impl Drained {
    /// Deletes what was drained, once its effects are safe.
    pub fn discard(self, root: &Root) -> Result<()> {
        for name in self.files {
            fsutil::remove_file(root, name).context("removing the log of events")?;
        }
        Ok(())
    }
}

/// Whether a file of this name holds events.
pub fn is_log(name: &str) -> bool {
    name == LOG || name.starts_with(DRAINING)
}

/// The bytes of the logs that are no events; what stands at an end may still
/// be being written.
pub fn junk(root: &Root, name: &str) -> Result<u64> {
    let mut bytes = Vec::new();
    let file = File::from(fsutil::open_file(root, name)?);
    file.take(2 * CAP).read_to_end(&mut bytes).context("reading the log of events")?;
    let events = bytes.len() / LEN * LEN;
    Ok((events as u64).saturating_sub((parse(&bytes).len() * LEN) as u64))
}

/// The records among these bytes.
pub fn parse(mut bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::with_capacity(bytes.len() / LEN);
    while let Some((record, rest)) = bytes.split_first_chunk::<LEN>() {
        if let Some(event) = Event::decode(record) {
            events.push(event);
            bytes = rest;
        } else {
            bytes = &bytes[1..];
        }
    }
    events
}

/// magic (3) | kind (1) | checksum (4) | time (8) | run time (8) | size (8) | key (32)
impl Event {
    /// The record of an event.
    pub fn encode(&self) -> [u8; LEN] {
        let mut record = [0; LEN];
        record[..3].copy_from_slice(&MAGIC);
        record[3] = self.kind as u8;
        record[8..16].copy_from_slice(&self.time.0.to_le_bytes());
        record[16..24].copy_from_slice(&self.run_time.to_le_bytes());
        record[24..32].copy_from_slice(&self.size.to_le_bytes());
        record[32..].copy_from_slice(&self.key.0);
        put_checksum(&mut record);
        record
    }

    fn decode(record: &[u8; LEN]) -> Option<Event> {
        if record[..3] != MAGIC || record[4..8] != checksum(record) {
            return None;
        }
        let kind = match record[3] {
            1 => Kind::Hit,
            2 => Kind::Recorded,
            3 => Kind::Unrecorded,
            _ => return None,
        };
        let number = |at: usize| Some(u64::from_le_bytes(record[at..at + 8].try_into().ok()?));
        Some(Event {
            kind,
            time: Timestamp(number(8)?),
            run_time: number(16)?,
            size: number(24)?,
            key: Key(record[32..].try_into().ok()?),
        })
    }
}

/// A record of these bytes whose checksum holds, whatever else it says.
pub fn with_checksum(bytes: &[u8]) -> [u8; LEN] {
    let mut record = [0; LEN];
    let len = bytes.len().min(LEN);
    record[..len].copy_from_slice(&bytes[..len]);
    put_checksum(&mut record);
    record
}

fn put_checksum(record: &mut [u8; LEN]) {
    let sum = checksum(record);
    record[4..8].copy_from_slice(&sum);
}

/// Of everything but itself.
fn checksum(record: &[u8; LEN]) -> [u8; 4] {
    let mut plain = *record;
    plain[4..8].fill(0);
    let sum = hashing::of(&plain);
    let [a, b, c, d, ..] = *sum.as_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u64) -> Event {
        let kind = [Kind::Hit, Kind::Recorded, Kind::Unrecorded][n as usize % 3];
        Event { kind, time: Timestamp(n), key: Key([n as u8; 32]), run_time: n * 3, size: n * 5 }
    }

    fn store() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::create(&dir.path().join("store")).unwrap();
        (dir, root)
    }

    #[test]
    fn what_was_appended_is_drained_until_it_is_discarded() {
        let (_dir, root) = store();
        for n in 0..10 {
            assert!(!append(&root, &event(n)).unwrap());
        }
        let drained = drain(&root).unwrap();
        assert_eq!(drained.events, (0..10).map(event).collect::<Vec<_>>());
        // Not discarded, as after a crash: the next one reads it again.
        append(&root, &event(10)).unwrap();
        let again = drain(&root).unwrap();
        assert_eq!(again.events.len(), 11);
        again.discard(&root).unwrap();
        assert!(drain(&root).unwrap().events.is_empty());
    }

    #[test]
    fn torn_and_flipped_records_are_passed_over() {
        let mut bytes = Vec::new();
        for n in 0..4 {
            bytes.extend(event(n).encode());
        }
        bytes[LEN + 40] ^= 1;
        bytes.extend(&event(4).encode()[..20]);
        bytes.extend(event(5).encode());
        bytes.extend(&event(6).encode()[..63]);
        assert_eq!(parse(&bytes), [0, 2, 3, 5].map(event));
    }

    #[test]
    fn one_append_in_a_thousand_makes_a_fold_due() {
        let (_dir, root) = store();
        let due = (0..3072).filter(|&n| append(&root, &event(n)).unwrap()).count();
        assert_eq!(due, 3);
    }

    #[test]
    fn a_log_that_nobody_folds_starts_anew() {
        let (_dir, root) = store();
        let log = fsutil::create_file(&root, LOG, OFlags::WRONLY).unwrap();
        rustix::fs::ftruncate(&log, CAP).unwrap();
        assert!(append(&root, &event(1)).unwrap());
        assert!(fsutil::stat(&root, LOG).unwrap().is_none());
    }

    #[test]
    fn large_records_make_a_fold_due_in_proportion() {
        assert!((0..100).all(|seed| chance(FOLD_EVERY_BYTES, seed)));
        assert!((0..100).all(|seed| !chance(0, seed)));
        let due = (0..10_000).filter(|&seed| chance(FOLD_EVERY_BYTES / 10, seed)).count();
        assert!((800..1200).contains(&due), "{due}");
    }
}
