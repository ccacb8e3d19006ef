//! Writing to streams whose readers may be slow or gone, and the output a caller has been shown.

#[cfg(feature = "cli")]
pub mod messages;
#[cfg(feature = "cli")]
pub mod nonblocking_writer;
#[cfg(feature = "cli")]
pub mod output_prefix;
#[cfg(feature = "cli")]
pub mod plain;
#[cfg(feature = "folder")]
pub mod spool;
