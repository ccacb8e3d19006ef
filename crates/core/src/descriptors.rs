//! Arguments that name a descriptor which a command inherits.

use crate::bytes::{ends_with, eq};

/// The way in which an argument names a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As a descriptor, and nothing else.
    Plainly,
    /// By a number that may mean anything.
    ByNumber,
}

/// An upper bound of all descriptors.
const MOST: i32 = 1 << 20;
/// An upper bound of descriptors that people type.
const TYPED: i32 = 256;

/// Returns the numbers in an argument that may be descriptors from 3 on. `is_own` tells whether the
/// name of a folder below `/proc`, other than `self`, is that of this process.
pub fn numbers<F: Fn(&[u8]) -> bool>(argument: &[u8], is_own: F) -> Numbers<'_, F> {
    Numbers { argument, at: 0, is_own }
}

/// See [`numbers`].
pub struct Numbers<'a, F> {
    argument: &'a [u8],
    at: usize,
    is_own: F,
}

impl<F: Fn(&[u8]) -> bool> Iterator for Numbers<'_, F> {
    type Item = (i32, How);

    fn next(&mut self) -> Option<(i32, How)> {
        let digit = |at: usize| self.argument.get(at).filter(|byte| byte.is_ascii_digit());
        while self.at < self.argument.len() {
            let start = self.at;
            let Some(&first) = digit(start) else {
                self.at += 1;
                continue;
            };
            let mut number = 0;
            while let Some(digit) = digit(self.at) {
                number = number_with(number, i32::from(digit - b'0'));
                self.at += 1;
            }
            if first != b'0' && (3..MOST).contains(&number) {
                let before = self.argument.get(..start).unwrap_or_default();
                let after = self.argument.get(self.at..).unwrap_or_default();
                if is_plain(before, &self.is_own) {
                    return Some((number, How::Plainly));
                }
                if number < TYPED && stands_alone(before, after) {
                    return Some((number, How::ByNumber));
                }
            }
        }
        None
    }
}

fn number_with(number: i32, digit: i32) -> i32 {
    if number < MOST { number * 10 + digit } else { number }
}

/// Returns whether the text before a number makes it a descriptor.
fn is_plain(before: &[u8], is_own: impl Fn(&[u8]) -> bool) -> bool {
    const PROC: &[u8] = b"/proc/";
    let device = without_last(before, b"fd").and_then(|above| without_last(above, b"dev"));
    if device.is_some_and(|above| ends_with(above, b"/")) || is_redirection(before) {
        return true;
    }
    if !ends_with(before, b"/fd/") {
        return false;
    }
    let process = before.get(..before.len().saturating_sub(4)).unwrap_or_default();
    let ends = (PROC.len()..=process.len()).rev();
    let mut ends = ends.filter(|&end| process.get(..end).is_some_and(|it| ends_with(it, PROC)));
    let Some(process) = ends.next().and_then(|end| process.get(end..)) else { return false };
    let end = process.iter().position(|&byte| byte == b'/').unwrap_or(process.len());
    let process = process.get(..end).unwrap_or_default();
    eq(process, b"self") || eq(process, b"thread-self") || is_own(process)
}

/// Returns whether a shell duplicates the descriptor whose number follows: `<&3`, `2>& 3`.
fn is_redirection(mut before: &[u8]) -> bool {
    while let [rest @ .., b' ' | b'\t'] = before {
        before = rest;
    }
    ends_with(before, b"<&") || ends_with(before, b">&")
}

/// Removes the last part of a path, which must be `part`, and redundant characters after it.
fn without_last<'a>(mut path: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    let mut has_slash = false;
    loop {
        if let [rest @ .., b'/'] = path {
            has_slash = true;
            path = rest;
        } else if let ([rest @ .., b'.'], true) = (path, has_slash && ends_with(path, b"/.")) {
            path = rest;
        } else {
            break;
        }
    }
    let is_it = has_slash && ends_with(path, part);
    path.get(..path.len().saturating_sub(part.len())).filter(|_| is_it)
}

/// Returns whether a number is a word of its own, or the value of a short option.
fn stands_alone(before: &[u8], after: &[u8]) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    let begins = match before {
        [b'-', option] => option.is_ascii_alphabetic(),
        _ => !before.last().is_some_and(|&byte| is_word(byte) || byte == b'/'),
    };
    begins && !after.first().is_some_and(|&byte| is_word(byte) || byte == b'/')
}
