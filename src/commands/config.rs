//! `cachex config`: the effective settings for a command, and where each was set.

mod edit;

use crate::args::{ConfigArgs, options};
use crate::config::{self, By, File, Project, Settled, Vars};
use crate::ui::{self, Screen, Tone};
use anyhow::{Context, Result};
use cachex_base::process::exit::Exit;
use cachex_base::streams::messages::Messages;
use cachex_base::text::quote::harmless;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The maximum width of an aligned column; longer values shift the rest of the line.
const WIDEST: usize = 40;
/// The level of a setting that nobody set.
const DEFAULT: &str = "default";
/// The space between two columns.
const GAP: &str = "  ";

/// Prints the settings, or changes the file.
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
        let messages = Messages { quiet: settled.config.quiet, verbose: false };
        config::unknown_variables(vars).for_each(|unknown| messages.hint(&unknown));
        if let Project::NotAllowed(path) = config::project(vars, true) {
            let path = path.to_string_lossy();
            messages.hint(&format!(
                "{path} is not allowed yet, so it is ignored; `cachex allow` allows it"
            ));
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
    /// The value for display.
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
            options: options::all()
                .iter()
                .map(|option| {
                    let noted = settled.of(option.about());
                    let by = noted.map_or(By::Default, |noted| noted.by);
                    let value = noted.map_or(Value::Null, |noted| noted.value.clone());
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

    /// Formats a line for each option, in the order of `cachex help run`.
    fn table(&self, screen: Screen) -> String {
        let rows: Vec<_> = options::all()
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

/// Formats a value for display.
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
