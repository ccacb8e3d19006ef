//! The simple commands in a shell script, wherever they stand in it.
//!
//! This is no shell: it knows which text is a word, and what quotes and redirections take away from
//! it, but neither values of variables nor which commands run. What it does not understand, it
//! takes for commands rather than for text.

mod word;

pub use word::Word;

use super::patterns::has_hole;
use super::{Budget, escapes};
use word::ends_word;

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
    pub commands: Vec<Command>,
    /// Values that variables may have in it.
    pub values: Vec<Vec<u8>>,
    /// Texts that are somebody's input.
    pub documents: Vec<Vec<u8>>,
    /// The files that are opened as somebody's input.
    pub inputs: Vec<Vec<u8>>,
    /// True if it is too long or nested too deeply to be examined.
    pub is_odd: bool,
    /// True if shells differ about what some of it means, so that there may be other commands.
    pub is_unclear: bool,
}

/// A simple command.
#[derive(Default)]
pub struct Command {
    /// Its words, those in front of its name included.
    pub words: Vec<Word>,
    /// True if nobody reads its output, but for how long it is or whether something is in it.
    pub is_silent: bool,
}

/// A command that is being read.
#[derive(Default)]
struct Draft {
    words: Vec<Word>,
    /// True once a word of it is more than a keyword.
    is_named: bool,
    /// The number of redirections of its output, and how many of them are to nowhere.
    outputs: usize,
    nowhere: usize,
    /// The command whose output it reads, by its place in [`Script::commands`].
    source: Option<usize>,
}

/// A document that begins with the next line.
struct Document {
    end: Vec<u8>,
    /// True if tabs before the end do not count.
    is_indented: bool,
}

/// Where the parser stands. It never goes back.
struct Parser<'s> {
    script: &'s [u8],
    at: usize,
    depth: usize,
    /// Texts that are read apart, and that may be in many others, are charged to it.
    budget: &'s Budget,
    told: Script,
    documents: Vec<Document>,
}

/// Returns the commands in a script. Takes a number of steps that is proportional to its length,
/// and to that of texts in it that are read apart, all of which is charged to the budget.
pub fn parse(script: &[u8], budget: &Budget) -> Script {
    let mut parser = Parser::new(script, 0, budget);
    if budget.spend(script.len()) {
        parser.all();
    } else {
        parser.told.is_odd = true;
    }
    parser.told
}

impl<'s> Parser<'s> {
    fn new(script: &'s [u8], depth: usize, budget: &'s Budget) -> Parser<'s> {
        Parser { script, at: 0, depth, budget, told: Script::default(), documents: Vec::new() }
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

    /// Reads commands up to an end, which is taken too.
    fn commands(&mut self, end: Option<u8>) {
        self.depth += 1;
        let mut draft = Draft::default();
        // Patterns of `case` have a parenthesis that ends nothing.
        let mut cases = 0_usize;
        while let Some(byte) = self.peek() {
            if Some(byte) == end && !(byte == b')' && cases > 0) {
                self.at += 1;
                break;
            }
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'#' => self.skip_line(),
                b'\n' => {
                    self.at += 1;
                    self.finish(&mut draft);
                    self.read_documents();
                }
                // It ends a pattern.
                b')' if cases > 0 => {
                    self.at += 1;
                    draft = Draft::default();
                }
                b'|' => {
                    self.at += 1;
                    let source = self.finish(&mut draft);
                    draft.source = source.filter(|_| self.peek() != Some(b'|'));
                }
                b';' | b')' => {
                    self.at += 1;
                    self.finish(&mut draft);
                }
                b'&' => {
                    self.at += 1;
                    if self.peek() == Some(b'>') {
                        self.redirection(&mut draft, None);
                    } else {
                        self.finish(&mut draft);
                    }
                }
                b'(' => {
                    let is_array = self.script[..self.at].ends_with(b"=");
                    self.at += 1;
                    self.finish(&mut draft);
                    let first = self.told.commands.len();
                    self.inner();
                    if is_array {
                        let words = self.told.commands[first..].iter().flat_map(|it| &it.words);
                        self.told.values.extend(words.map(|word| word.text.clone()));
                    }
                }
                b'<' | b'>' => self.redirection(&mut draft, None),
                _ => {
                    let word = self.word();
                    let is_redirected = matches!(self.peek(), Some(b'<' | b'>'));
                    if word.is_bare(b"{") || word.is_bare(b"}") {
                        self.finish(&mut draft);
                    } else if is_redirected && word.is_descriptor() {
                        self.redirection(&mut draft, Some(word));
                    } else {
                        if !draft.is_named && word.is_bare(b"case") {
                            cases += 1;
                        } else if !draft.is_named && word.is_bare(b"esac") {
                            cases = cases.saturating_sub(1);
                        }
                        draft.is_named |= !is_keyword(&word.text);
                        draft.words.push(word);
                    }
                }
            }
        }
        self.finish(&mut draft);
        self.depth -= 1;
    }

    /// Reads the commands in parentheses.
    fn inner(&mut self) {
        if self.may_descend() {
            self.commands(Some(b')'));
        }
    }

    /// Reads a text with commands of its own.
    fn read_apart<'t>(&mut self, text: &'t [u8], read: impl FnOnce(&mut Parser<'t>))
    where
        's: 't,
    {
        if !self.may_descend() {
            return;
        }
        if !self.budget.spend(text.len() + 1) {
            return self.give_up();
        }
        let mut parser = Parser::new(text, self.depth + 1, self.budget);
        read(&mut parser);
        let told = parser.told;
        self.told.commands.extend(told.commands);
        self.told.values.extend(told.values);
        self.told.documents.extend(told.documents);
        self.told.inputs.extend(told.inputs);
        self.told.is_unclear |= told.is_unclear;
        if told.is_odd {
            self.give_up();
        }
    }

    fn may_descend(&mut self) -> bool {
        let may = self.depth < DEPTH;
        if !may {
            self.give_up();
        }
        may
    }

    /// Leaves the rest unread.
    fn give_up(&mut self) {
        self.told.is_odd = true;
        self.at = self.script.len();
    }

    /// Ends a command. Returns its place.
    fn finish(&mut self, draft: &mut Draft) -> Option<usize> {
        let Draft { words, outputs, nowhere, source, .. } = std::mem::take(draft);
        if words.is_empty() {
            return None;
        }
        if let Some(source) = source.filter(|_| counts_input(&words)) {
            self.told.commands[source].is_silent = true;
        }
        self.told.commands.push(Command { words, is_silent: outputs == 1 && nowhere == 1 });
        (outputs == 0).then(|| self.told.commands.len() - 1)
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    /// Reads an operator such as `2>&` behind its descriptor, and its target.
    fn redirection(&mut self, draft: &mut Draft, descriptor: Option<Word>) {
        let from = self.at;
        while self.peek().is_some_and(|byte| b"<>&|".contains(&byte)) {
            self.at += 1;
        }
        let operator = &self.script[from..self.at];
        let is_input = operator.starts_with(b"<");
        let is_output = !is_input && descriptor.is_none_or(|word| word.text == b"1");
        draft.outputs += usize::from(is_output);
        let is_document = operator == b"<<";
        let is_indented = is_document && self.peek() == Some(b'-');
        if is_indented {
            self.at += 1;
        } else if !is_document && self.peek() == Some(b'(') {
            self.at += 1;
            return self.inner();
        }
        while self.peek().is_some_and(|byte| b" \t".contains(&byte)) {
            self.at += 1;
        }
        if self.peek().is_none_or(ends_word) {
            return;
        }
        let target = self.word();
        match operator {
            b"<<" => {
                // An end with a dollar sign is taken as it is written.
                self.told.is_unclear |= target.is_open;
                self.documents.push(Document { end: target.text, is_indented });
            }
            // It may be a script.
            b"<<<" => {
                self.read_apart(&target.text, Parser::all);
                self.told.documents.push(target.text);
            }
            b">" | b">>" | b">|" if is_output && target.is_bare(b"/dev/null") => {
                draft.nowhere += 1;
            }
            _ if is_input => self.told.inputs.push(target.shape),
            _ => {}
        }
    }

    /// Reads the documents that begin here. They may be scripts, or texts with substitutions.
    fn read_documents(&mut self) {
        for Document { end, is_indented } in std::mem::take(&mut self.documents) {
            let start = self.at;
            let mut is_ended = false;
            while self.at < self.script.len() && !is_ended {
                let from = self.at;
                self.skip_line();
                let line = &self.script[from..self.at];
                self.at = self.script.len().min(self.at + 1);
                let tabs = line.iter().take_while(|&&byte| is_indented && byte == b'\t').count();
                is_ended = line[tabs..] == end;
            }
            self.told.is_unclear |= !is_ended;
            let document = &self.script[start..self.at];
            self.read_apart(document, |parser| parser.quoted(&mut Word::default(), 0));
            self.read_apart(document, Parser::all);
            self.told.documents.push(document.to_vec());
        }
    }
}

impl Command {
    /// Returns the text of its words that are there whatever is expanded.
    pub fn texts(&self) -> Vec<&[u8]> {
        self.words.iter().filter(|word| !word.may_vanish()).map(|word| &word.text[..]).collect()
    }

    /// Returns all of its words with a `HOLE` for what is expanded, if anything is.
    pub fn shapes(&self) -> Option<Vec<&[u8]>> {
        let shapes: Vec<&[u8]> = self.words.iter().map(|word| &word.shape[..]).collect();
        shapes.iter().any(|shape| has_hole(shape)).then_some(shapes)
    }
}

/// Returns whether a command begins after this word.
pub fn is_keyword(word: &[u8]) -> bool {
    KEYWORDS.contains(&word)
}

/// Returns whether a command prints no more of its input than how much of it there is.
fn counts_input(words: &[Word]) -> bool {
    let Some((command, arguments)) = words.split_first() else { return false };
    let is_among = |word: &Word, texts: &[&[u8]]| texts.iter().any(|text| word.is_bare(text));
    let is_count = |word: &Word| is_among(word, &[b"-c", b"-l", b"-m", b"-w"]);
    command.is_bare(b"grep")
        && arguments.first().is_some_and(|word| is_among(word, &[b"-c", b"-q"]))
        || command.is_bare(b"wc") && arguments.iter().all(is_count)
}
