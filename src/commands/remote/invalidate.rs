//! `cachex remote invalidate`: makes every user of the store drop results.

use super::Told;
use crate::args::InvalidateArgs;
use crate::commands::entries;
use crate::run;
use crate::ui::{self, Progress};
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_store::remote::Rule;
use serde::Serialize;

/// The JSON output. docs/json.md describes the fields.
#[derive(Serialize)]
struct Done {
    url: String,
    mode: String,
    /// The time before which the affected runs began.
    before: String,
    tag: Option<String>,
    command: Option<String>,
    /// True if the rule was sent to the store.
    told: bool,
    /// The number of results removed here.
    removed: u64,
}

/// Builds the rule from the options.
pub fn rule(args: &InvalidateArgs) -> Result<Rule> {
    let now = Timestamp::now();
    Ok(Rule {
        before: args.older_than.map_or(Ok(now), |span| entries::ago(now, span))?,
        tag: args.tag.as_ref().map(|tag| tag.0.clone()),
        command: args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned()),
    })
}

/// Sends the rule to one of the stores.
pub fn invalidate(told: &Told, rule: &Rule) -> Result<Exit> {
    let mut done = Done {
        url: told.url(),
        mode: told.mode(),
        before: rule.before.to_rfc3339(),
        tag: rule.tag.clone(),
        command: rule.command.clone(),
        told: told.writes(),
        removed: 0,
    };
    if done.told {
        // A helper process needs a store to work in.
        let root = run::open_store(told.settings.config.dir.as_ref())?;
        let shown = Progress::show(told.quiet());
        done.removed = told.beside(&root).invalidate(rule.clone())?;
        drop(shown);
    } else if !told.json {
        messages::error(format_args!("{}: the mode is {}", done.url, told.mode_explained()));
    }
    if told.json || (done.told && !told.quiet()) {
        told.print(&done, || done.words(rule))?;
    }
    Ok(if done.told { Exit::SUCCESS } else { Exit::Status(exit::FAILURE) })
}

impl Done {
    fn words(&self, rule: &Rule) -> String {
        let Done { url, tag, command, removed, .. } = self;
        let tag = tag.as_ref().map(|tag| format!(" with the tag {tag}"));
        let command = command.as_ref().map(|command| format!(" of commands like `{command}`"));
        let results = ui::count(*removed, "result", "results");
        let line = format!(
            "results{}{} recorded before {} are invalid for everyone who uses {url}; {results} \
             removed here",
            tag.unwrap_or_default(),
            command.unwrap_or_default(),
            ui::date(rule.before),
        );
        cachex_base::text::quote::harmless(&line).into_owned() + "\n"
    }
}
