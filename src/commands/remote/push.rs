//! `cachex remote push`: sends entries that were recorded before there was a remote store, or that
//! it lost.

use super::Told;
use super::flush::Flushed;
use crate::args::PushArgs;
use crate::commands::entries::{self, Entries};
use crate::config::{self, Read, Vars};
use crate::run::home;
use crate::ui;
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::quote::harmless;
use cachex_store::Root;
use cachex_store::query::{Filter, Query};
use cachex_store::remote::advice;
use serde::Serialize;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

/// The number of entries that are queued and sent at a time: a longer queue loses its end.
const AT_ONCE: usize = 5000;

/// The JSON output. docs/json.md describes the fields.
#[derive(Default, Serialize)]
struct Pushed {
    url: String,
    mode: String,
    dry_run: bool,
    /// The number of chosen entries.
    chosen: u64,
    /// The number of entries not chosen because they stay on this machine.
    kept_here: u64,
    sent: u64,
    bytes: u64,
    given_up: u64,
    left: u64,
    timed_out: bool,
    reason: Option<String>,
}

/// Selects the stores of an entry, by the rules for its command.
struct Rules<'a> {
    vars: &'a Vars,
    read: &'a Read,
    told: &'a Told,
    is_named: bool,
}

impl Rules<'_> {
    /// Returns whether an entry is sent to this store, or kept on this machine. None if it belongs
    /// to other stores.
    fn sends(&self, entry: &Entry) -> Result<Option<bool>> {
        let argv = entry.about.argv.iter().map(|word| OsString::from_vec(word.to_vec()));
        let settled = config::settle(&argv.collect::<Vec<_>>(), None, self.vars, self.read)?;
        let mut urls = settled.config.remotes.iter().map(|remote| remote.url.to_string());
        if !self.is_named && !urls.any(|url| url == self.told.url()) {
            return Ok(None);
        }
        Ok(Some(home::of(entry, settled.config.local).is_none()))
    }
}

/// Pushes entries.
pub fn push(told: &Told, args: &PushArgs, vars: &Vars) -> Result<Exit> {
    let mut done =
        Pushed { url: told.url(), mode: told.mode(), dry_run: args.dry_run, ..Pushed::default() };
    if told.writes()
        && let Some(root) = told.settings.store()?
    {
        let read = config::read(vars)?;
        let is_named = !args.remote.remote.is_empty();
        let keys = choose(&root, args, &Rules { vars, read: &read, told, is_named }, &mut done)?;
        if !args.dry_run {
            send(&root, told, &keys, args.timeout, &mut done)?;
        }
    }
    let failed = done.left > 0 || done.timed_out;
    if failed && !told.json {
        messages::error(format_args!("{}", done.words(told)));
    } else if told.json || !told.quiet() {
        told.print(&done, || done.words(told) + "\n")?;
    }
    Ok(if failed { Exit::Status(exit::FAILURE) } else { Exit::SUCCESS })
}

/// Chooses the entries that are of use to anybody, and returns their keys.
fn choose(root: &Root, args: &PushArgs, rules: &Rules<'_>, done: &mut Pushed) -> Result<Vec<Key>> {
    let now = Timestamp::now();
    let filter = Filter {
        tag: args.tag.as_ref().map(|tag| tag.0.clone()),
        scope: args.scope.clone(),
        cwd: args.cwd.as_deref().map(entries::folder).transpose()?,
        command_glob: args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned()),
        ..Filter::default()
    };
    let newest = args.newer_than.map(|span| entries::ago(now, span)).transpose()?;
    let stored = Entries::readable(root, rules.told.settings.messages());
    let mut keys = Vec::new();
    stored.each(&Query { filter, ..Query::default() }, &mut |entry, _| {
        let is_wanted = newest.is_none_or(|newest| entry.created >= newest);
        if !is_wanted || !entry.is_of_use(now) {
            return Ok(());
        }
        match rules.sends(&entry)? {
            Some(true) => keys.push(entry.key),
            Some(false) => done.kept_here += 1,
            None => {}
        }
        Ok(())
    })?;
    done.chosen = keys.len() as u64;
    Ok(keys)
}

fn send(
    root: &Root,
    told: &Told,
    keys: &[Key],
    patience: Option<Duration>,
    done: &mut Pushed,
) -> Result<()> {
    let until = patience.and_then(|patience| Instant::now().checked_add(patience));
    for (at, some) in keys.chunks(AT_ONCE).enumerate() {
        let remote = told.beside(root);
        for key in some {
            remote.add_to_queue(key).context("queueing an entry")?;
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let sent = Flushed::of(told).after(root, told, left)?;
        done.sent += sent.sent;
        done.bytes += sent.bytes;
        done.given_up += sent.given_up;
        done.timed_out = sent.timed_out;
        done.reason = sent.reason.or(done.reason.take());
        if sent.left > 0 {
            let unqueued = keys.len() - at * AT_ONCE - some.len();
            done.left = sent.left + unqueued as u64;
            break;
        }
    }
    Ok(())
}

impl Pushed {
    fn words(&self, told: &Told) -> String {
        if !told.writes() {
            return format!("nothing to do: the mode is {}", told.mode_explained());
        }
        let entries = |count| ui::count(count, "entry", "entries");
        let mut said = if self.dry_run {
            vec![format!("{} would be sent", entries(self.chosen))]
        } else {
            vec![format!("{} sent, {}", entries(self.sent), ui::bytes(self.bytes))]
        };
        if self.kept_here > 0 {
            let stay = if self.kept_here == 1 { "stays" } else { "stay" };
            said.push(format!("{} {stay} on this machine", entries(self.kept_here)));
        }
        if self.given_up > 0 {
            said.push(format!("{} given up", entries(self.given_up)));
        }
        if self.left > 0 {
            said.push(format!("{} still waiting", entries(self.left)));
        }
        let line = said.join("; ");
        match &self.reason {
            Some(why) => format!("{line}: {}", harmless(&advice::if_any(why))),
            None => line,
        }
    }
}
