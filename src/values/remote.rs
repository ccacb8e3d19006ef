//! What concerns stores that machines share.

use super::Tag;

/// How the remote store is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RemoteMode {
    /// Replay what others recorded, and share what is recorded here
    #[default]
    ReadWrite,
    /// Replay what others recorded, and share nothing
    ReadOnly,
    /// Do not use the remote store
    Off,
}

/// Reads the name of a platform.
pub fn platform(text: &str) -> Result<String, &'static str> {
    let is_bad = |c: char| c == ',' || c.is_control();
    if text.is_empty() || text.len() > Tag::LIMIT - Tag::PLATFORM.len() || text.contains(is_bad) {
        return Err(
            "expected `any` or a name of 1 to 55 bytes, without commas and control characters",
        );
    }
    Ok(text.to_owned())
}

/// Limits on what a reader accepts from a remote store, in bytes.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// The longest output of a result, and the most that its files take.
    pub entry: u64,
    /// What the reader's store may hold.
    pub store: u64,
}
