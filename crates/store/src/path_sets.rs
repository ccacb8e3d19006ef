//! What automatic calls depend on, and by what their results are found.
//!
//! The key of a call says what is run and how. What the command reads is known only once it
//! has run, so the results of `--auto` are found in two steps: the key leads to path sets,
//! each of them the paths that mattered to a run and what about them mattered. What there is
//! at these paths now makes, together with the key, the key of the entry (the strong key).
//! So any number of results share a path set, and a file that gets its old content back
//! finds the old result.
//!
//! ```text
//! v2/auto/ab/KEY
//! magic (8) | BLAKE3 of the rest (32) | refusal | number of sets (1) | sets, the last used first
//! refusal: when the last run was not recorded (8, zero: it was) | length (2) | why
//! set: id (32) | ties (1) | number of folders (4) | folders | number of facts (4) | facts in order
//! folder: length (2) | path | stamp (48)
//! fact: bytes shared with the path before (2) | length of the rest (2) | the rest
//!     | class (1) | value (32) | 0, or 1 | stamp (48), or 2 | number of the folder (4)
//! ```
//!
//! Values and stamps are those of the run or the hit that used the set last: by a stamp
//! a file need not be read again, nor a folder be asked for names that it did not have, and by
//! values `explain` tells what differs. Nothing depends on
//! them but time. As a file that was written within a tick of the file system's clock may
//! have the same stamp and other contents, stamps younger than two seconds are not kept, as
//! in git.
//!
//! Sets of portable calls name what lies below the base folder by the way from there, see
//! [`ground`]. These are the ones that leave the machine, see [`shared`].

mod codec;
pub mod ground;
pub mod shared;
#[cfg(test)]
mod tests;

use crate::Root;
use crate::blobs::Temporary;
use crate::lock::{self, Lock, Mode};
use anyhow::Result;
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::stamp;
use cachex_trace::{Class, Fact, Look, Stamp, facts};
pub use ground::{Ground, Ties};
use rustix::process::{getegid, geteuid};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::OnceLock;

/// Where path sets lie in the store.
pub const FOLDER: &str = "auto";
/// So many path sets are kept for a key.
pub const MOST: usize = 8;
/// When they were used is noted no more often than this.
const USED_LATELY: i64 = 24 * 60 * 60 * 1_000_000_000;
/// File systems keep time in steps of up to two seconds.
const SETTLED: i64 = 2_000_000_000;

/// What is known of the calls that have one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathSets {
    /// The last used first.
    pub sets: Vec<PathSet>,
    /// Why the last run was not recorded; none if it was.
    pub refused: Option<Refused>,
}

/// A run that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When that was.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// The paths that mattered to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathSet {
    /// In the order of their paths and classes, with what was there when the set was used
    /// last.
    pub facts: Vec<Fact>,
    /// Tells sets of other paths apart.
    id: Key,
    /// What it is valid for, if it is that of a portable call,
    ties: Option<Ties>,
    /// and where that is made, as far as it is known.
    ground: Option<Rc<Ground>>,
    /// Folders that tell by their stamps whether the names in them are as they were,
    folders: Vec<(Vec<u8>, Stamp)>,
    /// and for each fact the number of the folder that tells it, or [`NO_FOLDER`].
    told_by: Vec<u32>,
}

/// No folder has that number.
const NO_FOLDER: u32 = u32::MAX;

/// A path set, and what there is at its paths now.
pub struct Looked<'s> {
    /// The set.
    pub set: &'s PathSet,
    /// In the order of its facts.
    pub looks: Rc<[Look]>,
    /// The key of the entry that they lead to.
    pub key: Key,
    began: i64,
}

/// What was looked at already, as several sets may hold the same paths.
type Memo<'s> = HashMap<(&'s [u8], Class), Look>;

impl PathSet {
    /// The set of a run that began then.
    pub fn of_run(facts: Vec<Fact>, began: i64) -> PathSet {
        PathSet::default().with(facts, began)
    }

    /// The same of a portable call that was made there. `ties`: what is known of what it is
    /// valid for.
    pub fn of_portable_run(
        facts: Vec<Fact>,
        began: i64,
        ground: &Rc<Ground>,
        ties: Ties,
    ) -> PathSet {
        let (facts, ties) = ground.sort(facts, ties);
        let of = PathSet { ties: Some(ties), ground: Some(ground.clone()), ..PathSet::default() };
        of.with(facts, began)
    }

    /// The same set with what there is at its paths now.
    fn with(&self, facts: Vec<Fact>, began: i64) -> PathSet {
        let kept = |fact: &Fact| fact.stamp.filter(|stamp| is_kept(fact.class, stamp, began));
        let facts: Vec<Fact> =
            facts.into_iter().map(|fact| Fact { stamp: kept(&fact), ..fact }).collect();
        let mut set = PathSet {
            facts: Vec::new(),
            id: Key([0; 32]),
            ties: self.ties,
            ground: self.ground.clone(),
            folders: Vec::new(),
            told_by: Vec::new(),
        };
        set.id = set.id_of(facts.iter().map(|fact| (set.stored(&fact.path), fact.class)));
        let mut numbers = HashMap::new();
        let mut folders = Vec::new();
        let mut told_by = vec![NO_FOLDER; facts.len()];
        for (fact, number) in facts.iter().zip(&mut told_by).filter(|(it, _)| is_of_a_name(it)) {
            let folder = parent(&fact.path);
            *number = *numbers.entry(folder).or_insert_with(|| {
                let Some(stamp) = settled(folder, began) else { return NO_FOLDER };
                folders.push((folder.to_vec(), stamp));
                folders.len() as u32 - 1
            });
        }
        PathSet { facts, folders, told_by, ..set }
    }

    fn id_of<'p>(&self, paths: impl Iterator<Item = (&'p [u8], Class)>) -> Key {
        let mut hasher = blake3::Hasher::new();
        if let Some(ties) = self.ties {
            hasher.update(b"\0\0\0\0").update(&[ties.bits()]);
        }
        for (path, class) in paths {
            hasher.update(&(path.len() as u32).to_le_bytes());
            hasher.update(path);
            hasher.update(&[class as u8]);
        }
        Key(*hasher.finalize().as_bytes())
    }

    /// Tells sets of other paths apart.
    pub fn id(&self) -> Key {
        self.id
    }

    /// What it is valid for, if it is that of a portable call.
    pub fn ties(&self) -> Option<Ties> {
        self.ties
    }

    /// A path as it is stored.
    fn stored<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        let moves = self.ties.is_some_and(|ties| !ties.base);
        let ground = self.ground.as_ref().filter(|_| moves);
        ground.and_then(|ground| ground.below(path)).unwrap_or(path)
    }

    /// The path that is stored so.
    fn met(&self, stored: Vec<u8>) -> Vec<u8> {
        let moves = self.ties.is_some_and(|ties| !ties.base);
        match self.ground.as_ref().filter(|_| moves) {
            Some(ground) => ground.path(stored),
            None => stored,
        }
    }

    /// The key of the entry that a call of this key has if these are the values.
    fn strong_key(&self, key: &Key, values: impl Iterator<Item = facts::Value>) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"cachex auto 2\0");
        hasher.update(rights());
        hasher.update(&key.0);
        hasher.update(&self.id.0);
        if let (Some(ties), Some(ground)) = (self.ties, &self.ground) {
            ground.tie(ties, &mut hasher);
        }
        let mut told = Vec::with_capacity(32 * self.facts.len());
        values.for_each(|value| told.extend(value.0));
        Key(*hasher.update(&told).finalize().as_bytes())
    }

    /// The same if they are as they were when the set was used last.
    pub fn last_key(&self, key: &Key) -> Key {
        self.strong_key(key, self.facts.iter().map(|fact| fact.value))
    }

    /// Looks at every path that no folder tells of.
    fn look(&self, memo: &Memo<'_>) -> Rc<[Look]> {
        let is_as_it_was = |(path, stamp): &(Vec<u8>, Stamp)| Stamp::at(path) == Some(*stamp);
        let folders: Vec<bool> = self.folders.iter().map(is_as_it_was).collect();
        let look = |(fact, &folder): (&Fact, &u32)| {
            if folders.get(folder as usize) == Some(&true) {
                return Look { value: fact.value, stamp: None };
            }
            if let Some(look) = memo.get(&(fact.path.as_slice(), fact.class)) {
                return *look;
            }
            if let (true, Some(ground)) = (fact.path.starts_with(ground::ABOVE), &self.ground) {
                return ground.look_above(&fact.path);
            }
            let known = fact.stamp.map(|stamp| (stamp, fact.value));
            facts::look(&fact.path, fact.class, known.as_ref())
        };
        self.facts.iter().zip(&self.told_by).map(look).collect()
    }
}

impl Looked<'_> {
    /// The same set as it is now; none if no more is known than before.
    pub fn renewed(&self) -> Option<PathSet> {
        let kept = |fact: &Fact, look: &Look| {
            look.stamp.filter(|stamp| is_kept(fact.class, stamp, self.began))
        };
        let facts = || self.set.facts.iter().zip(&*self.looks);
        let is_new = |(fact, look): (&Fact, &Look)| {
            fact.value != look.value || fact.stamp != kept(fact, look)
        };
        let untold = self.set.facts.iter().zip(&self.set.told_by);
        let untold = untold.filter(|(fact, it)| **it == NO_FOLDER && is_of_a_name(fact));
        let untold: BTreeSet<&[u8]> = untold.map(|(fact, _)| parent(&fact.path)).collect();
        let is_settled = |folder: &&[u8]| settled(folder, self.began).is_some();
        if !facts().any(is_new) && !untold.iter().any(is_settled) {
            return None;
        }
        let renewed = facts().map(|(fact, look)| Fact {
            value: look.value,
            stamp: look.stamp,
            ..fact.clone()
        });
        Some(self.set.with(renewed.collect(), self.began))
    }
}

/// Whether a fact says of a name in a folder that nothing has it, or what has it whose name is
/// all there is to it: each such change is one of the folder.
fn is_of_a_name(fact: &Fact) -> bool {
    matches!(fact.class, Class::Kind | Class::Link) && fact.path.starts_with(b"/")
}

/// What the system goes by when it lets this process do something or not: its users, groups
/// and capabilities. Facts say what there is, and not what a caller may do with it.
fn rights() -> &'static [u8; 32] {
    static RIGHTS: OnceLock<[u8; 32]> = OnceLock::new();
    RIGHTS.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        let ids = [geteuid().as_raw(), getegid().as_raw()];
        let mut groups: Vec<u32> =
            rustix::process::getgroups().unwrap_or_default().iter().map(|it| it.as_raw()).collect();
        groups.sort_unstable();
        groups.dedup();
        for id in ids.into_iter().chain(groups) {
            hasher.update(&id.to_le_bytes());
        }
        #[cfg(target_os = "linux")]
        if let Ok(capabilities) = rustix::thread::capabilities(None) {
            hasher.update(&capabilities.effective.bits().to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    })
}

/// The stamp of a folder that did not change lately, as of then.
fn settled(folder: &[u8], then: i64) -> Option<Stamp> {
    let is_old = |stamp: &Stamp| stamp.mtime.max(stamp.ctime) <= then.saturating_sub(SETTLED);
    facts::folder(folder).filter(is_old)
}

/// The folder of a canonical path.
fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(at) => &path[..at],
    }
}

/// Whether a stamp saves reading something the next time, and tells of every change from the
/// time on when something began.
fn is_kept(class: Class, stamp: &Stamp, began: i64) -> bool {
    let is_read = matches!(class, Class::Contents | Class::Listing);
    is_read && stamp.size > 0 && stamp.mtime.max(stamp.ctime) <= began.saturating_sub(SETTLED)
}

impl PathSets {
    /// Looks at the paths of each set, one after the other, for a call of this key.
    pub fn look<'s>(&'s self, key: &'s Key) -> impl Iterator<Item = Looked<'s>> {
        let mut memo = Memo::new();
        let mut last: Option<(&PathSet, Rc<[Look]>)> = None;
        self.sets.iter().map(move |set| {
            let began = stamp::now();
            if let Some((set, looks)) = last.take() {
                let met = set.facts.iter().zip(&*looks);
                memo.extend(met.map(|(fact, look)| ((fact.path.as_slice(), fact.class), *look)));
            }
            let looks = set.look(&memo);
            last = Some((set, looks.clone()));
            let key = set.strong_key(key, looks.iter().map(|look| look.value));
            Looked { set, looks, key, began }
        })
    }

    /// What is known of this key, wherever its calls are made; nothing if that is damaged.
    pub fn recall(root: &Root, key: &Key) -> PathSets {
        PathSets::recall_at(root, key, None)
    }

    /// The same for a portable call that is made there.
    pub fn recall_at(root: &Root, key: &Key, ground: Option<&Rc<Ground>>) -> PathSets {
        PathSets::try_recall(root, key, ground).unwrap_or_default()
    }

    fn try_recall(root: &Root, key: &Key, ground: Option<&Rc<Ground>>) -> Option<PathSets> {
        let file = fsutil::open_file(root, path(key)).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let len = usize::try_from(stat.st_size).ok().filter(|&len| len <= codec::LONGEST)?;
        let mut bytes = vec![0; len];
        let read = fsutil::read_full(&file, &mut bytes).ok()?;
        bytes.truncate(read);
        let sets = codec::decode(&bytes, ground)?;
        if stamp::Stamp::of(&stat).mtime < stamp::now() - USED_LATELY {
            // The sweep goes by that.
            let _ = rustix::fs::futimens(&file, &fsutil::NOW);
        }
        Some(sets)
    }

    /// Takes the place of what is known of this key.
    pub fn remember(&self, root: &Root, key: &Key) -> Result<()> {
        let bytes = codec::encode(self);
        let (temporary, file) = Temporary::create(root)?;
        fsutil::write_file(file, &bytes)?;
        Ok(temporary.rename(&path(key))?)
    }

    /// Makes this set the one that was used last.
    pub fn used(&mut self, set: PathSet) {
        let id = set.id();
        self.sets.retain(|known| known.id() != id);
        self.sets.insert(0, set);
        self.sets.truncate(MOST);
    }

    /// Adds the set of a run that was recorded.
    pub fn add(root: &Root, key: &Key, set: PathSet) -> Result<()> {
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Shared);
        let mut known = PathSets::recall_at(root, key, set.ground.as_ref());
        known.used(set);
        known.refused = None;
        known.remember(root, key)
    }

    /// Adds the set of another store, as the one that is used last of all.
    pub fn add_last(root: &Root, key: &Key, set: PathSet) -> Result<()> {
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Shared);
        let mut known = PathSets::recall_at(root, key, set.ground.as_ref());
        if known.sets.iter().any(|it| it.id() == set.id()) {
            return Ok(());
        }
        known.sets.truncate(MOST - 1);
        known.sets.push(set);
        known.remember(root, key)
    }

    /// Notes why a run was not recorded.
    pub fn refuse(root: &Root, key: &Key, why: &str) -> Result<()> {
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Shared);
        let mut known = PathSets::recall(root, key);
        known.refused = Some(Refused { at: Timestamp::now(), why: why.to_owned() });
        known.remember(root, key)
    }
}

/// Where what is known of a key lies.
pub fn path(key: &Key) -> PathBuf {
    let hex = key.to_string();
    PathBuf::from(format!("{FOLDER}/{}/{hex}", &hex[..2]))
}
