//! Credentials recognized by the words before them: `--password X`, `curl -sSu me:X`.

use super::names::{Form, SHORT_OPTIONS, is_of_a_name, is_secret};
use std::ops::Range;

/// The state of a scan through the words of a command line.
#[derive(Default)]
pub struct Options {
    expected: Expected,
    /// A bit for each of [`SHORT_OPTIONS`] whose command is in the line so far. Each word may be
    /// the name of a command, since it may follow `env` or `sudo`.
    known: u32,
    /// True if the command sets something, so that a value follows its name.
    sets: bool,
}

const _: () = assert!(SHORT_OPTIONS.len() <= 32, "each has a bit");

/// The role of a word, given the word before it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Expected {
    /// No particular role.
    #[default]
    Anything,
    /// The whole word is a credential.
    Credential,
    /// The word holds a credential in the form of the option.
    By(Form),
    /// The part after the first equals sign is a credential.
    Assigned,
}

impl Options {
    /// Returns the part of the next word that is a credential.
    pub fn credential_in(&mut self, word: &[u8]) -> Option<Range<usize>> {
        let mut expected = std::mem::take(&mut self.expected);
        if word.len() > 2 && word.starts_with(b"--") {
            // The option had no value.
            expected = Expected::Anything;
        }
        let found = match expected {
            Expected::Credential => Some(0..word.len()),
            Expected::By(form) => form.credential_in(word),
            Expected::Assigned => behind(word, b'='),
            Expected::Anything => self.by_its_own(word),
        };
        if let Ok(name) = std::str::from_utf8(word)
            && !name.starts_with('-')
        {
            let name = name.rsplit('/').next().unwrap_or(name);
            for (row, (names, ..)) in SHORT_OPTIONS.iter().enumerate() {
                self.known |= u32::from(names.contains(&name)) << row;
            }
            self.sets |= matches!(name, "set" | "setenv" | "config" | "configure");
        }
        found
    }

    fn by_its_own(&mut self, word: &[u8]) -> Option<Range<usize>> {
        if let Some((length, form)) = self.short_option(word) {
            let value = &word[length..];
            if value.is_empty() {
                if form != Form::Attached {
                    self.expected = Expected::By(form);
                }
                return None;
            }
            return form.credential_in(value).map(|span| length + span.start..length + span.end);
        }
        for option in [&b"--user="[..], b"--proxy-user="] {
            if let Some(value) = word.strip_prefix(option) {
                let span = Form::User.credential_in(value)?;
                return Some(option.len() + span.start..option.len() + span.end);
            }
        }
        if let Some(value) = word.strip_prefix(b"--from-literal=") {
            let span = behind(value, b'=')?;
            return Some(word.len() - value.len() + span.start..word.len());
        }
        self.expected = self.expected_after(word);
        None
    }

    /// Returns the length of the short option at the start of a word, and the form of its
    /// credential.
    fn short_option(&self, word: &[u8]) -> Option<(usize, Form)> {
        let known = SHORT_OPTIONS.iter().enumerate().filter(|(row, _)| self.known >> row & 1 == 1);
        known.map(|(_, row)| row).find_map(|(_, option, form, before)| {
            let option = option.as_bytes();
            if *form == Form::Next {
                return (word == option).then_some((option.len(), *form));
            }
            if word.starts_with(option) {
                return Some((option.len(), *form));
            }
            let (&letter, letters) = (option.last()?, word.strip_prefix(b"-")?);
            let others = letters.iter().take_while(|it| before.as_bytes().contains(it)).count();
            (letters.get(others) == Some(&letter)).then_some((others + 2, *form))
        })
    }

    /// Returns the role of the word after `word`.
    fn expected_after(&self, word: &[u8]) -> Expected {
        let Some(name) = word.strip_prefix(b"-") else {
            return if word.eq_ignore_ascii_case(b"bearer") || self.sets && is_setting(word) {
                Expected::Credential
            } else {
                Expected::Anything
            };
        };
        let is_name = name.iter().all(|byte| is_of_a_name(*byte));
        match word {
            b"--user" | b"--proxy-user" => Expected::By(Form::User),
            b"--from-literal" => Expected::Assigned,
            _ if is_name && !name.starts_with(b"-no-") && is_secret(name) => Expected::Credential,
            _ => Expected::Anything,
        }
    }
}

impl Form {
    /// Returns the part of a value that is a credential.
    fn credential_in(self, value: &[u8]) -> Option<Range<usize>> {
        match self {
            Form::Value | Form::Attached | Form::Next => Some(0..value.len()),
            // The numbers of a user and a group are no credentials.
            Form::User if value.iter().all(|byte| byte.is_ascii_digit() || *byte == b':') => {
                value.starts_with(b":").then_some(1..value.len())
            }
            Form::User => behind(value, b':'),
            Form::Percent => behind(value, b'%'),
            Form::Comma => behind(value, b','),
            Form::Cookie => value.contains(&b'=').then_some(0..value.len()),
        }
    }
}

/// Returns the part after the first occurrence of `sign`.
fn behind(value: &[u8], sign: u8) -> Option<Range<usize>> {
    value.iter().position(|byte| *byte == sign).map(|at| at + 1..value.len())
}

/// Returns whether this is the name of a setting that holds a credential: `github.token`,
/// `//registry.npmjs.org/:_authToken`. A word without punctuation may be anything.
fn is_setting(word: &[u8]) -> bool {
    let name = word.rsplit(|byte| b":/".contains(byte)).next().unwrap_or(word);
    let is_name = name.iter().all(|byte| is_of_a_name(*byte));
    is_name && name.iter().any(|byte| b"._".contains(byte)) && is_secret(name)
}
