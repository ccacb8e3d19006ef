//! The rules of `cachex remote invalidate`, as far as this machine knows them. They lie beside the
//! local store, one file for each remote store, and all of them apply to any entry that comes from
//! elsewhere.
//!
//! A rule of one store also applies to entries of another: a result copied from a far store into a
//! near one is invalid there as well, and so is one imported from an archive.

use super::{FOLDER, Rule, rules_file};
use crate::Root;
use crate::metadata::EntryMetadata;
use crate::query::Filter;
use cachex_base::process::ipc;
use cachex_base::record::entry::Entry;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;

/// The maximum length of an object of rules, and of the file.
pub const LONGEST: usize = 32 * 1024;

impl Rule {
    /// Returns whether the rule covers every entry that `other` covers.
    pub fn covers(&self, other: &Rule) -> bool {
        let wider = |mine: &Option<String>, theirs| mine.is_none() || mine == theirs;
        self.before >= other.before
            && wider(&self.tag, &other.tag)
            && wider(&self.command, &other.command)
    }

    /// Returns the filter that an entry must match, besides having begun early enough.
    pub fn filter(&self) -> Filter {
        let Rule { tag, command, .. } = self.clone();
        Filter { tag, command_glob: command, ..Filter::default() }
    }

    /// Returns whether the rule covers an entry.
    pub fn is_about(&self, entry: &Entry) -> bool {
        // A run may have read its inputs at its very beginning.
        let began = entry.created.0.saturating_sub(entry.run_time);
        let matches = |filter: &Filter| {
            filter.matcher().is_ok_and(|it| it.matches(entry, &EntryMetadata::default()))
        };
        began < self.before.0 && matches(&self.filter())
    }
}

/// A set of invalidation rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The rules, in the order in which they were learnt.
    pub rules: Vec<Rule>,
}

impl Rules {
    /// Returns whether a rule covers an entry.
    pub fn are_about(&self, entry: &Entry) -> bool {
        self.rules.iter().any(|rule| rule.is_about(entry))
    }

    /// Adds a rule, unless an existing one covers it. Returns whether it was added.
    pub fn add(&mut self, rule: Rule) -> bool {
        if self.rules.iter().any(|known| known.covers(&rule)) {
            return false;
        }
        self.rules.retain(|known| !rule.covers(known));
        self.rules.push(rule);
        true
    }

    /// Adds all rules of a set. Returns whether any was added.
    pub fn add_all(&mut self, others: Rules) -> bool {
        let now = Timestamp::now();
        let of_the_past = |rule: Rule| Rule { before: rule.before.min(now), ..rule };
        let mut is_new = false;
        for rule in others.rules.into_iter().map(of_the_past) {
            is_new |= self.add(rule);
        }
        is_new
    }
}

/// The rules of one store, as far as known here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The rules.
    pub rules: Rules,
    /// True if entries that the rules cover may be in the local store.
    pub is_to_be_swept: bool,
}

impl Known {
    /// Reads the known rules of a store; a damaged file is learnt anew.
    pub fn of(root: &Root, id: &str) -> Known {
        let read = || {
            let file = File::from(fsutil::open_file(root, rules_file(id)).ok()?);
            let mut bytes = Vec::new();
            file.take(LONGEST as u64).read_to_end(&mut bytes).ok()?;
            ipc::decode(&bytes).ok()
        };
        read().unwrap_or_default()
    }
}

/// Returns the known rules of all stores.
pub fn all(root: &Root) -> Rules {
    let mut rules = Rules::default();
    for name in fsutil::names(root, FOLDER).unwrap_or_default() {
        if let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".rules")) {
            rules.add_all(Known::of(root, id).rules);
        }
    }
    rules
}
