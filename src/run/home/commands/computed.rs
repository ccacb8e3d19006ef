//! What scripts could run where they compute the names of commands, or other scripts.

use super::patterns::like;
use super::script::{Command, Script};
use super::{
    CREDENTIALS, Home, Search, adds_words, behind_prefixes, bytes, has_hole, is_prefix, is_script,
    lower, name, prefixes, rules, shells, slices, value, wrapper,
};
use std::collections::BTreeSet;

/// The words that a script could put together in any order.
#[derive(Default)]
struct Bag<'s> {
    words: BTreeSet<&'s [u8]>,
    /// Those that name a tool which prints credentials with some arguments.
    tools: BTreeSet<&'s str>,
}

impl Search<'_> {
    /// Examines what a script could run where it runs what it computes. An alias makes what all of
    /// its commands are called something computed.
    pub(super) fn computed(
        &self,
        script: &Script,
        commands: &[Vec<&[u8]>],
        parameters: &[&[u8]],
        depth: usize,
    ) -> Option<Home> {
        let has_alias = commands.iter().any(|words| sets_alias(words));
        // A script in this one knows its variables.
        let sets_variables = commands.iter().flatten().any(|word| word.contains(&b'='));
        let is_open = |command: &&Command| {
            has_alias
                || sets_variables && runs_variables(command)
                || self.runs_what_it_computes(command)
        };
        let open: Vec<&Command> = script.commands.iter().filter(is_open).collect();
        if open.is_empty() {
            return None;
        }
        let Some(depth) = depth.checked_sub(1) else { return Some(Home::Credentials) };
        let mut bag = Bag::default();
        let named = script.commands.iter().zip(commands).map(|(command, words)| {
            // The name of a command was examined, and `set -e` computes nothing.
            let is_named = !has_alias && !is_name_open(command);
            (words.clone(), is_named.then(|| prefixes(words)))
        });
        let values = script.values.iter().map(|value| vec![&value[..]]);
        let others = values.chain([parameters.to_vec()]).map(|words| (words, None));
        let mut lists = named.chain(others);
        let found = lists.find_map(|(words, named)| self.gather(&words, named, depth, &mut bag));
        found.or_else(|| {
            let home = open.iter().find_map(|command| self.completed_by(command, &bag));
            home.or_else(|| self.holds_command(&bag).then_some(Home::Credentials))
        })
    }

    /// Examines words that may be commands or scripts, or hold them, but for the one that is the
    /// name of a command, and puts them into a bag.
    fn gather<'s>(
        &self,
        words: &[&'s [u8]],
        named: Option<usize>,
        depth: usize,
        bag: &mut Bag<'s>,
    ) -> Option<Home> {
        let command = named.and_then(|at| words.get(at)).map_or("", |word| name(word));
        if rules::is_sourcing(command) {
            return None;
        }
        self.budget.spend(bytes(words));
        let is_prose = matches!(command, "echo" | "printf");
        (0..words.len()).find_map(|at| {
            let is_name = named == Some(at);
            let word = value(words[at]);
            let parts = word.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
            let parts: Vec<&[u8]> = parts.collect();
            let sets = is_name && self.lists_variables(name(word), &[]);
            let home = || self.prints(name(words[at]), &words[at + 1..]);
            let home = (!sets).then(home).flatten();
            let are_apart = !is_name && !is_prose && parts[..] != [words[at]];
            let home = home.or_else(|| are_apart.then(|| self.any_of(&parts)).flatten());
            let as_script = || {
                let text = String::from_utf8_lossy(word).replace("\\n", "\n");
                let text = text.as_bytes();
                is_script(text).then(|| self.script(text, &[], depth)).flatten()
            };
            let home = home.or_else(as_script);
            if !is_name {
                let tools = parts.iter().map(|part| rules::usual_name(name(part)));
                bag.tools.extend(tools.filter(|tool| rules::find(CREDENTIALS, tool).is_some()));
            }
            bag.words.extend(parts);
            home
        })
    }

    /// Examines an open command with what is computed in it, and as one of any of these tools.
    fn completed_by(&self, command: &Command, bag: &Bag<'_>) -> Option<Home> {
        let words: Vec<&[u8]> = command.words.iter().map(|word| &word.shape[..]).collect();
        let words = behind_prefixes(&words);
        self.budget.spend(bytes(words));
        if command.texts().iter().any(|word| rules::may_be_known(name(word))) {
            return Some(Home::Credentials);
        }
        let computed = words.iter().position(|word| has_hole(word));
        let arguments = computed.map_or(words, |at| &words[at + 1..]);
        let of = || bag.tools.iter().find_map(|tool| self.prints(tool, arguments));
        self.any_of(words).or_else(of)
    }

    /// Returns whether a tool in a bag prints credentials with some of its words.
    fn holds_command(&self, bag: &Bag<'_>) -> bool {
        let words: Vec<&[u8]> = bag.words.iter().copied().collect();
        let small = lower(&words);
        bag.tools.iter().any(|tool| {
            let ignores_case = rules::ignores_case(tool);
            let words = if ignores_case { slices(&small) } else { words.clone() };
            let is_there = |pattern: &str| words.iter().any(|word| like(pattern, word));
            let patterns = rules::find(CREDENTIALS, tool).unwrap_or_default();
            rules::is_put_together(tool)
                && patterns.iter().any(|pattern| {
                    !self.budget.spend(bytes(&words)) || pattern.split(' ').all(is_there)
                })
        })
    }

    /// Returns whether a command of a script runs what the script computes, rather than what it
    /// says.
    fn runs_what_it_computes(&self, command: &Command) -> bool {
        if is_name_open(command) {
            return true;
        }
        let texts = command.texts();
        let texts = behind_prefixes(&texts);
        let Some((first, rest)) = texts.split_first() else { return false };
        let is_shell = |word: &[u8]| shells::grammar(name(word)).is_some();
        let runs = |words: &[&[u8]]| {
            wrapper::is_wrapper(words[0]) || self.leads(name(words[0]), &words[1..])
        };
        let reads_input = |texts: &[&[u8]]| {
            let may = shells::may_read_input(name(texts[0]));
            may && !self.budget.is_spent() && {
                self.budget.spend(bytes(texts));
                shells::reads_input(texts)
            }
        };
        // `xargs docker exec` gets words from elsewhere, too.
        let is_given_more = || {
            let mut behind = (0..rest.len()).map(|at| &rest[at..]);
            adds_words(name(first)) && behind.any(|words| self.budget.spend(1) && runs(words))
        };
        let last = if is_shell(first) { 1 } else { texts.len() };
        let mut words = command.words.iter().skip_while(|word| is_prefix(&word.text));
        (is_shell(first) || runs(texts))
            && (words.any(|word| word.is_open)
                || (0..last).any(|at| reads_input(&texts[at..]))
                || is_given_more())
    }
}

/// Returns whether the name of a command is computed.
fn is_name_open(command: &Command) -> bool {
    let mut words = command.words.iter().skip_while(|word| is_prefix(&word.text));
    words.next().is_some_and(|first| first.is_open)
}

/// Returns whether a command is a shell with a script of its own in which there are variables.
fn runs_variables(command: &Command) -> bool {
    let texts = command.texts();
    let words = behind_prefixes(&texts).split_first();
    words.is_some_and(|(first, rest)| {
        shells::grammar(name(first)).is_some() && rest.iter().any(|word| word.contains(&b'$'))
    })
}

/// Returns whether a command makes another name for one.
fn sets_alias(words: &[&[u8]]) -> bool {
    matches!(behind_prefixes(words), [b"alias" | b"abbr", _, ..])
}
