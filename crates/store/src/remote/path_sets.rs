//! The path sets of automatic calls in a remote store. On a miss, a call looks at the paths of
//! these sets, and asks for the entry that their current state leads to.
//!
//! They are stored under the name of the call's key. The sender of an entry adds the set that leads
//! to it to the existing ones, so all senders share them. Their number is limited as in a local
//! store, and the last one sent comes first.

use super::names::{Book, MAX_PATH_SETS, Names};
use super::{Target, Wanted};
use crate::path_sets::{PathSet, PathSets, shared};
use crate::{Root, components};
use anyhow::{Result, bail};
use cachex_base::record::entry::{Entry, Key};
use cachex_remote::Engine;

/// The number of attempts to add a set that another sender overwrites.
const TRIES: usize = 3;

/// Fetches the packed path sets of a key.
pub async fn fetch(
    open: impl Future<Output = Result<Engine>>,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
) -> Result<Option<Vec<u8>>> {
    let asked = async {
        let engine = open.await?;
        for names in book.all(wanted.platform.as_deref()) {
            if let Some(packed) = stored(&engine, book, &names, &Key(wanted.key)).await? {
                return Ok(Some(packed));
            }
        }
        Ok(None)
    };
    match tokio::time::timeout(target.patience, asked).await {
        Ok(answer) => answer,
        Err(_) => bail!("no answer within {}", humantime::format_duration(target.patience)),
    }
}

/// Returns the path sets under one name. Untrusted ones count as missing.
async fn stored(
    engine: &Engine,
    book: &Book<'_>,
    names: &Names,
    key: &Key,
) -> Result<Option<Vec<u8>>> {
    let stored = engine.get(&names.path_sets(key), MAX_PATH_SETS).await?;
    let opened =
        |stored: Vec<u8>| Some(names.open_path_sets(key, &stored, book.trust()).ok()?.to_vec());
    Ok(stored.and_then(opened))
}

/// Returns the path set that leads to an entry, and the key of its call; `None` if the entry is
/// found by its own key. Returns an error if nobody else would find it.
pub fn of(root: &Root, entry: &Entry) -> Result<Option<(Key, PathSet)>, Unfindable> {
    let Some((key, id)) = components::facts_of(&entry.parts) else { return Ok(None) };
    let known = PathSets::recall(root, &key).sets.into_iter().find(|set| set.id() == id);
    known.filter(PathSet::can_leave).map(|set| Some((key, set))).ok_or(Unfindable)
}

/// An entry that nobody else would find, or should find.
#[derive(Clone, Copy, Debug)]
pub struct Unfindable;

/// Adds a set to those of its key. Returns the number of bytes sent.
pub async fn send(
    engine: &Engine,
    book: &Book<'_>,
    names: &Names,
    key: &Key,
    set: PathSet,
) -> Result<u64> {
    let name = names.path_sets(key);
    let id = set.id();
    for _ in 0..TRIES {
        let there = stored(engine, book, names, key).await?;
        let there = there.and_then(|packed| shared::unpack(&packed, None)).unwrap_or_default();
        // If the store drops objects by age, the set is written again to extend its life.
        if there.iter().any(|known| known.id() == id) && !engine.drops() {
            return Ok(0);
        }
        let mut all = PathSets { sets: there, ..PathSets::default() };
        all.used(set.clone());
        let Some(packed) = shared::pack(&all.sets, false) else { return Ok(0) };
        let Ok(stored) = names.seal_path_sets(key, &packed, book.trust()) else { return Ok(0) };
        let len = stored.len() as u64;
        engine.put(&name, stored).await?;
        // Another sender may have written at the same time.
        let there = self::stored(engine, book, names, key).await?;
        let there = there.and_then(|packed| shared::unpack(&packed, None)).unwrap_or_default();
        if there.iter().any(|known| known.id() == id) {
            return Ok(len);
        }
    }
    // A missing set only costs a run.
    Ok(0)
}
