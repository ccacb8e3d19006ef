//! The JSON form of an explanation. The field names are public: see docs/json.md.

use super::text;
use crate::run::explain::differences::sentences::name_of;
use crate::run::explain::differences::{Change, Difference, What};
use crate::run::{
    Answer, Automatic, DifferingFact, Effect, Explanation, Incomparable, Nearest, Refresh, Sources,
    State, There,
};
use crate::ui::{self, Credentials};
use cachex_base::process::report::seconds;
use cachex_base::record::entry::Entry;
use cachex_base::system::clock::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// The whole explanation.
#[derive(Serialize)]
pub struct Shown {
    /// `hit` or `miss`.
    result: &'static str,
    state: &'static str,
    reason: String,
    key: String,
    /// `due` or `paused` if the entry is refreshed in the background.
    refresh: Option<&'static str>,
    /// True if the entry is served when the command fails.
    stands_in: bool,
    recorded: Option<Recorded>,
    remote: Option<Remote>,
    parts: Parts,
    auto: Option<Auto>,
    nearest: Option<Near>,
    advice: Vec<Advised>,
}

/// An entry.
#[derive(Serialize)]
struct Recorded {
    key: String,
    command: Vec<String>,
    created: String,
    age: Option<f64>,
    expires: Option<String>,
    status: u8,
    run_time: f64,
}

/// The facts of an automatic call.
#[derive(Serialize)]
struct Auto {
    /// The number of facts on which the entry, or the nearest one, depends.
    facts: Option<usize>,
    differences: Vec<Fact>,
    /// The reason why the last run was not recorded.
    not_recorded: Option<String>,
    /// The other places in which the result is valid.
    valid: Option<&'static str>,
    /// The reason why nothing can be recorded here.
    unsupported: Option<String>,
}

#[derive(Serialize)]
struct Fact {
    path: String,
    message: String,
}

impl Auto {
    fn of(told: &Automatic) -> Auto {
        let fact = |it: &DifferingFact| Fact {
            path: String::from_utf8_lossy(&it.path).into_owned(),
            message: it.in_words(),
        };
        Auto {
            facts: told.facts,
            differences: told.differing.iter().map(fact).collect(),
            not_recorded: told.refused.as_ref().map(|refused| refused.why.clone()),
            valid: told.valid,
            unsupported: told.unsupported.clone(),
        }
    }
}

/// A remote store, and its answer.
#[derive(Serialize)]
struct Remote {
    url: String,
    mode: String,
    answer: &'static str,
    reason: Option<String>,
    age: Option<f64>,
}

#[derive(Serialize)]
struct Parts {
    arguments: Vec<String>,
    executable: Executable,
    working_directory: Option<String>,
    variables: Variables,
    stdin: &'static str,
    key_text: bool,
    scope: Option<String>,
    terminal_columns: Option<u16>,
    input_files: Option<usize>,
    files_outside_key: Vec<String>,
    /// A sentence about a shim whose choice is not part of the key.
    shim: Option<String>,
    input_commands: Vec<String>,
    base_folder: Option<String>,
    platform: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Executable {
    by: String,
    path: Option<String>,
}

#[derive(Serialize)]
struct Variables {
    counted: Vec<String>,
    left_out: Vec<LeftOut>,
    /// The option that selects them, unless that is the default.
    selection: Option<String>,
}

#[derive(Serialize)]
struct LeftOut {
    name: String,
    why: &'static str,
}

#[derive(Serialize)]
struct Near {
    #[serde(flatten)]
    recorded: Recorded,
    same_command_line: bool,
    /// The reason why the differences are unknown; null if they are known.
    incomparable: Option<&'static str>,
    differences: Vec<Differing>,
    /// The number of variables for which it is unknown whether they differ.
    unknown_variables: usize,
}

#[derive(Serialize)]
struct Differing {
    part: &'static str,
    /// The name of a variable.
    name: Option<String>,
    /// `differs`, `new` or `gone`.
    change: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Advised {
    /// `hit` or `shared`.
    effect: &'static str,
    with: Vec<String>,
    without: Vec<&'static str>,
    stdin_from_null: bool,
    /// True if this is right only where the output does not depend on what is left out.
    leaves_out: bool,
    message: String,
}

impl Shown {
    /// Converts an explanation.
    pub fn of(told: &Explanation<'_>, credentials: Credentials) -> Shown {
        let advice = told.advice.iter().map(|advice| Advised {
            effect: match advice.effect {
                Effect::Hit => "hit",
                Effect::Shared => "shared",
            },
            with: advice.with.iter().flatten().cloned().collect(),
            without: advice.without.clone(),
            stdin_from_null: advice.no_input,
            leaves_out: text::leaves_out(advice),
            message: text::advised(advice),
        });
        Shown {
            result: if told.state.is_hit() { "hit" } else { "miss" },
            state: name_of_state(&told.state),
            reason: text::why(told),
            key: told.key.to_string(),
            refresh: match told.state {
                State::Fresh { refresh: Refresh::Due, .. } => Some("due"),
                State::Fresh { refresh: Refresh::Paused, .. } => Some("paused"),
                _ => None,
            },
            stands_in: matches!(told.state, State::Expired { stands_in: true, .. }),
            recorded: told.entry.as_ref().map(|entry| Recorded::of(entry, credentials)),
            remote: told.remote.as_ref().map(Remote::of),
            parts: Parts::of(&told.sources, credentials),
            auto: told.automatic.as_ref().map(Auto::of),
            nearest: told.nearest.as_ref().map(|nearest| Near::of(nearest, credentials)),
            advice: advice.collect(),
        }
    }
}

fn name_of_state(state: &State) -> &'static str {
    match state {
        State::Fresh { .. } => "fresh",
        State::Remote { .. } => "remote",
        State::Stale { .. } => "stale",
        State::Expired { by_reader: true, .. } => "expired-for-this-call",
        State::Expired { by_reader: false, .. } => "expired",
        State::Future => "from-the-future",
        State::NotRecorded => "not-recorded",
        State::Forced => "forced",
        State::Incomplete { .. } => "incomplete",
        State::Damaged => "damaged",
        State::Unreadable(_) => "unreadable",
        State::OtherOutputs => "other-outputs",
        State::Edited(_) => "output-edited",
        State::OtherStatus { .. } => "other-status",
        State::Off(_) => "off",
    }
}

impl Recorded {
    fn of(entry: &Entry, credentials: Credentials) -> Recorded {
        Recorded {
            key: entry.key.to_string(),
            command: credentials.texts(entry.about.words()),
            created: entry.created.to_rfc3339(),
            age: Timestamp::now().since(entry.created).map(seconds),
            expires: entry.expires().map(Timestamp::to_rfc3339),
            status: entry.status,
            run_time: seconds(Duration::from_nanos(entry.run_time)),
        }
    }
}

impl Remote {
    fn of(there: &There<'_>) -> Remote {
        let (answer, reason) = match &there.answer {
            Answer::NotAsked => ("not-asked", None),
            Answer::Home(home) => ("kept-here", Some(home.to_string())),
            Answer::Entry { .. } => ("hit", None),
            Answer::Nothing => ("miss", None),
            Answer::Refused => ("refused", None),
            Answer::Paused(outage) => ("paused", Some(outage.why.clone())),
            Answer::Failed(why) => ("failed", Some(why.clone())),
        };
        let age = match there.answer {
            Answer::Entry { age } => Some(seconds(age)),
            _ => None,
        };
        let mode = ui::choice(&there.mode);
        Remote { url: there.url.to_string(), mode, answer, reason, age }
    }
}

impl Parts {
    fn of(told: &Sources<'_>, credentials: Credentials) -> Parts {
        let text = |name: &OsStr| name.to_string_lossy().into_owned();
        let left_out = told.left_out.iter();
        Parts {
            arguments: credentials.texts(told.argv.iter().map(|arg| arg.as_bytes())),
            executable: Executable {
                by: name_of(told.exe),
                path: told.executable.as_ref().map(|path| text(path.as_os_str())),
            },
            working_directory: told.cwd.as_ref().map(|path| text(path.as_os_str())),
            variables: Variables {
                counted: told.counted.iter().map(|name| text(name)).collect(),
                left_out: left_out
                    .map(|(name, why)| LeftOut { name: text(name), why: text::in_a_word(*why) })
                    .collect(),
                selection: told.chosen.as_ref().map(ToString::to_string),
            },
            stdin: told.stdin,
            key_text: told.has_text,
            scope: told.scope.map(str::to_owned),
            terminal_columns: told.columns,
            input_files: told.inputs,
            files_outside_key: told.unkeyed.iter().map(|name| text(name)).collect(),
            shim: told.shim.clone(),
            input_commands: told.commands.iter().map(|it| credentials.text(it)).collect(),
            base_folder: told.base.as_ref().map(|base| text(base.as_os_str())),
            platform: told.platform.iter().cloned().collect(),
        }
    }
}

impl Near {
    fn of(nearest: &Nearest, credentials: Credentials) -> Near {
        let sides = nearest.sides(credentials);
        let (differences, unknown, incomparable) = match &nearest.comparison {
            Ok(comparison) => (&comparison.differences[..], comparison.unknown, None),
            Err(Incomparable::OtherSecret) => (&[][..], 0, Some("other-secret")),
            Err(Incomparable::NoParts) => (&[][..], 0, Some("no-parts")),
        };
        let differing = |difference: &Difference| {
            let (part, name) = part_of(&difference.what, credentials);
            Differing {
                part,
                name,
                change: match difference.change {
                    Change::Differs => "differs",
                    Change::New => "new",
                    Change::Gone => "gone",
                },
                message: sides.sentence(difference),
            }
        };
        Near {
            recorded: Recorded::of(&nearest.entry, credentials),
            same_command_line: nearest.same_line,
            incomparable,
            differences: differences.iter().map(differing).collect(),
            unknown_variables: unknown,
        }
    }
}

fn part_of(what: &What, credentials: Credentials) -> (&'static str, Option<String>) {
    let part = match what {
        What::Variable(name) => {
            return ("variable", Some(String::from_utf8_lossy(name).into_owned()));
        }
        What::Platform(name) => {
            return ("platform", Some(String::from_utf8_lossy(name).into_owned()));
        }
        What::Input(name) => return ("input", Some(String::from_utf8_lossy(name).into_owned())),
        What::InputCommand(command) => {
            let command = credentials.text(&String::from_utf8_lossy(command));
            return ("input-command", Some(command));
        }
        What::Inputs => "inputs",
        What::Arguments => "arguments",
        What::ExeMode(_) | What::ExePath | What::ExeStat { .. } | What::ExeContent => "executable",
        What::Directory => "working-directory",
        What::Environment(_) => "variables",
        What::Selection(_) => "variable-selection",
        What::Stdin => "stdin",
        What::Text => "key-text",
        What::Scope => "scope",
        What::Terminal => "terminal",
        What::Auto => "auto",
    };
    (part, None)
}
