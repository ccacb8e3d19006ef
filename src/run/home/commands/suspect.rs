//! Text in a grammar that is not known for certain, read so that no command in it is missed.
//!
//! Quotes are dropped and operators divide, wherever they stand. So what is quoted or a comment is
//! taken for commands, too.

use super::escapes;
use super::patterns::HOLE;

/// The meaning of a backslash before a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backslash {
    /// It quotes the letter.
    Quotes,
    /// It makes a line break or another control character of it.
    Divides,
}

/// A command that text may hold, and what it may be given.
pub type Line = Vec<Vec<u8>>;

/// Returns the lines of a text, each divided into words.
pub fn lines(text: &[u8], backslash: Backslash) -> Vec<Line> {
    let mut lines = Lines::default();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\\' => {
                let length = escapes::decode_number(&text[at..], &mut lines.word);
                at += length;
                let next = text.get(at).filter(|_| length == 0);
                let is_control = next.is_some_and(|next| b"abcefnrtv".contains(next));
                if next == Some(&b'\n') {
                    at += 1;
                } else if is_control && backslash == Backslash::Divides {
                    at += 1;
                    lines.end_line();
                }
            }
            b'\'' | b'"' => {}
            b'$' | b'(' | b'`' | b'*' | b'{' if lines.word.is_empty() && !lines.line.is_empty() => {
                // It is computed.
                lines.line.push(vec![HOLE]);
                if !matches!(byte, b'$' | b'*') {
                    lines.end_line();
                }
            }
            b' ' | b'\t' | b'\r' | b',' | b'$' => lines.end_word(),
            b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'<' | b'>' | b'{' | b'}' | b'`' | 0 => {
                lines.end_line();
            }
            _ => lines.word.push(byte),
        }
    }
    lines.end_line();
    lines.ended
}

#[derive(Default)]
struct Lines {
    ended: Vec<Line>,
    line: Line,
    word: Vec<u8>,
}

impl Lines {
    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.line.push(std::mem::take(&mut self.word));
        }
    }

    fn end_line(&mut self) {
        self.end_word();
        if !self.line.is_empty() {
            self.ended.push(std::mem::take(&mut self.line));
        }
    }
}

/// Returns a word without the signs in front of it, such as zsh's `=`.
pub fn bare(word: &[u8]) -> &[u8] {
    let is_sign = |byte: &u8| byte.is_ascii_punctuation() && !b"/._-".contains(byte);
    &word[word.iter().take_while(|byte| is_sign(byte)).count()..]
}
