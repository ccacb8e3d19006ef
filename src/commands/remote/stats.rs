//! `cachex remote stats`: the traffic with the remote store, and its state.

use super::Told;
use crate::Timestamp;
use crate::commands::stats::gather;
use crate::commands::stats::prometheus::escaped;
use crate::run;
use crate::ui::{self, Progress, Screen, Tone};
use anyhow::{Context, Result, bail};
use cachex_base::process::exit::Exit;
use cachex_base::text::quote::harmless;
use cachex_store::Root;
use cachex_store::events::Remotely;
use cachex_store::remote::Remote;
use cachex_store::remote::circuit_breaker::Outage;
use cachex_store::stats::Counts;
use serde::Serialize;
use std::fmt::Write;

/// Shows the statistics, as metrics or as text, with the store's contents if `count`.
pub fn stats(told: &Told, count: bool, as_metrics: bool) -> Result<Exit> {
    let mut found = Found {
        url: told.url(),
        mode: told.mode(),
        secret: told.remote.access.secret.is_some(),
        ..Found::default()
    };
    let root = match told.settings.store()? {
        // A helper process needs a store to work in.
        None if count => Some(run::open_store(told.settings.config.dir.as_ref())?),
        root => root,
    };
    if let Some(root) = &root {
        found.look(root, &told.beside(root), told, count)?;
    }
    let words = || if as_metrics { metrics(&found) } else { words(&found, &told.mode_explained()) };
    told.print(&found, words)?;
    Ok(Exit::SUCCESS)
}

/// The JSON output. docs/json.md describes the fields.
#[derive(Default, Serialize)]
struct Found {
    url: String,
    mode: String,
    secret: bool,
    /// The failure because of which the store is not queried.
    paused: Option<Failure>,
    /// The latest failure to send.
    unsent: Option<Failure>,
    queued: u64,
    given_up: u64,
    hits: u64,
    misses: u64,
    failures: u64,
    refused: u64,
    bytes_received: u64,
    sent: u64,
    not_sent: u64,
    bytes_sent: u64,
    holds: Option<Holds>,
}

#[derive(Serialize)]
struct Failure {
    since: String,
    until: Option<String>,
    reason: String,
    #[serde(skip)]
    at: Timestamp,
}

#[derive(Serialize)]
struct Holds {
    entries: u64,
    blobs: u64,
}

impl Found {
    fn look(&mut self, root: &Root, remote: &Remote<'_>, told: &Told, count: bool) -> Result<()> {
        let failure = |outage: Outage| {
            let is_over = Timestamp::now().since(outage.until()).is_some();
            Failure {
                since: outage.at.to_rfc3339(),
                until: (!is_over).then(|| outage.until().to_rfc3339()),
                reason: outage.why,
                at: outage.at,
            }
        };
        self.paused = remote.reads().outage().map(failure);
        self.unsent = remote.writes().failure().map(failure);
        self.queued = remote.queued().context("looking for what is to be sent")? as u64;
        self.given_up = remote.lost().map_or(0, |lost| lost.entries);
        let mut counts = Counts::default();
        for (_, _, more) in gather::gather(root, None, told.settings.messages())?.counts {
            counts.add(&more);
        }
        self.hits = counts.remotely(Remotely::Hit);
        self.misses = counts.remotely(Remotely::Miss);
        self.failures = counts.remotely(Remotely::Failed);
        self.refused = counts.remotely(Remotely::Refused);
        self.sent = counts.remotely(Remotely::Sent);
        self.not_sent = counts.remotely(Remotely::NotSent);
        [self.bytes_received, self.bytes_sent] = counts.remote_bytes;
        if count {
            let shown = Progress::show(told.quiet());
            let counted = remote.count().context("asking the remote store what it holds");
            drop(shown);
            let Some([entries, blobs]) = counted? else {
                bail!("such a remote store cannot tell what it holds; leave out --count");
            };
            self.holds = Some(Holds { entries, blobs });
        }
        Ok(())
    }
}

/// Formats the figures for Prometheus to read from a file. Type lines are omitted, because each may
/// appear only once and there may be several stores.
fn metrics(found: &Found) -> String {
    let url = escaped(&found.url);
    let figures = [
        ("hits_total", found.hits),
        ("misses_total", found.misses),
        ("failures_total", found.failures),
        ("refused_total", found.refused),
        ("received_bytes_total", found.bytes_received),
        ("sent_total", found.sent),
        ("not_sent_total", found.not_sent),
        ("sent_bytes_total", found.bytes_sent),
        ("queued", found.queued),
        ("paused", u64::from(found.paused.is_some())),
        ("unsent", u64::from(found.unsent.is_some())),
    ];
    let line = |(name, value)| format!("cachex_remote_{name}{{url=\"{url}\"}} {value}\n");
    figures.into_iter().map(line).collect()
}

fn words(found: &Found, mode: &str) -> String {
    let screen = Screen::of_stdout();
    let now = Timestamp::now();
    let mut out = String::new();
    let mut line = |name: &str, text: &str| {
        let name = screen.paint(Tone::Heading, &format!("{name:<8}"));
        let _ = writeln!(out, "{name}  {}", harmless(text));
    };
    line("store", &found.url);
    line("mode", mode);
    line("secret", if found.secret { "set" } else { "not set" });
    if let Some(Failure { until, reason, at, .. }) = &found.paused {
        let until = until.as_deref().unwrap_or("now");
        line(
            "paused",
            &format!("left alone until {until}, as it failed {} ago: {reason}", ui::age(now, *at)),
        );
    }
    if let Some(Failure { reason, at, .. }) = &found.unsent {
        line("unsent", &format!("sending failed {} ago: {reason}", ui::age(now, *at)));
    }
    let mut queue = ui::count(found.queued, "entry waits", "entries wait") + " to be sent";
    if found.given_up > 0 {
        let _ = write!(queue, ", {} given up", found.given_up);
    }
    line("queue", &queue);
    let asked = found.hits + found.misses + found.failures + found.refused;
    line(
        "look-ups",
        &format!(
            "{asked}: {}, {}, {} failed, {} refused",
            ui::count(found.hits, "hit", "hits"),
            ui::count(found.misses, "miss", "misses"),
            found.failures,
            found.refused
        ),
    );
    line("received", &ui::bytes(found.bytes_received));
    line(
        "sent",
        &format!(
            "{}, {}; {} failed",
            ui::count(found.sent, "entry", "entries"),
            ui::bytes(found.bytes_sent),
            found.not_sent
        ),
    );
    if let Some(Holds { entries, blobs }) = found.holds {
        let (entries, blobs) =
            (ui::count(entries, "entry", "entries"), ui::count(blobs, "blob", "blobs"));
        line("holds", &format!("{entries}, {blobs}"));
    }
    out
}
