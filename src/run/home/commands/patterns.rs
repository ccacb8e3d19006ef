//! Words compared with patterns, in which `*` stands for any text.
//!
//! In a word, [`HOLE`] stands for what a script computes. It may be anything.

use super::rules;

/// Stands for what is computed in a word: no argument holds this byte.
pub const HOLE: u8 = 0;

/// Returns whether some of a word is computed.
pub fn has_hole(word: &[u8]) -> bool {
    word.contains(&HOLE)
}

/// Options without a value in front of subcommands. Others may have one.
const FLAGS: [&[u8]; 16] = [
    b"--",
    b"--all-namespaces",
    b"--bare",
    b"--debug",
    b"--global",
    b"--local",
    b"--paginate",
    b"--quiet",
    b"--silent",
    b"--system",
    b"--verbose",
    b"--watch",
    b"--yes",
    b"-A",
    b"-P",
    b"-q",
];

/// Returns what is known of a word: what it begins and ends with.
pub fn known(word: &[u8]) -> (&[u8], &[u8]) {
    let Some(first) = word.iter().position(|&byte| byte == HOLE) else { return (word, b"") };
    // What is behind a bracket or a brace follows what they stand for.
    let last = word.iter().rposition(|byte| matches!(byte, &HOLE | b']' | b'}'));
    (&word[..first], &word[last.unwrap_or(first) + 1..])
}

/// Returns whether words match these patterns in their order, with others between them.
pub fn are_among(patterns: &str, words: &[&[u8]]) -> bool {
    let mut words = words.iter();
    patterns.split(' ').all(|pattern| words.any(|word| like(pattern, word)))
}

/// Returns whether they would if what is computed were the right words. What is said in front of
/// that can rule it out: `gh pr $x` is nothing of `gh auth`.
pub fn may_be_among(patterns: &str, name: &str, words: &[&[u8]]) -> bool {
    let mut patterns = patterns.split(' ').peekable();
    let is_option = |word: &[u8]| word.starts_with(b"-");
    let has_value = |word: &[u8]| {
        is_option(word)
            && !word.contains(&b'=')
            && !word.starts_with(b"--no-")
            && !FLAGS.contains(&word)
    };
    let is_said = |word: &&[u8]| !is_option(word) && !has_hole(word);
    let end = words.iter().rposition(is_said);
    // The words that were said, and how many of them are nothing of the patterns.
    let (mut said, mut others) = (0, 0);
    for (at, word) in words.iter().enumerate() {
        let Some(pattern) = patterns.peek() else { return true };
        let is_computed = has_hole(word) && !is_option(word);
        let is_value = at > 0 && has_value(words[at - 1]);
        if is_value && is_said(word)
            || is_value && is_computed && (said > 1 || end.is_some_and(|end| at < end))
        {
            // It says nothing of what is to be done. What is computed may be more than a value.
        } else if is_computed && others > rules::depth(name) {
            return false;
        } else if is_computed && may_be_like(pattern, word) {
            // It may be several words.
            if known(word) == (b"", b"") {
                return true;
            }
            patterns.next();
        } else if like(pattern, word) {
            patterns.next();
            said += 1;
        } else if !is_option(word) {
            said += 1;
            others += 1;
        }
    }
    patterns.peek().is_none()
}

/// Returns whether a word matches a pattern.
pub fn like(pattern: &str, word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word);
    let Some((first, rest)) = pattern.split_once('*') else { return word == pattern };
    let Some(mut word) = word.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = word.find(part) else { return false };
        word = &word[at + part.len()..];
    }
    word.ends_with(last)
}

/// Returns whether a word some of which is computed may match a pattern.
fn may_be_like(pattern: &str, word: &[u8]) -> bool {
    let pattern = pattern.as_bytes();
    let is_any = |byte: &u8| *byte == b'*';
    let first = pattern.iter().position(is_any).map_or(pattern, |at| &pattern[..at]);
    let last = pattern.iter().rposition(is_any).map_or(pattern, |at| &pattern[at + 1..]);
    let (begins, ends) = known(word);
    let is_exact = first.len() == pattern.len();
    (first.starts_with(begins) || !is_exact && begins.starts_with(first))
        && (last.ends_with(ends) || !is_exact && ends.ends_with(last))
}
