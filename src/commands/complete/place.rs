//! Determines which value to complete, from the words before it.

use crate::args::Cli;
use crate::config::{self, Vars};
use clap::{Arg, Command, CommandFactory};
use std::ffi::OsString;
use std::path::PathBuf;

/// The kinds of values in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The keys of entries.
    Keys,
    /// The tags of entries.
    Tags,
    /// The scopes of entries.
    Scopes,
}

/// A place in a command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The kind of value that is wanted.
    pub wanted: Wanted,
    /// The prefix that was typed.
    pub prefix: String,
    /// The folder that `--cache-dir` names.
    pub dir: Option<PathBuf>,
}

impl Place {
    /// Returns none if the store has nothing to offer here.
    pub fn of(args: &[OsString], vars: &Vars) -> Option<Place> {
        let [what, prefix, words @ ..] = args else { return None };
        let words: Vec<&str> = words.iter().map(|word| word.to_str()).collect::<Option<_>>()?;
        // bash splits `--tag=ci` into three words; other shells do not.
        let words = words.strip_suffix(&["="]).unwrap_or(&words);
        let prefix = prefix.to_str()?;
        let value = prefix.split_once('=').filter(|_| prefix.starts_with("--"));
        let (words, prefix) = match value {
            Some((option, value)) => ([words, &[option]].concat(), value),
            None if prefix == "=" => (words.to_vec(), ""),
            None => (words.to_vec(), prefix),
        };
        let wanted = match what.to_str()? {
            "keys" => Wanted::Keys,
            "tags" => Wanted::Tags,
            "scopes" => Wanted::Scopes,
            _ => by_words(&words, prefix)?,
        };
        Some(Place { wanted, prefix: prefix.to_owned(), dir: cache_dir(&words, vars) })
    }
}

/// Determines the kind of value from words that begin with the verb.
fn by_words(words: &[&str], prefix: &str) -> Option<Wanted> {
    let (verb, words) = words.split_first()?;
    let cli = Cli::command();
    let verb = cli.find_subcommand(verb)?;
    let mut words = words.iter();
    let mut values = 0;
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            values += 1;
            continue;
        }
        // Whatever follows `--` belongs to a command.
        let name = word.strip_prefix("--").filter(|name| !name.is_empty())?;
        // An option with its value is complete.
        if let Some(option) = option(verb, name)
            && option.get_action().takes_values()
            && words.next().is_none()
        {
            return match name {
                "tag" => Some(Wanted::Tags),
                "scope" => Some(Wanted::Scopes),
                _ => None,
            };
        }
    }
    let has_keys = match verb.get_name() {
        "show" => values == 0,
        "export" | "forget" => true,
        _ => false,
    };
    (has_keys && !prefix.starts_with('-')).then_some(Wanted::Keys)
}

fn option<'a>(verb: &'a Command, name: &str) -> Option<&'a Arg> {
    verb.get_arguments().find(|arg| arg.get_long() == Some(name))
}

/// Returns the folder of `--cache-dir`, as a shell would read it, if it is a plain word.
fn cache_dir(words: &[&str], vars: &Vars) -> Option<PathBuf> {
    let at = words.iter().rposition(|word| word.starts_with("--cache-dir"))?;
    let dir = match words[at].split_once('=') {
        Some((_, dir)) => dir,
        None => words[at + 1..].iter().find(|word| **word != "=")?,
    };
    let dir = dir.trim_matches(['\'', '"']);
    let home = dir.strip_prefix("~/").zip(config::var(vars, "HOME"));
    Some(match home {
        Some((below, home)) => PathBuf::from(home).join(below),
        None => PathBuf::from(dir),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(what: &str, prefix: &str, words: &str) -> Option<(Wanted, String)> {
        let args = [what, prefix].into_iter().chain(words.split_whitespace());
        let args: Vec<OsString> = args.map(Into::into).collect();
        Place::of(&args, &[]).map(|place| (place.wanted, place.prefix))
    }

    #[test]
    fn what_stands_before_says_what_is_wanted() {
        let any = |prefix, words| wanted("any", prefix, words);
        let some = |wanted, prefix: &str| Some((wanted, prefix.to_owned()));
        assert_eq!(any("ci", "list --tag"), some(Wanted::Tags, "ci"));
        assert_eq!(any("ci", "run --expires-in 1h --tag ="), some(Wanted::Tags, "ci"));
        assert_eq!(any("=", "run --tag"), some(Wanted::Tags, ""));
        assert_eq!(any("--scope=a", "show"), some(Wanted::Scopes, "a"));
        assert_eq!(any("9d", "forget --failed 4be0c1"), some(Wanted::Keys, "9d"));
        assert_eq!(any("9d", "export --to a.cachex 4be0c1"), some(Wanted::Keys, "9d"));
        assert_eq!(any("9d", "show --scope a"), some(Wanted::Keys, "9d"));
        for (prefix, words) in [
            ("9d", "show 4be0c1"),
            ("9d", "show --exe"),
            ("--", "show"),
            ("ci", "list"),
            ("ci", "forget -- kubectl --tag"),
            ("ci", "nothing --tag"),
            ("ci", ""),
        ] {
            assert_eq!(any(prefix, words), None, "{words} {prefix}");
        }
    }

    #[test]
    fn the_folder_may_be_another() {
        let dir = |words: &str| {
            let args = ["keys", ""].into_iter().chain(words.split_whitespace());
            let args: Vec<OsString> = args.map(Into::into).collect();
            Place::of(&args, &[("HOME".as_ref(), "/home/me".as_ref())]).unwrap().dir
        };
        for words in
            ["show --cache-dir '/a'", "show --cache-dir=/a --tag b", "show --cache-dir = /a"]
        {
            assert_eq!(dir(words), Some("/a".into()), "{words}");
        }
        assert_eq!(dir("list --cache-dir ~/.x"), Some("/home/me/.x".into()));
        assert_eq!(dir("list"), None);
    }
}
