//! Removing everything at once.

use super::young::Young;
use super::{
    Root, account, events, evicted, filter, guard, rebuild, remote, reserve, sweep, temporary,
};
use crate::lock::{self, Lock, Mode};
use crate::path_sets;
use anyhow::{Context, Result};
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use cachex_base::system::progress::{self, Stage};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// The amount that [`clear`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Entries, approximately: keys that share a prefix count as one, and recently evicted ones may
    /// still count.
    pub entries: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Files that are moved out of the way, including the account, as nothing is left to account for.
const MOVED: [&str; 11] = [
    "young",
    "blobs",
    sweep::INPUTS,
    path_sets::FOLDER,
    remote::FOLDER,
    guard::DIR,
    rebuild::BUILDING,
    rebuild::NEXT,
    account::FILE,
    reserve::FILE,
    events::PAST,
];

/// Removes every entry. Everything is moved out of the way at once and deleted afterwards, without
/// sled. Waits for a fold; the caller holds no lock.
pub fn clear(root: &Root) -> Result<Cleared> {
    progress::begin(Stage::Waiting, None);
    let _fold = Lock::wait(root, lock::FOLD, Mode::Exclusive).context("locking the store")?;
    let keys = Young::new(root).keys()?;
    let mut prefixes: BTreeSet<u64> = keys.iter().map(Key::prefix).collect();
    prefixes.extend(filter::contents(root).unwrap_or_default());

    let trash = sweep::trash_name();
    let mut bytes = 0;
    {
        let _old = Lock::wait(root, lock::OLD, Mode::Exclusive)?;
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
        let mut names = fsutil::names(root, ".")?;
        // The database first: if this is killed in between, no superseded entry comes back.
        names.sort_by_key(|name| name != guard::DIR);
        for name in names {
            // The filter is removed after the entries it covers, so it never lacks one.
            let moved = name.to_str().is_some_and(|name| {
                MOVED.contains(&name)
                    || name.starts_with(guard::BROKEN)
                    || events::is_log(name)
                    || evicted::is_note(name)
            });
            if moved {
                let place = std::path::Path::new(&trash).join(&name);
                match fsutil::rename(root, &name, place) {
                    // There is no room for the folder to move it to.
                    Err(Errno::NOSPC | Errno::DQUOT) => bytes += sweep::remove(root, &name),
                    moved => moved.context("clearing the store")?,
                }
            }
        }
        fsutil::remove_file(root, filter::FILE).context("clearing the store")?;
    }
    bytes += temporary::sweep(root)? + sweep::trash(root)?;
    Ok(Cleared { entries: prefixes.len() as u64, bytes })
}
