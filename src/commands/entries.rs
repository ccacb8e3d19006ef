//! Helpers shared by the verbs that show or remove entries: their settings, access to the store,
//! and the display of entries.

use super::misused;
use crate::args::{NamedArgs, RunArgs, StoreArgs};
use crate::config::{self, Config, Vars};
use crate::run::{self, AtHome, Closed, Runner, Shims};
use crate::ui::{self, Column, Credentials, Tone};
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::report::seconds;
use cachex_base::record::entry::{About, Entry, Key};
use cachex_base::streams::messages::{self, Messages};
use cachex_base::system::clock::Timestamp;
use cachex_exec::invocation::Invocation;
use cachex_store::components;
use cachex_store::db_client::DbClient;
use cachex_store::fold::FoldReport;
use cachex_store::guard::{self, SetAside};
use cachex_store::lock;
use cachex_store::metadata::{EntryMetadata, Totals};
use cachex_store::query::Query;
use cachex_store::room;
use cachex_store::young::Young;
use cachex_store::{Root, blobs};
use serde::Serialize;
use serde_bytes::ByteBuf;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The options of a verb that work as in `run`.
pub struct Settings {
    /// The configuration, of which only the parts that identify the store and the command are used.
    pub config: Config,
    /// The command, if there is one.
    pub argv: Vec<OsString>,
}

impl Settings {
    /// Resolves flags, variables and defaults, or reports what is wrong with them.
    pub fn of(
        verb: &str,
        named: NamedArgs,
        store: StoreArgs,
        command: Vec<OsString>,
        vars: &Vars,
    ) -> Result<Settings, Exit> {
        let args = RunArgs {
            identity: named.identity,
            tty: named.tty,
            remote: named.remote,
            cache_dir: store.cache_dir,
            quiet: store.quiet,
            command,
            ..RunArgs::default()
        };
        Settings::of_run(verb, args, vars)
    }

    /// Resolves the options of a verb that takes more of those of `run`.
    pub fn of_run(verb: &str, args: RunArgs, vars: &Vars) -> Result<Settings, Exit> {
        // The key of an entry is the same where cachex is disabled.
        let settled = config::read(vars).and_then(|read| config::resolve_with(args, vars, &read));
        let (config, argv) = settled.map_err(|why| misused(verb, exit::USAGE, why))?;
        tell_of_waits(config.quiet);
        Ok(Settings { config, argv })
    }

    /// Returns the store; none if there is none yet.
    pub fn store(&self) -> Result<Option<Root>> {
        Ok(run::existing_store(self.config.dir.as_deref())?)
    }

    /// Returns the message settings.
    pub fn messages(&self) -> Messages {
        Messages { quiet: self.config.quiet, verbose: self.config.verbose }
    }

    /// Returns the key of the command.
    pub fn key(&self, vars: &Vars, closed: Closed) -> Result<Key> {
        self.named(vars, closed, false).map(|named| named.key)
    }

    /// Returns the key of the command, and if nothing is recorded under it, the nearest entry.
    pub fn name(&self, vars: &Vars, closed: Closed) -> Result<Named> {
        self.named(vars, closed, true)
    }

    fn named(&self, vars: &Vars, closed: Closed, looks_around: bool) -> Result<Named> {
        let invocation = Invocation { argv: self.argv.clone() };
        let (config, began) = (&self.config, Instant::now());
        let runner = Runner {
            invocation: &invocation,
            config,
            vars,
            closed,
            report: None,
            began,
            shims: Shims::default(),
            at_home: AtHome::default(),
            shows_progress: run::shows_nothing,
        };
        let (key, nearest) = run::key_of(&runner, self.store()?.as_ref(), looks_around)?;
        Ok(Named { key, nearest: nearest.map(|nearest| nearest.in_a_line()) })
    }
}

/// Has it told on standard error for whom a verb waits, once that takes long.
pub fn tell_of_waits(quiet: bool) {
    if quiet {
        return;
    }
    lock::listen(|whom| {
        if rustix::termios::isatty(rustix::stdio::stderr()) {
            // In the place of the line that shows progress.
            eprint!("\r\x1b[2K");
        }
        Messages { quiet: false, verbose: false }.wait(format_args!("waiting: {whom}"));
    });
}

/// A command, as the store knows it.
pub struct Named {
    /// The key of the entry.
    pub key: Key,
    /// A line about the nearest entry, if nothing is recorded.
    pub nearest: Option<String>,
}

/// Warns that something could not be read: whatever prevents a fold may also prevent that.
pub fn tell_of_lack(messages: Messages, error: &anyhow::Error) {
    messages.warn(format_args!("what is shown may not be all there is: {error:#}"));
}

/// Opens the store, folded as far as possible.
pub struct Entries<'a> {
    root: &'a Root,
    /// The old store.
    pub old: DbClient<'a>,
    /// The totals of the old store.
    pub totals: Totals,
    is_folded: bool,
    messages: Messages,
}

impl<'a> Entries<'a> {
    /// Folds the store, for a verb that removes entries. On a full file system that may fail. Then
    /// what can be read without a fold is enough, since removing young files takes no room, and
    /// only if the database cannot be read, recent entries are given up, but not for a `dry_run`.
    pub fn to_remove_from(
        root: &'a Root,
        messages: Messages,
        dry_run: bool,
    ) -> Result<Entries<'a>> {
        if !dry_run {
            room::relieve_for_the_first_step(root)?;
        }
        match Entries::folded(root, messages) {
            Err(_) if !dry_run && room::is_short(root) => {
                let unfolded = Entries::unfolded(root, messages);
                let any = Query { limit: Some(1), ..Query::default() };
                let is_readable = || unfolded.old.query(&any, &mut |_, _| Ok(())).is_ok();
                if !guard::exists(root) || is_readable() {
                    return Ok(unfolded);
                }
                Entries::give_up_some(root, messages)?;
                Entries::folded(root, messages)
            }
            folded => folded,
        }
    }

    /// Gives up recent entries for the room that removing others takes, and tells how many.
    pub fn give_up_some(root: &Root, messages: Messages) -> Result<()> {
        let given_up = room::relieve_at_any_cost(root)?;
        if given_up > 0 {
            let entries = ui::count(given_up, "entry", "entries");
            messages.wait(format_args!("the disk is full: {entries} given up to make room"));
        }
        Ok(())
    }

    /// Folds the store.
    pub fn folded(root: &'a Root, messages: Messages) -> Result<Entries<'a>> {
        let old = DbClient::new(root);
        let shown = ui::Progress::show(messages.quiet);
        let FoldReport { totals, set_aside, .. } = old.take_in()?;
        drop(shown);
        if let Some(name) = set_aside {
            messages.warn(format_args!("{}", SetAside(name)));
        }
        Ok(Entries { root, old, totals, is_folded: true, messages })
    }

    /// Folds the store if possible, for a verb that only reads: a store that cannot be written
    /// shows whatever can be read.
    pub fn readable(root: &'a Root, messages: Messages) -> Entries<'a> {
        let unfolded = Entries::unfolded(root, messages);
        // What is read needs no fold where there is hardly any room for one.
        if room::is_short(root) {
            return unfolded;
        }
        Entries::folded(root, messages).unwrap_or_else(|error| {
            tell_of_lack(messages, &error);
            unfolded
        })
    }

    /// Returns what can be read without a fold.
    pub fn unfolded(root: &'a Root, messages: Messages) -> Entries<'a> {
        let old = DbClient::new(root);
        Entries { root, old, totals: Totals::default(), is_folded: false, messages }
    }

    /// Returns whether everything is in the old store.
    pub fn is_folded(&self) -> bool {
        self.is_folded
    }

    /// Calls `visit` with the entries that match `query`, in its order.
    pub fn each(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Entry, EntryMetadata) -> Result<()>,
    ) -> Result<()> {
        if self.is_folded {
            return self.old.query(query, visit).map(drop);
        }
        let matcher = query.filter.matcher()?;
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        Young::new(self.root).scan(&mut |entry| {
            let facts = EntryMetadata::of(&entry, &entry.seal()?);
            seen.insert(entry.key);
            if matcher.matches(&entry, &facts) {
                found.push((query.order.rank(&entry, &facts), entry, facts));
            }
            Ok(())
        })?;
        let all = Query { limit: None, ..query.clone() };
        let read = self.old.query(&all, &mut |entry, facts| {
            if !seen.contains(&entry.key) && cachex_store::is_found(self.root, &entry) {
                found.push((query.order.rank(&entry, &facts), entry, facts));
            }
            Ok(())
        });
        read.map_or_else(|error| tell_of_lack(self.messages, &error), drop);
        found.sort_by(|(a, one, _), (b, other, _)| (a, one.key).cmp(&(b, other.key)));
        if query.descends() {
            found.reverse();
        }
        let most = query.limit.unwrap_or(usize::MAX);
        found.into_iter().take(most).try_for_each(|(_, entry, facts)| visit(entry, facts))
    }

    /// Calls `visit` with the existing entries of these keys, in the order of the keys; where the
    /// store could not be folded, recent ones first.
    pub fn fetch(&self, keys: &[Key], visit: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        if self.is_folded {
            return self.old.find(keys, &mut |entry, _| visit(entry));
        }
        let young = Young::new(self.root);
        let mut others = Vec::new();
        for key in keys {
            match young.get(key) {
                Ok(Some(entry)) if !blobs::lacks(self.root, &entry) => visit(entry)?,
                _ => others.push(*key),
            }
        }
        let mut done = Ok(());
        let read = self.old.find(&others, &mut |entry, _| {
            if done.is_ok() && cachex_store::is_found(self.root, &entry) {
                done = visit(entry);
            }
            Ok(())
        });
        read.unwrap_or_else(|error| tell_of_lack(self.messages, &error));
        done
    }

    /// Returns the entries whose keys begin with these digits, at most one more than `most`.
    pub fn beginning_with(&self, digits: &str, most: usize) -> Result<Vec<(Entry, EntryMetadata)>> {
        let mut query = Query { limit: Some(most + 1), ..Query::default() };
        query.filter.key_prefix = Some(digits.to_owned());
        let mut found = Vec::new();
        self.each(&query, &mut |entry, facts| {
            found.push((entry, facts));
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns whether the entry of a key is in a young file.
    pub fn is_young(&self, key: &Key) -> bool {
        Young::new(self.root).get(key).is_ok_and(|entry| entry.is_some())
    }
}

/// The number of candidates to list for an ambiguous prefix.
pub const CANDIDATES: usize = 10;

/// Reports that several keys have this prefix.
pub fn ambiguous(verb: &str, digits: &str, found: &[(Entry, EntryMetadata)]) -> Exit {
    let mut why = format!("'{digits}' is a prefix of several keys:");
    for (entry, _) in found.iter().take(CANDIDATES) {
        let command = Credentials::Masked.line(entry.about.words());
        let _ = write!(why, "\n  {}  {command}", entry.key);
    }
    if found.len() > CANDIDATES {
        why += "\n  …";
    }
    misused(verb, exit::USAGE, why)
}

/// An entry in JSON. The field names are public: see docs/json.md.
#[derive(Debug, Serialize)]
pub struct Listed {
    key: String,
    command: String,
    command_cut: bool,
    argv: Vec<String>,
    cwd: Option<String>,
    scope: Option<String>,
    tags: Vec<String>,
    automatic: bool,
    created: String,
    age: Option<f64>,
    expires: Option<String>,
    expired: bool,
    last_used: String,
    hits: u64,
    status: u8,
    run_time: f64,
    size: u64,
    output_files: Option<u64>,
    output_bytes: Option<u64>,
}

impl Listed {
    /// Creates the record of an entry.
    pub fn of(
        entry: &Entry,
        facts: &EntryMetadata,
        now: Timestamp,
        credentials: Credentials,
    ) -> Listed {
        let about = &entry.about;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Listed {
            key: entry.key.to_string(),
            command: credentials.line(about.words()),
            command_cut: about.cut,
            argv: credentials.texts(about.words()),
            cwd: about.cwd.as_ref().map(|cwd| text(cwd)),
            scope: about.scope.clone(),
            tags: about.tags.clone(),
            automatic: components::facts_of(&entry.parts).is_some(),
            created: entry.created.to_rfc3339(),
            age: now.since(entry.created).map(seconds),
            expires: entry.expires().map(Timestamp::to_rfc3339),
            expired: has_expired(entry, now),
            last_used: Timestamp(facts.last_use).to_rfc3339(),
            hits: facts.hits,
            status: entry.status,
            run_time: seconds(Duration::from_nanos(entry.run_time)),
            size: facts.size,
            output_files: entry.outputs.map(|outputs| outputs.files),
            output_bytes: entry.outputs.map(|outputs| outputs.bytes),
        }
    }
}

/// Returns the columns of a table of entries. On a narrow terminal, the columns that help least to
/// tell entries apart are dropped first.
pub fn columns() -> Vec<Column> {
    vec![
        Column::text("KEY").gives_way(1),
        Column::number("AGE").gives_way(2),
        Column::text("EXPIRES").gives_way(3),
        Column::number("EXIT").gives_way(4),
        Column::number("SIZE").gives_way(6),
        Column::number("TOOK").gives_way(7),
        Column::number("HITS").gives_way(9),
        Column::number("FILES").optional().gives_way(10),
        Column::text("AUTO").optional().gives_way(11),
        Column::text("SCOPE").optional().gives_way(8),
        Column::text("TAGS").optional().gives_way(5),
        Column::text("COMMAND"),
    ]
}

/// Returns the row of an entry.
pub fn row(
    entry: &Entry,
    facts: &EntryMetadata,
    now: Timestamp,
    credentials: Credentials,
) -> (Tone, Vec<String>) {
    let about = &entry.about;
    let tone = match (has_expired(entry, now), entry.status) {
        (true, _) => Tone::Faint,
        (false, 0) => Tone::Plain,
        (false, _) => Tone::Bad,
    };
    let cells = vec![
        messages::short(&entry.key),
        ui::age(now, entry.created),
        ui::expiry(now, entry.expires()),
        entry.status.to_string(),
        ui::short_bytes(facts.size),
        cachex_base::text::quote::rounded(Duration::from_nanos(entry.run_time)),
        facts.hits.to_string(),
        entry.outputs.map(|outputs| outputs.files.to_string()).unwrap_or_default(),
        components::facts_of(&entry.parts).map(|_| "auto".to_owned()).unwrap_or_default(),
        about.scope.clone().unwrap_or_default(),
        about.tags.join(","),
        command(about, credentials),
    ];
    (tone, cells)
}

/// Returns a command line, as far as it is kept.
pub fn command(about: &About, credentials: Credentials) -> String {
    let more = if about.cut { " …" } else { "" };
    credentials.line(about.words()) + more
}

/// Returns whether an entry has expired, by the limit with which it was recorded.
pub fn has_expired(entry: &Entry, now: Timestamp) -> bool {
    entry.expires().is_some_and(|expires| expires <= now)
}

/// Returns the time that lies `span` before `now`.
pub fn ago(now: Timestamp, span: Duration) -> Result<Timestamp> {
    let span = u64::try_from(span.as_nanos()).ok();
    let time = span.and_then(|span| now.0.checked_sub(span)).map(Timestamp);
    time.context("there was no cachex so long ago")
}

/// Returns a folder as entries store it: without links. A missing folder is used as given.
pub fn folder(dir: &Path) -> Result<ByteBuf> {
    let real = std::fs::canonicalize(dir).or_else(|_| std::path::absolute(dir));
    let real = real.context("finding the folder of --cwd")?;
    Ok(ByteBuf::from(real.as_os_str().as_bytes()))
}
