//! The messages of cachex itself, all on stderr.
//!
//! Errors are always written, warnings unless `--quiet`, and a line per call with `--verbose`.

use crate::record::entry::Key;
use crate::streams::nonblocking_writer::NonblockingWriter;
use crate::system::fsutil;
use crate::system::signals::Altered;
use crate::text::quote;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use signal_hook::consts::SIGPIPE;
use std::fmt::Arguments;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The time a reader has to take a message, enough for a busy machine.
const PATIENCE: Duration = Duration::from_millis(100);

/// Settings for the amount of messages.
#[derive(Clone, Copy, Debug)]
pub struct Messages {
    /// Suppresses warnings.
    pub quiet: bool,
    /// Writes a line about each call.
    pub verbose: bool,
}

impl Messages {
    /// Warns about something that only keeps the cache from helping. Only the first such warning is
    /// written: later ones are mostly its consequences.
    pub fn warn(self, text: Arguments<'_>) {
        static WARNED: AtomicBool = AtomicBool::new(false);
        if !self.quiet && !WARNED.swap(true, Ordering::Relaxed) {
            say(format_args!("warning: {text}"));
        }
    }

    /// Writes a notice about something that takes time, or is otherwise worth a line.
    pub fn wait(self, text: Arguments<'_>) {
        if !self.quiet {
            say(format_args!("warning: {text}"));
        }
    }

    /// Writes a hint where there is nothing to show.
    pub fn hint(self, text: &str) {
        if !self.quiet {
            say(format_args!("{text}"));
        }
    }

    /// Writes a summary of what was done.
    pub fn tell(self, text: Arguments<'_>) {
        if self.verbose {
            say(text);
        }
    }
}

/// Reports an error that kept cachex from doing what was requested.
pub fn error(text: Arguments<'_>) {
    say(text);
}

/// Writes the age of a replay below it, if stderr is a terminal.
pub fn mark(age: Duration) {
    if !rustix::termios::isatty(rustix::stdio::stderr()) {
        return;
    }
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let [dim, end] = if is_plain { ["", ""] } else { ["\x1b[2m", "\x1b[0m"] };
    write(&format!("{dim}cached {} ago{end}\n", quote::coarse(age)));
}

/// Writes a suggestion below an error.
pub fn tip(text: &str) {
    write(&format!("  {}\n", quote::harmless(text)));
}

fn say(text: Arguments<'_>) {
    write(&format!("cachex: {}\n", quote::harmless(&text.to_string())));
}

/// Writes a line at once, so that lines of several processes do not mix. Errors are ignored: a
/// closed stderr ends nothing, and a blocked one is not waited for.
fn write(line: &str) {
    let _ignored = Altered::ignored(SIGPIPE);
    let mut stderr = NonblockingWriter::new(rustix::stdio::stderr());
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

/// Returns a key in the short form that people are shown.
pub fn short(key: &Key) -> String {
    let mut hex = key.to_string();
    hex.truncate(12);
    hex
}
