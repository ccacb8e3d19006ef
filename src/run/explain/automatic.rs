//! What a look-up of an automatic call would meet, and what keeps it from a hit.

use crate::run::Runner;
use crate::run::explain::find;
use crate::run::identify::Call;
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::quote;
use cachex_store::Root;
use cachex_store::path_sets::{Looked, PathSet, Refused, Ties};
use cachex_trace::{Class, Value};

/// What is known of an automatic call.
#[derive(Debug, Default)]
pub struct Automatic {
    /// How many facts the entry depends on, or the one that comes closest.
    pub facts: Option<usize>,
    /// Those that are not what they were when what comes closest was recorded or served.
    pub differing: Vec<DifferingFact>,
    /// When that was recorded.
    pub nearest: Option<Timestamp>,
    /// Why the last run was not recorded; none if it was.
    pub refused: Option<Refused>,
    /// Where that is valid besides here; none: nothing is known.
    pub valid: Option<&'static str>,
    /// Why nothing can be found out here about what commands read.
    pub unsupported: Option<String>,
}

/// A fact that is not what it was.
#[derive(Clone, Debug)]
pub struct DifferingFact {
    /// Where.
    pub path: Vec<u8>,
    /// What of it.
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

    /// All of it in words.
    pub fn in_words(&self) -> String {
        format!("{} {}", quote::word(&self.path), self.what)
    }
}

impl Runner<'_> {
    /// The key of the entry that this call would meet, if there is one, else its own; and
    /// what there is to say of it if it is automatic.
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

/// Where a result is valid besides here, in words.
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
