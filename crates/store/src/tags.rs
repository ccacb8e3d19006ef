//! Adds tags to a result after it was recorded.
//!
//! A young file does not change: another one replaces it, with the tags of both, and moves to the
//! old store with the next fold. The fold lock is held from reading to writing, so that what is
//! removed meanwhile stays removed. The publish lock is held exclusively, so that no newer result
//! is replaced.

use super::Root;
use super::guard;
use super::old::Old;
use super::young::Young;
use crate::lock::{self, Lock, Mode};
use anyhow::{Result, bail};
use cachex_base::record::entry::{Damaged, Entry, Key, MAX_TAGS};

/// The outcome of adding tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The tags were added, or the result does not exist any more.
    Done,
    /// Another process works on the store, or the result is not among the young.
    NotNow,
}

/// Adds tags to the result of a key, if that is possible at once.
pub fn try_to_add(root: &Root, key: &Key, tags: &[String]) -> Result<Added> {
    let Some(_fold) = Lock::take(root, lock::FOLD, Mode::TryExclusive)? else {
        return Ok(Added::NotNow);
    };
    let Some(_publish) = Lock::take(root, lock::PUBLISH, Mode::TryExclusive)? else {
        return Ok(Added::NotNow);
    };
    let young = Young::new(root);
    match young.get(key)? {
        Some(entry) => put(&young, entry, tags).map(|()| Added::Done),
        None => Ok(Added::NotNow),
    }
}

/// Adds tags to the result of a key, for a helper, which can wait and may open the database.
pub fn add(root: &Root, key: &Key, tags: &[String]) -> Result<()> {
    let _fold = Lock::wait(root, lock::FOLD, Mode::Exclusive)?;
    let old = match guard::exists(root).then(|| Old::with(root, |old| old.get(key))) {
        Some(Err(error)) if error.is::<Damaged>() => None,
        found => found.transpose()?.flatten(),
    };
    let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
    let young = Young::new(root);
    match young.get(key)?.or(old) {
        Some(entry) => put(&young, entry, tags),
        None => Ok(()),
    }
}

/// Returns those of the tags that an entry lacks.
pub fn lacking<'t>(entry: &Entry, tags: impl Iterator<Item = &'t String>) -> Vec<String> {
    tags.filter(|tag| !entry.about.tags.contains(tag)).cloned().collect()
}

fn put(young: &Young<'_>, mut entry: Entry, tags: &[String]) -> Result<()> {
    let lacking = lacking(&entry, tags.iter());
    if lacking.is_empty() {
        return Ok(());
    }
    entry.about.tags.extend(lacking);
    entry.about.tags.sort();
    if entry.about.tags.len() > MAX_TAGS {
        bail!("it would have more than {MAX_TAGS} tags");
    }
    young.put(&entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, key, scene};

    #[test]
    fn tags_are_added_to_those_that_there_are_until_there_is_no_room() {
        let scene = scene();
        let (young, key) = (Young::new(&scene.root), key(1));
        young.put(&entry(1, 0)).unwrap();
        for tags in [["one", "two"], ["two", "three"]] {
            let added = try_to_add(&scene.root, &key, &tags.map(str::to_owned)).unwrap();
            assert_eq!(added, Added::Done);
        }
        let tags = young.get(&key).unwrap().unwrap().about.tags;
        assert!(["one", "two", "three"].iter().all(|tag| tags.iter().any(|it| it == tag)));
        let many: Vec<String> = (0..MAX_TAGS).map(|n| n.to_string()).collect();
        assert!(try_to_add(&scene.root, &key, &many).is_err());
        assert_eq!(young.get(&key).unwrap().unwrap().about.tags, tags);
    }

    #[test]
    fn nobody_is_waited_for_and_what_is_gone_stays_so() {
        let scene = scene();
        let tags = ["one".to_owned()];
        Young::new(&scene.root).put(&entry(1, 0)).unwrap();
        for name in [lock::FOLD, lock::PUBLISH] {
            let _held = Lock::wait(&scene.root, name, Mode::Exclusive).unwrap();
            assert_eq!(try_to_add(&scene.root, &key(1), &tags).unwrap(), Added::NotNow);
        }
        add(&scene.root, &key(2), &tags).unwrap();
        assert!(Young::new(&scene.root).get(&key(2)).unwrap().is_none());
    }
}
