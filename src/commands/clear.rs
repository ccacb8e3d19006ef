//! `cachex clear`: removes everything.

use super::entries::{Entries, Settings};
use super::misused;
use super::removal::{Outcome, Removal};
use crate::args::{ClearArgs, NamedArgs};
use crate::config::Vars;
use crate::ui::Progress;
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_store as store;
use std::io::{BufRead, Write};

/// Clears the store.
pub fn clear(args: ClearArgs, vars: &Vars) -> Result<Exit> {
    let settings = match Settings::of("clear", NamedArgs::default(), args.store, Vec::new(), vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let quiet = settings.config.quiet;
    let removal = Removal { done: "cleared", args: &args.removal, quiet, vars, shared: None };
    let asks = !args.removal.yes && !args.removal.dry_run;
    if asks && !rustix::termios::isatty(rustix::stdio::stdin()) {
        let why = "cannot ask without a terminal; `--yes` clears without asking";
        return Ok(misused("clear", exit::USAGE, why));
    }
    let Some(root) = settings.store()? else { return removal.nothing() };
    if args.removal.dry_run {
        let totals = Entries::folded(&root, settings.messages())?.totals;
        let (removed, freed_bytes) = (totals.entries, totals.bytes);
        let outcome = Outcome { dry_run: true, removed, freed_bytes, ..Outcome::default() };
        removal.tell(&mut std::io::stdout().lock(), &outcome)?;
        return Ok(Exit::SUCCESS);
    }
    if asks {
        let place = root.path().to_string_lossy();
        eprint!("Forget everything in {}? [y/N] ", cachex_base::text::quote::harmless(&place));
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(Exit::Status(exit::FAILURE));
        }
    }
    let shown = Progress::show(quiet);
    let cleared = store::clear::clear(&root)?;
    drop(shown);
    let (removed, freed_bytes) = (cleared.entries, cleared.bytes);
    let outcome = Outcome { removed, freed_bytes, ..Outcome::default() };
    removal.tell(&mut std::io::stdout().lock(), &outcome)?;
    Ok(Exit::SUCCESS)
}
