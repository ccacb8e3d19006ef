//! Credentials in command lines, and their masking.
//!
//! A store keeps command lines as they were typed; whoever looks over a shoulder, or reads the log
//! of a CI job, must not find a password in a table. Masking too much costs the reader a look with
//! `--reveal`, so doubtful cases are masked, except for shell variables: `$TOKEN` reveals nothing.
//!
//! A credential is recognized by the text around it (`names`, `text`) or by the option before it
//! (`options`), in the command line as in scripts that are its arguments. Both are guesses: only
//! credentials that are named as such are masked, and there may be others.

mod names;
mod options;
mod text;

use super::word;
use options::Options;
use std::borrow::Cow;
use std::ops::Range;

/// The text shown in place of a credential.
const MASK: &[u8] = b"***";

/// The display of credentials in a command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// They are shown as `***`.
    #[default]
    Masked,
    /// They are shown.
    Revealed,
}

impl Credentials {
    /// Returns the value for an option `--reveal`.
    pub fn reveal(reveal: bool) -> Credentials {
        if reveal { Credentials::Revealed } else { Credentials::Masked }
    }

    /// Returns the words of a command line as they may be shown.
    pub fn words<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> Vec<Cow<'w, [u8]>> {
        let argv = argv.into_iter();
        match self {
            Credentials::Revealed => argv.map(Cow::Borrowed).collect(),
            Credentials::Masked => masked(&argv.collect::<Vec<_>>()),
        }
    }

    /// Returns a text, such as a script, as it may be shown.
    pub fn text(self, text: &str) -> String {
        match self {
            Credentials::Revealed => text.to_owned(),
            Credentials::Masked => String::from_utf8_lossy(&in_text(text.as_bytes())).into_owned(),
        }
    }

    /// Returns the words of a command line, as they may be shown, as strings.
    pub fn texts<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> Vec<String> {
        let words = self.words(argv);
        words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// Returns a command line, as it may be shown, quoted for a shell.
    pub fn line<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> String {
        let words: Vec<String> = self.words(argv).iter().map(|it| word(it)).collect();
        words.join(" ")
    }
}

fn masked<'w>(argv: &[&'w [u8]]) -> Vec<Cow<'w, [u8]>> {
    let mut options = Options::default();
    let mask_one = |&word: &&'w [u8]| match options.credential_in(word) {
        Some(span) => hide(word, &[span]),
        None => in_text(word),
    };
    argv.iter().map(mask_one).collect()
}

/// Masks the credentials in a word, or a script, that are recognized by the text around them.
fn in_text(text: &[u8]) -> Cow<'_, [u8]> {
    hide(text, &text::credentials_in(text))
}

/// Masks these parts of a text, which may overlap.
fn hide<'t>(text: &'t [u8], spans: &[Range<usize>]) -> Cow<'t, [u8]> {
    let mut spans: Vec<_> = spans.iter().filter_map(|span| without_quotes(text, span)).collect();
    spans.sort_by_key(|span| span.start);
    let mut shown = Vec::new();
    let mut copied = 0;
    for span in spans {
        if span.start >= copied {
            shown.extend_from_slice(&text[copied..span.start]);
            shown.extend_from_slice(MASK);
        }
        copied = copied.max(span.end);
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.extend_from_slice(&text[copied..]);
    Cow::Owned(shown)
}

/// Returns the part of a span to mask; none of a shell variable.
fn without_quotes(text: &[u8], span: &Range<usize>) -> Option<Range<usize>> {
    let is_quote = |byte: &u8| b"'\"\\".contains(byte);
    let part = &text[span.clone()];
    let start = part.iter().take_while(|byte| is_quote(byte)).count();
    let end = part.len() - part[start..].iter().rev().take_while(|byte| is_quote(byte)).count();
    let of_a_shell = part[start..].starts_with(b"$");
    (start < end && !of_a_shell).then(|| span.start + start..span.start + end)
}

#[cfg(test)]
mod tests;
