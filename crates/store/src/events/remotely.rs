//! What a remote store was asked for, and what came of it.

use serde::{Deserialize, Serialize};

/// What came of asking a remote store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Remotely {
    /// It had the entry.
    Hit = 0,
    /// It had none that is fresh.
    Miss = 1,
    /// It did not answer.
    Failed = 2,
    /// What it had was not to be trusted.
    Refused = 3,
    /// It was given the entry.
    Sent = 4,
    /// It did not take the entry.
    NotSent = 5,
}

impl Remotely {
    /// All of them, each at the place of its number.
    pub const ALL: [Remotely; 6] = [
        Remotely::Hit,
        Remotely::Miss,
        Remotely::Failed,
        Remotely::Refused,
        Remotely::Sent,
        Remotely::NotSent,
    ];
}
