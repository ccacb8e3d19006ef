//! What scripts run.

use super::script::{self, Command};
use super::shells::Grammar;
use super::suspect::{self, Backslash};
use super::{Home, Search, behind_prefixes, name, rules, slices, value};
use std::collections::BTreeSet;

impl Search<'_> {
    /// Examines a script, to which these parameters are given.
    pub(super) fn script(&self, text: &[u8], parameters: &[&[u8]], depth: usize) -> Option<Home> {
        let script = script::parse(text, &self.budget);
        let files = slices(&script.inputs).into_iter().chain(slices(&script.values));
        if script.is_odd || self.names_secret(&files.collect::<Vec<_>>()) {
            return Some(Home::Credentials);
        }
        let words = script.commands.iter().flat_map(|command| &command.words);
        let words: Vec<&[u8]> = words.map(|word| &word.shape[..]).collect();
        if self.name_secret_together(&words) {
            return Some(Home::Credentials);
        }
        let commands: Vec<Vec<&[u8]>> = script.commands.iter().map(Command::texts).collect();
        let home = commands.iter().zip(&script.commands).find_map(|(words, command)| {
            let is_nothing = command.is_silent && self.lists(words);
            let with = |words: &[&[u8]]| self.command(words, depth);
            let shaped = || command.shapes().and_then(|shapes| with(&shapes));
            (!is_nothing).then(|| with(words).or_else(shaped)).flatten()
        });
        let suspect = || script.is_unclear.then(|| self.suspect(Grammar::Posix, text)).flatten();
        let home = home.or_else(|| self.interpreted(&commands, &script.documents));
        home.or_else(suspect).or_else(|| self.computed(&script, &commands, parameters, depth))
    }

    /// Examines documents that an interpreter among these words may read as its code.
    fn interpreted(&self, commands: &[Vec<&[u8]>], documents: &[Vec<u8>]) -> Option<Home> {
        if documents.is_empty() {
            return None;
        }
        let names = commands.iter().flatten().map(|word| rules::usual_name(name(word)));
        let names: BTreeSet<&str> =
            names.filter(|name| rules::INTERPRETERS.contains(name)).collect();
        names.into_iter().find_map(|name| {
            let prints = |text: &Vec<u8>| self.prints(name, &[b"-c", b"-e", text]);
            documents.iter().find_map(prints)
        })
    }

    /// Returns whether a command of a script prints variables, and does nothing else.
    fn lists(&self, words: &[&[u8]]) -> bool {
        let words = behind_prefixes(words);
        words.split_first().is_some_and(|(word, rest)| self.lists_variables(name(word), rest))
    }

    /// Examines a text in which any word may be a command that prints credentials.
    pub(super) fn suspect(&self, grammar: Grammar, text: &[u8]) -> Option<Home> {
        let readings = [Backslash::Quotes, Backslash::Divides];
        let readings = &readings[..if text.contains(&b'\\') { 2 } else { 1 }];
        let prints = |words: &[&[u8]]| {
            let arguments = &words[1..];
            let mut names = [words[0], value(words[0])].into_iter().map(suspect::bare).map(name);
            names.any(|name| {
                let lists = grammar == Grammar::Fish && name == "set";
                lists && arguments.iter().all(|word| word.starts_with(b"-") && *word != b"-e")
                    || self.prints(name, arguments) == Some(Home::Credentials)
            })
        };
        let is_found = readings.iter().any(|&backslash| {
            self.budget.spend(text.len());
            suspect::lines(text, backslash).iter().any(|line| {
                let line = slices(line);
                self.names_secret(&line) || (0..line.len()).any(|at| prints(&line[at..]))
            })
        });
        is_found.then_some(Home::Credentials)
    }
}
