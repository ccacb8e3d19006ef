//! `old.keys`: the keys that the old store may hold, to be looked up without opening it.
//!
//! ```text
//! magic and version (4) | checksum of the rest (4) | count (8) | count × key prefix (8), sorted
//! ```
//!
//! All numbers are big-endian. The file always lists a superset of the keys in the old store:
//! whoever adds to the store publishes the filter first. It is replaced as a whole, by a rename,
//! under the fold lock. If it is missing or damaged, the answer is "maybe".
//!
//! A look-up reads the header and one window, sometimes two: keys are uniform, so the place of a
//! key is known within a few hundred places. The checksum is for the fold, which reads the whole
//! file. For a look-up, a flipped bit gives at worst a wrong answer for a key near it, which is a
//! miss.

use super::{Root, temporary};
use anyhow::{Context, Result};
use cachex_base::record::entry::Key;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::OwnedFd;
use std::path::Path;

/// The filter's name below the root.
pub const FILE: &str = "old.keys";
const MAGIC: [u8; 4] = [0xce, b'k', b'f', 1];
const HEADER: usize = 16;
/// The number of keys read at once: one page.
const WINDOW: u64 = 512;
/// The number of guesses by interpolation before bisection, which no distribution slows down.
const GUESSES: u32 = 4;
/// The maximum number of keys, far beyond any store. A filter that claims more is damaged, and is
/// not read into memory.
const MOST: u64 = 1 << 27;

/// Returns whether the old store may hold this key. "No" is certain.
pub fn may_hold(root: &Root, key: &Key) -> bool {
    lookup(root, key.prefix()).unwrap_or_else(|| super::guard::exists(root))
}

/// Looks up a prefix. Returns `None` if the filter is missing or damaged.
fn lookup(root: &Root, prefix: u64) -> Option<bool> {
    let file = fsutil::open_file(root, FILE).ok()?;
    let count = count(&file)?;
    // The prefix lies among the places `low..high`, whose keys lie in `floor..=ceiling`.
    let (mut low, mut high) = (0, count);
    let (mut floor, mut ceiling) = (0, u64::MAX);
    let mut window = [0; WINDOW as usize * 8];
    let mut round = 0;
    while low < high {
        let len = (high - low).min(WINDOW);
        let guess = if round < GUESSES {
            let share = u128::from(prefix - floor) * u128::from(high - low);
            low + (share / (u128::from(ceiling - floor) + 1)) as u64
        } else {
            low + (high - low) / 2
        };
        let start = guess.saturating_sub(WINDOW / 2).clamp(low, high - len);
        let bytes = &mut window[..len as usize * 8];
        read_exact_at(&file, bytes, HEADER as u64 + start * 8)?;
        let (keys, _) = bytes.as_chunks::<8>();
        let (first, last) = (u64::from_be_bytes(*keys.first()?), u64::from_be_bytes(*keys.last()?));
        if prefix < first {
            (high, ceiling) = (start, first - 1);
        } else if prefix > last {
            (low, floor) = (start + len, last + 1);
        } else {
            return Some(keys.binary_search(&prefix.to_be_bytes()).is_ok());
        }
        round += 1;
    }
    Some(false)
}

/// Returns the number of keys in the filter, or `None` if it is missing or damaged.
pub fn len(root: &Root) -> Option<u64> {
    count(&fsutil::open_file(root, FILE).ok()?)
}

/// Returns the number of keys, if the header is whole and agrees with the length of the file.
fn count(file: &OwnedFd) -> Option<u64> {
    let mut header = [0; HEADER];
    read_exact_at(file, &mut header, 0)?;
    let count = u64::from_be_bytes(header[8..].try_into().ok()?);
    let len = rustix::fs::fstat(file).ok()?.st_size as u64;
    let expected = count.checked_mul(8)?.checked_add(HEADER as u64)?;
    (header[..4] == MAGIC && len == expected && count <= MOST).then_some(count)
}

fn read_exact_at(file: &OwnedFd, bytes: &mut [u8], offset: u64) -> Option<()> {
    failpoint::at("read").ok()?;
    let mut filled = 0;
    while filled < bytes.len() {
        let at = offset + filled as u64;
        match fsutil::retry(|| rustix::io::pread(file, &mut bytes[filled..], at)) {
            Ok(n) if n > 0 => filled += n,
            _ => return None,
        }
    }
    Some(())
}

/// Returns all prefixes, sorted, or `None` if the filter is missing or damaged.
pub fn contents(root: &Root) -> Option<Vec<u64>> {
    let file = fsutil::open_file(root, FILE).ok()?;
    let count = count(&file)?;
    let mut bytes = vec![0; HEADER + count as usize * 8];
    read_exact_at(&file, &mut bytes, 0)?;
    let (header, keys) = bytes.split_at(HEADER);
    let (keys, _) = keys.as_chunks::<8>();
    let whole = header[4..8] == checksum(&bytes[8..]);
    whole.then(|| keys.iter().map(|key| u64::from_be_bytes(*key)).collect())
}

/// Publishes a filter of these prefixes, which need be neither sorted nor unique. The filter is
/// on disk when this returns, since after a power cut an older filter must not meet a newer old
/// store. The caller holds the fold lock.
pub fn publish(root: &Root, mut prefixes: Vec<u64>) -> Result<()> {
    prefixes.sort_unstable();
    prefixes.dedup();
    let bytes = encode(&prefixes);
    let sync = |file: &OwnedFd| {
        failpoint::at("sync")?;
        rustix::fs::fsync(file)
    };
    let placed = temporary::put_after(root, Path::new(FILE), &bytes, sync);
    placed.context("publishing the filter of stored keys")?;
    // Not every file system syncs folders.
    let _ = rustix::fs::fsync(root);
    Ok(())
}

/// Encodes the filter's file. The prefixes must be sorted.
pub fn encode(prefixes: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + prefixes.len() * 8);
    bytes.extend(MAGIC);
    bytes.extend([0; 4]);
    bytes.extend((prefixes.len() as u64).to_be_bytes());
    bytes.extend(prefixes.iter().flat_map(|prefix| prefix.to_be_bytes()));
    let sum = checksum(&bytes[8..]);
    bytes[4..8].copy_from_slice(&sum);
    bytes
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::OFlags;

    fn store() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::create(&dir.path().join("store")).unwrap();
        (dir, root)
    }

    fn key(n: u64) -> Key {
        Key(*blake3::hash(&n.to_le_bytes()).as_bytes())
    }

    fn of_prefix(prefix: u64) -> Key {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&prefix.to_be_bytes());
        Key(key)
    }

    #[test]
    fn it_holds_what_was_published_and_nothing_else() {
        for count in [0, 1, 2, 511, 512, 513, 5_000, 100_000] {
            let (_dir, root) = store();
            publish(&root, (0..count).map(|n| key(n).prefix()).collect()).unwrap();
            assert!((0..count).all(|n| may_hold(&root, &key(n))), "{count}");
            assert!((count..count + 1000).all(|n| !may_hold(&root, &key(n))), "{count}");
            for edge in [0, u64::MAX] {
                assert!(!may_hold(&root, &of_prefix(edge)));
            }
        }
    }

    #[test]
    fn keys_that_share_a_prefix_or_lie_in_clusters_are_found() {
        let (_dir, root) = store();
        let mut prefixes = vec![0, 0, 7, 7, u64::MAX, u64::MAX];
        prefixes.extend((0..50_000).map(|n| (1 << 60) + n));
        prefixes.extend((0..50_000).map(|n| u64::MAX - 2 - n * 2));
        publish(&root, prefixes.clone()).unwrap();
        assert!(prefixes.iter().all(|&prefix| may_hold(&root, &of_prefix(prefix))));
        assert!((0..1000).all(|n| !may_hold(&root, &of_prefix(u64::MAX - 3 - n * 2))));
        assert!(contents(&root).unwrap().is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn missing_or_damaged_it_means_maybe_unless_there_is_no_old_store() {
        let (_dir, root) = store();
        assert!(!may_hold(&root, &key(1)));
        fsutil::create_private_dir(&root, "old").unwrap();
        assert!(may_hold(&root, &key(1)));
        publish(&root, vec![1, 2, 3]).unwrap();
        assert!(!may_hold(&root, &key(1)));
        let file = fsutil::create_file(&root, FILE, OFlags::RDWR).unwrap();
        rustix::io::pwrite(&file, b"?", 20).unwrap();
        assert_eq!(contents(&root), None);
        rustix::fs::ftruncate(&file, 39).unwrap();
        assert!(may_hold(&root, &key(1)));
        rustix::fs::ftruncate(&file, 3).unwrap();
        assert!(may_hold(&root, &key(1)));
        // 8 TiB of nothing, but with a header that agrees.
        rustix::fs::ftruncate(&file, HEADER as u64 + (8 << 40)).unwrap();
        rustix::io::pwrite(&file, &encode(&[])[..8], 0).unwrap();
        rustix::io::pwrite(&file, &(1_u64 << 40).to_be_bytes(), 8).unwrap();
        assert!(may_hold(&root, &key(1)));
        assert_eq!(contents(&root), None);
    }
}
