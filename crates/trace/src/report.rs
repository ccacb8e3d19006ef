//! The result of tracing a run.

use crate::facts::{Class, Fact, Stamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A record of what a run read, looked up and wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The facts on which the run depends, sorted by path and class, without duplicates.
    pub facts: Vec<Fact>,
    /// The canonical paths that were opened for reading or executed and existed before, sorted. Not
    /// all of them have a fact of class [`Class::Contents`].
    pub read: Vec<Vec<u8>>,
    /// The paths that the run changed, sorted, without temporary files.
    pub written: Vec<Written>,
    /// The reason why the run must not be recorded, if any.
    pub refusal: Option<Refusal>,
    /// True if `io_uring` was denied, which a run may fail of that would not fail untraced.
    pub lacked_io_uring: bool,
    /// True if the command was traced. Otherwise, only the reason why not is known.
    pub traced: bool,
    /// True if processes that the command started are still running.
    pub processes_left: bool,
    /// True if a path left [`base`](crate::Settings::base) by `..`, or entered it from outside.
    /// Then the run depends on where that folder is.
    pub crossed: bool,
    /// The number of system calls that were reported.
    pub events: u64,
}

impl Report {
    /// Returns the paths that were missing.
    pub fn absent(&self) -> impl Iterator<Item = &[u8]> {
        self.facts.iter().filter(|fact| fact.value.is_absent()).map(|fact| fact.path.as_slice())
    }

    /// Returns the folders that were listed.
    pub fn listed(&self) -> impl Iterator<Item = &[u8]> {
        let listed = self.facts.iter().filter(|fact| fact.class == Class::Listing);
        listed.map(|fact| fact.path.as_slice())
    }
}

/// A path that a run changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The canonical path.
    pub path: Vec<u8>,
    /// The kind of change.
    pub change: Change,
    /// The former file type and permissions, as in `st_mode`; none if there was nothing.
    pub before: Option<u32>,
    /// The stamp that identifies the present state; none if there is nothing.
    pub stamp: Option<Stamp>,
    /// True if the run set another time than the present, or moved a file with another time here.
    pub keeps_time: bool,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// There was nothing before.
    Created,
    /// The content or the permissions differ.
    Modified,
    /// The content is the same, the modification time is not.
    Touched,
    /// There is nothing now.
    Removed,
}

/// The reason why a run must not be recorded, for people: "connect to 10.0.0.1:443 by curl (pid
/// 4711)".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal(pub(crate) String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
