//! `cachex remote check`: tries the remote store, step by step.

use super::Told;
use crate::run;
use crate::ui::{Progress, Screen, Tone};
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::report::seconds;
use cachex_base::text::quote::{harmless, rounded};
use cachex_store::remote::{Outcome, Step, Tried, advice};
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

/// The warning about a missing secret.
const UNKEPT: &str = "not set: whoever can write there can have anything replayed here; see \
    CACHEX_REMOTE_SECRET";

const STEPS: [Tried; 5] = [Tried::Connect, Tried::Clock, Tried::Write, Tried::Read, Tried::Delete];

/// Runs the check.
pub fn check(told: &Told) -> Result<Exit> {
    let root = run::open_store(told.settings.config.dir.as_ref())?;
    let remote = told.beside(&root);
    let mut steps: Vec<Step> = Vec::new();
    let shown = Progress::show(told.quiet());
    let probed = remote.probe(told.writes(), &mut |step| {
        steps.push(step);
        Ok(())
    });
    drop(shown);
    if let (Err(error), Some(&what)) = (probed, STEPS.get(steps.len())) {
        let outcome = Outcome::Failed(format!("{error:#}"));
        steps.push(Step { what, took: Duration::ZERO, outcome });
    }
    let works = !steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)));
    if works {
        // Whoever repaired the store need not wait for the next attempt.
        remote.reads().open();
        if told.writes() {
            remote.writes().open();
        }
        told.learn(&root);
    }
    let found = Found {
        url: told.url(),
        mode: told.mode(),
        secret: told.remote.access.secret.is_some(),
        works,
        steps: STEPS.iter().map(|&what| row(what, &steps, told)).collect(),
    };
    if told.json || !told.quiet() {
        told.print(&found, || words(&found, &told.mode_explained()))?;
    }
    Ok(if works { Exit::SUCCESS } else { Exit::Status(exit::FAILURE) })
}

/// The JSON output. docs/json.md describes the fields.
#[derive(Serialize)]
struct Found {
    url: String,
    mode: String,
    secret: bool,
    works: bool,
    steps: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    step: &'static str,
    /// `ok`, `failed`, `unable` or `skipped`.
    outcome: &'static str,
    seconds: Option<f64>,
    reason: Option<String>,
    advice: Option<&'static str>,
    /// The number of seconds by which this machine's clock is ahead of the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<f64>,
    #[serde(skip)]
    took: Option<Duration>,
}

fn row(what: Tried, steps: &[Step], told: &Told) -> Row {
    let name = match what {
        Tried::Connect => "connect",
        Tried::Clock => "clock",
        Tried::Write => "write",
        Tried::Read => "read",
        Tried::Delete => "delete",
    };
    let plain = Row {
        step: name,
        outcome: "ok",
        seconds: None,
        reason: None,
        advice: None,
        ahead: None,
        took: None,
    };
    let Some(step) = steps.iter().find(|step| step.what == what) else {
        let failed = steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)));
        let why = if failed {
            "what comes before it failed".to_owned()
        } else {
            format!("the mode is {}", told.mode())
        };
        return Row { outcome: "skipped", reason: Some(why), ..plain };
    };
    let timed = Row { seconds: Some(seconds(step.took)), took: Some(step.took), ..plain };
    match &step.outcome {
        Outcome::Done => timed,
        Outcome::Skew(ahead) => Row { ahead: Some(*ahead), ..timed },
        Outcome::Unable => {
            let why = match what {
                Tried::Clock => "such a store does not tell the time",
                Tried::Delete => "such a store drops results by itself, and `forget` cannot",
                _ => "such a store is only read from",
            };
            let (seconds, took) = (None, None);
            Row { outcome: "unable", reason: Some(why.to_owned()), seconds, took, ..timed }
        }
        Outcome::Failed(why) => {
            let advice = advice::about(why);
            Row { outcome: "failed", reason: Some(why.clone()), advice, ..timed }
        }
    }
}

fn words(found: &Found, mode: &str) -> String {
    let screen = Screen::of_stdout();
    let mut out = String::new();
    let mut line = |name: &str, text: &str| {
        let name = screen.paint(Tone::Heading, &format!("{name:<7}"));
        let _ = writeln!(out, "{name}  {text}");
    };
    line("store", &harmless(&found.url));
    line("mode", mode);
    line("secret", if found.secret { "set" } else { UNKEPT });
    for row in &found.steps {
        let reason = row.reason.as_deref().map(harmless).unwrap_or_default();
        let text = match (row.outcome, row.took) {
            ("ok", _) if row.ahead.is_some_and(|ahead| ahead != 0.0) => {
                let ahead = row.ahead.unwrap_or_default();
                let way = if ahead > 0.0 { "ahead of" } else { "behind" };
                let good = screen.paint(Tone::Good, "ok");
                format!("{good}, this one is {:.1}s {way} the server's", ahead.abs())
            }
            ("ok", Some(took)) => format!("{}, {}", screen.paint(Tone::Good, "ok"), rounded(took)),
            ("failed", Some(took)) if !took.is_zero() => {
                let failed = screen.paint(Tone::Bad, "failed");
                format!("{failed} after {}: {reason}", rounded(took))
            }
            ("failed", _) => format!("{}: {reason}", screen.paint(Tone::Bad, "failed")),
            ("unable", _) => format!("cannot be done: {reason}"),
            _ => format!("not tried: {reason}"),
        };
        line(row.step, &text);
        if let Some(advice) = row.advice {
            line("", advice);
        }
    }
    out += if found.works { "it works\n" } else { "it does not work\n" };
    out
}
