//! Automatic results of other machines.
//!
//! On a miss, an automatic call asks a remote store for the path sets of its key, checks their
//! paths here, and asks for the entry to which the result leads. The path set that led to an entry
//! is kept with it, so the next call finds both here.

use super::{Matched, part_name};
use crate::config::Remote as Settings;
use crate::run::{Call, Candidate, Hit, Missed, Runner};
use cachex_base::record::entry::Key;
use cachex_base::text::values::Mode;
use cachex_store::Root;
use cachex_store::path_sets::{PathSets, shared};
use std::time::Instant;

impl Runner<'_> {
    /// Returns the entry of a remote store that may be served now in place of the local miss.
    pub(in crate::run) fn find_automatic_there(
        &self,
        root: &Root,
        call: &Call,
        missed: Missed,
    ) -> Result<Hit, Missed> {
        if self.config.mode == Mode::WriteOnly || self.is_at_home() {
            return Err(missed);
        }
        let mut passed: Vec<&Settings> = Vec::new();
        for settings in self.remotes() {
            let started = Instant::now();
            let sets = self.path_sets_there(root, settings, &call.key);
            for looked in sets.look(&call.key) {
                let took = started.elapsed();
                let facts = Some(part_name(call, looked.set));
                let Some(entry) = self.fetch_from(root, settings, &looked.key, facts) else {
                    continue;
                };
                let keep_set = || {
                    let set = looked.renewed().unwrap_or_else(|| looked.set.clone());
                    // An optimisation: a failure costs only time.
                    self.fold_if(root, PathSets::add(root, self.config.max_size, &call.key, set));
                };
                let found = match self.judge(root, &looked.key, Ok(Some(entry))) {
                    Ok(found) => Candidate { is_remote: true, ..found },
                    // It may stand in for a run that fails.
                    Err(judged) if judged.stale.is_some() => {
                        keep_set();
                        return Err(judged);
                    }
                    Err(_) => continue,
                };
                let Ok(mut hit) = self.completed(root, found) else { continue };
                keep_set();
                for nearer in passed {
                    self.share_with(root, nearer, &looked.key, hit.replay.entry().longest());
                }
                hit.matched = Some(Matched { facts: looked.set.facts.len(), took });
                return Ok(hit);
            }
            passed.push(settings);
        }
        Err(missed)
    }

    /// Returns the keys to which a remote store's path sets and the local files lead.
    pub(in crate::run) fn keys_there(
        &self,
        root: &Root,
        settings: &Settings,
        key: &Key,
    ) -> Vec<Key> {
        let sets = self.path_sets_there(root, settings, key);
        sets.look(key).map(|looked| looked.key).collect()
    }

    /// Returns a remote store's path sets for a key, limited to those worth checking.
    fn path_sets_there(&self, root: &Root, settings: &Settings, key: &Key) -> PathSets {
        let Some(packed) = self.ask_for_path_sets(root, settings, key) else {
            return PathSets::default();
        };
        let unpacked = shared::unpack(&packed, self.ground().as_ref());
        if unpacked.is_none() {
            let what = "the remote store has path sets for this that are damaged";
            self.messages().warn(format_args!("{what}; they are not used"));
        }
        let mut sets = unpacked.unwrap_or_default();
        sets.retain(|set| set.can_leave() && set.is_soon_looked_at());
        PathSets { sets, ..PathSets::default() }
    }
}
