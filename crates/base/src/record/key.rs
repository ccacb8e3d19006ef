//! The cache key of a record.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A cache key: the BLAKE3-256 hash of everything that an invocation's output may depend on.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// Returns the first eight bytes as a number. Keys are uniform, so it orders and spreads them
    /// as well as the whole key does.
    pub fn prefix(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(first)
    }

    /// Parses a key of 64 lower-case hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Key> {
        Some(Key(*blake3::Hash::from_hex(hex).ok()?.as_bytes()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
