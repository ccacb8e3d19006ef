//! The simple commands in a shell script, wherever they stand in it.
//!
//! This is no shell: it knows which text is a word, and what quotes and redirections take away from
//! it, but neither values of variables nor which commands run. What it does not understand, it
//! takes for commands rather than for text.

/// The deepest nesting of parentheses and substitutions that is followed.
const DEPTH: usize = 64;

/// The words that have a command after them, in some shell.
const KEYWORDS: [&[u8]; 16] = [
    b"!",
    b"and",
    b"begin",
    b"coproc",
    b"do",
    b"elif",
    b"else",
    b"if",
    b"nocorrect",
    b"noglob",
    b"not",
    b"or",
    b"then",
    b"time",
    b"until",
    b"while",
];

/// The commands of a script.
#[derive(Default)]
pub struct Script {
    /// Each one with its assignments and keywords in front.
    pub commands: Vec<Vec<Word>>,
    /// Values that variables may have in it.
    pub values: Vec<Vec<u8>>,
    /// True if it is nested too deeply to be examined.
    pub is_odd: bool,
}

/// A word without its quotes. Of what is expanded, nothing is left.
#[derive(Clone, Default)]
pub struct Word {
    /// The text.
    pub text: Vec<u8>,
    /// True if some of it is expanded behind the last slash, so that a command of this name is not
    /// known.
    pub is_open: bool,
    /// True if some of it was quoted, so that it is a word even without any text.
    is_quoted: bool,
}

/// Where the parser stands.
struct Parser<'s> {
    script: &'s [u8],
    at: usize,
    depth: usize,
    /// The length of texts that may still be read apart: one may be in many others.
    left: usize,
    told: Script,
    /// The ends of the documents that begin with the next line.
    documents: Vec<Vec<u8>>,
}

/// Returns the commands in a script.
pub fn parse(script: &[u8]) -> Script {
    let mut parser = Parser::new(script, 0, 4096 + 8 * script.len());
    parser.all();
    parser.told
}

impl<'s> Parser<'s> {
    fn new(script: &'s [u8], depth: usize, left: usize) -> Parser<'s> {
        Parser { script, at: 0, depth, left, told: Script::default(), documents: Vec::new() }
    }

    /// Reads all commands.
    fn all(&mut self) {
        while self.at < self.script.len() {
            self.commands(None);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.script.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, bytes: &[u8]) -> bool {
        let is_next = self.script[self.at.min(self.script.len())..].starts_with(bytes);
        self.at += if is_next { bytes.len() } else { 0 };
        is_next
    }

    /// Reads commands up to an end, which is taken too.
    fn commands(&mut self, end: Option<u8>) {
        self.depth += 1;
        let mut command = Vec::new();
        // Patterns of `case` have a parenthesis that ends nothing.
        let mut cases = 0_usize;
        while let Some(byte) = self.peek() {
            if Some(byte) == end && !(byte == b')' && cases > 0) {
                self.at += 1;
                break;
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => self.skip_line(),
                b'\n' => {
                    self.at += 1;
                    self.finish(&mut command);
                    self.read_documents();
                }
                // It ends a pattern.
                b')' if cases > 0 => {
                    self.at += 1;
                    command.clear();
                }
                b';' | b'|' | b')' => {
                    self.at += 1;
                    self.finish(&mut command);
                }
                b'&' => {
                    self.at += 1;
                    if self.peek() == Some(b'>') {
                        self.redirection();
                    } else {
                        self.finish(&mut command);
                    }
                }
                b'(' => {
                    self.at += 1;
                    self.finish(&mut command);
                    self.inner();
                }
                b'<' | b'>' => self.redirection(),
                _ => {
                    let word = self.word();
                    let is_redirected = matches!(self.peek(), Some(b'<' | b'>'));
                    if word.is_bare(b"{") || word.is_bare(b"}") {
                        self.finish(&mut command);
                    } else if !(is_redirected && word.is_descriptor()) {
                        let is_first = command.iter().all(|word: &Word| is_keyword(&word.text));
                        if is_first && word.is_bare(b"case") {
                            cases += 1;
                        } else if is_first && word.is_bare(b"esac") {
                            cases = cases.saturating_sub(1);
                        }
                        command.push(word);
                    }
                }
            }
        }
        self.finish(&mut command);
        self.depth -= 1;
    }

    /// Reads the commands in parentheses.
    fn inner(&mut self) {
        if self.may_descend() {
            self.commands(Some(b')'));
        }
    }

    /// Reads a text with commands of its own.
    fn read_apart<'t>(&mut self, text: &'t [u8], read: impl FnOnce(&mut Parser<'t>)) {
        let left = self.left.checked_sub(text.len() + 1);
        self.told.is_odd |= left.is_none();
        let Some(left) = left.filter(|_| self.may_descend()) else { return };
        let mut parser = Parser::new(text, self.depth + 1, left);
        read(&mut parser);
        self.left = parser.left;
        let told = parser.told;
        self.told.commands.extend(told.commands);
        self.told.values.extend(told.values);
        self.told.is_odd |= told.is_odd;
    }

    fn may_descend(&mut self) -> bool {
        let may = self.depth < DEPTH;
        self.told.is_odd |= !may;
        may
    }

    fn finish(&mut self, command: &mut Vec<Word>) {
        if !command.is_empty() {
            self.told.commands.push(std::mem::take(command));
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    /// Reads an operator such as `2>&` and its target.
    fn redirection(&mut self) {
        let is_document = self.script[self.at..].starts_with(b"<<")
            && !self.script[self.at..].starts_with(b"<<<");
        while self.peek().is_some_and(|byte| b"<>&|".contains(&byte)) {
            self.at += 1;
        }
        if is_document {
            self.skip(b"-");
        } else if self.skip(b"(") {
            return self.inner();
        }
        while self.peek().is_some_and(|byte| b" \t".contains(&byte)) {
            self.at += 1;
        }
        if self.peek().is_none_or(ends_word) {
            return;
        }
        let target = self.word();
        if is_document {
            self.documents.push(target.text);
        }
    }

    /// Reads the documents that begin here. They may be scripts, or texts with substitutions.
    fn read_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            let start = self.at;
            while self.at < self.script.len() {
                let from = self.at;
                self.skip_line();
                let line = self.script[from..self.at].trim_ascii_start();
                self.at = self.script.len().min(self.at + 1);
                if line == end {
                    break;
                }
            }
            let document = &self.script[start..self.at];
            self.read_apart(document, |parser| parser.quoted(&mut Word::default(), 0));
            self.read_apart(document, Parser::all);
        }
    }

    /// Reads a word.
    fn word(&mut self) -> Word {
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
                b'$' | b'`' => self.expansion(byte, &mut word),
                _ => {
                    has_pattern |= b"*?[{".contains(&byte);
                    word.push(byte);
                }
            }
        }
        word.is_open |= has_pattern && !matches!(&word.text[..], b"[" | b"[[" | b"{");
        word
    }

    /// Reads text between double quotes or braces, up to the end.
    fn quoted(&mut self, word: &mut Word, end: u8) {
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
                _ => word.push(byte),
            }
        }
        self.depth -= 1;
    }

    /// Reads what follows a dollar sign or a backtick.
    fn expansion(&mut self, sign: u8, word: &mut Word) {
        let was_open = std::mem::replace(&mut word.is_open, true);
        if sign == b'`' {
            let mut text = Vec::new();
            while let Some(next) = self.next().filter(|&next| next != b'`') {
                let escaped = self.peek().filter(|it| next == b'\\' && b"`\\$".contains(it));
                text.push(escaped.unwrap_or(next));
                self.at += usize::from(escaped.is_some());
            }
            return self.read_apart(&text, Parser::all);
        }
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
                let mut inside = Word::default();
                self.quoted(&mut inside, b'}');
                // What stands for a variable without a value.
                let value = inside.text.splitn(2, |byte| b"-=+".contains(byte)).nth(1);
                self.told.values.extend(value.map(<[u8]>::to_vec));
            }
            // Text with escapes, which are not decoded; or a text to translate.
            Some(b'\'') => {
                self.at += 1;
                while let Some(next) = self.next().filter(|&next| next != b'\'') {
                    word.text.push(next);
                    if next == b'\\' {
                        word.text.extend(self.next());
                    }
                }
            }
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                while self.peek().is_some_and(|it| it == b'_' || it.is_ascii_alphanumeric()) {
                    self.at += 1;
                }
            }
            Some(byte) if b"@*#?$!-0123456789".contains(&byte) => self.at += 1,
            Some(b'"') => word.is_open = was_open,
            _ => {
                word.is_open = was_open;
                word.push(b'$');
            }
        }
    }
}

impl Word {
    /// Returns whether this is nothing but this text without quotes.
    fn is_bare(&self, text: &[u8]) -> bool {
        self.text == text && !self.is_quoted && !self.is_open
    }

    /// Returns whether this in front of a redirection says which descriptor it is about.
    fn is_descriptor(&self) -> bool {
        let is_name = self.text.starts_with(b"{") && self.text.ends_with(b"}");
        let is_number = !self.text.is_empty() && self.text.iter().all(u8::is_ascii_digit);
        (is_number || is_name) && !self.is_quoted
    }

    /// Returns whether this may be no word at all.
    pub fn may_vanish(&self) -> bool {
        self.text.is_empty() && !self.is_quoted
    }

    fn push(&mut self, byte: u8) {
        self.text.push(byte);
        // The name of a command is what is behind the last slash.
        self.is_open &= byte != b'/';
    }
}

/// Returns whether a command begins after this word.
pub fn is_keyword(word: &[u8]) -> bool {
    KEYWORDS.contains(&word)
}

/// Returns whether a byte that is not quoted ends a word.
fn ends_word(byte: u8) -> bool {
    b" \t\r\n;&|()<>".contains(&byte)
}
