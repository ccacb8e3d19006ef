//! `cachex export`: writes recorded results to a file, for another store.
//!
//! A fold comes first, so that the old store knows every entry. Then the entries are chosen, and
//! read once more by key, in key order. Only the keys and the hashes of blobs are kept in memory.

mod file;

use super::entries::{self, Entries, Settings};
use super::misused;
use crate::args::{ExportArgs, NamedArgs};
use crate::config::Vars;
use crate::ui;
use anyhow::{Context, Result, anyhow};
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::progress::{self, Stage};
use cachex_base::system::signals;
use cachex_base::text::values::Since;
use cachex_store::archive::export::{Export, Held};
use cachex_store::archive::needs;
use cachex_store::evicted::Noted;
use cachex_store::metadata::EntryMetadata;
use cachex_store::query::{Filter, Order, Query};
use cachex_store::stats;
use cachex_store::{Root, blobs};
use file::{Counted, Destination};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Exports entries.
pub fn export(args: &ExportArgs, vars: &Vars) -> Result<Exit> {
    let named = NamedArgs::default();
    let settings = match Settings::of("export", named, args.store.clone(), Vec::new(), vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let to_stdout = args.to.as_os_str() == "-";
    if to_stdout && !args.transfer.dry_run && rustix::termios::isatty(rustix::stdio::stdout()) {
        let why = "an archive cannot be written to a terminal; use `--to FILE`";
        return Ok(misused("export", exit::USAGE, why));
    }
    signals::outlive_file_limit();
    let destination =
        if args.transfer.dry_run { Destination::Nowhere } else { Destination::open(&args.to)? };
    let mut export = Export::new(Counted::new(destination))?;
    let root = settings.store()?;
    let stored = root.as_ref().map(|root| Entries::readable(root, settings.messages()));
    let shown = ui::Progress::show(settings.config.quiet);
    let skipped = match root.as_ref().zip(stored.as_ref()) {
        Some((root, stored)) => fill(&mut export, args, root, stored)?,
        None => nothing(args)?,
    };
    let (out, tally) = export.finish()?;
    let damaged = match root.as_ref().zip(stored.as_ref()) {
        Some((root, stored)) => damaged(root, stored, &tally.lacking)?,
        None => 0,
    };
    let (destination, archive_bytes) = out.into_inner();
    destination.keep()?;
    drop(shown);
    let done = Done {
        dry_run: args.transfer.dry_run,
        exported: tally.entries,
        blobs: tally.blobs,
        bytes: tally.bytes,
        archive_bytes,
        skipped: Skipped { damaged: skipped.damaged + damaged, ..skipped },
    };
    let (json, quiet) = (args.transfer.json, settings.config.quiet);
    if to_stdout {
        done.tell(&mut std::io::stderr().lock(), json, quiet)?;
    } else {
        done.tell(&mut std::io::stdout().lock(), json, quiet)?;
    }
    Ok(Exit::SUCCESS)
}

/// Exports the selected entries. Returns how many had to be skipped.
fn fill(
    export: &mut Export<impl Write>,
    args: &ExportArgs,
    root: &Root,
    stored: &Entries<'_>,
) -> Result<Skipped> {
    progress::begin(Stage::Choosing, None);
    let chosen = Chosen::of(args, root, stored)?;
    progress::begin(Stage::Exporting, chosen.bytes);
    let keys: Vec<Key> = chosen.keys.keys().copied().collect();
    stored.fetch(&keys, &mut |entry| {
        let last_use = chosen.keys.get(&entry.key).copied().unwrap_or_default();
        export.add(root, &entry, last_use)
    })?;
    Ok(chosen.skipped)
}

/// Returns how many of these entries, whose output is damaged or gone, are damaged. The others were
/// evicted or removed meanwhile.
fn damaged(root: &Root, stored: &Entries<'_>, lacking: &[Key]) -> Result<u64> {
    if lacking.is_empty() {
        return Ok(0);
    }
    // A fold removes the entries before it discards the notes.
    let evicted = Noted::read(root)?;
    let mut damaged = 0;
    stored.fetch(lacking, &mut |entry| {
        let is_whole = |(_, blob): &(_, BlobRef)| matches!(blobs::open(root, blob), Ok(Some(_)));
        let is_recorded_again = needs(root, &entry).is_some_and(|all| all.iter().all(is_whole));
        damaged += u64::from(!is_recorded_again && !evicted.explain(root, &entry));
        Ok(())
    })?;
    Ok(damaged)
}

/// Handles a missing store: nothing is there and nothing is skipped.
fn nothing(args: &ExportArgs) -> Result<Skipped> {
    match args.prefixes.first() {
        Some(prefix) => Err(absent(&prefix.0)),
        None => Ok(Skipped::default()),
    }
}

fn absent(prefix: &str) -> anyhow::Error {
    anyhow!("no entry has a key that begins with {prefix}; nothing was exported")
}

/// The selection to export.
#[derive(Default)]
struct Chosen {
    /// The keys, and the time of each entry's last use.
    keys: BTreeMap<Key, u64>,
    /// The size of the entries, counting a shared blob for each.
    bytes: u64,
    skipped: Skipped,
}

impl Chosen {
    fn of(args: &ExportArgs, root: &Root, stored: &Entries<'_>) -> Result<Chosen> {
        let now = Timestamp::now();
        let filter = Filter {
            tag: args.tag.as_ref().map(|tag| tag.0.clone()),
            scope: args.scope.clone(),
            cwd: args.cwd.as_deref().map(entries::folder).transpose()?,
            command_glob: args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned()),
            ..Filter::default()
        };
        let since = args.since.map(|since| match since {
            Since::Ago(span) => entries::ago(now, span),
            Since::Day(day) => Ok(stats::beginning_of(day)),
        });
        let since = since.transpose()?;
        let mut room = args.max_size.map(Room::of);
        let mut chosen = Chosen::default();
        let prefixes = args.prefixes.iter().map(|prefix| Some(prefix.0.clone()));
        let prefixes: Vec<Option<String>> =
            if args.prefixes.is_empty() { vec![None] } else { prefixes.collect() };
        for key_prefix in prefixes {
            let mut is_any = false;
            let filter = Filter { key_prefix: key_prefix.clone(), ..filter.clone() };
            let query = Query { filter, order: Order::Used, ..Query::default() };
            stored.each(&query, &mut |entry, facts| {
                is_any = true;
                if since.is_none_or(|since| facts.last_use >= since.0) {
                    chosen.take(root, &entry, &facts, now, room.as_mut());
                }
                Ok(())
            })?;
            if let (Some(prefix), false) = (key_prefix, is_any) {
                return Err(absent(&prefix));
            }
        }
        Ok(chosen)
    }

    fn take(
        &mut self,
        root: &Root,
        entry: &Entry,
        facts: &EntryMetadata,
        now: Timestamp,
        room: Option<&mut Room>,
    ) {
        if self.keys.contains_key(&entry.key) {
            return;
        }
        if !entry.is_of_use(now) {
            self.skipped.expired += 1;
            return;
        }
        if let Some(room) = room {
            // What is damaged counts as that, which shows when it is added.
            if room.has(root, entry, facts) == Some(false) {
                self.skipped.too_much += 1;
                return;
            }
        }
        self.bytes = self.bytes.saturating_add(facts.size);
        self.keys.insert(entry.key, facts.last_use);
    }
}

/// The room left in an archive of limited size.
struct Room {
    left: u64,
    held: Held,
}

impl Room {
    fn of(left: u64) -> Room {
        Room { left, held: Held::default() }
    }

    /// Claims room for an entry. Returns whether there was enough; none if the entry is damaged.
    fn has(&mut self, root: &Root, entry: &Entry, facts: &EntryMetadata) -> Option<bool> {
        let needs = needs(root, entry)?;
        let new = || needs.iter().filter(|(kind, blob)| !self.held.has(*kind, blob));
        let sealed = facts.size.saturating_sub(entry.blob_bytes());
        let mut taken = Held::default();
        let blobs = new().filter(|(kind, blob)| taken.add(*kind, blob)).map(|(_, blob)| blob.len);
        let Some(left) = self.left.checked_sub(blobs.fold(sealed, u64::saturating_add)) else {
            return Some(false);
        };
        self.left = left;
        for (kind, blob) in &needs {
            self.held.add(*kind, blob);
        }
        Some(true)
    }
}

/// The summary. The field names are public: see docs/json.md.
#[derive(Serialize)]
struct Done {
    dry_run: bool,
    exported: u64,
    blobs: u64,
    bytes: u64,
    archive_bytes: u64,
    skipped: Skipped,
}

/// Selected entries that are not in the archive.
#[derive(Clone, Copy, Default, Serialize)]
struct Skipped {
    expired: u64,
    too_much: u64,
    damaged: u64,
}

impl Done {
    fn tell(&self, out: &mut dyn Write, json: bool, quiet: bool) -> Result<()> {
        if json {
            return ui::json(out, self);
        }
        if quiet {
            return Ok(());
        }
        let would = if self.dry_run { "would be " } else { "" };
        let entries = ui::count(self.exported, "entry", "entries");
        let size = ui::bytes(self.bytes);
        let packed = ui::bytes(self.archive_bytes);
        let Skipped { expired, too_much, damaged } = self.skipped;
        let skipped = ui::skipped(&[
            (expired, "expired"),
            (too_much, "beyond --max-size"),
            (damaged, "damaged"),
        ]);
        writeln!(out, "{entries} {would}exported, {size} in {packed}{skipped}").context("telling")
    }
}
