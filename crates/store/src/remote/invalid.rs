//! Invalidation for everybody who shares a store: of entries whose run began before a time,
//! either all of them or those with a tag or of a command.
//!
//! The rules lie in the remote store as one object, and beside the local store as
//! `remote/ID.rules`. A machine that learns a new rule removes the entries that it covers from
//! its own store, once, so a hit has nothing to check. Rules are learnt whenever a result is
//! fetched or sent, and by a process in the background once [`EVERY`](super::EVERY) has passed
//! since the last time, which a hit notices by the age of the file.
//!
//! A known rule is never dropped because the server does not have it any more: nobody who can
//! write there, or restores an earlier state, can bring back what was invalidated. A rule is
//! about the past: a later time is treated as the moment when the rule is learnt.

use super::names::{Book, Names};
use super::rules::{Known, LONGEST, Rules};
use super::{Rule, letter, rules, rules_file};
use crate::db_client::DbClient;
use crate::lock::{self, Lock, Mode};
use crate::query::Query;
use crate::remote::circuit_breaker;
use crate::{Root, removal};
use anyhow::{Context, Result, ensure};
use cachex_base::process::ipc;
use cachex_remote::Engine;
use letter::Subject;
use std::time::Duration;

/// The maximum number of rules.
const MOST: usize = 100;
/// The number of attempts to write a rule while others write theirs.
const TRIES: u32 = 5;

fn note(root: &Root, id: &str, known: &Known) -> Result<()> {
    let bytes = ipc::encode(known)?;
    ensure!(
        circuit_breaker::replace(root, &rules_file(id), &bytes),
        "writing down what was invalidated"
    );
    Ok(())
}

/// Returns the rules that the store has under these names. Rules that are not trustworthy are
/// ignored.
async fn stored(engine: &Engine, book: &Book<'_>, names: &Names) -> Result<Rules> {
    let Some(stored) = engine.get(&names.invalidated(), LONGEST).await? else {
        return Ok(Rules::default());
    };
    let opened = letter::open(names.sums(), Subject::Invalidation, &stored, book.trust());
    let rules = opened.ok().and_then(|(content, _)| ipc::decode(content).ok());
    Ok(rules.filter(|rules: &Rules| rules.rules.len() <= MOST).unwrap_or_default())
}

/// Returns the rules that are in force: those known here from any store, and those learnt from
/// this one. New rules are stored, and have to be [swept](sweep) then.
pub async fn learn(root: &Root, id: &str, engine: &Engine, book: &Book<'_>) -> Result<Rules> {
    adopt(root, id, there(engine, book).await?)?;
    Ok(rules::all(root))
}

/// Like [`learn`], for callers that may write: restores rules that the remote store has lost, for
/// example because it was full.
pub async fn learn_and_restore(
    root: &Root,
    id: &str,
    engine: &Engine,
    book: &Book<'_>,
) -> Result<Rules> {
    let there = there(engine, book).await?;
    let all = adopt(root, id, there.clone())?;
    let is_known = |rule: &Rule| there.rules.iter().any(|known| known.covers(rule));
    for rule in all.rules.iter().filter(|rule| !is_known(rule)) {
        // A failure here is not worth failing for.
        let _ = invalidate(root, id, engine, book, rule).await;
    }
    Ok(rules::all(root))
}

/// Returns the rules that are in force, without changing anything here.
pub async fn see(root: &Root, engine: &Engine, book: &Book<'_>) -> Result<Rules> {
    let mut all = rules::all(root);
    all.add_all(there(engine, book).await?);
    Ok(all)
}

async fn there(engine: &Engine, book: &Book<'_>) -> Result<Rules> {
    let mut there = Rules::default();
    for names in book.all(None) {
        there.add_all(stored(engine, book, &names).await?);
    }
    Ok(there)
}

/// Adds these rules to those known, and stores them.
fn adopt(root: &Root, id: &str, new: Rules) -> Result<Rules> {
    let mut known = Known::of(root, id);
    if known.rules.add_all(new) {
        known.is_to_be_swept = true;
        note(root, id, &known)?;
    } else if !super::touch(root, &rules_file(id)) {
        note(root, id, &known)?;
    }
    Ok(known.rules)
}

/// Returns whether rules were learnt that are still to be swept.
pub fn is_to_be_swept(root: &Root, id: &str) -> bool {
    Known::of(root, id).is_to_be_swept
}

/// Removes invalidated entries from the local store. Returns the number of entries removed.
pub fn sweep(root: &Root, id: &str) -> Result<u64> {
    let found = Known::of(root, id);
    if !found.is_to_be_swept {
        return Ok(0);
    }
    // Wait for those who fetched something before the rules were stored to publish it.
    drop(Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?);
    let old = DbClient::new(root);
    old.take_in().context("folding the store")?;
    let mut keys = Vec::new();
    for rule in &found.rules.rules {
        let query = Query { filter: rule.filter(), ..Query::default() };
        old.query(&query, &mut |entry, _| {
            if rule.is_about(&entry) {
                keys.push(entry.key);
            }
            Ok(())
        })?;
    }
    keys.sort_unstable();
    keys.dedup();
    let removed = removal::remove(root, &keys)?;
    let swept = Known::of(root, id);
    if swept.rules == found.rules {
        note(root, id, &Known { is_to_be_swept: false, ..swept })?;
    }
    Ok(removed)
}

/// Adds a rule to those of the remote store.
pub async fn invalidate(
    root: &Root,
    id: &str,
    engine: &Engine,
    book: &Book<'_>,
    rule: &Rule,
) -> Result<()> {
    // Tell those who still use the previous secret, too.
    for names in book.all(None) {
        let name = names.invalidated();
        let mut tries = 0;
        loop {
            let mut rules = stored(engine, book, &names).await?;
            rules.add_all(Known::of(root, id).rules);
            rules.add(rule.clone());
            ensure!(
                rules.rules.len() <= MOST,
                "{MOST} invalidations are in force; one without a condition replaces them"
            );
            let content = ipc::encode(&rules)?;
            let sealed = letter::seal(names.sums(), Subject::Invalidation, &content, book.trust())?;
            ensure!(sealed.len() <= LONGEST, "the patterns are too long, taken together");
            engine.put(&name, sealed).await?;
            // Another machine may have written its rules at the same time; then those are read.
            let now = stored(engine, book, &names).await?;
            if now.rules.iter().any(|known| known.covers(rule)) {
                adopt(root, id, now)?;
                break;
            }
            tries += 1;
            ensure!(tries < TRIES, "what was written there is not what is read");
            tokio::time::sleep(Duration::from_millis(u64::from(50 * tries))).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, scene};
    use crate::young::Young;
    use cachex_base::record::entry::Entry;
    use cachex_base::system::clock::Timestamp;

    const ID: &str = "0123456789abcdef";

    fn rule(before: Timestamp, tag: Option<&str>, command: Option<&str>) -> Rule {
        let [tag, command] = [tag, command].map(|it| it.map(str::to_owned));
        Rule { before, tag, command }
    }

    #[test]
    fn a_rule_is_about_runs_that_began_before_it() {
        let second = 1_000_000_000;
        let ran = Entry { created: Timestamp(10 * second), run_time: 5 * second, ..entry(1, 1) };
        for (before, expected) in [(4, false), (5, false), (6, true), (20, true)] {
            let rule = rule(Timestamp(before * second), None, None);
            assert_eq!(rule.is_about(&ran), expected, "{before}");
        }
        assert!(!rule(Timestamp(20 * second), Some("none"), None).is_about(&ran));
        assert!(!rule(Timestamp(20 * second), None, Some("no *")).is_about(&ran));
    }

    #[test]
    fn a_wider_rule_replaces_narrower_ones() {
        let mut rules = Rules::default();
        assert!(rules.add(rule(Timestamp(50), Some("a"), None)));
        assert!(rules.add(rule(Timestamp(60), Some("b"), None)));
        assert!(!rules.add(rule(Timestamp(40), Some("a"), None)));
        assert!(!rules.add(rule(Timestamp(50), Some("a"), Some("make *"))));
        assert_eq!(rules.rules.len(), 2);
        assert!(rules.add(rule(Timestamp(60), None, None)));
        assert_eq!(rules.rules.len(), 1);
    }

    #[test]
    fn what_is_known_stays_and_what_comes_from_the_future_is_of_now() {
        let scene = scene();
        let root = &scene.root;
        let all = |rule| Rules { rules: vec![rule] };
        adopt(root, ID, all(rule(Timestamp(u64::MAX), Some("a"), None))).unwrap();
        let rules = adopt(root, ID, Rules::default()).unwrap();
        assert_eq!(rules.rules.len(), 1);
        assert!(rules.rules[0].before <= Timestamp::now());
        assert_eq!(Known::of(root, ID).rules, rules);
        assert!(is_to_be_swept(root, ID));
    }

    #[test]
    fn damage_is_as_good_as_nothing() {
        let scene = scene();
        assert!(circuit_breaker::replace(&scene.root, &rules_file(ID), b"\xff\xff\xff\xff\xff"));
        assert_eq!(Known::of(&scene.root, ID), Known::default());
        assert!(Young::new(&scene.root).keys().unwrap().is_empty());
    }
}
