//! Commands whose output is for one machine alone: secrets, and facts about the machine.
//!
//! A command is looked for where a shell would find one: at the beginning, behind `env`, `sudo` and
//! the like, and in scripts after `-c`. A false positive only costs others a run, so doubtful cases
//! count as matches: where a script runs what it computes, all of its words may be that, and where
//! a shell's grammar is not known for certain, every word may be a command.
//!
//! All of this takes a number of steps that is proportional to the length of the command line:
//! whatever takes longer than that is doubtful, too.

mod escapes;
mod rules;
mod script;
mod shells;
mod suspect;

use super::Home;
use cachex_base::system::wrapper::{self, Environment, Wrapped};
use rules::{CREDENTIALS, LEADERS, MACHINE, Rule};
use script::{Command, is_keyword};
use shells::Grammar;
use std::cell::Cell;
use std::collections::BTreeSet;
use suspect::Backslash;

/// Options of `find` that are followed by a command.
const EXECUTES: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];

/// The deepest nesting of commands that is examined.
const DEPTH: usize = 16;

/// Returns why the output of a command stays on its machine, if it does.
pub fn home(words: &[&[u8]]) -> Option<Home> {
    Search { budget: Budget::of(words) }.home(words)
}

/// Returns whether what a command prints may depend on words that are no longer known.
pub fn is_open_ended(words: &[&[u8]]) -> bool {
    words.first().is_some_and(|word| {
        let name = name(word);
        shells::grammar(name).is_some()
            || name == "find"
            || rules::find(CREDENTIALS, rules::usual_name(name)).is_some()
            || rules::find(LEADERS, name).is_some()
            || wrapper::is_wrapper(word)
    })
}

/// The steps that may still be taken. A step is a byte that is read, or something as quick.
struct Budget {
    left: Cell<usize>,
}

impl Budget {
    /// Creates the budget for a command line.
    fn of(words: &[&[u8]]) -> Budget {
        Budget { left: Cell::new((1 << 16) + 16 * bytes(words)) }
    }

    /// Takes some steps. Returns whether there were enough of them.
    fn spend(&self, steps: usize) -> bool {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or_default());
        left.is_some()
    }

    fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}

/// A search for commands that print something of this kind.
struct Search {
    budget: Budget,
}

impl Search {
    fn home(&self, words: &[&[u8]]) -> Option<Home> {
        let home = self.command(words, DEPTH);
        home.or_else(|| self.budget.is_spent().then_some(Home::Credentials))
    }

    /// Examines a command and those that it runs.
    fn command(&self, words: &[&[u8]], depth: usize) -> Option<Home> {
        let words = behind_prefixes(words);
        let (command, arguments) = words.split_first()?;
        let name = name(command);
        if let Some(home) = self.prints(name, arguments) {
            return Some(home);
        }
        if depth == 0 || self.budget.is_spent() {
            return Some(Home::Credentials);
        }
        let depth = depth - 1;
        if let Some(grammar) = shells::grammar(name) {
            return self.shell(grammar, arguments, depth);
        }
        if !rules::is_harmless_to_files(name) && self.names_secret(arguments) {
            return Some(Home::Credentials);
        }
        if name == "find" {
            let commands = arguments.split(|word| EXECUTES.contains(word)).skip(1);
            return commands.into_iter().find_map(|words| {
                let end = words.iter().position(|word| matches!(*word, b";" | b"+"));
                self.command(&words[..end.unwrap_or(words.len())], depth)
            });
        }
        if wrapper::is_wrapper(command) {
            self.budget.spend(bytes(words));
            let behind = behind(words)?;
            return self.command(&slices(&behind), depth);
        }
        self.leads(name, arguments).then(|| self.leader(name, arguments, depth)).flatten()
    }

    /// Returns why what a command itself prints stays on the machine, whatever it runs.
    fn prints(&self, name: &str, arguments: &[&[u8]]) -> Option<Home> {
        self.budget.spend(4);
        if self.is_in(MACHINE, name, arguments) {
            return Some(Home::Machine);
        }
        let prints = !is_harmless(name, arguments)
            && (self.is_in(CREDENTIALS, rules::usual_name(name), arguments)
                || self.lists_variables(name, arguments));
        prints.then_some(Home::Credentials)
    }

    fn is_in(&self, rules: &[Rule], name: &str, arguments: &[&[u8]]) -> bool {
        rules::find(rules, name).is_some_and(|patterns| {
            self.budget.spend(patterns.len() * bytes(arguments));
            patterns.is_empty() || patterns.iter().any(|pattern| are_among(pattern, arguments))
        })
    }

    /// Returns whether another command may be among the arguments of this one.
    fn leads(&self, name: &str, arguments: &[&[u8]]) -> bool {
        self.is_in(LEADERS, name, arguments)
    }

    /// Returns whether a command, or a builtin of a shell, prints variables, in which secrets are
    /// handed around.
    fn lists_variables(&self, name: &str, arguments: &[&[u8]]) -> bool {
        let is_option = |word: &&&[u8]| word.starts_with(b"-");
        let mut names = arguments.iter().filter(|word| !is_option(word));
        let is_secret = |word: &&[u8]| !rules::is_public_variable(word);
        match name {
            "env" | "genv" => {
                self.budget.spend(bytes(arguments));
                let words: Vec<&[u8]> = [&b"env"[..]].iter().chain(arguments).copied().collect();
                behind(&words).is_none()
            }
            "printenv" => names.clone().next().is_none() || names.any(is_secret),
            "set" | "setenv" => arguments.is_empty(),
            "declare" | "export" | "readonly" | "typeset" => {
                let mut options = arguments.iter().filter(is_option);
                names.clone().next().is_none()
                    || options.any(|word| word.contains(&b'p')) && names.any(is_secret)
            }
            _ => false,
        }
    }

    fn names_secret(&self, words: &[&[u8]]) -> bool {
        self.budget.spend(2 * words.len());
        words.iter().any(|word| rules::is_secret_file(word))
    }

    fn shell(&self, grammar: Grammar, arguments: &[&[u8]], depth: usize) -> Option<Home> {
        let (scripts, parameters) = shells::scripts(grammar, arguments);
        if self.names_secret(parameters) {
            return Some(Home::Credentials);
        }
        scripts.iter().find_map(|script| {
            let suspect = (grammar != Grammar::Posix).then(|| self.suspect(grammar, script));
            suspect.flatten().or_else(|| self.script(script, parameters, depth))
        })
    }

    /// Examines a command that may run others. Options with values of their own make it unclear
    /// which word is the command, and some words may be scripts.
    fn leader(&self, name: &str, arguments: &[&[u8]], depth: usize) -> Option<Home> {
        // It only says what would run.
        if name == "command" && arguments.first().is_some_and(|it| matches!(*it, b"-v" | b"-V")) {
            return None;
        }
        if rules::JOINS.contains(&name) && arguments.iter().any(|word| is_script(word)) {
            let home = self.script(&arguments.join(&b' '), &[], depth);
            if home.is_some() {
                return home;
            }
        }
        let is_always = matches!(name, "alias" | "trap");
        let home = (0..arguments.len()).find_map(|at| {
            let word = arguments[at];
            let is_next = at > 0 && is_script_next(arguments[at - 1]);
            let is_set = name == "alias" || word.starts_with(b"--") && word.contains(&b'=');
            (is_always || is_set || is_next || is_script(word))
                .then(|| self.script(if is_set { value(word) } else { word }, &[], depth))
                .flatten()
        });
        // These end the commands of `find` and `parallel`.
        let ends = |word: &&[u8]| word.starts_with(b":::") || matches!(*word, b";" | b"+");
        let mut parts = arguments.split(ends);
        home.or_else(|| parts.find_map(|words| self.any_of(words)))
    }

    /// Examines words each of which may be a command.
    fn any_of(&self, words: &[&[u8]]) -> Option<Home> {
        (0..words.len()).find_map(|at| self.prints(name(words[at]), &words[at + 1..]))
    }

    /// Examines a script, to which these parameters are given.
    fn script(&self, text: &[u8], parameters: &[&[u8]], depth: usize) -> Option<Home> {
        let script = script::parse(text, &self.budget);
        if script.is_odd || script.inputs.iter().any(|file| rules::is_secret_file(file)) {
            return Some(Home::Credentials);
        }
        let commands: Vec<Vec<&[u8]>> = script.commands.iter().map(Command::texts).collect();
        let home = commands.iter().zip(&script.commands).find_map(|(words, command)| {
            let is_nothing = command.is_silent && self.lists(words);
            (!is_nothing).then(|| self.command(words, depth)).flatten()
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
            may && self.budget.spend(bytes(texts)) && shells::reads_input(texts)
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
    fn suspect(&self, grammar: Grammar, text: &[u8]) -> Option<Home> {
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

/// Returns whether the command itself comes after this word.
fn is_prefix(word: &[u8]) -> bool {
    is_keyword(word) && word != b"time" || word.contains(&b'=') && !word.starts_with(b"-")
}

/// Returns the words from the one on that is the command.
fn behind_prefixes<'w, 's>(words: &'w [&'s [u8]]) -> &'w [&'s [u8]] {
    &words[words.iter().take_while(|word| is_prefix(word)).count()..]
}

/// Returns the value that a word assigns, or else the word.
fn value(word: &[u8]) -> &[u8] {
    word.splitn(2, |&byte| byte == b'=').last().unwrap_or(word)
}

/// Returns the command that a wrapper runs. Variables are not known.
fn behind(words: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    Wrapped::new(words, Environment::new(&|_| None))?.next(None).map(|behind| behind.words)
}

/// Returns whether these arguments make a command print nothing of interest.
fn is_harmless(name: &str, arguments: &[&[u8]]) -> bool {
    match arguments {
        [b"--help" | b"--version"] => true,
        [b"status", options @ ..] if name == "vault" => {
            options.iter().all(|word| word.starts_with(b"-"))
        }
        [b"version"] => name == "vault",
        _ => false,
    }
}

/// Returns whether the word after an option such as `-qc` may be a script.
fn is_script_next(option: &[u8]) -> bool {
    let is_short = option.starts_with(b"-") && !option.starts_with(b"--");
    is_short && option.contains(&b'c') || option == b"--command"
}

/// Returns whether a text is more than one word to a shell, or another one.
fn is_script(text: &[u8]) -> bool {
    text.iter().any(|byte| b" \t\n;&|()<>$`'\"\\".contains(byte))
}

/// Returns the last component of a path, or nothing if it is not UTF-8.
fn name(command: &[u8]) -> &str {
    let base = command.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    std::str::from_utf8(base).unwrap_or_default()
}

/// Returns the length of words, each with what ends it.
fn bytes(words: &[&[u8]]) -> usize {
    words.iter().map(|word| word.len() + 1).sum()
}

fn slices(words: &[Vec<u8>]) -> Vec<&[u8]> {
    words.iter().map(Vec::as_slice).collect()
}

/// Returns whether words match these patterns in their order, with others between them.
fn are_among(patterns: &str, words: &[&[u8]]) -> bool {
    let mut words = words.iter();
    patterns.split(' ').all(|pattern| words.any(|word| like(pattern, word)))
}

/// Returns whether a word matches a pattern, in which `*` stands for any text.
fn like(pattern: &str, word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word);
    let Some((first, rest)) = pattern.split_once('*') else { return word == pattern };
    let Some(mut word) = word.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = word.find(part) else { return false };
        word = &word[at + part.len()..];
    }
    word.ends_with(last)
}

#[cfg(test)]
mod tests;
