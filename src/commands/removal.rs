//! The removal of entries by `forget` and `prune`: the choice, the removal under the fold lock, and
//! the report. `forget` first removes entries from a remote store; otherwise a call in between
//! would bring them back.
//!
//! A fold comes first, so that the old store knows every entry. Then the entries are chosen,
//! without a lock. Then the lock keeps folds and promotions from bringing removed entries back. A
//! run recorded between the choice and the removal is removed too, at the cost of a miss. Only the
//! keys are kept in memory.

use super::entries::{self, Entries};
use crate::args::{OutputArgs, RemovalArgs};
use crate::config::{self, Vars};
use crate::run;
use crate::ui::{self, Credentials, Screen, Table, Tone};
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::record::manifest::Manifest;
use cachex_base::streams::messages::{self, Messages};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::progress::{self, Stage};
use cachex_base::text::quote::harmless;
use cachex_store::lock::{self, Lock, Mode};
use cachex_store::metadata::EntryMetadata;
use cachex_store::remote::{self, advice};
use cachex_store::removal;
use cachex_store::room;
use cachex_store::young::Young;
use cachex_store::{Root, blobs};
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use std::io::Write;

/// The maximum number of removals until nothing more is chosen.
const ROUNDS: u32 = 6;

/// The entries to remove; with `--dry-run`, they are listed as they are chosen.
pub struct Chosen<'a> {
    root: &'a Root,
    keys: Vec<Key>,
    known: HashSet<Key>,
    /// The platforms that their tags name.
    platforms: BTreeSet<String>,
    blobs: HashSet<[u8; 32]>,
    bytes: u64,
    listed: Option<Table<'a>>,
    credentials: Credentials,
    now: Timestamp,
}

impl<'a> Chosen<'a> {
    fn none(root: &'a Root, credentials: Credentials) -> Chosen<'a> {
        Chosen {
            root,
            keys: Vec::new(),
            known: HashSet::new(),
            platforms: BTreeSet::new(),
            blobs: HashSet::new(),
            bytes: 0,
            listed: None,
            credentials,
            now: Timestamp::now(),
        }
    }

    /// Adds an entry, unless it was added before. Returns the bytes that its removal frees.
    pub fn take(&mut self, entry: &Entry, facts: &EntryMetadata) -> Result<u64> {
        if !self.known.insert(entry.key) {
            return Ok(0);
        }
        self.keys.push(entry.key);
        self.platforms.extend(remote::platform_of(&entry.about.tags).map(str::to_owned));
        let mut bytes = facts.size;
        let manifest = entry.manifest().filter(|blob| !self.blobs.contains(&blob.hash));
        // Bytes that are not freed: blobs chosen before, duplicates among its files, or missing
        // ones.
        let mut again = match (entry.outputs, manifest) {
            (Some(outputs), None) => outputs.bytes,
            _ => 0,
        };
        let list = manifest.and_then(|blob| blobs::manifest(self.root, &blob).ok().flatten());
        let files = list.iter().flat_map(Manifest::blobs);
        for blob in entry.blobs().chain(files) {
            if !self.blobs.insert(blob.hash) {
                again = again.saturating_add(blob.len);
            } else if let Some(stored) = blobs::stored(self.root, &blob.hash) {
                // A compressed blob takes less space.
                again = again.saturating_add(blob.len.saturating_sub(stored));
            }
        }
        bytes = bytes.saturating_sub(again);
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(table) = &mut self.listed {
            let (_, cells) = entries::row(entry, facts, self.now, self.credentials);
            table.row(Tone::Plain, cells)?;
        }
        Ok(bytes)
    }

    /// Returns the number of entries.
    pub fn count(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Returns their size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns whether this entry was chosen.
    pub fn has(&self, key: &Key) -> bool {
        self.known.contains(key)
    }
}

/// The result of a removal. The field names are public: see docs/json.md.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// True if nothing was changed.
    pub dry_run: bool,
    /// The number of removed entries.
    pub removed: u64,
    /// The bytes they took; with `dry_run` the bytes taken by these alone.
    pub freed_bytes: u64,
    /// The keys of the entries.
    pub keys: Vec<String>,
    /// The remote store from which they were removed too.
    pub remote: Option<Elsewhere>,
}

impl Outcome {
    /// Adds another removal after this one.
    fn add(&mut self, next: Outcome) {
        self.removed += next.removed;
        // What is left by then counts.
        self.freed_bytes = self.freed_bytes.max(next.freed_bytes);
        self.keys.extend(next.keys);
    }
}

/// The result of removing entries from a remote store.
#[derive(Debug, Serialize)]
pub struct Elsewhere {
    /// The URL; several are separated by spaces.
    pub url: String,
    /// The number of entries to remove, whether or not the store had them.
    pub asked: u64,
    /// The reason for a failure.
    pub error: Option<String>,
}

/// Remote stores from which entries are removed too.
pub struct Shared<'a> {
    /// The stores that are written to.
    pub remotes: Vec<&'a config::Remote>,
    /// Keys to remove there, whether or not they exist here.
    pub keys: Vec<Key>,
    /// The platform of the keys, if one is named.
    pub platform: Option<String>,
}

/// The way in which a verb removes entries.
pub struct Removal<'a> {
    /// The verb's participle: `forgotten`, `pruned`.
    pub done: &'static str,
    /// The arguments of the verb.
    pub args: &'a RemovalArgs,
    /// True if nothing is said.
    pub quiet: bool,
    /// The variables, for the pager.
    pub vars: &'a Vars,
    /// The remote stores from which entries are removed too.
    pub shared: Option<Shared<'a>>,
}

impl Removal<'_> {
    /// Removes the entries that `choose` chooses, or lists them, and reports what was done. After a
    /// removal, `choose` is asked again, with its number, until it chooses none.
    pub fn carry_out(
        &self,
        root: &Root,
        entries: &Entries<'_>,
        mut choose: impl FnMut(&mut Chosen<'_>, u32) -> Result<()>,
    ) -> Result<Exit> {
        let screen = Screen::of_stdout();
        let OutputArgs { json, no_pager, reveal } = self.args.output;
        let lists = self.args.dry_run && !json && !self.quiet;
        let mut exit = Exit::SUCCESS;
        ui::show(screen, self.vars, lists && !no_pager, |out| {
            let mut chosen = Chosen::none(root, Credentials::reveal(reveal));
            chosen.listed = lists.then(|| Table::new(screen, out, entries::columns()));
            // A list itself shows that the work proceeds.
            let shown = (!lists).then(|| ui::Progress::show(self.quiet));
            progress::begin(Stage::Choosing, None);
            choose(&mut chosen, 0)?;
            if let Some(table) = chosen.listed.take() {
                table.finish()?;
            }
            let outcome = if self.args.dry_run {
                rehearse(&chosen)
            } else {
                let remote = self.remove_there(root, &chosen);
                let mut outcome = Outcome { remote, ..self.remove(root, entries, &chosen)? };
                for round in 1..ROUNDS {
                    let mut more = Chosen::none(root, chosen.credentials);
                    choose(&mut more, round)?;
                    if more.keys.is_empty() {
                        break;
                    }
                    outcome.add(self.remove(root, entries, &more)?);
                }
                outcome
            };
            let keys = self.shared.as_ref().map_or(&[][..], |shared| &shared.keys);
            let are_all_here = keys.iter().all(|key| chosen.has(key));
            drop((chosen, shown));
            exit = self.tell_of_failure(&outcome, are_all_here);
            self.tell(out, &outcome)
        })?;
        Ok(exit)
    }

    /// Removes the chosen entries. Where there is no room for that, others are given up.
    fn remove(&self, root: &Root, entries: &Entries<'_>, chosen: &Chosen<'_>) -> Result<Outcome> {
        match remove(root, entries, chosen) {
            Err(_) if room::is_short(root) => {
                let messages = Messages { quiet: self.quiet, verbose: false };
                Entries::give_up_some(root, messages)?;
                remove(root, entries, chosen)
            }
            removed => removed,
        }
    }

    /// Removes the chosen entries from the remote stores, if there are any.
    fn remove_there(&self, root: &Root, chosen: &Chosen<'_>) -> Option<Elsewhere> {
        let Shared { remotes, keys: more, platform } = self.shared.as_ref()?;
        let mut keys = chosen.keys.clone();
        keys.extend(more.iter().filter(|key| !chosen.has(key)));
        if keys.is_empty() {
            return None;
        }
        progress::begin(Stage::Removing, None);
        let platforms = platform.iter().chain(&chosen.platforms).cloned().collect::<Vec<_>>();
        // Nothing is sent, so nothing is compressed.
        let remove = |settings| run::remote_beside(root, settings, 0).remove_all(&keys, &platforms);
        let failed = remotes.iter().map(|settings| remove(settings)).filter_map(Result::err);
        // The other stores are told all the same.
        let failed: Vec<String> = failed.map(|error| format!("{error:#}")).collect();
        let urls: Vec<String> = remotes.iter().map(|remote| remote.url.to_string()).collect();
        Some(Elsewhere {
            url: urls.join(" "),
            asked: keys.len() as u64,
            error: (!failed.is_empty()).then(|| failed.join("; ")),
        })
    }

    /// Reports that there was no store to remove anything from.
    pub fn nothing(&self) -> Result<Exit> {
        let outcome = Outcome { dry_run: self.args.dry_run, ..Outcome::default() };
        self.tell(&mut std::io::stdout().lock(), &outcome)?;
        Ok(Exit::SUCCESS)
    }

    /// Reports that a remote store could not be told. That is an error if not all keys were known
    /// here: for the others, nothing was done at all.
    fn tell_of_failure(&self, outcome: &Outcome, are_all_here: bool) -> Exit {
        let Some(why) = outcome.remote.as_ref().and_then(|there| there.error.as_deref()) else {
            return Exit::SUCCESS;
        };
        let why = advice::if_any(why);
        if are_all_here {
            Messages { quiet: self.quiet, verbose: false }.wait(format_args!(
                "the remote store could not be told, and results may come back from it: {why}"
            ));
            return Exit::SUCCESS;
        }
        messages::error(format_args!("the remote store could not be told: {why}"));
        Exit::Status(exit::FAILURE)
    }

    /// Reports what was or would be done.
    pub fn tell(&self, out: &mut dyn Write, outcome: &Outcome) -> Result<()> {
        if self.args.output.json {
            return ui::json(out, outcome);
        }
        if self.quiet {
            return Ok(());
        }
        let entries = ui::count(outcome.removed, "entry", "entries");
        let would = if outcome.dry_run { "would be " } else { "" };
        let freed = match outcome.freed_bytes {
            0 => String::new(),
            bytes => format!(", {} freed", ui::bytes(bytes)),
        };
        let there = match &outcome.remote {
            Some(Elsewhere { url, asked, error: None }) => {
                let results = ui::count(*asked, "result", "results");
                format!("; {results} taken out of {}", harmless(url))
            }
            _ => String::new(),
        };
        Ok(writeln!(out, "{entries} {would}{}{freed}{there}", self.done)?)
    }
}

fn remove(root: &Root, entries: &Entries<'_>, chosen: &Chosen<'_>) -> Result<Outcome> {
    let mut outcome = rehearse(chosen);
    (outcome.dry_run, outcome.removed, outcome.freed_bytes) = (false, 0, 0);
    if chosen.keys.is_empty() {
        return Ok(outcome);
    }
    progress::begin(Stage::Waiting, None);
    let _folding =
        Lock::wait(root, lock::FOLD, Mode::Exclusive).context("waiting for the store")?;
    let young = Young::new(root);
    progress::begin(Stage::Removing, chosen.keys.len() as u64);
    let mut blobs = chosen.blobs.clone();
    for keys in chosen.keys.chunks(removal::at_once(root, chosen.keys.len())) {
        // The old store first, so that an entry removed from the young ones does not reappear from
        // it.
        let old = entries.old.remove_all(keys, &mut blobs)?;
        let mut files = 0;
        for key in keys {
            files += u64::from(young.remove(key)?);
            progress::advance(1);
        }
        outcome.removed += old.max(files);
    }
    let blobs: Vec<[u8; 32]> = blobs.into_iter().collect();
    let left = match entries.old.tidy(&blobs, outcome.removed) {
        // The next fold does that.
        Err(_) if room::is_short(root) => {
            return Ok(Outcome { freed_bytes: chosen.bytes, ..outcome });
        }
        left => left?,
    };
    outcome.freed_bytes = if entries.is_folded() {
        entries.totals.bytes.saturating_sub(left.bytes)
    } else {
        chosen.bytes
    };
    Ok(outcome)
}

fn rehearse(chosen: &Chosen<'_>) -> Outcome {
    Outcome {
        dry_run: true,
        removed: chosen.keys.len() as u64,
        freed_bytes: chosen.bytes,
        keys: chosen.keys.iter().map(Key::to_string).collect(),
        remote: None,
    }
}
