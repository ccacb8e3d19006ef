//! The options of a fold, and its report.

use super::super::metadata::Totals;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The options of a fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoldOptions {
    /// The maximum size of the store on disk, in bytes.
    pub max_size: Option<u64>,
    /// The maximum number of entries.
    pub max_entries: Option<u64>,
    /// The time that an entry is kept after it was of use.
    pub grace: Duration,
    /// True to check everything and recompute the totals.
    pub full: bool,
    /// True to wait for another fold, false to leave the work to it.
    pub wait: bool,
    /// The compression level of blobs. Zero: none are compressed; `None`: that is left to another
    /// fold.
    pub compress: Option<u8>,
}

/// The bounds within which automatic folds keep a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The maximum size on disk, in bytes.
    pub max_size: u64,
    /// The maximum number of entries.
    pub max_entries: Option<u64>,
    /// The compression level of blobs.
    pub compress: u8,
}

impl Bounds {
    /// The default compression level of blobs. Decompression is not noticeable, see
    /// `store::pack`.
    pub const COMPRESS: u8 = 1;

    /// Returns the options of a fold with these bounds.
    pub fn as_options(&self) -> FoldOptions {
        FoldOptions {
            max_size: Some(self.max_size),
            max_entries: self.max_entries,
            compress: Some(self.compress),
            ..FoldOptions::default()
        }
    }
}

/// The results of a fold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldReport {
    /// The number of entries that were new to the old store, or new versions.
    pub folded: u64,
    /// The number of entries that were removed because they were damaged.
    pub damaged: u64,
    /// The number of entries that were removed because they had expired and were of no more use.
    pub expired: u64,
    /// The number of entries that were removed for their size.
    pub evicted: u64,
    /// The number of blobs that were removed because nothing referenced them.
    pub swept: u64,
    /// The name of a damaged database that was set aside.
    pub set_aside: Option<String>,
    /// The totals of the store now.
    pub totals: Totals,
}
