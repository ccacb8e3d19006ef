//! Dependencies of automatic calls, by which their results are found.
//!
//! The key of a call says what is run and how. The files that the command reads are known only once
//! it has run, so the results of `--auto` are found in two steps: the key leads to path sets, each
//! of which lists the paths that mattered to a run and what about them mattered. The current state
//! of these paths, together with the key, makes the key of the entry (the strong key). So any
//! number of results share a path set, and a file that gets its old content back finds the old
//! result.
//!
//! ```text
//! v2/auto/ab/KEY
//! magic (8) | BLAKE3 of the rest (32) | refusal | number of sets (1) | sets, the last used first
//! refusal: when the last run was not recorded (8, zero: it was) | length (2) | why
//! set: id (32) | ties (1) | number of folders (4) | folders | number of facts (4) | facts in order
//! folder: length (2) | path | stamp (56)
//! fact: bytes shared with the path before (2) | length of the rest (2) | the rest
//!     | class (1) | value (32) | 0, or 1 | stamp (56), or 2 | number of the folder (4)
//! ```
//!
//! Values and stamps are those of the run or hit that used the set last. Stamps save reading a file
//! again, or asking a folder for names that it did not have; values let `explain` tell what
//! differs. They affect nothing but speed. A file written within a tick of the file system's clock
//! may have the same stamp and different contents, so stamps younger than two seconds are not kept,
//! as in git.
//!
//! Sets of portable calls store paths below the base folder relative to it, see [`ground`]. Only
//! these sets leave the machine, see [`shared`].

mod codec;
mod file;
pub mod ground;
pub mod shared;
#[cfg(test)]
mod tests;

pub use file::path;

use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::stamp;
use cachex_trace::{Class, Fact, Look, Stamp, facts};
pub use ground::{Ground, Ties};
use rustix::process::{getegid, geteuid};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::OnceLock;

/// The folder of path sets in the store.
pub const FOLDER: &str = "auto";
/// The maximum number of path sets for a key.
pub const MOST: usize = 8;
/// The age from which stamps are trusted: file system clocks tick in up to two seconds.
const SETTLED: i64 = 2_000_000_000;

/// The path sets of the calls that have one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathSets {
    /// The sets, most recently used first.
    pub sets: Vec<PathSet>,
    /// The reason why the last run was not recorded; `None` if it was.
    pub refused: Option<Refused>,
}

/// A run that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The time of the run.
    pub at: Timestamp,
    /// The reason.
    pub why: String,
}

/// The paths that mattered to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathSet {
    /// The facts in the order of their paths and classes, with the values at the last use of the
    /// set.
    pub facts: Vec<Fact>,
    /// The ID of the set, which depends on its paths.
    id: Key,
    /// The ties of the set, if it is that of a portable call,
    ties: Option<Ties>,
    /// and where that call is made, as far as known.
    ground: Option<Rc<Ground>>,
    /// Folders whose stamps tell whether the names in them are unchanged,
    folders: Vec<(Vec<u8>, Stamp)>,
    /// and for each fact the index of the folder that covers it, or [`NO_FOLDER`].
    told_by: Vec<u32>,
}

/// Marks a fact that no folder covers.
const NO_FOLDER: u32 = u32::MAX;

/// A path set, and the current state of its paths.
pub struct Looked<'s> {
    /// The set.
    pub set: &'s PathSet,
    /// The looks, in the order of the set's facts.
    pub looks: Rc<[Look]>,
    /// The key of the entry that they lead to.
    pub key: Key,
    began: i64,
}

/// Paths already looked at, as several sets may share paths.
type Memo<'s> = HashMap<(&'s [u8], Class), Look>;

impl PathSet {
    /// Creates the set of a run that began at `began`.
    pub fn of_run(facts: Vec<Fact>, began: i64) -> PathSet {
        PathSet::default().with(facts, began)
    }

    /// Creates the set of a portable call that was made at `ground`. `ties` are those already
    /// known.
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

    /// Creates a set like this one with the current state of its paths.
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

    /// Returns the ID of the set, which depends on its paths.
    pub fn id(&self) -> Key {
        self.id
    }

    /// Returns the ties of the set, if it is that of a portable call.
    pub fn ties(&self) -> Option<Ties> {
        self.ties
    }

    /// Returns a path in its stored form.
    fn stored<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        let moves = self.moves();
        let ground = self.ground.as_ref().filter(|_| moves);
        ground.and_then(|ground| ground.below(path)).unwrap_or(path)
    }

    /// Returns whether its paths are stored relative to the base folder, which may move.
    fn moves(&self) -> bool {
        self.ties.is_some_and(|ties| !ties.base)
    }

    /// Returns the path of the last fact, which the stored form of the next one begins with.
    fn last_path(&self) -> &[u8] {
        self.facts.last().map_or(&[], |fact| &fact.path)
    }

    /// Replaces the stored forms of the paths of its facts by the paths.
    fn with_met_paths(mut self) -> PathSet {
        if self.moves() {
            let mut facts = std::mem::take(&mut self.facts);
            for fact in &mut facts {
                fact.path = self.met(std::mem::take(&mut fact.path));
            }
            self.facts = facts;
        }
        self
    }

    /// Returns the path of a stored form.
    fn met(&self, stored: Vec<u8>) -> Vec<u8> {
        match self.ground.as_ref().filter(|_| self.moves()) {
            Some(ground) => ground.path(stored),
            None => stored,
        }
    }

    /// Returns the strong key of a call with this key and these values.
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

    /// Returns the strong key for the values at the last use of the set.
    pub fn last_key(&self, key: &Key) -> Key {
        self.strong_key(key, self.facts.iter().map(|fact| fact.value))
    }

    /// Looks at every path that no folder covers.
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
    /// Returns the set with current values; `None` if nothing new is known.
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

/// Returns whether a fact depends on a name in a folder alone: the name is absent, or only its kind
/// or link target matters. Each such change also changes the folder.
fn is_of_a_name(fact: &Fact) -> bool {
    matches!(fact.class, Class::Kind | Class::Link) && fact.path.starts_with(b"/")
}

/// Returns a hash of this process's users, groups and capabilities, by which the system grants
/// access. Facts say what exists, not what a caller may do with it.
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

/// Returns the stamp of a folder, unless it changed shortly before `then`.
fn settled(folder: &[u8], then: i64) -> Option<Stamp> {
    let is_old = |stamp: &Stamp| stamp.mtime.max(stamp.ctime) <= then.saturating_sub(SETTLED);
    facts::folder(folder).filter(is_old)
}

/// Returns the parent folder of a canonical path.
fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(at) => &path[..at],
    }
}

/// Returns whether a stamp saves reading something next time, and reveals every change since
/// `began`.
fn is_kept(class: Class, stamp: &Stamp, began: i64) -> bool {
    let is_read = matches!(class, Class::Contents | Class::Listing);
    is_read && stamp.size > 0 && stamp.mtime.max(stamp.ctime) <= began.saturating_sub(SETTLED)
}

impl PathSets {
    /// Looks at the paths of each set in turn, for a call of this key.
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

    /// Makes a set the most recently used one.
    pub fn used(&mut self, set: PathSet) {
        let id = set.id();
        self.sets.retain(|known| known.id() != id);
        self.sets.insert(0, set);
        self.sets.truncate(MOST);
    }
}
