//! `cachex config`: what holds for a command, and who said so.

mod edit;

use crate::args::ConfigArgs;
use crate::config::{
    self, BaseFolder, By, Config, EnvSelection, File, List, Project, Settled, Vars,
};
use crate::ui::{self, Screen, Tone};
use anyhow::{Context, Result};
use cachex_base::process::exit::Exit;
use cachex_base::streams::messages::Messages;
use cachex_base::text::quote::harmless;
use cachex_base::text::values::{AutoAllow, Limit, NamePattern, PathPattern};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Columns are aligned up to this width; what is longer moves what follows.
const WIDEST: usize = 40;
/// The level of what nobody set.
const DEFAULT: &str = "default";
/// The space between two columns.
const GAP: &str = "  ";

/// Prints it, or changes the file.
pub fn config(args: &ConfigArgs, vars: &Vars) -> Result<Exit> {
    if let Some(verb) = &args.verb {
        return edit::edit(verb, vars);
    }
    let place = config::place(vars)?;
    let text = if args.path {
        let place = place.ok_or_else(|| config::nowhere(vars))?;
        [place.as_os_str().as_bytes(), b"\n"].concat()
    } else {
        let read = config::read(vars)?;
        let settled = config::settle(&args.command, args.profile.clone(), vars, &read)?;
        if let Project::NotAllowed(path) = config::project(vars, true) {
            let path = path.to_string_lossy();
            let messages = Messages { quiet: settled.config.quiet, verbose: false };
            messages.hint(&format!("{path} is not allowed; `cachex allow` has it count"));
        }
        let shown = Shown::new(place.as_deref(), read.file(), args, &settled);
        if args.json { shown.json()? } else { shown.table(Screen::of_stdout()) }.into_bytes()
    };
    std::io::stdout().lock().write_all(&text).context("writing the configuration")?;
    Ok(Exit::SUCCESS)
}

/// The JSON output. docs/json.md describes the fields.
#[derive(Serialize)]
struct Shown<'a> {
    path: Option<Cow<'a, str>>,
    read: bool,
    command: Vec<Cow<'a, str>>,
    rules: Vec<Rule<'a>>,
    options: BTreeMap<&'static str, Setting>,
}

#[derive(Serialize)]
struct Rule<'a> {
    line: usize,
    r#match: &'a [String],
}

#[derive(Serialize)]
struct Setting {
    value: Value,
    level: &'static str,
    source: String,
    line: Option<usize>,
    /// The value as people are shown it.
    #[serde(skip)]
    shown: String,
}

impl<'a> Shown<'a> {
    fn new(
        place: Option<&'a Path>,
        file: Option<&'a File>,
        args: &'a ConfigArgs,
        settled: &Settled,
    ) -> Shown<'a> {
        let rule = |&place: &usize| file.map(|file| &file.rules[place]);
        let rules = settled.rules.iter().filter_map(rule);
        Shown {
            path: place.map(Path::to_string_lossy),
            read: file.is_some_and(File::is_there),
            command: args.command.iter().map(|word| word.to_string_lossy()).collect(),
            rules: rules.map(|rule| Rule { line: rule.line, r#match: &rule.globs }).collect(),
            options: config::ALL
                .iter()
                .map(|option| {
                    let said = settled.sources.iter().find(|(name, _)| *name == option.name());
                    let by = said.map_or(By::Default, |(_, by)| *by);
                    let value = value(option.name(), settled);
                    let setting = Setting {
                        level: level(by),
                        line: match by {
                            By::File { line }
                            | By::Rule { line, .. }
                            | By::Profile { line }
                            | By::Project { line, .. } => Some(line),
                            By::Default | By::Variable | By::Flag => None,
                        },
                        source: source(by, option.variable(), file),
                        shown: shown(option.name(), &value),
                        value,
                    };
                    (option.name(), setting)
                })
                .collect(),
        }
    }

    fn json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self).context("writing the configuration")?;
        Ok(json + "\n")
    }

    /// A line for each option, in the order of `cachex help run`.
    fn table(&self, screen: Screen) -> String {
        let rows: Vec<_> = config::ALL
            .iter()
            .filter_map(|option| self.options.get_key_value(option.name()))
            .map(|(name, setting)| {
                let cells = [*name, &setting.shown, &setting.source];
                (cells.map(|cell| harmless(cell).into_owned()), setting.level)
            })
            .collect();
        let width = |column: usize| {
            let widths = rows.iter().map(|(cells, _)| cells[column].chars().count());
            widths.filter(|&width| width <= WIDEST).max().unwrap_or(0)
        };
        let [names, values] = [width(0), width(1)];
        let line = |([name, value, source], level): &([String; 3], &str)| {
            let mut line = format!("{name:names$}{GAP}{value:values$}{GAP}{source}");
            let room = screen.width.map_or(usize::MAX, usize::from);
            if line.chars().count() > room {
                line = line.chars().take(room.saturating_sub(1)).chain(['…']).collect();
            }
            let tone = if *level == DEFAULT { Tone::Faint } else { Tone::Plain };
            screen.paint(tone, &line) + "\n"
        };
        rows.iter().map(line).collect()
    }
}

fn level(by: By) -> &'static str {
    match by {
        By::Default => DEFAULT,
        By::File { .. } => "file",
        By::Rule { .. } => "rule",
        By::Profile { .. } => "profile",
        By::Project { .. } => "project",
        By::Variable => "variable",
        By::Flag => "flag",
    }
}

fn source(by: By, variable: &str, file: Option<&File>) -> String {
    let named = |line: usize| {
        let name = file.and_then(|file| file.path.file_name()).unwrap_or_default();
        format!("{}:{line}", name.to_string_lossy())
    };
    match by {
        By::Default | By::Flag => level(by).to_owned(),
        By::Variable => variable.to_owned(),
        By::File { line } | By::Profile { line } => named(line),
        By::Project { line, .. } => format!("{}:{line}", config::PROJECT_FILE),
        By::Rule { place, line } => {
            let globs = file.map_or(&[][..], |file| &file.rules[place].globs);
            let globs: Vec<String> = globs.iter().map(|glob| format!("\"{glob}\"")).collect();
            format!("{} (match {})", named(line), globs.join(", "))
        }
    }
}

/// The value of an option as it could stand in the file; null: there is none.
fn value(name: &str, settled: &Settled) -> Value {
    let Settled { config, miss_status, shell, .. } = settled;
    let Config { identity, freshness, .. } = config;
    let span = |span: Option<Duration>| {
        json!(span.map(|span| humantime::format_duration(span).to_string()))
    };
    let env = &identity.env;
    let is_set = settled.sources.iter().any(|(set, _)| *set == name);
    // The rest of it means nothing without.
    let auto = identity.auto.as_deref();
    let remote = config.remotes.first();
    match name {
        "expires-in" if freshness.expires_in.is_none() && is_set => json!(Limit::NEVER),
        "expires-in" => span(freshness.expires_in),
        "failure-expires-in" if freshness.failure_expires_in.is_none() => json!(Limit::NEVER),
        "failure-expires-in" => span(freshness.failure_expires_in),
        "exit-codes" if freshness.exit_codes.are_all() => json!("all"),
        "exit-codes" => json!(freshness.exit_codes.to_string()),
        "refresh-after" => span(freshness.refresh_after),
        "stale-ok" => span(freshness.stale_ok),
        "stale-if-error" => span(freshness.stale_if_error),
        "jitter" => json!(freshness.jitter),
        "mode" => choice(&config.mode),
        "miss-status" => json!(miss_status),
        "no-concurrent" => json!(config.no_concurrent),
        "lock-timeout" => span(config.lock_timeout),
        "timeout" => span(config.timeout),
        "finish" => json!(config.finish),
        "tty" => json!(config.tty),
        "replay" => choice(&config.replay),
        "mark" => json!(config.mark),
        "color-strip" => choice(&config.color_strip),
        "shell" => json!(shell),
        "exe" => choice(&identity.exe),
        "no-cwd" => json!(!identity.cwd),
        "env" => match env {
            EnvSelection::Only(patterns) => patterns.iter().map(NamePattern::as_str).collect(),
            _ => Value::Null,
        },
        "ignore-env" => match env {
            EnvSelection::Except(patterns) => patterns.iter().map(NamePattern::as_str).collect(),
            _ => Value::Null,
        },
        "no-env" => json!(matches!(env, EnvSelection::None)),
        "stdin" => choice(&identity.stdin),
        "key" => json!(identity.key.as_ref().map(|key| key.to_string_lossy())),
        "scope" => json!(identity.scope),
        "input" => identity.inputs.patterns.iter().map(ToString::to_string).collect(),
        "input-from" => match &identity.inputs.list {
            Some(List::Stdin) => json!("-"),
            Some(List::File(path)) => json!(path.to_string_lossy()),
            None => Value::Null,
        },
        "input-command" => json!(identity.inputs.commands),
        "no-ignore" => json!(identity.inputs.no_ignore),
        "base-dir" => match &identity.base {
            Some(BaseFolder::At(path)) => json!(path.to_string_lossy()),
            Some(BaseFolder::Repository) | None => Value::Null,
        },
        "platform" => json!(identity.platform),
        "portable" => json!(identity.portable),
        "auto" => json!(auto.is_some()),
        "auto-ignore" => {
            auto.map_or(Value::Null, |auto| auto.ignore.iter().map(PathPattern::as_str).collect())
        }
        "auto-times" => auto.map_or(Value::Null, |auto| choice(&auto.times)),
        "auto-allow" => match auto {
            Some(auto) if auto.allows_network => json!([choice(&AutoAllow::Network)]),
            _ => Value::Null,
        },
        "auto-quirks" => auto.map_or(Value::Null, |auto| choice(&auto.quirks)),
        "auto-outputs" => auto.map_or(Value::Null, |auto| choice(&auto.outputs)),
        "output" => config.outputs.iter().map(ToString::to_string).collect(),
        "require-outputs" => json!(config.require_outputs),
        "cache-dir" => json!(config.dir.as_ref().map(|dir| dir.to_string_lossy())),
        "max-entry-size" => json!(config.max_entry_size),
        "max-size" => json!(config.max_size),
        "max-entries" => json!(config.max_entries),
        "compress" => json!(config.compress),
        "remote" => match &config.remotes[..] {
            [] => Value::Null,
            [remote] => json!(remote.url.to_string()),
            several => json!(several.iter().map(|it| it.url.to_string()).collect::<Vec<_>>()),
        },
        "remote-mode" => remote.map_or(Value::Null, |remote| choice(&remote.mode)),
        "remote-timeout" => span(remote.map(|remote| remote.timeout)),
        "remote-budget" => span(remote.and_then(|remote| remote.budget)),
        "remote-max-size" => json!(remote.map(|remote| remote.limits.entry)),
        // Which is secret.
        "remote-signing-key" => json!(remote.map(|remote| remote.access.signing_key.is_some())),
        "remote-trust" => {
            let trusted = remote.map(|remote| remote.access.trusted.iter());
            json!(trusted.map(|keys| keys.map(ToString::to_string).collect::<Vec<_>>()))
        }
        "local" => json!(config.local),
        "tag" => config.tags.iter().map(|tag| tag.0.as_str()).collect(),
        "quiet" => json!(config.quiet),
        "verbose" => json!(config.verbose),
        _ => Value::Null,
    }
}

fn choice(value: &impl ValueEnum) -> Value {
    json!(ui::choice(value))
}

/// A value as people are shown it.
fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(size) if name.ends_with("-size") => {
            size.as_u64().map_or_else(|| size.to_string(), ui::bytes)
        }
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(",")
        }
        other => other.to_string(),
    }
}
