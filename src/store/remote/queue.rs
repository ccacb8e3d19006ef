//! The keys of entries that a remote store is to get: one empty file each, so that
//! whoever records only ever creates one and whoever sends only ever removes one.
//!
//! What is given up is noted in a log, a line each, until somebody was told: who sends
//! does so behind everybody's back.

use super::Lost;
use crate::entry::Key;
use crate::fsutil;
use crate::store::Root;
use rustix::fs::{OFlags, SeekFrom};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// What is given up beyond this length of the log is not noted.
const LONGEST: u64 = 64 * 1024;
/// No line of it is longer.
#[cfg(feature = "remote")]
const LINE: usize = 512;

fn folder(id: &str) -> PathBuf {
    PathBuf::from(format!("{}/{id}", super::FOLDER))
}

fn log(id: &str) -> PathBuf {
    PathBuf::from(format!("{}/{id}.lost", super::FOLDER))
}

/// Adds a key.
pub fn push(root: &Root, id: &str, key: &Key) -> rustix::io::Result<()> {
    fsutil::create_file(root, folder(id).join(key.to_string()), OFlags::WRONLY).map(drop)
}

/// Takes a key out.
pub fn remove(root: &Root, id: &str, key: &Key) -> rustix::io::Result<bool> {
    fsutil::remove_file(root, folder(id).join(key.to_string()))
}

/// The keys that are there.
pub fn keys(root: &Root, id: &str) -> rustix::io::Result<Vec<Key>> {
    let names = fsutil::names(root, folder(id))?;
    Ok(names.iter().filter_map(|name| Key::from_hex(name.as_encoded_bytes())).collect())
}

/// Takes a key out that cannot be sent for this reason, and notes that.
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

/// What was given up since somebody was told.
pub fn lost(root: &Root, id: &str) -> Option<Lost> {
    let file = File::from(fsutil::open_file(root, log(id)).ok()?);
    let mut text = Vec::new();
    file.take(2 * LONGEST).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let why = text.lines().last()?.split_once(' ').map_or("", |(_, why)| why);
    Some(Lost { entries: text.lines().count() as u64, why: why.to_owned() })
}

/// Somebody was told. That it is told again does no harm.
pub fn forget_lost(root: &Root, id: &str) {
    let _ = fsutil::remove_file(root, log(id));
}

#[cfg(all(test, feature = "remote"))]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::testing::{key, scene};
    use crate::store::{guard, sweep};
    use rustix::event::Timespec;
    use rustix::fs::Timestamps;

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
