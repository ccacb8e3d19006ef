//! Stores that machines share, as objects by name: the only part of cachex that knows a
//! network.
//!
//! A [`RemoteUrl`] names a store, an [`Engine`] is an open one. What the objects mean,
//! how they are named and whether they are believed is decided by whoever calls; here
//! they are read, written and deleted, in memory that stays bounded, each step within
//! [`STALL`]. Nothing here blocks, looks at the local store, or prints.
//!
//! Futures are returned in boxes: the client libraries' code is then built once, here,
//! and not again in each crate that waits for one.

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

/// Chooses what does the cryptography of TLS, once for the process.
pub fn prepare() {
    // Another library may have chosen already.
    #[cfg(any(feature = "http-client", feature = "redis"))]
    let _ = rustls::crypto::ring::default_provider().install_default();
}
