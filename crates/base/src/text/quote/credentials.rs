//! Credentials in command lines, and what is shown in their place.
//!
//! A store keeps command lines as they were typed; whoever looks over a shoulder, or reads
//! the log of a CI job, is not to read a password in a table. What is taken for a credential
//! and is none costs the reader a look with `--reveal`, so a doubtful case is decided that
//! way, except that variables of a shell stay as they are: `$TOKEN` tells nobody anything.
//!
//! Two things tell a credential: what stands around it in a text (`names`, `text`), and the
//! option before it (`options`), in the command line as in the scripts that it has for
//! arguments. Both are guesses. What is masked is where a credential stands that is named
//! as one, and nothing says that there are no others.

mod names;
mod options;
mod text;

use super::word;
use options::Options;
use std::borrow::Cow;
use std::ops::Range;

/// What stands in the place of a credential.
const MASK: &[u8] = b"***";

/// Whether credentials in a command line are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// `***` is shown in their place.
    #[default]
    Masked,
    /// They are.
    Revealed,
}

impl Credentials {
    /// What an option `--reveal` asks for.
    pub fn reveal(reveal: bool) -> Credentials {
        if reveal { Credentials::Revealed } else { Credentials::Masked }
    }

    /// The words of a command line as they may be shown.
    pub fn words<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> Vec<Cow<'w, [u8]>> {
        let argv = argv.into_iter();
        match self {
            Credentials::Revealed => argv.map(Cow::Borrowed).collect(),
            Credentials::Masked => masked(&argv.collect::<Vec<_>>()),
        }
    }

    /// A text, such as a script, as it may be shown.
    pub fn text(self, text: &str) -> String {
        match self {
            Credentials::Revealed => text.to_owned(),
            Credentials::Masked => String::from_utf8_lossy(&in_text(text.as_bytes())).into_owned(),
        }
    }

    /// The words of a command line as texts.
    pub fn texts<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> Vec<String> {
        let words = self.words(argv);
        words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// The words of a command line as a line that a shell takes for these words.
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

/// A word, or a script, without the credentials that can be told by what is around them.
fn in_text(text: &[u8]) -> Cow<'_, [u8]> {
    hide(text, &text::credentials_in(text))
}

/// A text without these parts of it, which may overlap.
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

/// What is hidden of a part of a text; nothing of a variable of a shell.
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
