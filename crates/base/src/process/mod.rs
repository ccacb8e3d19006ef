//! Processes: their identity, how they end, and helpers.

#[cfg(feature = "folder")]
pub mod detached;
#[cfg(feature = "folder")]
pub mod exit;
#[cfg(feature = "folder")]
pub mod fallback;
pub mod forked;
#[cfg(feature = "folder")]
pub mod ipc;
#[cfg(feature = "folder")]
pub mod lineage;
#[cfg(feature = "folder")]
pub mod report;
