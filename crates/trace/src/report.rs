//! What was found out about a run.

use crate::facts::{Class, Fact, Stamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a run read, looked for and wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What the run depends on, sorted by path and class, each pair once.
    pub facts: Vec<Fact>,
    /// Canonical paths of what was opened for reading or executed and was there before,
    /// sorted. Not all of them have a fact of class [`Class::Contents`].
    pub read: Vec<Vec<u8>>,
    /// What is different at the end, by the run's own doing, sorted by path. Temporary files
    /// are not among it.
    pub written: Vec<Written>,
    /// Why the run must not be recorded.
    pub refusal: Option<Refusal>,
    /// Whether the command was traced. Where it was not, nothing is known but the reason.
    pub traced: bool,
    /// Whether processes that the command started are still running.
    pub processes_left: bool,
    /// Whether a path led out of [`base`](crate::Settings::base) by `..`, or into it from outside:
    /// where that is, is a part of what the run did then.
    pub crossed: bool,
    /// The number of system calls that were looked at.
    pub events: u64,
}

impl Report {
    /// The paths at which there was nothing.
    pub fn absent(&self) -> impl Iterator<Item = &[u8]> {
        self.facts.iter().filter(|fact| fact.value.is_absent()).map(|fact| fact.path.as_slice())
    }

    /// The folders whose names were listed.
    pub fn listed(&self) -> impl Iterator<Item = &[u8]> {
        let listed = self.facts.iter().filter(|fact| fact.class == Class::Listing);
        listed.map(|fact| fact.path.as_slice())
    }
}

/// A path that a run changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Canonical.
    pub path: Vec<u8>,
    /// How.
    pub change: Change,
    /// The kind and the permissions of what was there before, as the system has them in one
    /// number; none if there was nothing.
    pub before: Option<u32>,
    /// By which what is there now is known again; none if there is nothing.
    pub stamp: Option<Stamp>,
    /// Whether the run gave it another time than that of now.
    pub keeps_time: bool,
}

/// How a path was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// There was nothing before.
    Created,
    /// It holds something else, or has other rights.
    Modified,
    /// It holds what it held, and has another modification time.
    Touched,
    /// There is nothing now.
    Removed,
}

/// Why a run must not be recorded, in words for people: "connect to 10.0.0.1:443 by curl
/// (pid 4711)".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal(pub(crate) String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
