//! The sources of the figures: the counts of earlier folds, after another fold if anything happened
//! since.

use super::days::Day;
use super::figures::Gathered;
use crate::commands::entries::tell_of_lack;
use crate::ui::Progress;
use anyhow::Result;
use cachex_base::record::entry::Key;
use cachex_base::streams::messages::Messages;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_store::Root;
use cachex_store::db_client::DbClient;
use cachex_store::events::{self, Event, Record};
use cachex_store::guard::SetAside;
use cachex_store::metadata::EntryMetadata;
use cachex_store::room;
use cachex_store::stats;
use cachex_store::young::Young;
use std::collections::HashMap;
use std::ffi::OsString;

/// Returns the counts from a day on. A store that cannot be changed yields what can be read, and a
/// damaged one what is left, with a warning.
pub fn gather(root: &Root, since: Option<Day>, messages: Messages) -> Result<Gathered> {
    let first = since.map_or(0, |day| day.0);
    let has_news = logs(root).map_or(true, |logs| !logs.is_empty());
    let readable = || {
        let mut gathered = unfolded(root, first)?;
        match counted(root, first, false, messages) {
            Ok(folded) => {
                gathered.entries = gathered.entries.max(folded.entries);
                gathered.bytes = gathered.bytes.max(folded.bytes);
                gathered.counts.extend(folded.counts);
            }
            Err(error) => tell_of_lack(messages, &error),
        }
        Ok(gathered)
    };
    // What is read needs no fold where there is hardly any room for one.
    if has_news && room::is_short(root) {
        return readable();
    }
    let done = match counted(root, first, has_news, messages) {
        Err(error) if error.is::<SetAside>() => {
            messages.warn(format_args!("{error}"));
            counted(root, first, true, messages)
        }
        done => done,
    };
    done.or_else(|error| {
        tell_of_lack(messages, &error);
        // Whatever prevented the fold may still allow this read.
        readable()
    })
}

/// Returns what folds have counted; with `fold`, after one that is done now.
fn counted(root: &Root, first: u32, fold: bool, messages: Messages) -> Result<Gathered> {
    let store = DbClient::new(root);
    let totals = if fold {
        let shown = Progress::show(messages.quiet);
        let folded = store.take_in()?;
        drop(shown);
        if let Some(name) = folded.set_aside {
            messages.warn(format_args!("{}", SetAside(name)));
        }
        folded.totals
    } else {
        store.totals()?
    };
    let counts = store.stats(first)?;
    Ok(Gathered { entries: totals.entries, bytes: totals.bytes, counts })
}

fn logs(root: &Root) -> Result<Vec<OsString>> {
    let mut names = fsutil::names(root, ".")?;
    names.retain(|name| name.to_str().is_some_and(events::is_log));
    Ok(names)
}

/// Returns what the next fold would count, and the young entries.
fn unfolded(root: &Root, first: u32) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut names: HashMap<Key, String> = HashMap::new();
    Young::new(root).scan(&mut |entry| {
        gathered.entries += 1;
        gathered.bytes =
            gathered.bytes.saturating_add(EntryMetadata::of(&entry, &entry.seal()?).size);
        names.insert(entry.key, events::name_of(entry.about.name()));
        Ok(())
    })?;
    let mut happened: Vec<Event> = Vec::new();
    for log in logs(root)? {
        for record in events::parse(&events::read(root, &log).unwrap_or_default()) {
            match record {
                Record::Event(event) => happened.push(event),
                Record::Label(label) => drop(names.insert(label.key, label.name)),
            }
        }
    }
    for (day, commands) in stats::tally(&happened, &names, Timestamp::now()) {
        if day >= first {
            let counted = commands.into_iter().map(|(name, counts)| (day, name, counts));
            gathered.counts.extend(counted);
        }
    }
    Ok(gathered)
}
