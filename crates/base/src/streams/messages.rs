//! The messages of cachex itself, all of them on stderr.
//!
//! Errors always; warnings unless `--quiet`; a line per call with `--verbose`.

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
    write(&format!("{dim}cached {} ago{end}\n", quote::coarse(age)));
}

/// What may have been meant, below an error.
pub fn tip(text: &str) {
    write(&format!("  {}\n", quote::harmless(text)));
}

fn say(text: Arguments<'_>) {
    write(&format!("cachex: {}\n", quote::harmless(&text.to_string())));
}

/// In one write, so that lines of several processes do not mix. A stderr that cannot be
/// written changes nothing: a reader that left ends nobody, and one that takes nothing
/// is not waited for.
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

/// A key as people are shown it.
pub fn short(key: &Key) -> String {
    let mut hex = key.to_string();
    hex.truncate(12);
    hex
}
