//! Requests to a remote store and their outcome.

use serde::{Deserialize, Serialize};

/// The outcome of a request to a remote store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Remotely {
    /// The store had the entry.
    Hit = 0,
    /// The store had no fresh entry.
    Miss = 1,
    /// The store did not answer.
    Failed = 2,
    /// The store's entry was not trustworthy.
    Refused = 3,
    /// The store was sent the entry.
    Sent = 4,
    /// The store did not take the entry.
    NotSent = 5,
}

impl Remotely {
    /// All outcomes, each at the index of its number.
    pub const ALL: [Remotely; 6] = [
        Remotely::Hit,
        Remotely::Miss,
        Remotely::Failed,
        Remotely::Refused,
        Remotely::Sent,
        Remotely::NotSent,
    ];
}
