//! How a command line, an age and a span of time are spelt, for whoever shows one.

use crate::clock::Timestamp;
use crate::messages;
use std::fmt::Write;
use std::time::Duration;

mod credentials;

pub use credentials::Credentials;

/// A word as a shell takes it, in one line without anything a terminal would obey: such
/// bytes are spelt as in `$'\x1b'`.
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

/// Three digits, so that what follows is no part of it.
fn octal(quoted: &mut String, byte: u8) {
    let _ = write!(quoted, "\\{byte:03o}");
}

/// Whether text is as it is where it is shown.
pub fn is_harmless(text: &str) -> bool {
    messages::harmless(text) == text
}

/// A span of time as a table has it: one unit.
pub fn coarse(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How long ago that was; what is yet to come has no age.
pub fn age(now: Timestamp, time: Timestamp) -> String {
    now.since(time).map_or_else(|| "–".to_owned(), coarse)
}
