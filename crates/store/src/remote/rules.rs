//! The rules of `cachex remote invalidate`, as far as this machine knows them: they lie beside
//! the local store, a file for each remote store, and whoever judges an entry that comes from
//! elsewhere goes by all of them.
//!
//! A rule of one store is about entries of another, too: a result that was put from a far store
//! into a near one is invalid there as well, and so is one that comes in an archive.

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

/// No object of rules is longer, nor the file.
pub const LONGEST: usize = 32 * 1024;

impl Rule {
    /// Whether it is about everything that another is about.
    pub fn covers(&self, other: &Rule) -> bool {
        let wider = |mine: &Option<String>, theirs| mine.is_none() || mine == theirs;
        self.before >= other.before
            && wider(&self.tag, &other.tag)
            && wider(&self.command, &other.command)
    }

    /// What an entry must meet beside having begun early enough.
    pub fn filter(&self) -> Filter {
        let Rule { tag, command, .. } = self.clone();
        Filter { tag, command_glob: command, ..Filter::default() }
    }

    /// Whether it is about this entry.
    pub fn is_about(&self, entry: &Entry) -> bool {
        // What a run has read it may have read at its beginning.
        let began = entry.created.0.saturating_sub(entry.run_time);
        let matches = |filter: &Filter| {
            filter.matcher().is_ok_and(|it| it.matches(entry, &EntryMetadata::default()))
        };
        began < self.before.0 && matches(&self.filter())
    }
}

/// All that was invalidated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// In the order in which they were learnt.
    pub rules: Vec<Rule>,
}

impl Rules {
    /// Whether one of them is about this entry.
    pub fn are_about(&self, entry: &Entry) -> bool {
        self.rules.iter().any(|rule| rule.is_about(entry))
    }

    /// Takes one in, unless there is one that says as much; whether that is new.
    pub fn add(&mut self, rule: Rule) -> bool {
        if self.rules.iter().any(|known| known.covers(&rule)) {
            return false;
        }
        self.rules.retain(|known| !rule.covers(known));
        self.rules.push(rule);
        true
    }

    /// Takes in all of them; whether one is new.
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

/// What is known here of the rules of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The rules.
    pub rules: Rules,
    /// Whether what they are about may be in the local store.
    pub is_to_be_swept: bool,
}

impl Known {
    /// Reads what is known of a store; one that is damaged is learnt anew.
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

/// The rules that are known here of any store.
pub fn all(root: &Root) -> Rules {
    let mut rules = Rules::default();
    for name in fsutil::names(root, FOLDER).unwrap_or_default() {
        if let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".rules")) {
            rules.add_all(Known::of(root, id).rules);
        }
    }
    rules
}
