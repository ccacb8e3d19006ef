//! The figures as JSON. docs/json.md describes the fields; times are in seconds.

use super::days::Day;
use super::figures::{Figures, REASONS, Sums};
use anyhow::{Context, Result};
use cachex_store::events::{Reason, Remotely};
use serde::{Serialize, Serializer};
use std::time::Duration;

#[derive(Serialize)]
struct Report<'a> {
    store: &'a str,
    since: Option<Day>,
    entries: u64,
    bytes: u64,
    total: &'a Sums,
    commands: Vec<OfCommand<'a>>,
    days: Vec<OfDay<'a>>,
}

#[derive(Serialize)]
struct OfCommand<'a> {
    command: &'a str,
    costs_time: bool,
    #[serde(flatten)]
    sums: &'a Sums,
}

#[derive(Serialize)]
struct OfDay<'a> {
    day: Day,
    #[serde(flatten)]
    sums: &'a Sums,
}

/// Formats the figures as one object.
pub fn object(figures: &Figures) -> Result<String> {
    let costly = figures.costly();
    let is_costly = |name: &str| costly.iter().any(|costly| costly.command == *name);
    let commands = figures.commands.iter().map(|(command, sums)| OfCommand {
        command,
        costs_time: is_costly(command),
        sums,
    });
    let report = Report {
        store: &figures.store,
        since: figures.since,
        entries: figures.entries,
        bytes: figures.bytes,
        total: &figures.total,
        commands: commands.collect(),
        days: figures.days.iter().map(|(day, sums)| OfDay { day: *day, sums }).collect(),
    };
    let json = serde_json::to_string_pretty(&report).context("writing the figures")?;
    Ok(json + "\n")
}

impl Serialize for Sums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields {
            calls: u64,
            hits: u64,
            hit_rate: Option<f64>,
            misses: u64,
            misses_by_reason: Reasons,
            stale: u64,
            refreshes: u64,
            recorded: u64,
            unrecorded: u64,
            output_bytes: u64,
            files_restored: u64,
            saved: f64,
            hit_time: f64,
            run_time: f64,
            mean_hit: Option<f64>,
            mean_run: Option<f64>,
            remote: Remote,
        }
        let seconds = |span: Duration| span.as_secs_f64();
        Fields {
            calls: self.calls(),
            hits: self.hits(),
            hit_rate: self.hit_rate(),
            misses: self.misses(),
            misses_by_reason: Reasons(REASONS.map(|why| self.0.missed(why))),
            stale: self.0.stale,
            refreshes: self.refreshes(),
            recorded: self.0.recorded,
            unrecorded: self.0.unrecorded,
            output_bytes: self.0.bytes,
            files_restored: self.0.files,
            saved: seconds(self.saved()),
            hit_time: seconds(self.hit_time()),
            run_time: seconds(self.run_time()),
            mean_hit: self.mean_hit().map(seconds),
            mean_run: self.mean_run().map(seconds),
            remote: Remote::of(self),
        }
        .serialize(serializer)
    }
}

/// The figures of remote stores.
#[derive(Serialize)]
struct Remote {
    hits: u64,
    misses: u64,
    failures: u64,
    refused: u64,
    bytes_received: u64,
    sent: u64,
    not_sent: u64,
    bytes_sent: u64,
}

impl Remote {
    fn of(sums: &Sums) -> Remote {
        let [bytes_received, bytes_sent] = sums.remote_bytes();
        Remote {
            hits: sums.remotely(Remotely::Hit),
            misses: sums.remotely(Remotely::Miss),
            failures: sums.remotely(Remotely::Failed),
            refused: sums.remotely(Remotely::Refused),
            bytes_received,
            sent: sums.remotely(Remotely::Sent),
            not_sent: sums.remotely(Remotely::NotSent),
            bytes_sent,
        }
    }
}

/// The number of misses for each of [`REASONS`].
struct Reasons([u64; REASONS.len()]);

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(REASONS.iter().map(|why| name(*why)).zip(self.0))
    }
}

/// Returns the name of a reason.
pub fn name(why: Reason) -> &'static str {
    match why {
        Reason::NotRecorded => "not_recorded",
        Reason::Expired | Reason::OtherStatus => "expired",
        Reason::Forced => "forced",
        Reason::Unreadable => "unreadable",
        Reason::Damaged => "damaged",
        Reason::Refresh => "refresh",
        Reason::OtherOutputs => "other_outputs",
        Reason::NotRestored | Reason::Edited => "not_restored",
    }
}
