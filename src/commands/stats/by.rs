//! `cachex stats --by`: the savings of the results in the store, by tag or script.
//!
//! Calls are counted by the name of the command; anything else about them is in the entries. So
//! these figures cover the results that the store holds now.

use crate::commands::entries::Entries;
use crate::ui::{self, Column, Credentials, JsonArray, Screen, Table, Tone};
use anyhow::Result;
use cachex_base::process::report::seconds;
use cachex_base::record::entry::{About, Entry};
use cachex_base::text::values::StatsBy;
use cachex_store::metadata::EntryMetadata;
use cachex_store::query::Query;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// The name for a missing tag or script.
const NONE: &str = "(none)";
/// The names of shells and interpreters, without version numbers.
const INTERPRETERS: [&str; 17] = [
    "ash", "awk", "bash", "dash", "fish", "gawk", "ksh", "lua", "mksh", "node", "perl", "php",
    "python", "ruby", "sh", "xonsh", "zsh",
];

/// The totals of some results.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    results: u64,
    hits: u64,
    saved: Duration,
    bytes: u64,
}

/// The JSON form of a line. The field names are public: see docs/json.md.
#[derive(Serialize)]
struct Told<'a> {
    name: Option<&'a str>,
    results: u64,
    hits: u64,
    saved: f64,
    bytes: u64,
}

/// The figures, largest savings first.
pub struct Groups {
    title: &'static str,
    groups: Vec<(String, Sums)>,
}

impl Groups {
    /// Sums up the entries in the store.
    pub fn of(stored: &Entries<'_>, by: StatsBy, credentials: Credentials) -> Result<Groups> {
        let mut groups: BTreeMap<String, Sums> = BTreeMap::new();
        stored.each(&Query::default(), &mut |entry, facts| {
            for name in names(&entry, by, credentials) {
                groups.entry(name).or_default().add(&entry, &facts);
            }
            Ok(())
        })?;
        let mut groups: Vec<(String, Sums)> = groups.into_iter().collect();
        groups.sort_by_key(|(_, sums)| Reverse((sums.saved, sums.hits)));
        Ok(Groups { groups, ..Groups::empty(by) })
    }

    /// Returns the figures of a missing store.
    pub fn empty(by: StatsBy) -> Groups {
        let title = match by {
            StatsBy::Tag => "TAG",
            StatsBy::Script => "SCRIPT",
        };
        Groups { title, groups: Vec::new() }
    }

    /// Returns whether there are no figures.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Prints JSON.
    pub fn json(&self, out: &mut dyn Write) -> Result<()> {
        let mut array = JsonArray::new(out);
        for (name, sums) in &self.groups {
            let name = (name != NONE).then_some(name.as_str());
            let Sums { results, hits, saved, bytes } = *sums;
            array.item(&Told { name, results, hits, saved: seconds(saved), bytes })?;
        }
        array.finish()
    }

    /// Prints a table.
    pub fn table(&self, screen: Screen, out: &mut dyn Write) -> Result<()> {
        let columns = vec![
            Column::number("RESULTS"),
            Column::number("HITS"),
            Column::number("SAVED"),
            Column::number("SIZE").gives_way(1),
            Column::text(self.title),
        ];
        let mut table = Table::new(screen, out, columns);
        for (name, sums) in &self.groups {
            let tone = if name == NONE { Tone::Faint } else { Tone::Plain };
            let cells = vec![
                sums.results.to_string(),
                sums.hits.to_string(),
                super::figures::span(sums.saved),
                ui::short_bytes(sums.bytes),
                name.clone(),
            ];
            table.row(tone, cells)?;
        }
        Ok(table.finish()?)
    }
}

impl Sums {
    fn add(&mut self, entry: &Entry, facts: &EntryMetadata) {
        self.results += 1;
        self.hits = self.hits.saturating_add(facts.hits);
        let saved = entry.run_time.saturating_mul(facts.hits);
        self.saved = self.saved.saturating_add(Duration::from_nanos(saved));
        self.bytes = self.bytes.saturating_add(facts.size);
    }
}

/// Returns the groups to which an entry belongs.
fn names(entry: &Entry, by: StatsBy, credentials: Credentials) -> Vec<String> {
    let names = match by {
        StatsBy::Tag => entry.about.tags.clone(),
        StatsBy::Script => script(&entry.about, credentials).into_iter().collect(),
    };
    if names.is_empty() { vec![NONE.to_owned()] } else { names }
}

/// Returns the script that a command runs: the text after `-c`, or the file.
fn script(about: &About, credentials: Credentials) -> Option<String> {
    let text = |word: &[u8]| credentials.text(&String::from_utf8_lossy(word));
    let name = String::from_utf8_lossy(about.name()).into_owned();
    let interpreter = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !INTERPRETERS.contains(&interpreter) {
        let is_script = [".sh", ".py", ".pl", ".rb", ".js"].iter().any(|end| name.ends_with(end));
        return is_script.then_some(name);
    }
    let mut words = about.words().skip(1);
    while let Some(word) = words.next() {
        match word {
            [b'-', b'-', ..] => {}
            [b'-', letters @ ..] if letters.ends_with(b"c") || letters == b"e" => {
                return words.next().map(text);
            }
            [b'-', ..] => {}
            file => return Some(text(file)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_bytes::ByteBuf;

    #[test]
    fn a_script_is_what_a_shell_runs() {
        let of = |argv: &[&str]| {
            let argv = argv.iter().map(|word| ByteBuf::from(*word)).collect();
            script(&About { argv, ..About::of_name(None) }, Credentials::Masked)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&["/bin/sh", "-c", "a | b"]), some("a | b"));
        assert_eq!(of(&["bash", "-ec", "a --token x"]), some("a --token ***"));
        assert_eq!(of(&["python3.12", "-u", "x.py", "-c"]), some("x.py"));
        assert_eq!(of(&["perl", "-e", "1"]), some("1"));
        assert_eq!(of(&["./build.sh", "-x"]), some("build.sh"));
        assert_eq!((of(&["ls", "-c"]), of(&["sh"]), of(&[])), (None, None, None));
    }
}
