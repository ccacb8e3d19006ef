//! Display helpers for the verbs: width and colours, tables, pages, progress, and the formatting of
//! ages, sizes and times.
//!
//! `run` uses nothing of this. Text that came from a store or a command line goes through
//! [`cachex_base::text::quote::harmless`] before it is printed: a [`Table`] does that to every
//! cell, [`command_line`] to every word, [`json`] to every text.

mod json;
mod pager;
mod progress;
mod table;

use anstyle::{AnsiColor, Style};
use cachex_base::system::clock::Timestamp;
use clap::ValueEnum;
use std::time::Duration;

pub use cachex_base::text::quote::{Credentials, age, coarse, word};
pub use json::{JsonArray, json};
pub use pager::{Pages, show};
pub use progress::Progress;
pub use table::{Column, Table};

/// The kind of standard output, as far as it changes the appearance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    /// The columns of a terminal; none where lines may have any length.
    pub width: Option<u16>,
    /// The lines of a terminal.
    pub height: Option<u16>,
    /// True if colours are wanted: on a terminal unless `NO_COLOR` is set, and
    /// elsewhere if `CLICOLOR_FORCE` is.
    pub colour: bool,
}

impl Screen {
    /// Returns the output of this process.
    pub fn of_stdout() -> Screen {
        let stdout = std::io::stdout();
        let choice = anstream::AutoStream::choice(&stdout);
        let colour = choice != anstream::ColorChoice::Never;
        if !rustix::termios::isatty(&stdout) {
            return Screen { width: None, height: None, colour };
        }
        // A terminal that does not know its size reports an error, or zero.
        let size = rustix::termios::tcgetwinsize(&stdout).ok();
        let side = |of: fn(rustix::termios::Winsize) -> u16, usual| {
            Some(size.map(of).filter(|&cells| cells > 0).unwrap_or(usual))
        };
        Screen { width: side(|size| size.ws_col, 80), height: side(|size| size.ws_row, 24), colour }
    }

    /// Formats `text` in this tone, if there are colours.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let style = tone.style();
        if self.colour && style != Style::new() && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// The meaning of a piece of text to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Plain text.
    Plain,
    /// The names of columns, fields and sections.
    Heading,
    /// Something that is no longer of use.
    Faint,
    /// Something that is as it should be.
    Good,
    /// Text about something that went wrong.
    Bad,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Heading => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
        }
    }
}

/// Formats an expiry: `in 5m`, `expired`, `never`.
pub fn expiry(now: Timestamp, expires: Option<Timestamp>) -> String {
    match expires.map(|expires| expires.since(now)) {
        None => "never".to_owned(),
        Some(None | Some(Duration::ZERO)) => "expired".to_owned(),
        Some(Some(left)) => format!("in {}", coarse(left)),
    }
}

/// Formats a size in a sentence: `1.2 MiB`.
pub fn bytes(count: u64) -> String {
    bytesize::ByteSize::b(count).display().iec().to_string()
}

/// Formats a size in a table: `1.2M`.
pub fn short_bytes(count: u64) -> String {
    bytesize::ByteSize::b(count).display().iec_short().to_string().replace(' ', "")
}

/// Formats one of several choices, as it is typed.
pub fn choice(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Formats a time in UTC, to the second: `2026-11-22T20:30:11Z`.
pub fn date(time: Timestamp) -> String {
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + Duration::from_nanos(time.0))
        .to_string()
}

/// Formats a count with its noun: `1 entry`, `3 entries`, `no entry`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

/// Formats the counts of skipped items by reason, as the end of a sentence; empty if nothing was
/// skipped.
pub fn skipped(counts: &[(u64, &str)]) -> String {
    let all: u64 = counts.iter().map(|(count, _)| count).sum();
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, why)| format!("{count} {why}")).collect();
    if all == 0 { String::new() } else { format!("; {all} skipped: {}", told.join(", ")) }
}

#[cfg(test)]
mod tests;
