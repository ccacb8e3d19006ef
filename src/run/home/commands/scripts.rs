//! What scripts run.

use super::script::{self, Command};
use super::shells::{self, Grammar};
use super::suspect::{self, Backslash};
use super::wrapper;
use super::{
    Home, Search, behind_prefixes, bytes, is_prefix, is_script, name, rules, slices, value,
};
use std::collections::BTreeSet;

impl Search<'_> {
    /// Examines a script, to which these parameters are given.
    pub(super) fn script(&self, text: &[u8], parameters: &[&[u8]], depth: usize) -> Option<Home> {
        let script = script::parse(text, &self.budget);
        let files = slices(&script.inputs).into_iter().chain(slices(&script.values));
        if script.is_odd || self.names_secret(&files.collect::<Vec<_>>()) {
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
        let home = home.or_else(suspect);
        let open = script.commands.iter().filter(|command| self.runs_what_it_computes(command));
        let open: Vec<Vec<&[u8]>> = open.map(Command::texts).collect();
        if home.is_some() || open.is_empty() {
            return home;
        }
        self.budget.spend(open.iter().map(|words| bytes(words)).sum());
        if open.iter().flatten().any(|word| rules::may_be_known(name(word))) {
            return Some(Home::Credentials);
        }
        let mut values: Vec<Vec<&[u8]>> = script.values.iter().map(|it| vec![&it[..]]).collect();
        values.push(parameters.to_vec());
        self.computed(&commands, &values, &open, depth)
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

    /// Returns whether a command of a script runs what the script computes, rather than what it
    /// says.
    fn runs_what_it_computes(&self, command: &Command) -> bool {
        let mut words = command.words.iter().skip_while(|word| is_prefix(&word.text));
        if words.clone().next().is_some_and(|first| first.is_open) {
            return true;
        }
        let texts = command.texts();
        let texts = behind_prefixes(&texts);
        let Some((first, rest)) = texts.split_first() else { return false };
        let is_shell = shells::grammar(name(first)).is_some();
        let reads_input = |texts: &[&[u8]]| {
            let may = shells::may_read_input(name(texts[0]));
            may && !self.budget.is_spent() && {
                self.budget.spend(bytes(texts));
                shells::reads_input(texts)
            }
        };
        let last = if is_shell { 1 } else { texts.len() };
        (is_shell || wrapper::is_wrapper(first) || self.leads(name(first), rest))
            && (words.any(|word| word.is_open) || (0..last).any(|at| reads_input(&texts[at..])))
    }

    /// Examines what the open commands of a script would run if their names were among these
    /// words, or if they ran one of them as a script.
    fn computed(
        &self,
        commands: &[Vec<&[u8]>],
        values: &[Vec<&[u8]>],
        open: &[Vec<&[u8]>],
        depth: usize,
    ) -> Option<Home> {
        let Some(depth) = depth.checked_sub(1) else { return Some(Home::Credentials) };
        let mut names = BTreeSet::new();
        for (words, is_command) in
            commands.iter().map(|words| (words, true)).chain(values.iter().map(|it| (it, false)))
        {
            // What a command is called was examined, and `set -e` computes nothing.
            let first = words.len() - behind_prefixes(words).len();
            for at in 0..words.len() {
                let word = value(words[at]);
                let is_name = is_command && at == first && self.lists_variables(name(word), &[]);
                let home = self.prints(name(words[at]), &words[at + 1..]).filter(|_| !is_name);
                let home = home.or_else(|| {
                    let text = String::from_utf8_lossy(word).replace("\\n", "\n");
                    let text = text.as_bytes();
                    is_script(text).then(|| self.script(text, &[], depth)).flatten()
                });
                if home.is_some() {
                    return home;
                }
                if !is_name && rules::is_known(name(word)) {
                    names.insert(name(word));
                }
            }
        }
        names.into_iter().find_map(|name| {
            let of = |words: &Vec<&[u8]>| self.prints(name, behind_prefixes(words));
            self.prints(name, &[]).or_else(|| open.iter().find_map(of))
        })
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
