//! What is asked of a helper for a remote store, and what it answers.

use super::circuit_breaker::Outage;
use crate::events::{Kind, Remotely};
use cachex_base::record::entry::Entry;
use cachex_base::system::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is asked of a helper.
#[derive(Serialize, Deserialize)]
pub enum Question {
    /// An entry.
    Fetch(Wanted),
    /// Whether there is such an entry.
    Look(Wanted),
    /// The path sets of such a key.
    PathSets(Wanted),
    /// That these keys are taken out, of results of this platform and of those named.
    Remove(Vec<[u8; 32]>, Vec<String>),
    /// That what is queued is sent.
    Send,
    /// Whether it works, be it by writing something or only by asking.
    Probe {
        /// Whether something is written.
        writes: bool,
    },
    /// What was invalidated is learnt, and taken out of the local store.
    Learn,
    /// That what a rule is about is invalidated for everybody.
    Invalidate(Rule),
    /// That nobody else runs the command of such an entry, once nobody does any more.
    Claim(Wanted),
    /// How much it holds.
    Count,
    /// Which entries it holds.
    List,
    /// That what was used least recently is taken out.
    Prune(Prune),
}

/// Which entries are not to be used any more, by anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Those whose run began before this.
    pub before: Timestamp,
    /// Those with this tag.
    pub tag: Option<String>,
    /// Those whose command line matches this pattern.
    pub command: Option<String>,
}

/// What of a remote store goes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Prune {
    /// What was neither sent nor asked for in so long.
    pub max_age: Option<Duration>,
    /// The least recently used, until the rest takes no more than so many bytes.
    pub max_size: Option<u64>,
    /// Whether it is only said what would go.
    pub dry_run: bool,
}

/// What went of a remote store. The field names are public: see docs/json.md.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Pruned {
    /// Entries and blobs that went.
    pub removed: u64,
    /// The bytes that they took.
    pub freed_bytes: u64,
    /// Those that are left.
    pub left: u64,
    /// The bytes that these take.
    pub left_bytes: u64,
}

/// What there is in a remote store that is not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Entries that were invalidated.
    pub invalid: u64,
    /// Entries that cannot be opened, or are not to be trusted.
    pub unreadable: u64,
}

/// Which entry is asked for, and how old it may be; times are in nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Its key.
    pub key: [u8; 32],
    /// How old a success may be, and anything else.
    pub limits: [Option<u64>; 2],
    /// By how much it may be older, should the command fail.
    pub beyond: u64,
    /// Whether a blob that is damaged is taken out, so that it can be sent again.
    pub mends: bool,
    /// The platform that it is of, if that is named.
    pub platform: Option<String>,
    /// Of an automatic call the name of its part, see [`parts`](crate::components::with_facts).
    pub facts: Option<Vec<u8>>,
}

impl Wanted {
    /// Whether this is one.
    pub fn takes(&self, entry: &Entry, now: Timestamp) -> bool {
        let asked = self.limits[usize::from(entry.status != 0)];
        let Some(age) = now.since(entry.created) else { return false };
        let limit = asked.into_iter().chain(entry.expires_in).min();
        let limit = limit.map(|limit| Duration::from_nanos(limit.saturating_add(self.beyond)));
        limit.is_none_or(|limit| age < limit)
    }
}

/// What came of asking for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fetched {
    /// It is in this store now; so many bytes came.
    Entry {
        /// With all that it needs.
        bytes: u64,
        /// Whether so much was written by now that a fold should see to it.
        is_fold_due: bool,
    },
    /// There is none that is fresh and complete.
    Nothing,
    /// It is larger than what the reader takes.
    TooLarge,
    /// It would have taken longer than its run did, or than the reader waits for it.
    TooSlow,
    /// The reader has no room for it within the limit on its store.
    NoRoom,
    /// What is there is damaged, or not by who shares the secret.
    Refused,
}

impl Fetched {
    /// What asking is counted as; none if it is not: of an outage one is counted for
    /// all who go on without.
    pub fn counted(fetched: &Result<Fetched, Unanswered>) -> Option<Kind> {
        let (what, bytes) = match fetched {
            Ok(Fetched::Entry { bytes, .. }) => (Remotely::Hit, *bytes),
            Ok(Fetched::Nothing | Fetched::TooLarge | Fetched::TooSlow | Fetched::NoRoom) => {
                (Remotely::Miss, 0)
            }
            Ok(Fetched::Refused) => (Remotely::Refused, 0),
            Err(Unanswered::Failed(_)) => (Remotely::Failed, 0),
            Err(Unanswered::Paused(_)) => return None,
        };
        Some(Kind::Remote { what, bytes })
    }
}

/// What is seen of an entry that is not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// There is one that is fresh.
    Entry {
        /// When its run ended.
        created: Timestamp,
    },
    /// There is none that is fresh.
    Nothing,
    /// What is there is damaged, or not by who shares the secret.
    Refused,
}

/// Why a remote store did not answer.
#[derive(Debug)]
pub enum Unanswered {
    /// It failed lately, and was not asked.
    Paused(Outage),
    /// It failed just now.
    Failed(String),
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Entries.
    pub entries: u64,
    /// The bytes that went.
    pub bytes: u64,
    /// Entries that failed.
    pub failed: u64,
    /// Entries that are still queued.
    pub left: u64,
    /// Why the first one failed.
    pub why: Option<String>,
}

/// What was not sent, and is not tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Entries.
    pub entries: u64,
    /// Why the last one failed.
    pub why: String,
}

/// One step of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What was tried.
    pub what: Tried,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a probe tries, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tried {
    /// To reach it.
    Connect,
    /// To compare its clock with that of this machine.
    Clock,
    /// To write an object.
    Write,
    /// To read it again.
    Read,
    /// To take it out.
    Delete,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It worked.
    Done,
    /// This machine's clock is ahead by so many seconds, or if that is negative behind.
    Skew(f64),
    /// Such a store cannot do that.
    Unable,
    /// It failed, for this reason.
    Failed(String),
}
