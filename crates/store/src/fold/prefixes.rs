//! Keeps the filter a superset of the keys in the old store.

use super::super::old::Old;
use super::super::walk::Span;
use super::super::{Root, filter, guard, in_place, room};
use super::BATCH;
use anyhow::Result;
use cachex_base::record::entry::Key;

/// Publishes a filter that also covers these keys, if the current one does not. The caller holds
/// the fold lock.
pub fn publish_with<'k>(root: &Root, keys: impl Iterator<Item = &'k Key>) -> Result<()> {
    let (mut prefixes, mut changed) = match filter::contents(root) {
        Some(prefixes) => (prefixes, false),
        // It was given up for more important things. Without one, any key may be there.
        None if room::has_no_first_step(root) => return Ok(()),
        None => (stored_prefixes(root)?, true),
    };
    let held = prefixes.len();
    for key in keys {
        let prefix = key.prefix();
        if prefixes[..held].binary_search(&prefix).is_err() {
            prefixes.push(prefix);
            changed = true;
        }
    }
    if changed { filter::publish(root, prefixes) } else { Ok(()) }
}

/// Returns the prefixes of all keys in the old store.
pub fn stored_prefixes(root: &Root) -> Result<Vec<u64>> {
    let mut prefixes = Vec::new();
    let mut span = Span::all();
    // An index that is not whole may lack the key of an entry.
    let is_whole = !in_place::is_partial(root);
    while guard::exists(root) {
        let keys: Vec<Key> = Old::with(root, |old| {
            if is_whole {
                return Ok(old.keys(&mut span, BATCH * 8)?);
            }
            let page = old.page(&mut span, BATCH)?;
            Ok(page.into_iter().map(|(key, _)| key).collect())
        })?;
        if keys.is_empty() {
            break;
        }
        prefixes.extend(keys.iter().map(Key::prefix));
    }
    // Each page is sorted by itself.
    Ok(prefixes)
}
