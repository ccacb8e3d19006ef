//! BLAKE3 of bytes and of files.

#[cfg(feature = "folder")]
mod files;

#[cfg(all(feature = "folder", target_arch = "x86_64"))]
use cachex_core::hash;
#[cfg(feature = "folder")]
pub use files::{Writer, beginning, to_the_end};

/// Hashes bytes.
pub fn of(bytes: &[u8]) -> blake3::Hash {
    #[cfg(all(feature = "folder", target_arch = "x86_64"))]
    if bytes.len() <= hash::SHORT
        && let Some(hash) = hash::short(bytes)
    {
        return blake3::Hash::from_bytes(hash);
    }
    blake3::hash(bytes)
}

/// Hashes bytes with a key.
pub fn keyed(key: &[u8; 32], bytes: &[u8]) -> blake3::Hash {
    #[cfg(all(feature = "folder", target_arch = "x86_64"))]
    if bytes.len() <= hash::CHUNK {
        return blake3::Hash::from_bytes(hash::keyed(key, bytes));
    }
    blake3::keyed_hash(key, bytes)
}
