//! The path sets of automatic calls in a remote store: who misses one looks at their paths,
//! and asks for the entry that what it finds there leads to.
//!
//! They lie under the name of the call's key. Who sends an entry adds the set that leads to it
//! to those that are there, so they are those of all who send. There are as many at the most
//! as in a local store, the last sent first.

use super::names::{Book, MAX_PATH_SETS, Names};
use super::{Target, Wanted};
use crate::path_sets::{PathSet, PathSets, shared};
use crate::{Root, components};
use anyhow::{Result, bail};
use cachex_base::record::entry::{Entry, Key};
use cachex_remote::Engine;

/// How often a set is added anew that another sender overwrote.
const TRIES: usize = 3;

/// The path sets of a key, packed.
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

/// Those under one name. What cannot be believed is not there.
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

/// The path set that leads to an entry, and the key of its call; none: the entry is found by its
/// own key. An error: nobody else would find it.
pub fn of(root: &Root, entry: &Entry) -> Result<Option<(Key, PathSet)>, Unfindable> {
    let Some((key, id)) = components::facts_of(&entry.parts) else { return Ok(None) };
    let known = PathSets::recall(root, &key).sets.into_iter().find(|set| set.id() == id);
    known.filter(PathSet::can_leave).map(|set| Some((key, set))).ok_or(Unfindable)
}

/// An entry that nobody else would find, or should.
#[derive(Clone, Copy, Debug)]
pub struct Unfindable;

/// Adds a set to those of its key; the bytes that went.
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
        // Where it would be dropped one day it is written anew, for as long again.
        if there.iter().any(|known| known.id() == id) && !engine.drops() {
            return Ok(0);
        }
        let mut all = PathSets { sets: there, ..PathSets::default() };
        all.used(set.clone());
        let Some(packed) = shared::pack(&all.sets, false) else { return Ok(0) };
        let Ok(stored) = names.seal_path_sets(key, &packed, book.trust()) else { return Ok(0) };
        let len = stored.len() as u64;
        engine.put(&name, stored).await?;
        // Another may have written at the same time.
        let there = self::stored(engine, book, names, key).await?;
        let there = there.and_then(|packed| shared::unpack(&packed, None)).unwrap_or_default();
        if there.iter().any(|known| known.id() == id) {
            return Ok(len);
        }
    }
    // Results are found by sets, and one that is missing costs a run.
    Ok(0)
}
