//! Sentences that describe differences. They never contain a value that is not in the store anyway:
//! only the name of a variable, the kind of standard input, and the presence of `--key`.

use super::{Change, Comparison, Difference, What, compare_words};
use cachex_base::record::entry::About;
use cachex_base::text::quote::harmless;
use cachex_base::text::quote::{self, Credentials};
use cachex_base::text::values::ExeMode;
use clap::ValueEnum;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The most differences of a command line that are shown.
const HUNKS: usize = 4;
/// The most bytes of a word that are shown.
const WORD: usize = 48;
/// The number of equal bytes shown before a difference of two words.
const BEFORE: usize = 12;

/// Facts about both sides besides the key's components.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'s> {
    /// The command to run, truncated as in an entry.
    pub now: &'s About,
    /// The command that was run.
    pub then: &'s About,
    /// The current path of the executable.
    pub executable: Option<&'s Path>,
    /// The kind of standard input when recorded, if known.
    pub stdin: Option<&'static str>,
    /// The treatment of credentials in command lines.
    pub credentials: Credentials,
}

impl Sides<'_> {
    /// Returns a sentence for each difference, and one for what is unknown.
    pub fn sentences(&self, comparison: &Comparison) -> Vec<String> {
        let mut told: Vec<String> =
            comparison.differences.iter().map(|difference| self.sentence(difference)).collect();
        match comparison.unknown {
            0 => {}
            1 => told.push("a variable cannot be compared: its name was not kept".to_owned()),
            count => {
                told.push(format!("{count} variables cannot be compared: not all names were kept"));
            }
        }
        if told.is_empty() {
            told.push("it differs in something that was not kept".to_owned());
        }
        told
    }

    /// Returns the sentence for one difference.
    pub fn sentence(&self, difference: &Difference) -> String {
        use Change::{Differs, Gone, New};
        let change = difference.change;
        match &difference.what {
            What::Arguments => format!("arguments differ: {}", self.arguments()),
            What::ExeMode(then) => format!(
                "the executable is compared in another way: recorded with `--exe {}`",
                name_of(*then)
            ),
            What::ExePath => match self.executable {
                Some(now) => format!("the executable is in another place: now {}", path(now)),
                None => "the executable is in another place".to_owned(),
            },
            What::ExeStat { size, modified } => {
                let what = match (size, modified) {
                    (true, true) => "size, modification time",
                    (true, false) => "size",
                    _ => "modification time",
                };
                format!("{} changed: {what}", self.executable_name())
            }
            What::ExeContent => format!("{} changed: its contents", self.executable_name()),
            What::Directory => match (change, &self.then.cwd) {
                (New, _) => {
                    "working directory is in the key now: recorded with `--no-cwd`".to_owned()
                }
                (Gone, Some(then)) => {
                    format!(
                        "working directory is not in the key now: recorded in {}",
                        quote::word(then)
                    )
                }
                (_, Some(then)) => {
                    format!("working directory differs: recorded in {}", quote::word(then))
                }
                (_, None) => "working directory differs".to_owned(),
            },
            What::Environment(count) => match change {
                Gone => {
                    format!("no variable is in the key now: {count} were when it was recorded")
                }
                _ => {
                    format!("{count} variables are in the key now: none were when it was recorded")
                }
            },
            What::Variable(name) => format!(
                "variable `{}` {}",
                harmless(&String::from_utf8_lossy(name)),
                match change {
                    Differs => "differs",
                    New => "is new",
                    Gone => "is gone",
                }
            ),
            What::Selection(option) => selection(option, change),
            What::Stdin => match self.stdin {
                Some(then) => format!("standard input differs: {then} when it was recorded"),
                None => "standard input differs".to_owned(),
            },
            What::Text => plain("key text", change),
            What::Scope => match &self.then.scope {
                Some(then) => {
                    format!(
                        "{}: recorded in {}",
                        plain("scope", change),
                        quote::word(then.as_bytes())
                    )
                }
                None => format!("{}: recorded without one", plain("scope", change)),
            },
            What::Terminal => plain("terminal", change),
            What::Platform(name) => plain(&String::from_utf8_lossy(name), change),
            What::Inputs => match change {
                Differs => "the input files differ".to_owned(),
                New => "input files are in the key now: recorded without".to_owned(),
                Gone => "no input files are in the key now: recorded with some".to_owned(),
            },
            What::Input(name) => {
                let (what, name) = match name.strip_suffix(b"/") {
                    Some(folder) => ("the content of the input", folder),
                    None => ("input", name.as_slice()),
                };
                plain(&format!("{what} {}", quote::word(name)), change)
            }
            What::Auto => match change {
                New => "recorded without `--auto`".to_owned(),
                Gone => "recorded with `--auto`".to_owned(),
                Differs => "the options of `--auto` differ, or the folder it runs in".to_owned(),
            },
            What::InputCommand(command) => {
                let command = self.credentials.text(&String::from_utf8_lossy(command));
                let command = harmless(&command);
                plain(&format!("the output of `{command}`"), change)
            }
        }
    }

    fn executable_name(&self) -> String {
        self.executable.map_or_else(|| "the executable".to_owned(), path)
    }

    /// Describes the differences of the command lines, word by word.
    fn arguments(&self) -> String {
        let [then, now] = [self.then, self.now].map(|about| about.words().collect::<Vec<_>>());
        let places = compare_words(&then, &now).len();
        let [then, now] = [then, now].map(|words| self.credentials.words(words));
        let then: Vec<&[u8]> = then.iter().map(|word| &word[..]).collect();
        let now: Vec<&[u8]> = now.iter().map(|word| &word[..]).collect();
        let hunks = compare_words(&then, &now);
        let mut told: Vec<String> = Vec::new();
        for hunk in hunks.iter().take(HUNKS) {
            told.push(match (&hunk.then[..], &hunk.now[..]) {
                ([then], [now]) => {
                    let at = where_they_part(then, now);
                    format!("{} in place of {}", excerpt(now, at), excerpt(then, at))
                }
                ([], now) => format!("{} is new", line(now)),
                (then, []) => format!("{} is gone", line(then)),
                (then, now) => format!("{} in place of {}", line(now), line(then)),
            });
        }
        if hunks.len() > HUNKS {
            told.push(format!("and {} more", hunks.len() - HUNKS));
        }
        if hunks.len() < places {
            told.push("a credential, which --reveal shows".to_owned());
        }
        if told.is_empty() {
            return "after the part that was kept".to_owned();
        }
        told.join(", ")
    }
}

fn selection(option: &str, change: Change) -> String {
    let mut told = "the variables are selected in another way".to_owned();
    let (option, list) = option.split_once(' ').unwrap_or((option, ""));
    if !option.is_empty() {
        told.push_str(match change {
            Change::New => ": recorded without `",
            Change::Differs | Change::Gone => ": recorded with `",
        });
        told.push_str(option);
        if change != Change::New && !list.is_empty() {
            let patterns = list.split(',').map(|pattern| quote::word(pattern.as_bytes()));
            told.push(' ');
            told.push_str(&patterns.collect::<Vec<_>>().join(","));
        }
        told.push('`');
    }
    told
}

fn plain(what: &str, change: Change) -> String {
    match change {
        Change::Differs => format!("{what} differs"),
        Change::New => format!("{what} is new"),
        Change::Gone => format!("{what} is gone"),
    }
}

fn path(path: &Path) -> String {
    format!("`{}`", quote::word(path.as_os_str().as_bytes()))
}

/// Returns the name of a mode on the command line.
pub fn name_of(mode: ExeMode) -> String {
    mode.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn line(words: &[&[u8]]) -> String {
    let whole: Vec<String> = words.iter().take(HUNKS).map(|word| excerpt(word, 0)).collect();
    let more = if words.len() > HUNKS { " …" } else { "" };
    format!("{}{more}", whole.join(" "))
}

fn where_they_part(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Returns a word, or an excerpt around a position of a long one.
fn excerpt(word: &[u8], at: usize) -> String {
    if word.len() <= WORD {
        return quote::word(word);
    }
    // A UTF-8 character has at most three continuation bytes; anything else is not text.
    let boundary = |at: usize| {
        let begins = |at: &usize| word.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
        (at.saturating_sub(3)..=at).rev().find(begins).unwrap_or(at)
    };
    let start = boundary(at.saturating_sub(BEFORE));
    let end = boundary((start + WORD).min(word.len()));
    let (before, after) =
        (if start > 0 { "…" } else { "" }, if end < word.len() { "…" } else { "" });
    format!("{before}{}{after}", quote::word(&word[start..end]))
}
