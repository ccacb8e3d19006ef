//! Entries for tests.

use super::entry::{About, Bytes, Entry, Key};
use crate::system::clock::Timestamp;
use serde_bytes::ByteBuf;
use std::time::Duration;

/// Returns the key of this number.
pub fn key(n: u64) -> Key {
    Key(*blake3::hash(&n.to_le_bytes()).as_bytes())
}

/// Returns the time this many seconds ago.
pub fn ago(seconds: u64) -> Timestamp {
    Timestamp(Timestamp::now().0 - Duration::from_secs(seconds).as_nanos() as u64)
}

/// Returns an entry recorded `seconds` ago.
pub fn entry(n: u64, seconds: u64) -> Entry {
    Entry {
        key: key(n),
        created: ago(seconds),
        expires_in: None,
        stale_for: None,
        run_time: 1_000,
        status: 0,
        stdin_consumed: None,
        frames: Bytes::Inline(vec![1, 2, 3]),
        data: Bytes::Inline(vec![n as u8; 100]),
        outputs: None,
        about: About { argv: Vec::new(), cut: false, cwd: None, scope: None, tags: Vec::new() },
        parts: Vec::new(),
    }
}

/// Returns an entry of this command.
pub fn run_of(n: u64, argv: &[&str]) -> Entry {
    let plain = entry(n, 100);
    let argv = argv.iter().map(|arg| ByteBuf::from(*arg)).collect();
    Entry { about: About { argv, ..plain.about }, ..plain }
}
