//! Services of the operating system: time, files, descriptors, signals, threads.

pub mod clock;
#[cfg(feature = "folder")]
pub mod failpoint;
#[cfg(feature = "folder")]
pub mod fsutil;
pub mod hashing;
#[cfg(feature = "folder")]
pub mod limits;
#[cfg(feature = "folder")]
pub mod null;
#[cfg(feature = "cli")]
pub mod parallel;
#[cfg(feature = "folder")]
pub mod platform;
#[cfg(feature = "folder")]
pub mod procfs;
#[cfg(feature = "folder")]
pub mod progress;
#[cfg(feature = "folder")]
pub mod signals;
#[cfg(feature = "folder")]
pub mod stamp;
#[cfg(feature = "folder")]
pub mod umask;
#[cfg(feature = "folder")]
pub mod writers;
