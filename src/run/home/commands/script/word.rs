//! The words of a script, and what is expanded in them.

use super::super::patterns::HOLE;
use super::{Parser, escapes};

/// A word without its quotes. Of what is expanded, nothing is left.
#[derive(Clone, Default)]
pub struct Word {
    /// The text.
    pub text: Vec<u8>,
    /// The text with a [`HOLE`] in place of each expansion.
    pub shape: Vec<u8>,
    /// True if some of it is expanded behind the last slash, so that a command of this name is not
    /// known.
    pub is_open: bool,
    /// True if some of it was quoted, so that it is a word even without any text.
    is_quoted: bool,
}

impl Parser<'_> {
    /// Reads a word.
    pub(super) fn word(&mut self) -> Word {
        let mut word = Word::default();
        let mut has_pattern = false;
        while let Some(byte) = self.peek().filter(|&byte| !ends_word(byte)) {
            self.at += 1;
            match byte {
                b'\\' => {
                    if let Some(next) = self.next().filter(|&next| next != b'\n') {
                        word.push(next);
                        word.is_quoted = true;
                    }
                }
                b'\'' => {
                    word.is_quoted = true;
                    while let Some(next) = self.next().filter(|&next| next != b'\'') {
                        word.push(next);
                    }
                }
                b'"' => {
                    word.is_quoted = true;
                    self.quoted(&mut word, b'"');
                }
                b'$' if self.peek() == Some(b'\'') => self.escaped(&mut word),
                b'$' | b'`' => self.expansion(byte, &mut word),
                _ => {
                    let is_pattern = b"*?[{".contains(&byte);
                    if is_pattern {
                        has_pattern = true;
                        word.shape.push(HOLE);
                    }
                    word.push(byte);
                    // What braces stand for is said.
                    if is_pattern && byte != b'{' {
                        word.shape.pop();
                    }
                }
            }
        }
        if matches!(&word.text[..], b"[" | b"[[" | b"{") {
            word.shape.clone_from(&word.text);
        } else {
            word.is_open |= has_pattern;
        }
        word
    }

    /// Reads `'…'` behind a dollar sign.
    fn escaped(&mut self, word: &mut Word) {
        self.at += 1;
        word.is_quoted = true;
        let mut text = Vec::new();
        while let Some(next) = self.next().filter(|&next| next != b'\'') {
            if next == b'\\' {
                // This is the end in shells without such quotes.
                self.told.is_unclear |= self.peek() == Some(b'\'');
                self.at += escapes::decode(&self.script[self.at..], &mut text);
            } else {
                text.push(next);
            }
        }
        text.into_iter().take_while(|&byte| byte != 0).for_each(|byte| word.push(byte));
    }

    /// Reads text between double quotes or braces, up to the end.
    pub(super) fn quoted(&mut self, word: &mut Word, end: u8) {
        if !self.may_descend() {
            return;
        }
        self.depth += 1;
        while let Some(byte) = self.next().filter(|&byte| byte != end) {
            match byte {
                b'\\' => match self.next() {
                    Some(b'\n') | None => {}
                    Some(next) if b"$`\"\\".contains(&next) => word.push(next),
                    Some(next) => {
                        word.push(byte);
                        word.push(next);
                    }
                },
                b'$' | b'`' => self.expansion(byte, word),
                _ => {
                    // Where quotes count in braces depends on the shell.
                    self.told.is_unclear |= end == b'}' && matches!(byte, b'\'' | b'"');
                    word.push(byte);
                }
            }
        }
        self.depth -= 1;
    }

    /// Reads what follows a dollar sign or a backtick.
    fn expansion(&mut self, sign: u8, word: &mut Word) {
        word.shape.push(HOLE);
        if sign == b'`' {
            word.is_open = true;
            let mut text = Vec::new();
            while let Some(next) = self.next().filter(|&next| next != b'`') {
                let escaped = self.peek().filter(|it| next == b'\\' && b"`\\$".contains(it));
                text.push(escaped.unwrap_or(next));
                self.at += usize::from(escaped.is_some());
            }
            return self.read_apart(&text, Parser::all);
        }
        let was_open = std::mem::replace(&mut word.is_open, true);
        match self.peek() {
            Some(b'(') => {
                self.at += 1;
                let documents = (self.peek() == Some(b'(')).then_some(self.documents.len());
                self.inner();
                // In arithmetic, `<<` is no redirection.
                self.documents.truncate(documents.unwrap_or(usize::MAX));
            }
            Some(b'{') => {
                self.at += 1;
                // Some shells run what is between such braces.
                self.told.is_unclear |= self.peek().is_some_and(|byte| b" \t\n|".contains(&byte));
                let mut inside = Word::default();
                self.quoted(&mut inside, b'}');
                // What stands for a variable without a value.
                let value = inside.text.splitn(2, |byte| b"-=+".contains(byte)).nth(1);
                self.told.values.extend(value.map(<[u8]>::to_vec));
            }
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                while self.peek().is_some_and(|it| it == b'_' || it.is_ascii_alphanumeric()) {
                    self.at += 1;
                }
            }
            Some(byte) if b"@*#?$!-0123456789".contains(&byte) => self.at += 1,
            // A text to translate.
            Some(b'"') => {
                word.is_open = was_open;
                word.shape.pop();
            }
            _ => {
                word.is_open = was_open;
                word.shape.pop();
                word.push(b'$');
            }
        }
    }
}

impl Word {
    /// Returns whether this is nothing but this text without quotes.
    pub fn is_bare(&self, text: &[u8]) -> bool {
        self.text == text && !self.is_quoted && !self.is_open
    }

    /// Returns whether this in front of a redirection says which descriptor it is about.
    pub(super) fn is_descriptor(&self) -> bool {
        let is_name = self.text.starts_with(b"{") && self.text.ends_with(b"}");
        let is_number = !self.text.is_empty() && self.text.iter().all(u8::is_ascii_digit);
        (is_number || is_name) && !self.is_quoted
    }

    /// Returns whether this may be no word at all.
    pub(super) fn may_vanish(&self) -> bool {
        self.text.is_empty() && !self.is_quoted
    }

    fn push(&mut self, byte: u8) {
        self.text.push(byte);
        self.shape.push(byte);
        // The name of a command is what is behind the last slash.
        self.is_open &= byte != b'/';
    }
}

/// Returns whether a byte that is not quoted ends a word.
pub(super) fn ends_word(byte: u8) -> bool {
    b" \t\n;&|()<>".contains(&byte)
}
