//! `cachex remote list` and `cachex remote stats --by`: the results in the remote store, and who
//! sent them.

use super::Told;
use crate::args::{RemoteBy, RemoteListArgs};
use crate::commands::entries;
use crate::run;
use crate::ui::{self, Column, Credentials, Progress, Screen, Table, Tone};
use anyhow::Result;
use cachex_base::process::exit::Exit;
use cachex_base::process::report::seconds;
use cachex_base::record::entry::Entry;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::quote::rounded;
use cachex_store::metadata::EntryMetadata;
use cachex_store::query::Filter;
use cachex_store::remote::Listing;
use cachex_store::remote::origin::Origin;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// The name for a missing tag or sender.
const NONE: &str = "(none)";

/// Lists the contents of one store.
pub fn list(told: &Told, args: &RemoteListArgs) -> Result<Exit> {
    let now = Timestamp::now();
    let since = args.newer_than.map(|span| entries::ago(now, span)).transpose()?;
    let filter = Filter {
        tag: args.tag.as_ref().map(|tag| tag.0.clone()),
        scope: args.scope.clone(),
        command_glob: args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned()),
        ..Filter::default()
    };
    let matcher = filter.matcher()?;
    let is = |wanted: &Option<String>, said: &Option<String>| wanted.is_none() || wanted == said;
    let (mut found, listing) = read(told, &|item| {
        matcher.matches(&item.entry, &EntryMetadata::default())
            && since.is_none_or(|since| item.entry.created >= since)
            && is(&args.host, &item.origin.host)
            && is(&args.user, &item.origin.user)
    })?;
    found.sort_by_key(|item| Reverse(item.entry.created));
    found.truncate(args.limit.unwrap_or(usize::MAX));
    let credentials = Credentials::reveal(args.reveal);
    if told.json {
        let all = found.iter().map(|item| Row::of(item, now, credentials)).collect();
        let object = All { url: told.url(), entries: all, listing };
        told.print(&object, String::new)?;
        return Ok(Exit::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    table(&found, now, credentials, &mut out)?;
    told.hint(listing, found.is_empty());
    Ok(Exit::SUCCESS)
}

/// Summarizes the contents of one store.
pub fn by(told: &Told, by: RemoteBy) -> Result<Exit> {
    let (found, listing) = read(told, &|_| true)?;
    let mut groups: BTreeMap<String, Sums> = BTreeMap::new();
    for item in &found {
        for name in item.names(by) {
            groups.entry(name).or_default().add(item);
        }
    }
    let mut groups: Vec<(String, Sums)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, sums)| Reverse((sums.bytes, sums.results)));
    if told.json {
        let groups = groups.iter().map(|(name, sums)| Group {
            name: (name != NONE).then_some(name),
            results: sums.results,
            bytes: sums.bytes,
            run_time: seconds(sums.run_time),
        });
        let object = Grouped { url: told.url(), groups: groups.collect(), listing };
        told.print(&object, String::new)?;
        return Ok(Exit::SUCCESS);
    }
    let title = match by {
        RemoteBy::Host => "HOST",
        RemoteBy::User => "USER",
        RemoteBy::Tag => "TAG",
        RemoteBy::Command => "COMMAND",
    };
    let mut out = std::io::stdout().lock();
    let columns = ["RESULTS", "SIZE", "TOOK"].map(Column::number);
    let columns = columns.into_iter().chain([Column::text(title)]).collect();
    let mut table = Table::new(Screen::of_stdout(), &mut out, columns);
    for (name, sums) in &groups {
        let tone = if name == NONE { Tone::Faint } else { Tone::Plain };
        let (results, took) = (sums.results.to_string(), rounded(sums.run_time));
        table.row(tone, vec![results, ui::short_bytes(sums.bytes), took, name.clone()])?;
    }
    table.finish()?;
    told.hint(listing, groups.is_empty());
    Ok(Exit::SUCCESS)
}

/// An entry in a remote store.
struct Item {
    entry: Entry,
    origin: Origin,
    /// The uncompressed size, in bytes.
    bytes: u64,
}

/// Reads the entries that `wants` accepts, whoever sent them.
fn read(told: &Told, wants: &dyn Fn(&Item) -> bool) -> Result<(Vec<Item>, Listing)> {
    // A helper process needs a store to work in.
    let root = run::open_store(told.settings.config.dir.as_ref())?;
    let shown = Progress::show(told.quiet());
    let mut found = Vec::new();
    let listing = told.beside(&root).list(&mut |entry, len| {
        let bytes = entry.blob_bytes().saturating_add(len);
        let origin = Origin::of_parts(&entry.parts).unwrap_or_default();
        let item = Item { entry, origin, bytes };
        if wants(&item) {
            found.push(item);
        }
        Ok(())
    })?;
    told.learn(&root);
    drop(shown);
    Ok((found, listing))
}

fn table(
    found: &[Item],
    now: Timestamp,
    credentials: Credentials,
    out: &mut dyn Write,
) -> Result<()> {
    let columns = vec![
        Column::number("AGE").gives_way(1),
        Column::text("EXPIRES").gives_way(2),
        Column::number("EXIT").gives_way(3),
        Column::number("SIZE").gives_way(5),
        Column::number("TOOK").gives_way(6),
        Column::text("HOST").optional().gives_way(4),
        Column::text("USER").optional().gives_way(7),
        Column::text("SCOPE").optional().gives_way(9),
        Column::text("TAGS").optional().gives_way(8),
        Column::text("COMMAND"),
    ];
    let mut table = Table::new(Screen::of_stdout(), out, columns);
    for Item { entry, origin, bytes } in found {
        let tone = match (entries::has_expired(entry, now), entry.status) {
            (true, _) => Tone::Faint,
            (false, 0) => Tone::Plain,
            (false, _) => Tone::Bad,
        };
        let cells = vec![
            ui::age(now, entry.created),
            ui::expiry(now, entry.expires()),
            entry.status.to_string(),
            ui::short_bytes(*bytes),
            rounded(Duration::from_nanos(entry.run_time)),
            origin.host.clone().unwrap_or_default(),
            origin.user.clone().unwrap_or_default(),
            entry.about.scope.clone().unwrap_or_default(),
            entry.about.tags.join(","),
            entries::command(&entry.about, credentials),
        ];
        table.row(tone, cells)?;
    }
    Ok(table.finish()?)
}

impl Item {
    /// Returns the groups to which the entry belongs.
    fn names(&self, by: RemoteBy) -> Vec<String> {
        let about = &self.entry.about;
        let names: Vec<String> = match by {
            RemoteBy::Host => self.origin.host.iter().cloned().collect(),
            RemoteBy::User => self.origin.user.iter().cloned().collect(),
            RemoteBy::Tag => about.tags.clone(),
            RemoteBy::Command => vec![String::from_utf8_lossy(about.name()).into_owned()],
        };
        if names.is_empty() { vec![NONE.to_owned()] } else { names }
    }
}

/// The totals of some results.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    results: u64,
    bytes: u64,
    run_time: Duration,
}

impl Sums {
    fn add(&mut self, item: &Item) {
        self.results += 1;
        self.bytes = self.bytes.saturating_add(item.bytes);
        self.run_time += Duration::from_nanos(item.entry.run_time);
    }
}

/// The JSON output for a store. docs/json.md describes the fields.
#[derive(Serialize)]
struct All {
    url: String,
    entries: Vec<Row>,
    #[serde(flatten)]
    listing: Listing,
}

#[derive(Serialize)]
struct Row {
    command: String,
    command_cut: bool,
    argv: Vec<String>,
    scope: Option<String>,
    tags: Vec<String>,
    created: String,
    age: Option<f64>,
    expires: Option<String>,
    status: u8,
    run_time: f64,
    size: u64,
    origin: Origin,
}

impl Row {
    fn of(item: &Item, now: Timestamp, credentials: Credentials) -> Row {
        let (entry, about) = (&item.entry, &item.entry.about);
        Row {
            command: credentials.line(about.words()),
            command_cut: about.cut,
            argv: credentials.texts(about.words()),
            scope: about.scope.clone(),
            tags: about.tags.clone(),
            created: entry.created.to_rfc3339(),
            age: now.since(entry.created).map(seconds),
            expires: entry.expires().map(Timestamp::to_rfc3339),
            status: entry.status,
            run_time: seconds(Duration::from_nanos(entry.run_time)),
            size: item.bytes,
            origin: item.origin.clone(),
        }
    }
}

/// The totals of a store. docs/json.md describes the fields.
#[derive(Serialize)]
struct Grouped<'g> {
    url: String,
    groups: Vec<Group<'g>>,
    #[serde(flatten)]
    listing: Listing,
}

#[derive(Serialize)]
struct Group<'g> {
    name: Option<&'g String>,
    results: u64,
    bytes: u64,
    run_time: f64,
}

impl Told {
    /// Reports what is not shown.
    fn hint(&self, listing: Listing, is_empty: bool) {
        let mut said = Vec::new();
        if listing.invalid > 0 {
            said.push(format!("{} invalid", ui::count(listing.invalid, "entry is", "entries are")));
        }
        if listing.unreadable > 0 {
            let entries = ui::count(listing.unreadable, "entry is", "entries are");
            said.push(format!("{entries} damaged, or of others with another secret or key"));
        }
        if is_empty && said.is_empty() {
            said.push("there is no such entry".to_owned());
        }
        if !said.is_empty() {
            self.settings.messages().hint(&said.join("; "));
        }
    }
}
