//! `cachex remote flush`: waits until everything recorded is in the remote store.

use super::Told;
use crate::ui::{self, Progress};
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::ipc::Late;
use cachex_base::streams::messages::{self};
use cachex_base::text::quote::{harmless, rounded};
use cachex_store::Root;
use cachex_store::remote::{Lost, Sent, advice};
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

/// Sends the queue and waits for it.
pub fn flush(told: &Told, patience: Duration) -> Result<Exit> {
    let mut done = Flushed::of(told);
    if let Some(root) = told.settings.store()? {
        if told.writes() {
            done = done.after(&root, told, Some(patience))?;
        }
        // Who sends learns it first.
        if done.queued == 0 {
            told.learn(&root);
        }
    }
    let failed = done.left > 0 || done.given_up > 0 || done.timed_out;
    if failed && !told.json {
        messages::error(format_args!("{}", done.words(told, patience)));
    } else if told.json || !told.quiet() {
        told.print(&done, || done.words(told, patience) + "\n")?;
    }
    Ok(if failed { Exit::Status(exit::FAILURE) } else { Exit::SUCCESS })
}

/// The outcome. docs/json.md describes the fields.
#[derive(Default, Serialize)]
pub struct Flushed {
    url: String,
    mode: String,
    queued: u64,
    pub sent: u64,
    pub bytes: u64,
    pub given_up: u64,
    pub left: u64,
    pub timed_out: bool,
    pub reason: Option<String>,
}

impl Flushed {
    /// Creates an outcome before anything is done.
    pub fn of(told: &Told) -> Flushed {
        Flushed { url: told.url(), mode: told.mode(), ..Flushed::default() }
    }

    /// Sends the queue.
    pub fn after(self, root: &Root, told: &Told, patience: Option<Duration>) -> Result<Flushed> {
        let remote = told.beside(root);
        let queued = || remote.queued().context("looking for what is to be sent");
        let before = queued()? as u64;
        let mut sent = Sent::default();
        let mut timed_out = false;
        if before > 0 {
            let shown = Progress::show(told.quiet());
            let done = remote.send(patience);
            drop(shown);
            match done {
                Ok(done) => sent = done,
                Err(error) => {
                    timed_out = error.is::<Late>();
                    sent.why = (!timed_out).then(|| format!("{error:#}"));
                }
            }
        }
        let left = queued()? as u64;
        // This includes entries given up in the background that were not reported yet.
        let (given_up, why) = match remote.lost() {
            Some(Lost { entries, why }) => (entries, Some(why)),
            None => (0, None),
        };
        remote.forget_lost();
        Ok(Flushed {
            queued: before,
            // Others may have been sent in the background, or be of no use any more.
            sent: sent.entries,
            bytes: sent.bytes,
            given_up,
            left,
            timed_out: timed_out && left > 0,
            reason: sent.why.or(why),
            ..self
        })
    }

    fn words(&self, told: &Told, patience: Duration) -> String {
        if !told.writes() {
            return format!("nothing to do: the mode is {}", told.mode_explained());
        }
        if self.queued == 0 && self.given_up == 0 {
            return "nothing was waiting to be sent".to_owned();
        }
        let mut said = Vec::new();
        if self.sent > 0 {
            let entries = ui::count(self.sent, "entry", "entries");
            said.push(format!("{entries} sent, {}", ui::bytes(self.bytes)));
        }
        let (whole, left) = (self.sent + self.left, self.left);
        if self.queued > whole + self.given_up {
            let others = self.queued - whole - self.given_up;
            let were = if others == 1 { "was" } else { "were" };
            said.push(format!("{others} {were} sent in the background, or of no use any more"));
        }
        if self.given_up > 0 {
            let entries = ui::count(self.given_up, "entry", "entries");
            said.push(format!("{entries} given up"));
        }
        if left > 0 {
            said.push(format!("{} still waiting", ui::count(left, "entry", "entries")));
        }
        let mut line = said.join("; ");
        if self.timed_out {
            let _ = write!(line, " after {}", rounded(patience));
        }
        if let Some(why) = &self.reason {
            let _ = write!(line, ": {}", harmless(&advice::if_any(why)));
        }
        line
    }
}
