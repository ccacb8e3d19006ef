//! `cachex __complete`: completions from the store, for the scripts of `cachex completions`.
//!
//! Pressing a key must not cause a wait, a change or an error message. So this reads files only:
//! the young entries and the filter. It takes no lock, folds nothing, and starts nothing that opens
//! sled, which writes when it is opened. It ends in time, with whatever it has found by then. Of
//! older entries it knows the keys, but not the tags and scopes.

mod place;

use crate::config::{self, Vars};
use crate::ui::{self, Credentials};
use anyhow::Result;
use cachex_base::process::exit::Exit;
use cachex_base::record::entry::{Entry, Key};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::text::quote::harmless;
use cachex_store::young::{self, Young};
use cachex_store::{Root, filter};
use place::{Place, Wanted};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The hidden verb: `__complete keys|tags|scopes|any PREFIX [WORD…]`, where the words precede the
/// prefix on the command line, as far as they are known.
pub const VERB: &str = "__complete";

/// The time limit: long enough to find something, short enough not to be noticed.
const PATIENCE: Duration = Duration::from_millis(300);
/// The maximum number of keys to offer.
const MOST: usize = 100;
/// The number of digits with which tables name an entry.
const SHORT: usize = 12;
/// The maximum width of a displayed command.
const WIDEST: usize = 60;

/// Prints a line for each candidate: its text, a tab, and a description.
pub fn serve(args: &[OsString], vars: &Vars) -> Exit {
    let Some(Place { wanted, prefix, dir }) = Place::of(args, vars) else { return Exit::SUCCESS };
    let Ok(Some(dir)) = config::store_dir_quietly(dir, vars) else { return Exit::SUCCESS };
    let (tell, told) = mpsc::channel();
    let began = Instant::now();
    // The thread may hang on a slow file system; then it ends with the process.
    std::thread::spawn(move || look(&dir, wanted, &prefix, &|found| Ok(tell.send(found)?)));
    let mut found: Vec<Found> = Vec::new();
    while let Ok(next) = told.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
        found.push(next);
    }
    if wanted != Wanted::Keys {
        found.sort_by(|one, other| one.value.cmp(&other.value));
    }
    let mut lines = String::new();
    for Found { value, meaning } in found {
        lines.extend([&value, "\t", &meaning, "\n"]);
    }
    let _ = std::io::stdout().lock().write_all(lines.as_bytes());
    Exit::SUCCESS
}

/// A candidate.
struct Found {
    value: String,
    meaning: String,
}

type Tell<'a> = &'a dyn Fn(Found) -> Result<()>;

fn look(dir: &Path, wanted: Wanted, prefix: &str, tell: Tell<'_>) -> Result<()> {
    let Ok(root) = Root::open(dir) else { return Ok(()) };
    match wanted {
        Wanted::Keys => keys(&root, &prefix.to_ascii_lowercase(), tell),
        Wanted::Tags => names(&root, prefix, |entry| entry.about.tags.clone(), tell),
        Wanted::Scopes => {
            names(&root, prefix, |entry| entry.about.scope.clone().into_iter().collect(), tell)
        }
    }
}

/// Finds keys: recent entries with their commands, latest first, then others as far as there is
/// room.
fn keys(root: &Root, prefix: &str, tell: Tell<'_>) -> Result<()> {
    let mut recent: Vec<(i64, Key)> = Vec::new();
    for key in Young::new(root).keys()? {
        if key.to_string().starts_with(prefix)
            && let Ok(Some(stat)) = fsutil::stat(root, young::path(&key))
        {
            recent.push((stat.st_mtime, key));
        }
    }
    recent.sort_unstable_by_key(|(written, key)| (std::cmp::Reverse(*written), *key));
    let len = if prefix.len() <= SHORT { SHORT } else { 2 * size_of::<Key>() };
    let mut left = MOST;
    for (_, key) in recent.iter().take(MOST) {
        left -= 1;
        let meaning = Young::new(root).get(key).ok().flatten();
        let meaning = meaning.map(|entry| meaning_of(&entry)).unwrap_or_default();
        tell(Found { value: key.to_string()[..len].to_owned(), meaning })?;
    }
    let recent: Vec<u64> = recent.iter().map(|(_, key)| key.prefix()).collect();
    for old in filter::contents(root).unwrap_or_default() {
        let digits = format!("{old:016x}");
        if left > 0 && digits.starts_with(prefix) && !recent.contains(&old) {
            left -= 1;
            let value = digits[..len.min(digits.len())].to_owned();
            tell(Found { value, meaning: String::new() })?;
        }
    }
    Ok(())
}

fn meaning_of(entry: &Entry) -> String {
    let command = Credentials::Masked.line(entry.about.words());
    let cut: String = command.chars().take(WIDEST).collect();
    let dots = if cut.len() < command.len() { "…" } else { "" };
    format!("{cut}{dots}, {} ago", ui::age(Timestamp::now(), entry.created))
}

/// Returns the tags or scopes of recent entries, each once.
fn names(
    root: &Root,
    prefix: &str,
    of: impl Fn(&Entry) -> Vec<String>,
    tell: Tell<'_>,
) -> Result<()> {
    let mut known = BTreeSet::new();
    Young::new(root).scan(&mut |entry| {
        for name in of(&entry) {
            let fits = name.starts_with(prefix) && harmless(&name) == name;
            if fits && known.insert(name.clone()) {
                tell(Found { value: name, meaning: String::new() })?;
            }
        }
        Ok(())
    })
}
