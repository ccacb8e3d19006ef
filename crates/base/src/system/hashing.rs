//! BLAKE3 of bytes and of files.

#[cfg(feature = "folder")]
mod files;

#[cfg(all(feature = "folder", target_arch = "x86_64"))]
use cachex_core::hash;
#[cfg(feature = "folder")]
pub use files::{Writer, beginning, to_the_end};
#[cfg(all(feature = "folder", target_arch = "x86_64"))]
use std::sync::atomic::{AtomicBool, Ordering};

/// True in a process that hashes for so long that it gains from querying the processor's features,
/// see [`hash`].
#[cfg(all(feature = "folder", target_arch = "x86_64"))]
static LIVES_LONG: AtomicBool = AtomicBool::new(false);

/// Has short inputs hashed by the best that the processor has, in a process that lives long: what
/// the query takes is gained in some hundred hashes.
#[cfg(feature = "folder")]
pub fn query_processor() {
    #[cfg(target_arch = "x86_64")]
    LIVES_LONG.store(true, Ordering::Relaxed);
}

/// Hashes bytes.
pub fn of(bytes: &[u8]) -> blake3::Hash {
    #[cfg(all(feature = "folder", target_arch = "x86_64"))]
    if bytes.len() <= hash::SHORT
        && !LIVES_LONG.load(Ordering::Relaxed)
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
