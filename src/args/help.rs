//! The help of `cachex` by itself: the verbs in groups, and examples to begin with.

use super::Cli;
use clap::{Command, CommandFactory};
use std::fmt::Write;

/// The verbs by what they are for.
const GROUPS: &[(&str, &[&str])] = &[
    ("Run commands", &["run", "sh", "explain", "trace"]),
    ("Look at results", &["list", "show", "inputs", "log", "stats"]),
    ("Remove results", &["forget", "prune", "clear"]),
    ("Share results", &["export", "import", "remote"]),
    ("Set up", &["init", "config", "allow", "deny", "doctor", "completions"]),
];

const EXAMPLES: &[&str] = &[
    "cachex run --expires-in 10m -- kubectl get pods",
    "cachex run --input 'src/**' --output build -- make",
    "cachex explain -- kubectl get pods",
];

/// The command line with that help.
pub fn command() -> Command {
    let cli = Cli::command();
    let template = template(&cli);
    cli.help_template(template)
}

fn template(cli: &Command) -> String {
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    let longest = cli.get_subcommands().map(|verb| verb.get_name().len()).max().unwrap_or(0);
    for (title, verbs) in GROUPS {
        heading(&mut text, title);
        for verb in verbs.iter().filter_map(|name| cli.find_subcommand(name)) {
            let (name, about) = (verb.get_name(), verb.get_about());
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  \x1b[1m{name:longest$}\x1b[0m  {about}");
        }
    }
    heading(&mut text, "Options");
    text += "{options}\n";
    heading(&mut text, "Examples");
    for example in EXAMPLES {
        let _ = writeln!(text, "  {example}");
    }
    text += "\n`cachex VERB --help` explains a verb.";
    text
}

/// Headings look like those that clap writes.
fn heading(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n\x1b[1m\x1b[4m{title}:\x1b[0m");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_in_one_group_and_every_example_is_understood() {
        let cli = Cli::command();
        let mut shown: Vec<&str> = GROUPS.iter().flat_map(|(_, verbs)| *verbs).copied().collect();
        let verbs = cli.get_subcommands().filter(|verb| !verb.is_hide_set());
        let mut verbs: Vec<&str> = verbs.map(Command::get_name).collect();
        shown.sort_unstable();
        verbs.sort_unstable();
        assert_eq!(shown, verbs);
        for example in EXAMPLES {
            let words = shlex::split(example).unwrap();
            super::super::parse(words.into_iter().map(Into::into).collect()).unwrap();
        }
    }
}
