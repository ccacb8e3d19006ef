//! Looks up an entry, and judges whether it may be served now.

use super::{Call, Candidate, Hit, Missed, Runner};
use crate::run::replay::Replay;
use anyhow::Result;
use cachex_base::record::entry::{Entry, Key};
use cachex_base::streams::nonblocking_writer::Outputs;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::Mode;
use cachex_core::handover;
use cachex_store::db_client::DbClient;
use cachex_store::events::Reason;
use cachex_store::guard::SetAside;
use cachex_store::{self as store, Root};

impl Runner<'_> {
    /// Returns the entry to serve now, with its files restored; or why there is none. Asks the
    /// remote store if there is nothing fresh here.
    pub(super) fn find(&self, root: &Root, call: &Call) -> Result<Hit, Missed> {
        if self.is_automatic() {
            return match self.find_here(root, call) {
                Err(missed) if self.config.no_wait.is_none() && !self.config.remotes.is_empty() => {
                    self.find_automatic_there(root, call, missed)
                }
                found => found,
            };
        }
        let key = &call.key;
        match self.look_up(root, key) {
            Ok(hit) => self.completed(root, hit),
            // Asking the remote store would mean waiting, too.
            Err(missed) if self.config.no_wait.is_some() => Err(missed),
            Err(missed) => {
                let hit = self.find_there(root, key, missed)?;
                self.completed(root, hit)
            }
        }
    }

    /// Returns the entry to serve now from this store alone.
    pub(super) fn find_here(&self, root: &Root, call: &Call) -> Result<Hit, Missed> {
        self.find_as(root, call, |key| {
            let hit = self.look_up(root, key)?;
            self.completed(root, hit)
        })
    }

    /// Returns the entry of the remote store that may be served now in place of the local miss.
    fn find_there(&self, root: &Root, key: &Key, missed: Missed) -> Result<Candidate, Missed> {
        if self.config.mode == Mode::WriteOnly {
            return Err(missed);
        }
        let Some(entry) = self.fetch(root, key) else { return Err(missed) };
        match self.judge(root, key, Ok(Some(entry))) {
            Ok(found) => Ok(Candidate { is_remote: true, ..found }),
            // The remote entry is newer than the local one, if there is one.
            Err(judged) if judged.stale.is_some() => Err(judged),
            Err(_) => Err(missed),
        }
    }

    /// Restores the files of a hit; without them it is a miss.
    #[inline]
    pub(super) fn completed(&self, root: &Root, found: Candidate) -> Result<Hit, Missed> {
        self.brought_back(root, found).map_err(|why| Missed { why, stale: None })
    }

    /// Returns the entry of this store that may be served now, or why there is none.
    fn look_up(&self, root: &Root, key: &Key) -> Result<Candidate, Missed> {
        let forced = self.config.mode == Mode::WriteOnly;
        if forced && self.config.freshness.stale_if_error.is_none() {
            return Err(Missed { why: Reason::Forced, stale: None });
        }
        let found = if handover::was_absent(&key.0) {
            DbClient::new(root).get(key)
        } else {
            store::get(root, key)
        };
        self.judge(root, key, found)
    }

    /// Judges whether the result of a look-up may be served now.
    #[inline]
    pub(super) fn judge(
        &self,
        root: &Root,
        key: &Key,
        found: Result<Option<Entry>>,
    ) -> Result<Candidate, Missed> {
        let without = |why| Missed { why, stale: None };
        let freshness = &self.config.freshness;
        let forced = self.config.mode == Mode::WriteOnly;
        let entry = match found {
            Ok(Some(entry)) if self.accepts(&entry) => entry,
            Ok(_) if forced => return Err(without(Reason::Forced)),
            Ok(_) => return Err(without(Reason::NotRecorded)),
            Err(error) => {
                if error.is::<SetAside>() {
                    self.messages().warn(format_args!("{error}"));
                }
                return Err(without(Reason::Unreadable));
            }
        };
        if !freshness.exit_codes.contain(entry.status) {
            return Err(without(if forced { Reason::Forced } else { Reason::OtherStatus }));
        }
        let now = Timestamp::now();
        let limit = freshness.limit(entry.status, key);
        let fresh = entry.fresh(now, limit);
        let (age, why) = match fresh {
            Some(age) if !forced => (age, None),
            _ => {
                let why = if forced { Reason::Forced } else { Reason::Expired };
                let good = freshness.is_good(entry.status);
                let beyond = if forced { freshness.stale_if_error } else { freshness.stale_for() };
                let stands_in = || Self::stands_in(&entry, now, limit, beyond);
                match fresh.or_else(stands_in).filter(|_| good) {
                    Some(age) => (age, Some(why)),
                    None => return Err(without(why)),
                }
            }
        };
        match (Replay::prepare(root, entry), why) {
            (Ok(Some(replay)), _) if !replay.suits(Outputs::of_this_process) => {
                Err(without(Reason::OtherOutputs))
            }
            (Ok(Some(replay)), None) => Ok(Candidate { replay, age, is_remote: false }),
            (Ok(Some(replay)), Some(why)) => Err(Missed {
                why,
                stale: Some(Box::new(Candidate { replay, age, is_remote: false })),
            }),
            (Ok(None), _) => Err(without(Reason::Damaged)),
            (Err(_), _) => Err(without(Reason::Unreadable)),
        }
    }
}
