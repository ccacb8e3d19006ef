//! Commands whose output is for one machine alone: secrets, and facts about the machine.
//!
//! A command is looked for where a shell would find one: at the beginning, behind `env`, `sudo` and
//! the like, and in scripts after `-c`. A false positive only costs others a run, so doubtful cases
//! count as matches: where a script runs what it computes, all of its words may be that.

mod rules;
mod script;

use super::Home;
use cachex_base::system::wrapper::{self, Environment, Wrapped};
use glob::Pattern;
use rules::{CREDENTIALS, MACHINE, Rule};
use script::{Word, is_keyword};
use std::cell::Cell;

/// Shells, whose argument after `-c` is a script.
const SHELLS: &[&str] =
    &["ash", "bash", "dash", "fish", "ksh", "mksh", "oksh", "rbash", "sh", "yash", "zsh"];

/// Commands that are followed by another command, or have a script among their arguments, besides
/// those whose options [`wrapper`] knows.
const LEADERS: &[&str] = &[
    ".",
    "alias",
    "builtin",
    "chroot",
    "command",
    "direnv",
    "doas",
    "docker",
    "eval",
    "exec",
    "fakeroot",
    "kubectl",
    "ltrace",
    "mise",
    "nix",
    "nsenter",
    "parallel",
    "podman",
    "runuser",
    "script",
    "setpriv",
    "source",
    "ssh",
    "ssh-agent",
    "su",
    "sudo",
    "trap",
    "unbuffer",
    "unshare",
    "watch",
    "xargs",
];

/// Options of `find` that are followed by a command.
const EXECUTES: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];

/// The deepest nesting of commands that is examined.
const DEPTH: usize = 16;
/// The number of commands that are examined.
const MOST: usize = 20_000;

/// Returns why the output of a command stays on its machine, if it does.
pub fn home(words: &[&[u8]]) -> Option<Home> {
    Search { left: Cell::new(MOST) }.command(words, DEPTH, Words::Known)
}

/// The way in which the words of a command are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// They are those of one command.
    Known,
    /// The beginning may be missing, and others are tried as well.
    Tried,
}

/// Returns whether the command that runs is given by words after the first.
pub fn is_indirect(words: &[&[u8]]) -> bool {
    words.first().is_some_and(|word| {
        let name = name(word);
        SHELLS.contains(&name) || is_leader(name) || name == "find"
    })
}

fn is_leader(name: &str) -> bool {
    LEADERS.contains(&name) || wrapper::is_wrapper(name.as_bytes())
}

/// A search for commands that print something of this kind.
struct Search {
    /// The number of commands that may still be examined. What is longer counts as a match.
    left: Cell<usize>,
}

impl Search {
    fn command(&self, words: &[&[u8]], depth: usize, known: Words) -> Option<Home> {
        let words = behind_prefixes(words);
        let (command, arguments) = words.split_first()?;
        let name = name(command);
        if MACHINE.contains(&name) {
            return Some(Home::Machine);
        }
        let prints = |(of, pattern): &Rule| like(of, name) && are_among(pattern, arguments);
        let is_too_much = depth == 0 || self.left.get() == 0;
        if CREDENTIALS.iter().any(prints) || lists_variables(words) || is_too_much {
            return Some(Home::Credentials);
        }
        self.left.update(|left| left - 1);
        let depth = depth - 1;
        if SHELLS.contains(&name) {
            let (scripts, parameters) = scripts(arguments);
            return scripts.iter().find_map(|script| self.script(script, parameters, depth));
        }
        if name == "find" {
            let commands = arguments.split(|word| EXECUTES.contains(word)).skip(1);
            return commands.into_iter().find_map(|words| {
                let end = words.iter().position(|word| matches!(*word, b";" | b"+"));
                self.command(&words[..end.unwrap_or(words.len())], depth, Words::Known)
            });
        }
        if let Some(wrapped) = behind(words) {
            let behind: Vec<&[u8]> = wrapped.words.iter().map(Vec::as_slice).collect();
            return self.command(&behind, depth, known);
        }
        if !is_leader(name) {
            return None;
        }
        let home = self.script(&arguments.join(&b' '), &[], depth);
        let is_script = |at: usize| {
            let is_next = at > 0 && is_script_next(arguments[at - 1]);
            is_next
                || matches!(name, "alias" | "trap")
                || arguments[at].iter().any(|&byte| !is_plain(byte))
        };
        let mut scripts = (0..arguments.len()).filter(|&at| is_script(at));
        let home = home.or_else(|| {
            scripts.find_map(|at| {
                let word = arguments[at];
                let is_set = name == "alias" || word.starts_with(b"--");
                self.script(if is_set { value(word) } else { word }, &[], depth)
            })
        });
        if home.is_some() || known == Words::Tried {
            return home;
        }
        // Options with values of their own make it unclear which word is the command, so try all.
        (0..arguments.len()).find_map(|at| self.command(&arguments[at..], depth, Words::Tried))
    }

    /// Examines a script, to which these parameters are given.
    fn script(&self, script: &[u8], parameters: &[&[u8]], depth: usize) -> Option<Home> {
        // Reading it takes as long as some commands do.
        self.left.update(|left| left.saturating_sub(script.len() / 16));
        let script = script::parse(script);
        if script.is_odd {
            return Some(Home::Credentials);
        }
        let commands: Vec<Vec<&[u8]>> = script.commands.iter().map(|it| texts(it)).collect();
        let home = commands.iter().find_map(|words| self.command(words, depth, Words::Known));
        let mut open =
            script.commands.iter().filter(|words| runs_what_it_computes(words)).peekable();
        if home.is_some() || open.peek().is_none() {
            return home;
        }
        let open: Vec<Vec<&[u8]>> = open.map(|words| texts(words)).collect();
        let mut values: Vec<Vec<&[u8]>> = script.values.iter().map(|it| vec![&it[..]]).collect();
        values.push(parameters.to_vec());
        commands.iter().chain(&values).find_map(|words| self.computed(words, &open, depth))
    }

    /// Examines what one of the open commands of a script would run if it were computed from these
    /// words.
    fn computed(&self, words: &[&[u8]], open: &[Vec<&[u8]>], depth: usize) -> Option<Home> {
        let depth = depth.saturating_sub(1);
        (0..words.len()).find_map(|at| {
            let word = value(words[at]);
            let home = self.command(&words[at..], depth, Words::Tried);
            let home = home.or_else(|| {
                let text = String::from_utf8_lossy(word).replace("\\n", "\n");
                let is_script = text.bytes().any(|byte| !is_plain(byte));
                is_script.then(|| self.script(text.as_bytes(), &[], depth)).flatten()
            });
            home.or_else(|| {
                open.iter().find_map(|arguments| {
                    let arguments = behind_prefixes(arguments).iter().copied();
                    let words: Vec<&[u8]> = [word].into_iter().chain(arguments).collect();
                    self.command(&words, depth, Words::Tried)
                })
            })
            .or_else(|| self.command(&[word], depth, Words::Tried))
        })
    }
}

/// Returns the words from the one on that is the command.
fn behind_prefixes<'w, 's>(words: &'w [&'s [u8]]) -> &'w [&'s [u8]] {
    let is_prefix = |word: &&&[u8]| {
        is_keyword(word) && !matches!(**word, b"time")
            || word.contains(&b'=') && !word.starts_with(b"-")
    };
    &words[words.iter().take_while(is_prefix).count()..]
}

/// Returns the value that a word assigns, or else the word.
fn value(word: &[u8]) -> &[u8] {
    word.splitn(2, |&byte| byte == b'=').last().unwrap_or(word)
}

/// Returns the text of words that are there whatever is expanded.
fn texts(words: &[Word]) -> Vec<&[u8]> {
    words.iter().filter(|word| !word.may_vanish()).map(|word| &word.text[..]).collect()
}

/// Returns whether a command of a script runs what the script computes, rather than what it says.
fn runs_what_it_computes(words: &[Word]) -> bool {
    let is_prefix = |word: &&Word| is_keyword(&word.text) || word.text.contains(&b'=');
    let words = &words[words.iter().take_while(is_prefix).count()..];
    let Some(command) = words.first() else { return false };
    let name = name(&command.text);
    if command.is_open {
        return true;
    }
    let is_any_open = words.iter().any(|word| word.is_open);
    if SHELLS.contains(&name) {
        return is_any_open || reads_input(&texts(words));
    }
    is_leader(name) && (is_any_open || (0..words.len()).any(|at| reads_input(&texts(&words[at..]))))
}

/// Returns whether a command is a shell, or a builtin of one, that reads its script from its
/// standard input.
fn reads_input(words: &[&[u8]]) -> bool {
    let Some((command, arguments)) = words.split_first() else { return false };
    match name(command) {
        "." | "source" => arguments.first().is_some_and(|file| file.starts_with(b"/dev/")),
        name if SHELLS.contains(&name) => {
            let is_script_read = |word: &&[u8]| {
                word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b's')
                    || word.starts_with(b"/dev/")
            };
            arguments.iter().all(|word| word.starts_with(b"-") || word.starts_with(b"+"))
                && scripts(arguments).0.is_empty()
                || arguments.iter().any(is_script_read)
        }
        _ => false,
    }
}

/// Returns the words that may be scripts among the arguments of a shell, and those after them.
fn scripts<'w, 's>(arguments: &'w [&'s [u8]]) -> (Vec<&'s [u8]>, &'w [&'s [u8]]) {
    let mut scripts = Vec::new();
    let mut rest = arguments;
    let (mut is_script, mut values, mut are_options) = (false, 0, true);
    while let Some((word, behind)) = rest.split_first() {
        let is_option = are_options && (word.starts_with(b"-") || word.starts_with(b"+"));
        if !is_option && scripts.len() > values {
            break;
        }
        rest = behind;
        if !is_option {
            scripts.push(*word);
        } else if matches!(*word, b"-" | b"--") {
            are_options = false;
        } else if let Some(long) = word.strip_prefix(b"--") {
            let name = long.split(|&byte| byte == b'=').next().unwrap_or_default();
            // These are fish's, and may be abbreviated.
            if name.len() > 1
                && [&b"command"[..], b"init-command"].iter().any(|it| it.starts_with(name))
            {
                is_script = true;
                scripts.extend(long.get(name.len() + 1..));
            }
            values += usize::from(matches!(long, b"rcfile" | b"init-file"));
        } else {
            let letters = &word[1..];
            values += letters.iter().filter(|&&letter| matches!(letter, b'o' | b'O')).count();
            if let Some(at) = letters.iter().position(|letter| matches!(letter, b'c' | b'C')) {
                is_script |= word[0] == b'-';
                // Fish takes it from the same word.
                scripts.extend(Some(&letters[at + 1..]).filter(|it| !it.is_empty()));
                values += usize::from(at + 1 < letters.len());
            }
        }
    }
    if is_script { (scripts, rest) } else { (Vec::new(), rest) }
}

/// Returns the command behind a wrapper. Variables are not known.
fn behind<'o>(words: &[&[u8]]) -> Option<Wrapped<'o>> {
    wrapper::behind(words, Environment::new(&|_| None))
}

/// Returns whether a command, or a builtin of a shell, prints the whole environment, where secrets
/// are handed around.
fn lists_variables(words: &[&[u8]]) -> bool {
    let Some((command, arguments)) = words.split_first() else { return false };
    match name(command) {
        "env" | "genv" => behind(words).is_none(),
        "set" => arguments.is_empty(),
        "declare" | "export" | "readonly" | "typeset" => {
            arguments.iter().all(|word| word.starts_with(b"-"))
        }
        _ => false,
    }
}

/// Returns whether the word after an option such as `-qc` may be a script.
fn is_script_next(option: &[u8]) -> bool {
    let is_short = option.starts_with(b"-") && !option.starts_with(b"--");
    is_short && option.contains(&b'c') || option == b"--command"
}

/// Returns whether a byte may be part of a name that is no script.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./:,+@%".contains(&byte)
}

/// Returns the last component of a path, or nothing if it is not UTF-8.
fn name(command: &[u8]) -> &str {
    let base = command.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    std::str::from_utf8(base).unwrap_or_default()
}

fn are_among(patterns: &[&str], words: &[&[u8]]) -> bool {
    let mut words = words.iter().filter_map(|word| std::str::from_utf8(word).ok());
    patterns.iter().all(|pattern| words.any(|word| like(pattern, word)))
}

fn like(pattern: &str, word: &str) -> bool {
    if !pattern.contains('*') {
        return pattern == word;
    }
    Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(word))
}

#[cfg(test)]
mod tests;
