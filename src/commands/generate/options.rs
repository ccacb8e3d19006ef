//! `docs/options.md`: tables generated from the command line's definition, with the prose between
//! them from `options.md` beside this file.

use crate::args::{Cli, RUN, SH, options};
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write as _;

/// The prose: the text before and after the tables, and notes below a heading.
const PROSE: &str = include_str!("options.md");

/// Generates the whole page.
pub fn page() -> String {
    let cli = Cli::command();
    let run = cli.find_subcommand(RUN).expect("a verb");
    let mut page = format!("{}\n", section("intro"));
    for heading in headings(run) {
        let _ = write!(page, "\n### {heading}\n\n");
        table_of_run(
            &mut page,
            arguments(run).filter(|arg| arg.get_help_heading() == Some(heading)),
        );
        if let Some(notes) = find(heading) {
            let _ = write!(page, "\n{notes}\n");
        }
    }
    let _ = write!(page, "\n{}\n", section("variables"));
    for verb in cli.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != RUN) {
        verb_and_its_verbs(&mut page, "cachex", verb, run);
    }
    page
}

/// Returns a part of the prose that must exist.
fn section(name: &str) -> &'static str {
    find(name).unwrap_or_else(|| panic!("options.md has no part `{name}`"))
}

/// Returns a part of the prose.
fn find(name: &str) -> Option<&'static str> {
    let (_, part) = PROSE.split_once(&format!("=== {name}\n"))?;
    Some(part.split("\n=== ").next().unwrap_or(part).trim())
}

/// Returns the arguments that `command` shows in its help.
fn arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

/// Returns the headings of the options, in order.
fn headings(command: &Command) -> Vec<&str> {
    let mut headings: Vec<&str> = Vec::new();
    for heading in arguments(command).filter_map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings
}

fn table_of_run<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    page.push_str("| option | variable | in `config.toml` | meaning |\n|---|---|---|---|\n");
    for arg in arguments {
        let (variable, key) = arg.get_long().map(configurable).unwrap_or_default();
        let (names, meaning) = (names(arg), meaning(arg));
        let _ = writeln!(page, "| {names} | {variable} | {key} | {meaning} |");
    }
}

/// Returns the variable of an option, and its type in the file.
fn configurable(name: &str) -> (String, String) {
    if let Some(option) = options::all().iter().find(|option| option.name() == name) {
        return (format!("`{}`", option.variable()), option.kind().to_owned());
    }
    match options::for_one_call().iter().find(|option| option.name == name) {
        Some(once) => {
            let line = once.line.map_or_else(|| "no".to_owned(), |line| format!("`{line}`"));
            (format!("`{}`", once.variable), line)
        }
        None => (String::new(), String::new()),
    }
}

/// Writes the section of a verb with its own arguments, and those of its subcommands.
fn verb_and_its_verbs(page: &mut String, before: &str, verb: &Command, run: &Command) {
    let name = format!("{before} {}", verb.get_name());
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = write!(page, "\n### {name}\n\n{about}.");
    // An option with the same id but another heading has its own help.
    let of_run = |arg: &Arg| {
        let is_same = |other: &&Arg| {
            other.get_id() == arg.get_id() && other.get_help_heading() == arg.get_help_heading()
        };
        arguments(run).find(is_same).filter(|_| !arg.is_positional())
    };
    let of_run: Vec<&Arg> = arguments(verb).filter_map(of_run).collect();
    let shared: Vec<&str> = headings(run)
        .into_iter()
        .filter(|heading| {
            let in_it = |arg: &&&Arg| arg.get_help_heading() == Some(heading);
            of_run.iter().filter(in_it).count() > 1
        })
        .collect();
    if verb.get_name() == SH {
        page.push_str(" Takes all options of `cachex run`, without their short forms.");
    } else if !shared.is_empty() {
        let shared: Vec<String> = shared.iter().map(|name| format!("*{name}*")).collect();
        let _ = write!(page, " Takes the options of `cachex run` under {}.", shared.join(", "));
    }
    page.push('\n');
    let is_own = |arg: &&Arg| {
        let heading = arg.get_help_heading();
        let is_shared = heading.is_some_and(|heading| shared.contains(&heading));
        !is_shared || of_run.iter().all(|other| other.get_id() != arg.get_id())
    };
    let own: Vec<&Arg> = arguments(verb).filter(is_own).collect();
    if !own.is_empty() {
        page.push_str("\n| option | meaning |\n|---|---|\n");
    }
    for arg in own {
        let _ = writeln!(page, "| {} | {} |", names(arg), meaning(arg));
    }
    for verb in verb.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        verb_and_its_verbs(page, &name, verb, run);
    }
}

/// Returns all names of an argument, with its value's name.
fn names(arg: &Arg) -> String {
    let value = match arg.get_value_names() {
        Some([value, ..]) if arg.get_action().takes_values() => value.to_string(),
        None if arg.is_positional() => arg.get_id().as_str().to_uppercase(),
        _ => String::new(),
    };
    let Some(long) = arg.get_long() else { return format!("`{value}`") };
    let with_value = format!("`--{long} {value}");
    let mut names = vec![format!("{}`", with_value.trim_end())];
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    names.extend(aliases.iter().map(|alias| format!("`--{alias}`")));
    names.extend(arg.get_short().map(|letter| format!("`-{letter}`")));
    names.join(", ")
}

/// Returns the help, with that of its possible values.
fn meaning(arg: &Arg) -> String {
    let mut meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let values = values.iter().filter(|value| !value.is_hide_set());
        let values = values
            .filter_map(|value| Some(format!("`{}`: {}", value.get_name(), value.get_help()?)));
        let values: Vec<String> = values.collect();
        if !values.is_empty() {
            let _ = write!(meaning, ". {}", values.join("; "));
        }
    }
    // A vertical bar would end the table cell, and some renderers take `<` for a tag.
    meaning.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_prose_has_its_place() {
        let cli = Cli::command();
        let headings = headings(cli.find_subcommand(RUN).unwrap());
        for name in PROSE.lines().filter_map(|line| line.strip_prefix("=== ")) {
            assert!(["intro", "variables"].contains(&name) || headings.contains(&name), "{name}");
        }
    }
}
