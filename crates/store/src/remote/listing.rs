//! Lists the entries of a remote store, whoever recorded them and wherever, as far as they are
//! for readers like this one.
//!
//! Their names say nothing, so each entry is read and opened. One that cannot be opened belongs
//! to others, with another secret for example, or is damaged, or not signed by anybody trusted.

use super::invalid;
use super::names::{Book, MAX_ENTRY};
use super::questions::Listing;
use crate::Root;
use anyhow::Result;
use cachex_base::process::ipc::{self, ITEM};
use cachex_remote::Engine;
use futures_util::stream::{self, StreamExt};

/// The number of entries that are read at once.
const AT_ONCE: usize = 16;

/// Sends each entry to the caller, with its name there in place of its key.
pub async fn list(root: &Root, engine: &Engine, book: &Book<'_>) -> Result<Listing> {
    let rules = invalid::see(root, engine, book).await?;
    let all = book.all(None);
    let names = engine.entries().await?;
    let read = names.iter().map(|name| engine.get(name, MAX_ENTRY));
    let mut read = stream::iter(read).buffer_unordered(AT_ONCE);
    let mut listing = Listing::default();
    while let Some(stored) = read.next().await {
        // The entry was removed meanwhile.
        let Some(stored) = stored? else { continue };
        let opened = all.iter().find_map(|names| names.open_any(&stored, book.trust()).ok());
        let Some(entry) = opened else {
            listing.unreadable += 1;
            continue;
        };
        if rules.are_about(&entry) {
            listing.invalid += 1;
            continue;
        }
        let Ok(sealed) = entry.seal() else { continue };
        let item = ipc::encode(&(sealed, stored.len() as u64))?;
        ipc::write_frame(&mut std::io::stdout().lock(), ITEM, &item)?;
    }
    Ok(listing)
}
