//! The messages of cachex itself, all of them on stderr.
//!
//! Errors always; warnings unless `--quiet`; a line per call with `--verbose`.

use crate::entry::Key;
use crate::fsutil;
use crate::signals::Altered;
use crate::sink::Sink;
use crate::words;
use cachex_core::span;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use signal_hook::consts::SIGPIPE;
use std::borrow::Cow;
use std::fmt::Arguments;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The time that a reader has to take a message: a moment of a busy machine.
const PATIENCE: Duration = Duration::from_millis(100);

/// The amount of messages.
#[derive(Clone, Copy, Debug)]
pub struct Messages {
    /// No warnings.
    pub quiet: bool,
    /// A line about each call.
    pub verbose: bool,
}

impl Messages {
    /// Something that only keeps the cache from helping: the first is said, and
    /// what comes of it is not.
    pub fn warn(self, text: Arguments<'_>) {
        static WARNED: AtomicBool = AtomicBool::new(false);
        if !self.quiet && !WARNED.swap(true, Ordering::Relaxed) {
            say(format_args!("warning: {text}"));
        }
    }

    /// A notice about something that takes its time, or is otherwise worth a line.
    pub fn wait(self, text: Arguments<'_>) {
        if !self.quiet {
            say(format_args!("warning: {text}"));
        }
    }

    /// What may help where there is nothing to show.
    pub fn hint(self, text: &str) {
        if !self.quiet {
            say(format_args!("{text}"));
        }
    }

    /// A summary of what was done.
    pub fn tell(self, text: Arguments<'_>) {
        if self.verbose {
            say(text);
        }
    }
}

/// Something that kept cachex from doing what it was asked.
pub fn error(text: Arguments<'_>) {
    say(text);
}

/// Says below a replay how old it is, where a person reads it.
pub fn mark(age: Duration) {
    if !rustix::termios::isatty(rustix::stdio::stderr()) {
        return;
    }
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let [dim, end] = if is_plain { ["", ""] } else { ["\x1b[2m", "\x1b[0m"] };
    write(&format!("{dim}cached {} ago{end}\n", words::coarse(age)));
}

/// What may have been meant, below an error.
pub fn tip(text: &str) {
    write(&format!("  {}\n", harmless(text)));
}

fn say(text: Arguments<'_>) {
    write(&format!("cachex: {}\n", harmless(&text.to_string())));
}

/// In one write, so that lines of several processes do not mix. A stderr that cannot be
/// written changes nothing: a reader that left ends nobody, and one that takes nothing
/// is not waited for.
fn write(line: &str) {
    let _ignored = Altered::ignored(SIGPIPE);
    let mut stderr = Sink::new(rustix::stdio::stderr());
    let until = Instant::now() + PATIENCE;
    let mut unsaid = line.as_bytes();
    while !unsaid.is_empty() {
        match stderr.write(unsaid) {
            Ok(written) => unsaid = &unsaid[written..],
            Err(Errno::AGAIN) => {
                let left = until.saturating_duration_since(Instant::now());
                let mut watched = [PollFd::new(&stderr, PollFlags::OUT)];
                match fsutil::poll(&mut watched, Some(left)) {
                    Ok(0) => return,
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(_) => return,
                }
            }
            Err(_) => return,
        }
    }
}

/// Text without anything that a terminal would obey or a reader not see, and all
/// of it on one line: names and values that are quoted may hold anything.
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

/// A key as people are shown it.
pub fn short(key: &Key) -> String {
    let mut hex = key.to_string();
    hex.truncate(12);
    hex
}

/// A duration as people are shown it: two units at the most.
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
