//! The entry that a look-up of an automatic call would find, and what keeps it from a hit.

use crate::run::Runner;
use crate::run::explain::find;
use crate::run::identify::Call;
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::quote;
use cachex_store::Root;
use cachex_store::path_sets::{Looked, PathSet, Refused, Ties};
use cachex_trace::{Class, Value};

/// Information about an automatic call.
#[derive(Debug, Default)]
pub struct Automatic {
    /// The number of facts on which the entry depends, or else the nearest one.
    pub facts: Option<usize>,
    /// The facts that have changed since the nearest entry was recorded or served.
    pub differing: Vec<DifferingFact>,
    /// The time at which the nearest entry was recorded.
    pub nearest: Option<Timestamp>,
    /// The reason why the last run was not recorded; none if it was.
    pub refused: Option<Refused>,
    /// The other places where the entry is valid; none if unknown.
    pub valid: Option<&'static str>,
    /// The reason why commands cannot be traced here.
    pub unsupported: Option<String>,
}

/// A fact that has changed.
#[derive(Clone, Debug)]
pub struct DifferingFact {
    /// The path that it is about.
    pub path: Vec<u8>,
    /// A description of the change.
    pub what: String,
}

impl DifferingFact {
    fn of(path: &[u8], class: Class, then: Value, now: Value) -> DifferingFact {
        let what = match (then.is_absent(), now.is_absent()) {
            (true, false) => "is there now".to_owned(),
            (false, true) => "is gone".to_owned(),
            _ => format!("differs ({})", class.name()),
        };
        DifferingFact { path: path.to_vec(), what }
    }

    /// Returns the whole fact in words.
    pub fn in_words(&self) -> String {
        format!("{} {}", quote::word(&self.path), self.what)
    }
}

impl Runner<'_> {
    /// Returns the key of the entry that this call would find, else its own key; and information
    /// about the call if it is automatic.
    pub(in crate::run) fn entry_key(
        &self,
        root: Option<&Root>,
        call: &Call,
    ) -> (Key, Option<Automatic>) {
        if !self.is_automatic() {
            return (call.key, None);
        }
        let unsupported = cachex_trace::support().err().map(|why| why.to_string());
        let Some(root) = root else {
            return (call.key, Some(Automatic { unsupported, ..Automatic::default() }));
        };
        let known = self.recall(root, &call.key);
        let told =
            Automatic { refused: known.refused.clone(), unsupported, ..Automatic::default() };
        let mut nearest: Option<(Vec<DifferingFact>, &PathSet)> = None;
        for looked in known.look(&call.key) {
            if !matches!(find(root, &looked.key), Ok(None)) {
                let (facts, valid) = (Some(looked.set.facts.len()), Some(valid(looked.set)));
                return (looked.key, Some(Automatic { facts, valid, ..told }));
            }
            let differing = differing(&looked);
            if nearest.as_ref().is_none_or(|(least, _)| differing.len() < least.len()) {
                nearest = Some((differing, looked.set));
            }
        }
        let Some((differing, set)) = nearest else { return (call.key, Some(told)) };
        let entry = find(root, &set.last_key(&call.key)).ok().flatten();
        let nearest = entry.map(|entry| entry.created);
        let (facts, valid) = (Some(set.facts.len()), Some(valid(set)));
        (call.key, Some(Automatic { facts, differing, nearest, valid, ..told }))
    }
}

/// Returns, in words, where else a result is valid.
fn valid(set: &PathSet) -> &'static str {
    match set.ties() {
        None => "here alone, without --portable",
        Some(_) if !set.can_leave() => "here alone: others may not read what the system told it",
        Some(Ties { base: true, .. }) => {
            "in this folder alone: its output shows the folder, or it named files by it"
        }
        Some(Ties { parent: true, .. }) => {
            "in folders beside this one: it looked at what lies beside it"
        }
        Some(Ties { home: true, .. }) => "in any folder, with the same HOME and TMPDIR",
        Some(_) => "in any folder",
    }
}

fn differing(looked: &Looked<'_>) -> Vec<DifferingFact> {
    let pairs = looked.set.facts.iter().zip(&*looked.looks);
    pairs
        .filter(|(fact, look)| fact.value != look.value)
        .map(|(fact, look)| DifferingFact::of(&fact.path, fact.class, fact.value, look.value))
        .collect()
}
