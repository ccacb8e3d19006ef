//! The keys of entries that are to be sent to a remote store: one file each, so that recorders
//! only ever create one and senders only ever remove one. A file is empty, or says how often the
//! entry was refused where others were accepted, when that was last, and why.
//!
//! A log notes the entries that are given up, one line each, until the user is told: sending
//! happens in the background.

use super::{Lost, circuit_breaker};
use crate::Root;
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
#[cfg(feature = "remote")]
use rustix::event::Timespec;
use rustix::fs::OFlags;
#[cfg(feature = "remote")]
use rustix::fs::{SeekFrom, Timestamps};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// The length of the log, in bytes, from which nothing more is noted.
const LONGEST: u64 = 64 * 1024;
/// The maximum length of a line, in bytes.
#[cfg(feature = "remote")]
const LINE: usize = 512;

fn folder(id: &str) -> PathBuf {
    PathBuf::from(format!("{}/{id}", super::FOLDER))
}

fn log(id: &str) -> PathBuf {
    PathBuf::from(format!("{}/{id}.lost", super::FOLDER))
}

fn place(id: &str, key: &Key) -> PathBuf {
    folder(id).join(key.to_string())
}

/// Adds a key. An earlier failure of its entry is forgotten.
pub fn push(root: &Root, id: &str, key: &Key) -> rustix::io::Result<()> {
    fsutil::create_file(root, place(id, key), OFlags::WRONLY | OFlags::TRUNC).map(drop)
}

/// Removes a key.
pub fn remove(root: &Root, id: &str, key: &Key) -> rustix::io::Result<bool> {
    fsutil::remove_file(root, place(id, key))
}

/// Returns whether a key is in the queue.
#[cfg(feature = "remote")]
pub fn has(root: &Root, id: &str, key: &Key) -> bool {
    fsutil::stat(root, place(id, key)).is_ok_and(|stat| stat.is_some())
}

/// The failures to send an entry where others were accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The number of failures.
    pub times: u32,
    /// The time of the last failure.
    pub at: Timestamp,
    /// The reason for it.
    pub why: String,
}

impl Failure {
    /// Returns whether it is time for another attempt.
    #[cfg(feature = "remote")]
    pub fn is_over(&self) -> bool {
        Timestamp::now()
            .since(self.at)
            .is_none_or(|since| since >= circuit_breaker::doubled(self.times))
    }
}

/// Returns the failure of a key's entry, if there was one.
pub fn failure(root: &Root, id: &str, key: &Key) -> Option<Failure> {
    let text = circuit_breaker::read(root, &place(id, key))?;
    let mut words = text.trim_end().splitn(3, ' ');
    let times = words.next()?.parse().ok()?;
    let at = Timestamp(words.next()?.parse().ok()?);
    Some(Failure { times, at, why: words.next()?.to_owned() })
}

/// Notes that an entry was refused where others were accepted. The time that it has waited is
/// kept, so that it is removed in the end, see `sweep`.
#[cfg(feature = "remote")]
pub fn fail(root: &Root, id: &str, key: &Key, why: &str) -> rustix::io::Result<()> {
    let path = place(id, key);
    let Some(stat) = fsutil::stat(root, &path)? else { return Ok(()) };
    let times = failure(root, id, key).map_or(1, |before| before.times.saturating_add(1));
    let mut text = format!("{times} {} {}", Timestamp::now().0, why.replace('\n', " "));
    text.truncate(text.floor_char_boundary(LINE));
    let file = fsutil::create_file(root, &path, OFlags::WRONLY | OFlags::TRUNC)?;
    fsutil::write_file(&file, text.as_bytes())?;
    let queued = Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ };
    fsutil::set_times(root, &path, &Timestamps { last_access: queued, last_modification: queued })
}

/// Returns the keys in the queue.
pub fn keys(root: &Root, id: &str) -> rustix::io::Result<Vec<Key>> {
    let names = fsutil::names(root, folder(id))?;
    Ok(names.iter().filter_map(|name| Key::from_hex(name.as_encoded_bytes())).collect())
}

/// Removes a key that cannot be sent for this reason, and notes that.
#[cfg(feature = "remote")]
pub fn give_up(root: &Root, id: &str, key: &Key, why: &str) -> rustix::io::Result<()> {
    let file = fsutil::create_file(root, log(id), OFlags::WRONLY | OFlags::APPEND)?;
    if rustix::fs::seek(&file, SeekFrom::End(0))? < LONGEST {
        let mut line = format!("{key} {}", why.replace('\n', " "));
        line.truncate(line.floor_char_boundary(LINE));
        line.push('\n');
        fsutil::write_file(&file, line.as_bytes())?;
    }
    remove(root, id, key).map(drop)
}

/// Returns what was given up since the user was last told.
pub fn lost(root: &Root, id: &str) -> Option<Lost> {
    let file = File::from(fsutil::open_file(root, log(id)).ok()?);
    let mut text = Vec::new();
    file.take(2 * LONGEST).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let why = text.lines().last()?.split_once(' ').map_or("", |(_, why)| why);
    Some(Lost { entries: text.lines().count() as u64, why: why.to_owned() })
}

/// Forgets what was given up, once the user was told. Telling it again does no harm.
pub fn forget_lost(root: &Root, id: &str) {
    let _ = fsutil::remove_file(root, log(id));
}

#[cfg(all(test, feature = "remote"))]
mod tests {
    use super::*;
    use crate::testing::{key, scene};
    use crate::{guard, sweep};

    const ID: &str = "0123456789abcdef";

    #[test]
    fn what_is_given_up_is_known_until_somebody_was_told() {
        let scene = scene();
        let root = &scene.root;
        let [one, other] = [Key([1; 32]), Key([2; 32])];
        push(root, ID, &one).unwrap();
        push(root, ID, &other).unwrap();
        assert_eq!((keys(root, ID).unwrap().len(), lost(root, ID)), (2, None));
        give_up(root, ID, &one, "too large").unwrap();
        give_up(root, ID, &other, "too\nlong").unwrap();
        assert_eq!(keys(root, ID).unwrap(), []);
        assert_eq!(lost(root, ID), Some(Lost { entries: 2, why: "too long".to_owned() }));
        forget_lost(root, ID);
        assert_eq!(lost(root, ID), None);
    }

    #[test]
    fn what_was_not_taken_waits_as_long_as_it_did_and_is_tried_ever_more_rarely() {
        let scene = scene();
        let (root, key) = (&scene.root, Key([1; 32]));
        push(root, ID, &key).unwrap();
        assert_eq!(failure(root, ID, &key), None);
        let long_ago = Timespec { tv_sec: 1_000_000, tv_nsec: 0 };
        let times = Timestamps { last_access: long_ago, last_modification: long_ago };
        fsutil::set_times(root, place(ID, &key), &times).unwrap();
        fail(root, ID, &key, "too\nlong").unwrap();
        fail(root, ID, &key, "too long").unwrap();
        let failed = failure(root, ID, &key).unwrap();
        assert_eq!((failed.times, &failed.why[..], failed.is_over()), (2, "too long", false));
        let ago = Timestamp(failed.at.0 - 120_000_000_000);
        assert!(Failure { at: ago, ..failed }.is_over());
        let stat = fsutil::stat(root, place(ID, &key)).unwrap().unwrap();
        assert_eq!(stat.st_mtime, 1_000_000);
        push(root, ID, &key).unwrap();
        assert_eq!(failure(root, ID, &key), None);
        // Failing does not queue a key.
        fail(root, ID, &Key([2; 32]), "gone").unwrap();
        assert_eq!(keys(root, ID).unwrap(), [key]);
    }

    #[test]
    fn a_queue_that_nobody_takes_stays_short_and_goes_in_the_end() {
        let scene = scene();
        let root = &scene.root;
        // Without a filter the database may hold anything.
        fsutil::create_private_dir(root, guard::DIR).unwrap();
        for n in 0..10_200 {
            push(root, ID, &key(n)).unwrap();
        }
        let ago = |days: i64| {
            let now = Timestamp::now().0 as i64 / 1_000_000_000;
            let time = Timespec { tv_sec: now - days * 86_400, tv_nsec: 0 };
            Timestamps { last_access: time, last_modification: time }
        };
        let set = |n, days| {
            fsutil::set_times(root, folder(ID).join(key(n).to_string()), &ago(days)).unwrap();
        };
        (0..100).for_each(|n| set(n, 31));
        (100..150).for_each(|n| set(n, 2));
        sweep::queues(root).unwrap();
        let left = keys(root, ID).unwrap();
        assert_eq!(left.len(), 10_000);
        assert!((0..150).all(|n| !left.contains(&key(n))));
    }

    #[test]
    fn the_log_of_what_is_given_up_stays_short() {
        let scene = scene();
        let root = &scene.root;
        for n in 0..300_u16 {
            let mut key = Key([0; 32]);
            key.0[..2].copy_from_slice(&n.to_le_bytes());
            give_up(root, ID, &key, &"long".repeat(1000)).unwrap();
        }
        let len = std::fs::metadata(root.path().join(log(ID))).unwrap().len();
        assert!(len <= LONGEST + LINE as u64, "{len}");
    }
}
