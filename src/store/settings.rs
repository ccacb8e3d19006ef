//! How a store and the one that machines share are used, and what holds where nothing is set.

use cachex_remote::{Access, RemoteUrl};
use std::time::Duration;

/// The store that machines share, and how it is used.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its URL.
    pub url: RemoteUrl,
    /// Its use.
    pub mode: RemoteMode,
    /// The time limit of a look-up.
    pub timeout: Duration,
    /// The time limit of a transfer; none: as long as the run took.
    pub budget: Option<Duration>,
    /// The credentials.
    pub access: Access,
    /// The limits on what is accepted from it.
    pub limits: Limits,
}

impl Remote {
    /// The time limit of a look-up unless another is set: longer than any store nearby takes,
    /// and short beside what is worth caching.
    pub const TIMEOUT: Duration = Duration::from_secs(1);
}

/// How the remote store is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum RemoteMode {
    /// Replay what others recorded, and share what is recorded here
    #[default]
    ReadWrite,
    /// Replay what others recorded, and share nothing
    ReadOnly,
    /// Do not use the remote store
    Off,
}

impl RemoteMode {
    /// How a store of this URL can be used that is to be used so: nothing can be given to some.
    pub fn of(self, url: &RemoteUrl) -> RemoteMode {
        match self {
            RemoteMode::ReadWrite if !url.takes_writes() => RemoteMode::ReadOnly,
            mode => mode,
        }
    }
}

/// Limits on what a reader accepts from a remote store, in bytes.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// The longest output of a result, and the most that its files take.
    pub entry: u64,
    /// What the reader's store may hold.
    pub store: u64,
}

impl Limits {
    /// Those that hold unless others are set.
    pub const DEFAULT: Limits = Limits { entry: 1 << 30, store: 5 << 30 };
}
