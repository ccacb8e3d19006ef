//! Stores that machines share, as objects by name: the only part of cachex that uses a network.
//!
//! A [`RemoteUrl`] names a store, and an [`Engine`] is an open one. The caller decides what the
//! objects mean, how they are named and whether they are trusted. This crate reads, writes and
//! deletes them in bounded memory, each step within [`STALL`]. Nothing here blocks, uses the local
//! store, or prints.
//!
//! Futures are returned in boxes: the client libraries' code is then built once, here, and not in
//! each crate that awaits one.

#[cfg(feature = "client")]
mod engine;
#[cfg(any(feature = "http-client", feature = "redis", feature = "memcached"))]
mod resolver;
mod sign;
mod url;

#[cfg(feature = "client")]
pub use engine::{Bounds, Engine, STALL, Step, Trimmed, Writer};
#[cfg(feature = "client")]
pub use sign::LEN as SIGNATURE;
pub use sign::{PrivateKey, PublicKey};
pub use url::{Access, Kind, RemoteUrl};

/// Selects the cryptography of TLS, once for the process.
pub fn prepare() {
    // Another library may have selected it already.
    #[cfg(any(feature = "http-client", feature = "redis"))]
    let _ = rustls::crypto::ring::default_provider().install_default();
}
