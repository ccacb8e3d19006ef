//! What a fold is asked for, and what it answers.

use super::super::metadata::Totals;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a fold is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoldOptions {
    /// The bytes the store may take on disk.
    pub max_size: Option<u64>,
    /// The entries it may hold.
    pub max_entries: Option<u64>,
    /// How long an entry is kept after it was of use.
    pub grace: Duration,
    /// Whether everything is checked, and the sums are computed anew.
    pub full: bool,
    /// Whether to wait for another fold, or to leave the work to it.
    pub wait: bool,
    /// How hard blobs are compressed; none: that is left to another fold, zero:
    /// they are not.
    pub compress: Option<u8>,
}

/// Within which bounds a store is kept by folds that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The bytes it may take on disk.
    pub max_size: u64,
    /// The entries it may hold.
    pub max_entries: Option<u64>,
    /// How hard blobs are compressed.
    pub compress: u8,
}

impl Bounds {
    /// How hard blobs are compressed unless something else is set: unpacking is not
    /// noticeable, see `store::pack`.
    pub const COMPRESS: u8 = 1;

    /// What such a fold is to do.
    pub fn as_options(&self) -> FoldOptions {
        FoldOptions {
            max_size: Some(self.max_size),
            max_entries: self.max_entries,
            compress: Some(self.compress),
            ..FoldOptions::default()
        }
    }
}

/// What a fold did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldReport {
    /// Entries that were new to the old store, or new versions.
    pub folded: u64,
    /// Entries that were damaged and are gone.
    pub damaged: u64,
    /// Entries that had expired, were of no use any more, and are gone.
    pub expired: u64,
    /// Entries that were removed for their size.
    pub evicted: u64,
    /// Blobs that nothing needed and are gone.
    pub swept: u64,
    /// The name of a damaged database that was set aside.
    pub set_aside: Option<String>,
    /// The sums over the store now.
    pub totals: Totals,
}
