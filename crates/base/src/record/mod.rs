//! The record of a run, and its encodings.

pub mod entry;
#[cfg(feature = "folder")]
pub mod frames;
#[cfg(feature = "folder")]
pub mod manifest;
