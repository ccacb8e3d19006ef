//! Cleans up after entries were removed by hand. The fold, which does this for the entries that
//! it removes itself, does not know of them.

use super::old::Old;
use super::{Root, filter, fold, guard, metadata::Totals, rebuild, reserve, sweep};
use anyhow::Result;
use cachex_base::system::clock::Timestamp;

/// Removes those of `blobs` that are no longer referenced, and rebuilds the filter if `removed`
/// entries were a good part of it. Returns the totals of what is left. The caller holds the fold
/// lock.
pub fn tidy(root: &Root, blobs: Vec<[u8; 32]>, removed: u64) -> Result<Totals> {
    if !guard::exists(root) {
        return Ok(Totals::default());
    }
    let totals = Old::with(root, |old| Ok(old.totals()))?;
    if removed.saturating_mul(8) > totals.entries {
        filter::publish(root, fold::stored_prefixes(root)?)?;
    }
    // Sweep one part of the folders besides, so that orphans there are found sooner.
    sweep::blobs(root, blobs, Some(Timestamp::now().0 as u8))?;
    rebuild::rebuild_if_due(root, removed.saturating_mul(8) > totals.entries)?;
    reserve::keep_again(root);
    Ok(totals)
}
