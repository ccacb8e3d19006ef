//! Formatting of command lines, ages and durations for display.

use crate::system::clock::Timestamp;
use cachex_core::span;
use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

mod credentials;

pub use credentials::Credentials;

/// Quotes a word for a shell, in one line and without bytes that a terminal would interpret: those
/// are escaped as in `$'\x1b'`.
pub fn word(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && is_harmless(text)
        && let Ok(quoted) = shlex::try_quote(text)
    {
        return quoted.into_owned();
    }
    let mut quoted = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => quoted.extend(['\\', c]),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                _ if is_harmless(c.encode_utf8(&mut [0; 4])) => quoted.push(c),
                _ => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| octal(&mut quoted, byte)),
            }
        }
        chunk.invalid().iter().for_each(|&byte| octal(&mut quoted, byte));
    }
    quoted.push('\'');
    quoted
}

/// Appends three digits, so that a following digit is not part of the escape.
fn octal(quoted: &mut String, byte: u8) {
    let _ = write!(quoted, "\\{byte:03o}");
}

/// Returns whether text can be shown unchanged.
pub fn is_harmless(text: &str) -> bool {
    harmless(text) == text
}

/// Formats a duration in one unit, for tables.
pub fn coarse(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Formats the age of `time`; a time in the future has no age.
pub fn age(now: Timestamp, time: Timestamp) -> String {
    now.since(time).map_or_else(|| "–".to_owned(), coarse)
}

/// Escapes everything that a terminal would interpret or a reader would not see, and line breaks:
/// quoted names and values may hold anything.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| matches!(c, '\'' | '"' | '\\') || c.escape_debug().eq([c]);
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut plain = String::new();
    for c in text.chars() {
        if is_plain(c) {
            plain.push(c);
        } else {
            plain.extend(c.escape_unicode());
        }
    }
    plain.into()
}

/// Formats a duration in at most two units.
pub fn rounded(span: Duration) -> String {
    let mut text = Vec::new();
    span::tell_rounded(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX), &mut text);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_steers_no_terminal_and_forges_no_line() {
        assert_eq!(harmless("naïve 名"), "naïve 名");
        assert_eq!(harmless("a\x1b[31m\nb\u{9b}2J\x7f"), "a\\u{1b}[31m\\u{a}b\\u{9b}2J\\u{7f}");
    }

    #[test]
    fn durations_are_rounded_to_what_matters() {
        let of = |nanos| rounded(Duration::from_nanos(nanos));
        assert_eq!(of(12_345), "12us");
        assert_eq!(of(12_345_678), "12ms");
        assert_eq!(of(1_234_567_890), "1.2s");
        assert_eq!(of(3_723_000_000_001), "1h 2m 3s");
        assert_eq!(of(0), "0s");
    }
}
