//! Questions to the helper of a remote store, and its answers.

use super::circuit_breaker::Outage;
use crate::events::{Kind, Remotely};
use cachex_base::record::entry::Entry;
use cachex_base::system::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A question to a helper.
#[derive(Serialize, Deserialize)]
pub enum Question {
    /// Fetch an entry.
    Fetch(Wanted),
    /// Check whether an entry exists.
    Look(Wanted),
    /// Fetch the path sets of a key.
    PathSets(Wanted),
    /// Remove these keys, for results of this platform and the named ones.
    Remove(Vec<[u8; 32]>, Vec<String>),
    /// Send what is queued.
    Send,
    /// Test the store.
    Probe {
        /// True to also write an object; otherwise the test only reads.
        writes: bool,
    },
    /// Update the invalidation rules, and apply them to the local store.
    Learn,
    /// Invalidate the entries of a rule for all users.
    Invalidate(Rule),
    /// Claim the run of an entry's command, once nobody else holds the claim.
    Claim(Wanted),
    /// Count the entries and blobs.
    Count,
    /// List the entries.
    List,
    /// Remove the least recently used objects.
    Prune(Prune),
}

/// A rule that invalidates entries for all users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Applies to entries whose run began before this.
    pub before: Timestamp,
    /// Applies to entries with this tag.
    pub tag: Option<String>,
    /// Applies to entries whose command line matches this pattern.
    pub command: Option<String>,
}

/// The objects to remove from a remote store.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Prune {
    /// Objects that were neither sent nor requested for this long.
    pub max_age: Option<Duration>,
    /// The least recently used, until the rest takes at most this many bytes.
    pub max_size: Option<u64>,
    /// True to only report what would be removed.
    pub dry_run: bool,
}

/// The result of a prune. The field names are public: see docs/json.md.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Pruned {
    /// Entries and blobs that were removed.
    pub removed: u64,
    /// Their size in bytes.
    pub freed_bytes: u64,
    /// Entries and blobs that are left.
    pub left: u64,
    /// Their size in bytes.
    pub left_bytes: u64,
}

/// Entries of a remote store that a list leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Entries that were invalidated.
    pub invalid: u64,
    /// Entries that cannot be opened or are not trusted.
    pub unreadable: u64,
}

/// The requested entry and its maximum age; times are in nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Its key.
    pub key: [u8; 32],
    /// The maximum age of a successful result, and of a failed one.
    pub limits: [Option<u64>; 2],
    /// The additional age that is accepted if the command fails.
    pub beyond: u64,
    /// True to remove a damaged blob, so that it can be sent again.
    pub mends: bool,
    /// The platform of the entry, if it names one.
    pub platform: Option<String>,
    /// For an automatic call, the name of its part, see [`parts`](crate::components::with_facts).
    pub facts: Option<Vec<u8>>,
}

impl Wanted {
    /// Returns whether an entry is wanted.
    pub fn takes(&self, entry: &Entry, now: Timestamp) -> bool {
        let asked = self.limits[usize::from(entry.status != 0)];
        let Some(age) = now.since(entry.created) else { return false };
        let limit = asked.into_iter().chain(entry.expires_in).min();
        let limit = limit.map(|limit| Duration::from_nanos(limit.saturating_add(self.beyond)));
        limit.is_none_or(|limit| age < limit)
    }
}

/// The outcome of fetching an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fetched {
    /// The entry is now in this store.
    Entry {
        /// The number of bytes fetched, including its blobs.
        bytes: u64,
        /// True if enough was written by now that a fold is due.
        is_fold_due: bool,
    },
    /// There is no fresh and complete entry.
    Nothing,
    /// The entry exceeds the reader's limit.
    TooLarge,
    /// The transfer would have taken longer than the run, or than the time limit.
    TooSlow,
    /// The reader has no room for it within the limit on its store.
    NoRoom,
    /// The entry is damaged, or its author does not share the secret.
    Refused,
}

impl Fetched {
    /// Returns the event that the outcome counts as; `None` if it is not counted: an outage is
    /// counted once for all calls that continue without the store.
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

/// The state of an entry that is not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// There is a fresh entry.
    Entry {
        /// The end of its run.
        created: Timestamp,
    },
    /// There is no fresh entry.
    Nothing,
    /// The entry is damaged, or its author does not share the secret.
    Refused,
}

/// The reason why a remote store did not answer.
#[derive(Debug)]
pub enum Unanswered {
    /// The store failed recently and was not asked.
    Paused(Outage),
    /// The store failed just now, for this reason.
    Failed(String),
}

/// The result of sending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The number of entries sent.
    pub entries: u64,
    /// The number of bytes sent.
    pub bytes: u64,
    /// The number of entries that failed.
    pub failed: u64,
    /// The number of entries still queued.
    pub left: u64,
    /// The reason why the first one failed.
    pub why: Option<String>,
}

/// Entries that were not sent and are not retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Their number.
    pub entries: u64,
    /// The reason why the last one failed.
    pub why: String,
}

/// One step of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The operation that was tried.
    pub what: Tried,
    /// Its duration.
    pub took: Duration,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The operations of a probe, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tried {
    /// Connects to the store.
    Connect,
    /// Compares its clock with this machine's.
    Clock,
    /// Writes an object.
    Write,
    /// Reads it back.
    Read,
    /// Deletes it.
    Delete,
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The step succeeded.
    Done,
    /// This machine's clock is ahead by this number of seconds, or behind if negative.
    Skew(f64),
    /// This kind of store cannot do that.
    Unable,
    /// The step failed, for this reason.
    Failed(String),
}
