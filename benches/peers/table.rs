//! Tables for the terminal and, as Markdown, for docs/performance.md.

use crate::measure::{Outcome, Summary};
use std::fmt::Write as _;
use std::time::Duration;

/// A table with a title above it and remarks below.
#[derive(Debug, Default)]
pub struct Table {
    /// What was measured.
    pub title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// An empty table.
    pub fn new(title: &str, header: &[&str]) -> Table {
        let header = header.iter().map(ToString::to_string).collect();
        Table { title: title.to_owned(), header, ..Table::default() }
    }

    /// Adds a row; cells that are missing at its end stay empty.
    pub fn row(&mut self, cells: Vec<String>) {
        let mut cells = cells;
        cells.resize(self.header.len(), String::new());
        self.rows.push(cells);
    }

    /// Adds a remark, unless it stands there already.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The table with its columns aligned by spaces.
    pub fn terminal(&self) -> String {
        let mut text = format!("\n{}\n", self.title);
        let widths = self.widths();
        for row in std::iter::once(&self.header).chain(&self.rows) {
            text.push_str(format!("  {}", aligned(row, &widths, "   ")).trim_end());
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "  * {note}");
        }
        text
    }

    /// The table as GitHub and crates.io render it.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        let widths = self.widths();
        let _ = writeln!(text, "| {} |", aligned(&self.header, &widths, " | "));
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, &width)| match column {
                0 => "-".repeat(width),
                _ => format!("{}:", "-".repeat(width.saturating_sub(1).max(1))),
            })
            .collect();
        let _ = writeln!(text, "| {} |", rule.join(" | "));
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", aligned(row, &widths, " | "));
        }
        for note in &self.notes {
            let _ = write!(text, "\n* {note}");
        }
        text.push_str(if self.notes.is_empty() { "\n" } else { "\n\n" });
        text
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.header.len())
            .map(|column| {
                let cells = std::iter::once(&self.header).chain(&self.rows);
                cells.map(|row| row[column].chars().count()).max().unwrap_or(0).max(2)
            })
            .collect()
    }
}

/// The first column is names, the others are figures.
fn aligned(row: &[String], widths: &[usize], between: &str) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, &width))| match column {
        0 => format!("{cell:<width$}"),
        _ => format!("{cell:>width$}"),
    });
    cells.collect::<Vec<_>>().join(between)
}

/// A duration in three significant digits.
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 1.0 { digits(seconds, "s") } else { digits(seconds * 1e3, "ms") }
}

/// `part / whole` as a factor.
pub fn ratio(part: Duration, whole: Duration) -> String {
    format!("{:.2}", part.as_secs_f64() / whole.as_secs_f64())
}

/// A number of bytes in binary units.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { digits(value, UNITS[unit]) }
}

fn digits(value: f64, unit: &str) -> String {
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// `100000` as `100,000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The usual table: a row per contender, with its median, its spread and its
/// ratio to each of `references`.
pub fn comparison(title: &str, references: &[&str], results: &[(String, Outcome)]) -> Table {
    let mut header = vec!["contender", "median", "10–90 %"];
    let ratios: Vec<String> = references.iter().map(|name| format!("÷ {name}")).collect();
    header.extend(ratios.iter().map(String::as_str));
    let with_peak = measured(results).any(|(_, summary)| summary.peak > 0);
    let with_background = measured(results).any(|(_, summary)| !summary.background.is_zero());
    if with_peak {
        header.push("peak memory");
    }
    if with_background {
        header.push("background CPU");
    }
    let mut table = Table::new(title, &header);
    for (name, outcome) in results {
        let summary = match outcome {
            Ok(summary) => summary,
            Err(reason) => {
                table.row(vec![name.clone(), "–".to_owned()]);
                table.note(format!("{name} is left out: {reason}"));
                continue;
            }
        };
        let mut cells = vec![name.clone(), time(summary.median)];
        cells.push(format!("{} – {}", time(summary.low), time(summary.high)));
        for reference in references {
            let whole = measured(results).find(|(other, _)| other == reference);
            cells.push(
                whole.map_or_else(String::new, |(_, whole)| ratio(summary.median, whole.median)),
            );
        }
        if with_peak {
            cells.push(bytes(summary.peak));
        }
        if with_background {
            cells.push(time(summary.background));
        }
        table.row(cells);
    }
    table
}

/// The contenders that have figures.
pub fn measured(results: &[(String, Outcome)]) -> impl Iterator<Item = (&str, &Summary)> {
    results.iter().filter_map(|(name, outcome)| Some((name.as_str(), outcome.as_ref().ok()?)))
}
