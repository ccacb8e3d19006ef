//! `cachex log`: shows the latest calls, and their results.

use super::entries::{self, Entries, Settings};
use crate::args::{LogArgs, NamedArgs};
use crate::config::Vars;
use crate::ui::{self, Column, Credentials, JsonArray, Screen, Table, Tone};
use anyhow::Result;
use cachex_base::process::exit::Exit;
use cachex_base::process::report::seconds;
use cachex_base::record::entry::{About, Key};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_store::events::{self, Kind};
use cachex_store::query::Filter;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// The default number of calls to show.
const USUAL: usize = 50;

/// Lists calls.
pub fn log(args: LogArgs, vars: &Vars) -> Result<Exit> {
    let settings = match Settings::of("log", NamedArgs::default(), args.store, Vec::new(), vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let command_glob = args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned());
    let filter = Filter { command_glob, ..Filter::default() };
    let matcher = filter.matcher()?;
    let mut calls = Vec::new();
    let mut commands: HashMap<Key, About> = HashMap::new();
    if let Some(root) = settings.store()? {
        calls = events::calls(&root)?;
        let mut keys: Vec<Key> = calls.iter().map(|call| call.event.key).collect();
        keys.sort_unstable();
        keys.dedup();
        Entries::unfolded(&root, settings.messages()).fetch(&keys, &mut |entry| {
            commands.insert(entry.key, entry.about);
            Ok(())
        })?;
    }
    let is_empty = calls.is_empty();
    let calls = calls.into_iter().map(|call| {
        let about = commands.get(&call.event.key).cloned();
        Line { about: about.unwrap_or_else(|| About::of_name(call.name.as_deref())), call }
    });
    let calls = calls.filter(|line| matcher.matches_line(&line.about));
    let calls: Vec<Line> = calls.take(args.limit.unwrap_or(USUAL)).collect();
    let now = Timestamp::now();
    let credentials = Credentials::reveal(args.output.reveal);
    let screen = Screen::of_stdout();
    ui::show(screen, vars, !args.output.no_pager && !args.output.json, |out| {
        if args.output.json {
            let mut array = JsonArray::new(out);
            calls.iter().try_for_each(|line| array.item(&line.logged(credentials)))?;
            return array.finish();
        }
        let mut table = Table::new(screen, out, columns());
        for line in &calls {
            let (tone, cells) = line.row(now, credentials);
            table.row(tone, cells)?;
        }
        Ok(table.finish()?)
    })?;
    if calls.is_empty() && !args.output.json {
        settings.messages().hint(if is_empty {
            "no calls yet; `cachex run -- CMD` makes one"
        } else {
            "none of the calls that are kept matches"
        });
    }
    Ok(Exit::SUCCESS)
}

fn columns() -> Vec<Column> {
    vec![
        Column::number("AGE"),
        Column::text("RESULT"),
        Column::number("TOOK").gives_way(3),
        Column::text("KEY").gives_way(1),
        Column::text("WHY").gives_way(2),
        Column::text("COMMAND"),
    ]
}

/// A call, and its command as far as it is known.
struct Line {
    call: events::Call,
    about: About,
}

/// A call in JSON. The field names are public: see docs/json.md.
#[derive(Serialize)]
struct Logged {
    time: String,
    result: &'static str,
    reason: Option<String>,
    recorded: Option<bool>,
    /// The time of the replay, or of the run.
    took: f64,
    run_time: f64,
    key: String,
    command: String,
    argv: Vec<String>,
}

impl Line {
    /// Returns the result as a word, why the command ran, and whether that run was recorded.
    fn result(&self) -> (&'static str, Option<String>, Option<bool>) {
        match self.call.event.kind {
            Kind::Hit { .. } => ("hit", None, None),
            Kind::Stale { .. } => ("stale", Some("the run failed".to_owned()), None),
            Kind::Recorded { why, .. } => ("miss", Some(why.to_string()), Some(true)),
            Kind::Unrecorded { why } => ("miss", Some(why.to_string()), Some(false)),
            Kind::Remote { .. } | Kind::Elsewhere => ("none", None, None),
        }
    }

    fn took(&self) -> Duration {
        Duration::from_nanos(match self.call.event.kind {
            Kind::Hit { cost, .. } | Kind::Stale { cost } => cost,
            _ => self.call.event.run_time,
        })
    }

    fn row(&self, now: Timestamp, credentials: Credentials) -> (Tone, Vec<String>) {
        let (result, why, recorded) = self.result();
        let tone = match (result, recorded) {
            ("stale", _) => Tone::Bad,
            (_, Some(false)) => Tone::Faint,
            _ => Tone::Plain,
        };
        let why = match recorded {
            Some(false) => format!("{}; not kept", why.unwrap_or_default()),
            _ => why.unwrap_or_default(),
        };
        let cells = vec![
            ui::age(now, self.call.event.time),
            result.to_owned(),
            cachex_base::text::quote::rounded(self.took()),
            messages::short(&self.call.event.key),
            why,
            entries::command(&self.about, credentials),
        ];
        (tone, cells)
    }

    fn logged(&self, credentials: Credentials) -> Logged {
        let (result, reason, recorded) = self.result();
        let event = &self.call.event;
        Logged {
            time: event.time.to_rfc3339(),
            result,
            reason,
            recorded,
            took: seconds(self.took()),
            run_time: seconds(Duration::from_nanos(event.run_time)),
            key: event.key.to_string(),
            command: credentials.line(self.about.words()),
            argv: credentials.texts(self.about.words()),
        }
    }
}
