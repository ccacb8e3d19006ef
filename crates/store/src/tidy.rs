//! Cleans up after entries were removed by hand. The fold, which does this for the entries that
//! it removes itself, does not know of them.

use super::old::Old;
use super::{
    Root, audit, filter, fold, guard, in_place, metadata::Totals, rebuild, reserve, room, sweep,
};
use anyhow::Result;
use cachex_base::system::clock::Timestamp;

/// Removes those of `blobs` that are no longer referenced, and rebuilds the filter if `removed`
/// entries were a good part of it. Returns the totals of what is left. The caller holds the fold
/// lock.
pub fn tidy(root: &Root, blobs: Vec<[u8; 32]>, removed: u64) -> Result<Totals> {
    if !guard::exists(root) {
        sweep::blobs(root, blobs, Some(Timestamp::now().0 as u8))?;
        return Ok(Totals::default());
    }
    if in_place::is_partial(root)
        && let Err(error) = audit::audit(root)
    {
        // The next fold that has room for it does that.
        return if room::is_short(root) { Ok(Totals::default()) } else { Err(error) };
    }
    let totals = Old::with(root, |old| Ok(old.totals()))?;
    // Sweep one part of the folders besides, so that orphans there are found sooner.
    sweep::blobs(root, blobs, Some(Timestamp::now().0 as u8))?;
    let is_much = removed.saturating_mul(rebuild::MUCH) > totals.entries;
    if is_much || filter::len(root).is_none() && !room::has_no_first_step(root) {
        match filter::publish(root, fold::stored_prefixes(root)?) {
            // The one that is there covers more than what is left.
            Err(_) if room::is_short(root) => {}
            published => published?,
        }
    }
    rebuild::rebuild_if_due(root, is_much, None)?;
    reserve::keep_again(root);
    Ok(totals)
}
