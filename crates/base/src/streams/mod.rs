//! Writing to streams whose readers may be slow or gone, and what a caller has been shown.

#[cfg(feature = "cli")]
pub mod messages;
#[cfg(feature = "cli")]
pub mod plain;
#[cfg(feature = "cli")]
pub mod printed;
#[cfg(feature = "cli")]
pub mod sink;
#[cfg(feature = "folder")]
pub mod spool;
