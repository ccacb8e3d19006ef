//! `cachex remote prune`: removes the least recently used objects from a remote store.

use super::Told;
use crate::run;
use crate::ui::{self, Progress};
use anyhow::Result;
use cachex_base::process::exit::Exit;
use cachex_store::remote::{Prune, Pruned};
use serde::Serialize;

/// The JSON output. docs/json.md describes the fields.
#[derive(Serialize)]
struct Done {
    url: String,
    dry_run: bool,
    #[serde(flatten)]
    pruned: Pruned,
}

/// Prunes a store.
pub fn prune(told: &Told, which: Prune) -> Result<Exit> {
    // A helper process needs a store to work in.
    let root = run::open_store(told.settings.config.dir.as_ref())?;
    let shown = Progress::show(told.quiet());
    let pruned = told.beside(&root).prune(which)?;
    drop(shown);
    let done = Done { url: told.url(), dry_run: which.dry_run, pruned };
    if told.json || !told.quiet() {
        told.print(&done, || done.words())?;
    }
    Ok(Exit::SUCCESS)
}

impl Done {
    fn words(&self) -> String {
        let would = if self.dry_run { "would be " } else { "" };
        let Pruned { removed, freed_bytes, left, left_bytes } = self.pruned;
        format!(
            "{} {would}pruned, {} freed; {left} left, {}\n",
            ui::count(removed, "object", "objects"),
            ui::bytes(freed_bytes),
            ui::bytes(left_bytes),
        )
    }
}
