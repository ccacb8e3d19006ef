//! Commands whose output is for one machine alone: secrets, and facts about the machine.
//!
//! A command is looked for where a shell would find one: at the beginning, behind `env`, `sudo` and
//! the like, and in scripts after `-c`. A false positive only costs others a run, so doubtful cases
//! count as matches: where a script runs what it computes, all of its words may be that, and where
//! a shell's grammar is not known for certain, every word may be a command.
//!
//! All of this takes a number of steps that is proportional to the length of the command line:
//! whatever takes longer than that is doubtful, too.

mod budget;
mod computed;
mod credentials;
mod escapes;
mod files;
mod harmless;
mod patterns;
mod rules;
mod script;
mod scripts;
mod shells;
mod suspect;

use super::Home;
use budget::Budget;
use cachex_base::system::wrapper::{self, Environment, Wrapped};
use patterns::{HOLE, are_among, has_hole, may_be_among};
use rules::{CREDENTIALS, LEADERS, MACHINE, Rule};
use script::is_keyword;
use shells::Grammar;
use std::collections::BTreeSet;

/// Options of `find` that are followed by a command.
const EXECUTES: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];

/// The deepest nesting of commands that is examined.
const DEPTH: usize = 16;

/// Returns why the output of a command in a folder stays on its machine, if it does.
pub fn home(words: &[&[u8]], folder: &[u8]) -> Option<Home> {
    let search = Search { budget: Budget::of(words), folder: files::relevant(folder) };
    let is_among_secrets = !words.is_empty() && files::is_secret_folder(folder);
    is_among_secrets.then_some(Home::Credentials).or_else(|| search.home(words))
}

/// Returns whether relative paths among words may name secrets because of the folder.
pub fn is_near_secrets<'w>(folder: &[u8], words: impl IntoIterator<Item = &'w [u8]>) -> bool {
    files::may_matter(folder, words)
        && (files::is_secret_folder(folder) || files::relevant(folder).is_some())
}

/// Returns whether the name of a command's file says more about what it prints than the name that
/// it goes by.
pub fn tells_more(file: &[u8], command: &[u8]) -> bool {
    // Mostly, the command goes by the name of its file. A wrapper that goes by many names is what it
    // is called.
    if command.rsplit(|&byte| byte == b'/').next() == Some(file)
        || wrapper::is_wrapper(command)
        || wrapper::is_wrapper(file) && !wrapper::is_wrapper_file(file)
    {
        return false;
    }
    let (file, called) = (name(file), name(command));
    let is_shell = |name| shells::grammar(name).is_some();
    let says_much = is_shell(file) || rules::is_known(file) || wrapper::is_wrapper(file.as_bytes());
    let says_the_same = rules::usual_name(file) == rules::usual_name(called);
    says_much && !says_the_same && !is_shell(called)
}

/// Returns whether a file that a command reads holds secrets.
pub fn is_secret_file(path: &[u8]) -> bool {
    files::is_secret(path)
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

/// A search for commands that print something of this kind.
struct Search<'f> {
    budget: Budget,
    /// The working directory, if relative paths may name secrets because of it.
    folder: Option<&'f [u8]>,
}

impl Search<'_> {
    fn home(&self, words: &[&[u8]]) -> Option<Home> {
        let home = self.command(words, DEPTH);
        home.or_else(|| self.budget.is_spent().then_some(Home::Credentials))
    }

    /// Examines a command and those that it runs.
    fn command(&self, words: &[&[u8]], depth: usize) -> Option<Home> {
        let (assignments, words) = words.split_at(prefixes(words));
        if self.names_secret(assignments) {
            return Some(Home::Credentials);
        }
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
        let shown = files::shown(name, arguments);
        if self.names_secret(&[command]) || self.names_secret(&shown) {
            return Some(Home::Credentials);
        }
        if name == "find" {
            if self.name_secret_together(&shown) {
                return Some(Home::Credentials);
            }
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
        self.leads(name, arguments).then(|| self.leader(name, &shown, depth)).flatten()
    }

    /// Returns why what a command itself prints stays on the machine, whatever it runs.
    fn prints(&self, name: &str, arguments: &[&[u8]]) -> Option<Home> {
        // What there is no time for is doubtful. Every loop over words that may be commands asks
        // here, and so ends with the budget.
        if !self.budget.spend(4) {
            return Some(Home::Credentials);
        }
        if self.is_in(MACHINE, name, arguments) {
            return Some(Home::Machine);
        }
        let usual = rules::usual_name(name);
        let prints = !harmless::is_harmless(usual, arguments)
            && (self.is_in(CREDENTIALS, usual, arguments)
                || self.may_be_in(CREDENTIALS, usual, arguments)
                || self.lists_variables(name, arguments));
        prints.then_some(Home::Credentials)
    }

    fn is_in(&self, rules: &[Rule], name: &str, arguments: &[&[u8]]) -> bool {
        rules::find(rules, name).is_some_and(|patterns| {
            self.budget.spend(patterns.len() * bytes(arguments));
            let lower = rules::ignores_case(name).then(|| lower(arguments));
            let lower = lower.as_deref().map(slices);
            let arguments = lower.as_deref().unwrap_or(arguments);
            patterns.is_empty() || patterns.iter().any(|pattern| are_among(pattern, arguments))
        })
    }

    /// Returns whether a command may be one of these, with what a script computes for it.
    fn may_be_in(&self, rules: &[Rule], name: &str, arguments: &[&[u8]]) -> bool {
        let Some(patterns) = rules::find(rules, name) else { return false };
        self.budget.spend(patterns.len() * bytes(arguments));
        !rules::is_about_code(name)
            && arguments.iter().any(|word| has_hole(word))
            && patterns.iter().any(|pattern| may_be_among(pattern, name, arguments))
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
            _ if rules::runs_filters(name) => {
                self.budget.spend(bytes(arguments));
                let before = [&b""[..]].into_iter().chain(arguments.iter().copied());
                let is_name = |before: &[u8]| matches!(before, b"--arg" | b"--argjson");
                let mut words = before.zip(arguments).filter(|(before, _)| !is_name(before));
                words.any(|(_, word)| names_environment(word))
            }
            _ => false,
        }
    }

    fn names_secret(&self, words: &[&[u8]]) -> bool {
        words.iter().any(|word| {
            self.budget.spend(2 + word.len());
            let is_in = |folder: &[u8]| self.is_secret_in(folder, word);
            files::is_secret(word) || self.folder.is_some_and(is_in)
        })
    }

    /// Returns whether one of these words names a secret in a folder that another one is.
    fn name_secret_together(&self, words: &[&[u8]]) -> bool {
        self.budget.spend(bytes(words));
        let folders = words.iter().filter_map(|word| files::relevant(value(word)));
        let folders: BTreeSet<&[u8]> = folders.collect();
        // What is only computed may be anything.
        let is_said = |word: &&&[u8]| !word.iter().all(|byte| matches!(*byte, HOLE | b'/'));
        folders.into_iter().any(|folder| {
            let mut words = words.iter().filter(is_said);
            words.any(|word| {
                // What is secret anywhere is another matter.
                let is_there = || self.is_secret_in(folder, value(word)) && !files::is_secret(word);
                self.budget.is_spent() || is_there()
            })
        })
    }

    /// Returns whether a relative path, or one below a computed folder, is secret in a folder.
    fn is_secret_in(&self, folder: &[u8], path: &[u8]) -> bool {
        let path = path.strip_prefix(&[HOLE, b'/']).unwrap_or(path);
        self.budget.spend(folder.len() + path.len());
        !path.starts_with(b"/")
            && !path.starts_with(b"-")
            && files::is_secret(&[folder, b"/", path].concat())
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
        if rules::is_sourcing(name) {
            return None;
        }
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
        home.or_else(|| {
            parts.find_map(|words| {
                let more = || adds_words(name).then(|| self.any_of(&completed(words))).flatten();
                self.any_of(words).or_else(more)
            })
        })
    }

    /// Examines words each of which may be a command.
    fn any_of(&self, words: &[&[u8]]) -> Option<Home> {
        (0..words.len()).find_map(|at| self.prints(name(words[at]), &words[at + 1..]))
    }
}

/// Returns whether the command itself comes after this word.
fn is_prefix(word: &[u8]) -> bool {
    is_keyword(word) && word != b"time" || word.contains(&b'=') && !word.starts_with(b"-")
}

/// Returns how many words stand in front of the command.
fn prefixes(words: &[&[u8]]) -> usize {
    words.iter().take_while(|word| is_prefix(word)).count()
}

/// Returns the words from the one on that is the command.
fn behind_prefixes<'w, 's>(words: &'w [&'s [u8]]) -> &'w [&'s [u8]] {
    &words[prefixes(words)..]
}

/// Returns the value that a word assigns, or else the word.
fn value(word: &[u8]) -> &[u8] {
    word.splitn(2, |&byte| byte == b'=').last().unwrap_or(word)
}

/// Returns the command that a wrapper runs. Variables are not known.
fn behind(words: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    Wrapped::new(words, Environment::new(&|_| None))?.next(None).map(|behind| behind.words)
}

/// Returns whether a filter in the language of `jq` names its builtin `env`: `.env` is a field, and
/// `$env` is a variable.
fn names_environment(filter: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_start = |byte: &u8| !is_name(byte) && !b".$@{\"-/".contains(byte);
    let mut places = (0..filter.len()).filter(|&at| filter[at..].starts_with(b"env"));
    places.any(|at| {
        let before = &filter[..at];
        (before.last().is_none_or(is_start) || before.ends_with(b"//"))
            && !filter.get(at + 3).is_some_and(is_name)
    })
}

/// Returns words with a hole where `xargs` and the like put what they read.
fn completed<'s>(words: &[&'s [u8]]) -> Vec<&'s [u8]> {
    let after = |word: &'s [u8], next: Option<&&'s [u8]>| match word.strip_prefix(b"-I")? {
        b"" => next.copied(),
        marker => Some(marker),
    };
    let mut markers = words.iter().enumerate().map(|(at, word)| after(word, words.get(at + 1)));
    let marker = markers.find_map(|marker| marker).filter(|it| !it.is_empty()).unwrap_or(b"{}");
    let is_marked = |word: &[u8]| word.windows(marker.len()).any(|it| it == marker);
    let words = words.iter().map(|word| if is_marked(word) { &[HOLE][..] } else { *word });
    words.chain([&[HOLE][..]]).collect()
}

/// Returns whether a command runs others with words of its own.
fn adds_words(name: &str) -> bool {
    matches!(name, "parallel" | "xargs")
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

/// Returns the last component of a path, or nothing if it is not UTF-8. `a:/b` is no path of a
/// command, but of a volume.
fn name(command: &[u8]) -> &str {
    let start = command.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (folder, base) = command.split_at(start);
    if folder.contains(&b':') {
        return "";
    }
    let base = base.strip_prefix(&[HOLE]).unwrap_or(base);
    std::str::from_utf8(base).unwrap_or_default()
}

/// Returns the length of words, each with what ends it.
fn bytes(words: &[&[u8]]) -> usize {
    words.iter().map(|word| word.len() + 1).sum()
}

fn lower(words: &[&[u8]]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.to_ascii_lowercase()).collect()
}

fn slices(words: &[Vec<u8>]) -> Vec<&[u8]> {
    words.iter().map(Vec::as_slice).collect()
}

#[cfg(test)]
mod tests;
